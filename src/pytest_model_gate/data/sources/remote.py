"""Open files that lie elsewhere: each version is fetched once, and every byte is hashed when it is read.

What the cache holds is not believed. Each file lies beside the sha256 that its bytes had when they came;
where they no longer have it, the file is fetched again.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ...errors import InvalidError, UnavailableError
from ...hooks import DatasetProtocol
from .cache import cached, forget
from .digest import digest_of
from .files import open_found
from .local import Format, LocalFile, LocalFiles, safe_name

T = TypeVar("T")
R = TypeVar("R")

#: Files that are fetched side by side.
_WORKERS = 8
_SIDECAR = "sha256"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One version of one file.

    Parameters
    ----------
    name : str
        Its name below the folder (or the fixed part of the glob), with ``/``.
    kind : str
        Folder of the cache: ``"s3"``.
    identity : tuple of str
        What tells this version from every other. Empty: nothing does, so it is fetched each time.
    download : callable
        ``download(path)`` writes its bytes to a new file and returns their sha256 in hex, or raises.
    """

    name: str
    kind: str
    identity: tuple[str, ...]
    download: Callable[[Path], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFiles:
    """The files that a source means; parameters as in ``LocalFiles``."""

    source: str
    resolved: str
    format: Format
    files: tuple[RemoteFile, ...]
    single: bool
    version: str = ""


def open_remote(found: RemoteFiles) -> DatasetProtocol:
    """Fetch what isn't here yet, and open it."""
    if not all(file.identity for file in found.files):
        return _open_once(found)
    places = _side_by_side(_cached, found.files)
    local = _local(found, places)
    try:
        dataset = open_found(local)
    except InvalidError:
        if not _fetch_damaged_again(found.files, places):
            raise
        return open_found(local)
    hexes = [place.with_name(_SIDECAR).read_text(encoding="ascii") for place in places]
    if dataset.digest != digest_of(hexes, [file.name for file in found.files], single=found.single):
        _fetch_damaged_again(found.files, places)
        dataset = open_found(local)
    return dataset


def fetch_one(file: RemoteFile) -> Path:
    """Return where one version of a file lies on this machine, as it came."""
    place = _cached(file)
    if not _as_it_came(place):
        forget(file.kind, file.identity)
        place = _cached(file)
    return place


def _open_once(found: RemoteFiles) -> DatasetProtocol:
    """Open files that nothing can be known again by: they are kept as long as the dataset is."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="model-gate-"))
    except OSError as error:
        raise _no_room(error) from None
    try:
        places = [folder / str(i) / safe_name(file.name) for i, file in enumerate(found.files)]

        def fetch(pair: tuple[RemoteFile, Path]) -> None:
            pair[1].parent.mkdir()
            pair[0].download(pair[1])

        _side_by_side(fetch, list(zip(found.files, places, strict=True)))
        dataset = open_found(_local(found, places))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(dataset, shutil.rmtree, folder, ignore_errors=True)
    return dataset


def _local(found: RemoteFiles, places: Sequence[Path]) -> LocalFiles:
    return LocalFiles(
        source=found.source,
        resolved=found.resolved,
        format=found.format,
        files=tuple(LocalFile(file.name, place) for file, place in zip(found.files, places, strict=True)),
        single=found.single,
        version=found.version,
    )


def _cached(file: RemoteFile) -> Path:
    place = safe_name(file.name)

    def fetch(folder: Path) -> None:
        hexed = file.download(folder / place)
        (folder / _SIDECAR).write_text(hexed, encoding="ascii")

    try:
        found = cached(file.kind, file.identity, fetch) / place
        if not (found.is_file() and found.with_name(_SIDECAR).is_file()):
            forget(file.kind, file.identity)
            found = cached(file.kind, file.identity, fetch) / place
    except OSError as error:
        raise _no_room(error) from None
    return found


def _fetch_damaged_again(files: Sequence[RemoteFile], places: Sequence[Path]) -> bool:
    """Fetch every file again whose bytes are not those that came; return whether there was one."""
    damaged = [file for file, place in zip(files, places, strict=True) if not _as_it_came(place)]
    for file in damaged:
        forget(file.kind, file.identity)
    _side_by_side(_cached, damaged)
    return bool(damaged)


def _as_it_came(place: Path) -> bool:
    try:
        with place.open("rb") as stream:
            hexed = hashlib.file_digest(stream, "sha256").hexdigest()
        return hexed == place.with_name(_SIDECAR).read_text(encoding="ascii")
    except (OSError, ValueError):
        return False


def _side_by_side(act: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return ``act`` of every item, in order; the first that fails ends it all."""
    if len(items) < 2:
        return [act(item) for item in items]
    with ThreadPoolExecutor(min(_WORKERS, len(items))) as pool:
        futures = [pool.submit(act, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def write_pieces(pieces: Iterable[bytes], path: Path, *more: hashlib._Hash) -> str:
    """Write a stream to a new file and return the sha256 of its bytes in hex.

    Parameters
    ----------
    pieces : iterable of bytes
        The stream. What it raises goes through.
    path : Path
        The file.
    more : hash objects
        Other digests that take the same bytes.
    """
    own = hashlib.sha256()
    with path.open("xb") as target:
        for piece in pieces:
            own.update(piece)
            for other in more:
                other.update(piece)
            try:
                target.write(piece)
            except OSError as error:
                raise _no_room(error) from None
    return own.hexdigest()


def _no_room(error: OSError) -> UnavailableError:
    return UnavailableError(
        f"A dataset could not be written to this machine: {error.strerror or error}.",
        "Free some space, or let MODEL_GATE_CACHE (or TMPDIR, where the source keeps no versions) name a "
        "folder that has some.",
    )
