"""The figure about drift: what chance makes of PSI, and how often the default of numbers is wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from figure_parts import ALPHA, axis, line, rates
from pytest_model_gate.stats.drift.levels import Table, psi_of, stability
from pytest_model_gate.stats.drift.pair import Pair
from pytest_model_gate.stats.drift.ranks import area_effect

#: The shift between two normal samples whose area is 0.55.
SHIFT = math.sqrt(2) * 0.12566134685507402


def drift() -> dict[str, Any]:
    """PSI where nothing has moved, and the area exactly at its threshold."""
    rng = np.random.default_rng(20)
    sizes, rounds = (50, 100, 200, 400, 800, 1600), 400
    bare, bounded = [], []
    for n in sizes:
        counts = [Table(*rng.multinomial(n, np.full(10, 0.1), 2)) for _ in range(rounds)]
        tables = [Table(t.p[t.p + t.q > 0], t.q[t.p + t.q > 0]) for t in counts]
        bare.append(float(np.mean([psi_of(table).value > 0.1 for table in tables])))
        found = [stability(table, ALPHA) for table in tables]
        bounded.append(float(np.mean([each.low > max(0.1, each.threshold or 0.0) for each in found])))
    drifted, passed, samples = [], [], 1_000
    for n in sizes:
        pairs = (Pair.of(rng.normal(size=n), rng.normal(SHIFT, 1, n)) for _ in range(samples))
        effects = [area_effect(pair, ALPHA) for pair in pairs]
        drifted.append(float(np.mean([effect.low > 0.05 for effect in effects])))
        passed.append(float(np.mean([effect.high <= 0.05 for effect in effects])))
    rows = axis("rows on each side", (50, 100, 200, 400, 800, 1600), low=50, high=1600, log=True)
    return {
        "title": "Drift: PSI where nothing has moved, and the area at its threshold",
        "description": "How often PSI of ten bins alarms where nothing has moved, by its estimate and by its "
        "bounds; and how often the area is called drifted or passes where it is exactly at its threshold.",
        "panels": [
            {
                "title": "nothing has moved, ten bins",
                "x": rows,
                "y": rates(1.0, (0, 0.25, 0.5, 0.75, 1.0), "false alarms"),
                "limit": ALPHA,
                "series": [
                    line("PSI above 0.1", sizes, bare, rounds),
                    line("lower bound of PSI", sizes, bounded, rounds),
                ],
            },
            {
                "title": "the area is exactly 0.55",
                "x": rows,
                "y": rates(0.12, (0, 0.05, 0.1)),
                "limit": ALPHA,
                "series": [
                    line("called drifted", sizes, drifted, samples),
                    line("passes", sizes, passed, samples),
                ],
            },
        ],
    }


OF_DRIFT = {"drift": drift}
