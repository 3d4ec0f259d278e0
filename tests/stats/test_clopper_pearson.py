"""The exact bounds of one proportion against scipy, and why they are not Wilson's."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_model_gate.stats.clopper_pearson import Proportion


@pytest.mark.parametrize(("right", "n"), [(0, 7), (7, 7), (1, 1), (9, 10), (95, 100), (99_000, 100_000)])
def test_bounds_are_scipys_exact_interval(right: int, n: int) -> None:
    expected = stats.binomtest(right, n).proportion_ci(0.9, method="exact")

    low, high = Proportion(right, n, floor=0.25).bounds(0.05)

    assert (low + 0.25, high + 0.25) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("right", "n", "share"), [(9, 10, 0.99), (95, 100, 0.97), (0, 5, 0.3)])
def test_p_is_the_binomial_tail(right: int, n: int, share: float) -> None:
    expected = stats.binomtest(right, n, share, alternative="less").pvalue

    assert Proportion(right, n, floor=0.5).p_below(share - 0.5) == pytest.approx(expected, rel=1e-10)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.integers(1, 300), st.floats(0, 1), st.floats(0.001, 0.45), st.floats(-0.2, 1.2))
def test_duality_and_containment(n: int, share: float, alpha: float, t: float) -> None:
    found = Proportion(round(share * n), n)
    low, high = found.bounds(alpha)

    assert 0 <= low <= found.gain <= high <= 1
    if abs(t - high) > 1e-9:
        assert (found.p_below(t) < alpha) == (high < t)


def test_wilson_would_pass_floors_near_one_too_often() -> None:
    """The decision for exact bounds, in numbers: the greatest exact error of both over floors and sizes."""
    z = NormalDist().inv_cdf(0.95)
    worst = {"exact": 0.0, "wilson": 0.0}
    for floor in (0.9, 0.95, 0.99):
        for n in range(20, 400, 3):
            right = np.arange(n + 1)
            exact = stats.beta.ppf(0.05, right[1:], n - right[1:] + 1) > floor
            share = right / n
            wilson = (share - floor) / np.sqrt(floor * (1 - floor) / n) > z
            mass = stats.binom.pmf(right, n, floor)
            worst["exact"] = max(worst["exact"], float(mass[1:][exact].sum()))
            worst["wilson"] = max(worst["wilson"], float(mass[wilson].sum()))

    assert worst["exact"] <= 0.05
    assert worst["wilson"] > 0.065
    assert Proportion(59, 59, floor=0.95).bounds(0.05)[0] > 0
    assert Proportion(58, 58, floor=0.95).bounds(0.05)[0] < 0
