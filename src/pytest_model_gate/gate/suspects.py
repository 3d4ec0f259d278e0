"""Segments under suspicion: what is asked of each, and what is said of those that were tested."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..data.features import Feature
from ..errors import ModelGateError
from ..metrics.metric import Metric
from ..metrics.rows import Floats, Ints, Predicted
from ..results import FoundSlice, Line, Verdict
from ..spec import FindSlices, GateSpec, Tolerance
from ..stats.inference import normal_quantile
from .canonical import canonical
from .contrasts import contrast
from .found import relative_weight
from .lines import Ask, tolerance_of
from .measure import Measured, measure_pair
from .sample import Sample
from .segments import Segment

#: A search says what it can detect in a segment with this share of the rows.
_SHARE = 0.05

#: At least so much of a segment lies outside of those that were found before it.
NEW = 2 / 3

_ORDER = (Verdict.REGRESSED, Verdict.INCONCLUSIVE, Verdict.PASS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """What two models say about the same rows."""

    sample: Sample
    candidate: Predicted
    production: Predicted

    def on(self, rows: Ints) -> Compared:
        """Return some rows, in this order."""
        return Compared(
            sample=self.sample.subset(rows),
            candidate=self.candidate.subset(rows),
            production=self.production.subset(rows),
        )

    def measured(self, metric: Metric, relative: float = 0.0) -> Measured:
        """Measure the gain on these rows."""
        return measure_pair(metric, self.sample, self.candidate, self.production, relative=relative)

    def contrast(self, metric: Metric, production: float, relative: float = 0.0) -> Floats | None:
        """Return what each row adds to the gain, without its mean."""
        weight = relative_weight(metric, production, relative)
        return contrast(metric, self.sample, self.candidate, self.production, weight)

    def gain(self, metric: Metric) -> float:
        """Return the gain alone."""
        truth = self.sample.truth
        return metric.sign * (metric.value(truth, self.candidate) - metric.value(truth, self.production))


@dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """What both methods of searching know.

    Parameters
    ----------
    spec : FindSlices
        What is asked.
    gate : GateSpec
        The gate that asks it.
    metrics : mapping
        Metrics that are searched in, by name.
    features : sequence of Feature
        The columns.
    skipped : tuple of (str, str)
        What is not searched, and why.
    whole : Compared
        All judged rows.
    """

    spec: FindSlices
    gate: GateSpec
    metrics: Mapping[str, Metric]
    features: Sequence[Feature]
    skipped: tuple[tuple[str, str], ...]
    whole: Compared

    def tolerance(self, metric: str) -> Tolerance:
        """Return how much worse the candidate may be in a segment."""
        return tolerance_of(self.metrics[metric], self.spec.max_regression, self.gate.max_regression)

    def question(self, metric: str, segment: Segment, n: int) -> Ask:
        """Return what is asked of a segment; a suspicion that stays one fails nothing."""
        return Ask(
            question="regression",
            metric=metric,
            slice=segment.name,
            n=n,
            limit=self.tolerance(metric),
            on_inconclusive="pass",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Suspect:
    """A segment that is tested, what is asked of it, and which rows answer."""

    segment: Segment
    ask: Ask
    rows: Ints


def relative_of(tolerance: Tolerance) -> float:
    """Return a tolerance as a share of production's value, 0 where it is absolute."""
    return tolerance.value if tolerance.relative else 0.0


def found_slices(
    search: Search, tested: Iterable[tuple[Suspect, Line]], among: Ints, rows: int
) -> tuple[FoundSlice, ...]:
    """Return what is said of the segments that were tested, the proven ones first.

    Parameters
    ----------
    search : Search
        The search.
    tested : iterable of (Suspect, Line)
        The tests.
    among : ndarray of int
        The rows that were tested on.
    rows : int
        All judged rows.
    """
    context = _Context(search, among)
    found = []
    for suspect, line in tested:
        n = int(np.count_nonzero(suspect.segment.holds(np.arange(rows))))
        loss_share, elsewhere = context.of(suspect)
        found.append(
            FoundSlice(
                n=n,
                share=canonical(n / rows),
                line=line,
                loss_share=loss_share,
                elsewhere=elsewhere,
                table=suspect.segment.table({"min_rows": search.spec.min_rows}),
            )
        )

    def rank(item: FoundSlice) -> tuple[int, float, str, str]:
        place = _ORDER.index(item.line.verdict) if item.line.verdict in _ORDER else len(_ORDER)
        return place, item.line.gain or 0.0, item.line.metric, item.line.slice

    return tuple(sorted(found, key=rank))


class _Context:
    """How a segment compares with all the rows that were tested."""

    def __init__(self, search: Search, among: Ints) -> None:
        self._search, self._among = search, among
        self._parts: dict[str, Floats | None] = {}

    def of(self, suspect: Suspect) -> tuple[float | None, float | None]:
        """Return the segment's part of the loss, and the gain outside of it."""
        name, inside = suspect.ask.metric, suspect.segment.holds(self._among)
        if name not in self._parts:
            self._parts[name] = self._parts_of(self._search.metrics[name])
        parts, share = self._parts[name], None
        if parts is not None and parts.sum() < 0:
            share = canonical(float(parts[inside].sum() / parts.sum()))
        try:
            outside = self._search.whole.on(self._among[~inside])
            elsewhere = canonical(outside.gain(self._search.metrics[name]))
        except ModelGateError:
            elsewhere = None
        return share, elsewhere

    def _parts_of(self, metric: Metric) -> Floats | None:
        """Return what each row adds to the gain: their mean is the gain."""
        tested = self._search.whole.on(self._among)
        try:
            measured = tested.measured(metric)
        except ModelGateError:
            return None
        parts, weight = tested.contrast(metric, measured.reference), tested.sample.truth.weight
        gain = measured.inference.gain
        return None if parts is None else parts + (gain if weight is None else gain * weight)


def detectable(
    search: Search, among: Ints, hurdles: Iterable[tuple[float, int]]
) -> tuple[float, tuple[tuple[str, float], ...]]:
    """Return for a segment of which share, and which regression of it is found in four of five cases.

    Its rows are taken to be as noisy as the others.

    Parameters
    ----------
    search : Search
        The search.
    among : ndarray of int
        The rows that are tested on.
    hurdles : iterable of (float, int)
        So many standard errors below the tolerance a segment has to be, on so many rows.
    """
    rows = search.whole.sample.n
    share = min(1.0, max(_SHARE, search.spec.min_rows / rows))
    hurdles = tuple(hurdles)
    # Every hurdle is taken as often, and all of them in four of five cases.
    often = normal_quantile(1 - 0.8 ** (1 / len(hurdles)))
    farthest = max((z + often) * math.sqrt(len(among) / n) for z, n in hurdles)
    tested, found = search.whole.on(among), []
    for name, metric in search.metrics.items():
        try:
            measured = tested.measured(metric, relative_of(search.tolerance(name)))
        except ModelGateError:
            continue
        if measured.caution:
            continue
        error = measured.inference.standard_error / math.sqrt(share)
        allowed = search.tolerance(name).absolute(measured.reference)
        found.append((name, float(f"{allowed + farthest * error:.3g}")))
    return canonical(share), tuple(found)
