"""Distances of shares from their target: the bounds by exact enumeration, at the kink and away from it."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln

from pytest_model_gate.stats.closeness import close_of_counts, closer_of_counts, side, signed
from pytest_model_gate.stats.student import Student
from pytest_model_gate.stats.tango import PairedProportions

QUICK = settings(max_examples=100, deadline=None, derandomize=True)
COUNTS = st.tuples(*[st.integers(0, 30)] * 4).filter(any)
TARGETS = st.sampled_from([0.05, 0.1, 0.5, 0.9])


@given(COUNTS, TARGETS)
@QUICK
def test_the_bounds_contain_the_gain_and_swap_with_the_models(counts, target):
    n11, n10, n01, n00 = counts
    n = sum(counts)
    found, swapped = (closer_of_counts(n11, *only, n00, target) for only in ((n10, n01), (n01, n10)))

    assert found.gain == pytest.approx(abs((n11 + n01) / n - target) - abs((n11 + n10) / n - target))
    for alpha in (0.05, 0.2):
        low, high = found.bounds(alpha)
        assert low <= found.gain <= high
        assert (-high, -low) == swapped.bounds(alpha)
        assert found.p_below(high + 1e-7) < alpha or high + 1e-7 > 1
        assert found.p_below(high - 1e-7) >= alpha
    assert found.standard_error > 0
    assert found.p_below(found.gain) == 1.0
    assert (found.method, found.caution) == ("tango, both signs", "")


@given(st.integers(1, 60), st.data(), TARGETS, st.sampled_from([0.02, 0.3]))
@QUICK
def test_one_share(n, data, target, allowed):
    found = close_of_counts(data.draw(st.integers(0, n)), n, target, allowed)

    for alpha in (0.05, 0.2):
        low, high = found.bounds(alpha)
        assert low <= found.gain <= high <= allowed
        assert found.p_below(high + 1e-7) < alpha
        assert found.p_below(high - 1e-7) >= alpha
    assert found.method == "clopper-pearson, both signs"


def test_on_which_side_a_share_lies():
    assert [side(0.051, 0.01), side(-0.051, 0.01), side(0.049, 0.01), side(0.0, 0.0)] == [1, -1, 0, 0]


def test_both_signs_of_an_inference_mirror():
    both = signed(Student(0.02, 0.01, 50, "influence"))

    assert both.low(0.05) == -both.sign(-1).high(0.05)
    assert both.high(0.05) == -both.sign(-1).low(0.05)


# -- exact one-sided errors, the truth at the margin ----------------------------------------------------


def every_table(n):
    """Return all ways in which n rows can fall into the four cells."""
    return np.array([(a, b, c, n - a - b - c) for a, b, c in itertools.product(range(n + 1), repeat=3)
                     if a + b + c <= n])  # fmt: skip


def by_one_slope(n11, n10, n01, n00, target):
    """Return what is below a margin if the signs of both deviations are taken for known: Tango's test."""
    n = n11 + n10 + n01 + n00
    candidate, reference = (n11 + n10) / n - target, (n11 + n01) / n - target
    if (candidate > 0) == (reference > 0):
        pair = PairedProportions(n10, n01, n) if candidate > 0 else PairedProportions(n01, n10, n)
        return pair.p_below
    pair, shift = PairedProportions(n11, n00, n), 1 - 2 * target
    if candidate < 0:
        pair, shift = PairedProportions(n00, n11, n), -shift
    return lambda margin: pair.p_below(margin - shift)


def truths(target, margin):
    """Yield the cells of models at the margin: production on target or off it, alike or not."""
    for reference in np.clip(target + np.array([0, 0.005, 0.02, 0.05, -0.02, -0.05, -0.1]), 0.01, 0.99):
        for discordant, sign in itertools.product((0.02, 0.1, 0.3, 0.9), (1, -1)):
            candidate = target + sign * (abs(reference - target) + margin)
            both = max(discordant, abs(candidate - reference))
            only = ((both + candidate - reference) / 2, (both - candidate + reference) / 2)
            cells = np.array([reference - only[1], *only, 1 - reference - only[0]])
            if cells.min() >= 0:
                yield cells


@pytest.mark.parametrize("n", [20, 40])
@pytest.mark.parametrize("target", [0.5, 0.9])
def test_one_sided_errors_are_kept_at_the_kink_and_one_slope_breaks_them(n, target):
    tables = every_table(n)
    ways = gammaln(n + 1) - gammaln(tables + 1).sum(axis=1)
    worst = np.zeros(3)
    for margin in (0.02, 0.05, 0.1):
        judged = []
        for n11, n10, n01, n00 in tables.tolist():
            # The lower bound of a gain is the upper one of the swapped models.
            passes = closer_of_counts(n11, n01, n10, n00, target).p_below(margin) < 0.05
            accused = closer_of_counts(n11, n10, n01, n00, target).p_below(-margin) < 0.05
            judged.append((passes, accused, by_one_slope(n11, n10, n01, n00, target)(margin) < 0.05))
        for cells in truths(target, margin):
            with np.errstate(divide="ignore", invalid="ignore"):
                terms = tables * np.log(cells)
            chance = np.exp(ways + np.where(tables == 0, 0, terms).sum(axis=1))
            assert chance.sum() == pytest.approx(1)
            worst = np.maximum(worst, chance @ np.array(judged, dtype=float))

    assert worst[0] < 0.05
    assert worst[1] < 0.056
    assert worst[2] > 0.09  # the negative control


@pytest.mark.parametrize("n", [10, 50, 200])
@pytest.mark.parametrize("target", [0.5, 0.9])
def test_a_ceiling_is_kept_exactly(n, target):
    counts = np.arange(n + 1)
    for allowed in (0.02, 0.05):
        found = [close_of_counts(int(count), n, target, allowed) for count in counts]
        passes = np.array([each.bounds(0.05)[0] > 0 for each in found])
        accused = np.array([each.p_below(0.0) < 0.05 for each in found])
        for share in (target - allowed, target + allowed):
            chance = np.exp(
                gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
                + counts * math.log(share) + (n - counts) * math.log1p(-share)
            )  # fmt: skip
            assert chance @ passes <= 0.05
            assert chance @ accused <= 0.05
