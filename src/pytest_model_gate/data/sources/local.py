"""Find the files that a local source means, and say plainly what is wrong where there are none."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...errors import EvaluationError, UnavailableError
from ...wording import nearest, shorten, some

Format = Literal["parquet", "csv", "feather", "jsonl"]

_FORMATS: dict[str, Format] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".feather": "feather",
    ".arrow": "feather",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
#: Two letters at least, so that C:\data is a path.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_MAGIC = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """One file: its name below the folder (or the fixed part of the glob), and where it is."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFiles:
    """The files that a source means.

    Parameters
    ----------
    source : str
        POSIX path, folder or glob, relative to the root where possible.
    resolved : str
        What is read, in words.
    format : str
        What the files hold.
    files : tuple of LocalFile
        In the order in which their rows come: sorted by name.
    single : bool
        Whether the source names one file (and not a folder or glob that holds one).
    version : str
        Which version of the source these files are, where it has versions. Empty: none.
    """

    source: str
    resolved: str
    format: Format
    files: tuple[LocalFile, ...]
    single: bool
    version: str = ""


def is_local(source: str) -> bool:
    """Whether a source is a path of this machine, not something with a scheme."""
    return _SCHEME.match(source) is None


def find(source: str, root: str) -> LocalFiles:
    """Return the files that a path, a folder or a glob means.

    Below a folder every ``*.parquet`` counts, except those in files or folders whose names start with
    ``.`` or ``_``: engines keep their logs and half-written files there.

    Raises
    ------
    UnavailableError
        If there is no such file, or none that matches.
    EvaluationError
        If it is not of a kind that can be read.
    """
    # Not resolve(): a linked folder keeps the name that the user gave it.
    base = Path(root).absolute()
    path = Path(os.path.normpath(base / source))
    shown = _shown(path, base)
    try:
        if _MAGIC.search(source) and not path.exists():
            return _glob(path, shown)
        if path.is_dir():
            return _folder(path, shown)
        if path.exists():
            kind = format_of(path.name)
            if kind is None:
                raise unknown_suffix(shown, path.name)
            return LocalFiles(
                source=shown, resolved=shown, format=kind, files=(LocalFile(path.name, path),), single=True
            )
    except OSError as error:
        raise UnavailableError(
            f"{shown} cannot be opened: {error.strerror or error}.", "Check the path and its permissions."
        ) from None
    raise _missing(path, shown, base)


def format_of(name: str) -> Format | None:
    """Return what a file of that name holds, or ``None`` where its suffix says nothing."""
    lower = name.lower()
    return next((kind for suffix, kind in _FORMATS.items() if lower.endswith(suffix)), None)


def safe_name(name: str) -> str:
    """Return a name for a copy of a file: it is read like it, and nothing else of a name that others chose.

    Examples
    --------
    >>> safe_name("2023/../loans.CSV.gz"), safe_name("list")
    ('content.csv.gz', 'content')
    """
    lower = name.lower()
    return "content" + next((suffix for suffix in _FORMATS if lower.endswith(suffix)), "")


def _shown(path: Path, base: Path) -> str:
    """Return a path as records hold it: POSIX, relative to the root where it lies below it."""
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()


def _folder(path: Path, shown: str) -> LocalFiles:
    kind = format_of(path.name)
    if kind is not None and kind != "parquet":
        raise EvaluationError(
            f"{shown} is a folder; a {kind} file was meant, by its name.",
            "Name the file, or a folder of Parquet files.",
        )
    found = []
    for item in path.rglob("*.parquet"):
        below = item.relative_to(path)
        if not any(part.startswith((".", "_")) for part in below.parts) and item.is_file():
            found.append(LocalFile(below.as_posix(), item))
    if not found:
        held = sorted(item.name for item in path.iterdir())
        raise UnavailableError(
            f"{shown}/ holds no Parquet files.",
            f"It holds: {some(held)}. Name one file, or a folder with *.parquet in it."
            if held
            else "It is empty.",
        )
    return _many(found, shown, f"{shown}/")


def _glob(path: Path, shown: str) -> LocalFiles:
    parts = path.parts
    fixed = next(i for i, part in enumerate(parts) if _MAGIC.search(part))
    folder = Path(*parts[:fixed])
    matches = [Path(match) for match in glob.glob(str(path), recursive=True)]  # noqa: PTH207 - takes absolute patterns
    files = [match for match in matches if match.is_file()]
    if not files:
        if not folder.is_dir():
            raise UnavailableError(
                f"{shown} matches no file: there is no folder {folder.as_posix()}.", "Check the path."
            )
        if matches:
            raise UnavailableError(
                f"{shown} matches folders, no file.", f"Write {shown.rstrip('/')}/*.parquet."
            )
        held = sorted(item.name for item in folder.iterdir())
        raise UnavailableError(
            f"{shown} matches no file.",
            f"{folder.name}/ holds: {some(held)}." if held else f"{folder.name}/ is empty.",
        )
    other = sorted(match.name for match in files if format_of(match.name) != "parquet")
    if other:
        raise EvaluationError(
            f"{shown} matches files that are not Parquet: {some(other)}.",
            "A glob reads Parquet files only; end it with .parquet.",
        )
    return _many([LocalFile(match.relative_to(folder).as_posix(), match) for match in files], shown, shown)


def _many(found: Sequence[LocalFile], shown: str, label: str) -> LocalFiles:
    files = tuple(sorted(set(found), key=lambda file: file.name))
    count = "1 file" if len(files) == 1 else f"{len(files):,} files"
    return LocalFiles(
        source=shown, resolved=f"{label} ({count})", format="parquet", files=files, single=False
    )


def unknown_suffix(shown: str, name: str) -> EvaluationError:
    """Return the error for a file whose name says nothing about what it holds."""
    suffix = Path(name).suffix
    kind = f"The suffix '{shorten(suffix)}'" if suffix else "A file without a suffix"
    return EvaluationError(
        f"{shown} cannot be read: {kind[0].lower() + kind[1:]} says nothing about what it holds.",
        f"Known: {', '.join(_FORMATS)}. For anything else write python:package.module:load.",
    )


def _missing(path: Path, shown: str, base: Path) -> UnavailableError:
    parent = path.parent
    if not parent.is_dir():
        while not parent.parent.is_dir():
            parent = parent.parent
        siblings = [item.name for item in parent.parent.iterdir() if item.is_dir()]
        absent, prefix = _shown(parent, base), parent.parent
        what = f"{shown} does not exist: there is no folder '{absent}'."
        looked_for = parent.name
    else:
        siblings = [item.name for item in parent.iterdir() if item.is_dir() or format_of(item.name)]
        what, prefix, looked_for = f"{shown} does not exist.", parent, path.name
    near = nearest(looked_for, siblings)
    if near:
        return UnavailableError(what, f"Did you mean '{_shown(prefix / near, base)}'?")
    return UnavailableError(what, f"Relative paths start from {base.as_posix()}.")
