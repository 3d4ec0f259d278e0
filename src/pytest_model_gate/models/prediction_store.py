"""The folder of kept predictions: one file per model and dataset, whole or not there, and no more than fits.

Whoever can write into it can change verdicts, so only files and a folder of the user's own are read.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigurationError
from .prediction_file import DamagedError

#: Environment variable with the most that the folder may hold, in megabytes.
VARIABLE = "MODEL_GATE_CACHE_MEGABYTES"
SUFFIX = ".predictions"
_MEGABYTE = 1_000_000
_MEGABYTES = 1000
#: Seconds after which a file that was never finished has no writer any more.
_ABANDONED = 3600.0
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class UnsafeError(ValueError):
    """A folder or file that somebody else may have written."""


@dataclass(frozen=True, slots=True)
class Held:
    """One file of the folder."""

    path: Path
    size: int
    used: float


@dataclass(frozen=True, slots=True)
class Store:
    """Kept predictions in a folder.

    Parameters
    ----------
    folder : Path
        Made when something is written.
    most : int
        Bytes that it may hold; what was not used for longest goes first.
    """

    folder: Path
    most: int

    def read(self, key: str) -> bytes | None:
        """Return what was kept under a key, ``None`` where nothing was.

        Raises
        ------
        UnsafeError
            If folder or file are not the user's own.
        DamagedError
            If it cannot be read as a file.
        """
        try:
            self._check_folder()
            opened = os.open(self._path(key), os.O_RDONLY | _NO_SURPRISES)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnsafeError:
            raise
        except OSError as error:
            # A link is refused by the open itself.
            raise DamagedError(f"it cannot be opened ({error.strerror or type(error).__name__})") from None
        try:
            about = os.fstat(opened)
            if not stat.S_ISREG(about.st_mode):
                raise DamagedError("it is no file")
            _check_own(about, "it")
            if about.st_size > self.most:
                raise DamagedError("it is larger than the whole folder may be")
            with os.fdopen(opened, "rb", closefd=False) as stream:
                content = stream.read()
        finally:
            os.close(opened)
        with suppress(OSError):  # a folder that can only be read
            os.utime(self._path(key))
        return content

    def write(self, key: str, content: bytes) -> None:
        """Keep something under a key, and drop what was not used for longest where it gets too much.

        Raises
        ------
        OSError
            If it cannot be written.
        UnsafeError
            If the folder is not the user's own.
        """
        if len(content) > self.most:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._check_folder()
        # mkstemp gives mode 0600, and another name to every process.
        opened, name = tempfile.mkstemp(prefix=".", suffix=".unfinished", dir=self.folder)
        try:
            with os.fdopen(opened, "wb") as stream:
                stream.write(content)
            Path(name).replace(self._path(key))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._drop()

    def forget(self, key: str) -> None:
        """Remove what cannot be used; nothing is said where that is not allowed."""
        with suppress(OSError):
            self._path(key).unlink()

    def held(self) -> list[Held]:
        """Return the files, those first that were not used for longest."""
        return sorted(self._files(SUFFIX), key=lambda item: (item.used, item.path.name))

    def clear(self) -> int:
        """Remove all files that lie here, and return how many predictions these were."""
        there = self.held()
        for item in (*there, *self._files(".unfinished")):
            item.path.unlink(missing_ok=True)
        return len(there)

    def _drop(self) -> None:
        there = self.held()
        total = sum(item.size for item in there)
        for item in there[:-1]:
            if total <= self.most:
                break
            item.path.unlink(missing_ok=True)  # another process may have done it
            total -= item.size
        for item in self._files(".unfinished"):
            if time.time() - item.used > _ABANDONED:
                item.path.unlink(missing_ok=True)

    def _files(self, suffix: str) -> Iterator[Held]:
        try:
            entries = list(os.scandir(self.folder))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if not entry.name.endswith(suffix) or entry.is_dir(follow_symlinks=False):
                continue
            try:
                about = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            yield Held(Path(entry.path), about.st_size, about.st_mtime)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _check_folder(self) -> None:
        about = self.folder.lstat()
        if not stat.S_ISDIR(about.st_mode):
            raise UnsafeError("it is no folder, or a link to one")
        _check_own(about, "it")


def most_bytes() -> int:
    """Return how much the folder may hold.

    Raises
    ------
    ConfigurationError
        If the variable holds no number.
    """
    said = os.environ.get(VARIABLE, "").strip()
    if not said:
        return _MEGABYTES * _MEGABYTE
    try:
        number = float(said)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigurationError(
            f"{VARIABLE} must be a number of megabytes above 0, got {said!r}.",
            f"Write for example {VARIABLE}=500, or unset it.",
        )
    return round(number * _MEGABYTE)


#: Neither follow a link nor wait for the other end of a pipe. Windows has neither flag, and no such links.
_NO_SURPRISES = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def _check_own(about: os.stat_result, what: str) -> None:
    """Refuse what another user owns or may write."""
    if not hasattr(os, "geteuid"):
        return
    if about.st_uid != os.geteuid():
        raise UnsafeError(f"{what} belongs to another user")
    if about.st_mode & _OTHERS_WRITE:
        raise UnsafeError(f"{what} can be written by other users")
