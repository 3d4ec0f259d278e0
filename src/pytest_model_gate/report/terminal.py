"""Records in, lines for a terminal out: plain ASCII of our own, values of others escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ..results import Bins, Check, Finding, GateRecord, HoldoutUse, Line, SmallSlice, Verdict
from ..wording import plural
from .combine import combine
from .drift import drift
from .escape import plain
from .leaderboard import leaderboard
from .leakage import leakage
from .numbers import decimals, number
from .run import NotJudged, Run, Tested
from .segments import proven_in_words, segments
from .table import AGAINST, FOLD_ABOVE, Text, allowed, interval, table, verdict_of, word_of

__all__ = ["FOLD_ABOVE", "SENTENCES", "WIDTH", "Text", "block", "failure_text", "forgiven", "render"]

#: A failing test says so many lines as sentences; the report has them all.
SENTENCES = 10

#: So many slices that are not judged, or that have other names, are listed one by one.
LISTED = 10

#: Columns of a terminal that doesn't say how many it has.
WIDTH = 100


def render(run: Run, *, verbosity: int = 0, width: int = WIDTH) -> Iterator[Text]:
    """Render everything that a run has to say.

    Parameters
    ----------
    run : Run
        What the gates left.
    verbosity : int
        Below 0: one line for each gate. 0: the tables. Above 0: methods, errors, digests, versions, tests.
    width : int
        Columns of the terminal: longer names of slices go on in the next line.
    """
    if run.advise:
        yield Text("ADVICE ONLY: --gate-advise lets no gate fail this run", "warn")
    for record, parts in combine(run.records()):
        tests = [test for test in run.tested if set(test.records) & set(parts)]
        if verbosity < 0:
            yield _header(record, short=True)
            yield from (Text(f"  NOTE: {plain(note)}", "warn") for note in record.notes)
        else:
            yield from block(record, verbosity=verbosity, width=width)
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


def block(record: GateRecord, *, verbosity: int = 0, width: int = WIDTH) -> Iterator[Text]:
    """Render one record: models, data and checks, the table, and what did not pass."""
    yield _header(record)
    yield from (Text(f"  NOTE: {plain(note)}", "warn") for note in record.notes)
    if record.asked != "gate":
        yield Text(f"  {'asked':<11} {plain(record.asked)}")
    yield from _context(record, full=verbosity > 0)
    if record.leaderboard is not None:
        yield from leaderboard(record.leaderboard)
    for check in record.checks:
        # What a table says is not said once more.
        yield from found_by(check, listed=check.name != "drift" or record.drift is None)
    if record.drift is not None:
        yield from drift(record.drift, verbosity=verbosity)
    if record.leakage is not None:
        yield from leakage(record.leakage, verbosity=verbosity)
    if record.lines:
        yield from table(record, verbosity=verbosity, width=width)
        yield from _same_rows(record.lines, every=verbosity > 0)
        yield from _next_steps(record.lines)
    yield from _small(record.small_slices, every=verbosity > 0)
    if record.search is not None:
        yield from segments(record.search, verbosity=verbosity)
    if verbosity > 0 and record.correction != "holm":
        yield Text(f"  {'correction':<11} {plain(record.correction)}")
    if verbosity > 0 and record.versions:
        versions = ", ".join(f"{name} {version}" for name, version in record.versions)
        yield Text(f"  {'versions':<11} {plain(versions)}")


def _same_rows(lines: Iterable[Line], *, every: bool) -> Iterator[Text]:
    """Say which slices are judged by the line of another one."""
    same = list(dict.fromkeys((line.slice, name) for line in lines for name in line.also))
    for slice_, name in same if every else same[:LISTED]:
        yield Text(f"  same rows: {plain(name)} is {plain(slice_)}")
    if not every and len(same) > LISTED:
        yield Text(f"  and {len(same) - LISTED} more slices with the rows of another one (-v shows them)")


def _small(slices: tuple[SmallSlice, ...], *, every: bool) -> Iterator[Text]:
    """Say which slices are not judged, with their sizes."""
    for small in slices if every else slices[:LISTED]:
        why = f", {plain(small.lacking)}" if small.lacking else f" < {small.min_rows:,}"
        yield Text(f"  not judged: {plain(small.slice)} {_rows(small.n)}{why}")
    if not every and len(slices) > LISTED:
        rows = sum(small.n for small in slices[LISTED:])
        yield Text(f"  and {len(slices) - LISTED} more slices are not judged, {_rows(rows)} (-v shows them)")


def forgiven(records: Iterable[GateRecord]) -> str:
    """Return what is no pass and fails nothing in one line; empty where there is nothing of that kind."""
    told = dict.fromkeys(
        f"{plain(line.metric)} on {plain(line.slice)}: {verdict_of(line)}"
        for record in records
        for line in record.lines
        if line.verdict is not Verdict.PASS and not line.fails
    )
    more = f"; and {len(told) - LISTED} more" if len(told) > LISTED else ""
    return "; ".join(list(told)[:LISTED]) + more


def failure_text(record: GateRecord) -> str:
    """Return what a failing test says: why, and of the report what did not pass."""
    notes = [Text(f"  NOTE: {plain(note)}") for note in record.notes]
    # pytest's own summary shows the first line only: it gives the reason.
    header = _header(record, short=True)
    board = () if record.leaderboard is None else leaderboard(record.leaderboard)
    found = (header, *notes, *board, *_failed_checks(record), *_failed_lines(record))
    return "\n".join(line.text for line in found)


def _header(record: GateRecord, *, short: bool = False) -> Text:
    word = word_of(record.verdict)
    asked = f" ({plain(record.asked)})" if short and record.asked != "gate" else ""
    text = f"{plain(record.gate)}{asked}: {word}"
    if short:
        cautions = _cautions(record) if record.verdict is Verdict.PASS else ""
        text += f"  {plain(record.reason)}{cautions}"
        if record.holdout is not None:
            text += f", {_use(record.holdout)}"
    elif record.decision:
        text += f"   {plain(record.decision)}"
    return Text(text, "good" if record.verdict is Verdict.PASS else "bad")


def _cautions(record: GateRecord) -> str:
    """Return what a reader of one line must not miss."""
    forgiven = [line for line in record.lines if not line.fails and not line.waiver]
    unclear = sum(line.verdict is Verdict.INCONCLUSIVE for line in forgiven)
    undefined = sum(line.undefined for line in forgiven)
    worse = sum(line.verdict is Verdict.PASS and line.warning.startswith("worse") for line in record.lines)
    counted = (
        (unclear, "inconclusive, allowed"),
        (undefined, "undefined, allowed"),
        (worse, "worse, within tolerance"),
        (len(record.small_slices), "small slices not judged"),
    )
    said = [f"{count} {what}" for count, what in counted if count]
    warned = sum(len(check.warnings) for check in record.checks)
    said += [f"{plural(warned, 'warning')} about the data"] if warned else []
    if record.search is not None and record.search.proven:
        said.append(proven_in_words(record.search))
    if record.dataset is not None and record.dataset.pin.startswith("pinned now"):
        said.append(record.dataset.pin)
    return "".join(f", {plain(item)}" for item in said)


def _context(record: GateRecord, *, full: bool) -> Iterator[Text]:
    """Render the models, the dataset and the checks."""
    rows: list[tuple[str, ...]] = []
    for role in record.roles:
        source, resolved = plain(role.source), plain(role.resolved)
        where = source if resolved in ("", source) else f"{source} -> {resolved}"
        more: tuple[str, ...] = (plain(role.kind),) if full else ()
        more += ("predictions from the cache",) if role.from_cache else ()
        rows.append((plain(role.role), where, _digest(role.digest, full=full), *more))
    if record.dataset is not None:
        data = record.dataset
        source, resolved = plain(data.source), plain(data.resolved)
        # What a moving name meant belongs to the verdict; another way to write a path is detail.
        shown = resolved not in ("", source) and (full or data.version)
        where = f"{source} -> {resolved}" if shown else source
        used = "" if data.rows_used in (0, data.rows) else f", {data.rows_used:,} judged"
        rows.append(
            ("dataset", where, f"{_rows(data.rows)}{used}", _digest(data.digest, full=full), plain(data.pin))
        )
        rows += [("dropped", f"{_rows(count)}: {plain(why)}") for why, count in data.dropped]
    if full:
        rows += [("bins", f"{plain(item.column)}: {_edges(item)}") for item in record.bins]
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
    resets = f", after {use.period} reset{'s' * (use.period != 1)}" if use.period else ""
    return (
        f"{_use(use)}{resets}",
        f"alpha {alpha:.3g} of {use.level:g}, {use.spending}",
    )


def _use(use: HoldoutUse) -> str:
    of = "" if use.budget is None else f" of {use.budget}"
    return f"use {use.number}{of} of this holdout"


def _edges(bins: Bins) -> str:
    edges = plain(", ".join(bins.edges))
    return edges if bins.groups is None else f"{edges} ({bins.groups} groups of equal size were asked for)"


def _digest(digest: str, *, full: bool) -> str:
    shown = plain(digest)
    kind, colon, value = shown.partition(":")
    return shown if full or not colon else f"{kind}:{value[:12]}"


def _failed_checks(record: GateRecord) -> Iterator[Text]:
    """Render what the checks found that fail, and what to do next."""
    for check in record.checks:
        if not check.fails:
            continue
        if check.name == "drift" and record.drift is not None:
            yield from found_by(check, listed=False)
            yield from drift(record.drift)
        else:
            yield from found_by(check)


def found_by(check: Check, *, listed: bool = True) -> Iterator[Text]:
    """Render what one check found: what fails first, then what is only said."""
    failing = [finding for finding in check.findings if finding.severity == "fail"]
    if check.fails:
        said = [finding.problem for finding in failing]
        summary = "" if check.summary in said else f" {plain(check.summary)}"
        yield Text(f"  {word_of(check.verdict)} {plain(check.name)}:{summary}", "bad")
        for finding in failing if listed else ():
            yield from _finding(finding)
    if check.warnings:
        yield Text(f"  WARNING {plain(check.name)}: {plural(len(check.warnings), 'warning')}", "warn")
        for finding in check.warnings if listed else ():
            yield from _finding(finding)


def _failed_lines(record: GateRecord) -> Iterator[Text]:
    """Render the lines that did not pass as sentences, and what to do next."""
    failing = [line for line in record.lines if line.fails]
    for line in failing[:SENTENCES]:
        yield Text(f"  {word_of(line.verdict)} {_sentence(line)}", "bad")
        yield Text(f"    {plain(line.reason)}")
    if len(failing) > SENTENCES:
        yield Text(f"  and {len(failing) - SENTENCES} more lines, in the report", "bad")
    yield from _next_steps(failing)


def _next_steps(lines: Iterable[Line]) -> Iterator[Text]:
    """Render what to do next, once for all lines that have it in common."""
    steps = Counter((line.verdict, line.remedy) for line in lines if line.fails and line.remedy)
    for (verdict, remedy), count in steps.items():
        what = f"{word_of(verdict)} x {count}" if count > 1 else word_of(verdict)
        yield Text(f"  next ({what}): {plain(remedy)}")


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _finding(finding: Finding) -> Iterator[Text]:
    told = finding.count is None or f"{finding.count:,}" in finding.problem
    count = "" if told else f"{finding.count:,}"
    examples = ", ".join(plain(example) for example in finding.examples)
    rows = ", ".join(f"{row:,}" for row in finding.rows)
    where = f"row{'s' * (len(finding.rows) > 1)} {rows}" if rows else ""
    more = "; ".join(part for part in (count, f"e.g. {examples}" if examples else "", where) if part)
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
        f"gain {number(line.gain, places)}, {level} interval {interval(line, places)}, "
        f"allowed {allowed(line, places)}"
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
                found[f"{plain(record.gate)} {word_of(record.verdict)}"] = None
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
