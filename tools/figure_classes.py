"""Simulated figures about classes: the confusion matrix, rankings, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from figure_parts import ALPHA, axis, line, rates
from pytest_model_gate.gate.cells import imaginary_pair, of_cells
from pytest_model_gate.gate.measure import Sample, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.auc import paired_auc
from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.distances import Distances, Estimate
from pytest_model_gate.stats.inference import normal_quantile
from pytest_model_gate.stats.student import Student
from pytest_model_gate.stats.tilted import tilted

_Z = normal_quantile(ALPHA)
_NORMAL = NormalDist()


def _classes(y: np.ndarray, **design: Any) -> Sample:
    return Sample(truth=Truth(values=y, classes=(0, 1)), design=Design(n=len(y), **design))


# -- functions of the confusion matrix -------------------------------------------------------------------


def _f1_cells(lost: float, n: int) -> np.ndarray:
    """Return the chance of each cell (true, candidate, production): the candidate loses so many rows."""
    cells = np.zeros((2, 2, 2))
    cells[1, 1, 1], cells[1, 0, 1], cells[1, 0, 0] = 0.16 - lost / n, lost / n, 0.04
    cells[0, 1, 1], cells[0, 0, 0] = 0.04, 0.76
    return cells


def _gain_of_f1(cells: np.ndarray) -> float:
    def f1(matrix: np.ndarray) -> float:
        return float(2 * matrix[1, 1] / (2 * matrix[1, 1] + matrix[0, 1] + matrix[1, 0]))

    return f1(cells.sum(axis=2)) - f1(cells.sum(axis=1))


def _of_f1(counts: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the gain, the influence of each cell, and that of rows that were not drawn."""
    metric = resolve("f1")
    first, second = (of_cells(metric, counts.sum(axis=other)) for other in (2, 1))
    psi = first.influence[:, :, None] - second.influence[:, None, :]
    return _gain_of_f1(counts), psi, imaginary_pair(first, second, 1.0)


def confusion_matrix() -> dict[str, Any]:
    """F1 of a candidate that loses a few rows and wins none."""
    runs, panels = 1_500, []
    for n in (100, 400):
        expected = (1, 2, 4, 8, 12)
        wrong: dict[str, list[float]] = {"tilted": [], "half": [], "plain": []}
        for lost in expected:
            rng = np.random.default_rng([1, n, lost])
            cells = _f1_cells(lost, n)
            truth, passed = _gain_of_f1(cells), dict.fromkeys(wrong, 0)
            for drawn in rng.multinomial(n, cells.ravel(), size=runs):
                counts = drawn.reshape(2, 2, 2).astype(float)
                gain, psi, imaginary = _of_f1(counts)
                squares = float((counts * psi**2).sum())
                for name, more in (("plain", 0.0), ("half", float((imaginary**2).sum()) / 2)):
                    found = Student(gain, math.sqrt((squares + more) / n / (n - 1)), n - 1, "")
                    passed[name] += found.bounds(ALPHA)[0] > truth
                low = tilted(gain, psi.ravel(), counts.ravel(), imaginary).bounds(ALPHA)[0]
                passed["tilted"] += low > truth
            for name, count in passed.items():
                wrong[name].append(count / runs)
        names = {
            "tilted": "tilted score (as a gate judges)",
            "half": "influence, half imaginary rows",
            "plain": "influence alone",
        }
        panels.append(
            {
                "title": f"F1, {n} rows, 20 % positive",
                "x": axis("rows that the candidate is expected to lose", (1, 4, 8, 12), low=0.5, high=12.5),
                "y": rates(0.45, (0, 0.05, 0.1, 0.2, 0.3, 0.4), "wrong passes"),
                "limit": ALPHA,
                "series": [line(names[name], expected, wrong[name], runs) for name in names],
            }
        )
    return {
        "title": "A candidate that loses a few rows and wins none: the tilted score keeps its level",
        "description": "How often a candidate passes whose F1 is worse by exactly the tolerance, by the "
        "number of rows that it is expected to lose. Influence alone lets a third pass "
        "where a single row is expected.",
        "panels": panels,
    }


def resampled_f1(name: str, sizes: Sequence[int], runs: int) -> list[float]:
    """Return how often a candidate passes that is expected to lose two rows, by one of two methods."""
    found = []
    for n in sizes:
        rng, passed = np.random.default_rng([12, n]), 0
        cells = _f1_cells(2, n)
        truth = _gain_of_f1(cells)
        for counts in rng.multinomial(n, cells.ravel(), size=runs):
            joint = counts.reshape(2, 2, 2).astype(float)
            gain, psi, imaginary = _of_f1(joint)
            if name == "tilted":
                low = tilted(gain, psi.ravel(), joint.ravel(), imaginary).bounds(ALPHA)[0]
            else:
                # Cells drawn again are rows drawn again.
                again = rng.multinomial(n, counts / n, size=999).reshape(-1, 2, 2, 2)
                low = float(np.quantile(_gains(again), ALPHA))
            passed += low > truth
        found.append(passed / runs)
    return found


def _gains(cells: np.ndarray) -> np.ndarray:
    def f1(matrix: np.ndarray) -> np.ndarray:
        hit = 2 * matrix[:, 1, 1]
        found: np.ndarray = hit / np.maximum(hit + matrix[:, 0, 1] + matrix[:, 1, 0], 1)
        return found

    return f1(cells.sum(axis=3)) - f1(cells.sum(axis=2))


# -- areas -------------------------------------------------------------------------------------------------


def areas() -> dict[str, Any]:
    """DeLong's interval, and what a gate uses."""
    runs, panels, metric = 1_500, [], resolve("roc_auc")
    for m in (10, 50):
        n, wrong = 10 * m, {"gate": [], "delong": []}
        areas_ = (0.7, 0.8, 0.9, 0.94, 0.96, 0.98, 0.99)
        for area in areas_:
            rng = np.random.default_rng([2, m, round(1000 * area)])
            worse = 1 - 1.5 * (1 - area)
            means = [_NORMAL.inv_cdf(each) * math.sqrt(2) for each in (worse, area)]
            y = np.concatenate((np.ones(m, dtype=np.intp), np.zeros(n - m, dtype=np.intp)))
            truth, passed = Truth(values=y, classes=(0, 1)), dict.fromkeys(wrong, 0)
            for _ in range(runs):
                common, own = rng.normal(size=n), rng.normal(size=(2, n))
                said = [
                    Predicted(score=mean * y + math.sqrt(0.3) * common + math.sqrt(0.7) * each)
                    for mean, each in zip(means, own, strict=True)
                ]
                paired = paired_auc(
                    *(metric.value(truth, each) for each in said),
                    *(metric.influence(truth, each) for each in said),
                    np.flatnonzero(y),
                )
                passed["gate"] += paired.bounds(ALPHA)[0] > worse - area
                passed["delong"] += paired.gain - _Z * math.sqrt(paired.variance) > worse - area
            for name, count in passed.items():
                wrong[name].append(count / runs)
        panels.append(
            {
                "title": f"{m} positives among {n:,} rows",
                "x": axis("area of production", (0.7, 0.8, 0.9, 0.95, 1), low=0.68, high=1),
                "y": rates(0.25, (0, 0.05, 0.1, 0.15, 0.2, 0.25), "wrong passes"),
                "limit": ALPHA,
                "series": [
                    line("as a gate judges (DeLong, MOVER)", areas_, wrong["gate"], runs),
                    line("DeLong alone", areas_, wrong["delong"], runs),
                ],
            }
        )
    return {
        "title": "ROC-AUC: DeLong's interval near an area of 1, and MOVER in its place",
        "description": "How often a candidate passes that misranks half as many pairs again as "
        "production, which is exactly the tolerance, by production's area. DeLong alone is"
        " wrong ever more often towards 1.",
        "panels": panels,
    }


# -- other rankings ----------------------------------------------------------------------------------------


def rankings() -> dict[str, Any]:
    """Average precision of two equal models, and how much a best threshold flatters."""
    runs, positives = 2_000, (5, 10, 20, 50, 100)
    metric, passed = resolve("average_precision"), {"t": [], "normal": []}
    for m in positives:
        rng, n, low = np.random.default_rng([3, m]), 8 * m, np.zeros(2)
        y = (np.arange(n) < m).astype(np.intp)
        sample = _classes(y)
        for _ in range(runs):
            said = [Predicted(score=1.3 * y + rng.normal(size=n)) for _ in range(2)]
            found = measure_pair(metric, sample, *said).inference
            psi = metric.influence(sample.truth, said[0]) - metric.influence(sample.truth, said[1])
            plain = found.gain - _Z * math.sqrt(float((psi * psi).sum())) / n
            low += found.bounds(ALPHA)[0] > 0, plain > 0
        for name, count in zip(("t", "normal"), low, strict=True):
            passed[name].append(float(count) / runs)
    metric, true_area, sizes = resolve("ks_statistic"), 0.75, (100, 200, 500, 1_000, 2_000, 5_000)
    mean = _NORMAL.inv_cdf(true_area) * math.sqrt(2)
    best: list[list[float]] = [[], []]
    assert metric.apart is not None
    for n in sizes:
        rng, seen = np.random.default_rng([4, n]), []
        y = np.arange(n) % 2
        truth = Truth(values=y, classes=(0, 1))
        for _ in range(400):
            said = Predicted(score=mean * y + rng.normal(size=n))
            seen.append((metric.value(truth, said), metric.apart(truth, said, None)))
        for series, value in zip(best, np.mean(seen, axis=0), strict=True):
            series.append(float(value))
    return {
        "title": "Average precision with few positives, and how much its own threshold flatters a KS "
        "statistic",
        "description": "Left: how often one of two equal models passes against the other at a tolerance "
        "of 0, by positives; below 20 a gate answers inconclusive. Right: mean KS "
        "statistic at the threshold that the same rows chose, and at one that other rows "
        "chose; the line is the true value, and lies between.",
        "panels": [
            {
                "title": "average precision, one row in eight positive",
                "x": axis("positives", (5, 10, 20, 50, 100), low=4.5, high=110, log=True),
                "y": rates(0.16, (0, 0.05, 0.1, 0.15), "wrong passes"),
                "limit": ALPHA,
                "series": [
                    line("as a gate judges", positives, passed["t"], runs),
                    line("influence, normal quantiles", positives, passed["normal"], runs),
                ],
            },
            {
                "title": "KS statistic, area of 0.75",
                "x": axis("rows", (100, 200, 500, 1000, 2000, 5000), low=90, high=5500, log=True),
                "y": axis("KS statistic", (0.3, 0.35, 0.4, 0.45, 0.5), low=0.3, high=0.5),
                "limit": 2 * _NORMAL.cdf(mean / 2) - 1,
                "series": [
                    line("at the best threshold of the rows", sizes, best[0]),
                    line("at a threshold of other rows", sizes, best[1]),
                ],
            },
        ],
    }


# -- calibration -------------------------------------------------------------------------------------------


def calibration() -> dict[str, Any]:
    """Kinks: the distance of two slopes from 1, and binned errors."""
    runs, offs = 10_000, (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
    found: dict[str, list[float]] = {"projected": [], "normal": []}
    for off in offs:
        rng = np.random.default_rng([7, round(10 * off)])
        shared, own = rng.normal(size=runs), rng.normal(size=(2, runs))
        one, two = (math.sqrt(0.9) * shared + math.sqrt(0.1) * each for each in own)
        one += off
        gain = np.abs(two) - np.abs(one)
        apart, together = math.sqrt(2 - 1.8), math.sqrt(2 + 1.8)
        # One slope each: the sign that was seen is taken for the true one.
        error = np.where(np.sign(one) == np.sign(two), apart, together)
        found["normal"].append(float(np.mean(gain - _Z * error > -off)))
        passed = 0
        for first, second in zip(one.tolist(), two.tolist(), strict=True):
            distances = Distances(Estimate(first, 1.0), Estimate(second, 1.0), apart, together, 1e6)
            passed += distances.bounds(ALPHA)[0] > -off
        found["projected"].append(passed / runs)
    binned_runs, bins, shifts = 400, {"allowing": [], "known": []}, (0.0, 0.5, 1.0, 2.0, 3.0)
    for shift in shifts:
        for name, rate in _binned(shift, binned_runs).items():
            bins[name].append(rate)
    return {
        "title": "Calibration: a kink where both models are right, and bounds that hold there",
        "description": "How often a candidate passes whose calibration is worse by exactly the tolerance,"
        " by how far it is off; production is calibrated. Left: distances of slopes or "
        "intercepts. Right: expected calibration error. Intervals that take the signs seen"
        " for the true ones are wrong far too often.",
        "panels": [
            {
                "title": "slope and intercept",
                "x": axis(
                    "the candidate is off by, in standard errors", (0, 1, 2, 3, 4, 5, 6), low=0, high=6.2
                ),
                "y": rates(0.4, (0, 0.05, 0.1, 0.2, 0.3, 0.4), "wrong passes"),
                "limit": ALPHA,
                "series": [
                    line("as a gate judges", offs, found["projected"], runs),
                    line("signs taken for known", offs, found["normal"], runs),
                ],
            },
            {
                "title": "expected calibration error, 1,200 rows, 15 bins",
                "x": axis("each bin is off by, in standard errors", (0, 1, 2, 3), low=0, high=3.2),
                "y": rates(0.6, (0, 0.05, 0.2, 0.4, 0.6), "wrong passes"),
                "limit": ALPHA,
                "series": [
                    line("as a gate judges", shifts, bins["allowing"], binned_runs),
                    line("signs taken for known", shifts, bins["known"], binned_runs),
                ],
            },
        ],
    }


def _binned(shift: float, runs: int) -> dict[str, float]:
    """Return how often a candidate passes whose probabilities are too high by so many standard errors."""
    n, count, metric = 1_200, 15, resolve("expected_calibration_error@15")
    by = shift * math.sqrt(0.16 * count / n)
    edges = np.linspace(0, 1, count + 1)[1:-1]
    rng = np.random.default_rng([8, round(10 * shift)])

    def right(size: int) -> np.ndarray:
        return 1 / (1 + np.exp(-1.5 * rng.normal(size=size)))

    # The error in the population, of which the mean of p - q in each bin is known.
    p = right(400_000)
    q = np.clip(p + by, 0, 1)
    truth = -float(np.abs(np.bincount(np.searchsorted(edges, q), weights=p - q)).sum()) / len(p)
    passed = {"allowing": 0, "known": 0}
    for _ in range(runs):
        p = right(n)
        y = (rng.random(n) < p).astype(np.intp)
        said = [np.clip(p + by, 0, 1), p]
        found = measure_pair(metric, _classes(y), *(Predicted(probability=each) for each in said))
        passed["allowing"] += found.inference.bounds(ALPHA)[0] > truth
        value, psi = [], []
        for each in said:
            at = np.searchsorted(edges, each)
            deviation = np.bincount(at, weights=y - each, minlength=count) / n
            value.append(np.abs(deviation).sum())
            psi.append(np.sign(deviation)[at] * (y - each))
        error = float(np.std(psi[0] - psi[1])) / math.sqrt(n)
        passed["known"] += value[1] - value[0] - _Z * error > truth
    return {name: int(each) / runs for name, each in passed.items()}


OF_CLASSES = {
    "confusion-matrix": confusion_matrix,
    "areas": areas,
    "rankings": rankings,
    "calibration": calibration,
}
