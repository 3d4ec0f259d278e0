"""A relative tolerance of proportions: close to Tango's for small shares, and exact errors for large ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln

from pytest_model_gate.stats.relative import RelativeProportions
from pytest_model_gate.stats.tango import PairedProportions

cells = st.tuples(*[st.integers(0, 80)] * 4).filter(sum)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(cells, st.floats(-0.5, 0.5), st.floats(0.001, 0.45), st.floats(-1, 1))
def test_containment_and_duality(
    counts: tuple[int, int, int, int], relative: float, alpha: float, t: float
) -> None:
    n11, n10, n01, _ = counts
    found = RelativeProportions(PairedProportions(n10, n01, sum(counts)), n11 + n01, relative)
    low, high = found.bounds(alpha)

    assert low <= found.gain <= high
    assert 0 <= found.p_below(t) <= 1
    if found.p_below(t) < alpha and abs(t - high) > 1e-9:
        assert high < t
    assert found.standard_error >= 0


def test_without_a_share_it_is_tangos() -> None:
    paired = PairedProportions(7, 12, 200)
    found = RelativeProportions(paired, 150, 0.0)

    assert found.bounds(0.05) == pytest.approx(paired.bounds(0.05), abs=1e-14)
    assert found.standard_error == pytest.approx(paired.standard_error)


def test_standard_error_is_that_of_the_contrast() -> None:
    candidate = np.repeat([1, 1, 0, 0], [60, 4, 11, 25])
    reference = np.repeat([1, 0, 1, 0], [60, 4, 11, 25])
    found = RelativeProportions(PairedProportions(4, 11, 100), 71, 0.2)

    assert found.standard_error == pytest.approx(np.std(candidate - 0.8 * reference) / 10, rel=1e-12)


@pytest.mark.parametrize("relative", [0.05, 0.2])
@pytest.mark.parametrize("n", [20, 40])
def test_exact_errors_at_the_margin(n: int, relative: float) -> None:
    """All tables are enumerated, with the truth exactly at the margin."""
    table = np.array(
        [(a, b, c) for a in range(n + 1) for b in range(n + 1 - a) for c in range(n + 1 - a - b)]
    )
    n11, n10, n01 = table.T
    n00 = n - n11 - n10 - n01
    passes, accuses = np.empty(len(table), bool), np.empty(len(table), bool)
    for i, (both, only, other) in enumerate(table.tolist()):
        found = RelativeProportions(PairedProportions(only, other, n), both + other, relative)
        low, high = found.bounds(0.05)
        margin = relative * (both + other) / n
        passes[i], accuses[i] = low > -margin, high < -margin
    ways = gammaln(n + 1) - sum(gammaln(each + 1) for each in (n11, n10, n01, n00))
    for share in (0.7, 0.9):
        for only in (0.01, 0.05):
            cell = np.array([share * (1 - relative) - only, only, share * relative + only])
            p = np.exp(ways + table @ np.log(cell) + n00 * math.log(1 - cell.sum()))
            assert p.sum() == pytest.approx(1)
            assert p @ passes <= 0.06
            assert p @ accuses <= 0.07
