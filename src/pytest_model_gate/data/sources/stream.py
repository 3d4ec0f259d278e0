"""Datasets that have no bytes of their own (a version of a table): read twice, and hashed both times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import InvalidError
from ...wording import shorten
from ..columns import check_unique, choose, describe
from .content import ContentDigest
from .cuts import in_tables
from .frames import BATCH_BYTES, Types, is_categorical, rows_only, rows_per_batch, to_frames

if TYPE_CHECKING:
    import pandas as pd

#: ``scan(names)`` yields the record batches of these columns, each time the same rows in the same order.
Scan = Callable[[Sequence[str]], Iterable[Any]]


class StreamDataset:
    """The rows of one version of a table, as record batches that are dropped when they were used.

    Opening it reads all rows once, for the digest and for what of the pandas types depends on all rows.
    Whoever reads columns afterwards has them hashed again: what is judged is then what was hashed,
    wherever it lies and whoever may write there.

    Parameters
    ----------
    source, resolved, version : str
        As for every dataset.
    schema : pyarrow.Schema
        Of all columns.
    scan : callable
        Gives the rows. Its errors are those of this package.
    batch_bytes : int
        How much memory a batch may take.
    """

    def __init__(
        self,
        source: str,
        resolved: str,
        schema: Any,
        scan: Scan,
        *,
        version: str = "",
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        import pyarrow as pa

        check_unique(schema.names, source)
        self.source, self.resolved, self.version = source, resolved, version
        self.columns = describe(schema)
        self._schema, self._scan = schema, scan
        self._batch_bytes = batch_bytes
        self._types = Types(source)
        sizes = dict.fromkeys(schema.names, 0)
        with ContentDigest(schema) as content:
            for batch in self._conformed(schema.names):
                content.add(batch)
                self._types.add(pa.Table.from_batches([batch]))
                for name, array in zip(schema.names, batch, strict=True):
                    sizes[name] += array.nbytes
        self.rows = content.rows
        self.digest = content.digest()
        self._lines = content.lines()
        self._sizes = sizes

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, only the named columns; at least one (maybe empty) frame."""
        names = choose(self.columns, columns, self.source)
        if not names:
            yield rows_only(self.rows)
            return
        size = rows_per_batch(sum(self._bytes_per_row(name) for name in names), self._batch_bytes)
        schema = self._part(names)
        with ContentDigest(schema) as content:
            tables = in_tables(self._hashed(names, content), schema, size)
            yield from to_frames(tables, self._types)
            self._check(content.lines())

    def _hashed(self, names: Sequence[str], content: ContentDigest) -> Iterator[Any]:
        for batch in self._conformed(names):
            content.add(batch)
            yield batch

    def _conformed(self, names: Sequence[str]) -> Iterator[Any]:
        """Yield what the scan gives, in the types that were said at first."""
        import pyarrow as pa

        schema = self._part(names)
        for batch in self._scan(names):
            arrays = [
                array if array.type == item.type else array.cast(item.type)
                for item, array in zip(schema, batch.select(names), strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _part(self, names: Sequence[str]) -> Any:
        import pyarrow as pa

        return pa.schema([self._schema.field(name) for name in names], metadata=self._schema.metadata)

    def _bytes_per_row(self, name: str) -> float:
        if is_categorical(self._schema.field(name).type):
            return 4
        return self._sizes[name] / max(1, self.rows)

    def _check(self, lines: dict[str, bytes]) -> None:
        for name, line in lines.items():
            if line != self._lines[name]:
                raise InvalidError(
                    f"{self.source} changed while it was being read: column '{shorten(name)}' "
                    "is not what it was.",
                    "Run the gate again when nothing writes to it, or on a copy.",
                )

    def __repr__(self) -> str:
        return f"StreamDataset({self.source!r}, {self.rows:,} rows, {len(self.columns)} columns)"
