"""The lines of a gate: which questions are asked, measured once each, and judged together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import EvaluationError, ModelGateError, UndefinedMetricError
from ..metrics.metric import Metric
from ..policy import decide, holm
from ..results import Interval, Line, Question, SmallSlice, Verdict
from ..spec import GateSpec, OnInconclusive, OnUndefined, SliceSpec, Tolerance
from .at_once import find_bounds
from .canonical import canonical
from .measure import Measured
from .words import words

ALL = "all"
ANY = "*"

_UNDEFINED = (
    'Set min_rows, min_per_class or metrics for these slices, or on_undefined = "warn", which shows the '
    "line and fails nothing."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question about one metric on one slice, before it is measured.

    ``limit`` is the tolerance (regression), the minimum gain (baseline) or the floor. ``rows`` is the first
    name of the rows, where several slices have the same, and ``also`` the other names that this question
    answers for.
    """

    question: Question
    metric: str
    slice: str
    n: int
    limit: Tolerance | float
    on_inconclusive: OnInconclusive
    on_undefined: OnUndefined = "fail"
    rows: str = ""
    also: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The first name of the rows that are measured."""
        return self.rows or self.slice

    @property
    def number(self) -> float:
        """The minimum gain or the floor."""
        assert not isinstance(self.limit, Tolerance), "unreachable: a tolerance belongs to a regression"
        return self.limit

    @property
    def relative(self) -> float:
        """The tolerance as a share of production's value, 0 where it is absolute."""
        return self.limit.value if isinstance(self.limit, Tolerance) and self.limit.relative else 0.0

    @property
    def topic(self) -> tuple[object, ...]:
        """What it is about; an assertion about the same topic takes its place."""
        return self.question, self.metric, self.slice, self.number if self.question == "floor" else None

    @property
    def measured_as(self) -> tuple[object, ...]:
        """What tells one measurement from another: asking twice measures once."""
        return self.question, self.metric, self.where, self.topic[-1], self.relative


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRows:
    """One slice that exists in the data.

    Parameters
    ----------
    spec : SliceSpec
        The table that asked for it.
    name : str
        What it is called.
    n : int
        Its rows.
    cut, level : int
        Which of the gate's tables cut it out, and its position there.
    same_as : str
        The first name of exactly these rows: its own, that of an earlier slice, or ``"all"``.
    lacking : str
        Of which class it has too few rows to be judged. Empty: of none.
    """

    spec: SliceSpec
    name: str
    n: int
    cut: int
    level: int
    same_as: str
    lacking: str = ""


def plan(
    spec: GateSpec,
    metrics: Mapping[str, Metric],
    slices: Iterable[SliceRows],
    *,
    n: int,
    has_production: bool,
) -> tuple[list[Ask], list[SmallSlice]]:
    """Return everything that a gate asks, and the slices that are too small to be asked about."""
    asks: list[Ask] = []
    small: list[SmallSlice] = []
    if has_production:
        asks += [
            Ask(
                question="regression",
                metric=name,
                slice=ALL,
                n=n,
                limit=tolerance_of(metric, spec.max_regression),
                on_inconclusive=spec.on_inconclusive,
            )
            for name, metric in metrics.items()
        ]
    if spec.baseline:
        # A table that names metrics asks about these alone; without one all are asked for any gain.
        gains = spec.min_gain or {ANY: 0.0}
        asks += [
            Ask(
                question="baseline",
                metric=name,
                slice=ALL,
                n=n,
                limit=gains.get(name, gains.get(ANY, 0.0)),
                on_inconclusive=spec.on_inconclusive,
            )
            for name in metrics
            if name in gains or ANY in gains
        ]
    for name in metrics:
        floor = spec.floors.get(name, spec.floors.get(ANY))
        if floor is not None and metrics[name].family != "value":
            asks.append(
                Ask(
                    question="floor",
                    metric=name,
                    slice=ALL,
                    n=n,
                    limit=floor,
                    on_inconclusive=spec.on_inconclusive,
                )
            )
    for rows in slices if has_production else ():
        if rows.n < rows.spec.min_rows or rows.lacking:
            lacking = rows.lacking if rows.n >= rows.spec.min_rows else ""
            small.append(SmallSlice(slice=rows.name, n=rows.n, min_rows=rows.spec.min_rows, lacking=lacking))
            continue
        asks += [
            Ask(
                question="regression",
                metric=name,
                slice=rows.name,
                n=rows.n,
                limit=tolerance_of(metric, rows.spec.max_regression, spec.max_regression),
                on_inconclusive=rows.spec.on_inconclusive or spec.on_inconclusive,
                on_undefined=rows.spec.on_undefined,
                rows=rows.same_as,
            )
            for name, metric in metrics.items()
            # What is never judged is shown once.
            if metric.family != "value" and (not rows.spec.metrics or name in rows.spec.metrics)
        ]
    return _each_once(asks), small


def _each_once(asks: Iterable[Ask]) -> list[Ask]:
    """Ask the same of the same rows once, with every name that they have."""
    found: dict[tuple[object, ...], Ask] = {}
    for ask in asks:
        key = (*ask.measured_as, ask.limit, ask.on_inconclusive, ask.on_undefined)
        first = found.get(key)
        found[key] = ask if first is None else replace(first, also=(*first.also, ask.slice))
    return list(found.values())


def tolerance_of(metric: Metric, *tables: Mapping[str, Tolerance]) -> Tolerance:
    """Return the tolerance of a metric from the first table that knows it, else its default."""
    for table in tables:
        for key in (metric.name, ANY):
            if key in table:
                return table[key]
    return metric.default_tolerance


#: What turns the p-values of measured questions into p-values adjusted for each other.
Correct = Callable[[Sequence[tuple[Ask, Measured]], Sequence[float]], Sequence[float]]


def by_holm(asked: Sequence[tuple[Ask, Measured]], p_values: Sequence[float]) -> Sequence[float]:
    """Adjust by Holm's method, which holds however the lines hang together."""
    del asked
    return holm(p_values)


def judge(
    asks: Sequence[Ask],
    metrics: Mapping[str, Metric],
    measured: Callable[[Ask], Measured],
    *,
    alpha: float,
    correct: Correct = by_holm,
) -> list[Line]:
    """Measure and judge every question.

    All lines are judged together, because an accusation is corrected for everything that can accuse.

    Parameters
    ----------
    asks : sequence of Ask
        The questions.
    metrics : mapping
        Metrics by name.
    measured : callable
        Measures one question; raises ``ModelGateError`` where there is no answer.
    alpha : float
        One-sided level.
    correct : callable
        Adjusts the p-values of all accusations for each other.
    """
    answers: list[Measured | ModelGateError] = []
    for ask in asks:
        try:
            answers.append(measured(ask))
        except ModelGateError as error:
            answers.append(error)
    find_bounds((answer.inference for answer in answers if isinstance(answer, Measured)), alpha)
    level = canonical(1 - 2 * alpha)
    shown = {name for name, metric in metrics.items() if metric.family == "value"}
    # What can never accuse costs the others nothing.
    accusing = [
        (ask, answer)
        for ask, answer in zip(asks, answers, strict=True)
        if isinstance(answer, Measured) and ask.metric not in shown
    ]
    required = [required_gain(ask, answer) for ask, answer in accusing]
    p_values = [
        _accusation(answer, needed, alpha) for (_, answer), needed in zip(accusing, required, strict=True)
    ]
    judged = zip(required, correct(accusing, p_values), strict=True)
    lines = []
    for ask, answer in zip(asks, answers, strict=True):
        if isinstance(answer, Measured) and ask.metric in shown:
            lines.append(_shown(ask, answer, alpha))
        elif isinstance(answer, Measured):
            lines.append(_line(ask, answer, metrics[ask.metric], alpha, level, *next(judged)))
        else:
            lines.append(_unanswered(ask, answer))
    return lines


def _accusation(measured: Measured, required: float, alpha: float) -> float:
    """Return the p-value of "it is worse than required"; 1 where it is not below ``alpha``.

    A step-down correction stops at the first p-value that accuses nobody: how large it and the later ones
    are changes nothing, and to find it costs more than the bounds, which tell as much.
    """
    _, high = measured.inference.bounds(alpha)
    return measured.p_below(required) if high < required else 1.0


def required_gain(ask: Ask, measured: Measured) -> float:
    """Return what the gain has to exceed."""
    if isinstance(ask.limit, Tolerance):
        assert measured.reference is not None, "unreachable: a tolerance is always against a model"
        return canonical(-ask.limit.absolute(measured.reference))
    return ask.number if ask.question == "baseline" else 0.0


def _line(
    ask: Ask,
    measured: Measured,
    metric: Metric,
    alpha: float,
    level: float,
    required: float,
    p_regressed: float,
) -> Line:
    inference = measured.inference
    low, high = inference.bounds(alpha)
    decision = decide(
        question=ask.question,
        low=low,
        high=high,
        required=required,
        alpha=alpha,
        p_regressed=p_regressed,
        identical=measured.identical,
        alike=measured.alike,
        caution=measured.caution,
    )
    detectable, needed = None, None
    if decision.verdict is Verdict.INCONCLUSIVE:
        margin = -required if ask.question == "regression" else abs(inference.gain - required)
        detectable, needed = measured.minimum_detectable(alpha), measured.rows_needed(margin, alpha)
    reason, remedy = words(
        ask, decision, measured, metric, required=required, detectable=detectable, needed=needed
    )
    return Line(
        question=ask.question,
        metric=ask.metric,
        slice=ask.slice,
        n=measured.n,
        reference=measured.reference,
        candidate=measured.candidate,
        gain=inference.gain,
        interval=Interval(low=low, high=high, level=level, method=inference.method),
        standard_error=inference.standard_error,
        required=required,
        tolerance=_tolerance_text(ask),
        verdict=decision.verdict,
        reason=reason,
        remedy=remedy,
        warning=decision.warning,
        minimum_detectable=detectable,
        rows_needed=needed,
        on_inconclusive=ask.on_inconclusive,
        on_undefined=ask.on_undefined,
        also=ask.also,
    )


def _shown(ask: Ask, measured: Measured, alpha: float) -> Line:
    """Return the line of a metric without an interval; it passes for equal predictions only.

    Otherwise it is inconclusive and only warns, whatever the gate does with what is inconclusive: no
    number of rows would make it conclusive.
    """
    low, high = measured.inference.bounds(alpha)
    decision = decide(
        question=ask.question,
        low=low,
        high=high,
        required=0.0,
        alpha=alpha,
        p_regressed=1.0,
        identical=measured.identical,
        alike=measured.alike,
        caution=measured.caution,
    )
    return Line(
        question=ask.question,
        metric=ask.metric,
        slice=ask.slice,
        n=measured.n,
        reference=measured.reference,
        candidate=measured.candidate,
        gain=measured.inference.gain,
        interval=None,
        standard_error=None,
        required=0.0,
        tolerance="",
        verdict=decision.verdict,
        reason=decision.reason,
        warning=decision.warning,
        on_inconclusive="warn",
    )


def _tolerance_text(ask: Ask) -> str:
    if isinstance(ask.limit, Tolerance):
        return f"{ask.limit} default" if ask.limit.default else str(ask.limit)
    return f"{ask.limit:g}"


def _unanswered(ask: Ask, error: ModelGateError) -> Line:
    verdict = Verdict.ERROR if isinstance(error, EvaluationError) else Verdict.INVALID
    undefined = isinstance(error, UndefinedMetricError)
    floor = ask.limit if ask.question == "floor" and not isinstance(ask.limit, Tolerance) else None
    return Line(
        question=ask.question,
        metric=ask.metric,
        slice=ask.slice,
        n=ask.n,
        reference=floor,
        candidate=None,
        gain=None,
        interval=None,
        standard_error=None,
        required=0.0 if isinstance(ask.limit, Tolerance) or floor is not None else float(ask.limit),
        tolerance=_tolerance_text(ask),
        verdict=verdict,
        reason=error.what,
        remedy=_UNDEFINED if undefined and ask.slice != ALL else error.remedy,
        on_inconclusive=ask.on_inconclusive,
        on_undefined=ask.on_undefined,
        undefined=undefined,
        also=ask.also,
    )
