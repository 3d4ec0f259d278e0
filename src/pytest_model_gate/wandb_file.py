"""The file of a run of W&B, ``run-ID.wandb``: which run it is, and the artifacts that it logged.

The format is the client's own: blocks of 32 KiB with records as LevelDB's log has them, each a protobuf of
the client that is installed. Files of artifacts are not in it: it says where the client staged them.
"""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import EvaluationError, InvalidError, UnavailableError

_MAGIC = b":W&B\xe1\xbe"
_BLOCK = 32 * 1024
_HEADER = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an artifact: its path, the md5 that the client noted, and where it lies."""

    path: str
    md5: str
    staged: str
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Logged:
    """One artifact that an offline run logged."""

    name: str
    kind: str
    digest: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class OfflineRun:
    """An offline run: where it will be when it is synced, and what it logged, in order."""

    path: str
    artifacts: tuple[Logged, ...]


def read_run(log: Path, shown: str) -> OfflineRun:
    """Read what an offline run logged.

    Raises
    ------
    InvalidError
        If its file is damaged, or ends before the run did.
    """
    try:
        from wandb.proto.wandb_internal_pb2 import Record
    except ImportError:
        raise UnavailableError(
            f"'{shown}' needs the package wandb.", "Run: pip install 'pytest-model-gate[wandb]'."
        ) from None
    where, ended = "", False
    artifacts: list[Logged] = []
    for content in _records(log, shown):
        record = Record()
        try:
            record.ParseFromString(content)
        except Exception:  # noqa: BLE001 - protobuf's own error, which nothing else here is for
            raise _unknown(log, shown) from None
        kind = record.WhichOneof("record_type")
        if kind == "run":
            where = "/".join(filter(None, (record.run.entity, record.run.project, record.run.run_id)))
        elif kind == "artifact":
            artifacts.append(_logged(record.artifact, shown))
        ended = ended or kind == "exit"
    if not where:
        raise _unknown(log, shown)
    if not ended:
        raise InvalidError(
            f"The offline run {log.name} has no end: it was killed, or it still writes, so '{shown}' was not "
            "opened.",
            "Wait until it ends, or train again.",
        )
    return OfflineRun(where, tuple(artifacts))


def _records(log: Path, shown: str) -> Iterator[bytes]:
    """Yield the records of a log, each compared with its checksum."""
    with log.open("rb") as stream:
        start = stream.read(7)
        if start[:6] != _MAGIC or start[6:] != b"\0":
            raise (
                _unknown(log, shown)
                if start[:4] == _MAGIC[:4]
                else InvalidError(
                    f"{log.name} is no file of a run of W&B, so '{shown}' could not be opened.",
                    "Name the folder offline-run-... that wandb.init() made.",
                )
            )
        place, held = len(start), b""
        while True:
            left = _BLOCK - place % _BLOCK
            if left < _HEADER.size:
                place += len(stream.read(left))
                continue
            head = stream.read(_HEADER.size)
            if not head:
                if held:
                    raise _damaged(log, place, "ends in the middle of a record", shown)
                return
            if len(head) < _HEADER.size:
                raise _damaged(log, place, "ends in the middle of a record", shown)
            checksum, length, kind = _HEADER.unpack(head)
            content = stream.read(length)
            if len(content) < length:
                raise _damaged(log, place, "ends in the middle of a record", shown)
            if zlib.crc32(bytes([kind]) + content) != checksum:
                raise _damaged(log, place, "has a record with a wrong checksum", shown)
            place += _HEADER.size + length
            if kind not in (_WHOLE, _FIRST, _MIDDLE, _LAST) or bool(held) != (kind in (_MIDDLE, _LAST)):
                raise _damaged(log, place, "has a record without its other parts", shown)
            held += content
            if kind in (_WHOLE, _LAST):
                yield held
                held = b""


def _damaged(log: Path, place: int, what: str, shown: str) -> InvalidError:
    return InvalidError(
        f"The offline run {log.name} {what} (byte {place:,}), so '{shown}' could not be opened.",
        "It was killed, it still writes, or its copy is damaged: wait until it ends, copy it again or train "
        "again.",
    )


def _unknown(log: Path, shown: str) -> EvaluationError:
    from importlib.metadata import version

    return EvaluationError(
        f"wandb {version('wandb')} does not know the format of {log.name}, so '{shown}' could not be opened.",
        "Install the version of wandb that wrote it.",
    )


def _logged(record: Any, shown: str) -> Logged:
    manifest = record.manifest
    entries = (
        _listed(Path(manifest.manifest_file_path), record.name, shown)
        if manifest.manifest_file_path
        else tuple(Entry(one.path, one.digest, one.local_path, one.ref) for one in manifest.contents)
    )
    return Logged(record.name, record.type, record.digest, entries)


def _listed(path: Path, name: str, shown: str) -> tuple[Entry, ...]:
    """Return what a list beside the record says: the client writes one for very many files."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            lines = [json.loads(line) for line in stream]
        return tuple(
            Entry(one["path"], one["digest"], one.get("local_path") or "", one.get("ref") or "")
            for one in lines
        )
    except (OSError, EOFError, ValueError, KeyError, zlib.error):
        raise InvalidError(
            f"The list of the files of '{name}' is missing or damaged at {path.as_posix()}, so '{shown}' "
            "could not be opened.",
            "Log the artifact again.",
        ) from None
