"""The table of a gate: a row for each line, folded where it is long, with names of slices that always fit."""

from __future__ import annotations

import hashlib
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..policy import GRAVITY
from ..results import GateRecord, Line, Question, Verdict
from .escape import plain
from .numbers import FEWEST, decimals, number

#: Passing lines on slices are folded above this many lines, and counted.
FOLD_ABOVE = 20

#: Of the other lines on slices so many are shown, the worst, and the others counted.
WORST = 30

#: Names of slices that need more lines than this are shortened.
NAME_LINES = 4

#: The least columns that names of slices have.
LEAST_NAME = 24

AGAINST: dict[Question, str] = {"regression": "production", "baseline": "baseline", "floor": "floor"}
HEADERS = ("metric", "slice", "against", "reference", "candidate", "gain", "interval", "allowed", "verdict")
ALIGNED = ("left", "left", "left", "right", "right", "right", "right", "right", "left")


class Text(NamedTuple):
    """One line of a report, and how it is meant: ``"good"``, ``"bad"``, ``"warn"`` or nothing."""

    text: str
    tone: str = ""


def table(record: GateRecord, *, verbosity: int, width: int) -> Iterator[Text]:
    """Render the lines of a record.

    Parameters
    ----------
    record : GateRecord
        With at least one line.
    verbosity : int
        Above 0: every line, with method, standard error and rows.
    width : int
        Columns of the terminal; names of slices get a third of them.
    """
    from tabulate import tabulate

    places: dict[str, int] = {}
    for line in record.lines:
        if line.gain is not None:  # a line without numbers does not lengthen those of others
            places[line.metric] = max(places.get(line.metric, 0), decimals(line))
    shown, passing, others = _fold(record.lines) if verbosity <= 0 else (list(record.lines), 0, [])
    level = next((line.interval.level for line in record.lines if line.interval is not None), None)
    headers = [*HEADERS, "method", "std. error", "rows"] if verbosity > 0 else list(HEADERS)
    headers[6] = "interval" if level is None else f"{level * 100:g}% interval"
    names = [_wrapped(plain(line.slice), max(LEAST_NAME, width // 3)) for line in shown]
    rows = []
    for line, (first, *_) in zip(shown, names, strict=True):
        digits = places.get(line.metric, FEWEST)
        row = _row(line, first, digits)
        if verbosity > 0:
            method = line.interval.method if line.interval is not None else "-"
            row += [plain(method), number(line.standard_error, digits + 2), f"{line.n:,}"]
        rows.append(row)
    aligned = [*ALIGNED, "left", "right", "right"][: len(headers)]
    text = tabulate(rows, headers=headers, tablefmt="plain", disable_numparse=True, colalign=aligned)
    heading, *lines = text.splitlines()
    yield Text(heading.rstrip())
    indent = " " * (heading.index(HEADERS[1]) + 2)
    for line, rendered, (_, *more) in zip(shown, lines, names, strict=True):
        tone = "bad" if line.fails else "warn" if line.verdict is not Verdict.PASS or line.warning else ""
        yield Text(rendered.rstrip(), tone)
        yield from (Text(indent + rest, tone) for rest in more)
    if others:
        counts = ", ".join(f"{count} {what}" for what, count in Counter(map(_kind, others)).items())
        tone = "bad" if any(line.fails for line in others) else "warn"
        yield Text(f"  and {len(others)} more lines on slices: {counts} (-v shows them)", tone)
    if passing:
        yield Text(f"  and {passing} lines on slices pass (-v shows them)", "good")


def _fold(lines: Sequence[Line]) -> tuple[list[Line], int, list[Line]]:
    """Return the lines to show, how many others pass, and which others do not pass silently.

    Where the table is long, what passes on slices is left out. What remains is left out only where there is
    too much of it, and then the worst is shown.
    """
    if len(lines) <= FOLD_ABOVE:
        return list(lines), 0, []
    on_slices = [line for line in lines if line.slice != "all"]
    telling = [line for line in on_slices if line.verdict is not Verdict.PASS or line.warning or line.waiver]
    chosen = set(map(id, sorted(telling, key=_goodness)[:WORST]))
    return (
        [line for line in lines if line.slice == "all" or id(line) in chosen],
        len(on_slices) - len(telling),
        [line for line in telling if id(line) not in chosen],
    )


def _goodness(line: Line) -> tuple[bool, int, float]:
    """Sort what fails, what is grave, and what is many standard errors on the wrong side to the front."""
    grave = GRAVITY.index(line.verdict) if line.verdict in GRAVITY else len(GRAVITY)
    distance = 0.0
    if line.gain is not None and line.standard_error:
        distance = (line.gain - line.required) / line.standard_error
    return not line.fails, grave, distance


def _kind(line: Line) -> str:
    if line.verdict is Verdict.PASS:
        return "pass with a warning"
    return "waived" if line.waiver else verdict_of(line).partition(":")[0]


def _wrapped(name: str, width: int) -> list[str]:
    """Return the name of a slice in lines: a new one for what crosses it, where one is not enough."""
    if len(name) <= width:
        return [name]
    if len(name) > NAME_LINES * (width - 2):
        # The ends of long names may be the same; what is between them tells them apart.
        end = width - 5
        told = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:6]
        return [f"{name[:end]}...", f"...{name[-end:]}", f"(shortened, {told})"]
    parts = name.split(", ")
    lines = []
    for number_, part in enumerate(parts, 1):
        comma = "," if number_ < len(parts) else ""
        lines += textwrap.wrap(part + comma, width - 2, drop_whitespace=False, break_on_hyphens=False)
    return lines


def _row(line: Line, name: str, places: int) -> list[str]:
    return [
        plain(line.metric),
        name,
        AGAINST[line.question],
        number(line.reference, places),
        number(line.candidate, places),
        number(line.gain, places),
        interval(line, places),
        allowed(line, places),
        verdict_of(line),
    ]


def interval(line: Line, places: int) -> str:
    """Return the interval of a line."""
    if line.interval is None:
        return "-"
    return f"[{number(line.interval.low, places)}, {number(line.interval.high, places)}]"


def allowed(line: Line, places: int) -> str:
    """Return what the gain has to stay above, with the tolerance as it was written where that differs."""
    if line.interval is None and line.question == "regression":
        return plain(line.tolerance) or "-"
    text = number(line.required, places)
    said = [part for part in line.tolerance.split() if part.endswith("%") or part == "default"]
    return f"{text} ({plain(' '.join(said))})" if said and line.question == "regression" else text


def verdict_of(line: Line) -> str:
    """Return the verdict of a line, with its reason where the numbers beside it don't tell."""
    if line.verdict is Verdict.PASS:
        return f"pass ({plain(line.warning)})" if line.warning else "pass"
    if line.waiver:
        return f"{line.verdict.value}, {plain(line.waiver)}"
    if line.verdict is Verdict.INCONCLUSIVE:
        word = "INCONCLUSIVE" if line.fails else "inconclusive, does not fail"
        return f"{word}: {plain(line.reason)}"
    if line.undefined and not line.fails:
        return f"undefined, does not fail: {plain(line.reason)}"
    # The numbers of the row say how much a candidate regressed; where there are none, the reason has to.
    word = word_of(line.verdict)
    return word if line.interval is not None else f"{word}: {plain(line.reason)}"


def word_of(verdict: Verdict) -> str:
    """Return a verdict as a reader sees it: loud, unless it passes."""
    return "pass" if verdict is Verdict.PASS else verdict.value.upper()
