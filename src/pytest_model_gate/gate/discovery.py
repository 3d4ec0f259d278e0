"""Every segment of one or two conditions scored at once, on the rows that are only used to find.

A row's part in a gain is the gain plus the row's influence on it: the mean of the parts is the gain, and the
mean over a segment says how the segment does. A score is a statement about the rows at hand and no proof: the
largest of many scores is large by chance too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
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
    """A segment, how badly it does in one metric, and what choosing it from all of its kind costs."""

    score: float
    metric: str
    segment: Segment
    cost: float

    @property
    def rank(self) -> tuple[float, str, object]:
        """Sorts the worst first, and never by chance."""
        return -self.score, self.metric, self.segment.key


def worth(z: float, cost: float) -> float:
    """Return what so many standard errors are worth: half of the square is the log likelihood ratio."""
    return z * abs(z) / 2 - cost


class Found(NamedTuple):
    """The worst regions, each in the metric that shows it best, and how many segments were looked at."""

    worst: list[Scored]
    searched: int


def discover(features: Sequence[Feature], rows: Rows, *, depth: int, wanted: int) -> Found:
    """Return the worst segments of up to ``depth`` conditions, the worst first.

    Every segment of one or two conditions on the coarse bins is looked at; a third condition is added to
    the worst of them. The ends of ranges are then moved among the fine bins.

    The more segments are looked at, the larger the largest score is by chance alone. So each pays for what it
    was chosen from, as in a code: for its columns, and for each condition the log of how many of that kind
    its column has. What can be said shortly needs less proof than what takes many words.
    """
    grids = [grid for grid in map(_Grid.of, features) if grid.conditions]
    cells = [grid.cell_of[grid.feature.codes[rows.index]] for grid in grids]
    totals = Sums.count(rows, np.zeros(len(rows.index), dtype=np.intp), 1)
    among = [math.log(max(math.comb(len(grids), size), 1)) for size in range(4)]
    scored: list[Scored] = []
    searched = 0
    for grid, codes in zip(grids, cells, strict=True):
        table = Sums.count(rows, codes, grid.cells).within(grid.holds)
        searched += table.eligible(rows, totals)
        for metric, score, place in table.worst(rows, totals, _KEPT, cost := grid.cost + among[1]):
            scored.append(Scored(score, metric, Segment.of(grid.conditions[place]), float(cost[place])))
    pairs: list[Scored] = []
    for a, b in combinations(range(len(grids)) if depth > 1 else (), 2):
        one, other = grids[a], grids[b]
        table = Sums.count(rows, _joint(cells[a], cells[b], other.cells), one.cells * other.cells)
        table = table.crossed(one.holds, other.holds)
        searched += table.eligible(rows, totals)
        cost = np.add.outer(one.cost, other.cost).ravel() + among[2]
        for metric, score, place in table.worst(rows, totals, _KEPT, cost):
            first, second = divmod(place, len(other.conditions))
            segment = Segment.of(one.conditions[first], other.conditions[second])
            pairs.append(Scored(score, metric, segment, float(cost[place])))
    pairs.sort(key=lambda item: item.rank)
    scored += pairs
    if depth > 2:
        for item in pairs[:_BEAM]:
            longer = [*_extended(item, grids, cells, rows, totals, among[3] - among[2])]
            scored += longer
            searched += len(longer)
    scored.sort(key=lambda item: item.rank)
    prices = {grid.feature.name: grid for grid in grids}
    refined: dict[object, Scored] = {}
    for item in _distinct(scored, rows, wanted):
        moved = _refined(item, rows, totals, prices)
        refined.setdefault(moved.segment.key, moved)
    return Found(list(refined.values()), searched)


def in_every_metric(item: Scored, rows: Rows) -> Iterator[Scored]:
    """Yield what the segment scores in each metric."""
    nowhere = np.zeros(len(rows.index), dtype=np.intp)
    totals = Sums.count(rows, nowhere, 1)
    table = Sums.count(rows, nowhere, 1, item.segment.holds(rows.index))
    for metric, score, _ in table.worst(rows, totals, 1, np.array([item.cost])):
        yield item._replace(metric=metric, score=score)


def _extended(
    item: Scored, grids: Sequence[_Grid], cells: Sequence[Codes], rows: Rows, totals: Sums, more: float
) -> Iterator[Scored]:
    """Yield the segment with the worst condition on each other column."""
    inside = item.segment.holds(rows.index)
    used = {condition.feature.name for condition in item.segment.conditions}
    for grid, codes in zip(grids, cells, strict=True):
        if grid.feature.name in used:
            continue
        table = Sums.count(rows, codes, grid.cells, inside).within(grid.holds)
        cost = grid.cost + item.cost + more
        for metric, score, place in table.worst(rows, totals, 1, cost):
            segment = Segment.of(*item.segment.conditions, grid.conditions[place])
            yield Scored(score, metric, segment, float(cost[place]))


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


def _refined(item: Scored, rows: Rows, totals: Sums, grids: Mapping[str, _Grid]) -> Scored:
    """Return the segment with the ends of its ranges moved to where it does worst."""
    conditions = list(item.segment.conditions)
    found, cost = None, item.cost
    for place in [*range(len(conditions))] * _SWEEPS:
        feature = conditions[place].feature
        bins = len(feature.edges)
        if conditions[place].low >= bins:
            continue
        others = Segment(tuple(c for i, c in enumerate(conditions) if i != place))
        inside = others.holds(rows.index)
        inside &= feature.codes[rows.index] < bins
        ends, holds = _every_range(bins)
        grid = grids[feature.name]
        # Only the kind of a range is paid for here: its ends are moved by little.
        prices = cost - grid.price(conditions[place]) + np.where(_one_end(ends, bins), *grid.prices)
        table = Sums.count(rows, feature.codes[rows.index], bins, inside).within(holds)
        for _, score, best in table.worst(rows, totals, 1, prices, only=item.metric):
            low, high = ends[best].tolist()
            conditions[place] = Condition(feature, low, high)
            found, cost = score, float(prices[best])
    if found is None:
        return item
    return Scored(found, item.metric, Segment(tuple(conditions)), cost)


@lru_cache(maxsize=128)
def _every_range(bins: int) -> tuple[Ints, Floats]:
    """Return the ends of every range of so many bins but all of them, and which bins each holds."""
    low, high = np.triu_indices(bins)
    proper = high - low < bins - 1
    ends = np.stack([low[proper], high[proper]], axis=1)
    return ends, ranges(ends, bins)


def _one_end(ends: Ints, bins: int) -> Mask:
    """Return which ranges begin with the first bin or end with the last one."""
    found: Mask = (ends[:, 0] == 0) | (ends[:, 1] == bins - 1)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """The conditions of one column, which of its coarse cells each of them holds, and what each costs.

    ``prices`` are those of a range with one end and of one with two.
    """

    feature: Feature
    conditions: tuple[Condition, ...]
    holds: Floats
    cell_of: npt.NDArray[np.uint8]
    cost: Floats
    prices: tuple[float, float]

    @classmethod
    def of(cls, feature: Feature) -> _Grid:
        ordered, starts = len(feature.edges), [*feature.coarse, len(feature.edges)]
        cells, levels = len(feature.coarse), len(feature.levels)
        cell_of = np.empty(feature.size, dtype=np.uint8)
        cell_of[:ordered] = np.searchsorted(feature.coarse, np.arange(ordered), side="right") - 1
        cell_of[ordered:] = cells + np.arange(levels)
        spans, _ = _every_range(cells)
        conditions = [Condition(feature, starts[low], starts[high + 1] - 1) for low, high in spans.tolist()]
        conditions += [Condition(feature, ordered + level, ordered + level) for level in range(levels)]
        one_end = _one_end(spans, cells)
        kinds = [int(one_end.sum()), int((~one_end).sum()), levels]
        # Which kind it is, and which one of its kind.
        price = [math.log(max(sum(map(bool, kinds)), 1) * max(kind, 1)) for kind in kinds]
        alone = cells + np.repeat(np.arange(levels)[:, None], 2, axis=1)
        return cls(
            feature,
            tuple(conditions),
            ranges(np.concatenate([spans, alone]), cells + levels),
            cell_of,
            np.concatenate([np.where(one_end, price[0], price[1]), np.full(levels, price[2])]),
            (price[0], price[1]),
        )

    @property
    def cells(self) -> int:
        return int(self.holds.shape[1])

    def price(self, condition: Condition) -> float:
        """Return what a range costs."""
        one_end = condition.low == 0 or condition.high == len(self.feature.edges) - 1
        return self.prices[0 if one_end else 1]


def _joint(one: Codes, other: Codes, cells: int) -> Ints:
    """Return the cell of each row in the crossing of two columns."""
    found = np.multiply(one, cells, dtype=np.intp)
    found += other
    return found
