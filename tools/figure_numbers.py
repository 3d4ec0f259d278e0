"""Simulated figures about numbers: means, regression, designs, tolerances, resampling, time."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np

from figure_classes import resampled_f1
from figure_parts import ALPHA, axis, line, rates
from pytest_model_gate.gate.measure import Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.anytime import AsymptoticSequence
from pytest_model_gate.stats.bootstrap import Resampling, bootstrap
from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.inference import Inference, normal_quantile
from pytest_model_gate.stats.mean import mean_of_rows
from pytest_model_gate.stats.student import Student

_Z = normal_quantile(ALPHA)


# -- means -------------------------------------------------------------------------------------------------


def mean_losses() -> dict[str, Any]:
    """Squared exponential losses against a ceiling at their mean."""
    runs, sizes = 3_000, (30, 100, 300, 1_000)
    wrong = {name: [] for name in ("gate", "t", "gate other", "t other")}
    for n in sizes:
        rng, found = np.random.default_rng([5, n]), dict.fromkeys(wrong, 0)
        for _ in range(runs):
            errors = rng.exponential(size=n)
            for name, each in (("gate", _ceiling(errors, 2.0)), ("t", _plain_t(2 - np.square(errors)))):
                low, high = each.bounds(ALPHA)
                found[name] += low > 0
                found[f"{name} other"] += high < 0
        for name, count in found.items():
            wrong[name].append(count / runs)

    def panel(title: str, suffix: str) -> dict[str, Any]:
        return {
            "title": title,
            "x": axis("rows", sizes, low=25, high=1_200, log=True),
            "y": rates(0.22, (0, 0.05, 0.1, 0.15, 0.2)),
            "limit": ALPHA,
            "series": [
                line("as a gate judges", sizes, wrong["gate" + suffix], runs),
                line("Student's t alone", sizes, wrong["t" + suffix], runs),
            ],
        }

    return {
        "title": "Heavy tails: a mean loss exactly at its ceiling",
        "description": "How often squared exponential losses whose true mean is exactly the ceiling pass, "
        "and are accused, by rows. Student's t alone lets 20 % pass with 30 rows; a gate half as many.",
        "panels": [panel("wrong passes", ""), panel("wrong accusations", " other")],
    }


def _plain_t(gains: np.ndarray) -> Student:
    """Return the interval of the textbooks."""
    n = len(gains)
    return Student(float(gains.mean()), float(gains.std(ddof=1)) / math.sqrt(n), n - 1, "")


def _ceiling(errors: np.ndarray, ceiling: float) -> Inference:
    """Return the inference of a gate on a mean squared error and its ceiling."""
    n = len(errors)
    sample = Sample(truth=Truth(values=np.zeros(n)), design=Design(n=n))
    return measure_floor(resolve("mean_squared_error"), sample, Predicted(value=errors), ceiling).inference


def regression() -> dict[str, Any]:
    """RMSE, R2 and correlations at small sizes."""
    runs, sizes = 1_200, (20, 50, 100, 200, 500)
    noise = (0.7, 0.6)

    def correlation(s: float) -> float:
        return 1 / math.sqrt(1 + s * s)

    truths = {
        "root_mean_squared_error": [-s for s in noise],
        "r2": [1 - s * s for s in noise],
        "pearson": [correlation(s) for s in noise],
        "spearman": [6 / math.pi * math.asin(correlation(s) / 2) for s in noise],
    }
    passed: dict[str, list[float]] = {name: [] for name in truths}
    accused: dict[str, list[float]] = {name: [] for name in truths}
    for n in sizes:
        rng, counts = np.random.default_rng([6, n]), {name: np.zeros(2) for name in truths}
        sample = Sample(truth=Truth(values=np.empty(n)), design=Design(n=n))
        for _ in range(runs):
            y, common, own = rng.normal(size=n), rng.normal(size=n), rng.normal(size=(2, n))
            said = [
                Predicted(value=y + s * math.sqrt(0.5) * (common + each))
                for s, each in zip(noise, own, strict=True)
            ]
            drawn = replace(sample, truth=Truth(values=y))
            for name, (candidate, production) in truths.items():
                margin = production - candidate
                found = measure_pair(resolve(name), drawn, *said)
                low, high = found.inference.bounds(ALPHA)
                counts[name] += low > -margin, high < -margin
        for name, count in counts.items():
            passed[name].append(float(count[0]) / runs)
            accused[name].append(float(count[1]) / runs)

    def panel(title: str, found: dict[str, list[float]]) -> dict[str, Any]:
        return {
            "title": title,
            "x": axis("rows", sizes, low=18, high=550, log=True),
            "y": rates(0.16, (0, 0.05, 0.1, 0.15)),
            "limit": ALPHA,
            "series": [line(name, sizes, found[name], runs) for name in truths],
        }

    return {
        "title": "RMSE, R2 and correlations with few rows",
        "description": "How often a candidate exactly at its tolerance passes, and is accused, by rows; "
        "normal errors, half of them in common.",
        "panels": [panel("wrong passes", passed), panel("wrong accusations", accused)],
    }


# -- designs, tolerances, resampling, time -------------------------------------------------------------------


def designs() -> dict[str, Any]:
    """Rows in groups, taken for what they are and for independent."""
    runs, counts, size = 2_000, (5, 8, 12, 20, 50), 8
    names = ("as a gate judges", "totals of groups, normal", "rows taken for independent")
    wrong: dict[str, list[float]] = {name: [] for name in names}
    for g in counts:
        rng, passed = np.random.default_rng([9, g]), np.zeros(3)
        n = g * size
        group = np.arange(n) // size
        sample = Sample(truth=Truth(values=np.zeros(n)), design=Design(n=n, groups=group))
        production = Predicted(value=np.full(n, 10.0))
        for _ in range(runs):
            gains = math.sqrt(0.3) * rng.normal(size=g)[group] + math.sqrt(0.7) * rng.normal(size=n)
            mean = float(gains.mean())
            totals = np.bincount(group, weights=gains - mean)
            found = measure_pair(resolve("mae"), sample, Predicted(value=10 - gains), production).inference
            passed += (
                found.bounds(ALPHA)[0] > 0,
                mean - _Z * math.sqrt(float((totals**2).sum())) / n > 0,
                mean - _Z * float(gains.std(ddof=1)) / math.sqrt(n) > 0,
            )
        for name, each in zip(names, passed, strict=True):
            wrong[name].append(float(each) / runs)
    return {
        "title": "Rows in groups: totals of groups with Student's t keep the level",
        "description": "How often a candidate exactly at its tolerance passes, by the number of groups of 8 "
        "rows that share 30 % of their variance. Of rows that are taken for independent one in six passes.",
        "panels": [
            {
                "title": "groups of 8 rows that share 30 % of their variance",
                "x": axis("groups", counts, low=4.5, high=55, log=True),
                "y": rates(0.2, (0, 0.05, 0.1, 0.15, 0.2), "wrong passes"),
                "limit": ALPHA,
                "series": [line(name, counts, wrong[name], runs) for name in names],
            }
        ],
    }


def relative_tolerances() -> dict[str, Any]:
    """A tolerance in per cent, as the estimate that it is and as a fixed number."""
    runs, n, panels = 1_500, 1_000, []
    for share in (0.01, 0.1):
        correlations = (0.9, 0.97, 0.99, 0.997, 0.999, 0.9997)
        wrong: dict[str, list[float]] = {"contrast": [], "fixed": []}
        for correlation in correlations:
            rng, passed = (
                np.random.default_rng([10, round(10_000 * correlation), round(100 * share)]),
                np.zeros(2),
            )
            spread = math.sqrt((1 - 2 / math.pi) * (1 / correlation**2 - 1))
            for _ in range(runs):
                production = np.abs(rng.normal(size=n))
                candidate = production + share * math.sqrt(2 / math.pi) + spread * rng.normal(size=n)
                allowed = share * float(production.mean())
                contrast = mean_of_rows((1 + share) * production - candidate, allowed)
                fixed = mean_of_rows(production - candidate)
                passed += [each.bounds(ALPHA)[0] > -allowed for each in (contrast, fixed)]
            for name, each in zip(wrong, passed, strict=True):
                wrong[name].append(float(each) / runs)
        panels.append(
            {
                "title": f"mean absolute error, 1,000 rows, {share:.0%}",
                "x": axis(
                    "1 - correlation of the losses",
                    (0.0003, 0.001, 0.01, 0.1),
                    low=0.00025,
                    high=0.12,
                    log=True,
                ),
                "y": rates(0.4, (0, 0.05, 0.1, 0.2, 0.3, 0.4), "wrong passes"),
                "limit": ALPHA,
                "series": [
                    line(
                        "contrast (as a gate judges)", [1 - c for c in correlations], wrong["contrast"], runs
                    ),
                    line("tolerance taken for fixed", [1 - c for c in correlations], wrong["fixed"], runs),
                ],
            }
        )
    return {
        "title": "A tolerance in per cent of production is an estimate itself",
        "description": "How often a candidate passes that is worse by exactly the tolerance, by how alike"
        " the two models are. A tolerance that is taken for a fixed number lets a third "
        "pass of nearly equal models.",
        "panels": panels,
    }


def resampling() -> dict[str, Any]:
    """Bootstraps beside what a gate uses, on heavy tails and on few rows of F1."""
    runs, sizes = 500, (30, 60, 120, 240)
    names = ("plain percentiles", "BCa", "functions of your own (bootstrap)", "built-in metric")
    tails: dict[str, list[float]] = {name: [] for name in names}
    for n in sizes:
        rng, wrong = np.random.default_rng([11, n]), np.zeros(4)
        for run in range(runs):
            losses = np.square(rng.exponential(size=n))
            mean = float(losses.mean())

            def mean_of(weights: np.ndarray, losses: np.ndarray = losses) -> np.ndarray:
                found: np.ndarray = (weights * losses).sum(axis=1) / weights.sum(axis=1)
                return found

            again = mean_of(rng.multinomial(n, np.full(n, 1 / n), size=999).astype(float))
            own = bootstrap(mean, mean_of, Design(n=n), resampling=Resampling(seed=run), resamples=999)
            wrong += (
                np.quantile(again, 1 - ALPHA) < 2,
                np.quantile(again, _bca_level(again, losses)) < 2,
                own.bounds(ALPHA)[1] < 2,
                _ceiling(np.sqrt(losses), 2.0).bounds(ALPHA)[0] > 0,
            )
        for name, count in zip(names, wrong, strict=True):
            tails[name].append(float(count) / runs)
    cells = {name: resampled_f1(name, (50, 100, 200, 400), runs) for name in ("tilted", "percentile")}
    return {
        "title": "Bootstraps are no better than the methods in their place where rows are few",
        "description": "Left: how often the true mean of squared exponential losses is above the upper "
        "bound. Right: how often a candidate passes that is expected to lose two rows in "
        "F1, exactly its tolerance.",
        "panels": [
            {
                "title": "squared exponential losses",
                "x": axis("rows", sizes, low=27, high=270, log=True),
                "y": rates(0.25, (0, 0.05, 0.1, 0.15, 0.2, 0.25), "above the upper bound"),
                "limit": ALPHA,
                "series": [line(name, sizes, tails[name], runs) for name in names],
            },
            {
                "title": "F1, a candidate that loses 2 rows",
                "x": axis("rows", (50, 100, 200, 400), low=45, high=450, log=True),
                "y": rates(0.25, (0, 0.05, 0.1, 0.15, 0.2, 0.25), "wrong passes"),
                "limit": ALPHA,
                "series": [
                    line("built-in metric", (50, 100, 200, 400), cells["tilted"], runs),
                    line("plain percentiles", (50, 100, 200, 400), cells["percentile"], runs),
                ],
            },
        ],
    }


def _bca_level(again: np.ndarray, losses: np.ndarray) -> float:
    """Return the level of BCa's upper bound (Efron 1987)."""
    normal, off = NormalDist(), losses - losses.mean()
    bias = normal.inv_cdf(float(np.clip(np.mean(again < losses.mean()), 0.001, 0.999)))
    acceleration = float((off**3).sum() / (6 * (off**2).sum() ** 1.5))
    return normal.cdf(bias + (bias + _Z) / (1 - acceleration * (bias + _Z)))


def any_time() -> dict[str, Any]:
    """Bounds that may be looked at any time, and how often others are wrong at some look."""
    planned, last, first, runs = 1_000, 10_000, 100, 1_000
    rows = np.unique(np.geomspace(first, last, 40).astype(int))
    reach = [_reach(int(n), planned) * math.sqrt(n) for n in rows]
    wrong = np.zeros((2, len(rows)))
    boundary = np.array([_reach(int(n), planned) for n in range(first, last + 1)])
    n = np.arange(first, last + 1)
    rng = np.random.default_rng(13)
    for _ in range(runs):
        gains = rng.choice([-1.0, 0.0, 1.0], size=last, p=[0.06, 0.9, 0.04])
        total, squares = np.cumsum(gains), np.cumsum(gains * gains)
        mean = total / np.arange(1, last + 1)
        variance = (squares - total * mean) / np.maximum(np.arange(last), 1)
        spread = np.sqrt(np.maximum(variance, 0))[first - 1 :]
        mean = mean[first - 1 :]
        for index, distance in enumerate((boundary * spread, _Z * spread / np.sqrt(n))):
            ever = np.maximum.accumulate(mean - distance > -0.02)
            wrong[index] += ever[rows - first]
    names = ("for any time (planned for 1,000 rows)", "for one look")
    return {
        "title": "Bounds that may be looked at after every row",
        "description": "Left: how far the bound is from the mean, in standard errors, by rows. Right: how"
        " often the lower bound was above the truth at any row up to there, looked at from"
        " row 100 on. The interval for one look is wrong ever more often.",
        "panels": [
            {
                "title": "distance of the bound",
                "x": axis("rows", (100, 300, 1000, 3000, 10_000), low=first, high=last, log=True),
                "y": axis("standard errors", (0, 1, 2, 3, 4), low=0, high=4.5),
                "series": [line(names[0], rows, reach), line(names[1], rows, [_Z] * len(rows))],
            },
            {
                "title": "ever wrong so far",
                "x": axis("rows", (100, 300, 1000, 3000, 10_000), low=first, high=last, log=True),
                "y": rates(0.4, (0, 0.05, 0.1, 0.2, 0.3, 0.4), "wrong at some look"),
                "limit": ALPHA,
                "series": [line(name, rows, each / runs) for name, each in zip(names, wrong, strict=True)],
            },
        ],
    }


def _reach(n: int, planned: int) -> float:
    """Return how far the bound is from the mean, in standard deviations of a row."""
    return AsymptoticSequence(n, 0.0, 1.0, planned).bounds(ALPHA)[1]


OF_NUMBERS = {
    "mean-losses": mean_losses,
    "regression": regression,
    "designs": designs,
    "relative-tolerances": relative_tolerances,
    "bootstrap": resampling,
    "any-time": any_time,
}
