"""How columns are compared with what a rule says: by what they hold, whatever type pandas gave them."""

from __future__ import annotations

import datetime
import decimal
import math
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import InvalidError
from ...wording import shorten
from ..table import missing
from ..valuetypes import held, types_of, value_dtype

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]

Mask = npt.NDArray[np.bool_]

NUMBERS, DATES, TEXT, OTHER = "numbers", "dates", "text", "other"

_NUMERIC = {"int", "float", "Decimal", "bool"}
_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def kind_of(series: Series) -> str:
    """Return what a column holds: numbers (truth values too), dates, text or anything else.

    A column without any value holds everything: no rule on values can be broken by it.
    """
    kind = getattr(value_dtype(series), "kind", "O")
    if kind in "biuf":
        return NUMBERS
    if kind == "M":
        return DATES
    types = types_of(series)
    if types and types <= _NUMERIC:
        return NUMBERS
    if types and types <= {"date", "datetime", "Timestamp"}:
        return DATES
    return TEXT if types == {"str"} else OTHER if types else ""


def must_hold(series: Series, *kinds: str, rule: str) -> str:
    """Return what a column holds.

    Raises
    ------
    InvalidError
        If it holds something else.
    """
    kind = kind_of(series)
    if kind and kind not in kinds:
        raise InvalidError(
            f"Column '{shorten(str(series.name))}' must hold {' or '.join(kinds)} for the rule '{rule}', "
            f"got {held(series)}",
            "Store the column with that type, or correct the rule.",
        )
    return kind


def compared(series: Series, said: str, other: Any, rule: str) -> Mask:
    """Return for which rows ``series OPERATOR other`` is true; where a value is missing it is not.

    Parameters
    ----------
    series : Series
        The left side.
    said : str
        The operator: ``"<="``.
    other : scalar or Series
        The right side. A text that is compared with dates is an ISO date.
    rule : str
        For messages.

    Raises
    ------
    InvalidError
        If the two sides cannot be compared.
    """
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype) and not isinstance(other, pd.Series):
        # One look at each category, and each row takes its answer.
        of_categories = compared(pd.Series(series.cat.categories, name=series.name), said, other, rule)
        return np.append(of_categories, False)[series.cat.codes.to_numpy()]
    left_kind = kind_of(series)
    if isinstance(other, pd.Series):
        right_kind = kind_of(other)
        other = _plain(other, right_kind)
    else:
        right_kind = TEXT if isinstance(other, str) else NUMBERS
        if left_kind == DATES and right_kind == TEXT:
            other, right_kind = _moment(other, series), DATES
    if left_kind and right_kind and left_kind != right_kind:
        raise InvalidError(
            f"Column '{shorten(str(series.name))}' holds {held(series)}, and the rule '{rule}' compares it "
            f"with {right_kind}",
            "Give both sides one type, or correct the rule.",
        )
    if not left_kind or not right_kind:
        return np.zeros(len(series), dtype=bool)
    left = _plain(series, left_kind)
    if isinstance(other, float) and getattr(left.dtype, "kind", "") in "iu":
        said, other = _whole(said, other)
        if other is None:
            return np.full(len(series), said == "!=")
    known = ~missing(series)
    if isinstance(other, pd.Series):
        known &= ~missing(other)
        left, other = _alike(left, other)
    operation = _OPERATIONS[said]
    if any(getattr(side, "dtype", "") == "object" for side in (left, other)):
        return _one_by_one(left, operation, other, known)
    return np.asarray(pd.Series(operation(left, other)).fillna(False), dtype=bool) & known


def _plain(series: Series, kind: str) -> Series:
    """Return a column without its categories, and dates as timestamps."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if kind == DATES and not is_timestamps(series):
        # As objects first: pandas leaves Arrow's dates as they are.
        series = pd.to_datetime(series.astype(object))
    return series


def is_timestamps(series: Series) -> bool:
    """Whether a column holds timestamps; Arrow's dates claim to be some."""
    dtype = series.dtype
    return getattr(dtype, "kind", "O") == "M" and not str(dtype).startswith(("date32", "date64"))


def _alike(left: Series, right: Series) -> tuple[Series, Series]:
    """Return two columns that pandas compares: aware dates with aware ones, integers without rounding."""
    aware = [getattr(side.dtype, "tz", None) for side in (left, right)]
    if (aware[0] is None) is not (aware[1] is None):
        if aware[0] is None:
            left = left.dt.tz_localize("UTC")
        else:
            right = right.dt.tz_localize("UTC")
    kinds = {getattr(side.dtype, "kind", "O") for side in (left, right)}
    if kinds == {"i", "u"}:  # pandas would compare them as floats
        left, right = left.astype(object), right.astype(object)
    return left, right


def _one_by_one(left: Series, operation: Callable[[Any, Any], Any], other: Any, known: Mask) -> Mask:
    import pandas as pd

    found = np.zeros(len(left), dtype=bool)
    values = left.to_numpy(dtype=object)
    others = other.to_numpy(dtype=object) if isinstance(other, pd.Series) else None
    for row in np.flatnonzero(known):
        found[row] = bool(operation(_exact(values[row]), _exact(other if others is None else others[row])))
    return found


def _exact(value: Any) -> Any:
    """Let a decimal be compared with a float by its value."""
    if isinstance(value, float) and math.isfinite(value):
        return decimal.Decimal(value)
    return value


def _moment(text: str, series: Series) -> Any:
    """Return an ISO date as a timestamp that the column can be compared with."""
    import pandas as pd

    try:
        moment = pd.Timestamp(datetime.datetime.fromisoformat(text))
    except ValueError:
        raise InvalidError(
            f"Column '{shorten(str(series.name))}' holds dates, and '{shorten(text)}' is none",
            "Write an ISO date such as 2026-01-31.",
        ) from None
    zone = getattr(series.dtype, "tz", None)
    if zone is not None and moment.tzinfo is None:
        return moment.tz_localize(zone)
    if zone is None and moment.tzinfo is not None:
        return moment.tz_convert("UTC").tz_localize(None)
    return moment


def _whole(said: str, other: float) -> tuple[str, int | None]:
    """Return the comparison of whole numbers with a fraction as one with a whole number: it is exact."""
    if other.is_integer():
        return said, int(other)
    if said in ("==", "!="):
        return said, None
    # x < 2.5 and x <= 2.5 are x <= 2; x > 2.5 and x >= 2.5 are x >= 3.
    return ("<=", math.floor(other)) if said in ("<", "<=") else (">=", math.ceil(other))


def hashable(series: Series) -> Series:
    """Return a column whose values can be hashed: lists and structs as their text."""
    if series.dtype != object:
        return series
    values = series.to_numpy(dtype=object)
    if not any(isinstance(value, (list, dict, set, np.ndarray)) for value in values):
        return series
    return series.map(_as_text)


def _as_text(value: Any) -> Any:
    return repr(_nested(value)) if isinstance(value, (list, dict, set, np.ndarray)) else value


def _nested(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return sorted(((str(key), _nested(item)) for key, item in value.items()), key=lambda pair: pair[0])
    if isinstance(value, set):
        return sorted(map(repr, value))
    return [_nested(item) for item in value] if isinstance(value, (list, tuple)) else value


def label(value: Any) -> str:
    """Return the text of a value, as a table of shares names it.

    Examples
    --------
    >>> [label(value) for value in (0, 1.0, True, "yes", 0.5)]
    ['0', '1', 'true', 'yes', '0.5']
    """
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (float, np.floating, decimal.Decimal)) and value == value // 1:
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def same(value: Any) -> tuple[str, Any]:
    """Return something that is equal for values that a list of allowed ones takes for the same.

    ``1``, ``1.0`` and ``Decimal("1")`` are; ``True`` and ``1``, or ``"1"`` and ``1``, are not.
    """
    if isinstance(value, (bool, np.bool_)):
        return "truth", bool(value)
    if isinstance(value, (int, float, np.integer, np.floating, decimal.Decimal)):
        return "number", value
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time() and value.tzinfo is None
        return "text", value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, datetime.date):
        return "text", value.isoformat()
    return "text", str(value)
