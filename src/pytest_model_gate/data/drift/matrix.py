"""Rows of two tables as one matrix of numbers, for a classifier that tries to tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...hooks import DatasetProtocol
from .column import Column

if TYPE_CHECKING:
    import pandas as pd

#: Levels that a column of the matrix can hold; rarer ones are one together.
LEVELS = 250


@dataclass(frozen=True, eq=False)
class Matrix:
    """The rows of both tables, reference first; what is missing is NaN.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        Numbers, or codes of levels.
    categorical : tuple of bool
        Which columns hold codes.
    """

    values: npt.NDArray[np.float64]
    categorical: tuple[bool, ...]


def rows_of(
    dataset: DatasetProtocol, names: Sequence[str], rows: npt.NDArray[np.intp]
) -> dict[str, pd.Series[Any]]:
    """Return some rows of a table, in the order given."""
    import pandas as pd

    ascending = np.sort(rows)
    parts: list[pd.DataFrame] = []
    start = 0
    for batch in dataset.batches(list(names)):
        low, high = np.searchsorted(ascending, [start, start + len(batch)])
        parts.append(batch.iloc[ascending[low:high] - start])
        start += len(batch)
    place = np.searchsorted(ascending, rows)
    # Column by column: levels of a category may differ between batches.
    return {name: pd.concat([part[name] for part in parts], ignore_index=True).iloc[place] for name in names}


def matrix(
    reference: dict[str, pd.Series[Any]], current: dict[str, pd.Series[Any]], levelled: dict[str, bool]
) -> Matrix:
    """Return the rows of both tables in numbers.

    Parameters
    ----------
    reference, current : dict
        The same columns of each.
    levelled : dict
        Whether a column is a category; else its numbers, or the lengths of its text, count.
    """
    found = []
    for name, levels in levelled.items():
        sides = [_read(name, series, levels=levels) for series in (reference[name], current[name])]
        found.append(_coded(sides) if levels else np.concatenate([_plain(side) for side in sides]))
    return Matrix(np.column_stack(found), tuple(levelled.values()))


def _read(name: str, series: pd.Series[Any], *, levels: bool) -> Column:
    column = Column(name, keep_rows=True)
    column.add(series.astype("category") if levels else series)
    return column


def _plain(column: Column) -> npt.NDArray[np.float64]:
    values = np.full(column.rows, np.nan)
    values[column.present()] = column.numbers()
    return values


def _coded(sides: Sequence[Column]) -> npt.NDArray[np.float64]:
    total = sides[0].counts + sides[1].counts
    kept = sorted(total, key=lambda label: (-total[label], label))[:LEVELS]
    code = {label: float(place) for place, label in enumerate(sorted(kept))}
    found = []
    for side in sides:
        values = np.full(side.rows, np.nan)
        values[side.present()] = [code.get(label, float(len(code))) for label in side.labels()]
        found.append(values)
    return np.concatenate(found)
