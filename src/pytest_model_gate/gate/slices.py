"""The slices that occur in the data: what they are called, and which rows each of them has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ..data import table
from ..data.bins import binned
from ..data.levels import in_quotes
from ..errors import EvaluationError
from ..metrics.metric import Metric
from ..metrics.rows import Ints, Truth
from ..results import Bins
from ..spec import SliceSpec
from ..wording import shorten
from .classes_needed import classes_needed
from .lines import ALL, SliceRows

#: More slices of one table than this nobody judges one by one.
MAX_SLICES = 500
#: Codes up to this are counted; larger ones are sorted.
_COUNTED = 1 << 20
#: A column whose name holds one of these is quoted in the names of slices.
_NOT_IN_NAMES = frozenset("=<>'")


@dataclass(frozen=True, kw_only=True, eq=False)
class Cut:
    """All rows, cut by one table of a gate's ``slices``.

    Parameters
    ----------
    spec : SliceSpec
        The table.
    names : tuple of str
        Of the slices, in the order of their columns' values.
    codes : ndarray of int
        Position of each row's slice.
    bins : tuple of Bins
        Where columns were cut.
    notes : tuple of str
        What a reader should know about the cuts.
    """

    spec: SliceSpec
    names: tuple[str, ...]
    codes: Ints
    bins: tuple[Bins, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def order(self) -> Ints:
        """All rows, slice after slice, and within a slice as they are."""
        # Small integers are sorted by counting: 6 ms for a million rows.
        small = self.codes.astype(np.uint16) if len(self.names) < 1 << 16 else self.codes
        return np.argsort(small, kind="stable")

    @cached_property
    def ends(self) -> Ints:
        """Where each slice ends in ``order``."""
        return np.cumsum(np.bincount(self.codes, minlength=len(self.names)))

    def window(self, position: int) -> slice:
        """Return where a slice is in ``order``."""
        return slice(int(self.ends[position - 1]) if position else 0, int(self.ends[position]))


def check_crossings(specs: Iterable[SliceSpec], known: Sequence[str]) -> None:
    """Refuse a crossing of columns that don't exist where one column has the very name.

    Raises
    ------
    EvaluationError
        Says how that column is named.
    """
    for spec in specs:
        if isinstance(spec.by, str) and spec.by in known and not set(spec.columns) <= set(known):
            raise EvaluationError(
                f"slices name the crossing '{shorten(spec.by)}', and the dataset has a column of that name.",
                f"Name it in a list: {{ by = ['{shorten(spec.by)}'] }}.",
            )


def cut(spec: SliceSpec, rows: pd.DataFrame) -> Cut:
    """Cut the rows by one table.

    Raises
    ------
    ModelGateError
        If a column cannot be cut as asked, or into too many slices.
    """
    columns = [_cut_column(spec, rows[name]) for name in spec.columns]
    code, names = columns[0].codes, columns[0].names
    for column in columns[1:]:
        code, occurring = _dense(code * len(column.names) + column.codes)
        pairs = (divmod(pair, len(column.names)) for pair in occurring)
        names = tuple(f"{names[first]}, {column.names[second]}" for first, second in pairs)
    judged = int(np.count_nonzero(np.bincount(code, minlength=len(names)) >= spec.min_rows))
    if judged > MAX_SLICES or len(names) > table.MAX_LEVELS:
        raise _too_many(spec, len(names), judged)
    return Cut(
        spec=spec,
        names=names,
        codes=code,
        bins=tuple(item for column in columns for item in column.bins),
        notes=tuple(note for column in columns for note in column.notes),
    )


def _dense(codes: Ints) -> tuple[Ints, list[int]]:
    """Return the codes without gaps, and which ones occur: of all combinations only these are slices."""
    if codes.max(initial=0) < _COUNTED:
        counts = np.bincount(codes)
        return (np.cumsum(counts > 0) - 1)[codes], np.flatnonzero(counts).tolist()
    occurring, dense = np.unique(codes, return_inverse=True)
    return dense, occurring.tolist()


def _cut_column(spec: SliceSpec, series: pd.Series) -> Cut:
    """Cut by one column alone; its names are the parts of the names of a crossing."""
    name = str(series.name)
    shown = in_quotes(name) if _NOT_IN_NAMES & set(name) or ", " in name else name
    bins = spec.bins.get(name)
    if bins is None:
        levels = table.levels(series)
        names = tuple(f"{shown}={label}" for label in levels.labels)
        return Cut(spec=spec, names=names, codes=levels.codes)
    found = binned(series, bins)
    return Cut(
        spec=spec,
        names=tuple(shown + condition for condition in found.conditions),
        codes=found.codes,
        bins=(Bins(column=name, edges=found.edges, groups=bins if isinstance(bins, int) else None),),
        notes=(found.note,) if found.note else (),
    )


def _too_many(spec: SliceSpec, occur: int, judged: int) -> EvaluationError:
    what = f"{'Columns' if len(spec.columns) > 1 else 'Column'} '{shorten(spec.title)}'"
    verb = "cut" if len(spec.columns) > 1 else "cuts"
    size = f" of at least {spec.min_rows:,} rows" if spec.min_rows and judged < occur else ""
    limit = MAX_SLICES if judged > MAX_SLICES else table.MAX_LEVELS
    return EvaluationError(
        f"{what} {verb} the rows into {judged if size else occur:,} slices{size}, more than {limit:,}.",
        f"Cut numbers and dates into bins, {{ by = '{shorten(spec.columns[-1])}', bins = 4 }}, slice by a "
        f"coarser column, or {'raise' if spec.min_rows else 'set'} min_rows, which lists small slices as not "
        "judged.",
    )


def slice_rows(cuts: Sequence[Cut], truth: Truth, metrics: Mapping[str, Metric]) -> tuple[SliceRows, ...]:
    """Return every slice, in the order of the gate's ``slices``, with what keeps it from being judged."""
    found = []
    twins = _Twins(truth.n)
    for position, each in enumerate(cuts):
        lacking = _lacking(each, truth, [metrics[name] for name in each.spec.metrics or metrics])
        for level, name in enumerate(each.names):
            window = each.window(level)
            found.append(
                SliceRows(
                    spec=each.spec,
                    name=name,
                    n=window.stop - window.start,
                    cut=position,
                    level=level,
                    same_as=twins.first(name, each.order[window]),
                    lacking=lacking.get(level, ""),
                )
            )
    return tuple(found)


def _lacking(each: Cut, truth: Truth, metrics: Iterable[Metric]) -> dict[int, str]:
    """Return the slices that have too few rows of a class that a metric needs, and of which class."""
    least, classes = each.spec.min_per_class, truth.classes
    if not least or classes is None:
        return {}
    k = len(classes)
    counts = np.bincount(each.codes * k + truth.values, minlength=k * len(each.names)).reshape(-1, k)
    needed = sorted({code for metric in metrics for code in classes_needed(metric, classes)})
    found: dict[int, str] = {}
    for level in np.flatnonzero((counts[:, needed] < least).any(axis=1)).tolist():
        rarest = min(needed, key=lambda code: counts[level, code])
        found[level] = f"{counts[level, rarest]:,} of class {classes[rarest]!r}, min_per_class = {least:,}"
    return found


class _Twins:
    """Which slices have exactly the same rows: a region with one city is the same as that city."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._seen: dict[tuple[int, int, int], list[tuple[str, Ints]]] = defaultdict(list)

    def first(self, name: str, rows: Ints) -> str:
        """Return the first name of these rows; that of a slice that is new is its own."""
        if len(rows) == self._n:
            return ALL
        # Rows are in ascending order, so few others have the same number and ends.
        alike = self._seen[len(rows), int(rows[0]), int(rows[-1])]
        for known, other in alike:
            if np.array_equal(rows, other):
                return known
        alike.append((name, rows))
        return name
