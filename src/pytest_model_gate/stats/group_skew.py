"""How skewed an estimate from few groups is: told by its rows, because a few totals don't show it.

Ten totals of a skewed quantity nearly always miss its tail, look harmless, and leave an interval too short
just when the estimate is too good. The rows are many, and show their tail. What rows of a group have in
common is taken to be as skewed as they are; the rest of a total is a mean of many, whose skewness is that of
a row divided by the root of their number. How much rows have in common is told by the few totals, too: it is
taken to be as much as it may well be.
"""

from __future__ import annotations

import math

from .design import Floats
from .powers import sums_of_powers

#: From so many groups on their totals show their own tail.
FEW_GROUPS = 30

#: Hall's correction is about widest here, and takes back what it added where it is told of more.
MOST_SKEW = 0.6

#: So seldom are a few totals as little apart as they are, where rows have as much in common as is assumed.
SELDOM = 0.1


def skew_from_rows(influence: Floats, effect: float, groups: float) -> float:
    """Return the skewness of an estimate from groups.

    Parameters
    ----------
    influence : ndarray, shape (n,)
        Of every row.
    effect : float
        The design effect that the groups show: by how much the rows of a group are more alike than others.
    groups : float
        How many equal groups say as much.
    """
    n = len(influence)
    second, third = (each / n for each in sums_of_powers(influence, float(influence.mean()), (2, 3)))
    if not second > 0 or groups <= 0:
        return 0.0
    of_row = third / second**1.5
    rows = max(1.0, n / groups)
    # The share of what rows have in common in the variance of a total of so many rows.
    common = min(1.0, (1 - least_of(groups) / effect) * rows / (rows - 1)) if rows > 1 else 1.0
    of_group = of_row * (common**1.5 + (1 - common) ** 1.5 / math.sqrt(rows))
    found = of_group / math.sqrt(groups)
    return max(-MOST_SKEW, min(MOST_SKEW, found)) if math.isfinite(found) else 0.0


def least_of(groups: float) -> float:
    """Return which share of a variance between groups a few of them show at least, but for one time in ten.

    Totals of groups are nearly normal, so that it is that of chi-square with a degree of freedom less.

    Examples
    --------
    >>> round(least_of(10), 3), round(least_of(30), 3)
    (0.463, 0.682)
    """
    from scipy.special import chdtri

    df = max(1.0, groups - 1)
    return float(chdtri(df, 1 - SELDOM)) / df
