"""How far two classes are apart at the best threshold: the Kolmogorov-Smirnov statistic of their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..spec import Tolerance
from .agreement import informedness
from .checked import checked
from .levels import Floats, Ints, Mass, at_or_above
from .metric import Metric
from .ranking import Ranks, require_both, two_class_ranks
from .rows import Mask, Predicted, Truth

#: What random halvings are drawn from.
SEED = 0

#: From so many rows on a halving adds so little noise that fewer will do.
_MANY = 5_000


def halvings(n: int) -> int:
    """Return over how many random halvings of n rows a cross-fitted value is averaged."""
    return 4 if n < _MANY else 2


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where the curves are furthest apart: from which level on a row is taken for positive.

    ``sign`` is -1 where the model ranks the wrong way round, so that what is below is taken for positive.
    """

    level: int
    sign: int
    distance: float


def ks_statistic() -> Metric:
    """Return the largest distance between the two classes' distribution functions of the score.

    That is the largest |true positive rate - false positive rate| of all thresholds, as in scipy's
    ``ks_2samp``. With the threshold fixed it is a function of the confusion matrix, which its influence is
    that of. But the rows have chosen the threshold, so that it flatters the model: see ``Metric.apart``.
    """
    name = "ks_statistic"
    at_threshold = informedness(name)
    require = require_both(name)

    def value(truth: Truth, predicted: Predicted) -> float:
        require(truth)
        return predicted.shared(_best, truth).distance

    def labelled(truth: Truth, predicted: Predicted) -> tuple[Metric, Predicted]:
        require(truth)
        return at_threshold, Predicted(labels=_labels(predicted, predicted.shared(_best, truth)))

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        return at_threshold.influence(truth, labelled(truth, predicted)[1])

    return checked(
        Metric(
            name=name,
            task="classification",
            needs="score",
            higher_is_better=True,
            value=value,
            influence=influence,
            family="maximum",
            labelled_at_best=labelled,
            apart=_apart,
            # One point of a curve is noisier than the area below it: 10,000 rows tell 0.015.
            usual=Tolerance(0.02),
            binary_only=True,
            bounds=(0.0, 1.0),
        ),
        instead="roc_auc_ovr or cohen_kappa",
    )


def _best(truth: Truth, predicted: Predicted) -> Threshold:
    ranks = predicted.shared(two_class_ranks, truth)
    return _furthest(ranks.positive, ranks.negative)


def _furthest(positive: Mass, negative: Mass) -> Threshold:
    gap = _gap(positive, negative)
    level = _largest(gap)
    return Threshold(level, -1 if gap[level] < 0 else 1, abs(float(gap[level])))


def _gap(positive: Mass, negative: Mass) -> Floats:
    """Return the rate of positives less that of negatives at or above each level."""
    gap = at_or_above(positive)
    gap /= gap[0]
    other = at_or_above(negative)
    other /= other[0]
    gap -= other
    return gap


def _labels(predicted: Predicted, best: Threshold) -> Ints:
    levels = predicted.levels
    assert levels is not None, "checked before"
    above = levels.level >= best.level if best.sign > 0 else levels.level < best.level
    return above.astype(np.intp)


def _apart(truth: Truth, predicted: Predicted, halves: Sequence[Mask] | None) -> float:
    """Return the distance at thresholds that other rows have chosen: half of the rows, for the other half.

    Parameters
    ----------
    truth, predicted
        The rows.
    halves : sequence of ndarray of bool, or None
        One half of the rows each. ``None``: rows are exchangeable, so that it is enough to say how many of
        each level and class are in a half; these numbers are drawn in the order of the levels, whatever the
        order of the rows.
    """
    ranks = predicted.shared(two_class_ranks, truth)
    found = []
    if halves is None:
        rng = np.random.default_rng(SEED)
        for _ in range(halvings(truth.n)):
            found.append(_crossed(ranks, _half(rng, ranks.positive), _half(rng, ranks.negative)))
    else:
        for half in halves:
            positive = truth.values == 1
            one, other = (np.flatnonzero(half & of_class) for of_class in (positive, ~positive))
            mass = ranks.levels.mass
            found.append(_crossed(ranks, mass(truth.weight, one), mass(truth.weight, other)))
    return float(np.mean(found))


def _half(rng: np.random.Generator, mass: Mass) -> Mass:
    """Return how many of the rows of each level fall into one half."""
    if mass.max() <= 1:  # without ties a coin for each level is enough, and much faster
        coins = np.unpackbits(np.frombuffer(rng.bytes(len(mass) // 8 + 1), dtype=np.uint8), count=len(mass))
        return mass * coins
    return rng.binomial(mass.astype(np.int64), 0.5).astype(np.float64)


def _crossed(ranks: Ranks, positive: Mass, negative: Mass) -> float:
    """Measure each half at the threshold of the other; the masses are those of one half."""
    whole, one = (_sums(masses) for masses in ((ranks.positive, ranks.negative), (positive, negative)))
    other = whole[0] - one[0], whole[1] - one[1]
    if min(*one, *other) <= 0:
        return 0.0
    # Both curves in one pass each: what a level adds to the rate of positives less that of negatives.
    first: Floats = positive / one[0]
    first -= negative / one[1]
    second: Floats = (ranks.positive - positive) / other[0]
    second -= (ranks.negative - negative) / other[1]
    for curve in (first, second):
        np.cumsum(curve[::-1], out=curve[::-1])
    chosen = [_largest(curve) for curve in (first, second)]
    signs = [np.sign(curve[place]) for curve, place in zip((first, second), chosen, strict=True)]
    return float(signs[0] * second[chosen[0]] + signs[1] * first[chosen[1]]) / 2


def _sums(masses: tuple[Mass, Mass]) -> tuple[float, float]:
    return float(np.sum(masses[0])), float(np.sum(masses[1]))


def _largest(curve: Floats) -> int:
    """Return where a curve is furthest from 0."""
    high, low = int(curve.argmax()), int(curve.argmin())
    return high if curve[high] >= -curve[low] else low
