"""Waivers: failing lines that somebody answers for until a date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from ..results import Check, Finding, Line, SmallSlice, Verdict
from ..spec import Waiver
from ..wording import did_you_mean, some


def waive(
    lines: Sequence[Line], waivers: Iterable[Waiver], today: date, small: Iterable[SmallSlice] = ()
) -> tuple[list[Line], Check | None]:
    """Mark the failing lines that somebody answers for; an expired or unused waiver is an error.

    Parameters
    ----------
    lines : sequence of Line
        What was judged.
    waivers : iterable of Waiver
        Those of the gate.
    today : date
        On which they count or don't.
    small : iterable of SmallSlice
        Slices that are not judged.

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
    not_judged = {slice_.slice for slice_ in small}
    known = {name for line in lines for name in (line.slice, *line.also)} | not_judged
    for waiver in waivers:
        subject = f"{waiver.metric} on {waiver.slice}"
        fitting = {index: line.question for index, line in enumerate(lines) if _fits(waiver, line)}
        matching = [index for index, question in fitting.items() if question == waiver.question]
        if date.fromisoformat(waiver.expires) < today:
            findings.append(
                Finding(
                    subject=subject,
                    problem=f"the waiver of {waiver.owner} expired on {waiver.expires}.",
                    remedy="Repair the model, or renew the waiver with a new date.",
                )
            )
        elif waiver.slice not in known:
            findings.append(
                Finding(
                    subject=subject,
                    problem=f"the waiver of {waiver.owner} names a slice that does not exist.",
                    remedy=did_you_mean(waiver.slice, known, f"There are {some(sorted(known))}."),
                )
            )
        elif waiver.slice in not_judged:
            findings.append(
                Finding(
                    subject=subject,
                    problem=f"the waiver of {waiver.owner} waives nothing: this slice is too small.",
                    remedy="Remove it.",
                )
            )
        elif not matching:
            findings.append(
                Finding(
                    subject=subject,
                    problem=f"the waiver of {waiver.owner} waives nothing: no failing line matches it.",
                    remedy="Remove it.",
                )
                if not fitting
                else _of_another(waiver, subject, sorted(set(fitting.values())))
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


def _fits(waiver: Waiver, line: Line) -> bool:
    """Whether a failing line is the one of a waiver, whatever it is compared with."""
    return (
        line.metric == waiver.metric
        and waiver.slice in (line.slice, *line.also)
        and line.verdict in (Verdict.REGRESSED, Verdict.INCONCLUSIVE)
        and line.fails
    )


def _of_another(waiver: Waiver, subject: str, questions: Sequence[str]) -> Finding:
    """Return the finding that a waiver is for one question, and another one fails."""
    lines = " and the ".join(f"{question} line" for question in questions)
    keys = " or ".join(f'question = "{question}"' for question in questions)
    return Finding(
        subject=subject,
        problem=f"the waiver of {waiver.owner} waives nothing: it is for the {waiver.question} line, and the "
        f"{lines} fail{'s' * (len(questions) == 1)}.",
        remedy=f"Write {keys} into it where that is meant (one waiver for each).",
    )
