"""The difference of two absolute values: exact where a sign is known, and honest at the kink."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.stats.distances import Distances, Estimate

PHI, Z = NormalDist().cdf, NormalDist().inv_cdf(0.95)
MANY = 1e9  # degrees of freedom: normal

numbers = st.floats(-5, 5).map(lambda x: round(x, 3))
errors = st.floats(0.01, 2)


@st.composite
def distances(draw):
    first, second = (Estimate(draw(numbers), draw(errors)) for _ in range(2))
    correlation = draw(st.floats(-1, 1))
    both = first.standard_error**2 + second.standard_error**2
    shared = 2 * correlation * first.standard_error * second.standard_error
    return Distances(
        first,
        second,
        max(0.0, both - shared) ** 0.5,
        max(0.0, both + shared) ** 0.5,
        draw(st.integers(4, 500)),
    )


@given(found=distances(), alpha=st.floats(0.001, 0.2))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_bounds_hold_the_gain_mirror_and_agree_with_the_p_value(found, alpha):
    low, high = found.bounds(alpha)
    assert low <= found.gain <= high
    swapped = Distances(found.reference, found.candidate, found.of_difference, found.of_sum, found.df)
    assert swapped.bounds(alpha) == (-high, -low)
    assert swapped.gain == -found.gain
    if high > found.gain:
        assert found.p_below(high + 1e-9 * (1 + abs(high))) <= alpha * (1 + 1e-6)
        assert found.p_below(high - 1e-9 * (1 + abs(high))) >= alpha * (1 - 1e-6)
    narrower = found.bounds(min(0.4, 2 * alpha))
    assert low <= narrower[0]
    assert narrower[1] <= high


def test_far_from_the_kink_it_is_the_plain_interval():
    found = Distances(Estimate(-3.0, 0.1), Estimate(2.0, 0.2), 0.15, 0.3, MANY)
    # -3 and 2: the gain 2 - 3 is the sum of the two estimates.
    assert found.bounds(0.05) == pytest.approx((-1 - Z * 0.3, -1 + Z * 0.3), rel=1e-6)
    assert found.p_below(-0.8) == pytest.approx(PHI(-0.2 / 0.3), rel=1e-6)
    assert found.standard_error == pytest.approx(0.3, rel=1e-6)
    same = Distances(Estimate(3.0, 0.1), Estimate(2.0, 0.2), 0.15, 0.3, MANY)
    assert same.bounds(0.05) == pytest.approx((-1 - Z * 0.15, -1 + Z * 0.15), rel=1e-6)


def test_a_ceiling_that_is_known_takes_no_correction():
    found = Distances(Estimate(0.02, 0.1), Estimate(0.5, 0.0), 0.1, 0.1, MANY)
    # It passes at 0.5 where |0.02| + 1.645 standard errors is below it, for the side that is nearer.
    assert found.bounds(0.05)[0] == pytest.approx(0.48 - Z * 0.1, rel=1e-6)


def one_sided(a, b, covariance, draws=60_000, alpha=0.05):
    """Return how often the bounds and the normal interval miss the truth, on either side."""
    rng = np.random.default_rng(11)
    truth = abs(b) - abs(a)
    points = rng.multivariate_normal([a, b], covariance, size=draws)
    se = np.sqrt(np.diag(covariance))
    of_difference, of_sum = (
        np.sqrt(covariance[0][0] + covariance[1][1] + sign * 2 * covariance[0][1]) for sign in (-1, 1)
    )
    missed = np.zeros(4)
    # The vectorised twin of Distances.bounds; agreement is tested below.
    x, y = points.T
    for side, (first, second, se_second) in enumerate(((x, y, se[1]), (y, x, se[0]))):
        certain = np.abs(second) > 5 * se_second
        q = np.where(certain, NormalDist().inv_cdf(1 - alpha), NormalDist().inv_cdf(1 - alpha / 2))
        upper = np.full(draws, -np.inf)
        for s in (1, -1):
            options = [
                np.where(
                    certain & (np.sign(second) != t),
                    np.inf,
                    s * first - t * second + q * (of_difference if s == t else of_sum),
                )
                for t in (1, -1)
            ]
            upper = np.maximum(upper, np.minimum(*options))
        most = -truth if side == 0 else truth
        missed[side] = np.mean(upper < most)
        slope = np.where(np.sign(first) == np.sign(second), of_difference, of_sum)
        missed[2 + side] = np.mean(np.abs(first) - np.abs(second) + Z * slope < most)
        if side == 0:
            for i in range(5):
                found = Distances(Estimate(x[i], se[0]), Estimate(y[i], se[1]), of_difference, of_sum, MANY)
                assert found.bounds(alpha)[0] == pytest.approx(-upper[i], rel=1e-5)
    return missed


@pytest.mark.parametrize("correlation", [0.0, 0.8, -0.8])
@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 0), (1, 1), (2, -1), (0.3, 3), (8, 7), (6, 0)])
def test_it_keeps_its_level_wherever_the_truth_is(a, b, correlation):
    missed = one_sided(a, b, [[1, correlation], [correlation, 1]])
    assert (missed[:2] <= 0.05 + 4 * (0.05 * 0.95 / 60_000) ** 0.5).all(), missed


def test_the_normal_interval_in_its_place_is_caught():
    missed = one_sided(1, 0, [[1, 0.8], [0.8, 1]])
    assert missed[2] > 0.15
