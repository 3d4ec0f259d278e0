"""Methods that are known to be wrong, as textbooks and other tools have them: the harness must catch each."""

from __future__ import annotations

import math

import numpy as np
from layouts import Floats
from populations import Drawn

from pytest_model_gate.gate.measure import Measured, Sample, measure_pair
from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.metrics.rows import Predicted
from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.student import Student

#: Degrees of freedom that make Student's distribution the normal one.
NORMAL = 1e9


def _measured(n: int, values: tuple[float, float], sign: int, error: float, df: float = NORMAL) -> Measured:
    inference = Student(sign * (values[0] - values[1]), error, df, "wrong")
    return Measured(n=n, candidate=values[0], reference=values[1], inference=inference)


def _values(metric: Metric, drawn: Drawn) -> tuple[float, float]:
    truth = drawn.sample.truth
    return (
        metric.value(truth, drawn.candidate[metric.needs]),
        metric.value(truth, drawn.reference[metric.needs]),
    )


def _root_of_mean_square(influence: Floats) -> float:
    return math.sqrt(float(np.mean(influence**2)) / len(influence))


def wald(metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted) -> Measured:
    """Take the estimated variance of a difference of proportions for the true one."""
    measured = measure_pair(metric, sample, candidate, reference)
    assert measured.paired is not None
    values = measured.candidate, measured.reference
    return _measured(sample.n, values, metric.sign, measured.paired.standard_error)


def plain_influence(metric: Metric, drawn: Drawn) -> Measured:
    """Leave out every guard: neither imaginary rows nor MOVER, whatever is near an end of its range."""
    truth = drawn.sample.truth
    forms = drawn.candidate[metric.needs], drawn.reference[metric.needs]
    psi = metric.influence(truth, forms[0]) - metric.influence(truth, forms[1])
    return _measured(drawn.sample.n, _values(metric, drawn), metric.sign, _root_of_mean_square(psi))


def unpaired(metric: Metric, drawn: Drawn) -> Measured:
    """Take the two models for independent, though they were measured on the same rows."""
    truth = drawn.sample.truth
    forms = drawn.candidate[metric.needs], drawn.reference[metric.needs]
    both = [_root_of_mean_square(metric.influence(truth, form)) for form in forms]
    return _measured(drawn.sample.n, _values(metric, drawn), metric.sign, math.hypot(*both))


def rows_for_groups(metric: Metric, drawn: Drawn) -> Measured:
    """Take rows of one group for independent."""
    plain = Sample(truth=drawn.sample.truth, design=Design(n=drawn.sample.n))
    return measure_pair(metric, plain, drawn.candidate[metric.needs], drawn.reference[metric.needs])


def uncorrected_t(metric: Metric, drawn: Drawn, ceiling: float) -> Measured:
    """Take the mean of heavy-tailed losses for normal: Student's t without a word about skewness."""
    form = drawn.reference[metric.needs]
    assert metric.losses is not None
    losses = metric.losses(drawn.sample.truth, form)
    n = len(losses)
    error = float(np.std(losses, ddof=1)) / math.sqrt(n)
    return _measured(n, (float(losses.mean()), ceiling), metric.sign, error, n - 1)
