"""What a slice is cut by, as users write it: columns, crossings and bins, checked before any data is read.

Standard library only.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from .spec import CROSS, Bins, SliceSpec

#: More columns at once leave a handful of rows in each slice.
MAX_COLUMNS = 3
#: More groups than this are no groups.
MAX_GROUPS = 100


def sliced_by(value: Any) -> str | tuple[str, ...]:
    """Return what ``by`` holds: a column, a crossing, or a list of columns.

    Raises
    ------
    ValueError
        Says what it may hold.
    """
    if not isinstance(value, (str, list, tuple)):
        raise ValueError(f"must be a column or a list of columns, got {value!r}")
    by = value if isinstance(value, str) else tuple(value)
    if not by or not all(isinstance(name, str) for name in by):
        raise ValueError(f"must be a column or a list of columns, got {value!r}")
    columns = SliceSpec(by=by).columns
    if not all(columns):
        raise ValueError(f"must name a column on each side of {CROSS!r}, got {value!r}")
    if len(columns) > MAX_COLUMNS:
        raise ValueError(f"must cross at most {MAX_COLUMNS} columns, got {len(columns)}: {value!r}")
    if len(set(columns)) < len(columns):
        raise ValueError(f"must name each column once, got {value!r}")
    return by


def bins_of(value: Any) -> Any:
    """Return bins with their edges as numbers or ISO dates; a table by column stays one.

    Raises
    ------
    ValueError
        Says what bins may hold.
    """
    if isinstance(value, Mapping):
        return {str(column): _bins(item, f"{column}: ") for column, item in value.items()}
    return _bins(value, "")


def bins_by_column(bins: Any, columns: tuple[str, ...]) -> dict[str, Bins]:
    """Return the bins of each column; those of a single column need no name.

    Raises
    ------
    ValueError
        If they could be meant for several columns, or for none.
    """
    if not isinstance(bins, Mapping):
        if len(columns) > 1:
            raise ValueError(
                "bins of a crossing name their column, for example "
                f"bins = {{ {columns[-1]} = {_written(bins)} }}"
            )
        return {columns[0]: bins}
    for column in bins:
        if column not in columns:
            raise ValueError(f"bins name {column!r}, and by names {', '.join(map(repr, columns))}")
    return dict(bins)


def _bins(value: Any, where: str) -> Bins:
    if isinstance(value, int) and not isinstance(value, bool):
        if not 2 <= value <= MAX_GROUPS:
            raise ValueError(f"{where}must be 2 to {MAX_GROUPS} groups, or a list of edges, got {value}")
        return value
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{where}must be a list of edges, or a number of groups, got {value!r}")
    if len(value) < 2:
        raise ValueError(
            f"{where}must have at least 2 edges, got {_written(value)}; what lies below the first and from "
            "the last on are slices of their own"
        )
    edges = tuple(_edge(edge, where) for edge in value)
    if len({isinstance(edge, str) for edge in edges}) > 1:
        raise ValueError(f"{where}must have edges that are all numbers or all dates, got {_written(value)}")
    # Whole days and instants compare as they read only where both are written alike.
    keys: list[Any] = [_moment(edge) if isinstance(edge, str) else edge for edge in edges]
    if any(not low < high for low, high in pairwise(keys)):
        raise ValueError(f"{where}must have edges in ascending order, each once, got {_written(value)}")
    return edges


def _edge(value: Any, where: str) -> float | str:
    if isinstance(value, datetime.date):  # also a datetime; TOML has both
        return value.isoformat()
    if isinstance(value, str):
        try:
            _moment(value)
        except ValueError:
            raise ValueError(
                f"{where}must have edges that are numbers or dates such as 2030-01-31, got {value!r}"
            ) from None
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{where}must have edges that are numbers or dates, got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{where}must have finite edges, got {value!r}; outer slices have no end anyway")
    return value


def _moment(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text)
    if found.tzinfo is not None:
        raise ValueError("a zone belongs to the column")
    return found


def _written(value: Any) -> str:
    return str(list(value)) if isinstance(value, (list, tuple)) else str(value)
