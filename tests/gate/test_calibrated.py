"""Calibration errors keep their level where they have a kink, in every design; a plain interval does not."""

from __future__ import annotations

from functools import cache
from math import sqrt

import numpy as np
import pytest
from scipy.special import ndtr

from pytest_model_gate import Verdict, compare
from pytest_model_gate.gate.measure import Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design

#: Four standard deviations of a rate of 5 % above what is promised.
R = 400
MOST = 0.05 + 4 * sqrt(0.05 * 0.95 / R)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def two_models(rng, n, make, group=0):
    """Return the truth and two models whose probabilities are right before ``make`` moves them."""
    z = rng.normal(size=n)
    if group:
        z = sqrt(0.5) * (np.repeat(rng.normal(size=n // group), group) + z)
    common, found = rng.normal(size=n), []
    for shared, warp in make:
        signal = 0.7 * z + sqrt(0.51) * (shared * common + sqrt(1 - shared**2) * rng.normal(size=n))
        found.append(warp(ndtr(0.7 * signal / sqrt(0.51))))
    return (z > 0).astype(np.intp), found


def right(p):
    return p


def shifted(by):
    return lambda p: np.clip(p + by, 0, 1)


def bent(by):
    return lambda p: sigmoid(by * np.log(np.clip(p, 1e-9, 1 - 1e-9) / (1 - np.clip(p, 1e-9, 1 - 1e-9))))


@cache
def population():
    """Return what a model that is right says of many rows."""
    _, (p,) = two_models(np.random.default_rng(99), 2_000_000, [(0, right)])
    return p


def binned_truth(make, bins=15):
    """Return the error of each model in the population."""
    p, found = population(), []
    for _, warp in make:
        q = warp(p)
        at = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], q)
        found.append(np.abs(np.bincount(at, weights=p - q, minlength=bins)).sum() / len(p))
    return found


def plain_sides(y, probabilities, bins=15):
    """The interval that one would write first: the plain error, signs taken for known."""
    value, psi = [], []
    for p in probabilities:
        at = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], p)
        r = np.bincount(at, weights=y - p, minlength=bins) / len(y)
        value.append(np.abs(r).sum())
        psi.append(np.sign(r)[at] * (y - p))
    error = np.std(psi[0] - psi[1]) / sqrt(len(y))
    return value[1] - value[0] - 1.6449 * error, value[1] - value[0] + 1.6449 * error


N = 1200
ONE_SIGMA = sqrt(0.16 * 15 / N)
MODELS = {
    "both calibrated": [(0.9, right), (0.9, right)],
    "candidate off by the noise of a bin": [(0.9, shifted(ONE_SIGMA)), (0.9, right)],
    "production off by the noise of a bin": [(0.9, right), (0.9, shifted(ONE_SIGMA))],
    "both far off": [(0.8, bent(1.5)), (0.8, bent(0.6))],
}


@pytest.mark.parametrize("group", [0, 8])
@pytest.mark.parametrize("models", MODELS)
def test_the_binned_error_keeps_its_level(models, group):
    make, metric = MODELS[models], resolve("ece")
    truth = binned_truth(make)
    gain, rng, missed = truth[1] - truth[0], np.random.default_rng(1), np.zeros(4)
    design = Design(n=N, groups=np.arange(N) // group if group else None)
    for _ in range(R):
        y, (first, second) = two_models(rng, N, make, group)
        sample = Sample(truth=Truth(values=y, classes=(0, 1)), design=design)
        found = measure_pair(metric, sample, Predicted(probability=first), Predicted(probability=second))
        low, high = found.inference.bounds(0.05)
        assert not found.caution
        missed[:2] += low > gain, high < gain
        if truth[0] > 0.001:
            low, high = measure_floor(
                metric, sample, Predicted(probability=first), truth[0]
            ).inference.bounds(0.05)
            missed[2:] += low > 0, high < 0
    assert (missed / R <= MOST).all(), missed / R


def test_the_plain_binned_error_with_known_signs_is_caught():
    make = MODELS["candidate off by the noise of a bin"]
    truth = binned_truth(make)
    gain, rng, passed = truth[1] - truth[0], np.random.default_rng(1), 0
    for _ in range(R):
        y, probabilities = two_models(rng, N, make)
        passed += plain_sides(y, probabilities)[0] > gain
    assert passed / R > 0.2


SLOPES = {
    "both right": ((1, 1), (0, 0)),
    "candidate too bold": ((0.8, 1), (0.3, 0)),
    "candidate too timid": ((1.2, 1), (-0.3, 0)),
    "on either side": ((0.8, 1.1), (0.3, -0.2)),
    "both too bold": ((0.7, 0.8), (0.4, 0.3)),
}


@pytest.mark.parametrize("models", SLOPES)
def test_slope_and_intercept_keep_their_level(models):
    """A model that says (logit - a) / b of the true logit has the slope b, exactly."""
    slopes, shifts = SLOPES[models]
    metric, rng, n = resolve("calibration_slope_error"), np.random.default_rng(2), 300
    gain, missed = abs(slopes[1] - 1) - abs(slopes[0] - 1), np.zeros(4)
    for _ in range(R):
        logit = rng.normal(0, 1.5, n)
        y = (rng.random(n) < sigmoid(logit)).astype(np.intp)
        models_say = [
            Predicted(probability=sigmoid((logit - a) / b)) for a, b in zip(shifts, slopes, strict=True)
        ]
        sample = Sample(truth=Truth(values=y, classes=(0, 1)), design=Design(n=n))
        low, high = measure_pair(metric, sample, *models_say).inference.bounds(0.05)
        missed[:2] += low > gain, high < gain
        ceiling = measure_floor(metric, sample, models_say[0], max(abs(slopes[0] - 1), 1e-9))
        low, high = ceiling.inference.bounds(0.05)
        missed[2:] += low > 0, high < 0
    assert (missed / R <= MOST).all(), missed / R


def test_a_comparison_of_two_calibrated_models_passes_with_rows_enough():
    rng = np.random.default_rng(3)
    y, (first, second) = two_models(rng, 60_000, MODELS["both calibrated"])
    ece = compare(y, first, second, metric="ece", max_regression=0.02)
    assert ece.verdict is Verdict.PASS
    assert ece.interval.method == "bins, allowing for bias"
    slope = compare(y, first, second, metric="calibration_slope_error", max_regression=0.05)
    assert slope.verdict is Verdict.PASS
    assert slope.interval.method == "projection"
    bold = compare(y, bent(2)(first), second, metric="calibration_slope_error", max_regression=0.05)
    assert bold.verdict is Verdict.REGRESSED
    assert compare(y, bent(2)(first), second, metric="ece", max_regression=0.02).verdict is Verdict.REGRESSED


@pytest.mark.parametrize(
    ("metric", "groups", "reason"),
    [
        (
            "calibration_slope_error",
            49,
            "49 groups are too few for an interval of calibration_slope_error, at least 50 are needed",
        ),
        ("ece", 19, "19 groups are too few for an interval of bins, at least 20 are needed"),
    ],
)
def test_few_groups_are_a_caution(metric, groups, reason):
    y, (first, second) = two_models(np.random.default_rng(6), 2000, MODELS["both calibrated"])
    found = compare(y, first, second, metric=metric, groups=np.arange(2000) % groups, max_regression=0.9)
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, reason)
    more = compare(y, first, second, metric=metric, groups=np.arange(2000) % (groups + 1), max_regression=0.9)
    assert more.verdict is Verdict.PASS


def test_few_rows_of_a_class_are_a_caution():
    rng = np.random.default_rng(4)
    y = (np.arange(300) < 15).astype(np.intp)
    p = [np.clip(0.05 + 0.1 * y + 0.05 * rng.normal(size=300), 0.01, 0.9) for _ in range(2)]
    found = compare(y, *p, metric="calibration_slope_error", max_regression=0.1)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == (
        "15 rows of class 1 are too few for an interval of calibration_slope_error, at least 20 are needed"
    )
