"""Effects of drift against R (tests/stats/reference/drift.R), scipy and statsmodels."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon
from statsmodels.stats.multitest import multipletests

from pytest_model_gate.stats.drift.effect import folded_low
from pytest_model_gate.stats.drift.false_discovery import benjamini_hochberg
from pytest_model_gate.stats.drift.levels import (
    Table,
    chi2,
    chi2_p,
    cramer_v,
    jensen_shannon,
    psi_of,
    stability,
    total_variation,
)
from pytest_model_gate.stats.drift.missing import missing_shift
from pytest_model_gate.stats.drift.noncentral import noncentral_bounds
from pytest_model_gate.stats.drift.pair import Pair
from pytest_model_gate.stats.drift.ranks import area_effect
from pytest_model_gate.stats.drift.smirnov import smirnov_effect
from pytest_model_gate.stats.drift.transport import transport_effect
from pytest_model_gate.stats.drift.two_sample import told_apart

X = np.array([1.1, 2.3, 0.4, 3.8, 2.9, 1.7, 0.9, 2.2, 3.1, 1.5, 2.7, 0.2])
Y = np.array([2.0, 3.5, 4.1, 2.8, 3.9, 1.9, 4.4, 3.3, 2.6, 5.0])
P = np.array([120, 80, 40, 30, 30])
Q = np.array([90, 95, 50, 25, 60])
MEASURES = (area_effect, smirnov_effect, lambda pair, alpha: transport_effect(pair, alpha, None))


def test_kolmogorov_smirnov_is_that_of_r():
    found = smirnov_effect(Pair.of(X, Y), 0.05)
    assert found.effect == pytest.approx(0.516666666666667)
    assert found.p == pytest.approx(0.0735672995734855, rel=1e-12)
    tied = smirnov_effect(Pair.of(X.round(), Y.round()), 0.05)
    assert tied.effect == pytest.approx(0.466666666666667)
    assert tied.p == pytest.approx(0.0554151730622258, rel=1e-12)


def test_the_limit_is_that_of_r_where_no_exact_p_value_is_counted():
    normal = stats.norm.ppf
    x = normal((np.arange(1, 401) - 0.5) / 400)
    y = 0.3 + 1.2 * normal((np.arange(1, 501) - 0.5) / 500)
    found = smirnov_effect(Pair.of(x, y), 0.05)
    assert found.effect == pytest.approx(0.1295)
    assert found.p == pytest.approx(0.00115888462792491, rel=1e-9)


def test_ties_make_the_limit_too_large_and_never_too_small():
    rng = np.random.default_rng(5)
    x, y = rng.integers(0, 3, 90).astype(float), rng.integers(0, 3, 90).astype(float)
    exact = smirnov_effect(Pair.of(x, y), 0.05)
    limit = stats.kstwobign.sf(exact.effect * math.sqrt(45))
    assert exact.p < limit


def test_exact_p_values_are_those_of_all_orders():
    x, y = np.array([1.0, 2.0, 2.0, 4.0]), np.array([2.0, 3.0, 5.0])
    pooled = np.concatenate([x, y])
    found = smirnov_effect(Pair.of(x, y), 0.05)
    as_far = [
        smirnov_effect(Pair.of(pooled[list(chosen)], np.delete(pooled, chosen)), 0.05).effect
        >= found.effect - 1e-12
        for chosen in itertools.combinations(range(7), 4)
    ]
    assert found.p == pytest.approx(np.mean(as_far))


def test_the_area_is_the_mann_whitney_statistic_of_r():
    assert area_effect(Pair.of(X, Y), 0.05).raw == pytest.approx(0.825)


def test_chi_squared_and_the_distances_are_those_of_r():
    table = Table(P, Q)
    assert chi2(table) == pytest.approx(16.5091029341029)
    assert chi2_p(table) == pytest.approx(0.0024068510934546)
    assert cramer_v(table, 0.05).raw == pytest.approx(0.163179610790029)
    assert psi_of(table).value == pytest.approx(0.107169045610818)
    assert jensen_shannon(table, 0.05).raw == pytest.approx(0.139547436566581)
    assert total_variation(table, 0.05).raw == pytest.approx(0.140625)
    assert transport_effect(Pair.of(X, Y), 0.05, None).raw == pytest.approx(1.2889756915215)


def test_the_p_value_of_a_sparse_table_is_simulated_as_r_does():
    # R: 0.019053 from 999,999 tables, 0.0193 by Fisher's test; 1,999 tables err by 0.003.
    found = chi2_p(Table(np.array([9, 3, 1]), np.array([2, 4, 6])), seed=1)
    assert found == pytest.approx(0.019053, abs=0.009)


def test_psi_is_compared_with_its_null_and_told_without_it():
    table = Table(np.full(10, 10), np.array([14, 6, 11, 9, 13, 7, 10, 10, 12, 8]))
    found = psi_of(table)
    assert found.null == pytest.approx(9 * (1 / 100 + 1 / 100))
    assert found.null_q95 == pytest.approx(stats.chi2.ppf(0.95, 9) / 50)
    effect = stability(table, 0.05)
    assert effect.raw == found.value
    assert effect.effect == pytest.approx(max(0.0, found.value - found.null))
    assert effect.threshold == pytest.approx(found.null_q95)


def test_psi_of_equal_samples_has_the_null_that_is_said():
    rng = np.random.default_rng(3)
    drawn = [psi_of(Table(*rng.multinomial(400, np.full(8, 0.125), 2))).value for _ in range(2_000)]
    said = psi_of(Table(np.full(8, 50), np.full(8, 50)))
    assert np.mean(drawn) == pytest.approx(said.null, rel=0.05)
    assert np.mean(np.array(drawn) > said.null_q95) == pytest.approx(0.05, abs=0.015)


def test_an_empty_cell_does_not_make_psi_explode():
    # 0.00001 in place of 0 (philentropy) gives 0.069, and more the smaller it is; half a row gives 0.031.
    assert psi_of(Table(np.array([990, 10]), np.array([1000, 0]))).value == pytest.approx(0.0305, abs=1e-4)


def test_noncentral_bounds_are_the_roots_of_its_distribution():
    for statistic, df in ((30.0, 9), (5.0, 1), (200.0, 40)):
        low, high = noncentral_bounds(statistic, df, 0.05)
        assert stats.ncx2.cdf(statistic, df, low) == pytest.approx(0.95, abs=1e-6)
        assert stats.ncx2.cdf(statistic, df, high) == pytest.approx(0.05, abs=1e-6)
    low, high = noncentral_bounds(6000.0, 9, 0.05)
    assert stats.ncx2.cdf(6000, 9, low) == pytest.approx(0.95, abs=1e-3)
    assert stats.ncx2.cdf(6000, 9, high) == pytest.approx(0.05, abs=1e-3)


def test_a_folded_bound_is_where_both_sides_reach_the_level():
    low = folded_low(0.03, 0.01, math.inf, 0.05)
    assert stats.norm.sf((0.03 - low) / 0.01) + stats.norm.cdf((-0.03 - low) / 0.01) == pytest.approx(0.05)
    assert folded_low(-0.03, 0.01, math.inf, 0.05) == low
    assert folded_low(0.015, 0.01, math.inf, 0.05) == 0.0


def test_benjamini_hochberg_is_that_of_r_and_statsmodels():
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.5]) == pytest.approx((0.04, 0.16 / 3, 0.16 / 3, 0.5))
    drawn = np.random.default_rng(1).random(50) ** 3
    assert benjamini_hochberg(drawn.tolist()) == pytest.approx(multipletests(drawn, method="fdr_bh")[1])
    assert benjamini_hochberg([]) == ()


def test_missing_values_have_the_score_interval():
    found = missing_shift(10, 200, 30, 150, 0.05)
    assert found.change == pytest.approx(0.15)
    assert found.low < 0.15 < found.high
    assert found.least == found.low
    assert found.most == found.high
    mirrored = missing_shift(30, 150, 10, 200, 0.05)
    assert (mirrored.least, mirrored.most) == (pytest.approx(found.least), pytest.approx(found.most))
    assert missing_shift(0, 50, 0, 80, 0.05).least == 0.0


@given(
    st.lists(st.integers(-6, 6), min_size=2, max_size=40),
    st.lists(st.integers(-6, 6), min_size=2, max_size=40),
)
@settings(deadline=None, derandomize=True, max_examples=80)
def test_every_sample_has_the_values_of_scipy_and_bounds_around_them(x, y):
    x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    pair = Pair.of(x, y)
    n = len(x) * len(y)
    assert area_effect(pair, 0.05).raw == pytest.approx(stats.mannwhitneyu(y, x).statistic / n)
    assert smirnov_effect(pair, 0.05).effect == pytest.approx(stats.ks_2samp(x, y, method="asymp").statistic)
    moved = transport_effect(pair, 0.05, None)
    if x.std():
        assert moved.raw == pytest.approx(stats.wasserstein_distance(x, y) / x.std(ddof=1))
    for measure in MEASURES:
        found = measure(pair, 0.05)
        assert 0 <= found.low <= found.effect + 1e-12 <= found.high + 2e-12
        assert math.isfinite(found.high)
    p, q = pair.binned()
    assert (p.sum(), q.sum()) == (len(x), len(y))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=8))
@settings(deadline=None, derandomize=True, max_examples=80)
def test_every_table_has_the_values_of_scipy_and_bounds_around_them(cells):
    p, q = (np.array(side) for side in zip(*[(a, b) for a, b in cells if a + b] or [(1, 1)], strict=True))
    if not (p.sum() and q.sum()) or len(p) < 2:
        return
    table = Table(p, q)
    assert chi2(table) == pytest.approx(stats.chi2_contingency([p, q], correction=False).statistic)
    whole = table.merged()
    assert jensen_shannon(table, 0.05).raw == pytest.approx(jensenshannon(whole.p, whole.q, base=2), abs=1e-7)
    for measure in (total_variation, cramer_v, jensen_shannon, stability):
        found = measure(table, 0.05)
        assert 0 <= found.low <= found.effect + 1e-12 <= found.high + 2e-12
        mirrored = measure(Table(q, p), 0.05)
        assert mirrored.effect == pytest.approx(found.effect)
        assert mirrored.high == pytest.approx(found.high)


def test_the_order_of_the_rows_changes_no_digit():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=300).round(1), rng.normal(0.2, 1, 200).round(1)
    for measure in MEASURES:
        assert measure(Pair.of(x, y), 0.05) == measure(Pair.of(x[::-1], rng.permutation(y)), 0.05)


def test_an_increasing_transform_changes_no_rank():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=300), rng.normal(0.2, 1, 200)
    for measure in (area_effect, smirnov_effect):
        assert measure(Pair.of(x, y), 0.05) == measure(Pair.of(np.exp(x), np.exp(y)), 0.05)


def test_too_small_a_side_answers_nothing():
    found = area_effect(Pair.of(np.zeros(500), np.ones(8)), 0.05)
    assert found.caution == "8 values in the current data are too few, at least 20 are needed"


def test_a_constant_reference_has_no_unit():
    moved = transport_effect(Pair.of(np.ones(50), np.full(50, 2.0)), 0.05, None)
    assert moved.caution == "all values of the reference are the same, so nothing tells how large a step is"
    still = transport_effect(Pair.of(np.ones(50), np.ones(60)), 0.05, None)
    assert (still.effect, still.high, still.caution) == (0, 0, "")
    assert area_effect(Pair.of(np.ones(50), np.full(50, 2.0)), 0.05).low > 0.4
    p, q = Pair.of(np.ones(50), np.full(40, 2.0)).binned()
    assert (p.tolist(), q.tolist()) == ([0, 50, 0], [0, 0, 40])


def test_a_constant_has_a_width_as_no_row_of_a_share_has():
    found = area_effect(Pair.of(np.zeros(60), np.zeros(80)), 0.05)
    square = stats.norm.ppf(0.95) ** 2
    assert (found.effect, found.low) == (0, 0)
    assert found.high == pytest.approx(0.5 * square / (60 + square))


def test_a_heavy_tail_carries_no_mean():
    rng = np.random.default_rng(0)
    x, y = rng.standard_cauchy(400), rng.standard_cauchy(400)
    assert transport_effect(Pair.of(x, y), 0.05, None).caution.startswith(
        "a few of 400 rows carry nearly all"
    )


def test_the_parts_of_a_classifier_are_averaged():
    rng = np.random.default_rng(0)
    parts = [(rng.normal(size=300), rng.normal(0.5, 1, 300)) for _ in range(3)]
    found = told_apart(parts, 0.05)
    areas = [stats.mannwhitneyu(y, x).statistic / 90_000 for x, y in parts]
    assert found.area == pytest.approx(np.mean(areas))
    assert found.low < found.area < found.high
    assert found.p < 1e-6
