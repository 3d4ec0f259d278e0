"""How well one feature predicts the target by itself, and the least that it does so with confidence.

Levels and bins are scored by the mean target of the same level among the *other* folds, so that a level of
one row, as an identifier has them, says nothing. Folds are dealt in the order of level and target: they do
not depend on the order of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .auc import one_model
from .inference import normal_quantile

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

#: Every row is scored by the other four fifths.
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Strength:
    """How well one feature predicts.

    Parameters
    ----------
    statistic : str
        ``"roc_auc"`` or ``"r2"``.
    value : float
        On these rows.
    low : float
        One-sided lower bound.
    """

    statistic: str
    value: float
    low: float


def out_of_fold(levels: Codes, target: Floats) -> Floats:
    """Return for each row the mean target of its level among the other folds; of all rows where none has it.

    Parameters
    ----------
    levels : ndarray of int
        A number for each value of the feature, in an order that only the values tell.
    target : ndarray of float
        What really happened.
    """
    n = len(levels)
    order = np.lexsort((target, levels))
    fold = np.empty(n, dtype=np.intp)
    fold[order] = np.arange(n) % FOLDS
    size = int(levels.max()) + 1 if n else 0
    cell = levels * FOLDS + fold
    # Sums in the order of the values, so that no digit depends on the order of the rows.
    sums = np.bincount(cell[order], weights=target[order], minlength=size * FOLDS).reshape(size, FOLDS)
    counts = np.bincount(cell, minlength=size * FOLDS).reshape(size, FOLDS)
    others = counts.sum(axis=1, keepdims=True) - counts
    total = float(target[order].mean()) if n else 0.0
    left = sums.sum(axis=1, keepdims=True) - sums
    means = np.where(others > 0, left / np.maximum(others, 1), total)
    found: Floats = means[levels, fold]
    return found


def area(score: Floats, positive: npt.NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve; equal scores count half. Both classes must be there."""
    distinct, place = np.unique(score, return_inverse=True)
    of_positives = np.bincount(place[positive], minlength=len(distinct))
    of_all = np.bincount(place, minlength=len(distinct))
    below = np.cumsum(of_all) - of_all
    m, n = int(of_positives.sum()), int(of_all.sum())
    # The mean rank of the positives, counted in halves so that all of it is whole numbers.
    twice = int((of_positives * (2 * below + of_all + 1)).sum())
    return (twice / 2 - m * (m + 1) / 2) / (m * (n - m))


def separates(
    levels: Codes, positive: npt.NDArray[np.bool_], *, ordered: Floats | None, alpha: float
) -> Strength:
    """Return the area under the ROC curve of one feature for one class against the others.

    Parameters
    ----------
    levels : ndarray of int
        The feature in levels or bins.
    positive : ndarray of bool
        Which rows are of the class.
    ordered : ndarray of float, optional
        The values of a feature that has an order: it ranks the rows without any fit, in either direction.
    alpha : float
        One-sided level of the bound (Newcombe's, which holds near 1).
    """
    best = area(out_of_fold(levels, positive.astype(np.float64)), positive)
    if ordered is not None:
        plain = area(ordered, positive)
        best = max(best, plain, 1 - plain)
    m = int(positive.sum())
    low = one_model(best, m, len(positive) - m, normal_quantile(alpha))[0]
    return Strength("roc_auc", best, low)


def explains(levels: Codes, target: Floats, *, alpha: float) -> Strength:
    """Return the share of the target's variance that one feature explains, of its values or of its ranks.

    The larger of the two: ranks find what is the target on another scale. The bound is that of the
    influence of the rows.

    Parameters
    ----------
    levels : ndarray of int
        The feature in levels or bins.
    target : ndarray of float
        What really happened; not all of it may be equal.
    alpha : float
        One-sided level of the bound.
    """
    distinct, place = np.unique(target, return_inverse=True)
    counts = np.bincount(place, minlength=len(distinct))
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    found = [_share(out_of_fold(levels, values), values, alpha) for values in (target, ranks)]
    return max(found, key=lambda each: each.low)


def _share(predicted: Floats, target: Floats, alpha: float) -> Strength:
    order = np.lexsort((predicted, target))  # sums do not depend on the order of the rows
    predicted, target = predicted[order], target[order]
    errors = (target - predicted) ** 2
    spread = (target - target.mean()) ** 2
    variance = float(spread.mean())
    value = 1 - float(errors.mean()) / variance
    influence = ((1 - value) * spread - errors) / variance
    n = len(target)
    error = float(np.sqrt((influence * influence).sum() / max(1, n - 1) / n))
    return Strength("r2", value, value - normal_quantile(alpha) * error)
