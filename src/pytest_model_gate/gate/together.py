"""Everything of a gate that can accuse, judged together: its questions, and the segments that were found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..metrics.metric import Metric
from ..results import Line, SliceSearch
from ..spec import GateSpec
from ..stats.maxt import Scores, max_t, scores
from .contrasts import contrast, has_influence
from .found import relative_weight
from .lines import Ask, by_holm, judge
from .measure import Measured
from .rows import Judged
from .search_all import AllAtOnce
from .search_split import Split
from .suspects import Suspect

_FOUND = "Do not ship this candidate: look at these rows, or waive the line until a date."


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What was judged together.

    Parameters
    ----------
    lines : tuple of Line
        One for each question, in their order.
    found : tuple of Line
        Of segments that are proven worse, where that fails the gate.
    search : SliceSearch or None
        The search; ``None`` where there was none.
    correction : str
        How accusations were corrected for each other.
    """

    lines: tuple[Line, ...]
    found: tuple[Line, ...]
    search: SliceSearch | None
    correction: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Together:
    """The questions of a gate on its rows.

    Parameters
    ----------
    spec : GateSpec
        The gate.
    metrics : mapping
        Metrics by name.
    judged : Judged
        The scored rows.
    measure : callable
        Measures one of the gate's own questions; raises ``ModelGateError`` where there is no answer.
    search : Split or AllAtOnce or None
        The search for slices that nobody named.
    """

    spec: GateSpec
    metrics: Mapping[str, Metric]
    judged: Judged
    measure: Callable[[Ask], Measured]
    search: Split | AllAtOnce | None = None

    def judge(self, asks: Sequence[Ask], alpha: float) -> Judgement:
        """Judge questions and segments.

        Segments that fail a gate accuse its author as its lines do, so all of them are one family. Those
        that only warn are a family of their own.
        """
        suspects = list(self._suspects.values())
        found = list(self._suspects)
        fails = self.search is not None and self.search.spec.on_found == "fail"
        lines = self._lines([*asks, *found] if fails else asks, alpha, spare=fails)
        tested = lines[len(asks) :] if fails else self._lines(found, alpha)
        search = None
        if self.search is not None:
            search = self.search.report(list(zip(suspects, tested, strict=True)), alpha)
        return Judgement(
            lines=tuple(lines[: len(asks)]),
            found=tuple(
                replace(item.line, remedy=_FOUND)
                for item in (search.found if search is not None and fails else ())
                if item.proven
            ),
            search=search,
            correction=self._correction(asks),
        )

    def _lines(self, asks: Sequence[Ask], alpha: float, *, spare: bool = False) -> list[Line]:
        more = self.search.spare if spare and self.search is not None else 0

        def correct(asked: Sequence[tuple[Ask, Measured]], p: Sequence[float]) -> Sequence[float]:
            # How many segments are tested may depend on the rows that the other lines are judged on.
            padded = [*p, *[1.0] * more]
            # Where no test accuses by itself there is nothing to correct, and no correlation is needed.
            if not self._by_max_t(asked) or min(p, default=1.0) >= alpha:
                return by_holm(asked, padded)[: len(p)]
            # The draws belong to the lines in an order that neither the configuration nor the data makes.
            order = sorted(range(len(p)), key=lambda place: _key(asked[place][0]))
            parts = [self.parts(*asked[place]) for place in order]
            adjusted = max_t(
                [*(p[place] for place in order), *[1.0] * more], [*parts, *[None] * more], seed=self.spec.seed
            )
            found = dict(zip(order, adjusted, strict=False))
            return [found[place] for place in range(len(p))]

        return judge(asks, self.metrics, self._measured, alpha=alpha, correct=correct)

    def _by_max_t(self, asked: Sequence[tuple[Ask, Measured]]) -> bool:
        if self.spec.correction == "max-t":
            return True
        return isinstance(self.search, AllAtOnce) and any(ask in self._suspects for ask, _ in asked)

    @cached_property
    def _suspects(self) -> dict[Ask, Suspect]:
        if self.search is None:
            return {}
        return {suspect.ask: suspect for suspect in self.search.suspects}

    def _measured(self, ask: Ask) -> Measured:
        suspect = self._suspects.get(ask)
        if suspect is None or self.search is None:
            return self.measure(ask)
        return self.search.whole.on(suspect.rows).measured(self.metrics[ask.metric], ask.relative)

    def parts(self, ask: Ask, measured: Measured) -> Scores | None:
        """Return how a line hangs together with the others; ``None`` where its metric cannot tell."""
        metric, suspect = self.metrics[ask.metric], self._suspects.get(ask)
        if not has_influence(metric):
            return None
        design = self.judged.sample.design
        if suspect is not None and self.search is not None:
            rows = np.sort(suspect.rows)
            found = self.search.whole.on(rows).contrast(metric, measured.reference, ask.relative)
            return None if found is None else scores(found, design, rows)
        sample, predicted = self.judged.on(ask.where)
        against = {"regression": "production", "baseline": "baseline"}.get(ask.question)
        weight = relative_weight(metric, measured.reference, ask.relative)
        found = contrast(
            metric, sample, predicted["candidate"], predicted[against] if against else None, weight
        )
        return None if found is None else scores(found, design, self.judged.rows_of(ask.where))

    def _correction(self, asks: Sequence[Ask]) -> str:
        """Return how accusations are corrected, and for the lines of which metrics otherwise."""
        names = {ask.metric for ask in asks if self.metrics[ask.metric].family != "value"}
        without = sorted(name for name in names if not has_influence(self.metrics[name]))
        if self.spec.correction == "holm" or not without:
            return self.spec.correction
        return f"max-t, Holm for {', '.join(without)}"


def _key(ask: Ask) -> tuple[str, ...]:
    return ask.question, ask.metric, ask.slice, str(ask.limit)
