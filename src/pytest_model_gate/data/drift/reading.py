"""Read two tables a few columns at a time, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ...hooks import DatasetProtocol
from .column import Column

#: Bytes of numbers that are held of one table at a time.
HELD_BYTES = 128 << 20

Hashes = npt.NDArray[np.uint64]

#: An odd number, so that no bit of what was hashed before is lost.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class RowHashes:
    """A number for each row of a table that tells what is in it, in whatever order the rows come."""

    def __init__(self, rows: int) -> None:
        self.values: Hashes = np.zeros(rows, dtype=np.uint64)

    def add(self, start: int, hashes: Hashes) -> None:
        """Take in one more column of some rows."""
        part = self.values[start : start + len(hashes)]
        part *= _FACTOR
        part ^= hashes
        part += part >> np.uint64(29)

    def sample(self, size: int, seed: int) -> npt.NDArray[np.intp]:
        """Return a random sample of the rows, the same rows and order however the table is sorted."""
        order = np.argsort(self.values, kind="stable")
        if len(order) <= size:
            return order
        ranks = np.random.default_rng(seed).choice(len(order), size, replace=False)
        return order[np.sort(ranks)]


def groups_of(names: Sequence[str], rows: int) -> Iterator[Sequence[str]]:
    """Cut the names of columns into groups that are read together."""
    size = max(1, HELD_BYTES // (8 * max(1, rows)))
    for start in range(0, len(names), size):
        yield names[start : start + size]


def read(
    dataset: DatasetProtocol,
    names: Sequence[str],
    *,
    levels: Collection[str] = (),
    keep_rows: bool = False,
    hashes: RowHashes | None = None,
) -> tuple[dict[str, Column], dict[str, Exception]]:
    """Read some columns.

    Parameters
    ----------
    dataset : DatasetProtocol
        The table.
    names : sequence of str
        Its columns.
    levels : collection of str
        Columns whose numbers are levels.
    keep_rows : bool
        Whether to keep which rows have a value.
    hashes : RowHashes, optional
        Takes in the columns read.

    Returns
    -------
    columns, errors : dict
        By name: what was read, and why a column cannot be compared.
    """
    import pandas as pd

    from ...errors import ModelGateError

    columns = {name: Column(name, keep_rows) for name in names}
    errors: dict[str, Exception] = {}
    start = 0
    for batch in dataset.batches(list(names)):
        for name in names:
            if name in errors:
                continue
            series = batch[name]
            try:
                columns[name].add(series.astype("category") if name in levels else series)
            except (ModelGateError, TypeError) as error:
                errors[name] = error
                continue
            if hashes is not None:
                zone = getattr(series.dtype, "tz", None)
                plain = series if zone is None else series.dt.tz_convert(None)
                hashed = pd.util.hash_pandas_object(plain, index=False)
                hashes.add(start, np.asarray(hashed, dtype=np.uint64))
        start += len(batch)
    return {name: column for name, column in columns.items() if name not in errors}, errors
