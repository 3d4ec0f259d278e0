"""A column as conditions to search over: ordered bins of numbers and dates, levels of everything else.

Only the columns themselves are looked at, never the target or a prediction, so that the conditions are fixed
before anything is compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InvalidError
from ..wording import plural, shorten
from .bins import exact_edge, ordered_values
from .levels import MISSING, level_names
from .table import missing
from .valuetypes import held, types_of, value_dtype

if TYPE_CHECKING:
    import pandas as pd

#: Bins of a number: the search starts with few and moves their ends among the many.
COARSE, FINE = 10, 64

#: Levels of a category that are conditions of their own; the others are one together.
MAX_LEVELS = 50

#: Rows from which on a value of its own in every row makes an identifier.
_IDENTIFIES = 200

#: What the levels are called that too few rows have, together.
OTHER = "(other)"

_DAY, _HOUR, _MINUTE = 86_400_000_000, 3_600_000_000, 60_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Feature:
    """One column in codes: first the ordered bins, then the levels.

    Parameters
    ----------
    name : str
        The column.
    codes : ndarray of uint8
        Of each row.
    edges : tuple of str
        Lower edge of each ordered bin, as it is written in a configuration: a number or an ISO date.
    exact : bool
        Whether each ordered bin holds one value, its edge.
    dates : bool
        Whether edges are dates.
    coarse : tuple of int
        The ordered bins at which the coarse ones begin; the first is 0.
    levels : tuple of str
        Names of the other codes.
    """

    name: str
    codes: npt.NDArray[np.uint8]
    edges: tuple[str, ...] = ()
    exact: bool = False
    dates: bool = False
    coarse: tuple[int, ...] = ()
    levels: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many codes there are."""
        return len(self.edges) + len(self.levels)


def feature(series: pd.Series[Any], *, min_rows: int, named: bool = False) -> Feature | str:
    """Return a column as conditions, or why it can be none.

    Parameters
    ----------
    series : Series
        The column.
    min_rows : int
        Rows that a level needs to be a condition of its own.
    named : bool
        Whether somebody asked for this very column: then numbers that look like identifiers are taken.
    """
    absent = missing(series)
    present = series[~absent] if absent.any() else series
    if not len(present):
        return "no row has a value"
    if is_ordered(present):
        return _ordered(series, present, absent, named=named)
    return _levelled(series, present, absent, min_rows)


def is_ordered(present: pd.Series[Any]) -> bool:
    """Whether a column holds numbers or dates, and not booleans, text or durations."""
    if getattr(present.dtype, "categories", None) is not None:
        return False
    kind = getattr(value_dtype(present), "kind", "O")
    if kind != "O":
        return kind in "iufM"
    types = types_of(present)
    return bool(types) and (
        types <= {"Decimal", "int", "float"} or types <= {"date", "datetime", "Timestamp"}
    )


def _ordered(
    series: pd.Series[Any], present: pd.Series[Any], absent: npt.NDArray[np.bool_], *, named: bool
) -> Feature | str:
    values = ordered_values(present, FINE)
    dates = values.dtype.kind == "M"
    numbers = values.astype(np.int64) if dates else values
    ranked = np.sort(numbers)
    first = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    distinct = ranked[first]
    if len(distinct) == 1 and not absent.any():
        return "every row has the same value"
    whole = not dates and bool(np.all(distinct == np.rint(distinct)))
    if not named and whole and len(distinct) == len(series) >= _IDENTIFIES:
        return "every row has a value of its own: an identifier"
    exact = len(distinct) <= FINE
    edges = distinct if exact else _edges(ranked, dates=dates)
    codes = np.full(len(series), len(edges), dtype=np.uint8)
    codes[~absent] = np.maximum(np.searchsorted(edges, numbers, side="right") - 1, 0)
    return Feature(
        name=str(series.name),
        codes=codes,
        edges=tuple(exact_edge(edge) for edge in (edges.astype("datetime64[us]") if dates else edges)),
        exact=exact,
        dates=dates,
        coarse=_coarse(np.bincount(codes, minlength=len(edges))[: len(edges)]),
        levels=(MISSING,) if absent.any() else (),
    )


def _edges(ranked: npt.NDArray[Any], *, dates: bool) -> npt.NDArray[Any]:
    """Return ascending edges that leave about as many rows in each bin, written as short as that allows."""
    n = len(ranked)
    slack = max(1, n // (4 * FINE))
    found = [_short(ranked[0] - abs(ranked[slack] - ranked[0]), ranked[0], dates=dates)]
    for place in (n * part // FINE for part in range(1, FINE)):
        if ranked[place] <= found[-1]:
            continue
        # Anything in here is within a quarter of a bin of the quantile; equal values are never parted.
        low = max(ranked[max(place - slack, 0)], found[-1])
        if low >= ranked[place]:
            continue
        edge = _short(low, ranked[place], dates=dates)
        if edge > found[-1] and edge > ranked[0]:
            found.append(edge)
    return np.array(found)


def _short(low: Any, high: Any, *, dates: bool) -> Any:
    """Return the number with the fewest digits (the roundest date) in ``(low, high]``."""
    if dates:
        for step in (_DAY, _HOUR, _MINUTE):
            edge = high // step * step
            if edge > low:
                return edge
        return high
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return high
    places = -math.floor(math.log10(high - low)) - 1
    for more in range(places, places + 4):
        edge = math.floor(float(high) * 10.0**more) / 10.0**more
        edge = round(edge, more)
        if low < edge <= high:
            return edge
    return high


def _coarse(counts: npt.NDArray[np.intp]) -> tuple[int, ...]:
    """Return the bins at which about equally large coarse ones begin."""
    before = np.cumsum(counts) - counts
    total = int(counts.sum())
    starts = {0}
    for part in range(1, COARSE):
        goal = total * part / COARSE
        starts.add(int(np.argmin(np.abs(before - goal))))
    return tuple(sorted(starts))


def _levelled(
    series: pd.Series[Any], present: pd.Series[Any], absent: npt.NDArray[np.bool_], min_rows: int
) -> Feature | str:
    import pandas as pd

    try:
        raw, distinct = pd.factorize(series)
    except TypeError:
        return f"it holds {held(present)}"
    raw = np.where(absent, -1, raw)
    counts = np.bincount(raw[raw >= 0], minlength=len(distinct))
    if (counts > 0).sum() == 1 and not absent.any():
        return "every row has the same value"
    frequent = np.flatnonzero(counts >= max(min_rows, 1))
    if not len(frequent):
        return (
            f"{plural(int((counts > 0).sum()), 'value')}, none in {plural(min_rows, 'row')}: "
            "free text or identifiers"
        )
    try:
        names = level_names(series, [distinct[int(code)] for code in frequent])
    except InvalidError:
        return f"it holds {held(present)}"
    if len(frequent) > MAX_LEVELS:
        largest = sorted(range(len(frequent)), key=lambda i: (-counts[frequent[i]], names[i][1]))
        kept = sorted(largest[:MAX_LEVELS])
        frequent, names = frequent[kept], [names[i] for i in kept]
    order = sorted(range(len(frequent)), key=lambda i: names[i][0])
    levels = [shorten(names[i][1]) for i in order]
    place = np.full(len(distinct) + 1, len(levels), dtype=np.uint8)
    place[frequent[order]] = np.arange(len(levels), dtype=np.uint8)
    if len(frequent) < (counts > 0).sum():
        levels.append(OTHER)
    if absent.any():
        place[-1] = len(levels)  # where the code -1 of the rows without a value points
        levels.append(MISSING)
    return Feature(name=str(series.name), codes=place[raw], levels=tuple(levels))
