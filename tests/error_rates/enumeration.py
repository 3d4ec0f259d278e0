"""Error rates without chance: every possible holdout of a few rows, weighted by its exact probability.

Verdicts come from the product for every table of counts, once per margin; the nuisance parameter (how often
the two models disagree) is then swept over the same verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np
from grid import metric_of
from layouts import Floats, Ints
from scipy.special import gammaln, xlogy
from trials import ALPHA

from pytest_model_gate.errors import ModelGateError
from pytest_model_gate.gate.measure import Measured, Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.policy import decide
from pytest_model_gate.results import Verdict
from pytest_model_gate.stats.design import Design

#: Joint cells of two classes: truth, candidate's label, reference's label.
EIGHT = tuple(np.unravel_index(np.arange(8), (2, 2, 2)))


def compositions(n: int, parts: int) -> Ints:
    """Return every way to share ``n`` rows among so many cells, shape (ways, parts).

    Examples
    --------
    >>> compositions(2, 2).tolist()
    [[0, 2], [1, 1], [2, 0]]
    """
    if parts == 1:
        return np.array([[n]], dtype=np.intp)
    found = []
    for first in range(n + 1):
        rest = compositions(n - first, parts - 1)
        found.append(np.column_stack((np.full(len(rest), first), rest)))
    return np.concatenate(found)


def probabilities(counts: Ints, shares: Floats) -> Floats:
    """Return the multinomial probability of each row of counts."""
    logarithm = gammaln(counts.sum(axis=1) + 1) + (xlogy(counts, shares) - gammaln(counts + 1)).sum(axis=1)
    return np.asarray(np.exp(logarithm))


def verdict(measure: Callable[[], Measured], required: Callable[[Measured], float]) -> Verdict:
    """Return what the product says."""
    try:
        measured = measure()
    except ModelGateError:
        return Verdict.ERROR
    low, high = measured.inference.bounds(ALPHA)
    at = required(measured)
    return decide(
        question="regression",
        low=low,
        high=high,
        required=at,
        alpha=ALPHA,
        p_regressed=measured.p_below(at),
        identical=measured.identical,
        caution=measured.caution,
    ).verdict


def pair_rows(counts: Sequence[int]) -> tuple[Sample, Predicted, Predicted]:
    """Return rows that fall so into the eight joint cells."""
    y, candidate, reference = (np.repeat(column, counts).astype(np.intp) for column in EIGHT)
    return _sample(y), Predicted(labels=candidate), Predicted(labels=reference)


def _sample(y: Ints) -> Sample:
    return Sample(truth=Truth(values=y, classes=(0, 1)), design=Design(n=len(y)))


#: Measures two models on the same rows.
MeasurePair = Callable[[Metric, Sample, Predicted, Predicted], Measured]


@cache
def accuracy_verdicts(
    n: int, margin: float, measure: MeasurePair = measure_pair
) -> tuple[Ints, tuple[Verdict, ...]]:
    """Return the verdict on the accuracy for every count of rows that only one of the models gets right."""
    tables = compositions(n, 3)
    return tables, tuple(
        # All of class 1, of which rows are labelled by: only the candidate, only the reference, both.
        _accuracy_verdict([0, 0, 0, 0, 0, other, own, both], measure, lambda _: -margin)
        for own, other, both in tables
    )


def _accuracy_verdict(
    counts: Sequence[int], measure: MeasurePair, required: Callable[[Measured], float]
) -> Verdict:
    rows = pair_rows(counts)
    return verdict(lambda: measure(metric_of("accuracy"), *rows), required)


def accuracy_errors(
    n: int, margin: float, discordance: float, measure: MeasurePair = measure_pair
) -> tuple[float, float]:
    """Return how often a candidate that is worse by exactly the margin passes, and is accused."""
    tables, verdicts = accuracy_verdicts(n, margin, measure)
    better, worse = (discordance - margin) / 2, (discordance + margin) / 2
    return _weighed(verdicts, probabilities(tables, np.array([better, worse, 1 - discordance])))


@cache
def relative_verdicts(n: int, share: float) -> tuple[Ints, tuple[Verdict, ...]]:
    """Return the same for a tolerance that is a share of the reference's accuracy."""
    tables = compositions(n, 4)
    return tables, tuple(
        _accuracy_verdict(
            [0, 0, 0, 0, neither, other, own, both],
            partial(measure_pair, relative=share),
            lambda measured: -share * abs(measured.reference),
        )
        for own, other, both, neither in tables
    )


def relative_accuracy_errors(n: int, share: float, reference: float, both: float) -> tuple[float, float]:
    """Return the errors where the candidate loses exactly a share of the reference's accuracy.

    ``both`` is the chance that both are right.
    """
    tables, verdicts = relative_verdicts(n, share)
    candidate = (1 - share) * reference
    shares = [candidate - both, reference - both, both, 1 - candidate - reference + both]
    return _weighed(verdicts, probabilities(tables, np.array(shares)))


@cache
def floor_verdicts(name: str, n: int, floor: float) -> tuple[Ints, tuple[Verdict, ...]]:
    """Return the verdict on one model's floor for every confusion matrix of two classes."""
    tables = compositions(n, 4)
    metric = metric_of(name)
    found = []
    for counts in tables:
        y = np.repeat([0, 0, 1, 1], counts).astype(np.intp)
        labels = Predicted(labels=np.repeat([0, 1, 0, 1], counts).astype(np.intp))
        found.append(verdict(partial(measure_floor, metric, _sample(y), labels, floor), lambda _: 0.0))
    return tables, tuple(found)


def floor_errors(name: str, n: int, prevalence: float, found: float, raised: float) -> tuple[float, float]:
    """Return how often a model exactly at its floor passes, and fails.

    ``found`` and ``raised`` are its true and false positive rates.
    """
    shares = np.array(
        [
            (1 - prevalence) * (1 - raised),
            (1 - prevalence) * raised,
            prevalence * (1 - found),
            prevalence * found,
        ]
    )
    floor = metric_of(name).value(
        Truth(values=np.array([0, 0, 1, 1]), classes=(0, 1), weight=4 * shares),
        Predicted(labels=np.array([0, 1, 0, 1])),
    )
    tables, verdicts = floor_verdicts(name, n, round(floor, 15))
    return _weighed(verdicts, probabilities(tables, shares))


def pair_errors(
    name: str, n: int, shares: Floats, measure: MeasurePair = measure_pair
) -> tuple[float, float]:
    """Return the errors of a metric of labels on few rows, by all tables of the eight joint cells."""
    metric, gain = metric_of(name), population_gain(name, shares)
    tables = compositions(n, 8)
    found = [
        verdict(partial(measure, metric, *pair_rows(counts)), lambda _: gain) for counts in tables.tolist()
    ]
    return _weighed(found, probabilities(tables, shares))


def population_gain(name: str, shares: Floats) -> float:
    """Return the true gain where the eight joint cells have these shares."""
    metric = metric_of(name)
    truth = Truth(values=EIGHT[0], classes=(0, 1), weight=8 * shares)
    candidate, reference = (metric.value(truth, Predicted(labels=EIGHT[index])) for index in (1, 2))
    return metric.sign * (candidate - reference)


def _weighed(verdicts: Sequence[Verdict], chances: Floats) -> tuple[float, float]:
    assert math.isclose(chances.sum(), 1.0, rel_tol=1e-9), "every table was enumerated"
    said = np.array([each.value for each in verdicts])
    return (
        float(chances[said == Verdict.PASS.value].sum()),
        float(chances[said == Verdict.REGRESSED.value].sum()),
    )
