"""Open a local source: find the files, hash them, and read what their format needs to have read."""

from __future__ import annotations

from typing import Any

from ...hooks import DatasetProtocol
from .digest import FileState, check_unchanged, digest_files
from .frames import data_names
from .local import LocalFiles, find
from .memory import FrameDataset, TableDataset, arrow_schema
from .reading import reading


def open_files(source: str, root: str) -> DatasetProtocol:
    """Open a path, a folder or a glob.

    Parameters
    ----------
    source : str
        As the user wrote it.
    root : str
        Directory that relative paths start from.
    """
    return open_found(find(source, root))


def open_found(found: LocalFiles) -> DatasetProtocol:
    """Open files that lie on this machine, wherever they come from: all their bytes are hashed here."""
    if found.format == "parquet":
        from .parquet import ParquetDataset

        return ParquetDataset(found)
    return _open_whole(found)


def _open_whole(found: LocalFiles) -> DatasetProtocol:
    from ..columns import describe
    from .text import read_csv, read_json_lines

    file = found.files[0]
    state = FileState.of(file)
    digest = digest_files(found.files, single=True)
    if found.format == "feather":
        table = _read_feather(str(file.path), found.source)
        check_unchanged([state])
        return TableDataset(found.source, found.resolved, digest, table, version=found.version)
    read = read_csv if found.format == "csv" else read_json_lines
    frame = read(file.path, found.source)
    check_unchanged([state])
    columns = describe(arrow_schema(frame, found.source))
    return FrameDataset(found.source, found.resolved, digest, frame, columns, version=found.version)


def _read_feather(path: str, name: str) -> Any:
    """Read an Arrow file or stream (pandas writes files, many services write streams)."""
    import pyarrow as pa
    from pyarrow import feather, ipc

    with reading(name, "Feather or Arrow"):
        try:
            table = feather.read_table(path, memory_map=False)
        except pa.ArrowInvalid as error:
            if "Not a Feather" not in str(error) and "Not an Arrow" not in str(error):
                raise
            with pa.OSFile(path) as stream:
                table = ipc.open_stream(stream).read_all()
        return table.select(
            [i for i, column in enumerate(table.column_names) if column in data_names(table.schema)]
        )
