"""The level that several candidates share: against exact probabilities, and its error rate at the margin."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from pytest_model_gate.stats.simultaneous import any_passes, loadings, simultaneous_level

ALPHA = 0.05


def alike(m: int, r: float) -> np.ndarray:
    found = np.full((m, m), r)
    np.fill_diagonal(found, 1.0)
    return found


def truth(matrix: np.ndarray, level: float) -> float:
    """Return the exact chance that the largest of correlated normal numbers is beyond its bound."""
    m = len(matrix)
    return 1 - multivariate_normal(np.zeros(m), matrix, allow_singular=True, seed=1).cdf(
        np.full(m, norm.isf(level))
    )


@pytest.mark.parametrize("m", [2, 3, 5, 10])
@pytest.mark.parametrize("loading", [0.0, 0.3, 0.6, 0.9])
def test_the_chance_of_one_factor_is_exact(m, loading):
    found = any_passes(0.01, (loading,) * m)
    assert found == pytest.approx(truth(alike(m, loading**2), 0.01), abs=2e-5)


def test_two_independent_candidates_and_two_that_are_one():
    assert any_passes(0.02, (0.0, 0.0)) == pytest.approx(1 - 0.98**2, abs=1e-9)
    # Šidák's level, in three digits, rounded down; and one that may not be taken for 0.05 itself.
    assert simultaneous_level(alike(2, 0.0), ALPHA) == 0.0253
    assert 0.04 < simultaneous_level(alike(2, 1.0), ALPHA) < ALPHA


@given(seed=st.integers(0, 10_000), m=st.integers(2, 6), rank=st.integers(1, 4), same=st.floats(0, 3))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_the_level_is_never_too_large_whatever_the_correlations(seed, m, rank, same):
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(m, rank)) + same
    cov = factors @ factors.T + np.diag(rng.uniform(0.05, 2, size=m))
    spread = np.sqrt(np.diag(cov))
    matrix = cov / np.outer(spread, spread)
    level = simultaneous_level(matrix, ALPHA)
    assert ALPHA / m <= level <= ALPHA
    assert truth(matrix, level) <= ALPHA + 3e-4
    order = rng.permutation(m)
    assert simultaneous_level(matrix[np.ix_(order, order)], ALPHA) == level


def test_what_is_not_known_or_negative_gets_bonferronis_share():
    assert simultaneous_level(np.full((4, 4), np.nan), ALPHA) == ALPHA / 4
    assert simultaneous_level(alike(3, -0.4), ALPHA) == ALPHA / 3
    matrix = alike(3, 0.8)
    matrix[2, :] = matrix[:, 2] = np.nan
    factor, apart = loadings(matrix)
    assert (factor, apart) == ((0.89, 0.89), 1)
    level = simultaneous_level(matrix, ALPHA)
    assert ALPHA / 3 < level < simultaneous_level(alike(3, 0.8), ALPHA)
    assert truth(alike(2, 0.8), level) + level <= ALPHA


def test_one_strange_candidate_costs_the_others_little():
    matrix = alike(4, 0.9)
    matrix[3, :3] = matrix[:3, 3] = -0.1
    factor, apart = loadings(matrix)
    assert (factor, apart) == ((0.94,) * 3, 1)


REPEATS, ROWS, CANDIDATES = 2_000, 300, 5
#: Three standard errors of a simulated share.
NOISE = 3 * np.sqrt(ALPHA * (1 - ALPHA) / REPEATS)


@cache
def at_the_margin(r: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw five equal candidates, all exactly as bad as is not allowed any more.

    Return how many standard errors each is above that in a sample, and the correlations that it shows.
    """
    rng = np.random.default_rng(59)
    common = rng.normal(size=(REPEATS, ROWS, 1))
    own = rng.gamma(4.0, 0.5, size=(REPEATS, ROWS, CANDIDATES)) - 2.0  # losses are skewed
    gains = np.sqrt(r) * common + np.sqrt(1 - r) * own
    mean = gains.mean(axis=1)
    gains -= mean[:, None, :]
    cov = np.einsum("rni,rnj->rij", gains, gains)
    spread = np.sqrt(np.einsum("rii->ri", cov))
    error = spread / np.sqrt(ROWS * (ROWS - 1))
    return mean / error, cov / (spread[:, :, None] * spread[:, None, :])


def wrong(statistic: np.ndarray, levels: np.ndarray | float) -> float:
    """Return how often the best, and with it any, has its lower bound above what is required."""
    return float((statistic.max(axis=1) > norm.isf(levels)).mean())


@pytest.mark.parametrize("r", [0.0, 0.5, 0.9])
def test_whoever_is_chosen_the_error_stays(r):
    statistic, correlations = at_the_margin(r)
    levels = np.array([simultaneous_level(each, ALPHA) for each in correlations])
    found = wrong(statistic, levels)
    assert found <= ALPHA + NOISE
    # Not by being useless: Bonferroni's shares err less.
    assert found >= wrong(statistic, ALPHA / CANDIDATES)
    assert found > 0.025


@pytest.mark.parametrize("r", [0.0, 0.5, 0.9])
def test_picking_the_best_without_a_correction_is_caught(r):
    statistic, _ = at_the_margin(r)
    assert wrong(statistic, ALPHA) > ALPHA + 2 * NOISE
