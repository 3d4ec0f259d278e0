"""How the values of one column in two datasets are compared: as what both sides can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ...errors import InvalidError
from ...wording import shorten
from ..valuetypes import types_of, value_dtype

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["int", "float", "decimal", "text", "date", "zoned", "duration", "other", "nothing"]

_WORDS: Mapping[Kind, str] = {
    "int": "whole numbers",
    "float": "numbers",
    "decimal": "decimal numbers",
    "text": "text",
    "date": "dates without a time zone",
    "zoned": "dates with a time zone",
    "duration": "durations",
    "other": "other values",
    "nothing": "nothing",
}
#: What the names of types begin with, where pandas only says "object".
_NAMED: tuple[tuple[str, Kind], ...] = (
    ("string", "text"),
    ("bool", "int"),
    ("int", "int"),
    ("uint", "int"),
    ("float", "float"),
    ("decimal", "decimal"),
    ("date", "date"),
    ("timestamp", "date"),
    ("duration", "duration"),
    ("null", "nothing"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """What one side's column holds, and how many bits its floats have."""

    kind: Kind
    bits: int = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """How one column is compared.

    Parameters
    ----------
    name : str
        The column.
    kind : str
        What both sides are taken for.
    bits : int
        Of floats: the fewest that a side has, because the other one's further digits are lost there.
    """

    name: str
    kind: Kind
    bits: int = 64


def holds(series: pd.Series[Any], declared: str) -> Held:
    """Return what a column holds, by its pandas type, its declared type, and last by looking.

    Parameters
    ----------
    series : Series
        Some rows.
    declared : str
        The type in the ``columns`` of its dataset.
    """
    dtype = value_dtype(series)
    kind = getattr(dtype, "kind", "O")
    named = declared.removeprefix("ordered ").removeprefix("category[")
    if kind in "biu":
        return Held("int")
    if kind == "f":
        return Held("float", 8 * int(getattr(dtype, "itemsize", 8)))
    if kind == "M":
        zoned = getattr(dtype, "tz", None) is not None or "tz=" in named
        return Held("zoned" if zoned else "date")
    if kind == "m":
        return Held("duration")
    if str(dtype).partition("[")[0] in ("str", "string", "large_string"):
        return Held("text")  # also where these very rows have none
    for start, found in _NAMED:
        if named.startswith(start):
            return Held("zoned" if found == "date" and "tz=" in named else found)
    return _looked_at(series)


def _looked_at(series: pd.Series[Any]) -> Held:
    types = types_of(series)
    if not types:
        return Held("nothing")
    for known, kind in _BY_TYPE:
        if types <= known:
            return Held(kind)
    return Held("other")


_BY_TYPE: tuple[tuple[frozenset[str], Kind], ...] = (
    (frozenset({"str"}), "text"),
    (frozenset({"bool", "int"}), "int"),
    (frozenset({"bool", "int", "float"}), "float"),
    (frozenset({"int", "Decimal"}), "decimal"),
    (frozenset({"date", "datetime", "Timestamp"}), "date"),
    (frozenset({"timedelta", "Timedelta"}), "duration"),
)


def plan(name: str, one: Held, other: Held, purpose: str = "") -> Plan:
    """Return how a column of two datasets is compared.

    Parameters
    ----------
    name : str
        The column.
    one, other : Held
        What the holdout and the training data hold.
    purpose : str
        What the column is for, in messages. Empty: a feature.

    Raises
    ------
    InvalidError
        If the two hold what can never be equal: text and numbers, dates with and without a time zone.
    """
    kinds = {one.kind, other.kind}
    if len(kinds) == 1:
        return Plan(name, one.kind, min(one.bits, other.bits))
    if kinds <= {"int", "float", "decimal"}:
        # A float cannot hold every whole number: above 2**53 the sides agree as far as it can.
        return Plan(name, "float" if "float" in kinds else "decimal", min(one.bits, other.bits))
    said = f"'{shorten(name)}'" + (f" ({purpose})" if purpose else "")
    way_out = "Store the column alike in both" + (
        "." if purpose else f', or leave it out: leakage = {{ ..., ignore = ["{shorten(name)}"] }}.'
    )
    raise InvalidError(
        f"Column {said} holds {_WORDS[one.kind]} in the holdout and {_WORDS[other.kind]} in the training "
        + (
            "data: which came first cannot be told."
            if purpose == "time"
            else "data, which are never equal: that no row is found would mean nothing."
        ),
        way_out,
    )


def plans(
    names: tuple[str, ...],
    holdout: pd.DataFrame,
    training: pd.DataFrame,
    declared: tuple[Mapping[str, str], Mapping[str, str]],
    purpose: str = "",
) -> tuple[Plan, ...]:
    """Return how columns are compared, told by some rows of both sides and their declared types."""
    return tuple(
        plan(
            name,
            holds(holdout[name], declared[0].get(name, "")),
            holds(training[name], declared[1].get(name, "")),
            purpose,
        )
        for name in names
    )
