"""Quantiles of resampled values and their inverse, so that bounds and p-values agree exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .design import Floats
from .inference import normal_cdf, normal_quantile

#: The tail beyond this many resamples is continued as a normal one: so few are noise.
_BEYOND = 10


@dataclass(frozen=True, eq=False)
class LowerTail:
    """The quantile function of sorted values, below which a number of undefined ones lie.

    Order statistic ``k`` of ``B`` is the quantile ``k / (B + 1)``, linear between them. Beyond the tenth
    lowest the tail is continued along normal quantiles, with the steeper of two slopes: that from the median
    to there, and that from there to the lowest. The function is continuous and never falls.

    Parameters
    ----------
    values : ndarray
        Ascending.
    undefined : int
        How many lie below all of them.
    anchor : int
        The order statistic at which the continued tail begins.
    slope : float
        Of the continued tail, per normal standard deviation.
    """

    values: Floats
    undefined: int
    anchor: int
    slope: float

    @classmethod
    def of(cls, values: Floats, undefined: int) -> LowerTail:
        """Return the function of ascending values."""
        count = len(values)
        anchor = min(_BEYOND, (count + 1) // 2)
        bare = cls(values, undefined, anchor, 0.0)
        at = float(values[anchor - 1])
        z, least = bare._z(anchor), bare._z(1)
        middle = (float(values[(count - 1) // 2]) + float(values[count // 2])) / 2
        slopes = [(middle - at) / -z if z < 0 else 0.0]
        slopes.append((at - float(values[0])) / (z - least) if z > least else 0.0)
        return cls(values, undefined, anchor, max(slopes))

    def quantile(self, z: float) -> float:
        """Return the value below which the share of a normal variable below ``z`` lies."""
        h = normal_cdf(z) * self._places - self.undefined
        if h < self.anchor:
            return float(self.values[self.anchor - 1]) + self.slope * (z - self._z(self.anchor))
        k = min(int(h), len(self.values))
        low = float(self.values[k - 1])
        if k == len(self.values):
            return low
        return low + (h - k) * (float(self.values[k]) - low)

    def z_of(self, value: float) -> float:
        """Return the largest ``z`` whose quantile is at most this value."""
        at = float(self.values[self.anchor - 1])
        if value < at:
            return self._z(self.anchor) + (value - at) / self.slope if self.slope > 0 else -math.inf
        k = int(np.searchsorted(self.values, value, side="right"))
        if k == len(self.values):
            return math.inf
        low, high = float(self.values[k - 1]), float(self.values[k])
        return -normal_quantile((k + (value - low) / (high - low) + self.undefined) / self._places)

    @property
    def _places(self) -> int:
        return len(self.values) + self.undefined + 1

    def _z(self, k: int) -> float:
        """Return the normal quantile of order statistic ``k``."""
        return -normal_quantile((k + self.undefined) / self._places)
