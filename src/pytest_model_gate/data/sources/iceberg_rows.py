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
            tasks = self._planned(scan)
        self._tasks = sorted(tasks, key=lambda task: str(task.file.file_path))
        self.schema = pa.schema([pa.field(item.name, _plain(item.type)) for item in found])

    def _planned(self, scan: Any) -> list[Any]:
        """Return which data files there are; where that fails, say which manifest is at fault."""
        try:
            return list(scan.plan_files())
        except Exception:
            read: list[str] = []
            with explaining(self._place, read):
                snapshot = self._table.snapshot_by_id(self._snapshot)
                read.append(self._short(snapshot.manifest_list))
                for manifest in snapshot.manifests(self._table.io):
                    read.append(self._short(manifest.manifest_path))
                    manifest.fetch_manifest_entry(self._table.io)
            raise

    def _short(self, path: object) -> str:
        """Return a path below the table's folder, where it is there."""
        return str(path).removeprefix(self._table.location().rstrip("/") + "/")

    def scan(self, names: Sequence[str]) -> Iterator[Any]:
        """Yield the record batches of some columns."""
        from pyiceberg.expressions import AlwaysTrue
        from pyiceberg.io.pyarrow import ArrowScan

        fields = self._table.scan(snapshot_id=self._snapshot, selected_fields=tuple(names)).projection()
        reader = ArrowScan(self._table.metadata, self._table.io, fields, AlwaysTrue())
        for task in self._tasks:
            with explaining(self._place, [self._short(task.file.file_path)]):
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
