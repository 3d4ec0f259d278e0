"""How findings and errors are worded: counts, short examples, other libraries' errors in one line."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from pathlib import PurePosixPath

from .redact import redact

#: Longest excerpt of somebody else's text that we repeat.
_LONGEST = 160
#: How much of two names must be the same to take one for the other, as difflib counts.
_ALIKE = 0.6


def one_line(error: BaseException, longest: int = _LONGEST) -> str:
    """Return the type of an exception and the first line of what it says, shortened and without secrets."""
    text = first_line(error)
    return f"{type(error).__name__}: {shorten(text, longest)}" if text else type(error).__name__


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says, without secrets."""
    lines = str(error).strip().splitlines()
    return redact(lines[0].strip().rstrip(".:! ")) if lines else ""


def shorten(text: str, longest: int = 40) -> str:
    r"""Return printable text of at most ``longest`` characters.

    Control characters, line breaks and bidirectional marks are written as escapes, so that no value of
    a dataset can rewrite a terminal or a report.

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


def example(value: object) -> str:
    """Return one value of a dataset as a short example: text in quotes, anything else as it prints."""
    item = value.item() if hasattr(value, "item") and callable(value.item) else value
    return f"'{shorten(item)}'" if isinstance(item, str) else shorten(str(item))


def share(count: int, total: int) -> str:
    """Return ``"12 of 30,000 rows (0.04%)"``.

    Examples
    --------
    >>> share(12, 30000)
    '12 of 30,000 rows (0.04%)'
    """
    if count == total:
        return "the only row" if total == 1 else f"all {total:,} rows"
    return f"{count:,} of {total:,} rows ({_percent(count / total)})"


def _percent(fraction: float) -> str:
    if fraction < 0.0001:
        return "under 0.01%"
    if fraction > 0.9999:
        return "over 99.99%"
    return f"{fraction * 100:.{2 if fraction < 0.1 else 1}f}%"


def some(names: Iterable[str], limit: int = 8) -> str:
    """Return a few names and how many there are in all.

    Examples
    --------
    >>> some(["a", "b", "c"], limit=2)
    'a, b, ... (3 in all)'
    """
    known = [shorten(name) for name in names]
    if len(known) <= limit:
        return ", ".join(known)
    return f"{', '.join(known[:limit])}, ... ({len(known)} in all)"


def some_values(values: Iterable[object], limit: int = 8) -> str:
    """Return a few values as Python writes them, and how many there are in all.

    Examples
    --------
    >>> some_values(["a", 1, "c"], limit=2)
    "'a', 1, ... (3 in all)"
    """
    return some((repr(value) for value in values), limit)


def plural(count: int, noun: str) -> str:
    """Return ``"1 row"`` or ``"2,000 rows"``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def roughly(count: int) -> str:
    """Return a number with two significant digits, rounded up: an estimate is known no better.

    Examples
    --------
    >>> roughly(25_666), roughly(99), roughly(100_001)
    ('26,000', '99', '110,000')
    """
    step = 10 ** max(0, len(str(count)) - 2)
    return f"{-(-count // step) * step:,}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that is nearest, or an empty string.

    A folder and a file suffix that both have make nothing alike.

    Examples
    --------
    >>> nearest("data/holdut.parquet", ["data/holdout.parquet"])
    'data/holdout.parquet'
    >>> nearest("data/loans.parquet", ["data/train.parquet"])
    ''
    """
    for near in get_close_matches(name, list(known), n=5):
        here, there = _own_parts(name, near)
        if SequenceMatcher(None, there, here).ratio() >= _ALIKE:
            return near
    return ""


def _own_parts(first: str, second: str) -> tuple[str, str]:
    """Return two paths without the folders and the suffix that both have."""
    one, other = first.split("/"), second.split("/")
    while len(one) > 1 and len(other) > 1 and one[0] == other[0]:
        one, other = one[1:], other[1:]
    suffix = PurePosixPath(first).suffix
    shared = suffix if suffix == PurePosixPath(second).suffix else ""
    return "/".join(one).removesuffix(shared), "/".join(other).removesuffix(shared)


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return "Did you mean ...?", or another sentence where no known name is near."""
    near = nearest(name, known)
    return f"Did you mean '{shorten(near, 120)}'?" if near else otherwise
