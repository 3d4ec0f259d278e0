"""The grammar of rules about data: the same in a gate's ``rules`` and in a schema file.

Standard library only.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from .errors import ConfigurationError, did_you_mean
from .spec import DataRule

#: What a comparison may be. Those of the second row look at one column only.
COMPARING = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
ALONE = ("has a value", "is missing")

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week)s?\s*")
_REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a rule: how it is read, what it must be in words, and what it is by default."""

    read: Callable[[Any], Any]
    must: str
    default: Any = None

    @property
    def required(self) -> bool:
        """Whether the rule means nothing without it."""
        return self.default is _REQUIRED


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not items:
        raise ValueError
    return tuple(dict.fromkeys(_text(item) for item in items))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError
    return value


def _bound(value: Any) -> float | str:
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        datetime.datetime.fromisoformat(value)
        return value
    return _number(value)


def _share(value: Any) -> float:
    if isinstance(value, str) and value.strip().endswith("%"):
        value = float(value.strip()[:-1]) / 100
    number = float(_number(value))
    if not 0 <= number <= 1:
        raise ValueError
    return number


def _limit(value: Any) -> int | float:
    """Read so many rows (a whole number), or a share of them (a fraction, or a percentage)."""
    return _count(value) if isinstance(value, int) else _share(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError
    return value


def _level(value: Any) -> float:
    number = float(_number(value))
    if not 0 < number < 1:
        raise ValueError
    return number


def _scalar(value: Any) -> Any:
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if not isinstance(value, (str, int, float)) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError
    return value


def _scalars(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise ValueError
    return tuple(_scalar(item) for item in value)


def _seconds(value: Any) -> float:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    return float(found[1]) * _SECONDS[found[2]]


def _zone(value: Any) -> str:
    try:
        return str(ZoneInfo(_text(value)).key)
    except (OSError, KeyError):  # no such zone is a KeyError, a directory of zones an OSError
        raise ValueError from None


def _shares(value: Any) -> Mapping[str, float]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError
    shares = {_label(label): _share(item) for label, item in value.items()}
    total = math.fsum(shares.values())
    if len(shares) < len(value) or abs(total - 1) > 0.005:
        raise ValueError
    return MappingProxyType({label: share / total for label, share in shares.items()})


def _label(value: Any) -> str:
    """Return a class as text: ``0`` and ``0.0`` are one, and ``True`` is what TOML calls ``true``."""
    found = _scalar(value)
    if isinstance(found, bool):
        return str(found).lower()
    return str(int(found)) if isinstance(found, float) and found.is_integer() else str(found)


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return read


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


_CONDITION = "a table such as { left = 'status', operator = '==', value = 'closed' }, or a list of them"


def _conditions(value: Any) -> tuple[Mapping[str, Any], ...]:
    items = [value] if isinstance(value, Mapping) else value
    if not isinstance(items, (list, tuple)) or not items:
        raise ValueError
    return tuple(_condition(item) for item in items)


def _condition(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or set(value) - {"left", "operator", "right", "value"}:
        raise ValueError
    found = {key: _COMPARISON[key].read(item) for key, item in value.items()}
    if "left" not in found or "operator" not in found or _misfit(found):
        raise ValueError
    return MappingProxyType(found)


def _misfit(found: Mapping[str, Any]) -> str:
    """Return what is wrong with the sides of a comparison. Empty: nothing."""
    operator, sides = found["operator"], [key for key in ("right", "value") if found.get(key) is not None]
    if operator in ALONE:
        return f"takes no {sides[0]} with the operator '{operator}'" if sides else ""
    if len(sides) != 1:
        return "needs either right (a column) or value"
    several = isinstance(found.get("value"), tuple)
    if operator in ("in", "not in"):
        return "" if several else f"needs a list as value with the operator '{operator}'"
    return f"takes one value with the operator '{operator}'" if several else ""


def _value(value: Any) -> Any:
    return _scalars(value) if isinstance(value, (list, tuple)) else _scalar(value)


_OPERATORS = ", ".join(f"'{word}'" for word in (*COMPARING, *ALONE))
_COLUMN = Key(_text, "the name of a column", _REQUIRED)
_COLUMNS = "the name of a column, or a list of them"
_ROWS_OR_SHARE = "a number of rows, a share such as 0.02, or a percentage such as '2%'"
_TOLERATED = Key(_limit, _ROWS_OR_SHARE, 0)
_AT_LEAST, _AT_MOST = Key(_number, "a finite number"), Key(_number, "a finite number")
_COMPARISON: Mapping[str, Key] = {
    "left": _COLUMN,
    "operator": Key(_one_of(*COMPARING, *ALONE), f"one of {_OPERATORS}", _REQUIRED),
    "right": Key(_text, "the name of a column"),
    "value": Key(_value, "a text, a number, true, false, or a list of them"),
}

#: Keys that every rule has.
COMMON: Mapping[str, Key] = {
    "severity": Key(_one_of("fail", "warn"), "'fail' or 'warn'", "fail"),
    "why": Key(_text, "a text", ""),
    "redact": Key(_flag, "true or false", False),
}

#: Every kind of rule, and its own keys.
KINDS: Mapping[str, Mapping[str, Key]] = {
    "nulls": {"column": _COLUMN, "at_most": Key(_limit, _ROWS_OR_SHARE, 0)},
    "range": {
        "column": _COLUMN,
        "at_least": Key(_bound, "a number or an ISO date"),
        "at_most": Key(_bound, "a number or an ISO date"),
        "tolerated": _TOLERATED,
    },
    "levels": {
        "column": _COLUMN,
        "allowed": Key(_scalars, "a list of texts, numbers, true or false", _REQUIRED),
        "tolerated": _TOLERATED,
    },
    "unique": {"columns": Key(_texts, _COLUMNS, _REQUIRED), "tolerated": _TOLERATED},
    "rows": {
        "at_least": Key(_count, "a whole number, 0 or more"),
        "at_most": Key(_count, "a whole number, 0 or more"),
    },
    "fresh": {
        "column": _COLUMN,
        "within": Key(_seconds, "a duration such as '7 days' or '36 hours'", _REQUIRED),
        "ahead": Key(_seconds, "a duration such as '5 minutes'", 0.0),
        "zone": Key(_zone, "a time zone such as 'Europe/Berlin'", "UTC"),
    },
    "balance": {
        "column": _COLUMN,
        "shares": Key(
            _shares, "a table of shares that add up to 1, such as { 0 = 0.78, 1 = 0.22 }", _REQUIRED
        ),
        "tolerance": Key(_share, "a share such as 0.05, or a percentage such as '5%'", _REQUIRED),
        "alpha": Key(_level, "a number between 0 and 1", 0.05),
        "on_unclear": Key(_one_of("warn", "fail"), "'warn' or 'fail'", "warn"),
    },
    "duplicates": {"columns": Key(_texts, _COLUMNS), "at_most": Key(_limit, _ROWS_OR_SHARE, 0)},
    "conflicting_labels": {
        "target": Key(_text, "the name of a column"),
        "columns": Key(_texts, _COLUMNS),
        "without": Key(_texts, _COLUMNS),
        "at_most": Key(_limit, _ROWS_OR_SHARE, 0),
    },
    "compare": {**_COMPARISON, "when": Key(_conditions, _CONDITION), "tolerated": _TOLERATED},
    "refers": {
        "column": _COLUMN,
        "to": Key(_text, "a dataset source such as 'data/countries.csv'", _REQUIRED),
        "key": Key(_text, "the name of a column"),
        "tolerated": _TOLERATED,
    },
    "mean": {"column": _COLUMN, "at_least": _AT_LEAST, "at_most": _AT_MOST},
    "quantile": {
        "column": _COLUMN,
        "q": Key(_share, "a share such as 0.95, or a percentage such as '95%'", _REQUIRED),
        "at_least": _AT_LEAST,
        "at_most": _AT_MOST,
    },
}

_BOUNDED = ("range", "rows", "mean", "quantile")


def read_rules(raw: Any) -> tuple[DataRule, ...]:
    """Return the rules that somebody wrote, checked.

    Parameters
    ----------
    raw : list of mappings
        As TOML, YAML, JSON or a marker has them. A single mapping stands for a list of one.

    Raises
    ------
    ConfigurationError
        Says which rule and which key, what was needed and what came.

    Examples
    --------
    >>> read_rules([{"rule": "nulls", "column": "income", "at_most": "2%"}])[0].options["at_most"]
    0.02
    """
    items = [raw] if isinstance(raw, (Mapping, DataRule)) else raw
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise ConfigurationError(
            f"rules must be a list of tables, got {raw!r:.60}.",
            "Write rules = [{ rule = 'nulls', column = 'income', at_most = 0.02 }].",
        )
    return tuple(
        item if isinstance(item, DataRule) else _rule(item, position)
        for position, item in enumerate(items, start=1)
    )


def _rule(raw: Any, position: int) -> DataRule:
    said = f"rule {position}"
    if not isinstance(raw, Mapping) or "rule" not in raw:
        raise ConfigurationError(
            f"{said} must be a table with the key 'rule', got {raw!r:.60}.", f"Known: {', '.join(KINDS)}."
        )
    kind = raw["rule"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise ConfigurationError(
            f"{said} is of an unknown kind {kind!r:.60}.", did_you_mean(str(kind), KINDS)
        )
    said = f"{said} ({kind})"
    keys = {**KINDS[kind], **COMMON}
    for key in raw:
        if key != "rule" and key not in keys:
            raise ConfigurationError(f"{said} has an unknown key {key!r:.60}.", did_you_mean(str(key), keys))
    found: dict[str, Any] = {}
    for name, key in keys.items():
        if name not in raw:
            if key.required:
                raise ConfigurationError(f"{said} lacks {name}.", f"{name} is {key.must}.")
            found[name] = key.default
            continue
        try:
            found[name] = key.read(raw[name])
        except (ValueError, TypeError, OverflowError):
            raise ConfigurationError(f"{said}: {name} must be {key.must}, got {raw[name]!r:.60}.") from None
    _together(kind, found, said)
    common = {name: found.pop(name) for name in COMMON}
    return DataRule(rule=kind, options=MappingProxyType(found), **common)


def _crossed(low: Any, high: Any) -> bool:
    """Whether a lower bound lies above the upper one, or the two are of different kinds."""
    if isinstance(low, str) is not isinstance(high, str):
        return True
    if not isinstance(low, str):
        return bool(low > high)
    first, last = (datetime.datetime.fromisoformat(bound) for bound in (low, high))
    # With a time zone and without: that can only be told beside the column.
    return (first.tzinfo is None) is (last.tzinfo is None) and first > last


def _together(kind: str, found: Mapping[str, Any], said: str) -> None:
    """Refuse keys that make no sense together."""
    if kind in _BOUNDED:
        low, high = found["at_least"], found["at_most"]
        if low is None and high is None:
            raise ConfigurationError(f"{said} has no bound.", "Give it at_least, at_most or both.")
        if low is not None and high is not None and _crossed(low, high):
            raise ConfigurationError(
                f"{said}: at_least = {low!r} must be no more than at_most = {high!r}.",
                "Swap or correct them.",
            )
    if kind == "compare" and (wrong := _misfit(found)):
        raise ConfigurationError(f"{said} {wrong}.", f"Operators: {_OPERATORS}.")
    if kind == "conflicting_labels" and found["columns"] and found["without"]:
        raise ConfigurationError(f"{said} has both columns and without.", "Keep one of them.")
