"""Two inferences on one gain, of which the more cautious counts at each end."""

from __future__ import annotations

from dataclasses import dataclass

from .inference import Inference


@dataclass(frozen=True, slots=True)
class Wider:
    """Bounds that are the outer ones of two methods; what one method cannot show is not shown.

    The one-sided errors are at most those of the better of the two on each side. Both must have one gain.
    """

    first: Inference
    second: Inference

    @property
    def gain(self) -> float:
        """That of both."""
        return self.first.gain

    @property
    def standard_error(self) -> float:
        """The larger one."""
        return max(self.first.standard_error, self.second.standard_error)

    @property
    def method(self) -> str:
        """Names of both."""
        return f"{self.first.method} and {self.second.method}"

    @property
    def caution(self) -> str:
        """That of either."""
        return self.first.caution or self.second.caution

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the outer one-sided bounds."""
        lows, highs = zip(self.first.bounds(alpha), self.second.bounds(alpha), strict=True)
        return min(lows), max(highs)

    def p_below(self, threshold: float) -> float:
        """Return the larger p-value."""
        return max(self.first.p_below(threshold), self.second.p_below(threshold))
