"""Every segment of one or two conditions scored at once, on the rows that are only used to find.

A row's part in a gain is the gain plus the row's influence on it: the mean of the parts is the gain, and the
mean over a segment says how the segment does. A score is a statement about the rows at hand and no proof: the
largest of many scores is large by chance too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..data.features import Feature
from ..metrics.rows import Floats, Ints, Mask
from .segment_sums import Codes, Rows, Sums, ranges
from .segments import Condition, Segment

#: So many segments of each pair of columns are kept; with so many a third condition is tried.
_KEPT, _BEAM = 8, 12

#: Two segments that share more than this of their rows are one, in other words.
_SAME = 0.5

#: How often the ends of all ranges are moved.
_SWEEPS = 2


class Scored(NamedTuple):
    """A segment, how badly it does in one metric, and what that is worth among so many."""

    score: float
    metric: str
    segment: Segment
    family: int

    @property
    def rank(self) -> tuple[float, str, object]:
        """Sorts the worst first, and never by chance."""
        return -self.score, self.metric, self.segment.key


def worth(z: float, family: int) -> float:
    """Return what a score is worth as one of a family: the more were looked at, the less.

    Half of the square is the log likelihood ratio, and the log of the family what choosing from it costs.
    """
    return z * abs(z) / 2 - math.log(max(family, 1))


class Found(NamedTuple):
    """The worst regions, each in the metric that shows it best, and how many segments were looked at."""

    worst: list[Scored]
    searched: int


def discover(features: Sequence[Feature], rows: Rows, *, depth: int, wanted: int) -> Found:
    """Return the worst segments of up to ``depth`` conditions, the worst first.

    Every segment of one or two conditions on the coarse bins is looked at; a third condition is added to
    the worst of them. The ends of ranges are then moved among the fine bins.
    """
    grids = [grid for grid in map(_Grid.of, features) if grid.conditions]
    cells = [grid.cell_of[grid.feature.codes[rows.index]] for grid in grids]
    totals = Sums.count(rows, np.zeros(len(rows.index), dtype=np.intp), 1)
    singles: list[tuple[float, str, Segment]] = []
    pairs: list[tuple[float, str, Segment]] = []
    count = [0, 0, 0]
    for grid, codes in zip(grids, cells, strict=True):
        table = Sums.count(rows, codes, grid.cells).within(grid.holds)
        count[0] += table.eligible(rows, totals)
        singles += [
            (z, metric, Segment.of(grid.conditions[place]))
            for metric, z, place in table.worst(rows, totals, _KEPT)
        ]
    for a, b in combinations(range(len(grids)) if depth > 1 else (), 2):
        one, other = grids[a], grids[b]
        table = Sums.count(rows, _joint(cells[a], cells[b], other.cells), one.cells * other.cells)
        table = table.crossed(one.holds, other.holds)
        count[1] += table.eligible(rows, totals)
        for metric, z, place in table.worst(rows, totals, _KEPT):
            first, second = divmod(place, len(other.conditions))
            pairs.append((z, metric, Segment.of(one.conditions[first], other.conditions[second])))
    pairs.sort(key=lambda item: (-item[0], item[1], item[2].key))
    triples = []
    if depth > 2:
        count[2] = _triples([len(grid.conditions) for grid in grids])
        for _, _, segment in pairs[:_BEAM]:
            triples += list(_extended(segment, grids, cells, rows, totals))
    scored = [
        Scored(worth(z, family), metric, segment, family)
        for found, family in zip((singles, pairs, triples), count, strict=True)
        for z, metric, segment in found
        if z > 0
    ]
    scored.sort(key=lambda item: item.rank)
    refined: dict[object, Scored] = {}
    for item in _distinct(scored, rows, wanted):
        moved = _refined(item, rows, totals)
        refined.setdefault(moved.segment.key, moved)
    return Found(list(refined.values()), sum(count[:2]) + len(triples))


def in_every_metric(item: Scored, rows: Rows) -> Iterator[Scored]:
    """Yield what the segment scores in each metric."""
    nowhere = np.zeros(len(rows.index), dtype=np.intp)
    totals = Sums.count(rows, nowhere, 1)
    table = Sums.count(rows, nowhere, 1, item.segment.holds(rows.index))
    for metric, z, _ in table.worst(rows, totals, 1):
        yield item._replace(metric=metric, score=worth(z, item.family))


def _extended(
    segment: Segment, grids: Sequence[_Grid], cells: Sequence[Codes], rows: Rows, totals: Sums
) -> Iterator[tuple[float, str, Segment]]:
    inside = segment.holds(rows.index)
    used = {condition.feature.name for condition in segment.conditions}
    for grid, codes in zip(grids, cells, strict=True):
        if grid.feature.name not in used:
            table = Sums.count(rows, codes, grid.cells, inside).within(grid.holds)
            for metric, z, place in table.worst(rows, totals, 1):
                yield z, metric, Segment.of(*segment.conditions, grid.conditions[place])


def _triples(sizes: Sequence[int]) -> int:
    return sum(a * b * c for a, b, c in combinations(sizes, 3))


def _distinct(scored: Sequence[Scored], rows: Rows, wanted: int) -> list[Scored]:
    """Return the first ones that don't share most of their rows with one before."""
    kept: list[Scored] = []
    masks: list[Mask] = []
    for item in scored:
        if len(kept) == wanted:
            break
        mask = item.segment.holds(rows.index)
        if all((mask & other).sum() <= _SAME * (mask | other).sum() for other in masks):
            kept.append(item)
            masks.append(mask)
    return kept


def _refined(item: Scored, rows: Rows, totals: Sums) -> Scored:
    """Return the segment with the ends of its ranges moved to where it does worst.

    A range with one end is one of few, a range with two is one of many: an end that leaves out hardly
    anything costs more than it is worth.
    """
    conditions = list(item.segment.conditions)
    z = None
    for place in [*range(len(conditions))] * _SWEEPS:
        feature = conditions[place].feature
        bins = len(feature.edges)
        if conditions[place].low >= bins:
            continue
        others = Segment(tuple(c for i, c in enumerate(conditions) if i != place))
        inside = others.holds(rows.index)
        inside &= feature.codes[rows.index] < bins
        ends, holds, cost = _ranges(bins)
        table = Sums.count(rows, feature.codes[rows.index], bins, inside).within(holds)
        scores = table.scores(item.metric, rows, totals)
        best = int(np.argmax(scores * np.abs(scores) / 2 - cost))
        if np.isfinite(scores[best]):
            low, high = ends[best].tolist()
            conditions[place] = Condition(feature, low, high)
            z = float(scores[best])
    if z is None:
        return item
    return item._replace(segment=Segment(tuple(conditions)), score=worth(z, item.family))


@lru_cache(maxsize=128)
def _ranges(bins: int) -> tuple[Ints, Floats, Floats]:
    """Return the ends of every range of so many bins, which bins it holds, and what choosing it costs."""
    low, high = np.triu_indices(bins)
    proper = high - low < bins - 1
    ends = np.stack([low[proper], high[proper]], axis=1)
    one_end = (ends[:, 0] == 0) | (ends[:, 1] == bins - 1)
    many = max(int((~one_end).sum()), 1)
    cost = np.where(one_end, math.log(max(int(one_end.sum()), 1)), math.log(many))
    return ends, ranges(ends, bins), cost


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """The conditions of one column, and which of its coarse cells each of them holds."""

    feature: Feature
    conditions: tuple[Condition, ...]
    holds: Floats
    cell_of: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, feature: Feature) -> _Grid:
        ordered, starts = len(feature.edges), [*feature.coarse, len(feature.edges)]
        cells, levels = len(feature.coarse), len(feature.levels)
        cell_of = np.empty(feature.size, dtype=np.uint8)
        cell_of[:ordered] = np.searchsorted(feature.coarse, np.arange(ordered), side="right") - 1
        cell_of[ordered:] = cells + np.arange(levels)
        spans = [(low, high) for low in range(cells) for high in range(low, cells) if high - low < cells - 1]
        conditions = [Condition(feature, starts[low], starts[high + 1] - 1) for low, high in spans]
        spans += [(cells + level, cells + level) for level in range(levels)]
        conditions += [Condition(feature, ordered + level, ordered + level) for level in range(levels)]
        ends = np.array(spans, dtype=np.intp).reshape(-1, 2)
        return cls(feature, tuple(conditions), ranges(ends, cells + levels), cell_of)

    @property
    def cells(self) -> int:
        return int(self.holds.shape[1])


def _joint(one: Codes, other: Codes, cells: int) -> Ints:
    """Return the cell of each row in the crossing of two columns."""
    found = np.multiply(one, cells, dtype=np.intp)
    found += other
    return found
