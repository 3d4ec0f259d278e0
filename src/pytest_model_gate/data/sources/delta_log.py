"""Which file of a Delta table's log is gone or damaged, where the table cannot be opened.

deltalake says what its parser met and never in which file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from .delta_place import Place, filesystem

_LOG = "_delta_log"
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.[^/]+)?\.(?:parquet|json)")


def fault(place: Place) -> tuple[str, str]:
    """Return the file of the log that is at fault and what is wrong with it; empty where none is found.

    Looked at are the newest checkpoint that a version can be read from, and every commit behind it.
    """
    try:
        return next(_faults(place), ("", ""))
    except Exception:  # noqa: BLE001 - it only makes the message of another error better
        return "", ""


def _faults(place: Place) -> Iterator[tuple[str, str]]:
    from pyarrow.fs import FileSelector

    store = filesystem(place)
    names = {item.base_name: f"{_LOG}/{item.base_name}" for item in store.get_file_info(FileSelector(_LOG))}
    commits = {int(found[1]) for name in names if (found := _COMMIT.fullmatch(name))}
    checkpoints = {name: int(found[1]) for name in names if (found := _CHECKPOINT.fullmatch(name))}
    newest = max([*commits, *checkpoints.values()], default=-1)
    last = newest if place.version is None else place.version
    if last > newest:
        return  # there never was such a version, or nothing tells that there was
    start = max((number for number in checkpoints.values() if number <= last), default=-1)
    if start < 0 and checkpoints and 0 not in commits:
        return  # what is older than the first checkpoint was cleaned up
    for name, number in sorted(checkpoints.items()):
        if number == start:
            yield from _unless(names[name], lambda path: _parquet(store, path))
    for number in range(start + 1, last + 1):
        path = f"{_LOG}/{number:020d}.json"
        if number not in commits:
            yield path, "is gone"
        else:
            yield from _unless(path, lambda path: _lines(store, path))


def _unless(path: str, readable: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    wrong = readable(path)
    if wrong:
        yield path, wrong


def _parquet(store: Any, path: str) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.endswith(".parquet"):
        return _lines(store, path)
    with store.open_input_file(path) as stream:
        try:
            for _ in pq.ParquetFile(stream).iter_batches():
                pass
        except (pa.ArrowException, OSError):
            return "is damaged: it cannot be read as Parquet"
    return ""


def _lines(store: Any, path: str) -> str:
    with store.open_input_stream(path) as stream:
        lines = stream.read().splitlines()
    if not any(line.strip() for line in lines):
        return "is damaged: it is empty"
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                json.loads(line)
        except ValueError:
            return f"is damaged: its line {number} is not JSON"
    return ""
