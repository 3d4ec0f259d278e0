"""The level at which each of several candidates is judged, so that all of them together keep one level.

Candidates that are judged against one production model on one holdout err together: where the sample
flatters one of them, it flatters those that resemble it. With the correlations of their statistics the
chance that any of them passes wrongly is that of a maximum of correlated normal numbers, and each may be
judged at a larger level than the share that Bonferroni's method gives it.

The correlations are replaced by smaller ones of one common factor, ``r_ij >= l_i * l_j``. By Slepian's
inequality the maximum is then larger, so the level that is found is never too large; and its distribution
is one integral, without a random number.
"""

from __future__ import annotations

import math

import numpy as np

from .design import Floats
from .inference import normal_quantile

#: Points of the integral over the common factor, and how far it reaches.
_POINTS, _REACH = 401, 8.5

#: Larger loadings than this make the integrand a step; a smaller one is on the safe side.
_LARGEST = 0.99


def loadings(correlation: Floats) -> tuple[tuple[float, ...], int]:
    """Return loadings of a common factor, ascending, and how many candidates have none.

    Rounded down to two decimals: nothing that is printed may depend on the last digits of a correlation.

    Parameters
    ----------
    correlation : ndarray, shape (m, m)
        Of the candidates' statistics; where there are several for each, the smallest of two candidates.
        NaN where it is not known.
    """
    matrix = np.array(correlation, dtype=np.float64)
    np.fill_diagonal(matrix, 1.0)
    inside = list(range(len(matrix)))
    while len(inside) > 1:
        part = np.nan_to_num(matrix[np.ix_(inside, inside)], nan=-1.0)
        if (part >= 0).all():
            break
        # Without the one that agrees least with the others; Bonferroni's method holds for it in any case.
        inside.pop(int(np.argmin(part.sum(axis=0))))
    if len(inside) < 2:
        return (), len(matrix)
    part = matrix[np.ix_(inside, inside)].copy()
    np.fill_diagonal(part, np.inf)
    # sqrt(s_i * s_j) <= max(s_i, s_j) <= r_ij, where s is the smallest correlation of each.
    found = np.minimum(np.floor(np.sqrt(part.min(axis=0)) * 100 + 1e-9) / 100, _LARGEST)
    return tuple(sorted(float(each) for each in found)), len(matrix) - len(inside)


def any_passes(level: float, factor: tuple[float, ...], apart: int = 0) -> float:
    """Return a bound of the chance that any of several candidates passes wrongly.

    Parameters
    ----------
    level : float
        One-sided, at which each is judged.
    factor : tuple of float
        Loadings of a common factor.
    apart : int
        Candidates of which nothing is known: each adds its level.

    Examples
    --------
    >>> round(any_passes(0.05, (0.0, 0.0)), 6), round(any_passes(0.05, (), 3), 6)
    (0.0975, 0.15)
    """
    from scipy.special import log_ndtr

    if not factor:
        return min(1.0, apart * level)
    cut = normal_quantile(level)
    z = np.linspace(-_REACH, _REACH, _POINTS)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    each, count = np.unique(np.asarray(factor), return_counts=True)
    inner = (cut - np.outer(each, z)) / np.sqrt(1 - each * each)[:, None]
    none = np.exp((count[:, None] * log_ndtr(inner)).sum(axis=0))
    # What is added up is small itself: so it keeps its digits.
    joint = float(((1 - none) * density).sum() * (z[1] - z[0]))
    return min(1.0, joint + apart * level)


def simultaneous_level(correlation: Floats, alpha: float) -> float:
    """Return the one-sided level at which each candidate is judged, so that all together keep ``alpha``.

    Never below ``alpha / m``, Bonferroni's share, and never above ``alpha``.

    Parameters
    ----------
    correlation : ndarray, shape (m, m)
        As in :func:`loadings`.
    alpha : float
        What the chance that any of the candidates passes wrongly may be.

    Examples
    --------
    >>> simultaneous_level(np.full((2, 2), np.nan), 0.05)
    0.025
    >>> round(simultaneous_level(np.full((5, 5), 0.64), 0.05), 4)
    0.0147
    """
    factor, apart = loadings(correlation)
    low, high = alpha / len(correlation), alpha
    if any_passes(low, factor, apart) >= alpha or not factor:
        return low
    for _ in range(40):
        middle = (low + high) / 2
        if any_passes(middle, factor, apart) <= alpha:
            low = middle
        else:
            high = middle
    # Three digits are enough for a level, and as many are printed.
    unit = 10.0 ** (math.floor(math.log10(low)) - 2)
    return max(alpha / len(correlation), float(f"{math.floor(low / unit + 1e-9) * unit:.3g}"))
