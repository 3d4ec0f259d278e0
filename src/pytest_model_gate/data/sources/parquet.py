"""Parquet: a file, a folder or a glob, read in batches that memory bounds, in the order of the file names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ...errors import InvalidError
from ...wording import shorten
from ..columns import check_unique, choose, describe, type_name
from .cuts import in_tables
from .digest import FileState, check_unchanged, digest_files
from .frames import (
    BATCH_BYTES,
    Types,
    data_names,
    depends_on_all_rows,
    is_categorical,
    rows_only,
    rows_per_batch,
    to_frames,
)
from .local import LocalFile, LocalFiles
from .reading import reading

if TYPE_CHECKING:
    import pandas as pd

#: What a value of no fixed width costs in a frame beside its bytes (a Python object in pandas 2).
_OBJECT_BYTES = 50
#: Rows that are decoded at a time: so little that what is left over when a batch is full does not count.
_READ_ROWS = 1 << 17
_READ_BYTES = 1 << 20
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


class ParquetDataset:
    """The rows of one or more Parquet files with the same columns.

    Parameters
    ----------
    found : LocalFiles
        The files. All of their bytes are hashed here, once.
    batch_bytes : int
        How much memory a batch may take.
    """

    def __init__(self, found: LocalFiles, *, batch_bytes: int = BATCH_BYTES) -> None:
        self.source, self.resolved, self.version = found.source, found.resolved, found.version
        self._files = found.files
        self._batch_bytes = batch_bytes
        self._states = [FileState.of(file) for file in found.files]
        self.digest = digest_files(found.files, single=found.single)
        footers = _Footers(found)
        self.rows = footers.rows
        self._bytes, self._null_free = footers.bytes_of, footers.null_free
        self._partitions = _partitions(found.files, set(footers.schema.names))
        self._schema = _with_partitions(footers.schema, self._partitions)
        self.columns = describe(self._schema)
        check_unchanged(self._states)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, only the named columns; at least one (maybe empty) frame."""
        names = choose(self.columns, columns, self.source)
        if not names:
            yield rows_only(self.rows)
            return
        size = rows_per_batch(sum(self._bytes_per_row(name) for name in names), self._batch_bytes)
        types = Types(self.source)
        tables: Iterator[Any]
        if self.rows <= size:
            whole = list(self._tables(names, size))
            for table in whole:
                types.add(table)
            tables = iter(whole)
        else:
            looked_at = [name for name in names if self._needs_a_look(name)]
            for table in self._tables(looked_at, size) if looked_at else ():
                types.add(table)
            tables = self._tables(names, size)
        with reading(self.source, "Parquet"):
            yield from to_frames(tables, types)
        check_unchanged(self._states)

    def _needs_a_look(self, name: str) -> bool:
        """Whether a column has to be read once before its pandas type is known."""
        kind = self._schema.field(name).type
        return depends_on_all_rows(kind) and (is_categorical(kind) or name not in self._null_free)

    def _bytes_per_row(self, name: str) -> float:
        kind = self._schema.field(name).type
        if is_categorical(kind):
            return 4
        try:
            return max(1.0, float(kind.bit_width) / 8)
        except ValueError:
            return self._bytes.get(name, 0) / max(1, self.rows) + _OBJECT_BYTES

    def _tables(self, names: Sequence[str], size: int) -> Iterator[Any]:
        """Yield Arrow tables of ``size`` rows (the last one: what is left); at least one."""
        import pyarrow as pa

        schema = pa.schema([self._schema.field(name) for name in names], metadata=self._schema.metadata)
        conformed = (
            self._conform(batch, position, schema)
            for position, file in enumerate(self._files)
            for batch in self._record_batches(file, names, size)
        )
        return in_tables(conformed, schema, size)

    def _record_batches(self, file: LocalFile, names: Sequence[str], size: int) -> Iterator[Any]:
        stored = [name for name in names if name not in self._partitions]
        # Of partition columns alone, something of the file must be read to know its rows.
        stored = stored or [self._schema.names[0]]
        with reading(file.name, "Parquet"), _opened(file) as opened:
            yield from opened.iter_batches(batch_size=min(size, _READ_ROWS), columns=stored)

    def _conform(self, batch: Any, position: int, schema: Any) -> Any:
        """Give one file's rows the types that all files share, and its partition's columns."""
        import pyarrow as pa

        arrays = []
        for item in schema:
            if item.name in self._partitions:
                value = self._partitions[item.name][position]
                arrays.append(pa.repeat(pa.scalar(value, item.type), batch.num_rows))
                continue
            array = batch.column(item.name)
            if array.type == item.type:
                arrays.append(array)
            elif is_categorical(item.type) and is_categorical(array.type):
                indices = array.indices.cast(item.type.index_type)
                values = array.dictionary.cast(item.type.value_type)
                arrays.append(pa.DictionaryArray.from_arrays(indices, values, ordered=item.type.ordered))
            else:
                arrays.append(array.cast(item.type))
        return pa.Table.from_arrays(arrays, schema=schema)

    def __repr__(self) -> str:
        return f"ParquetDataset({self.source!r}, {self.rows:,} rows, {len(self.columns)} columns)"


def _opened(file: LocalFile) -> Any:
    import pyarrow.parquet as pq

    # Buffered, because unbuffered it holds all bytes of a row group while it decodes the first rows.
    return pq.ParquetFile(file.path, pre_buffer=False, buffer_size=_READ_BYTES)


class _Footers:
    """What the footers of all files say together: schema, rows, sizes, and which columns have no null."""

    def __init__(self, found: LocalFiles) -> None:
        self.rows = 0
        self.bytes_of: dict[str, int] = {}
        self.null_free: set[str] = set()
        self.schema: Any = None
        for file in found.files:
            name = found.source if found.single else f"{found.source}: {file.name}"
            with reading(name, "Parquet"), _opened(file) as opened:
                schema, metadata = opened.schema_arrow, opened.metadata
            check_unique(schema.names, name)
            schema = _wide_indices(schema.empty_table().select(data_names(schema)).schema)
            nulls = self._add(metadata)
            if self.schema is None:
                self.schema, self.null_free = schema, nulls
            else:
                self.schema = _agree(self.schema, schema, found.files[0].name, file.name, found.source)
                self.null_free &= nulls

    def _add(self, metadata: Any) -> set[str]:
        """Count one file's rows and bytes; return its columns that have no null for sure."""
        self.rows += metadata.num_rows
        free = {metadata.schema.column(i).path for i in range(metadata.num_columns)}
        for group in range(metadata.num_row_groups):
            row_group = metadata.row_group(group)
            for i in range(row_group.num_columns):
                chunk = row_group.column(i)
                name = chunk.path_in_schema
                top = name.partition(".")[0]
                self.bytes_of[top] = self.bytes_of.get(top, 0) + chunk.total_uncompressed_size
                statistics = chunk.statistics
                if statistics is None or not statistics.has_null_count or statistics.null_count:
                    free.discard(name)
        return free


def _wide_indices(schema: Any) -> Any:
    """Give all dictionary columns the same index type, so that files with few and many values agree."""
    import pyarrow as pa

    for i, item in enumerate(schema):
        if is_categorical(item.type):
            kind = pa.dictionary(pa.int32(), item.type.value_type, item.type.ordered)
            schema = schema.set(i, item.with_type(kind))
    return schema


def _agree(known: Any, other: Any, first: str, name: str, source: str) -> Any:
    """Return the schema of two files together, or say how they differ.

    A column without any value has the type "null" in its file; everything else must be the same, because
    a column that is text in one file and a number in another is a mistake in the data.
    """
    import pyarrow as pa

    differing = set(known.names) ^ set(other.names)
    if differing:
        column = min(differing)
        has, lacks = (first, name) if column in known.names else (name, first)
        raise InvalidError(
            f"{source}: {has} has a column '{shorten(column)}' and {lacks} has none.",
            "Write all files with the same columns.",
        )
    for i, item in enumerate(known):
        there = other.field(item.name)
        if type_name(item.type) == type_name(there.type) or pa.types.is_null(there.type):
            continue
        if not pa.types.is_null(item.type):
            raise InvalidError(
                f"{source}: column '{shorten(item.name)}' is {type_name(item.type)} in {first} "
                f"and {type_name(there.type)} in {name}.",
                "Write all files with the same types.",
            )
        known = known.set(i, there)
    return known


def _partitions(files: Sequence[LocalFile], stored: set[str]) -> dict[str, list[Any]]:
    """Return the columns that folder names hold (``year=2023/part-0.parquet``), a value for each file."""
    rows = []
    for file in files:
        pairs = [part.partition("=") for part in PurePosixPath(file.name).parts[:-1] if "=" in part]
        rows.append({unquote(key): unquote(value) for key, _, value in pairs})
    keys = [key for key in rows[0] if key not in stored and all(key in row for row in rows)]
    found: dict[str, list[Any]] = {}
    for key in keys:
        values = [None if row[key] == _HIVE_NULL else row[key] for row in rows]
        # "2023" is a year; "007" is text, and stays it.
        whole = all(value is None or str(_whole(value)) == value for value in values)
        found[key] = [None if value is None else _whole(value) if whole else value for value in values]
    return found


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _with_partitions(schema: Any, partitions: dict[str, list[Any]]) -> Any:
    import pyarrow as pa

    for name, values in partitions.items():
        text = any(isinstance(value, str) for value in values) or all(value is None for value in values)
        schema = schema.append(pa.field(name, pa.string() if text else pa.int64()))
    return schema
