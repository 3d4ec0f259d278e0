"""What may be repeated of another library's message: nothing that may be a value of the rows it saw."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|`([^`]*)`")
_NUMBER = re.compile(r"(?<![\w.])-?(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d{5,}|\d+[eE][+-]?\d+)(?![\w])")


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
