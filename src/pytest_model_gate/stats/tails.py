"""How well a variance is known: as if from fewer units where a few of them carry it."""

from __future__ import annotations

import math

from .design import Floats
from .powers import sums_of_powers

#: With fewer degrees of freedom than this a variance rests on too few units.
MINIMUM_KNOWN = 5.0

#: The same for rows of mean losses: those of probabilities, and those of numbers, whose tails nobody knows.
MINIMUM_KNOWN_CLASSES = 10.0
MINIMUM_KNOWN_NUMBERS = 14.0

#: The same in few groups, whose totals don't show their tails; for rankings of many classes, too.
MINIMUM_KNOWN_IN_FEW_GROUPS = 19.0


def known_df(second: float, fourth: float, units: int) -> float:
    """Return the degrees of freedom of a variance by the fourth moment of its units.

    The variance of ``n`` independent units with kurtosis ``k`` varies as one of normal units with
    ``2 n / (k - 1)`` degrees of freedom does (Satterthwaite 1946): ``n`` for normal ones.

    Parameters
    ----------
    second, fourth : float
        Sums of squares and of fourth powers around the mean.
    units : int
        How many there are.

    Examples
    --------
    >>> known_df(second=10.0, fourth=30.0, units=10)
    10.0
    """
    excess = units * fourth - second * second
    # Squares that overflow or vanish say nothing about the shape.
    if not (math.isfinite(excess) and excess > 0 and second > 0):
        return math.inf
    return 2 * units * second * second / excess


def moments(values: Floats, centre: float = 0.0) -> tuple[float, float]:
    """Return the sums of squares and of fourth powers around a mean."""
    second, fourth = sums_of_powers(values, centre, (2, 4))
    return second, fourth


def few_carry(known: float, units: int, name: str = "rows", *, needed: float = MINIMUM_KNOWN) -> str:
    """Return the caution where a variance rests on too few units. Empty: it does not."""
    if known >= needed:
        return ""
    return (
        f"a few of {units:,} {name} carry nearly all of the spread: it is known as if from {known + 1:.1f} "
        f"{name}, and at least {needed + 1:g} are needed"
    )
