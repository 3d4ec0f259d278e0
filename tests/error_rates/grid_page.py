"""Write the documentation page of the error rates: ``python grid_page.py results.json``.

The tables of ``docs/explanation/error-rates.md`` (between its two marks), the figure and the summary there
are written. The exit status is 1 where a place exceeds its allowance; each is listed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from full_grid import Result
from grid import SIZES
from grid_figure import figure
from layouts import NAMES
from summary import Row, exceeding, summarised, where

DOCS = Path(__file__).parents[2] / "docs" / "explanation"
PAGE, FIGURE, SUMMARY = DOCS / "error-rates.md", DOCS / "error-rates.svg", DOCS / "error-rates.json"
BEGIN, END = "<!-- written by tests/error_rates/grid_page.py -->", "<!-- end -->"

TITLES = {
    "plain": "plain sample",
    "weights": "weights",
    "strata": "strata",
    "groups10": "10 groups",
    "groups50": "50 groups",
    "copies": "every row twice",
}


def tables(rows: Sequence[Row]) -> str:
    """Return the tables of the page."""
    by = {(row.metric, row.n, row.layout): row for row in rows}
    metrics = sorted({row.metric for row in rows})
    others = [name for name in NAMES if name != "plain"]
    places, holdouts = sum(row.places for row in rows), sum(row.holdouts for row in rows)
    lines = [
        f"{len(metrics)} metrics, {places:,} places, {holdouts:,} simulated holdouts.",
        "",
        "### Plain samples, by rows",
        "",
        *_table(
            ["metric", *(f"{n:,}" for n in SIZES)],
            ([f"`{name}`", *(_entry([by.get((name, n, "plain"))]) for n in SIZES)] for name in metrics),
        ),
        "",
        "### Other layouts, at their worst number of rows",
        "",
        *_table(
            ["metric", *(TITLES[layout] for layout in others)],
            (
                [f"`{name}`", *(_entry([by.get((name, n, layout)) for n in SIZES]) for layout in others)]
                for name in metrics
            ),
        ),
        "",
        "### Answers that are withheld, plain samples",
        "",
        *_table(
            ["metric", *(f"{n:,}" for n in SIZES), "coverage of the others"],
            (
                [
                    f"`{name}`",
                    *(_percent(row.withheld) if (row := by.get((name, n, "plain"))) else "" for n in SIZES),
                    _coverage([by.get((name, n, "plain")) for n in SIZES]),
                ]
                for name in metrics
            ),
        ),
    ]
    lines += ["", "### Places that exceed what is allowed", "", *_exceeding(rows)]
    return "\n".join(lines)


def _exceeding(rows: Sequence[Row]) -> list[str]:
    found = [
        f"- `{row.metric}`, {row.n:,} rows, {TITLES[row.layout]}: {place}"
        for row in rows
        for place in row.exceeding
    ]
    if not found:
        return ["None."]
    return [f"{len(found)} of {2 * sum(row.places for row in rows):,} rates:", "", *found]


def written(page: str, rows: Sequence[Row]) -> str:
    """Return the page with its tables replaced."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{tables(rows)}\n\n{END}{after}"


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(cells) + " |" for cells in body),
    ]


def _entry(rows: Iterable[Row | None]) -> str:
    found = [row for row in rows if row is not None]
    if not found:
        return ""
    if all(row.withheld == 1 for row in found):
        return "none"
    passed = max(row.wrong_pass.rate for row in found)
    accused = max(row.wrong_accusation.rate for row in found)
    mark = " !" if any(row.exceeding for row in found) else ""
    return f"{100 * passed:.1f} / {100 * accused:.1f}{mark}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share else "0"


def _coverage(rows: Iterable[Row | None]) -> str:
    found = [row.coverage for row in rows if row is not None and row.coverage is not None]
    return f"{100 * min(found):.1f} to {100 * max(found):.1f} %" if found else ""


def spread(results: Iterable[Result]) -> dict[tuple[str, int, str], list[float]]:
    """Return the rates of all places where something could be decided, for the figure."""
    found = defaultdict(list)
    for result in results:
        if result.tally.judged:
            n = result.tally.repetitions
            found[result.layout, result.n, "pass"].append(result.tally.wrong_pass / n)
            found[result.layout, result.n, "accusation"].append(result.tally.wrong_accusation / n)
    return found


def main() -> None:
    """Write the page, the figure and the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="what full_grid.py wrote")
    arguments = parser.parse_args()
    results = [Result.from_dict(each) for each in json.loads(arguments.results.read_text(encoding="utf-8"))]
    rows = summarised(results)
    lines = ",\n".join(json.dumps(row.as_dict()) for row in rows)
    SUMMARY.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    FIGURE.write_text(figure(spread(results), list(TITLES.items()), SIZES), encoding="utf-8")
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    found = exceeding(results, 2 * len(results))
    for result, kind in found:
        tally = result.tally
        wrong = tally.wrong_pass if kind == "pass" else tally.wrong_accusation
        print(
            f"{wrong / tally.repetitions:6.1%} {kind:10} allowed {result.allowed:.1%}  {result.metric}, "
            f"{result.n:,} rows, {result.layout}, {where(result)}"
        )
    print(f"{len(found)} of {2 * len(results):,} rates exceed what is allowed")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
