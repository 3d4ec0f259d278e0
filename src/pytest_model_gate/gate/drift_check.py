"""What drift does to a gate: a check with a finding for each column that is not as the reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ..results import Check, DriftColumn, DriftOverall, DriftRecord, Finding, Verdict
from ..wording import plural, some

NAME = "drift"

#: What the reason of a column says that has another share of missing values.
MISSING = "missing values"

#: What is done about each answer.
_REMEDIES = {
    "drifted": "Find out why the data changed; if it is meant, set a threshold or ignore the column.",
    "inconclusive": "Compare more rows, or set on_inconclusive.",
    "error": "",
}


def drift_check(record: DriftRecord) -> Check:
    """Return the check that a comparison makes.

    Drift that fails is ``invalid``, a column that cannot be compared is an ``error``, and what the data
    cannot tell is ``inconclusive``; what only warns fails nothing.
    """
    findings = tuple(_findings(record))
    failing = [finding for finding in findings if finding.severity == "fail"]
    rules = {finding.rule for finding in failing}
    if "error" in rules:
        verdict = Verdict.ERROR
    elif rules & {"drifted", "new levels"}:
        verdict = Verdict.INVALID
    else:
        verdict = Verdict.INCONCLUSIVE if failing else Verdict.PASS
    return Check(name=NAME, verdict=verdict, summary=summary(record), findings=findings)


def summary(record: DriftRecord) -> str:
    """Return what was found in a few words."""
    counts = {
        verdict: sum(column.verdict == verdict for column in record.columns)
        for verdict in ("drifted", "inconclusive", "error")
    }
    said = [
        text
        for count, text in (
            (counts["drifted"], f"{counts['drifted']} drifted"),
            (counts["inconclusive"], f"{counts['inconclusive']} inconclusive"),
            (counts["error"], f"{counts['error']} could not be compared"),
            (_with_new(record), f"{_with_new(record)} with new levels"),
        )
        if count
    ]
    if record.overall is not None and record.overall.verdict == "drifted":
        said.append("told apart as a whole")
    compared = plural(len(record.columns), "column")
    return f"{compared} against {record.source}: {', '.join(said) or 'no drift beyond the thresholds'}"


def _with_new(record: DriftRecord) -> int:
    return sum(bool(column.new_levels_count) for column in record.columns)


def _findings(record: DriftRecord) -> Iterator[Finding]:
    for column in worst_first(record.columns):
        if column.verdict != "pass":
            severity = _severity(record, column.verdict)
            if severity is not None:
                yield Finding(
                    subject=column.column,
                    problem=f"{column.column}: {problem(column)}",
                    remedy=_REMEDIES[column.verdict],
                    rule=column.verdict,
                    severity=severity,
                )
        if column.new_levels_count:
            names = some(column.new_levels, 5)
            yield Finding(
                subject=column.column,
                problem=f"{column.column}: {plural(column.new_levels_count, 'value')} in "
                f"{plural(column.new_levels_rows, 'row')} that the reference does not have: {names}.",
                remedy="See what the model makes of them; train it with them, or ignore the column.",
                count=column.new_levels_rows,
                rule="new levels",
                share=column.new_levels_rows / max(1, column.current_rows),
                severity=record.on_new_levels,
            )
    if record.overall is not None and record.overall.verdict != "pass":
        severity = _severity(record, record.overall.verdict)
        if severity is not None:
            yield Finding(
                subject="all features",
                problem=f"all features: {overall_problem(record.overall)}",
                remedy=_REMEDIES[record.overall.verdict],
                rule=record.overall.verdict,
                severity=severity,
            )


def _severity(record: DriftRecord, verdict: str) -> Literal["fail", "warn"] | None:
    if verdict == "drifted":
        return record.on_drift
    if verdict == "error":
        # What could not be compared never passes by that.
        return "fail"
    return None if record.on_inconclusive == "pass" else record.on_inconclusive


def worst_first(columns: tuple[DriftColumn, ...]) -> list[DriftColumn]:
    """Return columns in the order in which somebody should look at them."""
    order = ("error", "drifted", "inconclusive", "pass")

    def key(column: DriftColumn) -> tuple[int, float, str]:
        beyond = 0.0
        if column.effect is not None and column.threshold:
            beyond = column.effect / column.threshold
        return order.index(column.verdict), -beyond, column.column

    return sorted(columns, key=key)


def problem(column: DriftColumn) -> str:
    """Return what is wrong with a column in one sentence."""
    if column.verdict == "error":
        return f"{column.reason.rstrip('.')}."
    if MISSING in column.reason and column.missing_low is not None and column.missing_high is not None:
        change = column.current_missing - column.reference_missing
        shares = (
            f"{column.reference_missing:.1%} of the values were missing, {column.current_missing:.1%} are"
        )
        bounds = f"[{column.missing_low:+.3g}, {column.missing_high:+.3g}]"
        return f"{shares}, {change:+.3g} {bounds}: {column.reason}."
    if column.effect is None:
        return f"{column.reason}."
    numbers = (
        f"{column.method} {column.effect:.3g} [{column.low:.3g}, {column.high:.3g}], "
        f"threshold {column.threshold:.3g}"
    )
    return f"{numbers}: {column.reason}."


def overall_problem(overall: DriftOverall) -> str:
    """Return what is wrong as a whole in one sentence."""
    return (
        f"area {overall.area:.3g} [{overall.low:.3g}, {overall.high:.3g}], threshold "
        f"{overall.threshold:.3g}: {overall.reason}."
    )
