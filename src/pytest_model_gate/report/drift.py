"""What has moved in the data, as a short table: the worst columns first."""

from __future__ import annotations

from collections.abc import Iterator

from ..results import DriftColumn, DriftRecord
from .escape import plain
from .table import Text

HEADERS = ("column", "kind", "measure", "effect", "90% interval", "threshold", "PSI", "missing", "drift")
#: So many columns are shown where nobody asks for all.
SHOWN = 8
#: So many new or vanished levels of a column are named.
NAMED = 5

_ORDER = ("error", "drifted", "inconclusive", "pass")
_LOUD = {"error": "ERROR", "drifted": "DRIFTED", "inconclusive": "inconclusive", "pass": "pass"}


def drift(record: DriftRecord, *, verbosity: int = 0) -> Iterator[Text]:
    """Render a comparison with the reference.

    Parameters
    ----------
    record : DriftRecord
        What was found.
    verbosity : int
        Above 0: every column, also those that pass, and what was not compared.
    """
    ordered = worst_first(record.columns)
    telling = [column for column in ordered if column.verdict != "pass" or column.new_levels_count]
    shown = ordered if verbosity > 0 else telling[:SHOWN]
    yield Text(f"  {'reference':<11} {_reference(record, full=verbosity > 0)}")
    if record.overall is not None:
        whole = record.overall
        bad = whole.verdict == "drifted"
        said = (
            f"  {'as a whole':<11} area {whole.area:.3f} [{whole.low:.3f}, {whole.high:.3f}] of a classifier "
            f"with {_count(whole.columns, 'feature')}, threshold {whole.threshold:g}: {_LOUD[whole.verdict]}"
        )
        yield Text(said, _tone(record) if bad else "")
    if shown:
        yield from _table(record, shown)
    if verbosity <= 0 and len(telling) > SHOWN:
        yield Text(f"  and {_count(len(telling) - SHOWN, 'more column')} that did not pass (-v shows them)")
    passing = len(ordered) - len(telling)
    if verbosity <= 0 and passing:
        yield Text(f"  no drift beyond the thresholds in {_count(passing, 'column')} (-v shows them)", "good")
    for name, why in record.not_compared if verbosity > 0 else ():
        yield Text(f"  not compared: {plain(name)}: {plain(why)}")


def worst_first(columns: tuple[DriftColumn, ...]) -> list[DriftColumn]:
    """Return columns in the order in which somebody should look at them."""

    def key(column: DriftColumn) -> tuple[int, float, str]:
        beyond = 0.0
        if column.effect is not None and column.threshold:
            beyond = column.effect / column.threshold
        return _ORDER.index(column.verdict), -beyond, column.column

    return sorted(columns, key=key)


def _reference(record: DriftRecord, *, full: bool) -> str:
    source = plain(record.source)
    if full and record.resolved not in ("", record.source):
        source += f" -> {plain(record.resolved)}"
    blocks = f", by blocks of {plain(record.blocks)}" if record.blocks else ""
    pin = f" {record.pin}" if record.pin and record.digest else ""
    digest = plain(record.digest) if full else plain(record.digest)[:19]
    return f"{source}   {_count(record.reference_rows, 'row')}   {digest}{pin}{blocks}".rstrip()


def _table(record: DriftRecord, columns: list[DriftColumn]) -> Iterator[Text]:
    from tabulate import tabulate

    headers = list(HEADERS)
    headers[4] = f"{(1 - 2 * record.alpha) * 100:g}% interval"
    rows = [_row(column) for column in columns]
    aligned = ("left", "left", "left", "right", "left", "right", "right", "right", "left")
    text = tabulate(rows, headers=headers, tablefmt="plain", disable_numparse=True, colalign=aligned)
    heading, *lines = text.splitlines()
    yield Text(f"  {heading}".rstrip())
    for column, line in zip(columns, lines, strict=True):
        bad = column.verdict in ("drifted", "error")
        yield Text(f"  {line}".rstrip(), _tone(record) if bad else "warn" if column.verdict != "pass" else "")
        yield from _levels(record, column)


def _row(column: DriftColumn) -> list[str]:
    name = plain(column.column) if column.part == "feature" else f"{plain(column.column)} ({column.part})"
    if column.part == "prediction":
        name = plain(column.column)
    missing = "-"
    if column.reference_missing or column.current_missing:
        missing = f"{column.reference_missing:.1%} -> {column.current_missing:.1%}"
    word = _LOUD[column.verdict]
    told = column.verdict == "pass" or (column.verdict == "drifted" and "missing" not in column.reason)
    said = word if told else f"{word}: {plain(column.reason)}"
    if column.effect is None or column.low is None or column.high is None or column.threshold is None:
        return [name, plain(column.kind), "-", "-", "-", "-", "-", missing, said]
    psi = "-" if column.psi is None or column.psi_null is None else f"{column.psi - column.psi_null:.3f}"
    return [
        name,
        plain(column.kind),
        plain(column.method),
        f"{column.effect:.4f}",
        f"[{column.low:.4f}, {column.high:.4f}]",
        f"{column.threshold:.3g}",
        psi,
        missing,
        said,
    ]


def _levels(record: DriftRecord, column: DriftColumn) -> Iterator[Text]:
    if column.new_levels_count:
        tone = "bad" if record.on_new_levels == "fail" else "warn"
        rows = _count(column.new_levels_rows, "row")
        yield Text(f"    new in {rows}: {_some(column.new_levels, column.new_levels_count)}", tone)
    if column.vanished_levels_count:
        yield Text(f"    gone: {_some(column.vanished_levels, column.vanished_levels_count)}")


def _some(names: tuple[str, ...], count: int) -> str:
    shown = ", ".join(plain(name) for name in names[:NAMED])
    more = count - min(len(names), NAMED)
    return f"{shown} and {more} more" if more and shown else shown or f"{count}"


def _tone(record: DriftRecord) -> str:
    return "bad" if record.on_drift == "fail" else "warn"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
