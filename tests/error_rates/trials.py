"""Simulated holdouts go through the product, and what it would have said is counted.

A candidate that is exactly at the margin must not pass, and must not be accused, more often than the level.
Only verdicts count: where a guard says ``inconclusive`` nothing was said wrongly.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
from layouts import Layout
from populations import Drawn, Population

from pytest_model_gate.errors import ModelGateError
from pytest_model_gate.gate.measure import Measured, measure_floor, measure_pair
from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.policy import decide
from pytest_model_gate.results import Verdict

ALPHA = 0.05

#: How close the upper bound is to what is required where the p-value is asked for, in widths of the interval.
NEAR = 0.1

#: Measures one metric on one simulated holdout.
Measure = Callable[[Metric, Drawn], Measured]


@dataclass(kw_only=True)
class Tally:
    """How often what was said. All but the first are counts of repetitions.

    Parameters
    ----------
    repetitions : int
        Simulated holdouts.
    undefined : int
        The metric did not exist, or the product refused: an ``error``, which cannot pass or accuse.
    cautioned : int
        A guard said ``inconclusive`` whatever the numbers.
    identical : int
        Both models said the same on every row.
    low_missed, high_missed : int
        The interval lay above, or below, the true gain; of those without a caution.
    wrong_pass, wrong_accusation : int
        Verdicts with the truth exactly at the margin.
    passed, accused : int
        Verdicts at the other margin: the usual one where both models are equal, half of the true loss where
        the candidate is worse.
    """

    repetitions: int = 0
    undefined: int = 0
    cautioned: int = 0
    identical: int = 0
    low_missed: int = 0
    high_missed: int = 0
    wrong_pass: int = 0
    wrong_accusation: int = 0
    passed: int = 0
    accused: int = 0

    def __iadd__(self, other: Tally) -> Tally:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self

    @property
    def judged(self) -> int:
        """Repetitions whose interval could decide."""
        return self.repetitions - self.undefined - self.cautioned

    @property
    def coverage(self) -> float:
        """Share of the intervals, of those that could decide, that hold the true gain."""
        return 1 - (self.low_missed + self.high_missed) / self.judged if self.judged else float("nan")

    def as_dict(self) -> dict[str, int]:
        """Return the counts that are not 0."""
        return {name: count for name, count in asdict(self).items() if count}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of each simulated holdout.

    ``margin`` says what the gain has to exceed where the truth is exactly that, and ``other`` what else is
    tried.
    """

    measure: Measure
    margin: Callable[[Measured], float]
    other: Callable[[Measured], float] | None = None


def difference(metric: Metric, drawn: Drawn) -> Measured:
    """Measure the gain over the reference, against an absolute tolerance."""
    return measure_pair(metric, drawn.sample, drawn.candidate[metric.needs], drawn.reference[metric.needs])


def against_share(share: float) -> Measure:
    """Return the measure against a tolerance that is a share of the reference's value."""

    def measure(metric: Metric, drawn: Drawn) -> Measured:
        forms = drawn.candidate[metric.needs], drawn.reference[metric.needs]
        return measure_pair(metric, drawn.sample, *forms, relative=share)

    return measure


def against_floor(floor: float) -> Measure:
    """Return the measure of the reference model against a floor."""
    return lambda metric, drawn: measure_floor(metric, drawn.sample, drawn.reference[metric.needs], floor)


def run(
    metrics: Sequence[tuple[Metric, Question]], drawn: Iterable[Drawn], *, alpha: float = ALPHA
) -> list[Tally]:
    """Ask the same questions of every simulated holdout."""
    tallies = [Tally() for _ in metrics]
    for each in drawn:
        for (metric, question), tally in zip(metrics, tallies, strict=True):
            count(tally, metric, question, each, alpha)
    return tallies


def count(tally: Tally, metric: Metric, question: Question, drawn: Drawn, alpha: float) -> None:
    """Add what the product says of one holdout."""
    tally.repetitions += 1
    try:
        measured = question.measure(metric, drawn)
    except ModelGateError:
        tally.undefined += 1
        return
    low, high = measured.inference.bounds(alpha)
    margin = question.margin(measured)
    if measured.caution:
        tally.cautioned += 1
    else:
        tally.low_missed += low > margin
        tally.high_missed += high < margin
    tally.identical += measured.identical
    at_margin = _verdict(measured, low, high, margin, alpha)
    tally.wrong_pass += at_margin is Verdict.PASS
    tally.wrong_accusation += at_margin is Verdict.REGRESSED
    if question.other is not None:
        other = _verdict(measured, low, high, question.other(measured), alpha)
        tally.passed += other is Verdict.PASS
        tally.accused += other is Verdict.REGRESSED


def _verdict(measured: Measured, low: float, high: float, required: float, alpha: float) -> Verdict:
    # The p-value agrees with the upper bound, which is a promise of its own: it is asked for near there.
    accusing = high < required + NEAR * (high - low)
    return decide(
        question="regression",
        low=low,
        high=high,
        required=required,
        alpha=alpha,
        p_regressed=measured.p_below(required) if accusing else 1.0,
        identical=measured.identical,
        caution=measured.caution,
    ).verdict


def generator(*key: object) -> np.random.Generator:
    """Return random numbers that belong to one place of the grid, whatever else is run."""
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def questions(population: Population, metric: Metric, kind: str) -> Question | None:
    """Return the question of one kind, or ``None`` where it means nothing.

    ``equal``: two equal models, and the tolerance that ``margin`` has; ``margin``: a candidate that is worse
    by the tolerance; ``share``: the same, with the tolerance as a share of the reference's value; ``floor``:
    one model exactly at its floor.
    """
    candidate, reference = population.values(metric)
    gain = metric.sign * (candidate - reference)
    if kind == "equal":
        return Question(measure=difference, margin=lambda _: 0.0, other=lambda _: gain)
    if kind == "margin":
        return Question(measure=difference, margin=lambda _: gain, other=lambda _: gain / 2)
    if kind == "floor":
        return Question(measure=against_floor(reference), margin=lambda _: 0.0, other=lambda _: gain)
    if metric.crosses_zero or gain >= 0:
        return None
    share = -gain / abs(reference)
    return Question(measure=against_share(share), margin=lambda measured: -share * abs(measured.reference))


def holdouts(
    population: Population, kind: str, layout: Layout, repetitions: int, *key: object
) -> Iterable[Drawn]:
    """Draw the holdouts of one kind of question."""
    source = population.equal if kind == "equal" else population
    return source.draw(generator(population, kind, layout, *key), layout, repetitions)
