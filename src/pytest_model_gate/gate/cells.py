"""Confusion cells of two models on the same rows: counted once, so that inference costs O(cells)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..metrics.metric import Metric
from ..metrics.rows import Floats, Ints, Truth

#: Up to so many cells are counted in a dense table; more are sorted.
_DENSE = 1 << 20

#: An imaginary row of its own is what moves a metric so many times as far as its class's usual mistake.
FURTHER = 1.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Joint:
    """How the rows fall into cells (true class, candidate's class, reference's class); empty cells left out.

    Parameters
    ----------
    true, candidate, reference : ndarray of int, shape (cells,)
        Class codes.
    rows : ndarray, shape (cells,)
        Rows in each cell.
    """

    true: Ints
    candidate: Ints
    reference: Ints
    rows: Floats


def joint_cells(true: npt.NDArray[Any], candidate: Ints, reference: Ints, k: int) -> Joint:
    """Count the cells of two models' labels."""
    code = np.multiply(true, k, dtype=np.intp)
    code += candidate
    code *= k
    code += reference
    if k**3 <= _DENSE:
        rows = np.bincount(code, minlength=k**3)
        found = np.flatnonzero(rows)
        rows = rows[found]
    else:
        found, rows = np.unique(code, return_counts=True)
    pair, of_reference = np.divmod(found, k)
    of_truth, of_candidate = np.divmod(pair, k)
    return Joint(true=of_truth, candidate=of_candidate, reference=of_reference, rows=rows.astype(np.float64))


def label_mass(true: npt.NDArray[Any], labels: Ints, mass: Floats | None, k: int) -> Floats:
    """Return the rows (or weight) of each cell (true class, predicted class), shape (k, k)."""
    flat = np.bincount(np.multiply(true, k, dtype=np.intp) + labels, weights=mass, minlength=k * k)
    return flat.astype(np.float64, copy=False).reshape(k, k)


def imaginary_rows(mass: Floats) -> tuple[Ints, Ints]:
    """Return each class that was drawn, and the wrong label that the model would most likely give it.

    That is the class's commonest wrong label, else the model's commonest other label, else the commonest
    other class.
    """
    present = np.flatnonzero(mass.sum(axis=1))
    if len(mass) == 2:
        return present, 1 - present
    wrong = np.zeros(len(present), dtype=np.intp)
    undecided = np.ones(len(present), dtype=np.bool_)
    for preference in (mass[present], mass.sum(axis=0), mass.sum(axis=1), np.ones(len(mass))):
        others = np.empty((len(present), len(mass)))
        others[...] = preference
        others[np.arange(len(present)), present] = 0.0
        decides = undecided & (others.max(axis=1) > 0)
        wrong[decides] = others.argmax(axis=1)[decides]
        undecided &= ~decides
    return present, wrong


def further_rows(influence: Floats, present: Ints, wrong: Ints, mass: Floats) -> tuple[Ints, Ints]:
    """Return rows that are taken for another class, and move the metric further than the wrong rows above.

    The commonest mistake of a common class hardly moves an average over classes; one row of it that is taken
    for a rare class does.
    """
    taken_for, true = imaginary_rows(mass.T)
    drawn = mass.sum(axis=1) > 0
    moves = np.zeros(len(mass))
    moves[present] = np.abs(influence[present, wrong] - influence[present, present])
    more = drawn[true] & (np.abs(influence[true, taken_for] - influence[true, true]) > FURTHER * moves[true])
    return true[more], taken_for[more]


@dataclass(frozen=True, slots=True)
class OfCells:
    """The influence of a row in each cell, and the cells of the imaginary rows.

    Parameters
    ----------
    influence : ndarray, shape (K, K)
        By true and predicted class.
    present : ndarray of int
        Classes that were drawn.
    true, named : ndarray of int
        True and predicted class of each imaginary wrong row.
    """

    influence: Floats
    present: Ints
    true: Ints
    named: Ints


def of_cells(metric: Metric, mass: Floats) -> OfCells:
    """Ask a metric of confusion cells for the influence of every kind of row."""
    assert metric.cell_influence is not None, "chosen for metrics that have it"
    influence = metric.cell_influence(mass)
    present, wrong = imaginary_rows(mass)
    true, named = present, wrong
    if len(mass) > 2:  # of two classes each has one wrong label only
        more = further_rows(influence, present, wrong, mass)
        true, named = (np.concatenate(pair) for pair in zip((present, wrong), more, strict=True))
    return OfCells(influence, present, true, named)


def imaginary_pair(first: OfCells, second: OfCells, weight: float) -> Floats:
    """Return the influence of rows on which only one model is right, two or more per class."""
    of_first, of_second = first.influence, weight * second.influence
    only_second = of_first[first.true, first.named] - of_second[first.true, first.true]
    only_first = of_first[second.true, second.true] - of_second[second.true, second.named]
    return np.concatenate((only_second, only_first))


def imaginary_one(found: OfCells) -> Floats:
    """Return the influence of a right row of each class, and of wrong ones."""
    right = found.influence[found.present, found.present]
    return np.concatenate((right, found.influence[found.true, found.named]))


def counts_cells(metric: Metric, truth: Truth) -> bool:
    """Whether a metric sees nothing but the confusion matrix."""
    return metric.family == "cells" and metric.cell_influence is not None and truth.classes is not None
