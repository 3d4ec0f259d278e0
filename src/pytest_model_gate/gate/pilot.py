"""Plans from a pilot: models that were scored once tell how far gains are spread, and so the rows to judge.

Nothing here says how good the candidate is, so a plan is no use of the holdout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import ModelGateError
from ..metrics.metric import Metric
from ..results import GateRecord, Line
from ..spec import Tolerance
from ..stats.design import Design
from ..stats.planning import margin_without_discordance
from ..stats.prospect import Normal, Prospect
from ..stats.tango_power import PairedProspect
from .canonical import canonical
from .lines import Ask
from .measure import Measured, measure_pair
from .planned import Planned, Wish, work_out

if TYPE_CHECKING:
    from .rows import Judged

_IDENTICAL = "both models say the same on every row, so nothing is known of how models differ"


@dataclass(frozen=True, slots=True)
class OnlyWith(Prospect):
    """A normal gain of two proportions that passes no margin which the score interval never lets pass."""

    normal: Normal
    n: int

    def power(self, margin: float, alpha: float, gain: float = 0.0) -> float:
        """Return the power, 0 where even rows without any disagreement are too few."""
        if margin <= margin_without_discordance(self.n, alpha):
            return 0.0
        return self.normal.power(margin, alpha, gain)


def plans(
    asks: Iterable[Ask],
    judged: Judged,
    metrics: Mapping[str, Metric],
    measured: Callable[[Ask], Measured],
    *,
    alpha: float,
    wish: Wish,
) -> list[Planned]:
    """Return a plan for every tolerance of a gate.

    Parameters
    ----------
    asks : iterable of Ask
        The gate's questions; those about the baseline and floors have no tolerance.
    judged : Judged
        The scored rows.
    metrics : mapping
        Metrics by name.
    measured : callable
        Measures one question; raises ``ModelGateError`` where there is no answer.
    alpha : float
        One-sided level.
    wish : Wish
        Power and gain.
    """
    found = []
    for ask in asks:
        if ask.question != "regression":
            continue
        metric = metrics[ask.metric]
        try:
            found.append(_planned(ask, measured(ask), metric, judged, alpha, wish))
        except ModelGateError as error:
            found.append(_without(ask.metric, ask.slice, ask.n, alpha, _written(ask), wish, error.what))
    return found


def from_record(record: GateRecord, wish: Wish) -> list[Planned]:
    """Return a plan for every tolerance of a written record: by the normal approximation.

    The record holds standard errors and no counts, so exact power is not to be had.
    """
    return [
        _of_line(line, wish.alpha or record.alpha, wish)
        for line in record.lines
        if line.question == "regression"
    ]


def _planned(
    ask: Ask, measured: Measured, metric: Metric, judged: Judged, alpha: float, wish: Wish
) -> Planned:
    text = _written(ask)
    if measured.identical or measured.caution:
        why = measured.caution or _IDENTICAL
        return _without(ask.metric, ask.slice, measured.n, alpha, text, wish, why)
    assert isinstance(ask.limit, Tolerance), "unreachable: a regression has a tolerance"
    at, method = _prospects(measured, exact=not ask.relative)
    return work_out(
        at,
        metric=ask.metric,
        slice=ask.slice,
        rows=measured.n,
        margin=canonical(ask.limit.absolute(measured.reference)),
        tolerance=text,
        alpha=alpha,
        wish=wish,
        standard_error=measured.inference.standard_error,
        bounds=metric.bounds,
        design_effect=_design_effect(ask, metric, judged, measured),
        reference=measured.reference,
        method=method,
    )


def _written(ask: Ask) -> str:
    """Return the tolerance as a user would write it."""
    chosen = isinstance(ask.limit, Tolerance) and not ask.limit.default
    return str(ask.limit) if chosen else f"{ask.limit} default"


def _prospects(measured: Measured, *, exact: bool) -> tuple[Callable[[int], Prospect], str]:
    """Return what other numbers of rows can tell, were the gains spread as in this pilot."""
    spread, paired = measured.inference.standard_error * math.sqrt(measured.n), measured.paired
    if paired is None:
        return lambda rows: Normal(spread / math.sqrt(rows)), "normal"
    within = paired.n / measured.n
    if not exact:
        return lambda rows: OnlyWith(Normal(spread / math.sqrt(rows)), _counted(rows, within)), "normal"
    discordance = (paired.n10 + paired.n01) / paired.n
    return lambda rows: PairedProspect(_counted(rows, within), discordance), "exact"


def _counted(rows: int, within: float) -> int:
    """Return how many of these rows count for a metric that sees some of them only."""
    return max(1, math.floor(rows * within + 1e-9))


def _design_effect(ask: Ask, metric: Metric, judged: Judged, measured: Measured) -> float | None:
    """Return the variance over that of as many independent rows; ``None`` where they are independent."""
    sample, predicted = judged.on(ask.where)
    if sample.design.independent or not measured.inference.standard_error:
        return None
    plain = replace(sample, design=Design(n=sample.n))
    alone = measure_pair(
        metric, plain, predicted["candidate"], predicted["production"], relative=ask.relative
    ).inference.standard_error
    return canonical((measured.inference.standard_error / alone) ** 2) if alone else None


def _of_line(line: Line, alpha: float, wish: Wish) -> Planned:
    if line.interval is None or line.standard_error is None:
        return _without(line.metric, line.slice, line.n, alpha, line.tolerance, wish, line.reason)
    if line.warning.startswith("predictions identical"):
        return _without(line.metric, line.slice, line.n, alpha, line.tolerance, wish, _IDENTICAL)
    error, n = line.standard_error, line.n
    counts = line.interval.method.startswith("tango")

    def at(rows: int) -> Prospect:
        normal = Normal(error * math.sqrt(n / rows))
        return OnlyWith(normal, rows) if counts else normal

    return work_out(
        at,
        metric=line.metric,
        slice=line.slice,
        rows=n,
        margin=-line.required,
        tolerance=line.tolerance,
        alpha=alpha,
        wish=wish,
        standard_error=error,
        reference=line.reference,
    )


def _without(
    metric: str, name: str, rows: int, alpha: float, tolerance: str, wish: Wish, caution: str
) -> Planned:
    return Planned(
        metric=metric,
        slice=name,
        rows=rows,
        standard_error=None,
        alpha=alpha,
        margin=None,
        tolerance=tolerance,
        gain=wish.gain,
        caution=caution,
    )
