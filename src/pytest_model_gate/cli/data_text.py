"""Datasets in words: one as it is, and one as it was pinned beside one as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..data.pins import short_digest
from ..report.escape import plain
from ..wording import some

if TYPE_CHECKING:
    from ..data.changes import RowChanges
    from ..data.pins import DatasetPin
    from ..data.profile import ColumnProfile
    from ..gate.pin_diff import PinDiff
    from ..results import DriftRecord

#: Columns whose numbers are shown side by side.
LISTED = 40
_HEADS = {"missing": "missing", "low": "lowest", "high": "highest", "mean": "mean", "distinct": "distinct"}


def show_text(dataset: DatasetPin, pin: str) -> str:
    """Return one dataset with its columns.

    Parameters
    ----------
    dataset : DatasetPin
        With its profile.
    pin : str
        How it stands to the lock file: ``"pinned"``, ``"changed"``, ``"unpinned"``.
    """
    from tabulate import tabulate

    facts = {column.name: dict(column.facts()) for column in dataset.profile}
    heads = [name for name in _HEADS if any(name in known for known in facts.values())]
    rows = [
        [plain(name), plain(kind), *(_value(facts.get(name, {}).get(head)) for head in heads)]
        for name, kind in dataset.columns
    ]
    table = tabulate(
        rows,
        ["column", "type", *(_HEADS[head] for head in heads)],
        tablefmt="plain",
        disable_numparse=True,
        colalign=("left", "left", *("right" for _ in heads)),
    )
    return "\n".join([*_head(dataset, pin), "", table])


def pin_text(dataset: DatasetPin) -> str:
    """Return what the lock file says of a dataset in two lines."""
    return "\n".join(_head(dataset, f"pinned {dataset.created.isoformat()}"))


def _head(dataset: DatasetPin, pin: str) -> Iterator[str]:
    yield plain(dataset.source) + (f" -> {plain(dataset.resolved)}" if dataset.resolved else "")
    version = f"   version {plain(dataset.version)}" if dataset.version else ""
    yield f"  {_size(dataset)}   {dataset.digest}   {pin}{version}"


def _size(dataset: DatasetPin) -> str:
    return f"{_count(dataset.rows, 'row')}, {_count(len(dataset.columns), 'column')}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def diff_text(diff: PinDiff, gates: str) -> str:
    """Return what changed since a dataset was pinned.

    Parameters
    ----------
    diff : PinDiff
        Of one dataset.
    gates : str
        Which gates look at it, in words.
    """
    pinned, now = diff.pinned, diff.now
    what = f"{plain(now.source)} ({plain(gates)})"
    if pinned is None:
        return f"unpinned   {what}: {_count(now.rows, 'row')}, {short_digest(now.digest)}"
    same = f"unchanged  {what}: {_count(now.rows, 'row')}, {short_digest(now.digest)}"
    if diff.same and diff.rows is None:
        return same
    lines = [same if diff.same else f"changed    {what}"]
    lines += _versions(pinned, now)
    lines += _columns(pinned, now)
    lines += _rows(diff)
    lines += _profiles(pinned.profile, now.profile)
    lines += _drift(diff.drift)
    return "\n".join(lines)


def _versions(pinned: DatasetPin, now: DatasetPin) -> Iterator[str]:
    for word, one, when in (("pinned", pinned, f" on {pinned.created.isoformat()}"), ("now", now, "")):
        version = f", version {plain(one.version)}" if one.version else ""
        yield f"  {word:<9}{_size(one)}, {short_digest(one.digest)}{version}{when}"


def _columns(pinned: DatasetPin, now: DatasetPin) -> Iterator[str]:
    old, new = dict(pinned.columns), dict(now.columns)
    changes: tuple[tuple[str, Sequence[str]], ...] = (
        ("removed", [name for name in old if name not in new]),
        ("added", [name for name in new if name not in old]),
        ("retyped", [f"{n} ({old[n]} -> {new[n]})" for n in old if n in new and old[n] != new[n]]),
    )
    for word, names in changes:
        if names:
            yield f"  {'column' if len(names) == 1 else 'columns'} {word}: {plain(some(names, 20))}"
    if old == new and list(old) != list(new):
        yield "  columns in another order"


def _rows(diff: PinDiff) -> Iterator[str]:
    if diff.rows is None:
        yield f"  rows     {plain(diff.why_no_rows)}"
        yield "           (--against SOURCE names a dataset that holds the former rows)"
        return
    changes = diff.rows
    yield f"  rows     {_row_words(changes)}   (compared with {plain(diff.compared_with)})"
    if changes.why_no_key:
        yield f"           whole rows were compared: {plain(changes.why_no_key)}"
    if changes.columns:
        sample = f" of {changes.looked_up:,} looked at" if changes.looked_up < changes.changed else ""
        said = some([f"{name} in {count:,}" for name, count in changes.columns], 20)
        yield f"           changed{sample}: {plain(said)}"


def _row_words(changes: RowChanges) -> str:
    parts = [f"{changes.added:,} added", f"{changes.removed:,} removed"]
    if changes.key:
        parts.append(f"{changes.changed:,} changed by {plain(changes.key)}")
    said = ", ".join(parts) + f", {changes.same:,} as before"
    if changes.added == changes.removed == changes.changed == 0:
        said = f"the same {changes.same:,} rows in another order or file"
    return said


def _profiles(old: Iterable[ColumnProfile], new: Iterable[ColumnProfile]) -> Iterator[str]:
    """Yield the facts that changed, side by side."""
    from tabulate import tabulate

    before = {column.name: dict(column.facts()) for column in old}
    after = {column.name: dict(column.facts()) for column in new}
    changed = [name for name in before if name in after and before[name] != after[name]]
    table = [
        [plain(name) if first else "", _HEADS[fact], _value(before[name].get(fact)), _value(value)]
        for name in changed[:LISTED]
        for first, fact, value in _different(before[name], after[name])
    ]
    if table:
        text = tabulate(
            table,
            ["column", "", "pinned", "now"],
            tablefmt="plain",
            disable_numparse=True,
            colalign=("left", "left", "right", "right"),
        )
        yield from (f"  {line}" for line in text.splitlines())
    if len(changed) > LISTED:
        yield f"  and {len(changed) - LISTED} more columns have other numbers"


def _drift(record: DriftRecord | None) -> Iterator[str]:
    """Say which columns have moved further than by chance and by more than their thresholds."""
    if record is None:
        return
    moved = [column for column in record.columns if column.verdict == "drifted"]
    unclear = sum(column.verdict == "inconclusive" for column in record.columns)
    said = [
        f"{column.column} ({column.method} {column.effect:.3g} > {column.threshold:g})" for column in moved
    ]
    new = [f"{column.column}: {some(column.new_levels, 5)}" for column in record.columns if column.new_levels]
    more = f"; of {_count(unclear, 'column')} these rows cannot tell" if unclear else ""
    yield f"  drift    {plain(some(said, 20)) if said else 'no column beyond its threshold'}{more}"
    yield from (f"           new levels in {plain(text)}" for text in new[:LISTED])


def _different(
    before: Mapping[str, object], after: Mapping[str, object]
) -> Iterator[tuple[bool, str, object]]:
    facts = [fact for fact in _HEADS if before.get(fact) != after.get(fact)]
    yield from ((position == 0, fact, after.get(fact)) for position, fact in enumerate(facts))


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:.6g}"
    return plain(str(value))
