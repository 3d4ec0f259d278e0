"""What a schema can be inferred from: facts about the columns of reference data, as rules for the next data.

The form is pandera's, so that pandera does the checking. What it has no form for (a share of missing values,
the balance of classes, a number of rows) becomes rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ConfigurationError
from ...wording import did_you_mean, plural, share, shorten, some
from ..rules.kinds import DATES, NUMBERS, TEXT, hashable, kind_of, label
from ..table import missing
from ..valuetypes import held, value_dtype

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]

#: A column of text with more values is left open, and a target with more is no class.
MOST_LEVELS = 20
#: Longer texts are no levels.
_LONGEST_LEVEL = 100
#: With fewer rows than this, values that differ prove no key.
_KEY_ROWS = 100
#: How much larger a share of missing values may be than it was.
_MARGIN = 1.2
#: How far the shares of classes may be from what they were.
BALANCE_TOLERANCE = 0.05


@dataclass(frozen=True, kw_only=True)
class Column:
    """What the schema says of one column.

    Parameters
    ----------
    name : str
        Its name.
    keys : Mapping
        pandera's keys.
    checks : Mapping
        pandera's checks.
    notes : tuple of str
        Comments for the reader who reviews it.
    """

    name: str
    keys: Mapping[str, Any]
    checks: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One entry of ``rules``, and the comment above it."""

    keys: Mapping[str, Any]
    note: str


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """Columns and rules."""

    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]


def infer(frame: pd.DataFrame, target: str = "") -> Inferred:
    """Return the schema that describes a frame.

    Parameters
    ----------
    frame : DataFrame
        The reference data; names of columns are text and differ.
    target : str
        The column with the classes, whose balance becomes a rule. Empty: none.

    Raises
    ------
    ConfigurationError
        If there is no such target, or there are no rows.
    """
    if target and target not in frame.columns:
        names = [str(name) for name in frame.columns]
        raise ConfigurationError(
            f"The dataset has no column '{shorten(target)}'.",
            did_you_mean(target, names, f"It has: {some(names)}."),
        )
    if not len(frame):
        raise ConfigurationError(
            "The dataset has no rows, so nothing can be inferred from it.", "Name reference data."
        )
    columns = tuple(_column(frame[name], is_target=name == target) for name in frame.columns)
    return Inferred(columns=columns, rules=tuple(_rules(frame, target)))


def _column(series: Series, *, is_target: bool) -> Column:
    nulls = int(missing(series).sum())
    present = series[~missing(series)]
    keys: dict[str, Any] = {}
    notes: list[str] = []
    dtype = str(series.dtype)
    kind = kind_of(series)
    truth = kind == NUMBERS and _is_truth(present)
    if not len(present):
        return Column(
            name=str(series.name), keys={"nullable": True}, notes=("no row has a value: nothing is known",)
        )
    if nulls and kind == NUMBERS and (truth or _is_whole(present)) and _changes_with_nulls(series):
        what = "true or false" if truth else "whole numbers"
        notes.append(f"{what}; the type is left open, because pandas gives them another one without nulls")
    elif dtype == "object" and kind != TEXT:
        notes.append(f"{held(series)}: pandera has no name for that type, so it is left open")
    else:
        keys["dtype"] = dtype
    keys["nullable"] = bool(nulls)
    if nulls:
        have = "has" if nulls == 1 else "have"
        notes.append(f"{share(nulls, len(series))} {have} no value")
    checks = _checks(present, kind, notes, is_target=is_target, truth=truth)
    if not nulls and not is_target and _is_key(present, kind):
        keys["unique"] = True
        notes.append("every row has another value; a key moves on, so it has no range")
        checks = {}
    return Column(name=str(series.name), keys=keys, checks=checks, notes=tuple(notes))


def _checks(present: Series, kind: str, notes: list[str], *, is_target: bool, truth: bool) -> dict[str, Any]:
    """Return pandera's checks for the values of a column, and add what a reader should know."""
    if is_target or kind == TEXT or _is_categorical(present):
        levels = _levels(present)
        if levels is not None and (kind in (TEXT, NUMBERS)):
            return {"isin": levels}
        if kind == TEXT:
            notes.append(f"{hashable(present).nunique():,} different values: left open")
            return {}
    if truth:
        return {}
    if kind == NUMBERS and getattr(value_dtype(present), "kind", "O") in "iuf":
        return _range(present, notes)
    if kind == DATES:
        notes.append(
            f"from {present.min()} to {present.max()}; dates move on, so there is no range: a rule 'fresh' "
            "says how old they may be"
        )
    return {}


def _range(present: Series, notes: list[str]) -> dict[str, Any]:
    low, high = present.min(), present.max()
    if not (math.isfinite(low) and math.isfinite(high)):
        notes.append("some values are infinite: there is no range")
        return {}
    if low == high:
        notes.append("every value is the same")
    return {"in_range": {"min_value": _plain(low), "max_value": _plain(high)}}


def _levels(present: Series) -> list[Any] | None:
    """Return the values of a column that names subsets; ``None`` where they are too many or no names."""
    values = hashable(present).unique().tolist()
    if len(values) > MOST_LEVELS or (len(values) > max(2, len(present) // 2)):
        return None
    if any(isinstance(value, str) and not _is_name(value) for value in values):
        return None
    plain = [_plain(value) for value in values]
    if not all(isinstance(value, (str, int, float)) for value in plain):
        return None
    if any(isinstance(value, float) and not math.isfinite(value) for value in plain):
        return None
    return sorted(plain, key=lambda value: (isinstance(value, str), value))


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST_LEVEL and all(c < "\ud800" or c > "\udfff" for c in text)


def _is_truth(present: Series) -> bool:
    return len(present) > 0 and all(isinstance(value, (bool, np.bool_)) for value in present.unique()[:3])


def _is_whole(present: Series) -> bool:
    kind = getattr(value_dtype(present), "kind", "O")
    return kind in "iu" or (kind == "f" and bool((present == present.round()).all()))


def _changes_with_nulls(series: Series) -> bool:
    """Whether it is a plain numpy type, whose integers and booleans cannot be missing."""
    return isinstance(series.dtype, np.dtype)


def _is_categorical(series: Series) -> bool:
    return hasattr(series.dtype, "categories")


def _is_key(present: Series, kind: str) -> bool:
    if len(present) < _KEY_ROWS or kind not in (NUMBERS, TEXT):
        return False
    return (kind == TEXT or _is_whole(present)) and bool(hashable(present).is_unique)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _rules(frame: pd.DataFrame, target: str) -> Iterator[Rule]:
    rows = len(frame)
    yield Rule(
        keys={"rule": "rows", "at_least": max(1, rows // 2)},
        note=f"there were {plural(rows, 'row')}; half as many are asked for",
    )
    for name in frame.columns:
        nulls = int(missing(frame[name]).sum())
        if 0 < nulls < rows:
            at_most = _rounded_up(min(1.0, nulls / rows * _MARGIN))
            yield Rule(
                keys={"rule": "nulls", "column": str(name), "at_most": at_most},
                note=f"{_percent(nulls / rows)} had no value, and up to a fifth more may",
            )
    if target:
        yield from _balance(frame[target])


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.3g}%"


def _rounded_up(number: float) -> float:
    """Return two significant digits, no smaller than the number."""
    step = 10.0 ** (math.floor(math.log10(number)) - 1)
    found = float(f"{math.ceil(number / step - 1e-9) * step:.12g}")
    return min(1.0, found if found >= number else float(f"{found + step:.12g}"))


def _balance(series: Series) -> Iterator[Rule]:
    present = series[~missing(series)]
    levels = _levels(present) if kind_of(series) in (TEXT, NUMBERS) else None
    if not len(present) or levels is None:
        return
    counts: dict[str, int] = {}
    for value, count in hashable(present).value_counts().items():
        name = label(value)
        counts[name] = counts.get(name, 0) + int(count)
    names = sorted(counts)
    total = sum(counts.values())
    # In ten-thousandths that add up to one: those that lose most by rounding down get what is left.
    units = {name: counts[name] * 10_000 // total for name in names}
    lost = sorted(names, key=lambda name: (-(counts[name] * 10_000 % total), name))
    for name in lost[: 10_000 - sum(units.values())]:
        units[name] += 1
    shares = {name: units[name] / 10_000 for name in names}
    only = "; it is only one class" if len(names) == 1 else ""
    yield Rule(
        keys={
            "rule": "balance",
            "column": str(series.name),
            "shares": shares,
            "tolerance": BALANCE_TOLERANCE,
        },
        note=f"the classes of {plural(total, 'row')}{only}; so many of the rows may have another class",
    )
