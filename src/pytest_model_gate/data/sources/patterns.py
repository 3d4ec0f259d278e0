"""Which of the names of a remote store a folder or a glob takes, and their versions as one text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

MAGIC = re.compile(r"[*?[]")


def chosen(names: Iterable[str], path: str) -> tuple[str, list[str]]:
    """Return the folder that a path or glob starts from, and the names that it takes, sorted.

    Parameters
    ----------
    names : iterable of str
        All names that begin with ``start_of(path)``.
    path : str
        A folder, of which every ``*.parquet`` counts but those in files or folders whose names start with
        ``.`` or ``_``; or a glob.
    """
    if MAGIC.search(path):
        fits = matcher(path).fullmatch
        return start_of(path), sorted(name for name in names if fits(name))
    start = start_of(path)
    return start, sorted(name for name in names if counts(name.removeprefix(start)))


def start_of(path: str) -> str:
    """Return what all names of a folder or a glob begin with; it ends with ``/``, or is empty.

    Examples
    --------
    >>> start_of("data/year=*/part-0.parquet"), start_of("*.parquet"), start_of("data")
    ('data/', '', 'data/')
    """
    found = MAGIC.search(path)
    if not found:
        return path.rstrip("/") + "/"
    before = path[: found.start()]
    return before[: before.rfind("/") + 1]


def matcher(pattern: str) -> re.Pattern[str]:
    """Return the expression for a glob: ``*`` stays within a folder, ``**`` does not.

    Names that begin with a dot are matched only where the pattern says the dot, as on a file system.

    Examples
    --------
    >>> bool(matcher("a/*.parquet").fullmatch("a/x.parquet"))
    True
    >>> bool(matcher("a/*.parquet").fullmatch("a/b/x.parquet"))
    False
    >>> bool(matcher("a/**/*.parquet").fullmatch("a/b/c/x.parquet"))
    True
    """
    parts = []
    segments = pattern.split("/")
    for i, segment in enumerate(segments):
        last = i == len(segments) - 1
        if segment == "**":
            parts.append(r"(?:(?!\.)[^/]+/)*" + (r"(?!\.)[^/]+" if last else ""))
            continue
        dots = r"(?!\.)" if segment[:1] in ("*", "?", "[") else ""
        parts.append(dots + _segment(segment) + ("" if last else "/"))
    return re.compile("".join(parts), re.DOTALL)


def _segment(pattern: str) -> str:
    """Return the expression for what stands between two slashes of a glob."""
    return re.sub(r"\*+|\?|\[!?\]?[^\]]*\]|.", _sign, pattern, flags=re.DOTALL)


def _sign(match: re.Match[str]) -> str:
    sign = match[0]
    if sign[0] == "*":
        return "[^/]*"
    if sign == "?":
        return "[^/]"
    if len(sign) > 1:
        inner = sign[1:-1].replace("\\", r"\\").replace("^", r"\^").replace("[", r"\[")
        return f"(?!/)[^{inner[1:]}]" if inner[0] == "!" else f"[{inner}]"
    return re.escape(sign)


def counts(name: str) -> bool:
    """Whether a name below a folder is one of its Parquet files: engines keep their logs beside them."""
    parts = PurePosixPath(name).parts
    return name.endswith(".parquet") and not any(part.startswith((".", "_")) for part in parts)


def versions_text(versions: Mapping[str, str]) -> str:
    """Return the versions of many objects as one text for the lock: name -> version.

    Examples
    --------
    >>> versions_text({"b c.parquet": "2", "a.parquet": "1"})
    'a.parquet?versionId=1 b%20c.parquet?versionId=2'
    """
    return " ".join(f"{quote(name, safe='/=')}?versionId={versions[name]}" for name in sorted(versions))


def versions_of(text: str) -> dict[str, str]:
    """Return name -> version; empty for the version of a single object.

    Examples
    --------
    >>> versions_of("a.parquet?versionId=1 b%20c.parquet?versionId=2")
    {'a.parquet': '1', 'b c.parquet': '2'}
    """
    pairs = [part.partition("?versionId=") for part in text.split(" ")]
    return {unquote(name): version for name, mark, version in pairs if mark and version}
