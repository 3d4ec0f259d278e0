"""One-sided error rates with the truth exactly at the margin, of metrics beyond the classical ones.

A candidate at the margin may pass in 5 % of the samples, and be accused in 5 %. Truths come from closed
forms or from a sample of millions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_model_gate.gate.measure import Measured, Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design

REPETITIONS = 1_000
#: Four standard deviations of a simulated 5 %.
MOST = 0.05 + 4 * math.sqrt(0.05 * 0.95 / REPETITIONS)

Models = tuple[np.ndarray, Predicted, Predicted]
Draw = Callable[[np.random.Generator, int], Models]


def sample(y: np.ndarray, k: int | None, **design: Any) -> Sample:
    weight = design.pop("weight", None)
    truth = Truth(values=y, classes=None if k is None else tuple(range(k)), weight=weight)
    return Sample(truth=truth, design=Design(n=len(y), **design))


def rates(
    name: str, draw: Draw, n: int, margin: float, *, k: int | None, seed: int, repetitions: int = REPETITIONS
) -> tuple[float, float]:
    """Return how often a candidate at the margin passes, and how often it is accused."""
    rng, metric = np.random.default_rng(seed), resolve(name)
    passed = accused = 0
    for _ in range(repetitions):
        y, candidate, reference = draw(rng, n)
        found: Measured = measure_pair(metric, sample(y, k), candidate, reference)
        passed += found.inference.bounds(0.05)[0] > -margin
        accused += found.p_below(-margin) < 0.05
    return passed / repetitions, accused / repetitions


def margin_of(name: str, draw: Draw, *, k: int | None, n: int = 1_000_000) -> float:
    """Return how much worse the candidate is, from a very large sample."""
    metric = resolve(name)
    y, candidate, reference = draw(np.random.default_rng(0), n)
    truth = sample(y, k).truth
    return metric.sign * (metric.value(truth, reference) - metric.value(truth, candidate))


# -- regression ------------------------------------------------------------------------------------------


def of_normals(rng: np.random.Generator, n: int) -> Models:
    """Two models of a normal target whose errors are half in common; the candidate is noisier."""
    y, common, own = rng.normal(size=n), rng.normal(size=n), rng.normal(size=(2, n))
    error = [0.5 * common + 0.5 * each for each in own]
    return y + 10, Predicted(value=10 + y + 1.15 * error[0]), Predicted(value=10 + y + error[1])


def of_counts(rng: np.random.Generator, n: int) -> Models:
    """Two models of a positive mean, with noise of a gamma distribution."""
    mean = rng.gamma(2.0, size=n) + 0.5
    y = rng.poisson(mean).astype(float)
    common = 0.2 * rng.normal(size=n)
    first, second = (mean * np.exp(common + s * rng.normal(size=n)) for s in (0.35, 0.25))
    return y, Predicted(value=first), Predicted(value=second)


def of_costs(rng: np.random.Generator, n: int) -> Models:
    """The same with a target above 0."""
    y, candidate, reference = of_counts(rng, n)
    return (y + 0.5) * rng.gamma(4.0, size=n) / 4, candidate, reference


@pytest.mark.parametrize(
    ("name", "draw", "n"),
    [
        ("mean_pinball_loss@0.9", of_normals, 200),
        ("mean_poisson_deviance", of_counts, 200),
        ("mean_gamma_deviance", of_costs, 500),
        ("mean_tweedie_deviance@1.5", of_counts, 200),
        ("mean_squared_log_error", of_counts, 200),
        ("root_mean_squared_log_error", of_counts, 200),
        ("explained_variance", of_normals, 200),
        ("pearson", of_normals, 200),
    ],
)
def test_regression_keeps_its_level(name: str, draw: Draw, n: int) -> None:
    passed, accused = rates(name, draw, n, margin_of(name, draw, k=None), k=None, seed=31)

    assert passed <= MOST
    assert accused <= MOST


# -- classes ---------------------------------------------------------------------------------------------


def of_grades(rng: np.random.Generator, n: int) -> Models:
    """Five ordered grades; both models are mostly right or one grade off, the candidate more often off."""
    y = rng.choice(5, size=n, p=[0.1, 0.2, 0.4, 0.2, 0.1])
    u, found = rng.random(n), []
    for off in (0.30, 0.24):
        mixed = np.where(rng.random(n) < 0.6, u, rng.random(n))  # the two err together mostly
        step = np.where(mixed < off, np.where(rng.random(n) < 0.5, 1, -1), 0)
        found.append(Predicted(labels=np.clip(y + step, 0, 4)))
    return y, found[0], found[1]


def of_rare_negatives(rng: np.random.Generator, n: int) -> Models:
    y = (rng.random(n) < 0.7).astype(np.intp)
    u, found = rng.random(n), []
    for miss in (0.15, 0.10):
        mixed = np.where(rng.random(n) < 0.6, u, rng.random(n))
        found.append(Predicted(labels=np.where(mixed < miss, 1 - y, y)))
    return y, found[0], found[1]


def of_three_scores(rng: np.random.Generator, n: int) -> Models:
    y = rng.choice(3, size=n, p=[0.5, 0.3, 0.2])
    common, found = rng.normal(size=(n, 3)), []
    for signal in (1.0, 1.15):
        weight = np.exp(signal * np.eye(3)[y] + 0.7 * common + 0.7 * rng.normal(size=(n, 3)))
        found.append(Predicted(probability=weight / weight.sum(axis=1, keepdims=True)))
    return y, found[0], found[1]


@pytest.mark.parametrize(
    ("name", "draw", "n", "k"),
    [
        ("cohen_kappa_linear", of_grades, 200, 5),
        ("cohen_kappa_quadratic", of_grades, 200, 5),
        ("negative_predictive_value", of_rare_negatives, 200, 2),
        ("top_k_accuracy@2", of_three_scores, 200, 3),
        ("average_precision_weighted", of_three_scores, 200, 3),
        ("average_precision_micro", of_three_scores, 200, 3),
    ],
)
def test_classification_keeps_its_level(name: str, draw: Draw, n: int, k: int) -> None:
    passed, accused = rates(name, draw, n, margin_of(name, draw, k=k), k=k, seed=32)

    assert passed <= MOST
    assert accused <= MOST


# -- the largest distance of two curves -----------------------------------------------------------------


def normal_ks(shift: float) -> float:
    """Return the KS statistic of two normal scores that are so far apart."""
    return math.erf(shift / 2 / math.sqrt(2))


def shift_of(ks: float) -> float:
    low, high = 0.0, 10.0
    for _ in range(60):
        low, high = ((low + high) / 2, high) if normal_ks((low + high) / 2) < ks else (low, (low + high) / 2)
    return low


def of_curves(ks: tuple[float, float], coarse: int | None, positives: int) -> Draw:
    """Two models with these KS statistics; the coarse one says yes or no at its best threshold."""
    shifts = [shift_of(each) for each in ks]

    def draw(rng: np.random.Generator, n: int) -> Models:
        y = (np.arange(n) < positives).astype(np.intp)
        common, found = rng.normal(size=n), []
        for place, shift in enumerate(shifts):
            score = shift * y + math.sqrt(0.8) * common + math.sqrt(0.2) * rng.normal(size=n)
            found.append(Predicted(score=(score > shift / 2).astype(float) if place == coarse else score))
        return y, found[0], found[1]

    return draw


@pytest.mark.parametrize("coarse", [None, 0, 1])
@pytest.mark.parametrize(("ks", "positives"), [(0.4, 50), (0.8, 100)])
def test_ks_keeps_its_level_whichever_model_is_flattered(ks: float, positives: int, coarse: int) -> None:
    draw = of_curves((ks - 0.05, ks), coarse, positives)

    passed, accused = rates("ks_statistic", draw, 500, 0.05, k=2, seed=33, repetitions=600)

    most = 0.05 + 4 * math.sqrt(0.05 * 0.95 / 600)
    assert passed <= most
    assert accused <= most


def test_thresholds_of_the_same_rows_in_their_place_break_the_level() -> None:
    """The negative control: production is a fixed rule, so that only the candidate is flattered."""
    draw, rng, metric = of_curves((0.35, 0.4), 1, 50), np.random.default_rng(34), resolve("ks_statistic")
    passed = flattered = 0
    for _ in range(600):
        y, candidate, reference = draw(rng, 500)
        found = measure_pair(metric, sample(y, 2), candidate, reference).inference
        passed += found.bounds(0.05)[0] > -0.05
        flattered += found.inner.inner.bounds(0.05)[0] > -0.05  # type: ignore[attr-defined]

    assert passed / 600 <= 0.05
    assert flattered / 600 > 0.10


def test_a_floor_of_ks_is_kept_and_the_largest_value_in_its_place_does_not() -> None:
    draw, rng, metric = of_curves((0.4, 0.4), None, 100), np.random.default_rng(35), resolve("ks_statistic")
    passed = accused = flattered = 0
    for _ in range(600):
        y, candidate, _ = draw(rng, 500)
        found = measure_floor(metric, sample(y, 2), candidate, 0.4)
        passed += found.inference.bounds(0.05)[0] > 0
        accused += found.p_below(0.0) < 0.05
        flattered += found.inference.inner.inner.bounds(0.05)[0] > 0  # type: ignore[attr-defined]

    assert passed / 600 <= 0.06
    assert accused / 600 <= 0.06
    assert flattered / 600 > 0.12


# -- how close a coverage is to its level, where rows have groups ---------------------------------------


def test_coverage_keeps_its_level_in_groups_at_the_kink() -> None:
    """Production covers exactly 90 %, the candidate 84 %; rows of a group share a part of their error."""
    groups, n = np.arange(1_000) // 5, 1_000
    rng, metric = np.random.default_rng(36), resolve("quantile_coverage_error@0.9")
    quantile = {0.90: 1.2815515655446004, 0.84: 0.994457883209753}
    passed = accused = 0
    for _ in range(REPETITIONS):
        y = math.sqrt(0.4) * rng.normal(size=groups.max() + 1)[groups] + math.sqrt(0.6) * rng.normal(size=n)
        candidate, reference = (Predicted(value=np.full(n, quantile[level])) for level in (0.84, 0.90))
        found = measure_pair(metric, sample(y, None, groups=groups), candidate, reference)
        passed += found.inference.bounds(0.05)[0] > -0.06
        accused += found.p_below(-0.06) < 0.05

    assert passed / REPETITIONS <= MOST
    assert accused / REPETITIONS <= MOST
