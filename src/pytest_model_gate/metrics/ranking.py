"""Metrics of how scores rank two classes: ROC-AUC and average precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .checked import checked, label, undefined
from .levels import Floats, Ints, Levels, middle
from .metric import Family, Metric
from .rows import Predicted, Truth


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
    positive: Floats
    negative: Floats

    @classmethod
    def of(cls, levels: Levels, truth: Truth, positives: Ints) -> Ranks:
        """Count (or weigh) the rows of both classes on each level."""
        positive = levels.mass(truth.weight, positives)
        # Rows counted minus rows counted is exact; a difference of weights need not be 0 where it should.
        negatives = None if truth.weight is None else complement(positives, truth.n)
        negative = levels.mass(None) - positive if negatives is None else levels.mass(truth.weight, negatives)
        return cls(levels=levels, positive=positive, negative=negative)


def complement(rows: Ints, n: int) -> Ints:
    """Return all other rows."""
    other = np.ones(n, dtype=np.bool_)
    other[rows] = False
    return np.flatnonzero(other)


def auc(ranks: Ranks) -> float:
    """Return the chance that a positive outranks a negative, ties counting half."""
    beaten = np.sum(ranks.positive * middle(ranks.negative))
    return float(beaten / (np.sum(ranks.positive) * np.sum(ranks.negative)))


def auc_influence(ranks: Ranks, positives: Ints, value: float) -> Floats:
    """Return the influence of each row on the AUC, before its own weight.

    A positive row: (share of the negatives that it beats - AUC) / share of positives; a negative row in
    the same way, with the positives that it loses to.
    """
    pos, neg = np.sum(ranks.positive), np.sum(ranks.negative)
    n = pos + neg
    # In place from here on: at a million levels each temporary is 8 MB.
    losing = middle(ranks.positive)
    losing *= -n / (pos * neg)
    losing += (1 - value) * n / neg
    psi = ranks.levels.spread(losing)
    beating = middle(ranks.negative)
    beating *= n / (pos * neg)
    beating -= value * n / pos
    psi[positives] = beating[ranks.levels.level[positives]]
    return psi


def average_precision_of(ranks: Ranks) -> float:
    """Return the mean precision over the positives, at the threshold that just includes each."""
    return float(np.sum(ranks.positive * _precisions(ranks)) / np.sum(ranks.positive))


def _precisions(ranks: Ranks) -> Floats:
    """Return the precision of each level taken as the threshold."""
    above = _at_or_above(ranks.positive)
    above /= _at_or_above(ranks.positive + ranks.negative)
    return above


def _at_or_above(mass: Floats) -> Floats:
    return np.cumsum(mass[::-1])[::-1]


def average_precision_influence(ranks: Ranks, positives: Ints, value: float) -> Floats:
    """Return the influence of each row on the average precision, before its own weight.

    With A the rows at or above a level, t its positives and p its precision: a row adds to A on every level
    at or below its own, which costs sum(t p / A); a positive row moreover adds to the hits there, which
    brings sum(t / A), and counts its own precision.
    """
    pos = np.sum(ranks.positive)
    n = pos + np.sum(ranks.negative)
    precision = _precisions(ranks)
    gained = ranks.positive / _at_or_above(ranks.positive + ranks.negative)
    cost = np.cumsum(gained * precision)
    cost *= -n / pos
    psi = ranks.levels.spread(cost)
    np.cumsum(gained, out=gained)
    gained += precision
    gained -= value
    gained *= n / pos
    psi[positives] += gained[ranks.levels.level[positives]]
    return psi


def ranks(truth: Truth, predicted: Predicted) -> Ranks:
    """Return the ranks of the positive class, worked out once per truth and predictions."""
    return predicted.shared(_ranks, truth)


def _ranks(truth: Truth, predicted: Predicted) -> Ranks:
    levels = predicted.levels
    assert levels is not None, "checked before"
    return Ranks.of(levels, truth, truth.positives)


def require_both(name: str, truth: Truth) -> None:
    """Raise where the truth has rows of one class only."""
    positives = len(truth.positives)
    if positives in (0, truth.n):
        absent = label(truth.classes, 1 if positives == 0 else 0)
        raise undefined(name, "both classes", f"these {truth.n:,} rows have none of class {absent}")


def roc_auc() -> Metric:
    """Return the area under the ROC curve of two classes."""

    def value(truth: Truth, predicted: Predicted) -> float:
        require_both("roc_auc", truth)
        return auc(ranks(truth, predicted))

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        area = value(truth, predicted)
        return truth.weigh(auc_influence(ranks(truth, predicted), truth.positives, area))

    return _two_class("roc_auc", value, influence, "auc", "roc_auc_ovr or roc_auc_ovo")


def average_precision() -> Metric:
    """Return the step-wise average precision of the positive class, as scikit-learn computes it."""

    def value(truth: Truth, predicted: Predicted) -> float:
        if not len(truth.positives):
            found = f"these {truth.n:,} rows have none of class {label(truth.classes, 1)}"
            raise undefined("average_precision", "positives", found)
        return average_precision_of(ranks(truth, predicted))

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        mean = value(truth, predicted)
        return truth.weigh(average_precision_influence(ranks(truth, predicted), truth.positives, mean))

    return _two_class("average_precision", value, influence, "ranking", "average_precision_macro")


def _two_class(
    name: str,
    value: Callable[[Truth, Predicted], float],
    influence: Callable[[Truth, Predicted], Floats],
    family: Family,
    instead: str,
) -> Metric:
    metric = Metric(
        name=name,
        task="classification",
        needs="score",
        higher_is_better=True,
        value=value,
        influence=influence,
        family=family,
        binary_only=True,
        bounds=(0.0, 1.0),
    )
    return checked(metric, instead=instead)
