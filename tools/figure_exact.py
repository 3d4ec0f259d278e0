"""Figures of the statistics pages that need no random numbers: enumerated, integrated or plain formulas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from figure_parts import ALPHA, axis, line, rates
from pytest_model_gate.stats.clopper_pearson import Proportion
from pytest_model_gate.stats.inference import normal_cdf, normal_quantile
from pytest_model_gate.stats.mean import mean_of_rows
from pytest_model_gate.stats.planning import minimum_detectable
from pytest_model_gate.stats.spending import alpha_in_force
from pytest_model_gate.stats.student import Student
from pytest_model_gate.stats.tango import PairedProportions
from pytest_model_gate.stats.tango_power import PairedProspect
from pytest_model_gate.stats.unpaired import UnpairedProportions


def shares() -> dict[str, Any]:
    """Tango's and Wald's intervals for two shares of right rows."""
    margin = 0.02
    panels = []
    for n in (30, 200):
        counts = np.array([(i, j) for i in range(n + 1) for j in range(n + 1 - i)])
        only, other = counts[:, 0], counts[:, 1]
        pairs = [PairedProportions(int(i), int(j), n) for i, j in counts]
        accused = np.array([pair.p_below(-margin) < ALPHA for pair in pairs])
        # Passing is accusing with the two models swapped.
        passed = np.array([PairedProportions(p.n01, p.n10, n).p_below(margin) < ALPHA for p in pairs])
        gain = (only - other) / n
        error = np.array([pair.standard_error for pair in pairs])
        wald = gain - normal_quantile(ALPHA) * error > -margin
        discordance = np.array([0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4])
        chance = [_trinomial(only, other, n, (q - margin) / 2, (q + margin) / 2) for q in discordance]
        panels.append(
            {
                "title": f"{n} rows, tolerance 2 points",
                "x": axis(
                    "rows on which only one model is right",
                    (0, 0.1, 0.2, 0.3, 0.4),
                    low=0,
                    high=0.42,
                    percent=True,
                ),
                "y": rates(0.6, (0, 0.05, 0.2, 0.4, 0.6)),
                "limit": ALPHA,
                "series": [
                    line("Tango: pass", discordance, [p[passed].sum() for p in chance]),
                    line("Wald: pass", discordance, [p[wald].sum() for p in chance]),
                    line("Tango: accused", discordance, [p[accused].sum() for p in chance]),
                ],
            }
        )
    return {
        "title": "Accuracy of two models: Tango's interval keeps its level where Wald's does not",
        "description": "How often a candidate that is worse by exactly the tolerance passes or is "
        "accused, by how often the models disagree; every outcome enumerated. Wald's "
        "interval lets about half pass with 30 rows and few disagreements, Tango's stays "
        "near 5 %.",
        "panels": panels,
    }


def floors() -> dict[str, Any]:
    """Exact and Wilson's bounds for a floor."""
    z, panels = normal_quantile(ALPHA), []
    for n in (50, 500):
        right = np.arange(n + 1)
        share = right / n
        centre = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        exact = np.array([Proportion(int(k), n).bounds(ALPHA)[0] for k in right])
        at = np.linspace(0.5, 0.99, 99)
        chance = [_binomial(right, n, floor) for floor in at]
        panels.append(
            {
                "title": f"{n} rows",
                "x": axis("floor", (0.5, 0.6, 0.7, 0.8, 0.9, 1.0), low=0.5, high=1.0),
                "y": rates(0.12, (0, 0.05, 0.1)),
                "limit": ALPHA,
                "series": [
                    line(
                        "Clopper-Pearson: pass",
                        at,
                        [p[exact > floor].sum() for p, floor in zip(chance, at, strict=True)],
                    ),
                    line(
                        "Wilson: pass",
                        at,
                        [p[centre - half > floor].sum() for p, floor in zip(chance, at, strict=True)],
                    ),
                ],
            }
        )
    return {
        "title": "A model exactly at its floor: the exact bound never lets more than 5 % pass",
        "description": "How often a model whose accuracy is exactly the floor passes, by floor; "
        "enumerated. Wilson's lower bound lets more than 5 % pass near 1.",
        "panels": panels,
    }


def queries() -> dict[str, Any]:
    """T over queries, with and without imaginary ones."""
    panels = []
    for share in (0.02, 0.05):
        sizes = np.array([10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000])
        found: dict[float, list[float]] = {3.0: [], 0.0: []}
        for q in sizes:
            lost = np.arange(min(q, int(q * share + 12 * math.sqrt(q * share) + 5)) + 1)
            chance = _binomial(lost, int(q), share)
            for pseudo, passes in found.items():
                low = [_worse(int(k), int(q), pseudo) for k in lost]
                passes.append(float(chance[np.array(low) > -share].sum()))
        panels.append(
            {
                "title": f"{100 * share:g} % of the queries go wrong entirely",
                "x": axis("queries", (10, 30, 100, 300, 1000), low=10, high=1000, log=True),
                "y": rates(0.6, (0, 0.05, 0.2, 0.4, 0.6), "wrong passes"),
                "limit": ALPHA,
                "series": [
                    line("as a gate judges, with three imaginary queries", sizes, found[3.0]),
                    line("plain t over queries", sizes, found[0.0]),
                ],
            }
        )
    return {
        "title": "Few queries decide: without a guard a candidate passes whose bad queries were not drawn",
        "description": "How often a candidate passes that is worse by exactly the tolerance, all of it on"
        " a small share of the queries, by number of queries; enumerated. The plain "
        "interval lets 54 % pass where 2 % of 30 queries go wrong.",
        "panels": panels,
    }


def many_lines() -> dict[str, Any]:
    """Wrong accusations and passes over many lines."""
    counts = np.unique(np.geomspace(1, 100, 30).astype(int))
    holm = [_any_of(int(k), ALPHA / k, 0.0) for k in counts]
    return {
        "title": "Many lines: accusations need a correction, passes do not",
        "description": "Left: how often an innocent candidate is accused on any of many lines, all "
        "exactly at their tolerance: 64 % with 20 independent lines without a correction, "
        "at most 5 % with Holm's method, which is too careful where lines are alike; max-T"
        " knows how alike they are. Right: how often a candidate passes all lines if each "
        "lets it pass with the given power.",
        "panels": [
            {
                "title": "accused on any line",
                "x": axis("lines", (1, 3, 10, 30, 100), low=1, high=100, log=True),
                "y": rates(1.0, (0, 0.05, 0.25, 0.5, 0.75, 1), "wrong accusations"),
                "limit": ALPHA,
                "series": [
                    line("Holm, independent lines", counts, holm),
                    line("no correction, independent lines", counts, [1 - 0.95 ** int(k) for k in counts]),
                    line(
                        "Holm, lines with a correlation of 0.9",
                        counts,
                        [_any_of(int(k), ALPHA / k, 0.9) for k in counts],
                    ),
                ],
            },
            {
                "title": "passes on every line, independent lines",
                "x": axis("lines", (1, 3, 10, 30, 100), low=1, high=100, log=True),
                "y": axis("ships", (0, 0.25, 0.5, 0.75, 1), low=0, high=1, percent=True),
                "series": [
                    line(f"power of {power:.0%} on each line", counts, [power ** int(k) for k in counts])
                    for power in (0.99, 0.9)
                ],
            },
        ],
    }


def planning() -> dict[str, Any]:
    """Power of Tango's test, exact and by the normal formula."""
    rows = np.unique(np.geomspace(100, 30_000, 36).astype(int))
    panels = []
    for discordance in (0.01, 0.05):
        exact = [PairedProspect(int(n), discordance).power(0.01, ALPHA) for n in rows]
        z = normal_quantile(ALPHA)
        normal = [normal_cdf(0.01 / math.sqrt(discordance / n) - z) for n in rows]
        panels.append(
            {
                "title": f"models differ on {100 * discordance:g} % of the rows",
                "x": axis("rows", (100, 1000, 10_000), low=100, high=30_000, log=True),
                "y": axis("power", (0, 0.2, 0.4, 0.6, 0.8, 1), low=0, high=1, percent=True),
                "limit": 0.8,
                "series": [line("exact (Tango)", rows, exact), line("normal formula", rows, normal)],
            }
        )
    return {
        "title": "Rows that one point of accuracy takes: the exact power is below what the normal formula"
        " says",
        "description": "How often a candidate that is truly as good as production passes a tolerance of "
        "one point, by rows, at a level of 5 %. The line is a power of 80 %.",
        "panels": panels,
    }


def reuse() -> dict[str, Any]:
    """Levels of the uses of one holdout."""
    uses = np.arange(1, 21)

    def adaptive(passes: int) -> dict[str, Any]:
        later = uses[uses > passes]
        words = {0: "nothing passed", 1: "one passed", 3: "three passed"}[passes]
        return line(
            f"adaptive, {words} before",
            later,
            [
                alpha_in_force(ALPHA, number=int(i), passes=passes, budget=20, spending="adaptive")
                for i in later
            ],
        )

    return {
        "title": "What each of twenty uses of one holdout is judged at",
        "description": "The one-sided level in force for use 1 to 20 of a holdout with alpha = 5 % in "
        "all: equal shares, decreasing ones, and the adaptive rule after no, one and three"
        " earlier passes; and the smallest tolerance that a candidate as good as "
        "production then passes with 80 % power, in standard errors.",
        "panels": [
            {
                "title": "alpha in force",
                "x": axis("use", (1, 5, 10, 15, 20), low=1, high=20),
                "y": axis(
                    "level (1 = 100 %)",
                    (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05),
                    low=1e-7,
                    high=0.06,
                    log=True,
                ),
                "series": [
                    line("equal", uses, [alpha_in_force(ALPHA, number=int(i), budget=20) for i in uses]),
                    line(
                        "decreasing",
                        uses,
                        [alpha_in_force(ALPHA, number=int(i), spending="decreasing") for i in uses],
                    ),
                    adaptive(0),
                    adaptive(1),
                    adaptive(3),
                ],
            },
            {
                "title": "tolerance that takes 80 % power",
                "x": axis("use", (1, 5, 10, 15, 20), low=1, high=20),
                "y": axis("standard errors", (2, 3, 4, 5, 6), low=2, high=6.5),
                "series": [
                    line(
                        "equal",
                        uses,
                        [_detects(alpha_in_force(ALPHA, number=int(i), budget=20)) for i in uses],
                    ),
                    line(
                        "decreasing",
                        uses,
                        [_detects(alpha_in_force(ALPHA, number=int(i), spending="decreasing")) for i in uses],
                    ),
                    *(
                        {
                            **each,
                            "points": [[i, float(f"{_detects(level):.4g}")] for i, level in each["points"]],
                        }
                        for each in (adaptive(0), adaptive(1), adaptive(3))
                    ),
                ],
            },
        ],
    }


def two_samples() -> dict[str, Any]:
    """Miettinen and Nurminen's, and Wald's interval for two shares in two samples."""
    panels, z = [], normal_quantile(ALPHA)
    for share in (0.8, 0.95):
        margin, sizes = 0.05, (20, 30, 40, 60, 80, 100, 130)
        found: dict[str, list[float]] = {"score": [], "wald": []}
        for n in sizes:
            right = np.arange(n + 1) / n
            gain = right[:, None] - right[None, :]
            spread = right * (1 - right) / n
            wald = gain - z * np.sqrt(spread[:, None] + spread[None, :]) > -margin
            score = np.array(
                [
                    [UnpairedProportions(j, n, i, n).p_below(margin) < ALPHA for j in range(n + 1)]
                    for i in range(n + 1)
                ]
            )
            chance = np.outer(
                _binomial(np.arange(n + 1), n, share - margin), _binomial(np.arange(n + 1), n, share)
            )
            found["wald"].append(float(chance[wald].sum()))
            found["score"].append(float(chance[score].sum()))
        panels.append(
            {
                "title": f"production right on {share:.0%}, tolerance 5 points",
                "x": axis("rows in each sample", (20, 40, 60, 80, 100, 120), low=20, high=130),
                "y": rates(0.12, (0, 0.05, 0.1), "wrong passes"),
                "limit": ALPHA,
                "series": [
                    line("Miettinen-Nurminen", sizes, found["score"]),
                    line("Wald", sizes, found["wald"]),
                ],
            }
        )
    return {
        "title": "Two shares in two samples: the score interval and Wald's",
        "description": "How often a candidate passes that is worse by exactly the tolerance, by the size "
        "of the two samples; every outcome enumerated.",
        "panels": panels,
    }


EXACT = {
    "shares": shares,
    "floors": floors,
    "queries": queries,
    "many-lines": many_lines,
    "planning": planning,
    "reuse": reuse,
    "two-samples": two_samples,
}


def _log_factorial(n: int) -> np.ndarray:
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n + 1)))))


def _binomial(k: np.ndarray, n: int, p: float) -> np.ndarray:
    table = _log_factorial(n)
    chance: np.ndarray = np.exp(
        table[n] - table[k] - table[n - k] + k * math.log(p) + (n - k) * math.log1p(-p)
    )
    return chance


def _trinomial(i: np.ndarray, j: np.ndarray, n: int, p: float, q: float) -> np.ndarray:
    table, rest = _log_factorial(n), n - i - j
    chance = table[n] - table[i] - table[j] - table[rest] + j * math.log(q) + rest * math.log1p(-p - q)
    if p <= 0:
        found: np.ndarray = np.where(i == 0, np.exp(chance), 0.0)
        return found
    return np.asarray(np.exp(chance + i * math.log(p)))


def _worse(lost: int, queries: int, pseudo: float) -> float:
    """Return the lower bound of the gain where so many queries lost everything, and the others nothing."""
    gains = np.zeros(queries)
    gains[:lost] = -1.0
    if pseudo:
        return mean_of_rows(gains, pseudo=pseudo).bounds(ALPHA)[0]
    error = float(gains.std(ddof=1)) / math.sqrt(queries)
    return Student(float(gains.mean()), error, queries - 1, "").bounds(ALPHA)[0]


def _any_of(lines: int, level: float, correlation: float) -> float:
    """Return how often any of equally correlated normal lines is beyond its level."""
    if level >= 1:
        return 1.0
    z = normal_quantile(level)
    if correlation == 0:
        return -math.expm1(lines * math.log1p(-level))
    shared = np.linspace(-8, 8, 2001)
    weights = np.exp(-shared * shared / 2)
    root, rest = math.sqrt(correlation), math.sqrt(1 - correlation)
    inside = [normal_cdf((z - root * u) / rest) ** lines for u in shared]
    return float(1 - np.sum(weights * inside) / np.sum(weights))


def _detects(level: float) -> float:
    return minimum_detectable(1.0, level)
