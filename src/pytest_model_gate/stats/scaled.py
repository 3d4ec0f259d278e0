"""An inference in another unit: what is twice another quantity has twice its bounds."""

from __future__ import annotations

from dataclasses import dataclass

from .inference import Inference


@dataclass(frozen=True, slots=True)
class Scaled:
    """The same answers, multiplied.

    Parameters
    ----------
    inner : Inference
        In its own unit.
    factor : float
        Above 0: how many of the new units one old unit is.
    """

    inner: Inference
    factor: float

    @property
    def gain(self) -> float:
        """The gain in the new unit."""
        return self.inner.gain * self.factor

    @property
    def standard_error(self) -> float:
        """Of the gain."""
        return self.inner.standard_error * self.factor

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.inner.method

    @property
    def caution(self) -> str:
        """Why the interval may neither let pass nor accuse."""
        return self.inner.caution

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds."""
        low, high = self.inner.bounds(alpha)
        return low * self.factor, high * self.factor

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "the gain is at least ``threshold``"."""
        return self.inner.p_below(threshold / self.factor)
