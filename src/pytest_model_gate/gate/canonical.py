"""The one place where floats lose the digits that depend on the order of the rows.

A floating-point sum differs in its last digits when its terms are added in another order. Numbers are
therefore rounded to 12 significant digits before anything is decided, printed or stored; differences and
interval ends to that many digits of the values that they are differences of, because cancellation moves
the noise up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import overload

from ..stats.inference import Inference

#: Of 15.95 that a double holds. Sums of 10 million rows keep 14 of them.
DIGITS = 12
_FORMAT = f".{DIGITS}g"

#: A p-value keeps fewer: its relative error is that of its argument times the distance in standard errors.
P_DIGITS = 9


@overload
def canonical(value: float, scale: float = ...) -> float: ...
@overload
def canonical(value: None, scale: float = ...) -> None: ...


def canonical(value: float | None, scale: float = 0.0) -> float | None:
    """Round to 12 significant digits, of the value itself or of a larger ``scale``.

    Examples
    --------
    >>> canonical(0.1 + 0.2)
    0.3
    >>> canonical(0.3 - 0.1 - 0.2, scale=0.3)
    0.0
    """
    if value is None:
        return None
    size = max(abs(value), abs(scale))
    if size == abs(value) and size:
        return float(format(value, _FORMAT))
    if size == 0 or not math.isfinite(size):
        return value + 0.0
    return round(value, _places(size)) + 0.0


@lru_cache(maxsize=256)
def _places(size: float) -> int:
    """Return the decimal places of a number's last significant digit; several numbers are of one size."""
    return DIGITS - 1 - math.floor(math.log10(float(format(size, _FORMAT))))


@dataclass(frozen=True)
class Steady:
    """An inference whose every answer is canonical, and found once: some take a search for a root.

    Parameters
    ----------
    inner : Inference
        As computed.
    gain : float
        Canonical difference of the canonical values.
    scale : float
        Size of the values that the gain is a difference of.
    """

    inner: Inference
    gain: float
    scale: float

    @cached_property
    def standard_error(self) -> float:
        """Of the gain."""
        return canonical(self.inner.standard_error, self.scale)

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.inner.method

    @property
    def caution(self) -> str:
        """Why the interval may neither let pass nor accuse."""
        return self.inner.caution

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds; rounding never excludes the gain."""
        if alpha not in self._bounds:
            low, high = self.inner.bounds(alpha)
            scale = max(self.scale, abs(low), abs(high))
            self._bounds[alpha] = (
                min(canonical(low, scale), self.gain),
                max(canonical(high, scale), self.gain),
            )
        return self._bounds[alpha]

    @cached_property
    def _bounds(self) -> dict[float, tuple[float, float]]:
        return {}

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "the gain is at least ``threshold``"."""
        p = self.inner.p_below(threshold)
        if canonical(self.gain - threshold, self.scale) >= 0:
            # Also a tie to the last digit accuses nobody, whatever the noise below that digit says.
            p = max(p, 0.5)
        return float(f"{p:.{P_DIGITS}g}")
