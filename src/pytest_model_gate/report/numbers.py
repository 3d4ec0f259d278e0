"""Numbers for people: as few digits as tell the truth."""

from __future__ import annotations

import math

from ..results import Line

FEWEST, MOST = 4, 12
#: Widths of an interval above which fewer decimals do: in the metric's own unit (minutes, dollars, ...).
COARSE, VERY_COARSE = 1.0, 100.0


def decimals(line: Line) -> int:
    """Return with how many decimals a line has to be printed so that it never contradicts its verdict.

    Two significant digits of the interval's width, and as many more as it takes that numbers which
    differ (a bound and what is required of it, a bound and zero) also differ in print.
    """
    if line.gain is None:
        return FEWEST
    if line.interval is None:  # shown and not judged: three digits of the gain
        return min(_of_size(abs(line.gain) / 10), MOST)
    low, high, required = line.interval.low, line.interval.high, line.required
    found = _of_size(high - low or abs(required) or abs(line.gain))
    pairs = ((low, required), (high, required), (line.gain, required), (high, 0.0), (line.gain, 0.0))
    while found < MOST and any(_order(a, b) != _order(round(a, found), round(b, found)) for a, b in pairs):
        found += 1
    return min(found, MOST)


def _of_size(size: float) -> int:
    """Return how many decimals show two significant digits of a size, and no fewer than people expect."""
    found = FEWEST if size == 0 else 1 - math.floor(math.log10(size))
    return max(found, 0 if size > VERY_COARSE else 2 if size > COARSE else FEWEST)


def _order(a: float, b: float) -> int:
    return (a > b) - (a < b)


def number(value: float | None, places: int) -> str:
    """Return a number with so many decimals; ``-`` where there is none.

    Examples
    --------
    >>> number(-0.00001, 4), number(0.92134, 4), number(None, 4)
    ('0.0000', '0.9213', '-')
    """
    if value is None:
        return "-"
    text = f"{value:.{places}f}"
    if len(text.lstrip("-").partition(".")[0]) > 15 or (value != 0 and places >= MOST):
        return f"{value:.6g}"
    return text.lstrip("-") if float(text) == 0 else text
