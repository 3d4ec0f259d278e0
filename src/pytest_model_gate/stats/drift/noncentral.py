"""Bounds of a divergence whose estimate is noncentral chi-squared, and wider where that is too narrow.

In bins, ``sum (p - q)^2 / mean`` over ``1/m + 1/n`` is chi-squared with one degree of freedom less than there
are bins where nothing has moved, and noncentral where something has a little. Farther away the spread is that
of the influence (the delta method); the outer one of the two bounds counts.
"""

from __future__ import annotations

import math

from ..roots import crossing

#: From here on the square root of a noncentral chi-squared is normal to all digits that matter.
_NORMAL = 5_000.0


def noncentral_bounds(statistic: float, df: int, alpha: float) -> tuple[float, float]:
    """Return the one-sided bounds of the noncentrality.

    Parameters
    ----------
    statistic : float
        What was found.
    df : int
        Degrees of freedom.
    alpha : float
        One-sided level.

    Examples
    --------
    >>> low, high = noncentral_bounds(30.0, 9, 0.05)
    >>> round(low, 2), round(high, 2)
    (8.03, 41.55)
    """
    from ..inference import normal_quantile

    z = normal_quantile(alpha)
    if statistic > _NORMAL + 2 * df:
        nc = statistic - df
        spread = math.sqrt((2 * df + 4 * nc) / (4 * statistic))
        root = math.sqrt(statistic)
        return max(0.0, (root - z * spread) ** 2 - df), max(0.0, (root + z * spread) ** 2 - df)
    from scipy.special import chndtr

    def where(level: float) -> float:
        if float(chndtr(statistic, df, 0.0)) <= level:
            return 0.0
        top = statistic + 2 * z * math.sqrt(2 * df + 4 * statistic) + 2 * z * z + 10
        return crossing(lambda nc: level - float(chndtr(statistic, df, nc)), 0.0, top)

    return where(1 - alpha), where(alpha)


def chi2_quantile(df: int, alpha: float) -> float:
    """Return the upper quantile of chi-squared."""
    from scipy.special import chdtri

    return float(chdtri(df, alpha))
