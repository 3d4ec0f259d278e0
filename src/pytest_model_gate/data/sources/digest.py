r"""Digests over all bytes of files, and the proof that a file stayed the same while it was read.

One file: what ``sha256sum file`` prints. A folder or a glob: the sha256 of the sorted lines that
``sha256sum`` prints for its files, so that anybody can check it by hand::

    cd data/holdout
    find . -name '*.parquet' -not -path '*/[._]*' -printf '%P\0' \
        | xargs -0 sha256sum | LC_ALL=C sort | sha256sum

    cd data                       # for the glob data/part-*.parquet
    sha256sum part-*.parquet | LC_ALL=C sort | sha256sum
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ...errors import InvalidError, UnavailableError
from .local import LocalFile

#: Hashing lets go of the interpreter, so files can be hashed side by side; more than this only seeks.
_WORKERS = 4


@dataclass(frozen=True, slots=True)
class FileState:
    """What identifies one version of a file without reading it."""

    name: str
    path: Path
    identity: tuple[int, int, int, int]

    @classmethod
    def of(cls, file: LocalFile) -> FileState:
        """Look at a file."""
        return cls(file.name, file.path, _identity(file.path))


def _identity(path: Path) -> tuple[int, int, int, int]:
    try:
        stat = path.stat()
    except OSError as error:
        raise UnavailableError(
            f"{path.name} cannot be opened: {error.strerror or error}.", "Check the path and its permissions."
        ) from None
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def check_unchanged(states: Iterable[FileState]) -> None:
    """Raise ``InvalidError`` if a file is another one than it was, or was written to.

    Called after reading: what was hashed is then what was read.
    """
    for state in states:
        try:
            same = _identity(state.path) == state.identity
        except UnavailableError:
            same = False
        if not same:
            raise InvalidError(
                f"{state.name} changed while it was being read.",
                "Run the gate again when nothing writes to it, or on a copy.",
            )


def sha256(data: bytes) -> str:
    """Return ``"sha256:<hex>"`` of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_files(files: Sequence[LocalFile], *, single: bool) -> str:
    """Return the digest of one file, or of all files of a folder or glob.

    Parameters
    ----------
    files : sequence of LocalFile
        Each is read once, in pieces.
    single : bool
        Whether the digest is that of the one file's bytes.
    """
    if len(files) == 1:
        hexes = [_hash_file(files[0].path)]
    else:
        with ThreadPoolExecutor(min(_WORKERS, len(files))) as pool:
            hexes = list(pool.map(lambda file: _hash_file(file.path), files))
    return digest_of(hexes, [file.name for file in files], single=single)


def digest_of(hexes: Sequence[str], names: Sequence[str], *, single: bool) -> str:
    """Return the digest that files have whose own digests (in hex) are known."""
    if single:
        return f"sha256:{hexes[0]}"
    lines = sorted(
        f"{hexed}  {name}\n".encode("utf-8", "surrogateescape")
        for hexed, name in zip(hexes, names, strict=True)
    )
    return sha256(b"".join(lines))


def _hash_file(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UnavailableError(
            f"{path.name} cannot be read: {error.strerror or error}.", "Check the path and its permissions."
        ) from None
