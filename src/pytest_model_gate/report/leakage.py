"""What rows that were seen in training do to the metrics, as a short table, and what was compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..results import LeakageRecord, LeakEffect
from .escape import plain
from .numbers import FEWEST, MOST, number
from .table import Text

HEADERS = ("metric", "leaked rows", "rows", "production", "candidate", "gain")
#: The last of a record's ways of comparing: without everything that any of them found.
ANY = "any"
_WITHOUT = {
    "": "with",
    "exact": "features",
    "near": "nearly",
    "key": "key",
    "groups": "group",
    "time": "time",
}


def leakage(record: LeakageRecord, *, verbosity: int = 0) -> Iterator[Text]:
    """Render metrics with and without the leaked rows.

    Parameters
    ----------
    record : LeakageRecord
        What was found.
    verbosity : int
        Above 0: without the rows of each way of comparing, and what was compared.
    """
    if record.effects:
        yield from _table(record.effects, every=verbosity > 0)
    if verbosity > 0:
        if record.columns:
            yield Text(f"  compared    {plain(', '.join(record.columns))}")
        for name, why in record.not_compared:
            yield Text(f"  not compared: {plain(name)}: {plain(why)}")
        for found in record.features:
            of = f" of class {plain(found.label)}" if found.label else ""
            yield Text(
                f"  {plain(found.feature)} alone: {found.statistic} {found.value:.4f}{of}, at least "
                f"{found.low:.4f}, allowed {found.threshold:g}"
            )


def _table(effects: Sequence[LeakEffect], *, every: bool) -> Iterator[Text]:
    from tabulate import tabulate

    ways = list(dict.fromkeys(effect.without for effect in effects))
    shown = ways if every else ["", ways[-1]]
    places = {effect.metric: _decimals(effects, effect.metric) for effect in effects}
    rows = []
    for metric in dict.fromkeys(effect.metric for effect in effects):
        for effect in effects:
            if effect.metric != metric or effect.without not in shown:
                continue
            digits = places[metric]
            rows.append(
                [
                    plain(metric),
                    _said(effect.without, alone=len(ways) == 2, every=every),
                    f"{effect.rows:,}",
                    number(effect.production, digits),
                    number(effect.candidate, digits),
                    number(effect.gain, digits),
                ]
            )
    text = tabulate(
        rows,
        headers=HEADERS,
        tablefmt="plain",
        disable_numparse=True,
        colalign=("left", "left", *["right"] * 4),
    )
    yield from (Text(line.rstrip(), "warn") for line in text.splitlines())


def _said(without: str, *, alone: bool, every: bool) -> str:
    if not without:
        return "with"
    if without == ANY or (alone and not every):
        return "without"
    return f"without, by {_WITHOUT[without]}" if without != "near" else "without, nearly equal"


def _decimals(effects: Sequence[LeakEffect], metric: str) -> int:
    """Return with how many decimals the rows make a difference, and no fewer than people expect."""
    found = [effect for effect in effects if effect.metric == metric]
    changes = [
        abs(value - of_all)
        for each in found
        for value, of_all in (
            (each.candidate, found[0].candidate),
            (each.production, found[0].production),
        )
        if value is not None and of_all is not None and value != of_all
    ]
    if not changes:
        return FEWEST
    return min(MOST - 1, max(FEWEST, 1 - math.floor(math.log10(max(changes)))))
