"""Influence values in, interval out: the method for everything smooth, under every sampling design."""

from __future__ import annotations

import math

from .design import Design, Floats
from .student import Student
from .variance import variance_of_mean


def from_influence(
    gain: float,
    influence: Floats,
    design: Design,
    *,
    pseudo: float = 0.0,
    df: int | None = None,
    method: str = "influence",
) -> Student:
    """Return the inference on an estimate from its influence, one number per row.

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
    method : str
        Name of the method.
    """
    spread = variance_of_mean(influence, design)
    n = len(influence)
    variance = spread.variance
    if pseudo:
        variance += pseudo * _design_effect(influence, design, spread.variance) ** 2 / n / (n - 1)
    return Student(
        gain=gain,
        standard_error=math.sqrt(variance),
        df=spread.df if df is None else min(df, spread.df),
        method=method,
        caution=spread.caution,
    )


def _design_effect(influence: Floats, design: Design, variance: float) -> float:
    """Return how many rows of groups say as much as one independent row, at least 1.

    Rows that were not drawn count as rows among as many independent ones: data where every row is there
    twice, grouped by what it is a copy of, must say what the single rows say.
    """
    if design.groups is None:
        return 1.0
    plain = variance_of_mean(influence, Design(n=design.n)).variance
    return max(1.0, variance / plain) if plain > 0 else 1.0
