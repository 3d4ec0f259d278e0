"""Waivers: failing lines that somebody answers for until a date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from ..results import Check, Finding, Line, Verdict
from ..spec import Waiver


def waive(lines: Sequence[Line], waivers: Iterable[Waiver], today: date) -> tuple[list[Line], Check | None]:
    """Mark the failing lines that somebody answers for; an expired or unused waiver is an error.

    Returns
    -------
    list of Line
        The lines, with ``waiver`` set where one counts.
    Check or None
        The check on the waivers themselves; ``None`` where there are none.
    """
    found = list(lines)
    findings: list[Finding] = []
    waivers = tuple(waivers)
    for waiver in waivers:
        subject = f"{waiver.metric} on {waiver.slice}"
        matching = [
            index
            for index, line in enumerate(found)
            if (line.metric, line.slice) == (waiver.metric, waiver.slice)
            and line.verdict in (Verdict.REGRESSED, Verdict.INCONCLUSIVE)
            and line.fails
        ]
        if date.fromisoformat(waiver.expires) < today:
            findings.append(
                Finding(
                    subject=subject,
                    problem=f"the waiver of {waiver.owner} expired on {waiver.expires}.",
                    remedy="Repair the model, or renew the waiver with a new date.",
                )
            )
        elif not matching:
            findings.append(
                Finding(
                    subject=subject,
                    problem=f"the waiver of {waiver.owner} waives nothing: no failing line matches it.",
                    remedy="Remove it.",
                )
            )
        else:
            for index in matching:
                text = f"waived by {waiver.owner} until {waiver.expires}: {waiver.reason}"
                found[index] = replace(found[index], waiver=text)
    if not waivers:
        return found, None
    return found, Check(
        name="waivers",
        verdict=Verdict.ERROR if findings else Verdict.PASS,
        summary=f"{len(findings)} of {len(waivers)} expired or unused"
        if findings
        else f"{len(waivers)} in use",
        findings=tuple(findings),
    )
