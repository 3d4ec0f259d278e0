"""Tango's interval against published tables, direct maximum likelihood and exact enumeration."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from pytest_model_gate.stats.tango import PairedProportions

Z = NormalDist().inv_cdf


@pytest.mark.parametrize(
    ("n10", "n01", "n", "low", "high"),
    [
        # Complete response before and after consolidation therapy (Cavo et al. 2012: 59, 6, 16, 80), and
        # airway hyper-responsiveness (Bentur et al. 2009: 1, 1, 7, 12), both 95 % intervals as in Fagerland,
        # Lydersen and Laake, Statistical Analysis of Contingency Tables, chapter 8.
        pytest.param(6, 16, 161, -0.1240, -0.0054, id="consolidation therapy"),
        pytest.param(1, 7, 21, -0.517, -0.026, id="airway hyper-responsiveness"),
    ],
)
def test_published_intervals(n10: int, n01: int, n: int, low: float, high: float) -> None:
    found = PairedProportions(n10, n01, n).bounds(0.025)

    assert found == pytest.approx((low, high), abs=5e-4)


def _score_by_likelihood(n10: int, n01: int, n: int, d: float) -> float:
    """Return the score statistic with the nuisance proportion found by numerical maximum likelihood."""
    rest = n - n10 - n01

    def minus_log_likelihood(q: float) -> float:
        cells = ((n10, q + d), (n01, q), (rest, 1 - 2 * q - d))
        return -sum(count * math.log(max(p, 1e-300)) for count, p in cells if count)

    low, high = max(0.0, -d), (1 - d) / 2
    q = minimize_scalar(
        minus_log_likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-13}
    ).x
    return (n10 - n01 - n * d) / math.sqrt(n * (2 * q + d - d * d))


@pytest.mark.parametrize(
    ("n10", "n01", "n"), [(1, 0, 44), (3, 9, 100), (0, 5, 20), (12, 12, 50), (40, 2, 60), (7, 1, 7 + 1)]
)
@pytest.mark.parametrize("alpha", [0.025, 0.05, 0.2])
def test_bounds_solve_the_score_equation_of_direct_maximum_likelihood(
    n10: int, n01: int, n: int, alpha: float
) -> None:
    low, high = PairedProportions(n10, n01, n).bounds(alpha)

    z = Z(1 - alpha)
    assert _score_by_likelihood(n10, n01, n, low) == pytest.approx(z, abs=2e-5)
    assert _score_by_likelihood(n10, n01, n, high) == pytest.approx(-z, abs=2e-5)


@pytest.mark.parametrize("n", [1, 2, 10, 268, 269, 10_000_000])
def test_without_discordance_the_bounds_are_closed_form(n: int) -> None:
    z2 = Z(0.95) ** 2

    low, high = PairedProportions(0, 0, n).bounds(0.05)

    assert high == pytest.approx(z2 / (n + z2), rel=1e-12)
    assert low == -high
    assert (low > -0.01) == (n >= 268)


@pytest.mark.parametrize(("n10", "n01"), [(5, 0), (0, 5), (1, 0)])
def test_all_rows_discordant(n10: int, n01: int) -> None:
    paired = PairedProportions(n10, n01, n10 + n01)
    low, high = paired.bounds(0.05)

    assert low <= paired.gain <= high
    assert (high == 1) == (n01 == 0)
    assert (low == -1) == (n10 == 0)
    assert paired.p_below(0.0) == pytest.approx(1 - paired_mirror(paired).p_below(0.0), abs=1e-15)


def paired_mirror(paired: PairedProportions) -> PairedProportions:
    return PairedProportions(paired.n01, paired.n10, paired.n)


counts = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 400)).filter(sum)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(counts, st.floats(0.001, 0.45), st.floats(-0.999, 0.999))
def test_mirror_duality_and_containment(cells: tuple[int, int, int], alpha: float, t: float) -> None:
    n10, n01, rest = cells
    paired = PairedProportions(n10, n01, n10 + n01 + rest)
    low, high = paired.bounds(alpha)

    assert -1 <= low <= paired.gain <= high <= 1
    assert paired_mirror(paired).bounds(alpha) == (-high, -low)
    assert math.isfinite(paired.standard_error)
    if abs(t - high) > 1e-9:
        assert (paired.p_below(t) < alpha) == (high < t)


def _worst_errors(n: int, margin: float) -> tuple[float, float, float]:
    """Return the greatest exact errors with the truth at the margin: passing, accusing, and Wald's passing.

    All discordant counts are enumerated with their trinomial probabilities, over a sweep of the discordance
    that the margin leaves open, up to one half.
    """
    n10, n01 = (a.ravel() for a in np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij"))
    keep = n10 + n01 <= n
    n10, n01 = n10[keep], n01[keep]
    coefficient = gammaln(n + 1) - gammaln(n10 + 1) - gammaln(n01 + 1) - gammaln(n - n10 - n01 + 1)
    p_below = np.array(
        [PairedProportions(int(a), int(b), n).p_below(-margin) for a, b in zip(n10, n01, strict=True)]
    )
    gain, discordant = (n10 - n01) / n, (n10 + n01) / n
    wald = gain - Z(0.95) * np.sqrt(np.maximum(0, discordant - gain**2) / n) > -margin
    events = np.stack([p_below > 0.95, p_below < 0.05, wald])
    worst = np.zeros(3)
    for p10 in np.concatenate([np.geomspace(1e-5, 0.05, 30), np.linspace(0.06, 0.25 - margin / 2, 12)]):
        p01 = p10 + margin
        log_p = coefficient + n10 * np.log(p10) + n01 * np.log(p01) + (n - n10 - n01) * np.log1p(-p10 - p01)
        worst = np.maximum(worst, events @ np.exp(log_p))
    return float(worst[0]), float(worst[1]), float(worst[2])


@pytest.mark.parametrize("n", [10, 30, 50, 100, 200])
@pytest.mark.parametrize("margin", [0.02, 0.05, 0.1])
def test_exact_one_sided_errors_at_the_margin(n: int, margin: float) -> None:
    passing, accusing, wald = _worst_errors(n, margin)

    assert passing <= 0.058
    # The score test is less exact where nearly every discordant row speaks against the candidate.
    assert accusing <= 0.088
    if n * margin <= 1:
        # The negative control: the same enumeration catches Wald's test.
        assert wald > 0.3
