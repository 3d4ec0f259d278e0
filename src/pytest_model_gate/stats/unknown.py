"""A value whose uncertainty nobody knows: every gain is possible, so nothing passes and nobody is accused."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """A gain without an interval.

    Parameters
    ----------
    gain : float
        Of the oriented difference.
    caution : str
        Why there is no interval.
    """

    gain: float
    caution: str

    @property
    def standard_error(self) -> float:
        """Not used: a caution keeps everything from being read off it."""
        return 0.0

    @property
    def method(self) -> str:
        """Name of the method."""
        return "none"

    def bounds(self, alpha: float) -> tuple[float, float]:  # noqa: ARG002
        """Return bounds that hold whatever is true."""
        return -math.inf, math.inf

    def p_below(self, threshold: float) -> float:  # noqa: ARG002
        """Return 1: nothing speaks against any threshold."""
        return 1.0
