"""How far the shares of missing values are apart."""

from __future__ import annotations

from dataclasses import dataclass

from ..unpaired import UnpairedProportions


@dataclass(frozen=True, slots=True)
class MissingShift:
    """The change of a share and its bounds (Miettinen and Nurminen 1985): current less reference."""

    change: float
    low: float
    high: float

    @property
    def least(self) -> float:
        """The smallest absolute change that is not excluded."""
        return max(0.0, self.low, -self.high)

    @property
    def most(self) -> float:
        """The largest one."""
        return max(self.high, -self.low)


def missing_shift(reference: int, rows: int, current: int, current_rows: int, alpha: float) -> MissingShift:
    """Return the change of the share of missing values from counts."""
    found = UnpairedProportions(current, current_rows, reference, rows)
    low, high = found.bounds(alpha)
    return MissingShift(found.gain, low, high)
