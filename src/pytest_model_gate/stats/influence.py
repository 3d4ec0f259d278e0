"""Influence values in, interval out: the method for everything smooth, under every sampling design."""

from __future__ import annotations

import math

import numpy as np

from .design import Codes, Design, Floats
from .student import Student
from .variance import variance_of_mean


def from_influence(
    gain: float,
    influence: Floats,
    design: Design,
    *,
    pseudo: float = 0.0,
    df: int | None = None,
    kinds: Codes | None = None,
    method: str = "influence",
) -> Student:
    """Return the inference on an estimate from its influence, one number per row.

    Groups that differ in size, or of which only a few have what the estimate is about, say less than as many
    equal ones: the degrees of freedom are those of the effective number of groups.

    Parameters
    ----------
    gain : float
        The estimate.
    influence : ndarray, shape (n,)
        Mean zero; weights included.
    design : Design
        How the rows were drawn.
    pseudo : float
        Added to the sum of squares, in the variance only: half the squared influence of rows that might
        have been drawn, but were not (the half-pseudo-row rule of confusion-matrix metrics).
    df : int, optional
        Degrees of freedom, where fewer rows than all carry the variance.
    kinds : ndarray of int codes, shape (n,), optional
        What kind of row each is (its class), where kinds move the estimate differently.
    method : str
        Name of the method.
    """
    spread = variance_of_mean(influence, design)
    n = len(influence)
    variance = spread.variance
    if pseudo:
        variance += pseudo * _design_effect(influence, design, spread.variance) ** 2 / n / (n - 1)
    known: float = spread.df
    if design.groups is not None:
        lost = int(design.groups.max()) + 1 - spread.df
        known = max(1.0, min(known, effective_groups(influence, design.groups, kinds) - lost))
    return Student(
        gain=gain,
        standard_error=math.sqrt(variance),
        df=known if df is None else min(df, known),
        method=method,
        caution=spread.caution,
    )


def effective_groups(influence: Floats, groups: Codes, kinds: Codes | None = None) -> float:
    """Return how many equal groups would say as much: Kish's formula on what each group brings.

    A group brings the typical squared influence of its rows, which is the mean over all rows of their kind:
    so no single outlier makes its group count for all.
    """
    size: Floats
    if kinds is None:
        size = np.bincount(groups).astype(np.float64)
    else:
        rows = np.maximum(np.bincount(kinds), 1)
        typical = np.bincount(kinds, weights=influence * influence) / rows
        size = np.bincount(groups, weights=typical[kinds]).astype(np.float64, copy=False)
    total = float(size.sum())
    return total * total / float((size * size).sum()) if total > 0 else float(len(size))


def _design_effect(influence: Floats, design: Design, variance: float) -> float:
    """Return how many rows of groups say as much as one independent row, at least 1.

    Rows that were not drawn count as rows among as many independent ones: data where every row is there
    twice, grouped by what it is a copy of, must say what the single rows say.
    """
    if design.groups is None:
        return 1.0
    plain = variance_of_mean(influence, Design(n=design.n)).variance
    return max(1.0, variance / plain) if plain > 0 else 1.0
