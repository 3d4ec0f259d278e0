"""The exact (Clopper-Pearson) bounds of one proportion, for floors.

Exact and not Wilson: a floor is a promise about one model, and Wilson's one-sided lower bound breaks it
near 1, where floors are set (6.7 % wrong passes at a nominal 5 %; see the enumeration in the tests).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import UndefinedMetricError


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share of right rows against a fixed value.

    Parameters
    ----------
    right, n : int
        Right rows, and all rows.
    floor : float
        What the share is compared with; the gain is the share minus the floor.
    """

    right: int
    n: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        if self.n < 1:
            raise UndefinedMetricError("A proportion needs at least 1 row, got 0.", "Judge more rows.")

    @property
    def gain(self) -> float:
        """Share minus floor."""
        return self.right / self.n - self.floor

    @property
    def standard_error(self) -> float:
        """Of the share."""
        share = self.right / self.n
        return math.sqrt(share * (1 - share) / self.n)

    @property
    def method(self) -> str:
        """Name of the method."""
        return "clopper-pearson"

    @property
    def caution(self) -> str:
        """Nothing: the bounds are exact."""
        return ""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the exact one-sided bounds of share minus floor."""
        from scipy.special import betaincinv

        right, wrong = self.right, self.n - self.right
        low = 0.0 if right == 0 else float(betaincinv(right, wrong + 1, alpha))
        # By symmetry, so that the two ends have the same accuracy.
        high = 1.0 if wrong == 0 else 1.0 - float(betaincinv(wrong, right + 1, alpha))
        return low - self.floor, high - self.floor

    def p_below(self, threshold: float) -> float:
        """Return the binomial tail: so few right rows, were the share ``floor + threshold``."""
        from scipy.special import betainc

        share = self.floor + threshold
        if share <= 0 or self.right == self.n:
            return 1.0 if share <= 1 else 0.0
        return 0.0 if share >= 1 else float(betainc(self.n - self.right, self.right + 1, 1 - share))
