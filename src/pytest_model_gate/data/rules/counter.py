"""A counter per rule: it sees the rows in batches and says at the end what it counted."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ...spec import DataRule
from ...wording import example, shorten
from .counted import SHOWN, Counted, named
from .kinds import Mask

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The values that a column may refer to, and where they come from."""

    values: pd.Series[Any]
    resolved: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Around:
    """What a rule may need to know beside the rows.

    Parameters
    ----------
    now : datetime
        With a time zone.
    target : str
        The gate's target. Empty: none.
    apart : tuple of str
        The gate's own columns, which are no features: key, weights, groups, ….
    references : Mapping
        By (source, key column).
    names : tuple of str
        The columns of the dataset.
    """

    now: datetime.datetime
    target: str = ""
    apart: tuple[str, ...] = ()
    references: Mapping[tuple[str, str], Reference] = field(default_factory=lambda: MappingProxyType({}))
    names: tuple[str, ...] = ()


class Counter(Protocol):
    """Counts one rule."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""

    def add(self, frame: pd.DataFrame, start: int) -> None:
        """Count the rows of a batch, whose first one is row ``start`` of the dataset."""

    def counted(self, rows: int) -> Counted:
        """Return what was counted in all of the rows."""


class ByRow:
    """A rule that looks at one row at a time.

    Parameters
    ----------
    rule : DataRule
        The rule.
    columns : tuple of str
        What it looks at; the first one is the subject.
    demand : str
        The sentence that should be true of every row.
    endings : (str, str)
        What rows do that break it.
    shown : tuple of str, optional
        The columns whose values help to find these rows; all by default.
    """

    def __init__(
        self,
        rule: DataRule,
        columns: tuple[str, ...],
        demand: str,
        endings: tuple[str, str] = ("breaks it", "break it"),
        *,
        shown: tuple[str, ...] | None = None,
    ) -> None:
        self.rule, self.columns = rule, columns
        self._demand, self._endings = demand, endings
        self._shown = columns if shown is None else shown
        self._count = 0
        self._where: list[int] = []
        self._examples: dict[str, None] = {}

    def breaks(self, frame: pd.DataFrame) -> Mask:
        """Return which rows break the rule."""
        raise NotImplementedError

    def add(self, frame: pd.DataFrame, start: int) -> None:
        """Count the rows of a batch."""
        broken = self.breaks(frame)
        self._count += int(np.count_nonzero(broken))
        if len(self._where) < SHOWN or (self._shown and len(self._examples) < SHOWN):
            found = np.flatnonzero(broken)[:1000]
            self._where += [start + int(row) for row in found[: SHOWN - len(self._where)]]
            for values in zip(*(frame[name].iloc[found] for name in self._shown), strict=True):
                if len(self._examples) == SHOWN:
                    break
                self._examples[" and ".join(example(value) for value in values)] = None

    def detail(self) -> str:
        """Return what is said after the count."""
        return ""

    def counted(self, rows: int) -> Counted:
        """Return what was counted."""
        return Counted(
            subject=shorten(self.columns[0]),
            demand=self._demand,
            rows=rows,
            count=self._count,
            limit=self.rule.options.get("tolerated", self.rule.options.get("at_most", 0)),
            endings=self._endings,
            detail=self.detail() if self._count else "",
            examples=tuple(self._examples),
            where=tuple(self._where),
        )


def bounds_in_words(low: Any, high: Any) -> str:
    """Return "between 1 and 2", "at least 1" or "at most 2"."""
    if high is None:
        return f"at least {_bound(low)}"
    return f"at most {_bound(high)}" if low is None else f"between {_bound(low)} and {_bound(high)}"


def _bound(bound: Any) -> str:
    return bound if isinstance(bound, str) else f"{bound:,}"


def must(column: str, what: str) -> str:
    """Return the demand on a column."""
    return f"{named(column)} must {what}"
