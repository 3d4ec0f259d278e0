"""Sums of absolute deviations: the bias in closed form, and what is allowed for it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from pytest_model_gate.metrics.reliability import _without_noise
from pytest_model_gate.stats import bins
from pytest_model_gate.stats.bins import Side, from_bins
from pytest_model_gate.stats.design import Design


def bias(rho, assumed, real):
    tau = np.hypot(assumed, real)
    return -2 * abs(rho) * stats.norm.cdf(-abs(rho) / tau) + 2 * (
        real**2 - assumed**2
    ) / tau * stats.norm.pdf(rho / tau)


@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0, 4.0])
@pytest.mark.parametrize(("assumed", "real"), [(1.0, 1.0), (1.0, 1.8), (0.5, 1.0)])
def test_the_bias_is_what_the_closed_form_says(rho, assumed, real):
    def part(x):
        return float(_without_noise(np.array([x]), np.array([assumed]))[0]) * stats.norm.pdf(x, rho, real)

    mean, _ = integrate.quad(part, rho - 12 * real, rho + 12 * real, points=[0.0, rho], limit=200)
    assert mean - rho == pytest.approx(bias(rho, assumed, real), abs=1e-9)


@pytest.mark.parametrize(("assumed", "real"), [(1.0, 1.0), (1.0, 1.8), (0.2, 1.0)])
def test_the_allowance_covers_the_bias_wherever_the_deviation_is(assumed, real):
    rho = np.linspace(0, 12, 2001)
    side = side_of(np.zeros(4, int), np.ones(4) * real * 2, deviation=[0.0], noise=[assumed])
    off = bins._off(side, Design(n=4))
    found = bias(rho, assumed, real)
    assert off.down[0] >= -found.min()
    assert off.up[0] >= found.max() - 1e-12
    # Not much more than needed, where both are equal.
    if assumed == real:
        assert off.down[0] == pytest.approx(-found.min(), rel=1e-5)
        assert off.up[0] == 0
    # Far away nothing is allowed.
    far = side_of(np.zeros(4, int), np.ones(4) * real * 2, deviation=[12.0 * real], noise=[assumed])
    assert bins._off(far, Design(n=4)).down[0] < 1e-6 * real


@pytest.mark.parametrize(("assumed", "real"), [(1.0, 1.0), (1.0, 1.8), (0.2, 1.0)])
def test_the_bias_changes_at_most_one_and_a_half_times_as_fast_as_the_deviation(assumed, real):
    rho = np.linspace(-9, 9, 4001)
    assert np.abs(np.diff(bias(rho, assumed, real)) / np.diff(rho)).max() <= 1.5


def side_of(at, residual, deviation=None, noise=None):
    m = int(at.max()) + 1
    found = np.bincount(at, weights=residual, minlength=m) / len(at)
    return Side(
        bin=at,
        residual=residual,
        deviation=found if deviation is None else np.array(deviation),
        noise=np.sqrt(np.bincount(at, weights=residual**2, minlength=m)) / len(at)
        if noise is None
        else np.array(noise),
    )


def drawn(seed=0, n=600, m=8):
    rng = np.random.default_rng(seed)
    return [side_of(rng.integers(0, m, n), rng.normal(0.02, 0.4, n)) for _ in range(2)]


@pytest.mark.parametrize("groups", [None, np.arange(600) // 4])
def test_swapping_the_models_mirrors_to_the_last_digit(groups):
    first, second = drawn()
    design = Design(n=600, groups=groups)
    found, mirrored = from_bins(0.01, first, second, design), from_bins(-0.01, second, first, design)
    low, high = found.bounds(0.05)
    assert mirrored.bounds(0.05) == (-high, -low)
    assert low < 0.01 < high
    assert found.p_below(high + 1e-9) < 0.05 <= found.p_below(high - 1e-9)
    assert found.p_below(0.01) >= 0.5
    assert 2 * 1.6449 * found.standard_error == pytest.approx(high - low, rel=0.01)


def test_the_same_model_twice_has_an_interval_of_next_to_no_width():
    first, _ = drawn()
    found = from_bins(0.0, first, first, Design(n=600))
    assert found.bounds(0.05) == (0.0, 0.0)


def test_few_telling_bins_are_a_caution():
    rng = np.random.default_rng(0)
    at = np.where(rng.random(600) < 0.97, 0, rng.integers(0, 8, 600))
    found = from_bins(0.0, side_of(at, rng.normal(0, 0.4, 600)), None, Design(n=600))
    assert found.caution == "nearly all rows lie in 2.2 bins, and an interval needs 4 or more"


@pytest.mark.parametrize(("bins", "said"), [(1, "1 bin"), (2, "2 bins")])
def test_a_whole_number_of_bins_is_written_as_one(bins, said):
    rng = np.random.default_rng(0)
    found = from_bins(0.0, side_of(np.arange(600) % bins, rng.normal(0, 0.4, 600)), None, Design(n=600))
    assert found.caution == f"nearly all rows lie in {said}, and an interval needs 4 or more"
