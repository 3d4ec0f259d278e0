"""A mean-like estimate with Student's reference distribution, corrected for skewness where it is known.

The correction is Hall's monotone transformation (Hall 1992): the studentised mean of a right-skewed loss
has a heavier left tail, so that uncorrected bounds accuse wrongly too often. It only ever widens: where the
skewness of the sample is itself an accident of its tails, what it takes off the other bound was needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Student:
    """An estimate, its standard error and the degrees of freedom behind that.

    Parameters
    ----------
    gain, standard_error : float
        Of the oriented difference.
    df : float
        Degrees of freedom of the standard error.
    method : str
        Name of the method.
    caution : str
        Why the interval may neither let pass nor accuse. Empty: it may.
    skew : float
        Skewness of the estimate: that of a row divided by the root of n. 0: no correction.
    """

    gain: float
    standard_error: float
    df: float
    method: str
    caution: str = ""
    skew: float = 0.0

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds; they always contain the gain."""
        from scipy.special import stdtrit

        q = -float(stdtrit(self.df, alpha))
        low = self.gain - self.standard_error * max(q, self._untransformed(q))
        high = self.gain + self.standard_error * max(q, -self._untransformed(-q))
        return low, high

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "the gain is at least ``threshold``"."""
        from scipy.special import stdtr

        distance = self.gain - threshold
        t = distance / self.standard_error if self.standard_error else math.inf
        if math.isinf(t):  # also by a standard error so small that the quotient overflows
            return 1.0 if distance >= 0 else 0.0
        u = self.skew / 3 * t
        corrected = t * (1 + u + u * u / 3) + self.skew / 6
        return float(stdtr(self.df, max(t, corrected)))

    def _untransformed(self, x: float) -> float:
        """Return the studentised value whose transform is ``x``.

        The transform is ``T + c T^2 + c^2 T^3 / 3 + skew / 6`` with ``c = skew / 3``, and its inverse is
        written so that nothing cancels for small ``c``.
        """
        y = x - self.skew / 6
        u = math.cbrt(1 + self.skew * y)
        return 3 * y / (u * u + u + 1)
