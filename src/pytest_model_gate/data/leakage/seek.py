"""Seek the rows of a holdout in training data that are read once, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InvalidError
from ...hooks import DatasetProtocol
from ..table import missing
from .hashes import RowSet, Sieve, row_hashes
from .luck import digits_that_tell
from .plans import Plan, plans
from .sought import Asked, Hit, Mask, Sought
from .times import Times
from .values import Bits, Grid, bits_of

if TYPE_CHECKING:
    import pandas as pd

#: So many columns, those with the most values, sort out nearly all rows that are not in the holdout.
_ENOUGH = 3
#: So many rows tell which columns these are.
_LOOKED_AT = 20_000


def seek(
    holdout: Callable[[Sequence[str]], Iterable[pd.DataFrame]],
    training: DatasetProtocol,
    asked: Asked,
    declared: Mapping[str, str],
    progress: Callable[[int], None] | None = None,
) -> Sought:
    """Seek the rows of a holdout in training data.

    Of the holdout 16 bytes a row and way of comparing are kept, of the training data one batch.

    Parameters
    ----------
    holdout : callable
        ``holdout(columns)`` yields its rows.
    training : DatasetProtocol
        Where they are sought.
    asked : Asked
        What is sought; all of its columns must be in both.
    declared : mapping
        Types of the holdout's columns.
    progress : callable, optional
        Is told how many rows of the training data were read.

    Raises
    ------
    InvalidError
        If a column holds in both what can never be equal.
    """
    ours, theirs = iter(holdout(asked.all)), iter(training.batches(asked.all))
    first, other = next(ours), next(theirs)
    types = (declared, dict(training.columns))
    for purpose, names in (("key", asked.key), ("groups", (asked.groups,)), ("time", (asked.time,))):
        # Before the features: what is named for a purpose is refused for that purpose.
        plans(tuple(name for name in names if name), first, other, types, purpose)
    columns = plans(asked.columns, first, other, types)
    luck = None
    if asked.near is not None and any(item.kind == "float" for item in columns):
        size = sum(len(frame) for frame in holdout([]))
        luck = digits_that_tell(
            holdout(asked.columns), columns, asked.near, rows=size, training_rows=training.rows
        )
    digits, by_chance = luck if luck is not None else (None, 0.0)
    work = _Work.of(asked, columns, digits, first, other, types)
    rows = 0
    for frame in chain([first], ours):
        rows += len(frame)
        work.add(frame)
    work.close()
    del first
    seen = 0
    for frame in chain([other], theirs):
        seen += len(frame)
        work.seek(frame)
        if progress is not None:
            progress(seen)
    return replace(work.answer(rows, seen), digits=digits, chance=by_chance)


class _Named:
    """Keys or groups of the holdout; rows that have none are counted, and are nobody's."""

    def __init__(self, columns: tuple[Plan, ...]) -> None:
        self._set = RowSet(columns)
        self._missing = [0, 0]

    def add(self, frame: pd.DataFrame) -> None:
        """Take some rows of the holdout."""
        self._missing[0] += int(self._absent(frame).sum())
        self._set.add(frame)

    def close(self) -> None:
        """Finish the set."""
        self._set.close()

    def seek(self, frame: pd.DataFrame) -> None:
        """Seek some rows of the training data."""
        absent = self._absent(frame)
        self._missing[1] += int(absent.sum())
        self._set.seek(frame[~absent] if absent.any() else frame)

    def hit(self) -> Hit:
        """Return what was found."""
        found = _hit(self._set)
        assert found is not None, "there is a set"
        return replace(found, missing=(self._missing[0], self._missing[1]))

    def _absent(self, frame: pd.DataFrame) -> Mask:
        absent = np.zeros(len(frame), dtype=bool)
        for item in self._set.plans:
            absent |= missing(frame[item.name])
        return absent


class _Work:
    """The sets of rows of one search."""

    def __init__(
        self,
        columns: tuple[Plan, ...],
        target: tuple[Plan, ...],
        singles: Mapping[str, _Named],
        times: Times | None,
        near: int | None,
    ) -> None:
        self.columns, self._singles, self._times = columns, singles, times
        self._grids: list[Grid] = [] if near is None else [(near, False), (near, True)]
        #: How the few telling columns are rounded: what nearly agrees must not be sorted out.
        self._first_looks: list[Grid | None] = [*self._grids] or [None]
        self._rows: dict[str, RowSet] = {}
        if columns:
            self._rows["exact"] = RowSet(columns)
            if target:
                self._rows["labelled"] = RowSet((*columns, *target))
            self._rows |= {f"near {i}": RowSet(columns, grid) for i, grid in enumerate(self._grids)}
        self._few: tuple[Plan, ...] = ()
        self._sieves: list[tuple[Grid | None, Sieve]] = []
        self._few_hashes: list[list[Bits]] = []

    @classmethod
    def of(
        cls,
        asked: Asked,
        columns: tuple[Plan, ...],
        near: int | None,
        ours: pd.DataFrame,
        theirs: pd.DataFrame,
        types: tuple[Mapping[str, str], Mapping[str, str]],
    ) -> _Work:
        """Return the sets that are needed, told by the first rows of both sides."""
        try:
            target = plans((asked.target,), ours, theirs, types) if asked.target else ()
        except InvalidError:
            target = ()  # labels that cannot be equal are not compared; the columns are
        singles = {
            purpose: _Named(plans(names, ours, theirs, types, purpose))
            for purpose, names in (("key", asked.key), ("groups", (asked.groups,) if asked.groups else ()))
            if names
        }
        times = None
        if asked.time:
            times = Times(plans((asked.time,), ours, theirs, types, "time")[0])
        return cls(columns, target, singles, times, near)

    def add(self, frame: pd.DataFrame) -> None:
        """Take some rows of the holdout."""
        for rows in self._rows.values():
            rows.add(frame)
        for named in self._singles.values():
            named.add(frame)
        if self._times is not None:
            self._times.add(frame)
        if not self.columns:
            return
        if not self._few:
            self._few = _telling(frame, self.columns)
            self._few_hashes = [[] for _ in self._first_looks]
        for found, grid in zip(self._few_hashes, self._first_looks, strict=True):
            found.append(row_hashes(frame, self._few, grid=grid))

    def close(self) -> None:
        """Finish the sets."""
        for rows in self._rows.values():
            rows.close()
        for named in self._singles.values():
            named.close()
        if self._times is not None:
            self._times.close()
        self._sieves = [
            (grid, Sieve(np.concatenate(found)))
            for grid, found in zip(self._first_looks, self._few_hashes, strict=False)
        ]
        self._few_hashes = []

    def seek(self, frame: pd.DataFrame) -> None:
        """Seek some rows of the training data."""
        for named in self._singles.values():
            named.seek(frame)
        if self._times is not None:
            self._times.seek(frame)
        if not self.columns:
            return
        for place, (grid, sieve) in enumerate(self._sieves):
            some = np.flatnonzero(sieve.passes(row_hashes(frame, self._few, grid=grid)))
            if not len(some):
                continue
            part = frame.iloc[some]
            if place == 0:  # what is equal is equal when it is rounded
                found = self._rows["exact"].seek(part)
                if "labelled" in self._rows and len(found):
                    self._rows["labelled"].seek(part.iloc[found])
            if grid is not None:
                self._rows[f"near {place}"].seek(part)

    def answer(self, rows: int, training_rows: int) -> Sought:
        """Return what was found."""
        exact = _hit(self._rows.get("exact"))
        near = None
        if exact is not None and self._grids:
            grids = [self._rows[f"near {i}"] for i in range(len(self._grids))]
            close = (grids[0].rows | grids[1].rows) & ~exact.rows
            near = Hit(close, len(np.unique(self._rows["exact"].of_row[close])), None, exact.order)
        counts = np.bincount(self._rows["exact"].of_row) if exact is not None else np.empty(0, dtype=np.intp)
        return Sought(
            rows=rows,
            training_rows=training_rows,
            plans=self.columns,
            exact=exact,
            labelled=_hit(self._rows.get("labelled")),
            near=near,
            key=self._singles["key"].hit() if "key" in self._singles else None,
            groups=self._singles["groups"].hit() if "groups" in self._singles else None,
            times=self._times,
            repeated=int(counts[counts > 1].sum()),
        )


def _hit(rows: RowSet | None) -> Hit | None:
    if rows is None:
        return None
    return Hit(rows.rows, int((rows.found > 0).sum()), int(rows.found.sum()), rows.order())


def _telling(frame: pd.DataFrame, columns: Sequence[Plan]) -> tuple[Plan, ...]:
    """Return the columns with the most values, by the first rows."""
    some = frame.iloc[:_LOOKED_AT]
    sizes = [len(np.unique(bits_of(some[item.name], item))) for item in columns]
    order = sorted(range(len(columns)), key=lambda place: -sizes[place])
    return tuple(columns[place] for place in order[:_ENOUGH])
