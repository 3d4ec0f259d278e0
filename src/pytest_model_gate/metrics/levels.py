"""The order of one column: each row's level among the distinct values, so that ties need no loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InvalidError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
#: How many rows are on each level.
Counts = npt.NDArray[np.signedinteger[Any]]
#: Rows counted, or weighed.
Mass = Counts | Floats


def count_type(n: int) -> type[np.signedinteger[Any]]:
    """Return the smallest type that holds every count of n rows, with half the memory where that is enough.

    Twice a count, and products of counts, need more: they are worked out in numpy's largest type.
    """
    return np.int32 if n <= np.iinfo(np.int32).max else np.intp


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """Where each row stands: equal values share a level, level 0 is the smallest value.

    Every rank statistic is a cumulative sum over levels that is looked up again by level. That is two
    passes per statistic after the one sort, whatever the ties, and no result depends on how tied rows
    happened to be sorted.

    Parameters
    ----------
    level : ndarray of int, shape (n,)
        In the order of the rows.
    count : int
        Distinct values.
    """

    level: Ints
    count: int

    @classmethod
    def of(cls, column: npt.NDArray[np.floating]) -> Levels:
        """Sort a column. NaN has no place in an order and raises ``InvalidError``."""
        n = len(column)
        if n == 0:
            return cls(level=np.empty(0, np.intp), count=0)
        # numpy's default sort is vectorised: 14 ms for a million rows, where a stable one takes 90.
        order = np.argsort(column)
        ordered = column[order]
        if np.isnan(ordered[-1]):
            missing = int(np.count_nonzero(np.isnan(column)))
            raise InvalidError(
                f"{missing:,} of {n:,} values that should be ranked are missing (NaN).",
                "Give every row a number: look for missing values in the target and in the predictions.",
            )
        step = np.empty(n, dtype=np.bool_)
        step[0] = False
        np.not_equal(ordered[1:], ordered[:-1], out=step[1:])
        del ordered  # a million rows are 8 MB; this is where memory peaks
        climbed = step.astype(np.intp)
        climbed.cumsum(out=climbed)
        level = np.empty(n, dtype=np.intp)
        level[order] = climbed
        return cls(level=level, count=int(climbed[-1]) + 1)

    def mass(self, weight: Floats | None, rows: Ints | None = None) -> Mass:
        """Return the number (or weight) of rows on each level, of all rows or of some.

        ``weight`` belongs to all rows, also where only some of them count.
        """
        counts = count_type(len(self.level))
        if weight is None and rows is None and self.count == len(self.level):
            return np.asarray(np.ones(self.count, dtype=counts))
        level = self.level if rows is None else self.level[rows]
        if weight is not None and rows is not None:
            weight = weight[rows]
        found: Mass = np.bincount(level, weights=weight, minlength=self.count)
        return found if weight is not None else np.asarray(found, dtype=counts)

    def spread(self, by_level: Floats) -> Floats:
        """Give each row the number of its level."""
        return by_level[self.level]


# Whole numbers are added up ten times as fast as floats, whose sums have to wait for each other, and exactly.


def middle(mass: Mass, out: Floats | None = None) -> Floats:
    """Return the mass below each level plus half of its own: what a tie counts in rank statistics."""
    below = mass.cumsum(out=None if _counted(mass) else out)
    below *= 2  # twice the mass up to the level, less its own, halved: three passes in place
    below -= mass
    return np.multiply(below, 0.5, out=out if _counted(mass) else below)


def at_or_above(mass: Mass, out: Any = None) -> npt.NDArray[Any]:
    """Return the mass of each level and all higher ones.

    A sum from the top, not the total less a sum from the bottom: the highest levels hold little mass, and
    a difference of large numbers would leave them few right digits. Counts can be added up in place.
    """
    above = np.empty(len(mass), dtype=np.float64) if out is None else out
    if _counted(mass) and not _counted(above):
        above[::-1] = mass[::-1].cumsum()
    else:
        mass[::-1].cumsum(out=above[::-1])
    return above


def _counted(mass: Mass) -> bool:
    """Whether rows were counted, and not weighed."""
    return mass.dtype.kind == "i"
