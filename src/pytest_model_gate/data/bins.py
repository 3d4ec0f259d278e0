"""Columns of numbers or dates, cut into bins: where the edges are, what a bin is called, which rows it has.

A bin holds its lower edge and not its upper one. What lies below the first edge, and from the last one on,
are bins of their own, and so are the rows without a value: no row is lost.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import EvaluationError, InvalidError
from ..wording import example, shorten
from .levels import MISSING
from .table import Codes, missing
from .valuetypes import held, types_of, value_dtype

if TYPE_CHECKING:
    import pandas as pd

#: Not nanoseconds: they end in the year 2262.
_MOMENTS = "datetime64[us]"
#: From here on a float has no decimals left.
_WHOLE = 1e16
#: So many bins without rows are named.
_SHOWN = 3
#: More decimals than this no float has.
_PLACES = 300


@dataclass(frozen=True, kw_only=True, eq=False)
class Binned:
    """A column in bins.

    Parameters
    ----------
    conditions : tuple of str
        What is behind the column's name in the name of each bin that has rows, in ascending order:
        ``"<0"``, ``"=0..25"``, ``">=65"``, and last ``"=(missing)"``.
    codes : ndarray of int
        Position of each row's condition.
    edges : tuple of str
        The edges, exactly as they cut.
    note : str
        What a reader should know: fewer groups than asked for, bins without rows. Empty: nothing.
    """

    conditions: tuple[str, ...]
    codes: Codes
    edges: tuple[str, ...]
    note: str = ""


def binned(series: pd.Series[Any], bins: int | tuple[float | str, ...]) -> Binned:
    """Cut a column at edges, or into so many groups of equal size.

    Parameters
    ----------
    series : Series
        Numbers or dates; values may be missing.
    bins : int or tuple
        Ascending edges (numbers, or ISO dates), or how many groups: their edges are values of the column,
        so that equal values are never parted.

    Raises
    ------
    InvalidError
        If the column holds neither numbers nor dates, or edges of the other kind.
    EvaluationError
        If groups are asked for and no two values differ.
    """
    absent = missing(series)
    present = series[~absent] if absent.any() else series
    values = ordered_values(present, bins)
    if isinstance(bins, int):
        edges = _groups(values, bins)
        if not len(edges):
            found = "no row has a value"
            if len(values):
                found = f"all rows have the value {example(present.iloc[0])}"
            raise EvaluationError(
                f"Column '{_name(series)}' cannot be cut into {bins} groups: {found}.",
                "Leave this slice out, or give edges.",
            )
        texts = _named(edges, values)
    else:
        edges = _edges(bins)
        texts = [edge if isinstance(edge, str) else _plain(edge) for edge in bins]
    codes = np.full(len(series), len(edges) + 1, dtype=np.intp)
    codes[~absent] = np.searchsorted(edges, values, side="right")
    conditions = [f"<{texts[0]}", *(f"={low}..{high}" for low, high in pairwise(texts)), f">={texts[-1]}"]
    conditions.append(f"={MISSING}")
    occurs = np.flatnonzero(np.bincount(codes, minlength=len(conditions)))
    dense = np.zeros(len(conditions), dtype=np.intp)
    dense[occurs] = np.arange(len(occurs))
    return Binned(
        conditions=tuple(conditions[code] for code in occurs),
        codes=dense[codes],
        edges=tuple(map(exact_edge, edges)),
        note=_note(_name(series), bins, texts, set(occurs.tolist())),
    )


def _note(name: str, bins: int | tuple[float | str, ...], texts: Sequence[str], occurs: set[int]) -> str:
    """Say what was asked for and is not there: groups, or rows between two edges.

    Below the first edge and from the last one on there are often no rows: edges may be the ends of a scale.
    """
    if isinstance(bins, int):
        if len(texts) >= bins - 1:
            return ""
        return (
            f"'{name}' is cut into {len(texts) + 1} groups and not into {bins}: too many rows share a value"
        )
    empty = [f"{low}..{high}" for code, (low, high) in enumerate(pairwise(texts), 1) if code not in occurs]
    if not empty:
        return ""
    more = f" and {len(empty) - _SHOWN} more bins" if len(empty) > _SHOWN else ""
    return f"'{name}' has no rows in {', '.join(empty[:_SHOWN])}{more}: nothing is judged there"


def ordered_values(present: pd.Series[Any], bins: int | tuple[float | str, ...]) -> npt.NDArray[Any]:
    """Return the values as float64 or datetime64."""
    dtype = value_dtype(present)
    kind = getattr(dtype, "kind", "O")
    types = types_of(present) if kind == "O" else set()
    dates = kind == "M" or (bool(types) and types <= {"date", "datetime", "Timestamp"})
    numeric = kind in "iuf" or (bool(types) and types <= {"Decimal", "int", "float"})
    if not dates and not numeric and (types or kind != "O"):
        raise InvalidError(
            f"Bins need a column of numbers or dates, and '{_name(present)}' holds {held(present)}"
            f"{f', for example {example(present.iloc[0])}' if len(present) else ''}.",
            "Slice by its values, without bins, or store it as numbers.",
        )
    if not isinstance(bins, int) and (dates or numeric) and isinstance(bins[0], str) != dates:
        raise InvalidError(
            f"The edges of '{_name(present)}' are {'dates' if numeric else 'numbers'}, and the column holds "
            f"{'numbers' if numeric else 'dates'}, for example {example(present.iloc[0])}.",
            f"Give edges that are {'numbers' if numeric else 'dates such as 2030-01-31'}.",
        )
    if not dates:
        if kind == "O":
            return np.array([float(value) for value in present], dtype=np.float64)
        return np.asarray(present.astype(dtype).to_numpy(dtype="float64"), dtype=np.float64)
    return _moments(present)


def _moments(present: pd.Series[Any]) -> npt.NDArray[np.datetime64]:
    """Return dates as the clock on the wall shows them, in the column's own time zone."""
    import pandas as pd

    if getattr(value_dtype(present), "kind", "O") == "O":
        local = [value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value for value in present]
        return np.array(local, dtype=_MOMENTS)
    index = pd.DatetimeIndex(present)
    return index.tz_localize(None).to_numpy().astype(_MOMENTS)


def _edges(bins: Sequence[float | str]) -> npt.NDArray[Any]:
    # Python reads ISO dates here and where they were checked; numpy takes "20300131" for a year.
    dates = [datetime.datetime.fromisoformat(edge) for edge in bins if isinstance(edge, str)]
    return np.array(dates, dtype=_MOMENTS) if dates else np.asarray(bins, dtype=np.float64)


def _groups(values: npt.NDArray[Any], groups: int) -> npt.NDArray[Any]:
    """Return the edges of groups of equal size: values that occur, each once, with rows below them."""
    if not len(values):
        return values
    ordered = np.sort(values)
    above: npt.NDArray[Any] = ordered[ordered > ordered[0]]
    if not len(above):
        return above
    starts = [len(ordered) * group // groups for group in range(1, groups)]
    edges: npt.NDArray[Any] = np.unique(np.maximum(ordered[starts], above[0]))
    return edges


def _named(edges: npt.NDArray[Any], values: npt.NDArray[Any]) -> list[str]:
    """Return the edges as a person would write them, rounded, and still all different."""
    if edges.dtype.kind == "M":
        texts = [str(edge.astype("datetime64[D]")) for edge in edges]
        return texts if len(set(texts)) == len(texts) else list(map(exact_edge, edges))
    if np.array_equal(values, np.rint(values)):
        return [_plain(edge) for edge in edges]
    # Two digits of the least distance between edges, so that rounding moves none of them far.
    finite = values[np.isfinite(values)]
    ends = edges if len(edges) > 1 else np.array([finite.min(initial=edges[0]), edges[0]])
    with np.errstate(over="ignore"):
        least = float(np.diff(ends).min())
    if not math.isfinite(least):
        return [exact_edge(edge) for edge in edges]
    places = 1 - math.floor(math.log10(least or 1.0))
    while places < _PLACES:
        try:
            rounded = [round(float(edge), places) for edge in edges]
        except OverflowError:  # the next round number above the largest float is none
            break
        if len(set(rounded)) == len(rounded):
            return [_plain(edge) for edge in rounded]
        places += 1
    return [exact_edge(edge) for edge in edges]


def _plain(edge: float) -> str:
    return str(int(edge)) if float(edge).is_integer() and abs(edge) < _WHOLE else repr(float(edge))


def exact_edge(edge: Any) -> str:
    """Return an edge so that it reads back as itself."""
    if not isinstance(edge, np.datetime64):
        return _plain(float(edge))
    moment: datetime.datetime = edge.item()
    return moment.date().isoformat() if moment.time() == datetime.time() else moment.isoformat()


def _name(series: pd.Series[Any]) -> str:
    return shorten(str(series.name))
