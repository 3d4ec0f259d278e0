"""The root finders of this room: bracketing, so that they need no derivative and cannot run away."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np

from .design import Floats

#: No normal tail is looked at beyond this many standard deviations.
_FURTHEST = 38.0

#: Steps in standard deviations before the bracket is refined.
_STEP = 1.0

#: Bisection alone would need fewer.
_ROUNDS = 300

#: Of secants so many are enough nearly always.
_SECANTS = 8

#: A bracket from 0 on shrinks by the root of this.
_SHRINK = 1e-8

_EPSILON = sys.float_info.epsilon

#: Places that are closer to each other, as a share of themselves, are one.
_APART = 4 * _EPSILON


def crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that is below zero next to ``low`` crosses zero, before ``high``.

    Chandrupatla's method (1997): inverse quadratic interpolation where it is safe, bisection elsewhere. The
    ends themselves are not looked at, because score functions may be ``0 / 0`` there.

    Examples
    --------
    >>> round(crossing(lambda x: x * x - 2, 0.0, 2.0), 12)
    1.414213562373
    """
    # x1 is the newest point and x2 the other end of the bracket; x3 was an end before.
    x1, f1, x2, f2 = high, math.inf, low, -math.inf
    t, tiny = 0.5, sys.float_info.min
    for _ in range(_ROUNDS):
        x = x1 + t * (x2 - x1)
        f = function(x)
        if (f < 0) == (f1 < 0):
            x3, f3 = x1, f1
        else:
            x3, f3, x2, f2 = x2, f2, x1, f1
        x1, f1 = x, f
        best, least = (x1, f1) if abs(f1) < abs(f2) else (x2, f2)
        span = abs(x2 - x1)
        close = (2 * _EPSILON * abs(best) + tiny) / (span if span > tiny else tiny)
        if close > 0.5 or least == 0:
            return best
        t = _interpolated(x1, x2, x3, f1, f2, f3)
        if t < close:
            t = close
        elif t > 1 - close:
            t = 1 - close
    return best


def fixed_point(function: Callable[[float], float], start: float, low: float, high: float) -> float:
    """Return where a function that changes slowly has the value that it is asked for.

    Secants need half as many looks as a bracket that shrinks. Where they leave the ends or do not settle,
    the bracket is searched: next to ``low`` the function is above its argument, and before ``high`` below.

    Examples
    --------
    >>> round(fixed_point(lambda x: 1 + x / 10, 1.0, 0.0, 2.0), 12)
    1.111111111111
    """
    before = math.nan
    x, moved = start, math.nan
    for _ in range(_SECANTS):
        if not low < x < high:
            break
        step = function(x) - x
        if abs(step) <= _APART * max(abs(x), abs(low)):
            return x + step
        slope = (step - moved) / (x - before) if x != before else math.nan
        after = x - step / slope if slope else math.nan
        before, moved = x, step
        # There is no secant through one place: the first step goes where the function points.
        x = x + step if math.isnan(after) else after
    return crossing(lambda x: x - function(x), low, high)


def crossings(
    function: Callable[[Floats], Floats],
    ends: tuple[Floats, Floats],
    at_ends: tuple[Floats, Floats],
    enough: Floats,
) -> Floats:
    """Return where each of many functions crosses zero, with one call for all of them.

    The method of Anderson and Bjorck (1973): a secant through both sides of the crossing, of which the side
    that stays is made lighter; what takes long is halved in between. What is found for one function does not
    depend on the others.

    Parameters
    ----------
    function : callable
        ``function(x) -> values``, one of each function.
    ends, at_ends : tuple of ndarray
        Where the functions are below zero and where they are not, and their values there. No pair of ends
        has 0 between them.
    enough : ndarray
        So close to zero a value counts as zero.

    Examples
    --------
    >>> low, high = np.array([0.0, 0.0]), np.array([2.0, 3.0])
    >>> square = np.array([2.0, 4.0])
    >>> x = crossings(lambda x: x * x - square, (low, high), (-square, high**2 - square), np.full(2, 1e-12))
    >>> np.round(x, 9).tolist()
    [1.414213562, 2.0]
    """
    (a, x), (fa, fx) = ends, at_ends
    found, open_ = x, np.ones(x.shape, dtype=np.bool_)
    with np.errstate(all="ignore"):
        for turn in range(_ROUNDS):
            after = x - fx * ((x - a) / (fx - fa))
            after = np.minimum(np.maximum(after, np.minimum(a, x)), np.maximum(a, x))
            halved = ~np.isfinite(after)  # a score can be infinite
            halved |= turn >= _SECANTS and turn % 2 == 1
            if halved.any():
                after = np.where(halved, _between(a, x), after)
            f = function(after)
            found = np.where(open_, after, found)
            stays = (f < 0) == (fx < 0)
            lighter = 1 - f / fx
            fa = np.where(stays, fa * np.where(lighter > 0, lighter, 0.5), fx)
            a, x, fx = np.where(stays, a, x), after, f
            open_ &= (np.abs(f) > enough) & (np.abs(x - a) > _APART * np.abs(x))
            if not open_.any():
                break
    return found


def _between(one: Floats, other: Floats) -> Floats:
    """Return the geometric mean: ends may be so unlike in size that half the way is as far as all of it."""
    least, most = np.minimum(np.abs(one), np.abs(other)), np.maximum(np.abs(one), np.abs(other))
    middle = np.sqrt(least / most + _SHRINK) * most
    between: Floats = np.copysign(np.minimum(middle, (least + most) / 2), one + other)
    return between


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


def _interpolated(x1: float, x2: float, x3: float, f1: float, f2: float, f3: float) -> float:
    """Return where to look next, as a share of the way from x1 to x2."""
    # Ends that were not looked at count as infinite: every comparison with them fails.
    if f3 in (f1, f2) or x3 == x2:
        return 0.5
    xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
    if not (phi * phi < xi and (1 - phi) ** 2 < 1 - xi):
        return 0.5
    share = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
    return share if math.isfinite(share) else 0.5
