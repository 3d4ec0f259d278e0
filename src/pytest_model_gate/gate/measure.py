"""Metrics meet statistics: the value of one metric for two models, and the inference on its gain."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..blocks import blocks
from ..errors import EvaluationError, ModelGateError, UndefinedMetricError
from ..metrics.metric import Metric
from ..metrics.rows import Predicted
from ..stats import planning
from ..stats.inference import Inference
from ..stats.mean import ENOUGH_WITHOUT_SPREAD
from ..stats.reach import READ_AT
from ..stats.tango import PairedProportions
from ..wording import plural
from .by_query import queries_in
from .canonical import Steady, canonical
from .families import methods
from .found import Found
from .of_slices import ask_all
from .sample import Sample
from .uneven import uneven_one, uneven_pair
from .unseen import unseen

__all__ = ["Measured", "Sample", "canonical", "measure_floor", "measure_pair"]

#: With fewer rows of a class the intervals of ranking metrics are too narrow.
MINIMUM_RANKED = 20

#: With fewer rows of one of two classes its losses, the largest ones, are hardly known.
MINIMUM_LOST = 5


#: With fewer rows on which labels differ, all in favour of one model may be chance (with 10, once in 1,024).
ENOUGH_APART = 10

#: Values beyond this, or beyond its inverse, make squares that overflow or vanish, and intervals of no width.
SMALLEST = 1e-100


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """One metric, measured; every number of it is canonical.

    Parameters
    ----------
    n : int
        Rows.
    candidate : float
        Its value.
    reference : float
        The other model's value, or the floor.
    inference : Inference
        On the gain of the candidate over the reference, oriented so that larger is better.
    identical : bool
        Whether what the metric reads of both models' predictions is equal on every row.
    alike : bool
        Whether both gave the same labels on every row, which alone does not make them identical.
    caution : str
        Why the interval may neither let pass nor accuse: the verdict is then ``inconclusive``. Empty: it may.
    paired : PairedProportions or None
        The counts, where two proportions were compared: planning needs them.
    queries : int or None
        How many there are, where these and not the rows are the unit.
    """

    n: int
    candidate: float
    reference: float
    inference: Inference
    identical: bool = False
    alike: bool = False
    caution: str = ""
    paired: PairedProportions | None = None
    queries: int | None = None

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "the gain is at least ``threshold``"; 1 where nothing may be accused."""
        return 1.0 if self.caution else self.inference.p_below(threshold)

    def minimum_detectable(self, alpha: float) -> float | None:
        """Return the regression that these rows detect with 80 % power; ``None`` where they cannot tell."""
        if self.caution:
            return None
        detectable = planning.minimum_detectable(self.inference.standard_error, alpha)
        if self.paired is not None:
            detectable = max(
                detectable, planning.margin_for_shares(self.paired.n, self.paired.discordance, alpha)
            )
        return canonical(detectable)

    def rows_needed(self, margin: float, alpha: float) -> int | None:
        """Return the rows with which a candidate equal to the reference passes ``margin`` with 80 % power.

        ``None`` where no number of rows is enough, or where more rows alone don't help.
        """
        if self.caution:
            return None
        needed = planning.rows_needed(self.n, self.inference.standard_error, margin, alpha)
        if needed is None or self.paired is None:
            return needed
        # Few discordant rows promise too much: the score interval is longer than their standard error says.
        least = planning.rows_for_shares(self.paired.discordance, margin, alpha) or 0
        return max(needed, math.ceil(least * self.n / self.paired.n))


def measure_pair(
    metric: Metric,
    sample: Sample,
    candidate: Predicted,
    reference: Predicted,
    *,
    relative: float = 0.0,
    one_model: bool = False,
) -> Measured:
    """Measure the candidate against another model on the same rows.

    Parameters
    ----------
    metric : Metric
        What is measured.
    sample : Sample
        The judged rows.
    candidate, reference : Predicted
        What the two models say.
    relative : float
        The tolerance as a share of the reference's value, 0 where it is absolute. Such a tolerance is an
        estimate itself: the bounds of the gain then hold against ``-relative * abs(reference)``.
    one_model : bool
        Whether both are known to be the same model: then labels that agree on every row are identical
        predictions, and else only numbers that do.

    Raises
    ------
    UndefinedMetricError
        If the metric does not exist on these rows, or there are too few of them for an interval.
    EvaluationError
        If the metric fails.
    """
    found = _asked(metric, lambda: _found(metric, sample, candidate, reference, relative))
    apart = _differing(metric, sample, candidate, reference)
    identical = not apart and (one_model or _one(sample, candidate, reference))
    return _measured(
        metric,
        sample,
        found,
        identical=identical,
        alike=not apart and not identical,
        apart=apart if metric.needs == "label" else None,
        rare=uneven_pair(metric, sample, candidate, reference)
        or unseen(metric, sample, candidate, reference),
    )


def measure_floor(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Measured:
    """Measure one model against a fixed value: the gain is how far it is on the right side.

    Parameters and errors are those of :func:`measure_pair`; ``floor`` is a ceiling for losses.
    """
    _, one = methods(metric, sample)
    found = _asked(metric, lambda: one(metric, sample, candidate, floor))
    return _measured(
        metric, sample, found, rare=uneven_one(metric, sample, candidate) or unseen(metric, sample, candidate)
    )


def _found(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Return what is found on these rows, also where that was found together with their neighbours."""
    every = None if sample.place is None else ask_all(metric, sample)
    if sample.place is not None and every is not None:
        found = sample.place.found(metric, sample, candidate, reference, relative, every)
        if found is not None:
            return found
    pair, _ = methods(metric, sample)
    return pair(metric, sample, candidate, reference, relative)


def _differing(metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted) -> int:
    """Return on how many rows two models differ in what the metric reads; but for labels, 1 for any."""
    if sample.place is not None:
        counted = sample.place.differing(metric.needs, candidate, reference)
        if counted is not None:
            return counted
    said, other = candidate.form(metric.needs), reference.form(metric.needs)
    assert said is not None, "the metric was measured"
    assert other is not None, "the metric was measured"
    return int(np.count_nonzero(said != other)) if metric.needs == "label" else int(not _equal(said, other))


def _asked(metric: Metric, question: Callable[[], Found]) -> Found:
    """Return the answer; whatever a metric raises, its name is in the message."""
    try:
        # What overflows is said below, in words, and not as a warning of numpy's.
        with np.errstate(over="ignore", invalid="ignore"):
            return question()
    except ModelGateError:
        raise
    except Exception as error:
        text = str(error).strip().splitlines()
        raise EvaluationError(
            f"{metric.name} failed with {type(error).__name__}: {text[0][:120] if text else 'no message'}.",
            "Call the metric's value and influence on a few rows to see where it fails.",
        ) from error


def _measured(
    metric: Metric,
    sample: Sample,
    found: Found,
    *,
    identical: bool = False,
    alike: bool = False,
    apart: int | None = None,
    rare: str = "",
) -> Measured:
    for number in (found.candidate, found.reference):
        if math.isfinite(number) and number != 0 and not SMALLEST < abs(number) < 1 / SMALLEST:
            raise UndefinedMetricError(
                f"{metric.name} is {number:.3g} here: squares of such numbers are no numbers any more, and "
                "an interval needs them.",
                "Rescale the target and the predictions.",
            )
    # What crosses 0 is a difference of larger numbers, near 0 too.
    least = 1.0 if metric.crosses_zero else 0.0
    candidate, reference = canonical(found.candidate, least), canonical(found.reference, least)
    scale = max(abs(candidate), abs(reference), least)
    inference = Steady(found.inference, canonical(metric.sign * (candidate - reference), scale), scale)
    numbers = (found.candidate, found.reference, found.inference.gain, inference.standard_error)
    if not all(map(math.isfinite, numbers)):
        raise UndefinedMetricError(
            f"{metric.name} is not a finite number on these {plural(sample.n, 'row')}.",
            "Check how the rows were selected; where this is a slice, raise its min_rows.",
        )
    return Measured(
        n=sample.n,
        candidate=candidate,
        reference=reference,
        inference=inference,
        identical=identical,
        alike=alike,
        caution=(
            found.inference.caution
            or sample.caution
            or rare
            or _class_caution(metric, sample)
            or _spread_caution(metric, inference, sample)
            or _apart_caution(metric, inference, apart)
        ),
        paired=found.paired,
        queries=None if metric.by_query is None else queries_in(sample),
    )


def _spread_caution(metric: Metric, inference: Steady, sample: Sample) -> str:
    """Few rows without any spread say little about the rows that were not drawn, whatever the metric.

    Confusion cells have imaginary rows: without any spread not even those would change the gain.
    """
    units = sample.design.units
    enough = units >= ENOUGH_WITHOUT_SPREAD and metric.family != "cells"
    if enough or inference.standard_error > 0:
        return ""
    if _width(inference) > 0:  # score and exact intervals have a width without any spread, too
        return ""
    what = "row" if sample.design.groups is None else "group"
    if units == 1:
        return f"one {what} shows no spread"
    return f"{units} {what}s that all say the same show no spread"


def _width(inference: Steady) -> float:
    low, high = inference.inner.bounds(READ_AT)
    return canonical(high - low, inference.scale)


def _apart_caution(metric: Metric, inference: Steady, apart: int | None) -> str:
    """Few rows on which labels differ, all in favour of one model, leave an interval of cells no width.

    Where the models are equally good, one of them wins all of k such rows once in 2**k times. An F of 1
    against 0 on two rows is such a case, for the score interval knows no other F than the one it sees.
    """
    if not apart or apart >= ENOUGH_APART:
        return ""
    if _width(inference) > 0:
        return ""
    rows = "1 row tells the models apart," if apart == 1 else f"{apart} rows tell the models apart,"
    return f"{rows} all in one way: too few for an interval of {metric.name}, {ENOUGH_APART} are needed"


def _class_caution(metric: Metric, sample: Sample) -> str:
    """Return why the rarest class has too few rows for what depends on it."""
    classes = sample.truth.classes or ()
    least = 0
    if metric.family == "ranking":
        least = MINIMUM_RANKED
    elif metric.family == "mean" and len(classes) == 2:  # losses of many classes seldom rest on one
        least = MINIMUM_LOST
    return sample.few_of_class(metric.name, least)


def equal_everywhere(sample: Sample, candidate: Predicted, reference: Predicted) -> bool:
    """Whether two models gave the same numbers on so many rows that they are one, as far as rows can tell."""
    forms = [
        (candidate.probability, reference.probability),
        (candidate.score, reference.score),
        (candidate.value, reference.value),
    ]
    given = [(one, other) for one, other in forms if one is not None and other is not None]
    return (
        sample.design.units >= ENOUGH_WITHOUT_SPREAD
        and bool(given)
        and all(_equal(one, other) for one, other in given)
    )


def _equal(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    """Whether two arrays are the same: the first block of most tells that they are not."""
    if one.shape != other.shape:
        return False
    return all(np.array_equal(one[rows], other[rows]) for rows in blocks(len(one)))


def _one(sample: Sample, candidate: Predicted, reference: Predicted) -> bool:
    """Whether two models of which the metric reads the same are one, as far as these rows can tell.

    Equal numbers on every row say so where there are enough rows, equal labels do not: a candidate that
    mislabels 2 % of all rows and else does what production does mislabels none of 50 rows in 36 of 100
    samples. Where a model gave nothing but labels the interval decides, which has a width without any
    disagreement, too.
    """
    return candidate is reference or equal_everywhere(sample, candidate, reference)
