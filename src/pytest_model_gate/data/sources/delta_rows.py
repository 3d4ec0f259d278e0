"""The rows of one version of a Delta table, file by file: as its log says, not only as its files do.

deltalake's own scan promises no order of the rows, and its Arrow dataset knows neither deletion vectors nor
column mapping. A digest needs the one and real tables have the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ...errors import UnavailableError
from ...redact import redact
from .delta_errors import explaining
from .delta_place import Place, filesystem

#: Rows that are decoded at a time.
_READ_ROWS = 1 << 17
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    partition: Mapping[str, Any]


class DeltaRows:
    """Reads a version again and again, each time in the same order.

    Parameters
    ----------
    table : deltalake.DeltaTable
        At its version.
    place : Place
        Where it lies.
    """

    def __init__(self, table: Any, place: Place) -> None:
        import pyarrow as pa

        self._place = place
        with explaining(place):
            schema = pa.schema(table.schema().to_arrow())
            mapped = table.metadata().configuration.get("delta.columnMapping.mode", "none") != "none"
            actions = pa.table(table.get_add_actions())
            self._filesystem = filesystem(place)
            self._kept = _kept(table)
        self._stored = {item.name: _physical(item) if mapped else item.name for item in schema}
        self.schema = pa.schema([pa.field(item.name, item.type) for item in schema])
        self._partitions = frozenset(
            [item.name for item in actions.schema.field("partition").type]
            if "partition" in actions.column_names
            else ()
        )
        columns = [name for name in ("path", "partition") if name in actions.column_names]
        self._files = sorted(
            (
                _File(unquote(row["path"]), row.get("partition") or {})
                for row in actions.select(columns).to_pylist()
            ),
            key=lambda file: file.path,
        )

        elsewhere = next((file.path for file in self._files if "://" in file.path), "")
        if elsewhere:
            raise UnavailableError(
                f"'{place.source}' has files outside of its folder, such as {redact(elsewhere)}: it is a "
                "shallow clone.",
                "Name the table that it was cloned from, or make a deep clone.",
            )

    def scan(self, names: Sequence[str]) -> Iterator[Any]:
        """Yield the record batches of some columns."""
        for file in self._files:
            with explaining(self._place, file.path):
                yield from self._batches(file, names)

    def _batches(self, file: _File, names: Sequence[str]) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        stream = self._filesystem.open_input_file(file.path)
        # Spark writes times of 96 bits, whose nanoseconds end in 2262; Delta's own are microseconds.
        options = {"buffer_size": _READ_BYTES, "coerce_int96_timestamp_unit": "us"}
        with stream, pq.ParquetFile(stream, pre_buffer=False, **options) as opened:
            there = set(opened.schema_arrow.names)
            wanted = {
                name: self._stored[name]
                for name in names
                if name not in self._partitions and self._stored[name] in there
            }
            # Where nothing of the file is asked for, something must be read to know its rows.
            columns = list(wanted.values()) or list(opened.schema_arrow.names)[:1]
            kept, start = self._kept.get(file.path), 0
            for batch in opened.iter_batches(batch_size=_READ_ROWS, columns=columns):
                rows = batch.num_rows
                arrays = [self._array(name, batch, wanted, file, rows) for name in names]
                whole = pa.RecordBatch.from_arrays(arrays, names=list(names))
                yield whole if kept is None else _without_deleted(whole, kept, start)
                start += rows

    def _array(self, name: str, batch: Any, wanted: Mapping[str, str], file: _File, rows: int) -> Any:
        import pyarrow as pa

        kind = self.schema.field(name).type
        if name in self._partitions:
            return pa.repeat(pa.scalar(file.partition.get(name), kind), rows)
        if name not in wanted:
            return pa.nulls(rows, kind)  # the column came later than this file
        array = batch.column(wanted[name])
        if array.type == kind:
            return array
        if wanted[name] != name:  # the names inside of a nested column are mapped, too
            array = array.view(_named_like(array.type, kind))
        return array.cast(kind)


def _physical(item: Any) -> str:
    found: bytes = (item.metadata or {}).get(b"delta.columnMapping.physicalName", item.name.encode())
    return found.decode()


def _named_like(kind: Any, like: Any) -> Any:
    """Return an Arrow type with the field names of another one of the same form."""
    import pyarrow as pa

    types = pa.types
    if types.is_struct(kind) and types.is_struct(like) and kind.num_fields == like.num_fields:
        return pa.struct(
            [
                pa.field(there.name, _named_like(here.type, there.type))
                for here, there in zip(kind, like, strict=True)
            ]
        )
    if types.is_list(kind) and types.is_list(like):
        return pa.list_(_named_like(kind.value_type, like.value_type))
    if types.is_map(kind) and types.is_map(like):
        return pa.map_(_named_like(kind.key_type, like.key_type), _named_like(kind.item_type, like.item_type))
    return kind


def _kept(table: Any) -> dict[str, Any]:
    """Return which rows are still there, by file: a deletion vector says so without rewriting the file."""
    import pyarrow as pa

    if "deletionVectors" not in (table.protocol().reader_features or ()):
        return {}
    root = table.table_uri.rstrip("/") + "/"
    found = pa.table(table.deletion_vectors().read_all())
    return {
        unquote(_below(path.as_py(), root)): mask.values
        for path, mask in zip(found["filepath"], found["selection_vector"], strict=True)
    }


def _below(path: str, root: str) -> str:
    return path.partition("://")[2].removeprefix(root.partition("://")[2]) if "://" in path else (
        path.removeprefix(root)
    )  # fmt: skip


def _without_deleted(batch: Any, kept: Any, start: int) -> Any:
    import pyarrow as pa

    mask = kept.slice(start, batch.num_rows)
    beyond = batch.num_rows - len(mask)
    if beyond:  # rows after the last deleted one are not said
        mask = pa.concat_arrays([mask, pa.repeat(pa.scalar(True), beyond)])
    return batch.filter(mask)
