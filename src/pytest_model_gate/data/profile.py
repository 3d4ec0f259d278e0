"""What each column of a dataset looks like in a few numbers, so that a change of the data can be read.

Numbers and dates have their ends, and numbers their mean. Of text only the number of different values is
kept: a lock file is read by everybody, and values of text may be names of people.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..hooks import DatasetProtocol

if TYPE_CHECKING:
    import pandas as pd

#: More different values than this are not counted.
MAX_DISTINCT = 1_000
_DIGITS = 6

#: An end of a column: a number, or a date as ISO text.
End = int | float | str

#: The facts of a column, in the order in which they are written.
FACTS = ("missing", "low", "high", "mean", "distinct")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """One column in a few numbers.

    Parameters
    ----------
    name : str
        Which one.
    missing : int
        Rows without a value.
    low, high : number or str, optional
        The ends of numbers, and of dates as ISO text. ``None``: it has none.
    mean : float, optional
        Of numbers, to six digits; of booleans the share that is true.
    distinct : int, optional
        How many different values text has. ``None``: not text, or more than 1,000.
    """

    name: str
    missing: int
    low: End | None = None
    high: End | None = None
    mean: float | None = None
    distinct: int | None = None

    def facts(self) -> Iterator[tuple[str, End]]:
        """Yield what is known, by name, in the order of the lock file."""
        for name in FACTS:
            value = getattr(self, name)
            if value is not None:
                yield name, value


def profile(dataset: DatasetProtocol) -> tuple[ColumnProfile, ...]:
    """Read a whole dataset, batch by batch, and return the profile of each of its columns."""
    tallies = {name: _Tally(name) for name, _ in dataset.columns}
    for frame in dataset.batches():
        for name, tally in tallies.items():
            tally.add(frame[name])
    return tuple(tally.profile() for tally in tallies.values())


class _Tally:
    """One column, so far."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rows = self._missing = 0
        self._ends: list[Any] = []
        self._sums: list[float] = []
        self._values: set[str] | None = None
        self._overflown = False

    def add(self, series: pd.Series[Any]) -> None:
        """Take some more rows."""
        from pandas.api import types

        there = series.dropna()
        self._rows += len(series)
        self._missing += len(series) - len(there)
        if not len(there):
            return
        kind = there.dtype
        if types.is_bool_dtype(kind) or (types.is_numeric_dtype(kind) and not types.is_complex_dtype(kind)):
            numbers = there.to_numpy()
            if not types.is_bool_dtype(kind):
                self._ends += [numbers.min(), numbers.max()]
            with np.errstate(over="ignore", invalid="ignore"):
                self._sums.append(float(np.sum(numbers, dtype=np.float64)))
        elif types.is_datetime64_any_dtype(kind):
            self._ends += [there.min(), there.max()]
        elif isinstance(there.iloc[0], str) and not self._overflown:
            self._values = (self._values or set()) | set(map(str, there.unique()))
            self._overflown = len(self._values) > MAX_DISTINCT

    def profile(self) -> ColumnProfile:
        """Return what is known of all rows."""
        mean = _mean(self._sums, self._rows - self._missing)
        return ColumnProfile(
            name=self._name,
            missing=self._missing,
            low=_end(min(self._ends)) if self._ends else None,
            high=_end(max(self._ends)) if self._ends else None,
            mean=None if mean is None else float(f"{mean:.{_DIGITS}g}"),
            distinct=None if self._overflown or self._values is None else len(self._values),
        )


def _mean(sums: list[float], rows: int) -> float | None:
    """Return the mean; ``None`` where there is none, or one that is no finite number."""
    if not sums or not all(map(math.isfinite, sums)):
        return None
    try:
        return math.fsum(sums) / rows
    except OverflowError:
        return None


def _end(value: Any) -> End:
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    plain = value.item() if hasattr(value, "item") else value
    return plain if isinstance(plain, int) else float(plain)
