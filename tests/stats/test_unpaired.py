"""Two independent samples: published intervals, the likelihood by search, and exact error rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy import stats as peer

from pytest_model_gate.errors import UndefinedMetricError
from pytest_model_gate.stats.student import Student
from pytest_model_gate.stats.unpaired import Mover, UnpairedProportions, welch


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [  # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method of Miettinen and Nurminen
        ((56, 70, 48, 80), 0.0528, 0.3382),
        ((9, 10, 3, 10), 0.1700, 0.8406),
        ((5, 56, 0, 29), -0.0326, 0.1933),
        ((10, 10, 0, 20), 0.7156, 1.0000),
        ((10, 10, 0, 10), 0.6636, 1.0000),
    ],
)
def test_published_intervals(counts, low, high):
    assert UnpairedProportions(*counts).bounds(0.025) == pytest.approx((low, high), abs=5.1e-5)


@pytest.mark.parametrize("difference", [-0.4, -0.1, 0.0, 0.05, 0.3])
@pytest.mark.parametrize("counts", [(30, 50, 20, 60), (49, 50, 59, 60), (3, 10, 200, 900)])
def test_the_restricted_shares_have_the_greatest_likelihood(counts, difference):
    right, n, reference, rows = counts

    def loss(share: float) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            other = peer.binom.logpmf(reference, rows, share)
            return -(other + peer.binom.logpmf(right, n, share + difference))

    least, most = max(0.0, -difference), min(1.0, 1 - difference)
    best = optimize.minimize_scalar(loss, bounds=(least, most), method="bounded", options={"xatol": 1e-12})
    one, other = UnpairedProportions(*counts)._restricted(difference)
    assert one - other == pytest.approx(difference, abs=1e-12)
    assert other == pytest.approx(best.x, abs=1e-6)


@given(
    n=st.integers(1, 40),
    rows=st.integers(1, 40),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    alpha=st.sampled_from([0.3, 0.05, 0.001]),
)
@settings(deadline=None, derandomize=True)
def test_bounds_hold_the_difference_mirror_and_agree_with_the_p_value(n, rows, shares, alpha):
    right, reference = round(shares[0] * n), round(shares[1] * rows)
    found = UnpairedProportions(right, n, reference, rows)
    low, high = found.bounds(alpha)
    assert -1 <= low <= found.gain <= high <= 1
    assert UnpairedProportions(reference, rows, right, n).bounds(alpha) == pytest.approx(
        (-high, -low), abs=1e-9
    )
    if high < 1:
        assert found.p_below(high + 1e-7) < alpha + 1e-9
        if high - found.gain > 1e-6:
            assert found.p_below(high - 1e-7) >= alpha - 1e-9


@pytest.mark.parametrize(("n", "rows"), [(20, 20), (30, 60), (100, 100), (150, 50)])
@pytest.mark.parametrize("margin", [0.02, 0.05, 0.1])
def test_exact_error_rates_at_the_margin(n, rows, margin):
    """Enumerate both binomials: no share of production's lets more pass than the allowance of hard cells."""
    tables = np.array(
        [[UnpairedProportions(i, n, j, rows).p_below(-margin) for j in range(rows + 1)] for i in range(n + 1)]
    )
    lower = np.array(
        [
            [1 - UnpairedProportions(i, n, j, rows).p_below(-margin) for j in range(rows + 1)]
            for i in range(n + 1)
        ]
    )
    for share in (0.6, 0.75, 0.9, 0.95):
        chance = np.outer(
            peer.binom.pmf(np.arange(n + 1), n, share - margin),
            peer.binom.pmf(np.arange(rows + 1), rows, share),
        )
        assert (chance * (lower < 0.05)).sum() <= 0.075
        assert (chance * (tables < 0.05)).sum() <= 0.075


def test_wald_is_caught_by_the_same_enumeration():
    n, share, margin = 20, 0.95, 0.02
    right = np.arange(n + 1) / n
    gain = right[:, None] - right[None, :]
    error = np.sqrt((right * (1 - right) / n)[:, None] + (right * (1 - right) / n)[None, :])
    chance = np.outer(
        peer.binom.pmf(np.arange(n + 1), n, share - margin), peer.binom.pmf(np.arange(n + 1), n, share)
    )
    assert (chance * (gain - 1.645 * error > -margin)).sum() > 0.12


def student(gain: float, error: float, df: float = 50, skew: float = 0.0) -> Student:
    return Student(gain, error, df, "influence", "", skew)


def test_welch_has_the_degrees_of_freedom_of_welch_and_satterthwaite():
    one, other = np.random.default_rng(0).normal(size=(2, 40))
    other = other[:15] * 3
    found = welch(
        student(one.mean(), one.std(ddof=1) / np.sqrt(40), 39),
        student(other.mean(), other.std(ddof=1) / 15**0.5, 14),
    )
    theirs = peer.ttest_ind(one, other, equal_var=False)
    assert found.df == pytest.approx(theirs.df, rel=1e-12)
    interval = theirs.confidence_interval(0.9)
    assert found.bounds(0.05) == pytest.approx((interval.low, interval.high), rel=1e-12)


def test_the_skewness_of_a_difference_of_equally_skewed_means_is_none():
    assert welch(student(1, 0.1, skew=0.3), student(2, 0.1, skew=0.3)).skew == pytest.approx(0.0)
    assert welch(student(1, 0.1, skew=0.3), student(2, 0.0)).skew == pytest.approx(0.3)


def test_mover_of_two_symmetric_intervals_is_their_normal_difference():
    found = Mover(student(0.8, 0.03, 1e9), student(0.7, 0.04, 1e9))
    assert found.standard_error == pytest.approx(0.05)
    low, high = found.bounds(0.05)
    assert (low, high) == pytest.approx((0.1 - 1.6449 * 0.05, 0.1 + 1.6449 * 0.05), abs=1e-4)
    assert found.p_below(high) == pytest.approx(0.05, abs=1e-6)
    assert found.p_below(0.1) == pytest.approx(0.5)


def test_no_rows_are_refused():
    with pytest.raises(UndefinedMetricError, match="at least 1 row, got 0"):
        UnpairedProportions(0, 0, 1, 2)
