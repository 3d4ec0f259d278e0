"""The root finders of this room: bisection, which needs no derivative and cannot run away."""

from __future__ import annotations

from collections.abc import Callable

#: No normal tail is looked at beyond this many standard deviations.
_FURTHEST = 38.0

#: Steps in standard deviations before the halving starts.
_STEP = 0.25

#: Halvings: the interval shrinks to its own rounding error, also for roots close to zero.
_HALVINGS = 120


def crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that is below zero right of ``low`` first is not, before ``high``.

    The ends themselves are not looked at, because score functions may be ``0 / 0`` there.

    Examples
    --------
    >>> round(crossing(lambda x: x * x - 2, 0.0, 2.0), 12)
    1.414213562373
    """
    for _ in range(_HALVINGS):
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        if function(middle) < 0:
            low = middle
        else:
            high = middle
    return low + (high - low) / 2


def first_reach(reach: Callable[[float], float], distance: float) -> float:
    """Return the smallest number of standard deviations at which a bound is as far away as ``distance``.

    In steps first, because the reach of combined intervals need not grow everywhere.
    """
    before = 0.0
    while before < _FURTHEST:
        after = before + _STEP
        if reach(after) >= distance:
            return crossing(lambda z: reach(z) - distance, before, after)
        before = after
    return _FURTHEST
