"""Judge a dataset by its rules: what ``data/rules`` counts, with the statistics that some of it needs."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from ..data.rules.count import count, names_of
from ..data.rules.counted import Counted
from ..data.rules.counter import Around, Reference
from ..data.rules.kinds import hashable
from ..errors import ModelGateError
from ..hooks import DatasetProtocol
from ..policy import check_verdict, decide_distance
from ..redact import redact as without_secrets
from ..results import Check, Finding
from ..spec import DataRule
from ..stats.shares import Shares
from ..wording import plural, shorten, some

_UNCLEAR = "Take more rows or a wider tolerance, or let the doubt fail: on_unclear = 'fail'."


@dataclass(frozen=True, kw_only=True)
class Own:
    """What a gate knows about the dataset beside its rules.

    Parameters
    ----------
    target : str
        Column with the truth. Empty: unknown.
    apart : tuple of str
        The gate's own columns, which are no features.
    redact : bool
        Whether no finding shows a value.
    """

    target: str = ""
    apart: tuple[str, ...] = ()
    redact: bool = False


def check_rules(
    rules: Sequence[DataRule],
    data: DatasetProtocol | pd.DataFrame,
    opening: Callable[[str], DatasetProtocol],
    *,
    own: Own | None = None,
    now: datetime.datetime | None = None,
) -> Check:
    """Return whether a dataset keeps its rules.

    Parameters
    ----------
    rules : sequence of DataRule
        The rules.
    data : DatasetProtocol or DataFrame
        Read once, in batches, only the columns that the rules look at.
    opening : callable
        ``opening(source)`` opens a dataset that a rule refers to.
    own : Own, optional
        What a gate knows beside them.
    now : datetime, optional
        With a time zone; for the rules about time.

    Returns
    -------
    Check
        Named ``"rules"``, with one finding for each rule that does not hold, is unclear or unknown.
    """
    own = own or Own()
    opened, unopened = _references(rules, opening)
    answered = [rule for position, rule in enumerate(rules) if position not in unopened]
    around = Around(
        now=now or datetime.datetime.now(datetime.UTC),
        target=own.target,
        apart=own.apart,
        references=opened,
        names=names_of(data),
    )
    if not (len(data) if isinstance(data, pd.DataFrame) else data.rows):
        return _empty()
    counted = iter(count(answered, data, around))
    known: list[Finding] = []
    unknown: list[Finding] = []
    ordered: list[Finding] = []
    for position, rule in enumerate(rules):
        if position in unopened:
            finding: Finding | None = _unopened(rule, unopened[position])
            unsure = True
        else:
            found = next(counted)
            unsure = found.unknown
            finding = _judged(rule, found, hide=own.redact or rule.redact)
        if finding is not None:
            ordered.append(finding)
            (unknown if unsure else known).append(finding)
    return Check(
        name="rules",
        verdict=check_verdict(known, unknown=unknown),
        summary=_summary(rules, ordered, opened, known=any(finding.severity == "fail" for finding in known)),
        findings=tuple(ordered),
    )


def _empty() -> Check:
    finding = Finding(
        subject="dataset",
        problem="The dataset has no rows, so no rule about values could be checked.",
        remedy="Check how the dataset was made.",
    )
    return Check(name="rules", verdict=check_verdict([finding]), summary="no rows", findings=(finding,))


def _summary(
    rules: Sequence[DataRule],
    found: Sequence[Finding],
    opened: dict[tuple[str, str], Reference],
    *,
    known: bool,
) -> str:
    failing = [finding for finding in found if finding.severity == "fail"]
    if failing:
        subjects = dict.fromkeys(finding.subject for finding in failing)
        what = "broken" if known else "not checked"
        return f"{len(failing)} of {plural(len(rules), 'rule')} {what}: {some(subjects, 4)}"
    said = [f"ok, {plural(len(rules), 'rule')}"]
    said += [plural(len(found), "warning")] if found else []
    said += [
        f"refers to {shorten(without_secrets(item.resolved), 80)} ({_short(item.digest)})"
        for item in opened.values()
    ]
    return "; ".join(said)


def _short(digest: str) -> str:
    from ..data.pins import short_digest

    return short_digest(digest)


def _references(
    rules: Sequence[DataRule], opening: Callable[[str], DatasetProtocol]
) -> tuple[dict[tuple[str, str], Reference], dict[int, ModelGateError]]:
    """Open every dataset that a rule refers to, once for each of its columns."""
    opened: dict[tuple[str, str], Reference] = {}
    unopened: dict[int, ModelGateError] = {}
    for position, rule in enumerate(rules):
        if rule.rule != "refers":
            continue
        to, key = rule.options["to"], rule.options["key"] or rule.options["column"]
        if (to, key) in opened:
            continue
        try:
            dataset = opening(to)
            parts = [hashable(frame[key]).drop_duplicates() for frame in dataset.batches([key])]
            values = pd.concat(parts, ignore_index=True).dropna().drop_duplicates()
        except ModelGateError as error:
            unopened[position] = error
            continue
        opened[to, key] = Reference(values=values, resolved=dataset.resolved, digest=dataset.digest)
    return opened, unopened


def _unopened(rule: DataRule, error: ModelGateError) -> Finding:
    return Finding(
        subject=shorten(str(rule.options["column"])),
        problem=f"The rule 'refers' could not be checked: {error.what}",
        remedy=error.remedy,
        rule=rule.rule,
        severity=rule.severity,
    )


def _judged(rule: DataRule, counted: Counted, *, hide: bool) -> Finding | None:
    """Return the finding that a rule does not hold; ``None`` where it does."""
    severity, answer = rule.severity, "broken"
    if counted.unknown:
        problem = counted.problem
    elif counted.classes:
        answer, problem = _balance(rule, counted, hide=hide)
        if answer == "kept":
            return None
        if answer == "unclear" and rule.options["on_unclear"] == "warn":
            severity = "warn"
    elif counted.holds is not None:
        if counted.holds:
            return None
        problem = counted.problem
    else:
        assert counted.count is not None, "unreachable: a rule without a count says whether it holds"
        if counted.count <= counted.allowed:
            return None
        problem = counted.problem
    if hide:
        counted = counted.without_values()
    remedy = _UNCLEAR if counted.classes and answer == "unclear" else counted.remedy
    return Finding(
        subject=counted.subject,
        problem=f"{problem} Why: {shorten(rule.why, 200)}" if rule.why else problem,
        remedy=remedy,
        count=counted.count,
        examples=counted.examples,
        rule=rule.rule,
        share=counted.count / counted.rows if counted.count is not None and counted.rows else None,
        rows=counted.where,
        severity=severity,
    )


def _balance(
    rule: DataRule, counted: Counted, *, hide: bool
) -> tuple[Literal["kept", "broken", "unclear"], str]:
    """Compare the shares of classes with the agreed ones, and say what that tells."""
    agreed, tolerance, alpha = (rule.options[key] for key in ("shares", "tolerance", "alpha"))
    names = [name for name, _ in counted.classes]
    shares = Shares(tuple(n for _, n in counted.classes), tuple(agreed.get(name, 0.0) for name in names))
    demand = (
        f"Column '{counted.subject}' must have the shares {_listed(list(agreed), list(agreed.values()))} "
        f"within {_points(tolerance)}"
    )
    if not shares.n:
        return "broken", f"{demand}; no row has a class."
    if hide:  # the agreed classes are no secret
        names = [name if name in agreed else "(another class)" for name in names]
    present = [name for name, (_, n) in zip(names, counted.classes, strict=True) if n]
    came = (
        f"every row has the class '{shorten(present[0])}'"
        if len(present) == 1
        else f"they are {_listed(names, [n / shares.n for n in shares.counts])} in {plural(shares.n, 'row')}"
    )
    low, high = shares.bounds(alpha)
    answer = decide_distance(low=low, high=high, tolerance=tolerance)
    p, test = shares.test
    level = f"{(1 - alpha) * 100:g}%"
    said = f"{_points(shares.distance)} of the rows would have to have another class"
    if answer == "broken":
        said += f", at least {_points(low)} ({level})"
    else:
        said += f", and {_points(low)} to {_points(high)} are possible ({level}): these rows cannot tell"
    return answer, f"{demand}; {came}: {said}. {test.capitalize()} {_p_value(p)} for exactly these shares."


def _p_value(p: float) -> str:
    return f"p = {p:.2g}" if p else "p < 1e-300"


def _listed(names: Sequence[str], shares: Sequence[float]) -> str:
    pairs = zip(names, shares, strict=True)
    return some((f"{shorten(name)}: {share * 100:.4g}%" for name, share in pairs), 8)


def _points(share: float) -> str:
    return f"{share * 100:.3g}%"
