"""How this room words errors of other libraries: one line, printable, without values of the data."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ..redact import redact

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 160
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|`([^`]*)`")
_NUMBER = re.compile(r"(?<![\w.])-?(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d{5,}|\d+[eE][+-]?\d+)(?![\w])")


def shorten(text: str, longest: int = 40) -> str:
    r"""Return printable text of at most ``longest`` characters; what can't be printed is escaped.

    Examples
    --------
    >>> shorten("a\x1b[31m")
    'a\\x1b[31m'
    """
    safe = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode()
        for c in text[: longest + 1]
    )
    return safe if len(safe) <= longest else safe[: longest - 3] + "..."


def one_line(error: BaseException, longest: int = _LONGEST) -> str:
    """Return the type of an exception and the first line of what it says, shortened and without secrets."""
    text = first_line(error)
    return f"{type(error).__name__}: {shorten(text, longest)}" if text else type(error).__name__


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says, without secrets."""
    lines = str(error).strip().splitlines()
    return redact(lines[0].strip().rstrip(".:")) if lines else ""


def without_data(text: str, frame: pd.DataFrame) -> str:
    """Return a library's message with everything taken out that may be a value of the rows it saw.

    Quoted text that is a value of a column of text, and numbers of five digits or with a fraction,
    become ``...``. Column names stay: they are what a reader needs.
    """
    names = {str(name) for name in frame.columns}
    quoted = {next(part for part in found if part is not None) for found in _quoted(text)} - names
    values = _values_among(quoted, frame) if quoted else set()

    def hide(match: re.Match[str]) -> str:
        inner = next(part for part in match.groups() if part is not None)
        quote = match[0][0]
        return f"{quote}...{quote}" if inner in values else match[0]

    return _NUMBER.sub("...", _QUOTED.sub(hide, text))


def _quoted(text: str) -> list[tuple[str | None, ...]]:
    return [match.groups() for match in _QUOTED.finditer(text)]


def _values_among(texts: Collection[str], frame: pd.DataFrame) -> set[str]:
    found: set[str] = set()
    for _, column in frame.items():
        if column.dtype.kind not in "biufcmM":
            found |= {text for text in texts if bool((column.astype(str) == text).any())}
    return found


def some(values: Iterable[Any], limit: int = 8) -> str:
    """Return a few values and how many there are in all.

    Examples
    --------
    >>> some(["a", "b", "c"], limit=2)
    "'a', 'b', ... (3 in all)"
    """
    known = [shorten(repr(value)) for value in values]
    if len(known) <= limit:
        return ", ".join(known)
    return f"{', '.join(known[:limit])}, ... ({len(known)} in all)"


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return "Did you mean ...?", or another sentence where no known name is near."""
    near = get_close_matches(name, list(known), n=1)
    return f"Did you mean '{shorten(near[0], 120)}'?" if near else otherwise


def plural(count: int, noun: str) -> str:
    """Return ``"1 row"`` or ``"2,000 rows"``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
