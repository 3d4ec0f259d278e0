"""A value at what the same rows have chosen as best, which flatters it: bounds that allow for that.

The largest value over all thresholds is larger than its true value, the more the flatter the curve is near
its top. The value at a threshold that other rows have chosen is smaller than the true value, the more for
the same reason. So the truth lies between the two on average, and so does the true difference of two models,
whichever of them is flattered more. The lower bound is taken from the smaller one, the upper bound from the
larger one.
"""

from __future__ import annotations

from dataclasses import dataclass

from .inference import Inference


@dataclass(frozen=True, slots=True)
class Flattered:
    """An inference with the thresholds taken for fixed, and how it moves with those of other rows.

    Parameters
    ----------
    inner : Inference
        On the gain.
    shift : float
        The gain at thresholds that other rows have chosen, less the gain.
    few : str
        Why the rows are too few. Empty: they are not.
    how : str
        What the shift allows for, for the name of the method.
    """

    inner: Inference
    shift: float
    few: str = ""
    how: str = "cross-fitted"

    @property
    def gain(self) -> float:
        """As it was observed."""
        return self.inner.gain

    @property
    def standard_error(self) -> float:
        """Of the gain."""
        return self.inner.standard_error

    @property
    def method(self) -> str:
        """Name of the method."""
        return f"{self.inner.method}, {self.how}"

    @property
    def caution(self) -> str:
        """Why the interval may neither let pass nor accuse."""
        return self.inner.caution or self.few

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds; they always contain the gain."""
        low, high = self.inner.bounds(alpha)
        return low + min(0.0, self.shift), high + max(0.0, self.shift)

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the upper bound."""
        return self.inner.p_below(threshold - max(0.0, self.shift))
