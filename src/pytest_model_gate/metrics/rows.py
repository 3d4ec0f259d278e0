"""The rows that metrics see: truth and one model's predictions, as plain arrays, encoded once.

Work that several metrics share (the sort of the scores above all) is done here once and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What really happened.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Class codes ``0 … K-1`` (integers) for classification, float64 for regression.
    classes : tuple or None
        The labels in code order; ``None`` for regression. With two classes code 1 is the positive one.
    weight : ndarray, shape (n,), or None
        Positive, with mean 1. ``None``: every row counts the same.
    """

    values: npt.NDArray[Any]
    classes: tuple[Any, ...] | None = None
    weight: Floats | None = None

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.values)

    def subset(self, mask: Mask) -> Truth:
        """Return the rows of ``mask``; weights are brought back to mean 1."""
        weight = None if self.weight is None else self.weight[mask]
        if weight is not None and len(weight):
            weight = weight / weight.mean()
        return Truth(values=self.values[mask], classes=self.classes, weight=weight)


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What one model says about the same rows, in the forms that it could give.

    Parameters
    ----------
    labels : ndarray of int, shape (n,), or None
        Class codes.
    probability : ndarray, shape (n,) or (n, K), or None
        Of the positive class, or of every class in code order.
    score : ndarray, shape (n,), or None
        Of the positive class, any monotone scale. Falls back on ``probability`` for two classes.
    value : ndarray, shape (n,), or None
        A regressor's predictions.
    """

    labels: Ints | None = None
    probability: Floats | None = None
    score: Floats | None = None
    value: Floats | None = None

    @cached_property
    def ranking(self) -> Floats | None:
        """The positive class's score for ranking metrics, or ``None``."""
        if self.score is not None:
            return self.score
        p = self.probability
        if p is None:
            return None
        if p.ndim == 1:
            return p
        return np.ascontiguousarray(p[:, 1]) if p.shape[1] == 2 else None

    def subset(self, mask: Mask) -> Predicted:
        """Return the rows of ``mask``."""
        return Predicted(
            labels=None if self.labels is None else self.labels[mask],
            probability=None if self.probability is None else self.probability[mask],
            score=None if self.score is None else self.score[mask],
            value=None if self.value is None else self.value[mask],
        )
