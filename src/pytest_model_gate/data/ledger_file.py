"""The ledger's file: held by one process at a time, read, and appended to so that a line is there or not.

The lock is one on the file itself, which the operating system gives back when its process dies. A second
file beside it would have to be ignored by everybody's git, and could not be made in a read-only checkout,
where a candidate that was counted elsewhere can still be judged.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UnavailableError
from .ledger import Entry, parse, render

#: Seconds to wait for other processes; each holds the file for milliseconds.
PATIENCE = 30.0
_PAUSE = 0.005

_WRITABLE = "Uses have to be counted where they are seen: run it where the file can be written."

if sys.platform == "win32":
    import msvcrt

    #: Far behind the end of every ledger, because a locked byte cannot be read by others.
    _BYTE = 1 << 30

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, _BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


class LedgerFile:
    """A ledger that this process holds alone."""

    def __init__(self, path: Path, handle: int, *, writable: bool) -> None:
        self._path = path
        self._handle = handle
        self._writable = writable

    @property
    def writable(self) -> bool:
        """Whether lines can be appended."""
        return self._writable

    def entries(self) -> list[Entry]:
        """Return everything that it says.

        Raises
        ------
        ConfigurationError
            For a line that cannot be read.
        """
        return parse(self.content(), self._path.name)

    def append(self, entry: Entry) -> None:
        """Write one more line: when this returns, the disk has it.

        Raises
        ------
        UnavailableError
            If it cannot be written; then the file is as it was.
        """
        if not self._writable:
            raise UnavailableError(f"{self._path.as_posix()} is read-only.", _WRITABLE)
        size = os.fstat(self._handle).st_size
        line = render(entry).encode("utf-8", "backslashreplace") + b"\n"
        if size:
            os.lseek(self._handle, size - 1, os.SEEK_SET)
            if os.read(self._handle, 1) != b"\n":  # an editor took the end of the last line away
                line = b"\n" + line
        try:
            try:
                written = os.write(self._handle, line)
                if written < len(line):
                    raise OSError("no space left for a whole line")
                os.fsync(self._handle)
                if not size:
                    _sync_folder(self._path)
            except OSError:
                os.ftruncate(self._handle, size)
                raise
        except OSError as error:
            raise UnavailableError(
                f"{self._path.as_posix()} cannot be written: {error.strerror or error}.", _WRITABLE
            ) from None
        if not _is_at(self._handle, self._path):
            raise UnavailableError(
                f"{self._path.as_posix()} was replaced while a use was written into it.",
                "Run the gate again when nothing else (git, an editor) writes to the file.",
            )

    def content(self) -> bytes:
        """Return all its bytes."""
        os.lseek(self._handle, 0, os.SEEK_SET)
        parts = []
        while part := os.read(self._handle, 1 << 20):
            parts.append(part)
        return b"".join(parts)


@contextmanager
def held(path: Path, *, patience: float = PATIENCE) -> Iterator[LedgerFile]:
    """Hold the ledger, which is made where there is none.

    Raises
    ------
    UnavailableError
        If it cannot be opened, or others hold it all the time.
    """
    end = time.monotonic() + patience
    while True:
        handle, writable = _open(path)
        try:
            _lock(handle, path, end)
            # Where git has put another file in its place meanwhile, that one is the ledger.
            if _is_at(handle, path):
                try:
                    yield LedgerFile(path, handle, writable=writable)
                finally:
                    _unlock(handle)
                return
        finally:
            os.close(handle)


def _open(path: Path) -> tuple[int, bool]:
    binary = getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | binary, 0o666), True
    except OSError as error:
        refused = error
    try:
        if path.is_file():
            return os.open(path, os.O_RDONLY | binary), False
    except OSError:
        pass
    raise UnavailableError(
        f"{path.as_posix()} cannot be written: {refused.strerror or refused}.", _WRITABLE
    ) from None


def _lock(handle: int, path: Path, end: float) -> None:
    try:
        while not _try_lock(handle):
            if time.monotonic() > end:
                raise UnavailableError(
                    f"{path.as_posix()} is held by another process all the time.",
                    "Run the gate again when the other run has ended.",
                )
            time.sleep(_PAUSE)
    except OSError as error:
        raise UnavailableError(
            f"{path.as_posix()} cannot be locked: {error.strerror or error}.",
            "Some network drives have no locks: keep the project on a local disk.",
        ) from None


def _sync_folder(path: Path) -> None:
    """Have the disk know of a new file; Windows opens no folders, and needs no such thing."""
    if sys.platform == "win32":
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
