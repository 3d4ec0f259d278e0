"""Records as JSON, and back: the only form in which a record leaves its process. Standard library only."""

from __future__ import annotations

import json
import types
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .results import SCHEMA_VERSION, GateRecord

T = TypeVar("T")


def dumps(record: GateRecord, *, indent: int | None = None) -> str:
    """Return a record as one JSON string.

    Raises
    ------
    ValueError
        If a number in it is NaN or infinite: neither is JSON, and neither is a result.
    """
    return json.dumps(to_plain(record), allow_nan=False, ensure_ascii=False, indent=indent)


def loads(text: str) -> GateRecord:
    """Return the record that :func:`dumps` wrote.

    Raises
    ------
    ValueError
        If the text is no record, or one of another schema version.
    """
    plain = json.loads(text)
    version = plain.get("schema_version") if isinstance(plain, dict) else None
    if version != SCHEMA_VERSION:
        raise ValueError(f"a gate record of schema version {SCHEMA_VERSION} was needed, got {version!r}")
    try:
        return from_plain(GateRecord, plain)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a gate record: {error}") from None


def to_plain(value: Any) -> Any:
    """Return a value of ``results`` as dicts, lists and scalars."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if value is None or type(value) in (str, int, float, bool):
        return value
    # A numpy scalar here would cross a process border as something else, or not at all.
    raise TypeError(f"a record holds plain scalars only, got {type(value).__name__}: {value!r}")


def from_plain(kind: type[T], plain: Any) -> T:
    """Return a value of the dataclass ``kind`` from what :func:`to_plain` made of it."""
    hints = _hints(kind)  # type: ignore[arg-type]  # mypy: a type variable is not Hashable
    unknown = set(plain) - set(hints)
    if unknown:
        raise TypeError(f"{kind.__name__} has no field {sorted(unknown)[0]!r}")
    return kind(**{name: _read(hints[name], item) for name, item in plain.items()})


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(hint: Any, plain: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if plain is None:
            return None
        return _read(next(item for item in arguments if item is not type(None)), plain)
    if origin is tuple:
        inner = arguments[0] if len(arguments) == 2 and arguments[1] is Ellipsis else None
        if inner is not None:
            return tuple(_read(inner, item) for item in plain)
        return tuple(_read(item_hint, item) for item_hint, item in zip(arguments, plain, strict=True))
    if origin is Literal:
        if plain not in arguments:
            raise TypeError(f"{plain!r} is none of {arguments}")
        return plain
    if is_dataclass(hint):
        return from_plain(hint, plain)  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(plain)
    if hint is float and type(plain) is int:
        return float(plain)
    if isinstance(hint, type) and not isinstance(plain, hint):
        raise TypeError(f"{hint.__name__} was needed, got {plain!r}")
    return plain
