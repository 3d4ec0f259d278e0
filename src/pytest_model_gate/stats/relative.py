"""Two proportions on the same rows, where the tolerance is a share of the reference's own proportion.

``candidate - (1 - r) * reference`` is the difference plus ``r`` times the reference. Tango's bounds of the
one and Wilson's of the other are combined with their correlation (MOVER, Zou and Donner 2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .reach import ends, p_of_reach, together
from .tango import PairedProportions, upper_bound


@dataclass(frozen=True, slots=True)
class RelativeProportions:
    """The gain of one proportion over another, widened by the noise of a relative tolerance.

    Parameters
    ----------
    paired : PairedProportions
        The counts, oriented so that a larger proportion is better.
    reference : int
        Rows on which the reference is right; where fewer are better, on which it is wrong.
    relative : float
        Share of the reference's proportion that is tolerated; negative where fewer are better, because
        the tolerance then grows as the oriented proportion falls.
    """

    paired: PairedProportions
    reference: int
    relative: float

    @property
    def gain(self) -> float:
        """Difference of the two proportions."""
        return self.paired.gain

    @property
    def standard_error(self) -> float:
        """Of the gain plus the tolerance."""
        of_gain, of_reference, correlation = self._spread
        r = self.relative
        variance = of_gain**2 + (r * of_reference) ** 2 + 2 * r * correlation * of_gain * of_reference
        return math.sqrt(max(0.0, variance))

    @property
    def method(self) -> str:
        """Name of the method."""
        return "tango + wilson"

    @property
    def caution(self) -> str:
        """Nothing: both intervals hold for every count."""
        return ""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of the gain."""
        return ends(self.gain, self._reach, alpha)

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the bounds: the level at which they reach the threshold."""
        return p_of_reach(self.gain, self._reach, threshold)

    @property
    def _spread(self) -> tuple[float, float, float]:
        """Return the standard errors of gain and reference, and their correlation."""
        n, share = self.paired.n, self.reference / self.paired.n
        of_gain, of_reference = self.paired.standard_error, math.sqrt(share * (1 - share) / n)
        if of_gain == 0 or of_reference == 0:
            return of_gain, of_reference, 0.0
        # The gain is 1 where only the candidate is right, and -1 where only the reference is.
        covariance = (-self.paired.n01 / n - self.gain * share) / n
        return of_gain, of_reference, max(-1.0, min(1.0, covariance / (of_gain * of_reference)))

    def _reach(self, z: float, *, upper: bool) -> float:
        """Return the distance from the gain to its bound."""
        n10, n01, n = self.paired.n10, self.paired.n01, self.paired.n
        own = upper_bound(n10, n01, n, z) - self.gain if upper else upper_bound(n01, n10, n, z) + self.gain
        low, high = _wilson(self.reference / n, n, z)
        share = self.reference / n
        toward = high - share if upper == (self.relative >= 0) else share - low
        other = abs(self.relative) * toward
        correlation = math.copysign(1.0, self.relative) * self._spread[2]
        return together(own, other, -correlation)


def _wilson(share: float, n: int, z: float) -> tuple[float, float]:
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - half, centre + half
