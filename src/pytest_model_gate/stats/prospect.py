"""What a number of rows can tell: the power to pass, the margin that they detect, the rows that it takes.

Power is always asked for an assumed true gain, 0 by default: never for the gain that was observed, which
would only repeat the p-value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .inference import normal_cdf, normal_quantile
from .roots import crossing

#: No answer is looked for beyond this many rows.
MOST_ROWS = 10**12

#: How far beyond the first number of rows that reaches the power it has to be kept, as a share of it.
_KEPT = 0.02
_LOOKS = 40


class Prospect(Protocol):
    """What one number of rows can tell, before they are judged."""

    def power(self, margin: float, alpha: float, gain: float = 0.0) -> float:
        """Return how likely a candidate whose true gain is ``gain`` passes a tolerance of ``margin``."""


@dataclass(frozen=True, slots=True)
class Normal:
    """A gain that is spread normally around the truth, with a bound a fixed distance below it.

    Parameters
    ----------
    standard_error : float
        Of the gain.
    reach : callable, optional
        ``reach(z)``: how far below the gain the bound lies, where that isn't ``z`` standard errors.
    """

    standard_error: float
    reach: Callable[[float], float] | None = None

    def power(self, margin: float, alpha: float, gain: float = 0.0) -> float:
        """Return the probability that the gain is far enough above minus the margin."""
        z = normal_quantile(alpha)
        reach = z * self.standard_error if self.reach is None else self.reach(z)
        distance = margin + gain - reach
        if self.standard_error == 0:
            return float(distance > 0)
        return normal_cdf(min(38.0, max(-38.0, distance / self.standard_error)))


def detectable(prospect: Prospect, alpha: float, power: float, *, most: float, gain: float = 0.0) -> float:
    """Return the margin that a candidate of this true gain stays within with this power.

    Parameters
    ----------
    prospect : Prospect
        What the rows can tell.
    alpha, power : float
        One-sided level, and the probability to pass that is asked for.
    most : float
        No margin is larger: the range of the metric, or anything large.
    gain : float
        The true gain.

    Examples
    --------
    >>> round(detectable(Normal(1.0), 0.05, 0.8, most=1e6), 2)
    2.49
    """
    if prospect.power(most, alpha, gain) < power:
        return most
    return crossing(lambda margin: prospect.power(margin, alpha, gain) - power, 0.0, most)


def rows_for(
    at: Callable[[int], Prospect],
    margin: float,
    alpha: float,
    power: float,
    *,
    gain: float = 0.0,
    least: int = 2,
) -> int | None:
    """Return the rows with which a candidate of this true gain passes the margin with this power.

    ``None`` where no number of rows is enough: the margin and the gain together are not above 0.

    Counts make the power of few rows jump up and down. The rows returned keep the power, and so do those
    that are looked at up to 2 % beyond.

    Parameters
    ----------
    at : callable
        ``at(rows)``: what so many rows can tell.
    margin, alpha, power, gain : float
        As for :func:`detectable`.
    least : int
        The smallest number of rows that makes sense.

    Examples
    --------
    >>> import math
    >>> rows_for(lambda rows: Normal(0.5 / math.sqrt(rows)), 0.01, 0.05, 0.8)
    15457
    """
    if margin + gain <= 0:
        return None

    def enough(rows: int) -> bool:
        return at(rows).power(margin, alpha, gain) >= power

    low, high = least, least
    while not enough(high):
        low, high = high, high * 2
        if high > MOST_ROWS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    found = low if enough(low) else high
    while (broken := _broken(enough, found)) is not None:
        found = broken + 1
        while not enough(found):
            found += 1
    return found


def _broken(enough: Callable[[int], bool], rows: int) -> int | None:
    """Return the last number of rows looked at, just beyond ``rows``, that is not enough."""
    beyond = max(_LOOKS, math.ceil(rows * _KEPT))
    looks = sorted({rows + math.ceil(beyond * look / _LOOKS) for look in range(1, _LOOKS + 1)}, reverse=True)
    return next((look for look in looks if not enough(look)), None)
