"""Figures of what the grid of error rates found, one for each page of metrics: from its summary."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from figure_parts import ALPHA, axis, line, rates
from pytest_model_gate.metrics.catalogue import resolve

SUMMARY = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "error-rates.json"

#: Page of metrics -> their families.
FAMILIES = {
    "shares": ("proportion",),
    "confusion-matrix": ("cells",),
    "areas": ("auc",),
    "rankings": ("ranking", "maximum"),
    "mean-losses": ("mean",),
    "regression": ("smooth",),
    "queries": ("query",),
    "calibration": ("binned", "distance", "closeness"),
}

#: What each figure shows, where the grid has it: the layouts, and whether the worst place or the mean of all.
_SHOWN = {
    "plain samples: worst place": (True, True),
    "weights, groups, strata, copies: worst place": (False, True),
    "plain samples: mean of all places": (True, False),
}


def of_grid() -> dict[str, dict[str, Any]]:
    """Return the figures of all pages whose metrics are in the summary."""
    found = defaultdict(list)
    for row in json.loads(SUMMARY.read_text(encoding="utf-8")):
        family = resolve(row["metric"]).family
        for page, families in FAMILIES.items():
            if family in families:
                found[page].append(row)
    return {f"grid-{page}": _figure(rows) for page, rows in sorted(found.items())}


def _figure(rows: list[dict[str, Any]]) -> dict[str, Any]:
    metrics = sorted({row["metric"] for row in rows})
    worst = max(row[kind]["rate"] for row in rows for kind in ("wrong_pass", "wrong_accusation"))
    ticks = [tick for tick in (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5) if tick <= max(0.1, worst)]
    more = f" and {len(metrics) - 1} more" if len(metrics) > 1 else ""
    return {
        "title": f"The grid of error rates: {metrics[0]}{more}",
        "description": f"One-sided error rates of {', '.join(metrics)} by rows, over all places of the "
        "grid (populations and questions): the worst place and the mean of all, at a level of 5 %. "
        f"{sum(row['holdouts'] for row in rows):,} simulated holdouts.",
        "panels": [
            {
                "title": title,
                "x": axis("rows", (50, 200, 1_000, 10_000), low=40, high=12_500, log=True),
                "y": rates(max(0.12, 1.05 * worst), ticks),
                "limit": ALPHA,
                "series": [
                    each
                    for name, (plain, at_worst) in _SHOWN.items()
                    if (
                        each := _line(
                            name, kind, [r for r in rows if (r["layout"] == "plain") is plain], at_worst
                        )
                    )
                ],
            }
            for kind, title in (("pass", "wrong passes"), ("accusation", "wrong accusations"))
        ],
    }


def _line(name: str, kind: str, rows: list[dict[str, Any]], at_worst: bool) -> dict[str, Any] | None:
    # Where no answer is given none is wrong, and none right either.
    by_rows = defaultdict(list)
    for row in rows:
        if row["withheld"] < 1:
            by_rows[row["n"]].append(row)
    if not by_rows:
        return None
    sizes = sorted(by_rows)
    if at_worst:
        found = [max(row[f"wrong_{kind}"]["rate"] for row in by_rows[n]) for n in sizes]
    else:
        found = [
            sum(row[f"{kind}_mean"] * row["places"] for row in by_rows[n])
            / sum(row["places"] for row in by_rows[n])
            for n in sizes
        ]
    return line(name, sizes, found)
