"""What bounds that are told as a distance from the gain have in common: their ends, p-value and width."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from .inference import normal_cdf, normal_quantile
from .roots import first_reach

#: The one-sided level that an interval is read at where only its width is asked for.
READ_AT = 0.05


class Reach(Protocol):
    """The distance from the gain to its bound ``z`` standard deviations away, below or above."""

    def __call__(self, z: float, *, upper: bool) -> float:
        """Return the distance, not below 0."""


def ends(gain: float, reach: Reach, alpha: float) -> tuple[float, float]:
    """Return the one-sided bounds."""
    z = normal_quantile(alpha)
    return gain - reach(z, upper=False), gain + reach(z, upper=True)


def p_of_reach(gain: float, reach: Reach, threshold: float) -> float:
    """Return the p-value that belongs to the bounds: the level at which they reach the threshold."""
    distance = threshold - gain
    if distance <= 0:
        return 1.0 - normal_cdf(-first_reach(lambda z: reach(z, upper=False), -distance))
    return normal_cdf(-first_reach(lambda z: reach(z, upper=True), distance))


def error_of_width(bounds: Callable[[float], tuple[float, float]]) -> float:
    """Return the standard error that a normal interval of the same width has."""
    low, high = bounds(READ_AT)
    return (high - low) / 2 / normal_quantile(READ_AT)


def together(own: float, other: float, correlation: float) -> float:
    """Return how far a difference reaches whose two parts reach so far (MOVER, Zou and Donner 2008)."""
    # Both orders of the two give the same bits.
    return math.sqrt(max(0.0, own * own + other * other - 2 * correlation * (own * other)))
