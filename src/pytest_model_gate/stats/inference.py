"""What every method of this room answers with: an estimate that can be asked for bounds."""

from __future__ import annotations

from typing import Protocol


class Inference(Protocol):
    """An estimated gain (oriented so that larger is better) and its uncertainty.

    ``gain`` and ``standard_error`` are in the metric's unit. ``method`` names what was used.
    """

    @property
    def gain(self) -> float: ...  # noqa: D102
    @property
    def standard_error(self) -> float: ...  # noqa: D102
    @property
    def method(self) -> str: ...  # noqa: D102

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the two one-sided ``1 - alpha`` bounds of the gain: lower, upper."""

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "the gain is at least ``threshold``" (small: it is below)."""
