"""The names of slice levels: the text of a value as a person would write it, and where it sorts."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidError
from ..wording import shorten, some
from .valuetypes import types_of, value_dtype

if TYPE_CHECKING:
    import pandas as pd

MISSING = "(missing)"
#: Every part of a slice's name has one of these between column and value.
_RELATION = frozenset("=<>")


def quoted(text: str) -> str:
    """Return text in quotes where it could be read as something else in the name of a slice.

    That is what looks like the rows without a value, like quoted text, or like a further column.

    Examples
    --------
    >>> [quoted(text) for text in ("north", "(0, 5]", "(missing)", "x, region=north")]
    ['north', '(0, 5]', "'(missing)'", "'x, region=north'"]
    """
    further = text.split(", ")[1:]
    if text != MISSING and not text.startswith("'") and not any(_RELATION & set(part) for part in further):
        return text
    return in_quotes(text)


def in_quotes(text: str) -> str:
    """Return text in single quotes, with a backslash before what would end them."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def level_names(series: pd.Series[Any], values: Sequence[Any]) -> list[tuple[Any, str]]:
    """Return a sort key and a label for each distinct value of a column.

    ``True``/``False``, ``1`` and not ``1.0`` where all are whole, dates as ISO, text as it is.

    Raises
    ------
    InvalidError
        If the values are of several types: pandas takes ``True`` and ``1`` for the same one.
    """
    dtype: Any = series.dtype
    if getattr(dtype, "ordered", False):
        position = {value: i for i, value in enumerate(dtype.categories)}
        return [(position[value], label) for value, (_, label) in zip(values, _names(values), strict=True)]
    if getattr(value_dtype(series), "kind", "") == "O":
        types = types_of(series)
        if len(types - {"int", "float", "Decimal"}) + bool(types & {"int", "float", "Decimal"}) > 1:
            raise InvalidError(
                f"Column '{shorten(str(series.name))}' mixes types: {some(sorted(types))}.",
                "Give it one type, for example text.",
            )
    return _names(values)


def _names(values: Sequence[Any]) -> list[tuple[Any, str]]:
    whole = all(_is_number(value) and float(value).is_integer() for value in values)
    days = all(_is_midnight(value) for value in values)
    return [(_sortable(value), _label(value, whole=whole, days=days)) for value in values]


def _label(value: Any, *, whole: bool, days: bool) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if _is_number(value):
        # Zero has two signs, and which of them comes first depends on the order of the rows.
        return str(int(value)) if whole else str(value if value else abs(value))
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if days else value.isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return quoted(str(value))


def _sortable(value: Any) -> Any:
    """Return something that sorts among the values of one column: themselves, or their text."""
    return value if hasattr(type(value), "__lt__") and _compares(value) else str(value)


def _compares(value: Any) -> bool:
    try:
        return type(value).__lt__(value, value) is not NotImplemented
    except TypeError:
        return False


def _is_number(value: Any) -> bool:
    import decimal

    return isinstance(value, (int, float, np.integer, np.floating, decimal.Decimal)) and not isinstance(
        value, bool
    )


def _is_midnight(value: Any) -> bool:
    return isinstance(value, datetime.datetime) and value.time() == datetime.time()
