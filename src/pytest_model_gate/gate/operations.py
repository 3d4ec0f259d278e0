"""What a model costs where it serves: time, memory and size, held against limits and against production."""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from ..errors import ModelGateError
from ..hooks import DatasetProtocol, ModelProtocol
from ..models.command import KIND as COMMAND
from ..models.endpoints import KIND as ENDPOINT
from ..models.examine import examine
from ..models.scoring import score
from ..results import Check, Finding, Operation, Verdict
from ..spec import GateSpec, OperationLimit, Operations, Role, SourceContext
from ..stats.medians import median_interval
from ..wording import plural
from .contracts import looked_up

NAME = "operations"

#: Rounds of timing: each calls every model once, in turns. At least so many, at most so many.
FEWEST, MOST = 12, 60
#: Seconds after which no new round begins once the fewest are done.
_BUDGET = 3.0
_WARM_UP = 2
_WORDS = {"latency_per_row": "time per row", "memory": "memory", "artifact_size": "size"}

#: Models whose memory is not this process's: what would be measured here is what sending the rows takes.
_ELSEWHERE = {ENDPOINT: "is served elsewhere", COMMAND: "runs in a process of its own"}

Clock = Callable[[], float]


def operations(
    spec: GateSpec,
    asked: Operations,
    models: Mapping[Role, ModelProtocol],
    features: Mapping[Role, list[str]],
    dataset: DatasetProtocol,
    wants: tuple[str, ...],
    context: SourceContext,
    *,
    clock: Clock = time.perf_counter,
) -> tuple[Check, tuple[Operation, ...]]:
    """Measure what is asked of candidate and production.

    Parameters
    ----------
    spec : GateSpec
        The gate.
    asked : Operations
        What is measured, and its limits.
    models, features : mapping
        The models by role, and the columns that each reads.
    dataset : DatasetProtocol
        Whose first rows are predicted.
    wants : tuple of str
        As the models are asked.
    context : SourceContext
        To look at the files of models.
    clock : callable
        Seconds.

    Returns
    -------
    tuple
        The check, and what was measured.
    """
    roles: dict[Role, ModelProtocol] = {
        role: models[role] for role in ("candidate", "production") if role in models
    }
    rows = _rows(dataset, asked.batch, sorted({name for role in roles for name in features[role]}))
    predicts = [role for role in roles if looked_up(roles[role])]
    found: list[Operation] = []

    def call(role: Role) -> None:
        score(roles[role], [rows[features[role]]], wants, role=role)

    for name, limit in asked.limits():
        if name != "artifact_size" and predicts:
            found.append(_unknown(name, limit, f"the {predicts[0]} is read from a file of predictions"))
            continue
        try:
            if name == "latency_per_row":
                found.append(_latency(limit, call, roles, len(rows), spec.alpha, clock))
            elif name == "memory" and (apart := [r for r in roles if roles[r].kind in _ELSEWHERE]):
                found.append(_unknown(name, limit, f"the {apart[0]} {_ELSEWHERE[roles[apart[0]].kind]}"))
            elif name == "memory":
                found.append(_exact(name, limit, {role: _peak(call, role) for role in roles}))
            else:
                found.append(_exact(name, limit, {role: _size(spec.source(role), context) for role in roles}))
        except ModelGateError as error:
            found.append(_unknown(name, limit, error.what.rstrip(".")))
    return _check(found, asked, spec), tuple(found)


def _rows(dataset: DatasetProtocol, count: int, columns: list[str]) -> pd.DataFrame:
    parts, there = [], 0
    for batch in dataset.batches(columns):
        parts.append(batch.iloc[: count - there])
        there += len(parts[-1])
        if there >= count:
            break
    return pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0].reset_index(drop=True)


def _latency(
    limit: OperationLimit,
    call: Callable[[Role], None],
    roles: Mapping[Role, Any],
    rows: int,
    alpha: float,
    clock: Clock,
) -> Operation:
    """Call both models in turns, in alternating order: what slows the machine down slows both."""
    order: list[Role] = list(roles)
    for role in order * _WARM_UP:
        call(role)
    times: dict[Role, list[float]] = {role: [] for role in order}
    begun = clock()
    while len(times["candidate"]) < FEWEST or (len(times["candidate"]) < MOST and clock() - begun < _BUDGET):
        for role in order:
            start = clock()
            call(role)
            times[role].append((clock() - start) / rows)
        order.reverse()
    middle, low, high = median_interval(times["candidate"], alpha)
    verdict, reason = _against_most(limit, middle, low, high, "latency_per_row")
    production = ratio = None
    bounds: tuple[float | None, float | None] = (None, None)
    if "production" in roles:
        production = median_interval(times["production"], alpha)[0]
        ratios = [ours / theirs for ours, theirs in zip(times["candidate"], times["production"], strict=True)]
        ratio, *ends = median_interval(ratios, alpha)
        bounds = (ends[0], ends[1]) if math.isfinite(ends[1]) else (None, None)
        verdict, reason = _graver(
            (verdict, reason), _against_production(limit, ratio, ends[0], ends[1], "latency_per_row")
        )
    elif limit.max_regression is not None:
        verdict, reason = Verdict.ERROR, "there is no production model to compare with"
    return Operation(
        name="latency_per_row",
        unit="seconds",
        candidate=middle,
        production=production,
        ratio=ratio,
        low=bounds[0],
        high=bounds[1],
        most=limit.max,
        max_regression=limit.max_regression,
        rows=rows,
        rounds=len(times["candidate"]),
        verdict=verdict,
        reason=reason,
    )


def _exact(name: str, limit: OperationLimit, found: Mapping[Role, float]) -> Operation:
    """Hold what has no noise against its limits."""
    ours, theirs = found["candidate"], found.get("production")
    verdict, reason = _against_most(limit, ours, ours, ours, name)
    ratio = None if theirs is None else ours / max(theirs, 1.0)
    if ratio is not None:
        verdict, reason = _graver((verdict, reason), _against_production(limit, ratio, ratio, ratio, name))
    elif limit.max_regression is not None:
        verdict, reason = Verdict.ERROR, "there is no production model to compare with"
    return Operation(
        name=name,
        unit="bytes",
        candidate=ours,
        production=theirs,
        ratio=ratio,
        low=ratio,
        high=ratio,
        most=limit.max,
        max_regression=limit.max_regression,
        verdict=verdict,
        reason=reason,
    )


def _unknown(name: str, limit: OperationLimit, why: str) -> Operation:
    return Operation(
        name=name,
        unit="seconds" if name == "latency_per_row" else "bytes",
        most=limit.max,
        max_regression=limit.max_regression,
        verdict=Verdict.ERROR,
        reason=f"nothing was measured: {why}",
    )


def _against_most(
    limit: OperationLimit, value: float, low: float, high: float, name: str
) -> tuple[Verdict, str]:
    if limit.max is None or high <= limit.max:
        return Verdict.PASS, "within its limits"
    said = f"{shown(value, name)}, and at most {shown(limit.max, name)} is allowed"
    if low > limit.max:
        return Verdict.REGRESSED, said
    return Verdict.INCONCLUSIVE, f"{said}: between {shown(low, name)} and {shown(high, name)}"


def _against_production(
    limit: OperationLimit, ratio: float, low: float, high: float, name: str
) -> tuple[Verdict, str]:
    if limit.max_regression is None or high <= 1 + limit.max_regression:
        return Verdict.PASS, "within its limits"
    said = (
        f"{ratio:.2f} times production's {_WORDS[name]}, and {1 + limit.max_regression:.4g} times is allowed"
    )
    if low > 1 + limit.max_regression:
        return Verdict.REGRESSED, said
    return Verdict.INCONCLUSIVE, f"{said}: between {low:.2f} and {high:.2f} times"


def _graver(one: tuple[Verdict, str], other: tuple[Verdict, str]) -> tuple[Verdict, str]:
    order = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.REGRESSED)
    return max(one, other, key=lambda item: order.index(item[0]))


def _peak(call: Callable[[Role], None], role: Role) -> float:
    """Return the most bytes that Python and numpy hold at once while the rows are predicted."""
    if tracemalloc.is_tracing():  # somebody else's measurement: its peak must not be reset
        raise _UnknownError("tracemalloc is in use by another measurement")
    tracemalloc.start()
    try:
        call(role)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call(role)
        return float(max(0, tracemalloc.get_traced_memory()[1] - before))
    finally:
        tracemalloc.stop()


class _UnknownError(ModelGateError):
    """It cannot be measured."""


def _size(source: str, context: SourceContext) -> float:
    found = examine(source, context)
    if found is None or not found.files:
        raise _UnknownError(f"'{source}' has no files whose size could be told")
    return float(found.size)


def _check(found: list[Operation], asked: Operations, spec: GateSpec) -> Check:
    """Return the check: advice, unless the gate says otherwise."""
    fails = asked.severity == "fail"
    findings, failing = [], []
    for item in found:
        if item.verdict is Verdict.PASS:
            continue
        forgiven = item.verdict is Verdict.INCONCLUSIVE and spec.on_inconclusive != "fail"
        findings.append(
            Finding(
                subject=item.name,
                problem=f"{_WORDS[item.name]}: {item.reason}",
                remedy=_REMEDIES[item.verdict],
                rule=item.verdict.value,
                severity="fail" if fails and not forgiven else "warn",
            )
        )
        if findings[-1].severity == "fail":
            failing.append(item.verdict)
    order = (Verdict.INCONCLUSIVE, Verdict.REGRESSED, Verdict.ERROR)
    return Check(
        name=NAME,
        verdict=max(failing, key=order.index) if failing else Verdict.PASS,
        summary=", ".join(map(_summary, found)),
        findings=tuple(findings),
    )


_REMEDIES = {
    Verdict.INCONCLUSIVE: "Measure on a quieter machine, or on a larger batch.",
    Verdict.REGRESSED: "Make the model smaller or faster, or raise the limit if the price is right.",
    Verdict.ERROR: "Measure it where the model runs, or take this limit out of operations.",
}


def _summary(item: Operation) -> str:
    if item.candidate is None:
        return f"{_WORDS[item.name]} not measured"
    said = f"{_WORDS[item.name]} {shown(item.candidate, item.name)}"
    if item.ratio is None:
        return said
    if item.low is None or item.high is None or item.low == item.high:
        return f"{said} ({item.ratio:.2f} x production)"
    return f"{said} ({item.ratio:.2f} x production [{item.low:.2f}, {item.high:.2f}])"


def shown(value: float, name: str) -> str:
    """Return seconds or bytes as a reader likes them.

    Examples
    --------
    >>> shown(0.0000021, "latency_per_row"), shown(2_400_000, "memory"), shown(12, "artifact_size")
    ('2.1 us', '2.4 MB', '12 bytes')
    """
    if name == "latency_per_row":
        for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
            if value >= size:
                return f"{value / size:.3g} {unit}"
        return f"{value / 1e-9:.3g} ns"
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return plural(round(value), "byte")
