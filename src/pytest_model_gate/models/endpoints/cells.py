"""The values of a column as JSON can carry them, and what it cannot carry."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ...errors import InvalidError
from ...wording import plural, shorten

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "whole", "truth", "text", "time"]


class Cells(NamedTuple):
    """A column as JSON values; a missing one is ``None``.

    Parameters
    ----------
    kind : str
        What they are.
    width : int
        Bits of a number.
    signed : bool
        Whether whole numbers may be negative.
    values : list
        One for each row.
    """

    kind: Kind
    width: int
    signed: bool
    values: list[Any]


def cells_of(name: str, column: pd.Series[Any], source: str) -> Cells:
    """Return a column's values for JSON: numbers to their last digit, times as ISO 8601 says.

    A whole number stays whole, however large. A category is the value that it stands for.

    Raises
    ------
    InvalidError
        For what JSON has no form for: infinity, bytes, lists.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        of = column.cat.categories
        column = column.astype(of.dtype if not column.hasnans or of.dtype.kind not in "iub" else object)
    kind = column.dtype.kind
    if kind == "b" and isinstance(column.dtype, np.dtype):
        return Cells("truth", 8, True, column.tolist())
    if kind in "iu" and isinstance(column.dtype, np.dtype):
        return Cells("whole", 8 * column.dtype.itemsize, kind != "u", column.tolist())
    if kind == "f" and isinstance(column.dtype, np.dtype):
        infinite = int(np.isinf(column.to_numpy()).sum())
        if infinite:
            raise _cannot(name, source, f"has {plural(infinite, 'infinite number')}")
        values = [None if math.isnan(value) else value for value in column.tolist()]
        return Cells("number", 8 * column.dtype.itemsize, True, values)
    if kind == "M":
        missing = column.isna().to_numpy()
        values = [None if gone else item.isoformat() for item, gone in zip(column, missing, strict=True)]
        return Cells("time", 64, True, values)
    return _of_objects(name, column, source)


def _of_objects(name: str, column: pd.Series[Any], source: str) -> Cells:
    """Look at each value of text, and of what pandas keeps as objects."""
    missing = column.isna().to_numpy()
    found = [None if gone else _plain(item) for item, gone in zip(column.tolist(), missing, strict=True)]
    types = {type(item) for item in found if item is not None}
    if types <= {str}:
        return Cells("text", 0, True, found)
    if types == {bool}:
        return Cells("truth", 8, True, found)
    if types == {int}:
        return Cells("whole", 64, True, found)
    if types <= {int, float}:
        infinite = sum(isinstance(item, float) and item in (float("inf"), -float("inf")) for item in found)
        if infinite:
            raise _cannot(name, source, f"has {plural(infinite, 'infinite number')}")
        return Cells("number", 64, True, [None if item is None else float(item) for item in found])
    if types <= {dt.date, dt.datetime}:
        return Cells("time", 64, True, [None if item is None else item.isoformat() for item in found])
    kinds = ", ".join(sorted(shorten(kind.__name__) for kind in types)[:3])
    raise _cannot(name, source, f"has values of type {kinds}")


def _plain(item: Any) -> Any:
    item = item.item() if isinstance(item, np.generic) else item
    return str(item) if isinstance(item, str) else item


def _cannot(name: str, source: str, what: str) -> InvalidError:
    return InvalidError(
        f"Column '{shorten(name, 120)}' {what}, which JSON cannot carry to '{source}'.",
        "Numbers, text, truth values and times can be sent: make it one of these, or leave it out.",
    )
