"""One column of one table, put together batch by batch: numbers, levels with their counts, or text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ...errors import InvalidError
from ...wording import shorten, some
from ..bins import ordered_values
from ..table import missing
from ..valuetypes import held, types_of, value_dtype

if TYPE_CHECKING:
    import pandas as pd

#: What a column holds. Of text it is decided later whether its values are levels or only its length counts.
Holds = Literal["numbers", "times", "durations", "booleans", "levels", "text", "nothing"]

#: Distinct values that are counted one by one.
MAX_LEVELS = 10_000

#: Text is a category where there are so few values, or where each stands in so many rows on average.
FEW_LEVELS, MANY_LEVELS, ROWS_PER_LEVEL = 20, 1_000, 10

Mask = npt.NDArray[np.bool_]


@dataclass(eq=False)
class Column:
    """What was read of a column so far.

    Parameters
    ----------
    name : str
        The column.
    keep_rows : bool
        Whether the level and the place of each value are kept, too: for blocks.
    """

    name: str
    keep_rows: bool = False
    rows: int = 0
    missing: int = 0
    holds: Holds = "nothing"
    counts: Counter[str] = field(default_factory=Counter)
    #: Rows whose value is none of those counted.
    beyond: int = 0
    _numbers: list[npt.NDArray[np.float64]] = field(default_factory=list)
    _present: list[Mask] = field(default_factory=list)
    _labels: list[npt.NDArray[Any]] = field(default_factory=list)

    def add(self, series: pd.Series[Any]) -> None:
        """Read one batch.

        Raises
        ------
        InvalidError
            If the column mixes types, or holds values that cannot be compared.
        """
        absent = missing(series)
        present = series[~absent] if absent.any() else series
        self.rows += len(series)
        self.missing += len(series) - len(present)
        if self.keep_rows:
            self._present.append(~absent)
        if not len(present):
            return
        kind = _holds(present)
        if self.holds not in (kind, "nothing"):
            raise InvalidError(
                f"Column '{shorten(self.name)}' mixes {self.holds} and {kind}.", "Give it one type."
            )
        self.holds = kind
        if kind in ("booleans", "levels", "text"):
            self._count(present)
        if kind not in ("booleans", "levels"):
            self._numbers.append(_numbers(present, kind))

    @property
    def n(self) -> int:
        """Rows that have a value."""
        return self.rows - self.missing

    @property
    def is_category(self) -> bool:
        """Whether the values are levels."""
        if self.holds in ("booleans", "levels"):
            return True
        distinct = len(self.counts)
        if self.holds != "text" or self.beyond:
            return False
        return distinct <= FEW_LEVELS or (distinct <= MANY_LEVELS and self.n >= ROWS_PER_LEVEL * distinct)

    def numbers(self) -> npt.NDArray[np.float64]:
        """Return the values, or the lengths of text, in the order of the rows; and forget them."""
        parts, self._numbers = self._numbers, []
        return np.concatenate(parts) if parts else np.empty(0)

    def present(self) -> Mask:
        """Return which rows have a value."""
        return np.concatenate(self._present) if self._present else np.empty(0, dtype=np.bool_)

    def labels(self) -> npt.NDArray[Any]:
        """Return the level of each value."""
        return np.concatenate(self._labels) if self._labels else np.empty(0, dtype=object)

    def _count(self, present: pd.Series[Any]) -> None:
        import pandas as pd

        if len(self.counts) > MAX_LEVELS:
            self.beyond += len(present)
            return
        codes, distinct = pd.factorize(present)
        found = np.bincount(codes, minlength=len(distinct))
        free = MAX_LEVELS + 1 - len(self.counts)
        if len(distinct) > MAX_LEVELS and not self.keep_rows:
            # Text or identifiers: the most frequent ones, and those that are known, are counted.
            frequent = np.argsort(-found, kind="stable")[:free]
            taken = set(frequent.tolist())
            taken |= {place for place, value in enumerate(distinct) if _label(value) in self.counts}
        else:
            taken = set(range(len(distinct)))
        for place in sorted(taken):
            self.counts[_label(distinct[place])] += int(found[place])
        self.beyond += int(found.sum() - found[sorted(taken)].sum())
        if self.keep_rows:
            names = np.array([_label(value) for value in distinct], dtype=object)
            self._labels.append(names[codes])


def _holds(present: pd.Series[Any]) -> Holds:
    dtype: Any = present.dtype
    if getattr(dtype, "categories", None) is not None:
        return "levels"
    kind = getattr(value_dtype(present), "kind", "O")
    if kind == "b":
        return "booleans"
    if kind in "iuf":
        return "numbers"
    if kind == "M":
        return "times"
    if kind == "m":
        return "durations"
    types = types_of(present)
    if types <= {"Decimal", "int", "float"}:
        return "numbers"
    if types <= {"date", "datetime", "Timestamp"}:
        return "times"
    if types <= {"timedelta", "Timedelta"}:
        return "durations"
    if types == {"bool"}:
        return "booleans"
    if types == {"str"}:
        return "text"
    name = shorten(str(present.name))
    if len(types) > 1:
        raise InvalidError(f"Column '{name}' mixes types: {some(sorted(types))}.", "Give it one type.")
    raise InvalidError(
        f"Column '{name}' holds {held(present)}, which cannot be compared.",
        "Ignore it, or make numbers or text of it.",
    )


def _numbers(present: pd.Series[Any], kind: Holds) -> npt.NDArray[np.float64]:
    import pandas as pd

    if kind == "text":
        return np.asarray(present.str.len().to_numpy(dtype=np.float64))
    if kind == "durations":
        # Seconds; a nullable or an Arrow type becomes numpy's first.
        return np.asarray(pd.to_timedelta(present).dt.total_seconds().to_numpy(dtype=np.float64))
    values = ordered_values(present, 2)
    if kind == "times":
        return values.astype("datetime64[us]").astype(np.int64) / 1e6
    return np.asarray(values, dtype=np.float64)


def _label(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    # 1 and 1.0 are one level, whichever of the two files has missing values among its whole numbers.
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)
