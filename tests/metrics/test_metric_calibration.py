"""Calibration against statsmodels and plain definitions; what it does not exist on; its own symmetries."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.calibration import calibration_curve

from pytest_model_gate.errors import ConfigurationError, UndefinedMetricError
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

QUICK = settings(max_examples=30, deadline=None, derandomize=True)
SLOPE, INTERCEPT = resolve("calibration_slope_error"), resolve("calibration_intercept_error")
ECE = resolve("ece")
NAMES = ("calibration_slope_error", "calibration_intercept_error", "ece", "ece@5")


def drawn(n=400, seed=0, weighted=False, slope=0.7, intercept=0.3):
    rng = np.random.default_rng(seed)
    logit = rng.normal(-0.5, 1.5, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-(intercept + slope * logit)))).astype(np.intp)
    weight = rng.gamma(3.0, size=n) if weighted else None
    if weight is not None:
        weight /= weight.mean()
    truth = Truth(values=y, classes=("no", "yes"), weight=weight)
    return truth, Predicted(probability=1 / (1 + np.exp(-logit)))


def refitted(truth, predicted, *, slope):
    """Return intercept and slope of the logistic recalibration by statsmodels."""
    p = np.clip(predicted.probability, 1e-8, 1 - 1e-8)
    logit, weight = np.log(p / (1 - p)), np.ones(truth.n) if truth.weight is None else truth.weight
    design = sm.add_constant(logit) if slope else np.ones((truth.n, 1))
    model = sm.GLM(
        truth.values,
        design,
        family=sm.families.Binomial(),
        freq_weights=weight,
        offset=None if slope else logit,
    )
    return model.fit(tol=1e-15, maxiter=200).params


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_recalibration_is_that_of_statsmodels(seed, weighted):
    truth, predicted = drawn(seed=seed, weighted=weighted)
    slope, _ = SLOPE.deviation(truth, predicted)
    intercept, _ = INTERCEPT.deviation(truth, predicted)
    assert slope == pytest.approx(refitted(truth, predicted, slope=True)[1] - 1, abs=1e-12)
    assert intercept == pytest.approx(refitted(truth, predicted, slope=False)[0], abs=1e-12)
    assert SLOPE.value(truth, predicted) == abs(slope)
    assert INTERCEPT.value(truth, predicted) == abs(intercept)


@pytest.mark.parametrize("probability", [1e-12, 1 - 1e-7, 0.5])
def test_far_off_probabilities_are_fitted_too(probability):
    """Newton's method alone jumps out of reach there."""
    rng = np.random.default_rng(1)
    y, p = rng.integers(0, 2, 300), np.full(300, probability)
    p[:150] = 0.3
    truth, predicted = Truth(values=y, classes=(0, 1)), Predicted(probability=p)
    a, _ = INTERCEPT.deviation(truth, predicted)
    clipped = np.clip(p, 1e-8, 1 - 1e-8)
    odds = clipped / (1 - clipped) * np.exp(a)
    assert np.mean(odds / (1 + odds)) == pytest.approx(y.mean(), abs=1e-12)
    slope, psi = SLOPE.deviation(truth, predicted)
    assert np.isfinite(slope)
    assert abs(psi.mean()) < 1e-10 * np.abs(psi).max()


def by_definition(truth, predicted, bins):
    """Return the plain error and the one without noise, bin by bin."""
    p, y = predicted.probability, truth.values
    if p.ndim == 2:
        p, y = p.max(axis=1), (p.argmax(axis=1) == y).astype(float)
    w = np.ones(truth.n) if truth.weight is None else truth.weight
    plain, without, edges = 0.0, 0.0, np.linspace(0, 1, bins + 1)
    for low, high in pairwise(edges):
        inside = (p > low) & (p <= high) if low > 0 else p <= high
        r = np.sum(w[inside] * (y[inside] - p[inside])) / truth.n
        s = np.sqrt(np.sum(w[inside] ** 2 * p[inside] * (1 - p[inside]))) / truth.n
        plain += abs(r)
        without += r * (2 * stats.norm.cdf(r / s) - 1) - 2 * s * stats.norm.pdf(r / s) if s > 0 else abs(r)
    return plain, without


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bins", [5, 15, 40])
def test_the_binned_error_is_its_definition(bins, weighted):
    truth, predicted = drawn(weighted=weighted)
    plain, without = by_definition(truth, predicted, bins)
    assert resolve(f"ece@{bins}").value(truth, predicted) == pytest.approx(without, rel=1e-12)
    assert without < plain
    _, _, deviation, _ = resolve(f"ece@{bins}").binned(truth, predicted)
    assert np.abs(deviation).sum() == pytest.approx(plain, rel=1e-12)


def test_the_plain_error_is_that_of_scikit_learns_curve():
    truth, predicted = drawn(n=5000)
    share, mean = calibration_curve(truth.values, predicted.probability, n_bins=15)
    at, _, deviation, _ = ECE.binned(truth, predicted)
    rows = np.bincount(at, minlength=15)
    assert np.abs(deviation).sum() == pytest.approx(
        np.sum(rows[rows > 0] / truth.n * np.abs(share - mean)), rel=1e-12
    )


def test_the_binned_error_of_more_classes_is_that_of_the_most_probable_one():
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(4), size=600)
    truth = Truth(values=rng.integers(0, 4, 600), classes=tuple("abcd"))
    assert ECE.value(truth, Predicted(probability=p)) == pytest.approx(
        by_definition(truth, Predicted(probability=p), 15)[1], rel=1e-12
    )
    two = np.column_stack((1 - p[:, 0], p[:, 0]))
    binary = Truth(values=rng.integers(0, 2, 600), classes=(0, 1))
    for name in NAMES:
        one, both = (Predicted(probability=p[:, 0]), Predicted(probability=two))
        assert resolve(name).value(binary, one) == resolve(name).value(binary, both)


def test_a_calibrated_model_has_0_on_average_where_the_plain_error_is_noise():
    rng = np.random.default_rng(5)
    found, plain = [], []
    for _ in range(400):
        p = rng.random(500)
        truth = Truth(values=(rng.random(500) < p).astype(np.intp), classes=(0, 1))
        found.append(ECE.value(truth, Predicted(probability=p)))
        plain.append(np.abs(ECE.binned(truth, Predicted(probability=p))[2]).sum())
    assert abs(np.mean(found)) < 4 * np.std(found) / 20
    assert np.mean(plain) > 0.04
    # Far from calibrated, the two are the same.
    truth, predicted = Truth(values=np.ones(500, dtype=int), classes=(0, 1)), Predicted(probability=p / 2)
    assert ECE.value(truth, predicted) == pytest.approx(np.mean(1 - p / 2), rel=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_influence_is_the_derivative_by_the_weights(name, weighted):
    truth, predicted = drawn(n=120, seed=2, weighted=weighted)
    metric = resolve(name)
    psi = metric.influence(truth, predicted)
    weight, step = np.ones(120) if truth.weight is None else truth.weight, 1e-5

    def moved(row, h):
        w = weight.copy()
        w[row] *= 1 + h
        return metric.value(Truth(values=truth.values, classes=truth.classes, weight=w / w.mean()), predicted)

    rows = range(0, 120, 5)
    slopes = [120 * (moved(row, step) - moved(row, -step)) / (2 * step) for row in rows]
    np.testing.assert_allclose(psi[list(rows)], slopes, rtol=1e-6, atol=1e-7)
    assert abs(psi.mean()) < 1e-13


@st.composite
def two_classes(draw):
    n = draw(st.integers(2, 40))
    p = st.one_of(st.integers(0, 10).map(lambda i: i / 10), st.floats(0, 1))
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), dtype=np.intp)
    probability = np.array(draw(st.lists(p, min_size=n, max_size=n)))
    weight = None
    if draw(st.booleans()):
        # Extreme weights, too.
        weight = 10.0 ** np.array(draw(st.lists(st.integers(-6, 6), min_size=n, max_size=n)))
        weight /= weight.mean()
    return Truth(values=y, classes=(0, 1), weight=weight), Predicted(probability=probability)


@pytest.mark.parametrize("name", NAMES)
@given(data=two_classes(), seed=st.integers(0, 9))
@QUICK
def test_rows_in_any_order_and_no_number_that_is_none(name, data, seed):
    truth, predicted = data
    metric = resolve(name)
    try:
        value = metric.value(truth, predicted)
    except UndefinedMetricError as error:
        assert error.remedy  # noqa: PT017
        return
    assert np.isfinite(value)
    assert np.isfinite(metric.influence(truth, predicted)).all()
    order = np.random.default_rng(seed).permutation(truth.n)
    shuffled = Truth(
        values=truth.values[order],
        classes=(0, 1),
        weight=None if truth.weight is None else truth.weight[order],
    )
    assert metric.value(shuffled, predicted.subset(order)) == pytest.approx(value, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["calibration_slope_error", "calibration_intercept_error"])
def test_every_row_twice_with_half_the_weight_is_the_same(name):
    truth, predicted = drawn(weighted=True)
    twice = Truth(values=np.tile(truth.values, 2), classes=truth.classes, weight=np.tile(truth.weight, 2))
    again = Predicted(probability=np.tile(predicted.probability, 2))
    assert resolve(name).value(twice, again) == pytest.approx(resolve(name).value(truth, predicted), rel=1e-9)


SLICE = "\n  Check how the rows were selected; where this is a slice, raise its min_rows."
CONSTANT = Predicted(probability=np.full(4, 0.25))
Y = Truth(values=np.array([0, 1, 0, 1]), classes=("no", "yes"))


@pytest.mark.parametrize(
    ("name", "truth", "predicted", "text"),
    [
        (
            "calibration_slope_error",
            Truth(values=np.ones(4, dtype=int), classes=("no", "yes")),
            Predicted(probability=np.arange(4) / 4),
            "calibration_slope_error needs both classes; these 4 rows have none of class 'no'." + SLICE,
        ),
        (
            "calibration_slope_error",
            Y,
            CONSTANT,
            "calibration_slope_error needs probabilities that differ; all 4 are 0.25."
            "\n  Use log_loss or brier_score, which exist for them.",
        ),
        (
            "calibration_intercept_error",
            Y,
            CONSTANT,
            "calibration_intercept_error needs probabilities that differ; all 4 are 0.25."
            "\n  Use log_loss or brier_score, which exist for them.",
        ),
        (
            "calibration_slope_error",
            Y,
            Predicted(probability=np.array([0.1, 0.6, 0.2, 0.7])),
            "calibration_slope_error needs probabilities of the two classes that overlap; on these 4 rows "
            "one threshold tells the classes apart, so the slope is infinite."
            "\n  Judge more rows, or use log_loss or brier_score.",
        ),
        (
            "ece",
            Y,
            CONSTANT,
            "expected_calibration_error@15 needs probabilities that differ; all 4 rows have 0.25, which is "
            "calibrated or not whatever the model knows."
            "\n  Use brier_score or log_loss, which exist for them.",
        ),
    ],
)
def test_where_it_does_not_exist_the_sentence_says_why(name, truth, predicted, text):
    for ask in (resolve(name).value, resolve(name).influence):
        with pytest.raises(UndefinedMetricError) as caught:
            ask(truth, predicted)
        assert str(caught.value) == text


def test_a_worse_than_separated_model_has_no_slope_either():
    with pytest.raises(UndefinedMetricError, match="one threshold tells the classes apart"):
        SLOPE.value(Y, Predicted(probability=np.array([0.9, 0.3, 0.8, 0.3])))


def test_nobody_takes_the_slope_for_its_distance():
    with pytest.raises(ConfigurationError) as caught:
        resolve("calibration_slope")
    assert str(caught.value) == (
        "There is no metric 'calibration_slope'.\n  Did you mean 'calibration_slope_error'?"
    )
