"""Metrics of how scores rank two classes: ROC-AUC, Gini and average precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from ..errors import UndefinedMetricError
from .checked import checked, label, none_of, undefined
from .levels import Floats, Ints, Levels, Mass, at_or_above, middle
from .metric import Family, Metric, OfParts
from .ranks_by_part import auc_of_parts, average_precision_of_parts
from .rows import Mask, Predicted, Truth


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranks:
    """How two classes share the levels of a score.

    Parameters
    ----------
    levels : Levels
        Of the score, over all rows.
    positive, negative : ndarray, shape (levels,)
        Mass of each class on each level, lowest score first.
    """

    levels: Levels
    positive: Mass
    negative: Mass

    @classmethod
    def of(cls, levels: Levels, truth: Truth, positives: Ints) -> Ranks:
        """Count (or weigh) the rows of both classes on each level."""
        positive = levels.mass(truth.weight, positives)
        # Rows counted minus rows counted is exact; a difference of weights need not be 0 where it should.
        negatives = None if truth.weight is None else complement(positives, truth.n)
        negative = levels.mass(None) - positive if negatives is None else levels.mass(truth.weight, negatives)
        return cls(levels=levels, positive=positive, negative=negative)

    @cached_property
    def area(self) -> float:
        """The chance that a positive outranks a negative, ties counting half."""
        beaten = middle(self.negative)
        beaten *= self.positive
        return float(np.sum(beaten) / (np.sum(self.positive) * np.sum(self.negative)))


def complement(rows: Ints, n: int) -> Ints:
    """Return all other rows."""
    other = np.ones(n, dtype=np.bool_)
    other[rows] = False
    return np.flatnonzero(other)


# Below, buffers are used again wherever they can be: with a million levels a new one is 8 MB, and touching
# fresh memory costs several times the arithmetic.


def auc(ranks: Ranks) -> float:
    """Return the chance that a positive outranks a negative, ties counting half."""
    return ranks.area


def auc_influence(ranks: Ranks, positives: Ints) -> Floats:
    """Return the influence of each row on the AUC, before its own weight.

    A positive row: (share of the negatives that it beats - AUC) / share of positives; a negative row in
    the same way, with the positives that it loses to.
    """
    pos, neg = np.sum(ranks.positive), np.sum(ranks.negative)
    n, value = pos + neg, auc(ranks)
    buffer = middle(ranks.positive)
    buffer *= -n / (pos * neg)
    buffer += (1 - value) * n / neg
    psi = ranks.levels.spread(buffer)
    middle(ranks.negative, out=buffer)
    buffer *= n / (pos * neg)
    buffer -= value * n / pos
    psi[positives] = buffer[ranks.levels.level[positives]]
    return psi


def average_precision_of(ranks: Ranks) -> float:
    """Return the mean precision over the positives, each with its own score as the threshold."""
    above = at_or_above(ranks.positive)
    every = ranks.positive + ranks.negative
    above /= at_or_above(every, out=every)
    above *= ranks.positive
    return float(np.sum(above) / np.sum(ranks.positive))


def average_precision_influence(ranks: Ranks, positives: Ints) -> Floats:
    """Return the influence of each row on the average precision, before its own weight.

    With A the rows at or above a level, t its positives and p its precision: a row adds to A on every level
    at or below its own, which costs sum(t p / A); a positive row moreover adds to the hits there, which
    brings sum(t / A), and counts its own precision.
    """
    pos = np.sum(ranks.positive)
    n = pos + np.sum(ranks.negative)
    precision = at_or_above(ranks.positive)
    every = ranks.positive + ranks.negative
    precision /= at_or_above(every, out=every)
    gain: Floats = ranks.positive / every
    del every
    buffer = ranks.positive * precision
    value = np.sum(buffer) / pos
    np.multiply(gain, precision, out=buffer)
    np.cumsum(gain, out=gain)
    gain += precision
    del precision
    gain -= value
    gain *= n / pos
    np.cumsum(buffer, out=buffer)
    buffer *= -n / pos
    psi = ranks.levels.spread(buffer)
    psi[positives] += gain[ranks.levels.level[positives]]
    return psi


def own_hits(ranks: Ranks, positives: Ints) -> float:
    """Return by how much an average precision flatters, on average: every positive is a hit of its own.

    The precision at a positive counts the positive itself, which the true precision at its score does not
    know. Without it the others are as good as they are anywhere at that score. A positive alone on top has
    nobody above to judge it by, and is taken for as good as the next one.
    """
    hits, every = at_or_above(ranks.positive), at_or_above(ranks.positive + ranks.negative)
    at = np.flatnonzero(ranks.positive)
    mass = ranks.positive[at]
    own = mass / ranks.levels.mass(None, positives)[at]
    others = every[at] - own
    with np.errstate(divide="ignore", invalid="ignore"):
        without = np.where(others > 0, (hits[at] - own) / others, np.nan)
    if np.isnan(without[-1]):
        without[-1] = without[-2] if len(at) > 1 else 0.0
    return float(np.sum(mass * (hits[at] / every[at] - without)) / np.sum(mass))


# Below, resamples of the rows are rows of a matrix of weights: the scores are sorted once for all of them.


def auc_of_weights(sorted_: Sorted, weights: Floats) -> Floats:
    """Return the AUC under each row of weights; NaN where a class has none."""
    positive, negative = sorted_.masses(weights)
    beaten = np.cumsum(negative, axis=1)
    beaten -= negative / 2
    beaten *= positive
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(beaten.sum(axis=1) / positive.sum(axis=1) / negative.sum(axis=1))


def average_precision_of_weights(sorted_: Sorted, weights: Floats) -> Floats:
    """Return the average precision under each row of weights; NaN where there are no positives."""
    positive, negative = sorted_.masses(weights)
    negative += positive
    above, every = (np.cumsum(mass[:, ::-1], axis=1)[:, ::-1] for mass in (positive, negative))
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(every > 0, above / every, 0.0)
        return np.asarray((precision * positive).sum(axis=1) / above[:, 0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Sorted:
    """Rows in the order of their scores, for many sets of weights.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
        The row with the lowest score first.
    first : ndarray of int, shape (levels,), or None
        Where each level begins; ``None`` where no scores are equal.
    positive : ndarray of bool, shape (n,)
        Which rows are positive, in that order.
    """

    order: Ints
    first: Ints | None
    positive: Mask

    @classmethod
    def of(cls, truth: Truth, predicted: Predicted) -> Sorted:
        """Sort the rows of one model once."""
        levels = predicted.levels
        assert levels is not None, "checked before"
        order = np.argsort(levels.level, kind="stable")
        sizes = levels.mass(None)
        first = None if levels.count == truth.n else np.cumsum(sizes).astype(np.intp) - sizes.astype(np.intp)
        return cls(order=order, first=first, positive=(truth.values == 1)[order])

    def masses(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return the mass of the positives and of the negatives on each level, shape (b, levels)."""
        ordered = weights[:, self.order]
        positive = ordered * self.positive
        ordered -= positive
        if self.first is None:
            return positive, ordered
        return np.add.reduceat(positive, self.first, axis=1), np.add.reduceat(ordered, self.first, axis=1)


def roc_auc() -> Metric:
    """Return the area under the ROC curve of two classes."""
    return _two_class(
        "roc_auc",
        require_both("roc_auc"),
        auc,
        auc_influence,
        "auc",
        "roc_auc_ovr or roc_auc_ovo",
        of_weights=auc_of_weights,
        of_parts=auc_of_parts,
    )


def gini() -> Metric:
    """Return 2 AUC - 1: 0 for chance, 1 for a perfect ranking, -1 for a reversed one."""

    def twice(ranks: Ranks, positives: Ints) -> Floats:
        psi = auc_influence(ranks, positives)
        psi *= 2
        return psi

    def value(ranks: Ranks) -> float:
        return 2 * auc(ranks) - 1

    return _two_class(
        "gini", require_both("gini"), value, twice, "auc", "roc_auc_ovr or roc_auc_ovo", low=-1.0
    )


def average_precision() -> Metric:
    """Return the step-wise average precision of the positive class, as scikit-learn computes it."""

    def require(truth: Truth) -> None:
        if not len(truth.positives):
            raise _without("average_precision", "positives", truth, 1)

    return _two_class(
        "average_precision",
        require,
        average_precision_of,
        average_precision_influence,
        "ranking",
        "average_precision_macro",
        of_weights=average_precision_of_weights,
        of_parts=average_precision_of_parts,
        flattery=own_hits,
    )


def require_both(name: str) -> Callable[[Truth], None]:
    """Return the condition that both classes have rows, for the metric of this name."""

    def require(truth: Truth) -> None:
        absent = 1 if not len(truth.positives) else 0
        if len(truth.positives) in (0, truth.n):
            raise _without(name, "both classes", truth, absent)

    return require


def _without(name: str, needs: str, truth: Truth, code: int) -> UndefinedMetricError:
    return undefined(name, needs, none_of(truth.n, f"class {label(truth.classes, code)}"))


def _two_class(
    name: str,
    require: Callable[[Truth], None],
    value: Callable[[Ranks], float],
    influence: Callable[[Ranks, Ints], Floats],
    family: Family,
    instead: str,
    low: float = 0.0,
    of_weights: Callable[[Sorted, Floats], Floats] | None = None,
    flattery: Callable[[Ranks, Ints], float] | None = None,
    of_parts: Callable[[Truth, Predicted], OfParts] | None = None,
) -> Metric:
    def of_rows(truth: Truth, predicted: Predicted) -> float:
        require(truth)
        return value(predicted.shared(two_class_ranks, truth))

    def per_row(truth: Truth, predicted: Predicted) -> Floats:
        require(truth)
        return truth.weigh(influence(predicted.shared(two_class_ranks, truth), truth.positives))

    def resampler(truth: Truth, predicted: Predicted) -> Callable[[Floats], Floats]:
        assert of_weights is not None, "only then it is a resampler"
        return partial(of_weights, Sorted.of(truth, predicted))

    def flatters(truth: Truth, predicted: Predicted) -> float:
        assert flattery is not None, "only then it is asked"
        return flattery(predicted.shared(two_class_ranks, truth), truth.positives)

    metric = Metric(
        name=name,
        task="classification",
        needs="score",
        higher_is_better=True,
        value=of_rows,
        influence=per_row,
        family=family,
        resampler=resampler if of_weights else None,
        flattery=flatters if flattery else None,
        of_parts=of_parts,
        binary_only=True,
        bounds=(low, 1.0),
    )
    return checked(metric, instead=instead)


def two_class_ranks(truth: Truth, predicted: Predicted) -> Ranks:
    """Return how the two classes share the levels of the score; work that metrics share."""
    levels = predicted.levels
    assert levels is not None, "checked before"
    return Ranks.of(levels, truth, truth.positives)
