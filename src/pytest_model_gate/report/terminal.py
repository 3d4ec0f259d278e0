"""Records in, lines for a terminal out: plain ASCII of our own, values of others escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..results import Finding, GateRecord, HoldoutUse, Line, Question, Verdict
from .combine import combine
from .escape import plain
from .numbers import decimals, number
from .run import NotJudged, Run, Tested

#: Passing lines on slices are folded above this many lines, and counted.
FOLD_ABOVE = 20

#: A failing test says so many lines as sentences; the report has them all.
SENTENCES = 10

AGAINST: dict[Question, str] = {"regression": "production", "baseline": "baseline", "floor": "floor"}
HEADERS = ("metric", "slice", "against", "reference", "candidate", "gain", "interval", "allowed", "verdict")
ALIGNED = ("left", "left", "left", "right", "right", "right", "right", "right", "left")


class Text(NamedTuple):
    """One line of a report, and how it is meant: ``"good"``, ``"bad"``, ``"warn"`` or nothing."""

    text: str
    tone: str = ""


def render(run: Run, *, verbosity: int = 0) -> Iterator[Text]:
    """Render everything that a run has to say.

    Parameters
    ----------
    run : Run
        What the gates left.
    verbosity : int
        Below 0: one line for each gate. 0: the tables. Above 0: methods, errors, digests, versions, tests.
    """
    if run.advise:
        yield Text("ADVICE ONLY: --gate-advise lets no gate fail this run", "warn")
    for record, parts in combine(run.records()):
        tests = [test for test in run.tested if set(test.records) & set(parts)]
        if verbosity < 0:
            yield _header(record, short=True)
            yield from (Text(f"  NOTE: {plain(note)}", "warn") for note in record.notes)
        else:
            yield from block(record, verbosity=verbosity)
            if verbosity > 0:
                yield from (Text(f"  {'test':<11} {plain(test.test)}") for test in tests)
        yield from _remarks(tests)
    yield from (_not_judged(gate) for gate in run.not_judged)
    yield from (Text(f"PROBLEM: {plain(problem)}", "bad") for problem in run.problems)
    if run:
        yield _last_line(run)


def _remarks(tests: Iterable[Tested]) -> Iterator[Text]:
    """Say where the outcome of a test is not what the verdict alone would make of it."""
    for test in tests:
        if test.attempts > 1:
            yield Text(
                f"  {plain(test.test)} ran {test.attempts} times; the gate was judged once, "
                "and its first verdict stands",
                "warn",
            )


def block(record: GateRecord, *, verbosity: int = 0) -> Iterator[Text]:
    """Render one record: models, data and checks, the table, and what did not pass."""
    yield _header(record)
    yield from (Text(f"  NOTE: {plain(note)}", "warn") for note in record.notes)
    if record.asked != "gate":
        yield Text(f"  {'asked':<11} {plain(record.asked)}")
    yield from _context(record, full=verbosity > 0)
    yield from _failed_checks(record)
    if record.lines:
        yield from _table(record, verbosity=verbosity)
        yield from _next_steps(record.lines)
    for small in record.small_slices:
        yield Text(f"  not judged: {plain(small.slice)} {_rows(small.n)} < {small.min_rows:,}")
    if verbosity > 0 and record.versions:
        versions = ", ".join(f"{name} {version}" for name, version in record.versions)
        yield Text(f"  {'versions':<11} {plain(versions)}")


def failure_text(record: GateRecord) -> str:
    """Return what a failing test says: why, and of the report what did not pass."""
    notes = [Text(f"  NOTE: {plain(note)}") for note in record.notes]
    # pytest's own summary shows the first line only: it gives the reason.
    header = _header(record, short=True)
    return "\n".join(line.text for line in (header, *notes, *_failed_checks(record), *_failed_lines(record)))


def _header(record: GateRecord, *, short: bool = False) -> Text:
    word = _word(record.verdict)
    asked = f" ({plain(record.asked)})" if short and record.asked != "gate" else ""
    text = f"{plain(record.gate)}{asked}: {word}"
    if short:
        cautions = _cautions(record) if record.verdict is Verdict.PASS else ""
        text += f"  {plain(record.reason)}{cautions}"
    elif record.decision:
        text += f"   {plain(record.decision)}"
    return Text(text, "good" if record.verdict is Verdict.PASS else "bad")


def _cautions(record: GateRecord) -> str:
    """Return what a reader of one line must not miss."""
    allowed = sum(
        line.verdict is Verdict.INCONCLUSIVE and not line.fails and not line.waiver for line in record.lines
    )
    worse = sum(line.verdict is Verdict.PASS and line.warning.startswith("worse") for line in record.lines)
    counted = (
        (allowed, "inconclusive, allowed"),
        (worse, "worse, within tolerance"),
        (len(record.small_slices), "small slices not judged"),
    )
    said = [f"{count} {what}" for count, what in counted if count]
    if record.dataset is not None and record.dataset.pin.startswith("pinned now"):
        said.append(record.dataset.pin)
    return "".join(f", {plain(item)}" for item in said)


def _word(verdict: Verdict) -> str:
    return "pass" if verdict is Verdict.PASS else verdict.value.upper()


def _context(record: GateRecord, *, full: bool) -> Iterator[Text]:
    """Render the models, the dataset and the checks."""
    rows: list[tuple[str, ...]] = []
    for role in record.roles:
        source, resolved = plain(role.source), plain(role.resolved)
        where = source if resolved in ("", source) else f"{source} -> {resolved}"
        kind = (plain(role.kind),) if full else ()
        rows.append((plain(role.role), where, _digest(role.digest, full=full), *kind))
    if record.dataset is not None:
        data = record.dataset
        source, resolved = plain(data.source), plain(data.resolved)
        where = source if resolved in ("", source) or not full else f"{source} -> {resolved}"
        used = "" if data.rows_used in (0, data.rows) else f", {data.rows_used:,} judged"
        rows.append(
            ("dataset", where, f"{_rows(data.rows)}{used}", _digest(data.digest, full=full), plain(data.pin))
        )
        rows += [("dropped", f"{_rows(count)}: {plain(why)}") for why, count in data.dropped]
    if record.holdout is not None:
        rows.append(("holdout", *_holdout(record.holdout, record.alpha)))
    width = max((len(row[1]) for row in rows if len(row) > 2), default=0)
    for name, first, *rest in rows:
        start = f"  {name:<11} {first:<{width if rest else 0}}"
        yield Text("   ".join([start, *(item for item in rest if item)]).rstrip())
    for check in record.checks:
        # A pin that holds is said in the row of the dataset, and what fails is said below.
        if not check.fails and (check.name != "pin" or record.dataset is None):
            yield Text(f"  {plain(check.name):<11} {plain(check.summary)}")


def _holdout(use: HoldoutUse, alpha: float) -> tuple[str, str]:
    """Return which use of the holdout it was, and the level that it got."""
    of = "" if use.budget is None else f" of {use.budget}"
    resets = f", after {use.period} reset{'s' * (use.period != 1)}" if use.period else ""
    return (
        f"use {use.number}{of} of this holdout{resets}",
        f"alpha {alpha:.3g} of {use.level:g}, {use.spending}",
    )


def _digest(digest: str, *, full: bool) -> str:
    shown = plain(digest)
    kind, colon, value = shown.partition(":")
    return shown if full or not colon else f"{kind}:{value[:12]}"


def _table(record: GateRecord, *, verbosity: int) -> Iterator[Text]:
    from tabulate import tabulate

    places: dict[str, int] = {}
    for line in record.lines:
        places[line.metric] = max(places.get(line.metric, 0), decimals(line))
    shown, folded = _fold(record.lines) if verbosity <= 0 else (list(record.lines), 0)
    level = next((line.interval.level for line in record.lines if line.interval is not None), None)
    headers = [*HEADERS, "method", "std. error", "rows"] if verbosity > 0 else list(HEADERS)
    headers[6] = "interval" if level is None else f"{level * 100:g}% interval"
    rows = []
    for line in shown:
        row = _row(line, places[line.metric])
        if verbosity > 0:
            method = line.interval.method if line.interval is not None else "-"
            row += [plain(method), number(line.standard_error, places[line.metric] + 2), f"{line.n:,}"]
        rows.append(row)
    aligned = [*ALIGNED, "left", "right", "right"][: len(headers)]
    text = tabulate(rows, headers=headers, tablefmt="plain", disable_numparse=True, colalign=aligned)
    heading, *lines = text.splitlines()
    yield Text(heading.rstrip())
    for line, rendered in zip(shown, lines, strict=True):
        tone = "bad" if line.fails else "warn" if line.verdict is not Verdict.PASS or line.warning else ""
        yield Text(rendered.rstrip(), tone)
    if folded:
        yield Text(f"  and {folded} lines on slices pass (-v shows them)", "good")


def _fold(lines: Sequence[Line]) -> tuple[list[Line], int]:
    """Leave out what passes on slices where the table is long; a warning or a waiver is never left out."""
    if len(lines) <= FOLD_ABOVE:
        return list(lines), 0
    shown = [
        line
        for line in lines
        if line.slice == "all" or line.verdict is not Verdict.PASS or line.warning or line.waiver
    ]
    return shown, len(lines) - len(shown)


def _row(line: Line, places: int) -> list[str]:
    return [
        plain(line.metric),
        plain(line.slice),
        AGAINST[line.question],
        number(line.reference, places),
        number(line.candidate, places),
        number(line.gain, places),
        _interval(line, places),
        _allowed(line, places),
        _verdict(line),
    ]


def _interval(line: Line, places: int) -> str:
    if line.interval is None:
        return "-"
    return f"[{number(line.interval.low, places)}, {number(line.interval.high, places)}]"


def _allowed(line: Line, places: int) -> str:
    """Return what the gain has to stay above, with the tolerance as it was written where that differs."""
    if line.interval is None and line.question == "regression":
        return plain(line.tolerance) or "-"
    text = number(line.required, places)
    said = [part for part in line.tolerance.split() if part.endswith("%") or part == "default"]
    return f"{text} ({plain(' '.join(said))})" if said and line.question == "regression" else text


def _verdict(line: Line) -> str:
    if line.verdict is Verdict.PASS:
        return f"pass ({plain(line.warning)})" if line.warning else "pass"
    if line.waiver:
        return f"{line.verdict.value}, {plain(line.waiver)}"
    if line.verdict is Verdict.INCONCLUSIVE:
        word = "INCONCLUSIVE" if line.fails else "inconclusive, does not fail"
        return f"{word}: {plain(line.reason)}"
    # The numbers of the row say how much a candidate regressed; where there are none, the reason has to.
    return (
        _word(line.verdict) if line.interval is not None else f"{_word(line.verdict)}: {plain(line.reason)}"
    )


def _failed_checks(record: GateRecord) -> Iterator[Text]:
    """Render what the checks found, and what to do next."""
    for check in record.checks:
        if not check.fails:
            continue
        said = [finding.problem for finding in check.findings]
        summary = "" if check.summary in said else f" {plain(check.summary)}"
        yield Text(f"  {_word(check.verdict)} {plain(check.name)}:{summary}", "bad")
        for finding in check.findings:
            yield from _finding(finding)


def _failed_lines(record: GateRecord) -> Iterator[Text]:
    """Render the lines that did not pass as sentences, and what to do next."""
    failing = [line for line in record.lines if line.fails]
    for line in failing[:SENTENCES]:
        yield Text(f"  {_word(line.verdict)} {_sentence(line)}", "bad")
        yield Text(f"    {plain(line.reason)}")
    if len(failing) > SENTENCES:
        yield Text(f"  and {len(failing) - SENTENCES} more lines, in the report", "bad")
    yield from _next_steps(failing)


def _next_steps(lines: Iterable[Line]) -> Iterator[Text]:
    """Render what to do next, once for all lines that have it in common."""
    steps = Counter((line.verdict, line.remedy) for line in lines if line.fails and line.remedy)
    for (verdict, remedy), count in steps.items():
        what = f"{_word(verdict)} x {count}" if count > 1 else _word(verdict)
        yield Text(f"  next ({what}): {plain(remedy)}")


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _finding(finding: Finding) -> Iterator[Text]:
    told = finding.count is None or f"{finding.count:,}" in finding.problem
    count = "" if told else f"{finding.count:,}"
    examples = ", ".join(plain(example) for example in finding.examples)
    more = "; ".join(part for part in (count, f"e.g. {examples}" if examples else "") if part)
    subject, problem = plain(finding.subject), plain(finding.problem)
    # Many sentences name their subject themselves.
    said = problem if subject in problem else f"{subject}: {problem}"
    yield Text(f"    {said}" + (f" ({more})" if more else ""))
    if finding.remedy:
        yield Text(f"      next: {plain(finding.remedy)}")


def _sentence(line: Line) -> str:
    places = decimals(line)
    what = f"{plain(line.metric)} on {plain(line.slice)} ({_rows(line.n)}), against {AGAINST[line.question]}"
    if line.candidate is None or line.interval is None:
        return what
    level = f"{line.interval.level * 100:g}%"
    return (
        f"{what} {number(line.reference, places)}: candidate {number(line.candidate, places)}, "
        f"gain {number(line.gain, places)}, {level} interval {_interval(line, places)}, "
        f"allowed {_allowed(line, places)}"
    )


def _not_judged(gate: NotJudged) -> Text:
    where = plain(f"{gate.gate} ({gate.test})" if gate.test else gate.gate)
    return Text(f"{where}: not judged: {plain(gate.reason)}", "bad" if gate.fails else "warn")


def _last_line(run: Run) -> Text:
    """Return the verdict on the run; pytest's own last line may be green where only a verdict is missing."""
    found: dict[str, None] = {}
    for test in run.tested:
        for record in test.records if run.advise else test.failing:
            if record.verdict is not Verdict.PASS:
                found[f"{plain(record.gate)} {_word(record.verdict)}"] = None
    for gate in run.not_judged:
        if gate.fails:
            found[f"{plain(gate.gate)} NOT JUDGED"] = None
    told = ", ".join(found)
    if run.advise:
        return Text(f"model gates: ADVICE ONLY ({told or 'all pass'})", "warn")
    if not run.passed:
        return Text(f"model gates: FAILED ({told})" if told else "model gates: FAILED", "bad")
    passed = list(dict.fromkeys(plain(test.gate) for test in run.tested))
    parts = [f"passed ({', '.join(passed)})"] if passed else []
    parts += [f"{len(run.not_judged)} not judged"] if run.not_judged else []
    return Text(f"model gates: {', '.join(parts)}", "good" if passed else "warn")
