"""A plan as text and as JSON: numbers rounded up to what a person plans with."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..gate.planned import Planned, Wish, rounded_up
from ..report.escape import plain

#: Significant digits of rows and of margins.
DIGITS = 3


def gate_lines(gate: str, dataset: str, found: Sequence[Planned], wish: Wish) -> Iterator[str]:
    """Yield the plan of one gate: a table, what it means, and what could not be planned."""
    known = [planned for planned in found if not planned.caution]
    alpha = f", alpha {found[0].alpha:.3g}" if found else ""
    where = f"   {plain(dataset)}" if dataset else ""
    yield f"{plain(gate)}{where}{alpha}"
    if not found:
        yield "  nothing is compared with production, so there is no tolerance to plan for"
        return
    if known:
        yield from _table(known, wish)
    for planned in found:
        line = plain(f"{planned.metric} on {planned.slice}")
        if planned.caution:
            yield f"  not planned: {line}: {plain(planned.caution)}"
        elif planned.design_effect is not None:
            yield f"  groups: for {line} {planned.design_effect:.2g} rows say as much as one independent row"
    yield from _together(known, wish)


def _table(known: Sequence[Planned], wish: Wish) -> Iterator[str]:
    better = f"if {_better(wish.gain)}" if wish.gain else ""
    heads = ["metric", "slice", "rows", "std. error"]
    heads += [f"detects {_percent(power)}" for power in wish.powers]
    heads += [
        "tolerance",
        f"rows for {_percent(wish.power)}",
        "passes if equal",
        *([better] if better else []),
    ]
    rows = []
    for planned in known:
        row = [
            plain(planned.metric),
            plain(planned.slice),
            "-" if planned.rows is None else f"{planned.rows:,}",
            "-" if planned.standard_error is None else f"{planned.standard_error:.2g}",
            *(_margin(margin) for _, margin in planned.detectable),
            _tolerance(planned),
            _rows(planned.needed(wish.power)),
            _percent(planned.power_if_equal),
        ]
        rows.append(row + ([_percent(planned.power_with_gain)] if better else []))
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
    yield "  detects: an equal candidate stays within this in so many of 100 samples of so many rows"
    if wish.gain:
        yield f"  rows: for a candidate that is {_better(wish.gain)} in truth"


def _together(known: Sequence[Planned], wish: Wish) -> Iterator[str]:
    powers = [planned.power_with_gain if wish.gain else planned.power_if_equal for planned in known]
    missing = sum(1 - power for power in powers if power is not None)
    if len(powers) > 1:
        least = math.floor(100 * max(0.0, 1 - missing))
        who = f"a candidate {_better(wish.gain)}" if wish.gain else "an equal candidate"
        yield (
            f"  all {len(powers)} lines have to pass: {who} ships at least {least}% of the time, more often "
            "where lines pass together"
        )


def assumed_lines(
    planned: Planned, given: Mapping[str, float], wish: Wish, least: int | None
) -> Iterator[str]:
    """Yield a plan that was made from assumptions."""
    asked = "" if planned.margin is None else f", tolerance {planned.margin:g}"
    yield f"{planned.metric}{asked}, alpha {planned.alpha:g}"
    yield f"  assumed      {', '.join(f'{key} {value:g}' for key, value in given.items())}"
    yield f"  power by     {planned.method}"
    who = f"a candidate {_better(wish.gain)}" if wish.gain else "an equal candidate"
    for power, rows in planned.rows_needed:
        if rows is None:
            yield f"  rows needed  no number of rows is enough for {who}"
            break
        of_whom = f" of {who}" if wish.gain else ""
        yield f"  rows needed  {rounded_up(rows, DIGITS):,} for {_percent(power)} power{of_whom}"
    if least is not None:
        least = rounded_up(least, DIGITS)
        yield f"               {least:,} at least, even where both models are right on the same rows"
    if planned.rows is not None:
        yield f"  {planned.rows:,} rows"
        for power, margin in planned.detectable:
            yield f"    detect {_margin(margin)} with {_percent(power)} power"
        if planned.power_if_equal is not None:
            yield f"    let an equal candidate pass {_percent(planned.power_if_equal)} of the time"
        if planned.power_with_gain is not None:
            yield f"    let {who} pass {_percent(planned.power_with_gain)} of the time"


def as_json(said: Sequence[tuple[str, str, Sequence[Planned]]]) -> str:
    """Return plans as a list of objects, unrounded."""
    found: list[dict[str, Any]] = []
    for gate, dataset, plans in said:
        for planned in plans:
            plain_plan = asdict(planned)
            plain_plan["detectable"] = [
                {"power": power, "margin": margin} for power, margin in planned.detectable
            ]
            plain_plan["rows_needed"] = [
                {"power": power, "rows": rows} for power, rows in planned.rows_needed
            ]
            found.append({**({"gate": gate, "dataset": dataset} if gate else {}), **plain_plan})
    return json.dumps(found, indent=2, allow_nan=False)


def _rows(rows: int | None) -> str:
    return "none" if rows is None else f"{rounded_up(rows, DIGITS):,}"


def _margin(margin: float) -> str:
    """Return a margin rounded up to three significant digits."""
    if margin <= 0:
        return "0"
    places = DIGITS - 1 - math.floor(math.log10(margin))
    return f"{math.ceil(margin * 10**places - 1e-9) / 10**places:.{DIGITS}g}"


def _tolerance(planned: Planned) -> str:
    if planned.margin is None:
        return planned.tolerance
    said = [part for part in planned.tolerance.split() if part.endswith("%") or part == "default"]
    return f"{planned.margin:.3g}" + (f" ({' '.join(said)})" if said else "")


def _better(gain: float) -> str:
    return f"{abs(gain):g} {'better' if gain > 0 else 'worse'}"


def _percent(share: float | None) -> str:
    if share is None:
        return "-"
    if share >= 1 or share <= 0:
        return f"{share:.0%}"
    return ">99%" if share > 0.99 else "<1%" if share < 0.01 else f"{share:.0%}"
