"""The confusion matrix, counted once per model, and how a function of it becomes a ``Metric``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InvalidError
from .checked import checked, count
from .levels import Floats
from .metric import Family, Metric, OfParts
from .rows import Mask, Predicted, Truth

#: Numbers of cells, in the smallest type that holds them all.
Cell = npt.NDArray[np.signedinteger[Any]]

#: Rows per partial sum of weights: ``bincount`` adds one by one, so its rounding error grows with the rows.
_BLOCK = 8192


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """A confusion matrix, and what a message needs to speak of its rows and classes.

    Parameters
    ----------
    matrix : ndarray, shape (K, K), or (parts, K, K) for several parts of the rows at once
        Number (or weight) of rows; true classes down, predicted classes across.
    n : int or None
        Rows, where they are known.
    classes : tuple or None
        Labels in code order, where they are known.
    """

    matrix: Floats
    n: int | None = None
    classes: tuple[Any, ...] | None = None

    @cached_property
    def true(self) -> Floats:
        """Mass of each class in the truth."""
        mass: Floats = self.matrix.sum(axis=-1)
        return mass

    @cached_property
    def predicted(self) -> Floats:
        """Mass of each class in the predictions."""
        mass: Floats = self.matrix.sum(axis=-2)
        return mass

    @cached_property
    def right(self) -> Floats:
        """Mass of each class that is predicted rightly."""
        return self.matrix.diagonal(axis1=-2, axis2=-1)

    @cached_property
    def total(self) -> float:
        """Mass of all rows."""
        return float(self.matrix.sum())

    @property
    def rows(self) -> str:
        """Words for the rows."""
        return "these rows" if self.n is None else f"these {count(self.n)}"

    def shares(self) -> Cells:
        """Return the same with a total of 1."""
        return Cells(matrix=self.matrix / self.total, n=self.n, classes=self.classes)


def cell_metric(
    *,
    name: str,
    value: Callable[[Cells], float],
    influence: Callable[[Cells], Floats],
    family: Family = "cells",
    hits: Callable[[Truth, Predicted], tuple[Mask, Mask]] | None = None,
    crosses_zero: bool = False,
    ordered_classes: bool = False,
    instead: str = "",
    values: Callable[[Cells], Floats] | None = None,
) -> Metric:
    """Return the metric that sees nothing but the confusion matrix.

    Parameters
    ----------
    value : callable
        ``value(cells) -> float``, on any scale; raises ``UndefinedMetricError``.
    influence : callable
        ``influence(shares) -> ndarray of shape (K, K)``: the derivative of the value by the share of each
        cell. The value does not change with the scale, so the mean of these numbers over the rows is zero
        without further centring. Only asked where the value exists.
    instead : str
        What to use with more than two classes; empty for a metric that allows them.
    values : callable, optional
        ``values(cells) -> ndarray of shape (parts,)``, NaN where there is no value. Then ``influence`` is
        asked of several parts at once, too.
    """

    def seen(truth: Truth, predicted: Predicted) -> Cells:
        return Cells(matrix=predicted.shared(_matrix, truth), n=truth.n, classes=truth.classes)

    def table(cells: Cells) -> Floats:
        value(cells)
        return influence(cells.shares())

    def per_row(truth: Truth, predicted: Predicted) -> Floats:
        by_cell = table(seen(truth, predicted)).ravel()
        return truth.weigh(by_cell.take(predicted.shared(_cell, truth)))

    def of_parts(confusions: Floats) -> OfParts:
        assert values is not None, "only then it is asked"
        totals = confusions.sum(axis=(-2, -1), keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = values(Cells(matrix=confusions))
            return OfParts(values=found, influence=influence(Cells(matrix=confusions / totals)))

    return checked(
        Metric(
            name=name,
            task="classification",
            needs="label",
            higher_is_better=True,
            value=lambda truth, predicted: value(seen(truth, predicted)),
            influence=per_row,
            family=family,
            hits=hits,
            cell_influence=lambda confusion: table(Cells(matrix=np.asarray(confusion, dtype=np.float64))),
            cells_of_parts=of_parts if values else None,
            crosses_zero=crosses_zero,
            ordered_classes=ordered_classes,
            binary_only=bool(instead),
            bounds=(-1.0, 1.0) if crosses_zero else (0.0, 1.0),
        ),
        instead=instead,
    )


def right_rows(truth: Truth, predicted: Predicted) -> Mask:
    """Return which rows have the right label."""
    assert predicted.labels is not None, "checked before"
    right: Mask = np.equal(predicted.labels, truth.values)
    return right


def _cell(truth: Truth, predicted: Predicted) -> Cell:
    """Return ``true * K + predicted`` of each row."""
    labels, k = predicted.labels, len(truth.classes or ())
    assert labels is not None, "checked before"
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= k:
        raise InvalidError(
            f"The model predicts a label (code {low if low < 0 else high}) that is none of the target's "
            f"{count(k, 'class')}.",
            "Compare the model's classes with the classes of the target.",
        )
    # It is kept: a byte per row where classes are few. The labels were found to be among them.
    cell: Cell = np.multiply(truth.values, k, dtype=np.min_scalar_type(-k * k), casting="same_kind")
    np.add(cell, labels, out=cell, casting="same_kind")
    return cell


def _matrix(truth: Truth, predicted: Predicted) -> Floats:
    """Count the rows of each cell, or add up their weights."""
    cell, k = predicted.shared(_cell, truth), len(truth.classes or ())
    if truth.weight is None:
        flat = np.bincount(cell, minlength=k * k).astype(np.float64)
    else:
        flat = np.zeros(k * k)
        step = max(_BLOCK, k * k)
        for start in range(0, truth.n, step):
            rows = slice(start, start + step)
            flat += np.bincount(cell[rows], weights=truth.weight[rows], minlength=k * k)
    return flat.reshape(k, k)
