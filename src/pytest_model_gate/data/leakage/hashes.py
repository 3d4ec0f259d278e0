"""Sets of rows by two 64-bit hashes: which rows of a batch stand in the set.

The two hashes of a row have seeds of their own for every column, and text is hashed with two keys, so that
together they are 128 bits: that any of 10 million rows and any of another million agree without being equal
has a chance of about 3e-26. The hash of a row is a sum over its columns: their order does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..mixing import avalanche, column_seed
from .plans import Plan
from .values import Bits, Grid, bits_of

if TYPE_CHECKING:
    import pandas as pd

Positions = npt.NDArray[np.intp]

#: Places of the table that says at once that a row is not in the set, for each of its rows; and at most.
_ROOM, _MOST = 16, 1 << 26


def row_hashes(
    frame: pd.DataFrame, plans: Sequence[Plan], *, salt: int = 0, grid: Grid | None = None
) -> Bits:
    """Return a 64-bit hash of each row."""
    total = np.zeros(len(frame), dtype=np.uint64)
    for item in plans:
        bits = bits_of(frame[item.name], item, salt=salt, grid=grid)
        total += avalanche(bits ^ column_seed(item.name, salt))
    return avalanche(total)


class Sieve:
    """A table that lets all rows of a set pass, and few others."""

    def __init__(self, hashes: Bits) -> None:
        size = max(10, min(_MOST, _ROOM * max(1, len(hashes))).bit_length())
        self._shift = np.uint64(64 - size)
        self._table = np.zeros(1 << size, dtype=bool)
        self._table[hashes >> self._shift] = True

    def passes(self, hashes: Bits) -> npt.NDArray[np.bool_]:
        """Return which may be in the set."""
        return np.asarray(self._table[hashes >> self._shift])


def _order(first: Bits, second: Bits) -> Positions:
    """Return the order by both hashes: nearly always that by the first alone, which is found faster."""
    order: Positions = np.argsort(first)
    one, other = first[order], second[order]
    if ((one[1:] == one[:-1]) & (other[1:] != other[:-1])).any():
        return np.lexsort((second, first))
    return order


class RowSet:
    """The distinct rows of a table by some of its columns.

    Parameters
    ----------
    plans : sequence of Plan
        The columns.
    grid : (int, bool), optional
        How floats are rounded before.
    """

    def __init__(self, plans: Sequence[Plan], grid: Grid | None = None) -> None:
        self.plans, self._grid = tuple(plans), grid
        self._parts: list[tuple[Bits, Bits]] = []
        self._first = self._second = np.empty(0, dtype=np.uint64)
        #: Of each row that was added: the number of its distinct row.
        self.of_row: Positions = np.empty(0, dtype=np.intp)
        #: How many rows of batches were found to be each distinct row.
        self.found: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._sieve = Sieve(self._first)

    def add(self, frame: pd.DataFrame) -> None:
        """Take some rows into the set."""
        self._parts.append((self._hashes(frame, 0), self._hashes(frame, 1)))

    def close(self) -> None:
        """Number the distinct rows; after that, rows can be sought."""
        first, second = (np.concatenate([part[i] for part in self._parts]) for i in (0, 1))
        self._parts = []
        order = _order(first, second)
        first, second = first[order], second[order]
        new = np.ones(len(first), dtype=bool)
        new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
        self.of_row = np.empty(len(first), dtype=np.intp)
        self.of_row[order] = np.cumsum(new) - 1
        self._first, self._second = first[new], second[new]
        self.found = np.zeros(len(self._first), dtype=np.int64)
        self._sieve = Sieve(self._first)

    @property
    def distinct(self) -> int:
        """How many distinct rows there are."""
        return len(self._first)

    def seek(self, frame: pd.DataFrame) -> Positions:
        """Count the rows of a batch that are in the set, and return where in the batch they are."""
        hashes = self._hashes(frame, 0)
        maybe: Positions = np.flatnonzero(self._sieve.passes(hashes))
        place = np.searchsorted(self._first, hashes[maybe])
        place = np.minimum(place, max(0, self.distinct - 1))
        if not len(maybe):
            return maybe
        alike = self._first[place] == hashes[maybe]
        maybe, place = maybe[alike], place[alike]
        if not len(maybe):
            return maybe
        first = hashes[maybe]
        second = self._hashes(frame.iloc[maybe], 1)
        # Rows of the set that share their first hash, one in a million millions, lie side by side.
        while True:
            follows = np.minimum(place + 1, self.distinct - 1)
            more = (self._second[place] != second) & (follows > place) & (self._first[follows] == first)
            if not more.any():
                break
            place = np.where(more, follows, place)
        same = self._second[place] == second
        self.found += np.bincount(place[same], minlength=self.distinct)
        return np.asarray(maybe[same])

    @property
    def rows(self) -> npt.NDArray[np.bool_]:
        """Which of the added rows were found."""
        return self.found[self.of_row] > 0

    def order(self) -> Bits:
        """Return a number for each added row that only its content tells."""
        return self._first[self.of_row]

    def _hashes(self, frame: pd.DataFrame, salt: int) -> Bits:
        return row_hashes(frame, self.plans, salt=salt, grid=self._grid)
