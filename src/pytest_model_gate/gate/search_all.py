"""Slices that nobody named, all tested on all rows at once: a fixed family of segments under max-T.

No row is lost to finding, so small data show more this way. The price is a family that has to be small enough
for every segment of it to be measured, and estimates on the very rows that picked the worst of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from ..data.features import Feature
from ..errors import EvaluationError
from ..metrics.rows import Ints
from ..results import Line, SliceSearch, Verdict
from ..stats.inference import normal_quantile
from .segments import Condition, Segment
from .suspects import NEW, Search, Suspect, detectable, found_slices

#: Ordered bins of each column.
_BINS = 5

#: Larger families are no longer tested in seconds.
_MOST = 2_000

#: Rows of all segments together whose influence is held in memory, 8 bytes each.
_MOST_ROWS = 1 << 25


@dataclass(frozen=True, kw_only=True, eq=False)
class AllAtOnce(Search):
    """A search in one go."""

    #: None: the family is all that there is.
    spare = 0

    @cached_property
    def suspects(self) -> tuple[Suspect, ...]:
        """Every segment in every metric.

        Raises
        ------
        EvaluationError
            If that are too many.
        """
        found: list[Suspect] = []
        held = 0
        for segment, rows in self._segments(np.arange(self.whole.sample.n, dtype=np.int32)):
            held += len(rows) * len(self.metrics)
            for name in self.metrics:
                found.append(Suspect(segment=segment, ask=self.question(name, segment, len(rows)), rows=rows))
            if len(found) > _MOST or held > _MOST_ROWS:
                raise EvaluationError(
                    f'method = "max-t" tests every segment on all rows, and there are more than {_MOST:,} '
                    f"segments, or more than {_MOST_ROWS:,} rows in all of them.",
                    'Name fewer columns or metrics, set depth = 1 or a larger min_rows, or method = "split".',
                )
        return tuple(found)

    def report(self, tested: Sequence[tuple[Suspect, Line]], alpha: float) -> SliceSearch:
        """Return the worst segments, given the lines of all of them."""
        every = np.arange(self.whole.sample.n)
        share, sizes = detectable(self, every, [(normal_quantile(alpha / max(len(tested), 1)), len(every))])
        return SliceSearch(
            method="max-t",
            columns=tuple(each.name for each in self.features),
            skipped=self.skipped,
            depth=self.spec.depth,
            min_rows=self.spec.min_rows,
            metrics=tuple(self.metrics),
            searched=len(tested) // max(len(self.metrics), 1),
            rows=len(every),
            tested_rows=len(every),
            on_found=self.spec.on_found,
            seed=self.gate.seed,
            found=found_slices(self, self._worst(tested), every, len(every)),
            detectable_share=share if sizes else None,
            detectable=sizes,
        )

    def _worst(self, tested: Sequence[tuple[Suspect, Line]]) -> list[tuple[Suspect, Line]]:
        """Return the worst ones, each region once."""

        def rank(item: tuple[Suspect, Line]) -> tuple[bool, float, str, object]:
            suspect, line = item
            assert line.gain is not None, "unreachable: only measured lines are ranked"
            assert line.standard_error is not None, "unreachable: only measured lines are ranked"
            z = (line.gain - line.required) / (line.standard_error or np.inf)
            return line.verdict is not Verdict.REGRESSED, z, line.metric, suspect.segment.key

        measured = [
            item for item in tested if item[1].gain is not None and item[1].standard_error is not None
        ]
        kept: list[tuple[Suspect, Line]] = []
        taken = np.zeros(self.whole.sample.n, dtype=np.bool_)
        for suspect, line in sorted(measured, key=rank):
            if len(kept) == self.spec.top or rank((suspect, line))[1] >= 0:
                break
            if np.count_nonzero(~taken[suspect.rows]) >= NEW * len(suspect.rows):
                kept.append((suspect, line))
                taken[suspect.rows] = True
        return kept

    def _segments(self, every: Ints) -> Iterator[tuple[Segment, Ints]]:
        """Yield bins, both ends and levels of every column, and crossings of bins and levels.

        Which segments these are is told by the columns alone.
        """
        simple = [_conditions(feature, ends=False) for feature in self.features]
        for feature in self.features:
            for condition in _conditions(feature, ends=True):
                yield from self._large(Segment.of(condition), every)
        for depth in range(2, self.spec.depth + 1):
            for chosen in combinations(simple, depth):
                yield from self._crossed(chosen, (), every)

    def _crossed(
        self, rest: Sequence[Sequence[Condition]], begun: tuple[Condition, ...], rows: Ints
    ) -> Iterator[tuple[Segment, Ints]]:
        if not rest:
            yield from self._large(Segment.of(*begun), rows)
            return
        for condition in rest[0]:
            inside = rows[condition.holds(rows)]
            if len(inside) >= self.spec.min_rows:
                yield from self._crossed(rest[1:], (*begun, condition), inside)

    def _large(self, segment: Segment, among: Ints) -> Iterator[tuple[Segment, Ints]]:
        rows = segment.rows(among)
        if self.spec.min_rows <= len(rows) <= self.whole.sample.n - self.spec.min_rows:
            yield segment, rows


def _conditions(feature: Feature, *, ends: bool) -> list[Condition]:
    """Return a column's bins and levels; with ``ends`` also everything up to, and from, each edge."""
    ordered = len(feature.edges)
    every = [*feature.coarse, ordered]
    # Of the edges of the other search some are taken, so that both methods speak of the same bins.
    step = max(1, -(-(len(every) - 1) // _BINS))
    starts = [*every[:-1][::step], ordered] if ordered else []
    bins = len(starts) - 1
    spans = [(i, i) for i in range(bins)] if bins > 1 else []
    if ends:
        spans += [(0, i) for i in range(1, bins - 1)] + [(i, bins - 1) for i in range(1, bins - 1)]
    found = [Condition(feature, starts[low], starts[high + 1] - 1) for low, high in spans]
    return found + [Condition(feature, code, code) for code in range(ordered, feature.size)]
