"""Tango's score interval for the difference of two proportions on the same rows (Tango 1998).

Wald's interval has width zero where no row is discordant and accuses wrongly up to eight times as often
as promised (see the enumeration in the tests); the score interval does neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import UndefinedMetricError
from .inference import normal_cdf, normal_quantile
from .roots import fixed_point


@dataclass(frozen=True, slots=True)
class PairedProportions:
    """Candidate and reference, right or wrong on the same ``n`` rows.

    Parameters
    ----------
    n10 : int
        Rows on which only the candidate is right.
    n01 : int
        Rows on which only the reference is right.
    n : int
        All rows.
    """

    n10: int
    n01: int
    n: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise UndefinedMetricError("A proportion needs at least 1 row, got 0.", "Judge more rows.")

    @property
    def gain(self) -> float:
        """Difference of the two proportions."""
        return (self.n10 - self.n01) / self.n

    @property
    def discordance(self) -> float:
        """Share of the rows on which only one is right."""
        return (self.n10 + self.n01) / self.n

    @property
    def standard_error(self) -> float:
        """Of the difference, by the multinomial variance; 0 where no row is discordant."""
        discordant, net = self.n10 + self.n01, self.n10 - self.n01
        return math.sqrt(max(0.0, discordant - net * net / self.n)) / self.n

    @property
    def method(self) -> str:
        """Name of the method."""
        return "tango"

    @property
    def caution(self) -> str:
        """Nothing: the score interval holds for every count."""
        return ""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds: where the score statistic equals the normal quantile."""
        z = normal_quantile(alpha)
        return -upper_bound(self.n01, self.n10, self.n, z), upper_bound(self.n10, self.n01, self.n, z)

    def p_below(self, threshold: float) -> float:
        """Return the p-value of the score test against "the gain is at least ``threshold``"."""
        if threshold <= -1:
            return 1.0
        if threshold >= 1:
            return 1.0 if threshold == 1 and self.n10 == self.n else 0.0
        return normal_cdf(_score(self.n10, self.n01, self.n, threshold))


def upper_bound(n10: int, n01: int, n: int, z: float) -> float:
    """Return the upper bound of the difference ``z`` standard deviations away."""
    gain = (n10 - n01) / n
    if gain >= 1:
        return 1.0

    def reach(d: float) -> float:
        return gain + z * _spread(n10, n01, n, d) / n

    return fixed_point(reach, gain + z * (math.sqrt(n10 + n01) + z) / n, gain, 1.0)


def _score(n10: int, n01: int, n: int, d: float) -> float:
    """Return Tango's statistic for "the difference is ``d``", ``-1 < d < 1``."""
    distance = n10 - n01 - n * d
    spread = _spread(n10, n01, n, d)
    if spread == 0:
        # No discordant row and d = 0: nothing speaks against it.
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / spread


def _spread(n10: int, n01: int, n: int, d: float) -> float:
    """Return the standard deviation that the difference in rows has where ``d`` is the truth."""
    if d < 0:
        n10, n01, d = n01, n10, -d
    return math.sqrt(n * (2 * restricted(n10, n01, n, d) + d * (1 - d)))


def restricted(n10: float, n01: float, n: float, d: float) -> float:
    """Return the maximum-likelihood share of rows on which only the reference is right, given ``d >= 0``."""
    a = 2.0 * n
    b = -n10 - n01 + (2 * n - n10 + n01) * d
    c = -n01 * d * (1 - d)
    root = math.sqrt(b * b - 4 * a * c)
    # Whichever form of the quadratic formula adds two numbers of one sign.
    return (root - b) / (2 * a) if b <= 0 else -2 * c / (b + root)
