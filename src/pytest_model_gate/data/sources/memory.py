"""Datasets that are in memory as a whole: what a function returned, and formats without random access."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import InvalidError
from ...wording import one_line, shorten, some
from ..columns import Columns, check_unique, choose, describe
from .frames import BATCH_BYTES, Types, data_names, rows_only, rows_per_batch, to_frames

if TYPE_CHECKING:
    import pandas as pd


class FrameDataset:
    """A dataset that is a pandas frame; its types are the frame's own."""

    def __init__(
        self,
        source: str,
        resolved: str,
        digest: str,
        frame: pd.DataFrame,
        columns: Columns,
        *,
        version: str = "",
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self.source, self.resolved, self.digest, self.version = source, resolved, digest, version
        self.columns = columns
        self.rows = len(frame)
        self._frame = frame
        self._batch_bytes = batch_bytes

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, only the named columns; at least one (maybe empty) frame."""
        frame = self._frame[choose(self.columns, columns, self.source)]
        bytes_per_row = frame.memory_usage(index=False).sum() / max(1, self.rows)
        size = rows_per_batch(float(bytes_per_row), self._batch_bytes)
        for start in range(0, max(1, self.rows), size):
            # A copy: whoever gets a batch may write to it, and the next reader gets what was hashed.
            yield frame.iloc[start : start + size].copy()

    def __repr__(self) -> str:
        return f"FrameDataset({self.source!r}, {self.rows:,} rows, {len(self.columns)} columns)"


class TableDataset:
    """A dataset that is an Arrow table."""

    def __init__(
        self,
        source: str,
        resolved: str,
        digest: str,
        table: Any,
        *,
        version: str = "",
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        check_unique(table.column_names, source)
        table = table.select(data_names(table.schema))
        self.source, self.resolved, self.digest, self.version = source, resolved, digest, version
        self.columns = describe(table.schema)
        self.rows: int = table.num_rows
        self._table = table
        self._batch_bytes = batch_bytes

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, only the named columns; at least one (maybe empty) frame."""
        names = choose(self.columns, columns, self.source)
        if not names:
            yield rows_only(self.rows)
            return
        table = self._table.select(names)
        types = Types(self.source)
        types.add(table)
        size = rows_per_batch(table.nbytes / max(1, self.rows), self._batch_bytes)
        yield from to_frames((table.slice(start, size) for start in range(0, max(1, self.rows), size)), types)

    def __repr__(self) -> str:
        return f"TableDataset({self.source!r}, {self.rows:,} rows, {len(self.columns)} columns)"


def as_columns(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return a frame whose columns have text as names and whose index only counts.

    An index with a name is a column to a gate, as it is in a file.
    """
    import pandas as pd

    odd = [name for name in frame.columns if not isinstance(name, str)]
    if odd:
        raise InvalidError(
            f"{source}: column names must be text, got {shorten(repr(odd[0]))} ({type(odd[0]).__name__}).",
            "Rename them: frame.columns = [str(name) for name in frame.columns].",
        )
    named = [name for name in frame.index.names if name is not None]
    check_unique([*map(str, named), *frame.columns], source)
    if named:
        frame = frame.reset_index(level=[i for i, name in enumerate(frame.index.names) if name is not None])
        frame.columns = pd.Index([str(name) for name in frame.columns])
    return frame.set_axis(pd.RangeIndex(len(frame)), axis="index")


def arrow_schema(frame: pd.DataFrame, source: str) -> Any:
    """Return the Arrow schema of a frame: what its columns hold, objects looked into."""
    import pyarrow as pa

    fields = []
    for name in frame.columns:
        try:
            # Of one column at a time: pyarrow's error would not say which column it means.
            fields.append(pa.field(name, pa.Schema.from_pandas(frame[[name]], preserve_index=False).types[0]))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise _unreadable(frame[name], source, error) from None
    return pa.schema(fields)


def _unreadable(column: pd.Series[Any], source: str, error: BaseException) -> InvalidError:
    kinds = sorted({type(value).__name__ for value in column.dropna()}) if column.dtype == object else []
    if len(kinds) > 1:
        return InvalidError(
            f"{source}: column '{shorten(str(column.name))}' mixes types: {some(kinds)}.",
            "Give the column one type: its values cannot be compared or hashed reliably.",
        )
    if isinstance(error, OverflowError):
        return InvalidError(
            f"{source}: column '{shorten(str(column.name))}' has whole numbers that 64 bits cannot hold.",
            "Write it as text where it names things, or in a larger unit where it counts.",
        )
    return InvalidError(
        f"{source}: column '{shorten(str(column.name))}' of type {kinds[0] if kinds else column.dtype} "
        f"cannot be read: {one_line(error)}.",
        "Convert it to numbers, text, booleans, dates or a categorical.",
    )
