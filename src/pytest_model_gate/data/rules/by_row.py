"""Rules that look at one row at a time: missing values, ranges, levels, references, comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidError
from ...redact import redact
from ...spec import DataRule
from ...wording import example, plural, shorten, some
from ..pins import short_digest
from ..table import missing
from ..valuetypes import held
from .counted import SHOWN, Counted, named
from .counter import Around, ByRow, bounds_in_words, must
from .kinds import DATES, NUMBERS, Mask, compared, hashable, kind_of, must_hold, same

if TYPE_CHECKING:
    import pandas as pd

#: More new levels are counted and not kept.
_MOST_LEVELS = 10_000


class Nulls(ByRow):
    """A tolerated share of missing values."""

    def __init__(self, rule: DataRule, around: Around) -> None:  # noqa: ARG002
        column = rule.options["column"]
        super().__init__(
            rule, (column,), must(column, "have a value in every row"), ("has none", "have none"), shown=()
        )

    def breaks(self, frame: pd.DataFrame) -> Mask:
        """Return which rows have no value."""
        return missing(frame[self.columns[0]])


class Range(ByRow):
    """Numbers or dates between two bounds."""

    def __init__(self, rule: DataRule, around: Around) -> None:  # noqa: ARG002
        column = rule.options["column"]
        self._bounds = (("<", rule.options["at_least"]), (">", rule.options["at_most"]))
        words = bounds_in_words(rule.options["at_least"], rule.options["at_most"])
        super().__init__(rule, (column,), must(column, f"be {words}"))

    def breaks(self, frame: pd.DataFrame) -> Mask:
        """Return which rows lie outside."""
        series = frame[self.columns[0]]
        must_hold(series, NUMBERS, DATES, rule="range")
        outside = np.zeros(len(frame), dtype=bool)
        for said, bound in self._bounds:
            if bound is not None:
                outside |= compared(series, said, bound, "range")
        return outside


class Levels(ByRow):
    """Known values only; the alarm says which new ones there are and how often."""

    def __init__(self, rule: DataRule, around: Around) -> None:  # noqa: ARG002
        column = rule.options["column"]
        self._known = {same(value) for value in rule.options["allowed"]}
        self._new: dict[str, int] = {}
        listed = some((example(value) for value in rule.options["allowed"]), 8)
        super().__init__(rule, (column,), must(column, f"be one of {listed}"), shown=())

    def breaks(self, frame: pd.DataFrame) -> Mask:
        """Return which rows have a new level, and count each."""
        codes, values = factorized(frame[self.columns[0]])
        new = np.array([same(value) not in self._known for value in values], dtype=bool)
        if not new.any():
            return np.zeros(len(frame), dtype=bool)
        counts = np.bincount(codes[codes >= 0], minlength=len(values))
        for code in np.flatnonzero(new & (counts > 0)):
            text = example(values[code])
            if text in self._new or len(self._new) < _MOST_LEVELS:
                self._new[text] = self._new.get(text, 0) + int(counts[code])
        # The last answer is that of rows without a value, which have the code -1.
        broken: Mask = np.append(new, False)[codes]
        return broken

    def detail(self) -> str:
        """Return how many new levels there are."""
        more = "or more " if len(self._new) == _MOST_LEVELS else ""
        return f"{len(self._new):,} {more}new level{'s' * (len(self._new) != 1)}"

    def counted(self, rows: int) -> Counted:
        """Return what was counted, with the most frequent new levels as examples."""
        often = sorted(self._new.items(), key=lambda item: (-item[1], item[0]))
        examples = tuple(f"{level} in {plural(count, 'row')}" for level, count in often[: SHOWN + 2])
        return replace(super().counted(rows), examples=examples)


class Refers(ByRow):
    """Values that another dataset knows."""

    def __init__(self, rule: DataRule, around: Around) -> None:
        column, to = rule.options["column"], rule.options["to"]
        key = rule.options["key"] or column
        self._reference = around.references[to, key]
        whole = f"{shorten(redact(to), 80)} ({short_digest(self._reference.digest)})"
        super().__init__(rule, (column,), must(column, f"refer to a '{shorten(key)}' of {whole}"))

    def breaks(self, frame: pd.DataFrame) -> Mask:
        """Return which rows refer to nothing."""
        series, known = frame[self.columns[0]], self._reference.values
        kinds = kind_of(series), kind_of(known)
        if all(kinds) and kinds[0] != kinds[1]:
            raise InvalidError(
                f"{named(self.columns[0])} holds {held(series)}, and what it refers to holds {held(known)}",
                "Give both columns one type.",
            )
        values = hashable(series)
        found = values.isin(known.to_numpy() if known.dtype == series.dtype else known.tolist())
        return ~np.asarray(found, dtype=bool) & ~missing(series)


class Compare(ByRow):
    """A comparison of a column with another one or with a value, where a condition is met."""

    def __init__(self, rule: DataRule, around: Around) -> None:  # noqa: ARG002
        options = rule.options
        self._when = options["when"] or ()
        sides = [name for name in (options["left"], options["right"]) if name is not None]
        tests = [name for item in self._when for name in (item["left"], item.get("right")) if name]
        said = f"{named(options['left'])} must {_in_words(options)}"
        if self._when:
            conditions = " and ".join(f"'{shorten(item['left'])}' {_is(item)}" for item in self._when)
            said += f" where {conditions}"
        shown = tuple(dict.fromkeys(sides))
        super().__init__(rule, tuple(dict.fromkeys([*sides, *tests])), said, shown=shown)

    def breaks(self, frame: pd.DataFrame) -> Mask:
        """Return which rows meet the condition and not the comparison."""
        true, known = _holds(frame, self.rule.options)
        broken = known & ~true
        for condition in self._when:
            met, told = _holds(frame, condition)
            broken &= met & told
        return broken


def _holds(frame: pd.DataFrame, options: Mapping[str, Any]) -> tuple[Mask, Mask]:
    """Return where a comparison is true, and where it can be made because no value is missing."""
    series, said = frame[options["left"]], options["operator"]
    absent = missing(series)
    if said in ("has a value", "is missing"):
        return absent if said == "is missing" else ~absent, np.ones(len(frame), dtype=bool)
    if options.get("right") is not None:
        other = frame[options["right"]]
        return compared(series, said, other, "compare"), ~absent & ~missing(other)
    value = options["value"]
    if said not in ("in", "not in"):
        return compared(series, said, value, "compare"), ~absent
    codes, values = factorized(series)
    wanted = {same(item) for item in value}
    inside = np.append(np.array([same(item) in wanted for item in values], dtype=bool), False)[codes]
    return inside if said == "in" else ~inside, ~absent


def factorized(series: pd.Series[Any]) -> tuple[Any, list[Any]]:
    """Return a code for each row (-1 where no value is) and the value of each code."""
    import pandas as pd

    codes, values = pd.factorize(hashable(series))
    return np.where(missing(series), -1, codes), list(values)


def _in_words(options: Mapping[str, Any]) -> str:
    said = options["operator"]
    if said in ("has a value", "is missing"):
        return "have a value" if said == "has a value" else "be missing"
    words = {"in": "be one of", "not in": "be none of"}.get(said, f"be {said}")
    return f"{words} {_other(options)}"


def _is(options: Mapping[str, Any]) -> str:
    said = options["operator"]
    return said if said in ("has a value", "is missing") else f"{said} {_other(options)}"


def _other(options: Mapping[str, Any]) -> str:
    if options.get("right") is not None:
        return f"'{shorten(options['right'])}'"
    value = options["value"]
    return some((example(item) for item in value), 8) if isinstance(value, tuple) else example(value)
