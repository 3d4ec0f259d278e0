"""Every segment of one or two conditions scored at once, on the rows that are only used to find.

A row's part in a gain is the gain plus the row's influence on it: the mean of the parts is the gain, and the
mean over a segment says how the segment does. A score is a statement about the rows at hand and no proof: the
largest of many scores is large by chance too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..data.features import Feature
from ..metrics.rows import Floats, Ints, Mask
from .segments import Condition, Segment

Codes = npt.NDArray[np.integer[Any]]

#: So many segments of each pair of columns are kept; with so many a third condition is tried.
_KEPT, _BEAM = 8, 12

#: A segment's own spread counts as if so many rows with the spread of all were added to it.
_PRIOR_ROWS = 50

#: Two segments that share more than this of their rows are one, in other words.
_SAME = 0.5

#: How often the ends of all ranges are moved.
_SWEEPS = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """The rows that segments are found on, in an order of their content: sums of floats depend on it.

    Parameters
    ----------
    index : ndarray of int, shape (n,)
        Which rows.
    parts : mapping
        Metric -> weight times part of each of them; below 0 is worse than tolerated.
    weight : ndarray, shape (n,), or None
        Of these rows.
    least : int
        Rows that have to be inside of a segment, and outside of it.
    minor : ndarray of bool, shape (n,), or None
        The rows of the rarest class, where metrics need some.
    least_minor : int
        So many of these have to be inside.
    """

    index: Ints
    parts: dict[str, Floats]
    weight: Floats | None = None
    least: int = 1
    minor: Mask | None = None
    least_minor: int = 0

    def without(self, segment: Segment) -> Rows:
        """Return the rows outside of a segment."""
        kept = ~segment.holds(self.index)
        return Rows(
            index=self.index[kept],
            parts={metric: values[kept] for metric, values in self.parts.items()},
            weight=None if self.weight is None else self.weight[kept],
            least=self.least,
            minor=None if self.minor is None else self.minor[kept],
            least_minor=self.least_minor,
        )


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
    totals = _Table.count(rows, np.zeros(len(rows.index), dtype=np.intp), 1)
    singles: list[tuple[float, str, Segment]] = []
    pairs: list[tuple[float, str, Segment]] = []
    count = [0, 0, 0]
    for grid, codes in zip(grids, cells, strict=True):
        table = _Table.count(rows, codes, grid.cells).within(grid.holds)
        count[0] += table.eligible(rows, totals)
        singles += [
            (z, metric, Segment.of(grid.conditions[place]))
            for metric, z, place in table.worst(rows, totals, _KEPT)
        ]
    for a, b in combinations(range(len(grids)) if depth > 1 else (), 2):
        one, other = grids[a], grids[b]
        table = _Table.count(rows, _joint(cells[a], cells[b], other.cells), one.cells * other.cells)
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
    totals = _Table.count(rows, nowhere, 1)
    table = _Table.count(rows, nowhere, 1, item.segment.holds(rows.index))
    for metric, z, _ in table.worst(rows, totals, 1):
        yield item._replace(metric=metric, score=worth(z, item.family))


def _extended(
    segment: Segment, grids: Sequence[_Grid], cells: Sequence[Codes], rows: Rows, totals: _Table
) -> Iterator[tuple[float, str, Segment]]:
    inside = segment.holds(rows.index)
    used = {condition.feature.name for condition in segment.conditions}
    for grid, codes in zip(grids, cells, strict=True):
        if grid.feature.name not in used:
            table = _Table.count(rows, codes, grid.cells, inside).within(grid.holds)
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


def _refined(item: Scored, rows: Rows, totals: _Table) -> Scored:
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
        ends = [(low, high) for low in range(bins) for high in range(low, bins) if high - low < bins - 1]
        table = _Table.count(rows, feature.codes[rows.index], bins, inside).within(_spans(ends, bins))
        scores = table.scores(item.metric, rows, totals)
        one_end = np.array([low == 0 or high == bins - 1 for low, high in ends])
        cost = np.where(one_end, np.log(one_end.sum()), np.log(max((~one_end).sum(), 1)))
        best = int(np.argmax(scores * np.abs(scores) / 2 - cost))
        if np.isfinite(scores[best]):
            conditions[place] = Condition(feature, *ends[best])
            z = float(scores[best])
    if z is None:
        return item
    return item._replace(segment=Segment(tuple(conditions)), score=worth(z, item.family))


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
        return cls(feature, tuple(conditions), _spans(spans, cells + levels), cell_of)

    @property
    def cells(self) -> int:
        return int(self.holds.shape[1])


def _joint(one: Codes, other: Codes, cells: int) -> Ints:
    """Return the cell of each row in the crossing of two columns."""
    found = np.multiply(one, cells, dtype=np.intp)
    found += other
    return found


def _spans(ends: Sequence[tuple[int, int]], cells: int) -> Floats:
    """Return which cells each range holds, as a matrix."""
    place = np.arange(cells)
    low, high = np.array(ends, dtype=np.intp).reshape(-1, 2).T[:, :, None]
    found: Floats = ((place >= low) & (place <= high)).astype(np.float64)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Sums over the rows of each cell, or of each segment: rows, weights, parts, squares of parts."""

    n: Floats
    weight: Floats
    minor: Floats | None
    sums: dict[str, Floats]
    squares: dict[str, Floats]

    @classmethod
    def count(cls, rows: Rows, codes: Codes, cells: int, inside: Mask | None = None) -> _Table:
        def add(values: Floats | None) -> Floats:
            if values is not None and inside is not None:
                values = values[inside]
            return np.bincount(chosen, weights=values, minlength=cells).astype(np.float64)

        chosen = (codes if inside is None else codes[inside]).astype(np.intp, copy=False)
        n = add(None)
        return cls(
            n=n,
            weight=n if rows.weight is None else add(rows.weight),
            minor=None if rows.minor is None else add(rows.minor.astype(np.float64)),
            sums={metric: add(values) for metric, values in rows.parts.items()},
            squares={metric: add(values * values) for metric, values in rows.parts.items()},
        )

    def _mapped(self, work: Callable[[Floats], Floats]) -> _Table:
        return _Table(
            n=work(self.n),
            weight=work(self.weight),
            minor=None if self.minor is None else work(self.minor),
            sums={metric: work(values) for metric, values in self.sums.items()},
            squares={metric: work(values) for metric, values in self.squares.items()},
        )

    def within(self, holds: Floats) -> _Table:
        """Return the sums of ranges of cells."""
        return self._mapped(lambda cells: holds @ cells)

    def crossed(self, one: Floats, other: Floats) -> _Table:
        """Return the sums of pairs of ranges, row by row."""
        return self._mapped(lambda cells: (one @ cells.reshape(one.shape[1], -1) @ other.T).ravel())

    def _chosen(self, rows: Rows, totals: _Table) -> Mask:
        # Sums of counts are exact, whatever BLAS does; half a row forgives nothing.
        enough = (self.n >= rows.least - 0.5) & (totals.n - self.n >= rows.least - 0.5)
        return enough if self.minor is None else enough & (self.minor >= rows.least_minor - 0.5)

    def eligible(self, rows: Rows, totals: _Table) -> int:
        """Return how many are large enough."""
        return int(np.count_nonzero(self._chosen(rows, totals)))

    def worst(self, rows: Rows, totals: _Table, wanted: int) -> Iterator[tuple[str, float, int]]:
        """Yield metric, score and place of the worst ones, those of every metric for themselves."""
        for metric in self.sums:
            z = self.scores(metric, rows, totals)
            places = np.argsort(-z, kind="stable")[:wanted]
            yield from ((metric, float(z[place]), int(place)) for place in places if np.isfinite(z[place]))

    def scores(self, metric: str, rows: Rows, totals: _Table) -> Floats:
        """Return the score of each in one metric; minus infinity for those that are too small."""
        return np.where(self._chosen(rows, totals), self._score(metric, totals), -np.inf)

    def _score(self, metric: str, totals: _Table) -> Floats:
        """Return how many standard errors each is below the tolerance, and below all other rows.

        The lesser of both: where the whole candidate is worse, a segment like all others is no finding.
        """
        sums, squares, total = self.sums[metric], self.squares[metric], totals.sums[metric]
        with np.errstate(all="ignore"):
            spread = _spread(total, totals.squares[metric], totals.weight) / totals.n
            mean = sums / self.weight
            rest_weight = totals.weight - self.weight
            rest = (total - sums) / rest_weight
            own = _variance(self.n, sums, squares, self.weight, spread)
            other = _variance(
                totals.n - self.n, total - sums, totals.squares[metric] - squares, rest_weight, spread
            )
            z: Floats = np.minimum(-mean / np.sqrt(own), (rest - mean) / np.sqrt(own + other))
        z[~np.isfinite(z)] = -np.inf
        return z


def _spread(sums: Floats, squares: Floats, weight: Floats) -> Floats:
    found: Floats = np.maximum(squares - sums * sums / weight, 0.0)
    return found


def _variance(n: Floats, sums: Floats, squares: Floats, weight: Floats, spread: Floats) -> Floats:
    """Return the variance of a mean, its spread drawn towards that of all rows."""
    own: Floats = (_spread(sums, squares, weight) + _PRIOR_ROWS * spread) / (n + _PRIOR_ROWS)
    return own * n / (weight * weight)
