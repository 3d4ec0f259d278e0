"""The rows of one snapshot of an Iceberg table, data file by data file in the order of their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .iceberg_errors import Catalog, explaining


class IcebergRows:
    """Reads a snapshot again and again, each time in the same order; a data file is in memory at a time.

    Parameters
    ----------
    table : pyiceberg.table.Table
        The table as it was loaded: what is written to it later is not seen.
    snapshot : int
        Which of its snapshots.
    place : Catalog
        Where it is.
    """

    def __init__(self, table: Any, snapshot: int, place: Catalog) -> None:
        import pyarrow as pa
        from pyiceberg.io.pyarrow import schema_to_pyarrow

        self._table, self._snapshot, self._place = table, snapshot, place
        with explaining(place):
            scan = table.scan(snapshot_id=snapshot)
            # The columns that the table had then, also where they were renamed or dropped since.
            found = schema_to_pyarrow(scan.projection(), include_field_ids=False)
            self._tasks = sorted(scan.plan_files(), key=lambda task: str(task.file.file_path))
        self.schema = pa.schema([pa.field(item.name, _plain(item.type)) for item in found])

    def scan(self, names: Sequence[str]) -> Iterator[Any]:
        """Yield the record batches of some columns."""
        from pyiceberg.expressions import AlwaysTrue
        from pyiceberg.io.pyarrow import ArrowScan

        fields = self._table.scan(snapshot_id=self._snapshot, selected_fields=tuple(names)).projection()
        reader = ArrowScan(self._table.metadata, self._table.io, fields, AlwaysTrue())
        below = self._table.location().rstrip("/") + "/"
        for task in self._tasks:
            with explaining(self._place, str(task.file.file_path).removeprefix(below)):
                yield from reader.to_record_batches([task])


def _plain(kind: Any) -> Any:
    """Return an Arrow type without the layouts that releases of pyiceberg choose differently."""
    import pyarrow as pa

    types = pa.types
    if types.is_large_string(kind):
        return pa.string()
    if types.is_large_binary(kind):
        return pa.binary()
    if types.is_list(kind) or types.is_large_list(kind):
        item = kind.value_field
        return pa.list_(pa.field(item.name, _plain(item.type), item.nullable))
    if types.is_struct(kind):
        return pa.struct([pa.field(item.name, _plain(item.type), item.nullable) for item in kind])
    if types.is_map(kind):
        return pa.map_(_plain(kind.key_type), _plain(kind.item_type))
    return kind
