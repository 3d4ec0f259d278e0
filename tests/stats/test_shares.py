"""Shares of classes: p-values against R, bounds against every set of classes, error rates by enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from pytest_model_gate.stats import multinomial
from pytest_model_gate.stats.multinomial import p_of_shares
from pytest_model_gate.stats.shares import MOST_CLASSES, Shares

ALPHA = 0.05

# ------------------------------------------------------------------- p-values: reference/multinomial.R


@pytest.mark.parametrize(
    ("counts", "shares", "p", "name"),
    [
        ((1, 9), (0.5, 0.5), 0.02148437500000001, "exact binomial"),
        ((0, 20), (0.1, 0.9), 0.254529978024905, "exact binomial"),
        ((30, 70), (0.22, 0.78), 0.0690072538641498, "exact binomial"),
        ((5, 995), (0.01, 0.99), 0.14855183112334067, "exact binomial"),
        ((480, 519), (0.5, 0.5), 0.229242914870177, "exact binomial"),
        ((5, 3, 2), (0.2, 0.3, 0.5), 0.0420302125000002, "exact multinomial"),
        ((0, 4, 16), (0.1, 0.3, 0.6), 0.167425921078245, "exact multinomial"),
        ((10, 20, 30, 40), (0.25,) * 4, 0.000104015373697366, "exact multinomial"),
        ((7, 1, 1, 1, 2), (0.3, 0.3, 0.2, 0.1, 0.1), 0.131507625844, "exact multinomial"),
        ((20, 30, 11), (1 / 3,) * 3, 0.0109367753596807, "exact multinomial"),
    ],
)
def test_exact_p_values_of_r(counts, shares, p, name):
    found, how = p_of_shares(counts, shares)
    assert how == name
    assert found == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize(
    ("counts", "shares", "p"),
    [
        ((700, 300, 250), (0.5, 0.25, 0.25), 1.67017007902457e-05),
        ((5100, 4900), (0.5, 0.5), 0.0455002638963585),
    ],
)
def test_chi_squared_of_r(monkeypatch, counts, shares, p):
    monkeypatch.setattr(multinomial, "MOST_OUTCOMES", 1000)
    found, how = p_of_shares(counts, shares)
    assert how == "chi-squared"
    assert found == pytest.approx(p, rel=1e-12)


def test_many_outcomes_are_not_enumerated():
    assert p_of_shares((700, 300, 999), (0.35, 0.15, 0.5))[1] == "chi-squared"
    # The two agree where both can be had.
    exact = p_of_shares((700, 300, 250), (0.5, 0.25, 0.25))
    assert exact == (pytest.approx(1.3136630176e-05, rel=1e-6), "exact multinomial")


def test_a_class_that_must_not_occur():
    assert p_of_shares((5, 5, 1), (0.5, 0.5, 0.0)) == (0.0, "exact")
    assert p_of_shares((5, 5, 0), (0.5, 0.5, 0.0)) == p_of_shares((5, 5), (0.5, 0.5))
    assert p_of_shares((5,), (1.0,)) == (1.0, "exact")


# ----------------------------------------------------------------------------- bounds of the distance


@pytest.mark.parametrize(("right", "n"), [(1, 10), (0, 20), (30, 100), (995, 1000)])
def test_two_classes_have_the_interval_of_binom_test(right, n):
    # In reference/multinomial.R: the two-sided Clopper-Pearson interval.
    ends = {
        (1, 10): (0.00252857854446179, 0.44501611702819543),
        (0, 20): (0.0, 0.168433470983085),
        (30, 100): (0.2124064204895366, 0.3998146761798040),
        (995, 1000): (1 - 0.01162947055981212, 1 - 0.00162541951756276),
    }[right, n]
    low, high = Shares((right, n - right), (0.5, 0.5)).bounds(ALPHA)
    assert low == pytest.approx(max(0.0, ends[0] - 0.5, 0.5 - ends[1]), abs=1e-12)
    assert high == pytest.approx(max(ends[1] - 0.5, 0.5 - ends[0]), abs=1e-12)


def _every_set(counts, expected, alpha):
    n, k = sum(counts), len(counts)
    level, low, high = alpha / (2**k - 2), 0.0, 0.0
    for chosen in itertools.product((False, True), repeat=k):
        if any(chosen) and not all(chosen):
            inside = sum(itertools.compress(counts, chosen))
            agreed = sum(itertools.compress(expected, chosen))
            if inside:
                low = max(low, stats.beta.ppf(level, inside, n - inside + 1) - agreed)
            upper = 1.0 if inside == n else stats.beta.isf(level, inside + 1, n - inside)
            high = max(high, upper - agreed)
    return low, high


cells = st.integers(2, 6).flatmap(
    lambda k: st.tuples(
        st.lists(st.integers(0, 400), min_size=k, max_size=k).filter(any),
        st.lists(st.integers(1, 100), min_size=k, max_size=k),
    )
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(cells)
def test_bounds_hold_the_distance_and_are_those_of_every_set(case):
    counts, weights = case
    expected = tuple(weight / sum(weights) for weight in weights)
    found = Shares(tuple(counts), expected)
    low, high = found.bounds(ALPHA)
    every_low, every_high = _every_set(counts, expected, ALPHA)
    assert 0 <= low <= found.distance + 1e-12
    assert found.distance <= high <= 1
    assert low <= every_low + 1e-9  # those that come first are some of them, and nearly always the best
    assert high == pytest.approx(min(1.0, max(every_high, found.distance)), abs=1e-9)
    order = np.random.default_rng(0).permutation(len(counts))
    turned = Shares(tuple(counts[i] for i in order), tuple(expected[i] for i in order))
    assert turned.distance == pytest.approx(found.distance, abs=1e-12)
    assert turned.bounds(ALPHA)[1] == pytest.approx(high, abs=1e-12)


def test_distance_is_the_least_mass_to_move():
    # Total variation is the cost of the cheapest transport, by linear programming.
    counts, expected = (30, 50, 15, 5), (0.4, 0.3, 0.2, 0.1)
    cost = 1 - np.eye(4)
    rows = np.array([np.kron(np.eye(4)[i], np.ones(4)) for i in range(4)])
    columns = np.array([np.kron(np.ones(4), np.eye(4)[i]) for i in range(4)])
    shares = np.array(counts) / sum(counts)
    best = optimize.linprog(
        cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([shares, expected])
    )
    assert Shares(counts, expected).distance == pytest.approx(best.fun, abs=1e-9)


def test_many_classes_have_bounds_and_too_many_have_none():
    many = Shares((10,) * 200, (1 / 200,) * 200)
    low, high = many.bounds(ALPHA)
    assert low == 0.0
    assert many.distance == pytest.approx(0, abs=1e-12)
    assert 0.15 < high < 0.25
    assert Shares((1,) * (MOST_CLASSES + 1), (1 / 1001,) * 1001).bounds(ALPHA) == (0.0, 1.0)
    assert Shares((7,), (1.0,)).bounds(ALPHA) == (0.0, 0.0)


# ------------------------------------------------------------- one-sided error rates at the tolerance


def _wald(x, n, expected):
    p = x / n
    half = stats.norm.isf(ALPHA / 2) * math.sqrt(max(p * (1 - p), 1e-12) / n)
    return max(0.0, p - half - expected, expected - p - half), max(p + half - expected, expected - p + half)


def _rates(bounds_of, n, expected, tolerance, p):
    """Return how often the rule is called broken and proven kept, over all outcomes of n rows."""
    x = np.arange(n + 1)
    likely = stats.binom.pmf(x, n, p)
    found = np.array([bounds_of(int(i), n, expected) for i in x])
    return likely[found[:, 0] > tolerance].sum(), likely[found[:, 1] <= tolerance].sum()


CELLS = [
    (n, expected, tolerance)
    for n in (20, 50, 200, 600)
    for expected in (0.5, 0.22, 0.05)
    for tolerance in (0.0, 0.02, 0.05)
]


@pytest.mark.parametrize(("n", "expected", "tolerance"), CELLS)
def test_neither_error_is_more_frequent_than_alpha(n, expected, tolerance):
    def ours(x, n, expected):
        return Shares((x, n - x), (expected, 1 - expected)).bounds(ALPHA)

    for p in {expected + tolerance, max(0.0, expected - tolerance)}:
        broken, _ = _rates(ours, n, expected, tolerance, p)
        assert broken <= ALPHA
        # Just outside: the smallest difference for which "kept" is wrong.
        outside = p + math.copysign(1e-9, p - expected) if p != expected else p + 1e-9
        _, kept = _rates(ours, n, expected, tolerance, min(1.0, max(0.0, outside)))
        assert kept <= ALPHA


def test_the_harness_catches_bounds_that_err():
    worst = max(_rates(_wald, n, e, t, max(0.0, e - t))[0] for n, e, t in CELLS)
    assert worst > 2 * ALPHA


def test_goodmans_intervals_err_with_rare_classes_and_these_do_not():
    # Goodman (1965): score intervals at alpha / K for each class. The number stands in the documents.
    def goodman(x, n, expected):
        z2 = stats.chi2.isf(ALPHA / 2, 1)
        half = math.sqrt(z2 * (z2 + 4 * x * (n - x) / n))
        low, high = ((z2 + 2 * x + sign * half) / (2 * (n + z2)) for sign in (-1, 1))
        return max(0.0, low - expected, expected - high), max(high - expected, expected - low)

    def ours(x, n, expected):
        return Shares((x, n - x), (expected, 1 - expected)).bounds(ALPHA)

    assert _rates(goodman, 100, 0.001, 0.0, 0.001)[0] == pytest.approx(0.0952, abs=1e-4)
    assert _rates(ours, 100, 0.001, 0.0, 0.001)[0] <= ALPHA


@pytest.mark.parametrize("k", [3, 5, 8])
@pytest.mark.parametrize("n", [60, 2000])
def test_error_rates_of_more_classes(k, n):
    rng = np.random.default_rng(k * n)
    expected = np.arange(1, k + 1) / (k * (k + 1) / 2)
    tolerance = 0.05
    truth = expected.copy()
    truth[0] += tolerance
    truth[-1] -= tolerance
    draws = rng.multinomial(n, truth, size=1500)
    bounds = [Shares(tuple(map(int, row)), tuple(expected)).bounds(ALPHA) for row in draws]
    broken = np.mean([low > tolerance for low, _ in bounds])
    kept = np.mean([high <= tolerance for _, high in bounds])
    assert max(broken, kept) <= ALPHA
    # And far away from it the rule does say so.
    far = expected[::-1]
    draws = rng.multinomial(2000, far, size=200)
    assert all(Shares(tuple(map(int, row)), tuple(expected)).bounds(ALPHA)[0] > tolerance for row in draws)
