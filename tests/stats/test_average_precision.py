"""The binormal guard of average precision: its curve, its promises, and its errors where influence errs."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.gate.measure import Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.average_precision import _EVERY, PairedPrecision, Precision, _curve, correlation
from pytest_model_gate.stats.design import Design

AP = resolve("average_precision")
NORMAL = NormalDist()


def drawn(
    rng: np.random.Generator, n: int, prevalence: float, areas: tuple[float, float], rho: float
) -> tuple[Sample, Predicted, Predicted]:
    """Draw two models whose scores are normal in each class, with these areas under the ROC curve."""
    y = (rng.random(n) < prevalence).astype(np.intp)
    noise = rng.normal(size=(2, n))
    noise[1] = rho * noise[0] + math.sqrt(1 - rho * rho) * noise[1]
    first, second = (
        Predicted(score=noise[i] + math.sqrt(2) * NORMAL.inv_cdf(area) * y) for i, area in enumerate(areas)
    )
    return Sample(truth=Truth(values=y, classes=(0, 1)), design=Design(n=n)), first, second


def true_value(prevalence: float, area: float) -> float:
    apart = math.sqrt(2) * NORMAL.inv_cdf(area)
    points = np.linspace(-7, 7 + apart, 4_001)
    density = np.exp(-np.square(points - apart) / 2)
    found = np.array([NORMAL.cdf(apart - t) for t in points])
    raised = np.array([NORMAL.cdf(-t) for t in points])
    precision = prevalence * found / (prevalence * found + (1 - prevalence) * raised)
    return float((density * precision).sum() / density.sum())


def test_the_standard_error_is_that_of_normal_classes() -> None:
    """At the true value of two normal classes it is the spread of the estimate over many samples."""
    n, prevalence, area = 2_000, 0.2, 0.85
    truth = true_value(prevalence, area)
    rng = np.random.default_rng(0)
    values = []
    for _ in range(400):
        sample, first, _ = drawn(rng, n, prevalence, (area, area), 0.0)
        values.append(AP.value(sample.truth, first))

    assert np.mean(values) == pytest.approx(truth, abs=0.005)
    assert Precision(truth, prevalence, n).standard_error == pytest.approx(np.std(values), rel=0.1)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    values=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    prevalence=st.sampled_from([0.005, 0.1, 0.5, 0.9]),
    rows=st.floats(10, 1e6),
    rho=st.floats(-1, 1),
    threshold=st.floats(-1, 1),
    alpha=st.sampled_from([0.3, 0.05, 1e-3]),
)
def test_bounds_contain_the_gain_and_agree_with_p(
    values: tuple[float, float], prevalence: float, rows: float, rho: float, threshold: float, alpha: float
) -> None:
    one, two = (Precision(value, prevalence, rows) for value in values)
    for found in (PairedPrecision(one, two, rho), one):
        low, high = found.bounds(alpha)
        assert math.isfinite(high - low)
        assert low <= found.gain <= high
        p = found.p_below(threshold)
        assert 0 <= p <= 1
        if abs(high - threshold) > 1e-6:
            assert (p < alpha) == (high < threshold)
    low, high = PairedPrecision(one, two, rho).bounds(alpha)
    assert PairedPrecision(two, one, rho).bounds(alpha) == (-high, -low)


def test_no_bound_depends_on_how_much_of_the_curve_was_looked_at() -> None:
    """From 1 % positives on, the distances of a value no worse than chance rise all along the curve."""
    for prevalence in (0.01, 0.013, 0.05, 0.2, 0.5, 0.8, 0.99):
        values, deviations = _curve(prevalence, _EVERY)
        for value in (
            *np.linspace(prevalence, 1, 200),
            *(1 - np.geomspace(1e-9, 0.1, 20) * (1 - prevalence)),
        ):
            away = (value - values) / deviations
            assert (np.diff(away) < 0).all()
            for z in (0.0, 0.5, 1.645, 6.0, 30.0):
                model = Precision(float(value), prevalence, 300.0)
                assert model.reach(z, upper=True) == pytest.approx(
                    max(0.0, np.interp(z, -away * math.sqrt(300), values) - value), abs=1e-13
                )
                assert model.reach(z, upper=False) == pytest.approx(
                    max(0.0, value - np.interp(-z, -away * math.sqrt(300), values)), abs=1e-13
                )


def test_a_perfect_model_has_a_width() -> None:
    low, high = Precision(1.0, 0.1, 300).bounds(0.05)
    assert (0.95 < low < 0.97, high) == (True, 1.0)


def test_correlation_of_what_says_nothing_is_none() -> None:
    x = np.array([1.0, 2, 4])
    assert correlation(x, x) == pytest.approx(1)
    assert correlation(x, -2 * x) == pytest.approx(-1)
    assert correlation(x, np.zeros(3)) == 0


def test_the_guard_is_used_for_few_rows_of_a_class_and_near_one() -> None:
    rng = np.random.default_rng(1)
    plain, without = "influence and tilted score", ", own hits left out"
    for n, prevalence, area, expected in (
        (600, 0.4, 0.8, plain),
        (300, 0.2, 0.8, f"{plain} and mover (binormal)"),
        (600, 0.4, 0.99, f"{plain} and mover (binormal)"),
        (12_000, 0.4, 0.8, "influence"),
    ):
        sample, first, second = drawn(rng, n, prevalence, (area, area), 0.5)
        found = measure_pair(AP, sample, first, second)
        mirrored = measure_pair(AP, sample, second, first)
        low, high = found.inference.bounds(0.05)
        assert found.inference.method == expected + without
        assert mirrored.inference.bounds(0.05) == (-high, -low)
    sample, first, _ = drawn(rng, 300, 0.2, (0.9, 0.9), 0.5)
    floor = measure_floor(AP, sample, first, 0.3)
    assert floor.inference.method == f"{plain} and binormal score{without}"


def test_a_candidate_at_the_margin_passes_at_its_level_near_one() -> None:
    """150 rows with 15 positives at most seldom show a positive that is ranked badly."""
    n, prevalence, areas = 250, 0.1, (0.983, 0.99)
    margin = true_value(prevalence, areas[1]) - true_value(prevalence, areas[0])
    rng = np.random.default_rng(2)
    wrong, plain, judged = 0, 0, 0
    repetitions = 500
    for _ in range(repetitions):
        sample, first, second = drawn(rng, n, prevalence, areas, 0.95)
        found = measure_pair(AP, sample, first, second)
        if found.caution:
            continue
        judged += 1
        wrong += found.inference.bounds(0.05)[0] > -margin
        psi = AP.influence(sample.truth, first) - AP.influence(sample.truth, second)
        gain = found.inference.gain
        plain += gain - 1.645 * float(np.sqrt((psi**2).sum())) / n > -margin

    assert judged > 0.6 * repetitions
    assert wrong / judged < 0.075
    # What this replaces, and must be caught.
    assert plain / judged > 0.10
