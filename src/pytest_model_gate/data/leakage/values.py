"""Values as 64 bits that are equal where the values are: whatever type, width or categorical holds them.

A missing value is one, whether it is None, NaN, NaT or NA; 0.0 and -0.0 are one; 1, 1.0 and True are one.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..table import missing
from .plans import Plan

if TYPE_CHECKING:
    import pandas as pd

Bits = npt.NDArray[np.uint64]
Grid = tuple[int, bool]

#: What stands for a missing value: no number that anybody writes.
NULL = np.uint64(0x9E6C63D0876A9A47)
#: Two keys of text hashes (16 letters each), so that two hashes of a row share nothing.
_KEYS = ("model-gate-text1", "model-gate-text2")
_WIDTHS: Mapping[int, type[np.floating[Any]]] = {16: np.float16, 32: np.float32}
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
#: Above the largest int64; told apart from the negative number of the same bits.
_UNSIGNED = np.uint64(0x2545F4914F6CDD1D)


def bits_of(series: pd.Series[Any], plan: Plan, *, salt: int = 0, grid: Grid | None = None) -> Bits:
    """Return 64 bits for each value.

    Parameters
    ----------
    series : Series
        The column.
    plan : Plan
        As what it is compared.
    salt : int
        0 or 1: with which key text is hashed. Numbers and dates are exact.
    grid : (int, bool), optional
        Round floats to so many significant digits, to the nearest (``False``) or down (``True``).
    """
    categories = getattr(series.dtype, "categories", None)
    if categories is not None:
        import pandas as pd

        known = bits_of(pd.Series(categories), plan, salt=salt, grid=grid)
        codes = np.asarray(series.cat.codes, dtype=np.intp)
        return np.where(codes < 0, NULL, known[codes]) if len(known) else np.full(len(series), NULL)
    match plan.kind:
        case "int":
            return _whole(series)
        case "float":
            return _floats(series, plan.bits, grid)
        case "date" | "zoned":
            return _moments(series, "datetime64")
        case "duration":
            return _moments(series, "timedelta64")
        case "nothing":
            return np.full(len(series), NULL)
        case "text":
            return _text(series, salt)
    absent = missing(series)
    say = _decimal if plan.kind == "decimal" else _canonical
    texts = [None if gone else say(value) for value, gone in zip(series, absent, strict=True)]
    import pandas as pd

    return _text(pd.Series(texts, dtype=object), salt)


def _whole(series: pd.Series[Any]) -> Bits:
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biu":
        found = series.to_numpy()
        if dtype == np.uint64:
            return _unsigned(found)
        return np.asarray(found, dtype=np.int64).view(np.uint64)
    absent = missing(series)
    unsigned = "uint64" in str(dtype).lower()
    if isinstance(dtype, np.dtype):  # objects, or floats where a whole number is missing
        filled = np.array([0 if gone else int(v) for v, gone in zip(series, absent, strict=True)], object)
        unsigned = unsigned or any(value >= 2**63 for value in filled)
        filled = filled.astype("uint64" if unsigned else "int64")
    else:
        filled = series.to_numpy(dtype="uint64" if unsigned else "int64", na_value=0)
    bits = _unsigned(filled) if unsigned else filled.astype(np.int64).view(np.uint64)
    bits[absent] = NULL
    return bits


def _unsigned(values: npt.NDArray[Any]) -> Bits:
    bits = values.astype(np.uint64)
    large = bits >> np.uint64(63) == 1
    return np.where(large, bits ^ _UNSIGNED, bits)


def floats(series: pd.Series[Any], bits: int = 64) -> npt.NDArray[np.float64]:
    """Return a column of numbers as float64, NaN where there is none, at the precision of so many bits."""
    values = np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    if bits in _WIDTHS:
        with np.errstate(over="ignore", invalid="ignore"):
            values = values.astype(_WIDTHS[bits]).astype(np.float64)
    return values


def _floats(series: pd.Series[Any], width: int, grid: Grid | None) -> Bits:
    values = floats(series, width) + 0.0  # and 0.0 is -0.0 no more
    if grid is not None:
        values = rounded(values, *grid) + 0.0
    bits = values.view(np.uint64)
    bits[np.isnan(values)] = NULL
    return bits


def rounded(values: npt.NDArray[np.float64], digits: int, down: bool = False) -> npt.NDArray[np.float64]:
    """Return numbers with so many significant digits, but never fewer than whole numbers have.

    Examples
    --------
    >>> rounded(np.array([0.123456, 9.996, 1234.5678, -0.5]), 3).tolist()
    [0.123, 10.0, 1235.0, -0.5]
    """
    thresholds, low, high = _scales(digits)
    exponent = (values.view(np.uint64) >> np.uint64(52)).astype(np.intp) & 0x7FF
    scale = np.where(np.abs(values) >= thresholds[exponent], high[exponent], low[exponent])
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = values * scale
        found = (np.floor(scaled) if down else np.rint(scaled)) / scale
    # What overflows, and what is infinite or no number, is what it was.
    return np.where(np.isfinite(found), found, values)


@cache
def _scales(digits: int) -> tuple[npt.NDArray[np.float64], ...]:
    """Return, for each binary exponent, a power of ten in its range, and the scales below and above it."""
    thresholds, low, high = np.full(2048, np.inf), np.ones(2048), np.ones(2048)
    for exponent in range(1, 2047):
        smallest = math.ldexp(1.0, exponent - 1023)
        power = math.floor(math.log10(smallest))
        if power < 307:
            thresholds[exponent] = float(f"1e{power + 1}")
        low[exponent] = float(f"1e{min(max(digits - 1 - power, 0), 300)}")
        high[exponent] = float(f"1e{min(max(digits - 2 - power, 0), 300)}")
    return thresholds, low, high


def _moments(series: pd.Series[Any], kind: str) -> Bits:
    found = moments(series, kind)
    unit = np.datetime_data(found.dtype)[0]
    whole = found.view(np.int64)
    # Nanoseconds, around the end of 64 bits where they must: still one number for one moment.
    with np.errstate(over="ignore"):
        bits = (whole * np.int64(10**9 // _PER_SECOND[unit])).view(np.uint64)
    bits[np.isnat(found)] = NULL
    return bits


def moments(series: pd.Series[Any], kind: str = "datetime64") -> npt.NDArray[Any]:
    """Return a column of dates (in UTC where they have a time zone) or durations as numpy has them."""
    if getattr(series.dtype, "tz", None) is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "Mm":
        found = series.to_numpy()
        if np.datetime_data(found.dtype)[0] in _PER_SECOND:
            return found
    absent = missing(series)
    values = [None if gone else value for value, gone in zip(series, absent, strict=True)]
    return np.array([_naive(value) for value in values], dtype=f"{kind}[us]")


def _naive(value: Any) -> Any:
    import datetime

    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value


def _text(series: pd.Series[Any], salt: int) -> Bits:
    import pandas as pd

    codes, distinct = pd.factorize(series)
    if not len(distinct):
        return np.full(len(series), NULL)
    texts = np.asarray(distinct, dtype=object)
    hashed: Bits = pd.util.hash_array(texts, hash_key=_KEYS[salt], categorize=False)
    return np.where(codes < 0, NULL, hashed[codes])


def _decimal(value: Any) -> str:
    # Not Decimal.normalize, which cuts off what is beyond 28 digits.
    text = format(decimal.Decimal(value), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _canonical(value: Any) -> str:
    """Return a nested value as text in which equal values look equal."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key!r}:{_canonical(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + ",".join(_canonical(item) for item in value) + "]"
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "None"
        value = int(value) if value.is_integer() else value
    return repr(value)
