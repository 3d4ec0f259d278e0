"""Slices that nobody named, found on two thirds of the rows and tested on the others.

What is found by looking at results looks worse than it is. The rows that find and the rows that test share
no group, so the tests are as honest as those of slices that were named before, and Holm's method
over the few that are tested is all the correction that a million segments need.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import ModelGateError
from ..metrics.rows import Floats, Ints
from ..results import Line, SliceSearch
from ..stats.inference import normal_quantile
from .discovery import Scored, discover, in_every_metric, worth
from .division import Division, divide
from .measure import MINIMUM_RANKED
from .segment_sums import Rows
from .suspects import NEW, Search, Suspect, detectable, found_slices, relative_of

#: So many are measured as what they are, and the worst of these is the next one found.
_PROPOSED = 8

#: Rows of the rarest class without which the interval of an area is too wide to tell anything.
_MINOR = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Split(Search):
    """A search that divides the rows."""

    @cached_property
    def division(self) -> Division:
        """Which rows find, and which test."""
        said = (self.whole.candidate, self.whole.production)
        return divide(self.whole.sample, [each.codes for each in self.features], said, seed=self.gate.seed)

    @cached_property
    def suspects(self) -> tuple[Suspect, ...]:
        """The worst segments, each with those of its rows that test."""
        found = []
        for item in self._picked[0]:
            rows = item.segment.rows(self.division.testing)
            ask = self.question(item.metric, item.segment, len(rows))
            found.append(Suspect(segment=item.segment, ask=ask, rows=rows))
        return tuple(found)

    @property
    def spare(self) -> int:
        """How many more might have been tested; for a family whose size must not depend on the data."""
        return self.spec.top - len(self.suspects)

    def report(self, tested: Sequence[tuple[Suspect, Line]], alpha: float) -> SliceSearch:
        """Return what was found, given the lines of the suspects."""
        testing, searched = self.division.testing, self._picked[1]
        # To be tested a segment has to stand out among all, and to be proven among those that are tested.
        hurdles = [
            (math.sqrt(2 * math.log(max(searched, 1))), len(self.division.finding)),
            (normal_quantile(alpha / self.spec.top), len(testing)),
        ]
        share, sizes = detectable(self, testing, hurdles)
        return SliceSearch(
            method="split",
            columns=tuple(each.name for each in self.features),
            skipped=self.skipped,
            depth=self.spec.depth,
            min_rows=self.spec.min_rows,
            metrics=tuple(self.metrics),
            searched=searched,
            rows=len(self.division.finding),
            tested_rows=len(testing),
            on_found=self.spec.on_found,
            seed=self.gate.seed,
            found=found_slices(self, tested, testing, self.whole.sample.n),
            detectable_share=share if sizes else None,
            detectable=sizes,
        )

    @cached_property
    def _picked(self) -> tuple[list[Scored], int]:
        """The segments that are tested, and how many were looked at.

        After each one its rows are set aside and the others searched again: else the same rows would be
        found again in other words, and as part of larger segments.
        """
        rows, picked, searched = self._rows(), list[Scored](), 0
        for _ in range(self.spec.top):
            if len(rows.index) < 2 * rows.least:
                break
            found = discover(self.features, rows, depth=self.spec.depth, wanted=_PROPOSED)
            searched = max(searched, found.searched)
            worst = min(self._measured(found.worst, rows), key=lambda item: item.rank, default=None)
            if worst is None:
                break
            picked.append(worst)
            rows = rows.without(worst.segment)
        return picked, searched

    def _measured(self, proposed: Iterable[Scored], rows: Rows) -> Iterator[Scored]:
        """Yield those that the metric itself finds worse than tolerated, scored no better than by that."""
        regions = [region for region in proposed if self._new(region, rows)]
        for item in (each for region in regions for each in in_every_metric(region, rows)):
            tolerance = self.tolerance(item.metric)
            try:
                measured = self.whole.on(item.segment.rows(rows.index)).measured(
                    self.metrics[item.metric], relative_of(tolerance)
                )
            except ModelGateError:
                continue
            below = -tolerance.absolute(measured.reference) - measured.inference.gain
            error = measured.inference.standard_error
            if below > 0 and error > 0 and not measured.caution:
                yield item._replace(score=min(item.score, worth(below / error, item.cost)))

    def _new(self, region: Scored, rows: Rows) -> bool:
        """Whether a segment is more than an earlier one, whose rows are set aside, with some others."""
        every = np.count_nonzero(region.segment.holds(self.division.finding))
        return bool(np.count_nonzero(region.segment.holds(rows.index)) >= NEW * every)

    def _rows(self) -> Rows:
        """Return the rows that find, with what each of them adds to each gain."""
        index = self.division.finding
        finding = self.whole.on(index)
        parts: dict[str, Floats] = {}
        for name, metric in self.metrics.items():
            tolerance = self.tolerance(name)
            try:
                measured = finding.measured(metric, relative_of(tolerance))
            except ModelGateError:
                continue
            found = finding.contrast(metric, measured.reference, relative_of(tolerance))
            if found is not None:
                mean = measured.inference.gain + tolerance.absolute(measured.reference)
                weight = finding.sample.truth.weight
                parts[name] = found + (mean if weight is None else mean * weight)
        least = math.ceil(self.spec.min_rows * len(index) / self.whole.sample.n)
        minor, least_minor = self._minor(index)
        return Rows(
            index=index,
            parts=parts,
            weight=finding.sample.truth.weight,
            least=max(least, 1),
            minor=minor,
            least_minor=least_minor,
        )

    def _minor(self, index: Ints) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]] | None, int]:
        """Return the rows of the rarest class, and how many a ranking of them needs."""
        families = {metric.family for metric in self.metrics.values()}
        truth = self.whole.sample.truth
        if truth.classes is None or not families & {"auc", "ranking"}:
            return None, 0
        codes = truth.values[index]
        rarest = int(np.argmin(np.bincount(codes, minlength=len(truth.classes))))
        return codes == rarest, MINIMUM_RANKED if "ranking" in families else _MINOR
