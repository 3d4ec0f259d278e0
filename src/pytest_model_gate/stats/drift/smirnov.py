"""The largest distance between two distribution functions (Smirnov 1939), with bounds that hold anywhere.

The place of the largest distance is chosen by the data, and so the estimate is too large on average. To
accuse, the whole band of Smirnov's distribution is taken off. To let pass, one place is enough: wherever
the true distance is reached, the estimate is at least the one there, which is a difference of two shares.
"""

from __future__ import annotations

import math

import numpy as np

from ..inference import normal_quantile
from .effect import Effect, too_few
from .pair import Pair

#: Products of the sample sizes up to which the p-value is exact.
EXACT_UP_TO = 10_000


def smirnov_effect(pair: Pair, alpha: float) -> Effect:
    """Return the largest distance between the two distribution functions."""
    m, n = len(pair.x), len(pair.y)
    found = statistic(pair)
    size = 1 / m + 1 / n
    return Effect(
        method="ks",
        effect=found,
        low=max(0.0, found - math.sqrt(-math.log(alpha / 2) / 2 * size)),
        high=min(1.0, found + normal_quantile(alpha) * math.sqrt(size / 4)),
        p=smirnov_p(pair, found),
        raw=found,
        caution=too_few(m, n),
    )


def statistic(pair: Pair) -> float:
    """Return the two-sided statistic."""
    m, n = len(pair.x), len(pair.y)
    below, upto = pair.of_x
    rank = np.arange(m)
    # Of equal values of x the last one counts on the way up, the first on the way down: none is larger.
    up = float(((rank + 1) / m - upto / n).max())
    down = float((below / n - rank / m).max())
    # Integers in between: what is equal stays equal, and 0 is 0.
    return round(max(up, down, 0.0) * m * n) / (m * n)


def smirnov_p(pair: Pair, found: float) -> float:
    """Return the p-value: exact in small samples (ties included), else Kolmogorov's limit.

    With ties the limit is too large, never too small.
    """
    m, n = len(pair.x), len(pair.y)
    if m * n <= EXACT_UP_TO:
        return _exact(pair, found)
    from scipy.special import kolmogorov

    return float(kolmogorov(found * math.sqrt(m * n / (m + n))))


def _exact(pair: Pair, found: float) -> float:
    """Count the orders of the pooled values in which the statistic stays below what was found."""
    m, n = len(pair.x), len(pair.y)
    pooled = np.sort(np.concatenate([pair.x, pair.y]))
    # The functions are compared where a value ends: inside a tie nobody sees them.
    ends = np.concatenate([[True], pooled[1:] != pooled[:-1], [True]])
    i, j = np.arange(m + 1), np.arange(n + 1)
    apart = np.abs(i[:, None] * n - j[None, :] * m) >= round(found * m * n)
    blocked = apart & ends[i[:, None] + j[None, :]]
    # Probabilities and no counts, so that nothing overflows: the chance to be at (i, j) unblocked.
    row = np.zeros(n + 1)
    for a in range(m + 1):
        for b in range(n + 1):
            if a == b == 0:
                row[0] = 1.0
            else:
                total = a + b
                from_x = row[b] * a / total if a else 0.0
                from_y = row[b - 1] * b / total if b else 0.0
                row[b] = from_x + from_y
            if blocked[a, b]:
                row[b] = 0.0
    return min(1.0, max(0.0, 1.0 - float(row[n])))
