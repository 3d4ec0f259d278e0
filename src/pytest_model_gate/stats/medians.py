"""The interval of a median that assumes nothing about how the values are spread."""

from __future__ import annotations

import math
from collections.abc import Sequence


def median_interval(values: Sequence[float], alpha: float) -> tuple[float, float, float]:
    """Return a median and its one-sided bounds, from the ranks of the values alone.

    The number of values below the true median is binomial with one half, whatever else is true of them, so
    two order statistics bound it with an error of at most ``alpha`` each.

    Parameters
    ----------
    values : sequence of float
        Independent draws.
    alpha : float
        One-sided level of each bound.

    Returns
    -------
    tuple of float
        Median, lower and upper bound; infinite bounds where there are too few values.

    Examples
    --------
    >>> median_interval([1, 2, 3, 4, 5, 6, 7, 8], 0.05)
    (4.5, 2, 7)
    >>> median_interval([1, 2, 3], 0.05)
    (2.0, -inf, inf)
    """
    ordered, n = sorted(values), len(values)
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    below, rank = 0.0, 0
    while True:
        below += math.comb(n, rank) / 2**n
        if below > alpha:
            break
        rank += 1
    if not rank:
        return middle, -math.inf, math.inf
    return middle, ordered[rank - 1], ordered[n - rank]
