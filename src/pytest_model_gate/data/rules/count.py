"""Count all rules in one pass over a dataset: only the columns that they look at, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...errors import ModelGateError
from ...hooks import DatasetProtocol
from ...spec import DataRule
from ...wording import did_you_mean, one_line, shorten, some
from ..columns import check_unique
from .by_row import Compare, Levels, Nulls, Range, Refers
from .counted import Counted, named
from .counter import Around, Counter
from .repeats import ConflictingLabels, Duplicates, Unique
from .whole import Balance, Fresh, Located, Rows

if TYPE_CHECKING:
    import pandas as pd

_COUNTERS: Mapping[str, Callable[[DataRule, Around], Counter]] = {
    "nulls": Nulls,
    "range": Range,
    "levels": Levels,
    "unique": Unique,
    "rows": Rows,
    "fresh": Fresh,
    "balance": Balance,
    "duplicates": Duplicates,
    "conflicting_labels": ConflictingLabels,
    "compare": Compare,
    "refers": Refers,
    "mean": Located,
    "quantile": Located,
}


def names_of(data: DatasetProtocol | pd.DataFrame) -> tuple[str, ...]:
    """Return the names of the columns.

    Raises
    ------
    InvalidError
        If two have the same.
    """
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        return tuple(name for name, _ in data.columns)
    names = tuple(str(name) for name in data.columns)
    check_unique(names, "The frame")
    return names


def count(
    rules: Sequence[DataRule], data: DatasetProtocol | pd.DataFrame, around: Around
) -> tuple[Counted, ...]:
    """Return what was counted against each rule, in their order.

    A rule that cannot be counted keeps no other one from being counted.

    Parameters
    ----------
    rules : sequence of DataRule
        The rules.
    data : DatasetProtocol or DataFrame
        The rows.
    around : Around
        What rules may need to know beside them; its ``names`` are those of the columns.
    """
    tasks = [_Task(rule, around) for rule in rules]
    wanted = {name for task in tasks for name in task.columns}
    rows = 0
    for frame in _frames(data, [name for name in around.names if name in wanted]):
        for task in tasks:
            task.add(frame, rows)
        rows += len(frame)
    return tuple(task.counted(rows) for task in tasks)


class _Task:
    """The counter of one rule, until it fails."""

    def __init__(self, rule: DataRule, around: Around) -> None:
        self._rule = rule
        self._counter: Counter | None = None
        self._found: Counted | None = None
        with self._caught():
            counter = _COUNTERS[rule.rule](rule, around)
            absent = [name for name in counter.columns if name not in around.names]
            if absent:
                self._found = _absent(absent[0], rule, around.names)
            else:
                self._counter = counter

    @property
    def columns(self) -> tuple[str, ...]:
        return self._counter.columns if self._counter is not None else ()

    def add(self, frame: pd.DataFrame, start: int) -> None:
        if self._counter is not None:
            with self._caught():
                self._counter.add(frame, start)

    def counted(self, rows: int) -> Counted:
        if self._counter is not None:
            with self._caught():
                self._found = self._counter.counted(rows)
        assert self._found is not None, "unreachable: what has no counter has failed"
        return self._found

    @contextmanager
    def _caught(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - one rule that fails must not hide the others
            self._counter, self._found = None, _uncounted(self._rule, error)


def _frames(data: DatasetProtocol | pd.DataFrame, columns: list[str]) -> Iterator[pd.DataFrame]:
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        yield data
    else:
        yield from data.batches(columns)


def _absent(name: str, rule: DataRule, names: Sequence[str]) -> Counted:
    return Counted(
        subject=shorten(name),
        demand=f"{named(name)} must be there for the rule '{rule.rule}'; the dataset has none of that name",
        rows=0,
        holds=False,
        remedy=did_you_mean(name, names, f"The dataset has: {some(names)}."),
    )


def _uncounted(rule: DataRule, error: Exception) -> Counted:
    """Return why a rule could not be counted: the data do not fit it, or something failed."""
    subject = str(rule.options.get("column") or rule.options.get("left") or "dataset")
    if isinstance(error, ModelGateError):
        return Counted(
            subject=shorten(subject), demand=error.what.rstrip("."), rows=0, holds=False, remedy=error.remedy
        )
    return Counted(
        subject=shorten(subject),
        demand=f"The rule '{rule.rule}' could not be checked: {one_line(error, 100)}",
        rows=0,
        unknown=True,
        remedy="Check what the column holds; if that is as it should be, report this as a bug.",
    )
