"""The paired t interval of mean losses: textbook values, skewness correction, degenerate rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import stdtr

from pytest_model_gate.errors import UndefinedMetricError
from pytest_model_gate.stats.mean import mean_of_rows
from pytest_model_gate.stats.student import Student


def test_without_skewness_it_is_scipys_paired_t() -> None:
    half = np.linspace(0.01, 0.5, 20)  # no heavier tails than a normal variable
    values = np.concatenate([0.3 + half, 0.3 - half])  # symmetric: no skewness at all
    expected = stats.ttest_1samp(values, 0.1, alternative="less")

    found = mean_of_rows(values)

    assert found.skew == pytest.approx(0, abs=1e-15)
    assert found.p_below(0.1) == pytest.approx(expected.pvalue, rel=1e-10)
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(0.9)
    assert found.bounds(0.05) == pytest.approx((interval.low, interval.high), rel=1e-10)


def test_the_correction_is_halls_transformation_where_it_widens() -> None:
    values = np.random.default_rng(1).exponential(size=50) ** 2
    found = mean_of_rows(values)
    n, gamma = len(values), stats.skew(values)
    low, high = found.bounds(0.05)

    t = (values.mean() - high) / (values.std(ddof=1) / math.sqrt(n))
    # Hall 1992: T + a g T^2 / sqrt(n) + (a g)^2 T^3 / (3 n) + b g / sqrt(n), with a = 1/3, b = 1/6
    transformed = t + gamma * t**2 / 3 / n**0.5 + (gamma / 3) ** 2 * t**3 / 3 / n + gamma / 6 / n**0.5
    assert stdtr(found.df, transformed) == pytest.approx(0.05, rel=1e-9)
    # The other bound is plain.
    t = (values.mean() - low) / (values.std(ddof=1) / math.sqrt(n))
    assert stdtr(found.df, t) == pytest.approx(0.95, rel=1e-9)
    assert found.bounds(0.05)[1] - values.mean() > 1.3 * (values.mean() - low)


def test_degrees_of_freedom_are_those_of_the_fourth_moment() -> None:
    """A variance of normal values varies as 2 / (n - 1) says, that of others by their kurtosis."""
    heavy = np.random.default_rng(2).standard_t(4, size=400)
    kurtosis = stats.kurtosis(heavy, fisher=False)
    assert kurtosis > 4

    assert mean_of_rows(heavy).df == pytest.approx(2 * 400 / (kurtosis - 1), rel=1e-10)
    assert mean_of_rows(np.linspace(-1, 1, 400)).df == 399


def test_a_few_rows_that_carry_the_spread_are_a_caution() -> None:
    values = np.zeros(300)
    values[:3] = (1.0, -1.0, 2.0)
    found = mean_of_rows(values)

    assert found.caution == (
        "a few of 300 rows carry nearly all of the spread: it is known as if from 5.1 rows, and at least 6 "
        "are needed"
    )
    assert mean_of_rows(np.concatenate((np.zeros(300), np.tile([1.0, -1.0], 4)))).caution == ""


finite = st.floats(-1e6, 1e6)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(finite, st.floats(0, 1e4), st.integers(1, 500), st.floats(-0.99, 0.99), st.floats(0.001, 0.49), finite)
@example(1.0, 2.2e-309, 1, 0.0, 0.25, 0.0)  # the studentised value overflows
@example(1.0, 2.2e-309, 1, -0.5, 0.25, 2.0)
def test_mirror_duality_and_containment(
    gain: float, error: float, df: int, skew: float, alpha: float, t: float
) -> None:
    found = Student(gain, error, df, "t", skew=skew)
    low, high = found.bounds(alpha)

    assert math.isfinite(low)
    assert math.isfinite(high)
    assert low <= gain <= high
    assert Student(-gain, error, df, "t", skew=-skew).bounds(alpha) == (-high, -low)
    assert 0 <= found.p_below(t) <= 1
    if abs(t - high) > 1e-9 * max(1.0, abs(high), error):
        assert (found.p_below(t) < alpha) == (high < t)


def test_skewness_correction_lowers_the_one_sided_error_of_heavy_tails() -> None:
    """Squared exponential losses, true mean 2; the upper bound misses too often, with correction less so."""
    rng = np.random.default_rng(11)
    for n, plain_at_least, corrected_at_most in ((30, 0.17, 0.12), (100, 0.105, 0.09), (1000, 0.06, 0.06)):
        repetitions = 4000
        values = rng.exponential(size=(repetitions, n)) ** 2
        mean, sd = values.mean(axis=1), values.std(axis=1, ddof=1)
        skew = stats.skew(values, axis=1) / math.sqrt(n)
        found = [
            Student(m, s / math.sqrt(n), n - 1, "t", skew=k) for m, s, k in zip(mean, sd, skew, strict=True)
        ]
        corrected = np.mean([each.p_below(2.0) < 0.05 for each in found])
        t = (mean - 2.0) / (sd / math.sqrt(n))
        plain = np.mean(stdtr(n - 1, t) < 0.05)
        above = np.mean([each.p_below(2.0) > 0.95 for each in found])

        assert plain > plain_at_least
        assert corrected < min(corrected_at_most, plain - 0.005)
        # The other side does not pay for it.
        assert above <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / repetitions)


def test_fewer_than_two_rows() -> None:
    with pytest.raises(UndefinedMetricError) as caught:
        mean_of_rows(np.array([1.0]))

    assert str(caught.value) == (
        "An interval needs at least 2 rows, got 1.\n  Judge more rows, or set min_rows for slices."
    )


def test_rows_without_spread_are_not_trusted_while_there_are_few() -> None:
    few, many = mean_of_rows(np.full(299, 0.1)), mean_of_rows(np.full(300, 0.1))

    assert few.caution == "299 rows that all say the same show no spread"
    assert many.caution == ""
    assert many.bounds(0.05) == (pytest.approx(0.1), pytest.approx(0.1))
    assert (many.p_below(0.0999), many.p_below(0.1001)) == (1.0, 0.0)
    # Rounding error of large losses is no spread.
    assert mean_of_rows(1000 + np.full(20, 0.1) - 1000, size=1000).standard_error == 0
