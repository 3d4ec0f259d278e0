"""Rows that are recognised in another order, among others or in another file: one word per row, and a sketch.

A row is what it holds under the names of its columns, so neither the order of rows and columns nor the
format of the file takes part. The sketch of a table is its smallest words (bottom-k min-hash): of another
table, the words below the largest of them tell which share of it was here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .mixing import Words, avalanche, column_seed
from .table import missing

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]

#: Words of a sketch: a share of one half is told to 0.044 (one standard error).
SIZE = 128
#: Fewer words tell no share.
FEWEST = 20
#: From this share on, rows are those that were here.
MOST = 0.5
#: Where a fresh sample would share more than this by chance, a shared row says nothing.
BY_CHANCE = 0.25
#: Tables with fewer different rows can be equal by chance.
DIFFERENT = 20

_HEX = 16
_MISSING = np.uint64(0x9E3779B97F4A7C15)


class Sketch(NamedTuple):
    """What is kept of the rows of a table.

    Parameters
    ----------
    columns : tuple of str
        Those that make a row, sorted.
    distinct : int
        How many different rows there are.
    words : tuple of int
        The smallest ones, ascending: all of them where there are few. None where rows are so alike that a
        fresh sample would have many of them, too.
    """

    columns: tuple[str, ...]
    distinct: int
    words: tuple[int, ...]

    @property
    def text(self) -> str:
        """The words as hexadecimal digits."""
        return "".join(f"{word:0{_HEX}x}" for word in self.words)

    @classmethod
    def of_text(cls, columns: Sequence[str], distinct: int, text: str) -> Sketch:
        """Return the sketch that ``text`` was written from.

        Raises
        ------
        ValueError
            If nothing was.
        """
        if len(text) % _HEX:
            raise ValueError("no whole number of words")
        words = tuple(int(text[start : start + _HEX], 16) for start in range(0, len(text), _HEX))
        return cls(tuple(columns), distinct, words)


class Rows(NamedTuple):
    """The different rows of a table, as words.

    Parameters
    ----------
    columns : tuple of str
        Those that make a row, sorted.
    words, counts : array
        Ascending, and how often each occurs.
    """

    columns: tuple[str, ...]
    words: Words
    counts: npt.NDArray[np.intp]

    @property
    def digest(self) -> str:
        """A digest of the rows in no order; empty where so few differ that chance could repeat them all."""
        if len(self.words) < DIFFERENT:
            return ""
        digest = hashlib.sha256("\0".join(self.columns).encode("utf-8", "backslashreplace"))
        digest.update(self.words.astype("<u8").tobytes())
        digest.update(self.counts.astype("<i8").tobytes())
        return f"sha256:{digest.hexdigest()}"

    @property
    def by_chance(self) -> float:
        """The share of its different rows that another sample is expected to have, at most.

        A row that occurs Poisson(m) times is in both samples with probability (1 - exp(-m))^2, which is at
        most twice the probability that it occurs more than once in one of them.
        """
        return min(1.0, 2 * float((self.counts > 1).mean())) if len(self.words) else 1.0

    @property
    def sketch(self) -> Sketch:
        """What is kept of them."""
        kept = self.words[:SIZE] if self.by_chance <= BY_CHANCE else self.words[:0]
        return Sketch(self.columns, len(self.words), tuple(map(int, kept)))

    def share_in(self, known: Sketch) -> float | None:
        """Return the share of these rows that a known table has; ``None`` where it cannot be told."""
        assert self.columns == known.columns, "unreachable: words of other columns are other words"
        if not known.words or self.by_chance > BY_CHANCE:
            return None
        ours = self.words
        if known.distinct > len(known.words):
            ours = ours[ours <= np.uint64(known.words[-1])]
        if len(ours) < FEWEST:
            return None
        return float(np.isin(ours, np.array(known.words, dtype=np.uint64), kind="sort").mean())


def rows_of(frames: Iterable[pd.DataFrame], views: Iterable[Iterable[str]]) -> list[Rows]:
    """Return the rows of a table that comes in pieces, once for each set of columns.

    Parameters
    ----------
    frames : iterable of DataFrame
        The pieces.
    views : iterable of iterable of str
        Which columns make a row.
    """
    wanted = [tuple(sorted(view)) for view in views]
    parts: list[list[Words]] = [[] for _ in wanted]
    for frame in frames:
        names = dict.fromkeys(name for view in wanted for name in view)
        words = {name: _named(name, frame[name]) for name in names}
        for part, view in zip(parts, wanted, strict=True):
            total = np.zeros(len(frame), dtype=np.uint64)
            for name in view:
                total += words[name]
            part.append(avalanche(total))
    return [
        Rows(view, *np.unique(np.concatenate(part), return_counts=True))
        for view, part in zip(wanted, parts, strict=True)
    ]


def words_of(frame: pd.DataFrame) -> Words:
    """Return one word per row of a frame, the same wherever the row stands."""
    total = np.zeros(len(frame), dtype=np.uint64)
    for name in frame.columns:
        total += _named(str(name), frame[name])
    return avalanche(total)


def _named(name: str, series: Series) -> Words:
    """Return a word per row for what it holds under this name."""
    return avalanche(_words(series) + column_seed(name))


def _words(series: Series) -> Words:
    """Return a word per value: equal numbers are equal whatever type holds them, and so is equal text."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.dtype.categories.dtype)
    absent = missing(series)
    kinds = pd.api.types
    number = kinds.is_numeric_dtype(series.dtype) or kinds.is_bool_dtype(series.dtype)
    if number and not kinds.is_complex_dtype(series.dtype):
        numbers = series.to_numpy(dtype="float64", na_value=np.nan)
        # The two zeros are one number.
        words = (numbers + 0.0).view(np.uint64)
    else:
        words = _of_text(series)
    return np.where(absent, _MISSING, words)


def _of_text(series: Series) -> Words:
    import pandas as pd

    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC")
    try:
        codes, values = pd.factorize(series)
    except (TypeError, NotImplementedError):  # lists and the like, of Python and of Arrow
        codes, values = pd.factorize(series.map(str))
    if not len(values):
        return np.zeros(len(series), dtype=np.uint64)
    texts = [str(value) for value in values]
    try:
        hashed = pd.util.hash_array(np.array(texts, dtype=object), categorize=False)
    except UnicodeEncodeError:  # halves of characters, which no UTF-8 can hold
        safe = [text.encode("utf-8", "backslashreplace").decode() for text in texts]
        hashed = pd.util.hash_array(np.array(safe, dtype=object), categorize=False)
    return hashed[codes]
