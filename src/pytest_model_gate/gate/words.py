"""What a line says: the reason for its verdict, and what to do next."""

from __future__ import annotations

import math
from typing import Protocol

from ..metrics.metric import Metric
from ..policy import IDENTICAL, Decision
from ..results import Question, Verdict
from ..wording import plural, roughly
from .measure import Measured

_REGRESSED = "Do not ship this candidate: look at what changed, or waive the line until a date."
_BASELINE = "Do not ship this candidate: it gains too little over the baseline."
_FLOOR = "Do not ship this candidate: it misses what the decision needs."
_INCONCLUSIVE = (
    "Judge more rows, allow a larger max_regression, or set on_inconclusive or min_rows for these rows."
)

_FEW_QUERIES = (
    "Judge more queries, allow a larger max_regression, or set on_inconclusive or min_rows for these rows."
)


class Asked(Protocol):
    """The question that a line answers."""

    @property
    def question(self) -> Question: ...  # noqa: D102
    @property
    def metric(self) -> str: ...  # noqa: D102
    @property
    def number(self) -> float: ...  # noqa: D102


def words(
    ask: Asked,
    decision: Decision,
    measured: Measured,
    metric: Metric,
    *,
    required: float,
    detectable: float | None,
    needed: int | None,
) -> tuple[str, str]:
    """Return the reason and the next step of a line.

    Parameters
    ----------
    ask, decision, measured, metric
        The question, the verdict, the numbers and what was measured.
    required : float
        What the gain has to exceed.
    detectable : float or None
        The regression that these rows detect with 80 % power.
    needed : int or None
        Rows with which a candidate equal to the reference passes with 80 % power.
    """
    gain = measured.inference.gain
    if decision.verdict is Verdict.PASS:
        said = f" ({decision.warning})" if decision.warning and not measured.identical else ""
        return decision.reason + said, ""
    if decision.verdict is Verdict.REGRESSED:
        if ask.question == "regression":
            return f"{decision.reason}: {abs(gain):.4g} worse, {-required:.4g} allowed", _REGRESSED
        if ask.question == "baseline":
            return f"{decision.reason}: gain {gain:.4g}, more than {required:.4g} needed", _BASELINE
        side = "at least" if metric.higher_is_better else "at most"
        return f"{decision.reason}: {measured.candidate:.4g}, {side} {ask.number:g} needed", _FLOOR
    alike = f" ({IDENTICAL})" if measured.alike else ""
    if measured.caution:
        return decision.reason + alike, "Judge more rows, or set on_inconclusive for these rows."
    if ask.question == "regression" and required == 0:
        return (
            f"{decision.reason}: only a candidate that is better can prove a tolerance of 0{alike}",
            f"Set max_regression for {ask.metric}.",
        )
    if detectable is None or needed is None or needed <= measured.n:
        return (
            f"{decision.reason}: the gain {gain:.4g} is too close to {required:.4g}{alike}",
            "Judge more rows, improve the candidate, or set on_inconclusive.",
        )
    if measured.queries is not None:
        more = roughly(math.ceil(needed * measured.queries / measured.n))
        units = "1 query resolves" if measured.queries == 1 else f"{measured.queries:,} queries resolve"
        return f"{units} {detectable:.2g}; about {more} queries needed{alike}", _FEW_QUERIES
    resolved = f"{plural(measured.n, 'row')} resolve{'s' * (measured.n == 1)} {detectable:.2g}"
    return f"{resolved}; about {roughly(needed)} needed{alike}", _INCONCLUSIVE
