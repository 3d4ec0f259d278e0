"""The bootstrap engine: its promises, its draws under every design, its order, its quantiles."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_model_gate.errors import InvalidError, UndefinedMetricError
from pytest_model_gate.stats.bootstrap import Bootstrap, Resampling, bootstrap, one_by_one
from pytest_model_gate.stats.bootstrap_draws import Draws
from pytest_model_gate.stats.bootstrap_order import by_content
from pytest_model_gate.stats.bootstrap_quantiles import LowerTail
from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.variance import variance_of_mean

ALPHAS = (0.4, 0.1, 0.05, 0.01, 1e-3, 1e-5)


def mean_of(values: np.ndarray) -> Any:
    return lambda m: (m @ values) / m.sum(axis=1)


def made(values: Any, *, gain: float = 0.0, undefined: int = 0, df: float = 50) -> Bootstrap:
    return Bootstrap(gain, np.asarray(values, dtype=float), undefined, df, "made")


# -- the two promises ----------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    values=st.lists(st.integers(-4, 4).map(lambda v: v / 4) | st.floats(-2, 2), min_size=2, max_size=300),
    gain=st.floats(-2, 2),
    undefined=st.integers(0, 5),
    df=st.integers(1, 500),
    threshold=st.floats(-3, 3),
    alpha=st.sampled_from(ALPHAS),
)
def test_bounds_contain_the_gain_and_agree_with_p(
    values: list[float], gain: float, undefined: int, df: int, threshold: float, alpha: float
) -> None:
    found = made(values, gain=gain, undefined=undefined, df=df)
    low, high = found.bounds(alpha)
    p = found.p_below(threshold)

    assert math.isfinite(low)
    assert math.isfinite(high)
    assert low <= gain <= high
    assert 0 <= p <= 1
    if abs(p - alpha) > 1e-9 * alpha:  # else the last digit decides
        assert (p < alpha) == (high < threshold)


@pytest.mark.parametrize("undefined", [0, 30])
def test_swapped_values_mirror_exactly(undefined: int) -> None:
    values = np.random.default_rng(0).gamma(2, size=999)
    found = made(values, gain=1.9, undefined=undefined)
    swapped = made(-values, gain=-1.9, undefined=undefined)

    for alpha in ALPHAS:
        low, high = found.bounds(alpha)
        assert swapped.bounds(alpha) == (-high, -low)


def test_wider_at_smaller_levels() -> None:
    found = made(np.random.default_rng(1).normal(size=500))
    bounds = [found.bounds(alpha) for alpha in np.geomspace(1e-9, 0.49, 200)[::-1]]

    assert all(after[0] <= before[0] for before, after in itertools.pairwise(bounds))
    assert all(after[1] >= before[1] for before, after in itertools.pairwise(bounds))


def test_bounds_are_the_outer_ones_of_percentiles_and_t() -> None:
    values = np.random.default_rng(2).gamma(1, size=4_999)
    found = made(values, gain=1.0, df=30)
    z = NormalDist()
    level = float(stats.t.cdf(stats.t.ppf(0.05, 30), 30))
    expanded = z.cdf(float(stats.t.ppf(level, 30)))
    low, high = found.bounds(0.05)

    assert high == pytest.approx(np.quantile(values, 1 - expanded, method="weibull"), rel=1e-9)
    assert low == pytest.approx(1.0 - float(stats.t.ppf(0.95, 30)) * values.std(ddof=1), rel=1e-9)
    assert low < np.quantile(values, expanded)


def test_constant_resamples_have_no_width_and_a_caution() -> None:
    found = bootstrap(0.0, lambda m: np.zeros(len(m)), Design(n=40), resampling=Resampling(), resamples=200)

    assert found.bounds(0.05) == (0.0, 0.0)
    assert (found.p_below(0.1), found.p_below(0.0), found.p_below(-0.1)) == (0.0, 1.0, 1.0)
    assert found.caution == "40 rows on which no resample changes the gain show no spread"


# -- quantiles -----------------------------------------------------------------------------------------


def test_quantiles_are_order_statistics() -> None:
    tail = LowerTail.of(np.arange(1.0, 100.0), 0)

    z = NormalDist().inv_cdf
    assert tail.quantile(z(0.25)) == pytest.approx(25)
    assert tail.quantile(z(0.255)) == pytest.approx(25.5)
    assert tail.z_of(25.5) == pytest.approx(z(0.255))
    assert tail.quantile(9.0) == 99


def test_undefined_resamples_lie_below_all_others() -> None:
    values = np.arange(1.0, 100.0)
    whole, less = LowerTail.of(values, 0), LowerTail.of(values[20:], 20)

    # As if the undefined ones had been the lowest: nothing else moves.
    assert less.quantile(-0.2) == pytest.approx(whole.quantile(-0.2))
    assert less.z_of(60.0) == pytest.approx(whole.z_of(60.0))


def test_far_tails_continue_as_normal_ones() -> None:
    z = np.random.default_rng(3).normal(size=100_000)
    found = made(z, df=10**9)

    assert found.bounds(1e-7)[0] == pytest.approx(-5.2, abs=0.35)
    assert 1e-8 < found.p_below(5.2) < 1e-6


# -- draws ---------------------------------------------------------------------------------------------

DESIGNS = {
    "rows": Design(n=24),
    "groups": Design(n=24, groups=np.repeat(np.arange(8), [1, 2, 3, 4, 5, 6, 1, 2])),
    "strata": Design(n=24, strata=np.repeat([0, 1, 2], [4, 8, 12])),
    "interleaved strata": Design(n=24, strata=np.arange(24) % 3),
    "groups in strata": Design(
        n=24,
        groups=np.repeat(np.arange(8), 3),
        strata=np.repeat([0, 1], [9, 15]),
    ),
    "one group": Design(n=24, groups=np.zeros(24, dtype=np.intp)),
}


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_a_total_has_the_unbiased_variance_of_its_design(design: Design) -> None:
    """The resamples of a linear statistic have exactly the variance that influence has."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=24)
    values -= values.mean()
    drawn = Draws.of(design).multiplicities(rng, 40_000)
    totals = drawn @ values / 24

    assert drawn.mean(axis=0) == pytest.approx(np.ones(24), abs=0.04)
    expected = variance_of_mean(values, design).variance
    assert np.var(totals) == pytest.approx(expected, rel=0.03)


def test_units_of_a_stratum_keep_their_total() -> None:
    design = DESIGNS["groups in strata"]
    assert design.strata is not None
    drawn = Draws.of(design).multiplicities(np.random.default_rng(0), 50)

    assert drawn[:, :9].sum(axis=1) == pytest.approx(np.full(50, 9))
    assert drawn[:, 9:].sum(axis=1) == pytest.approx(np.full(50, 15))
    for group in range(8):
        assert np.ptp(drawn[:, 3 * group : 3 * group + 3], axis=1).max() == 0


def test_strata_of_one_unit_are_pooled() -> None:
    drawn = Draws.of(Design(n=6, strata=np.array([0, 1, 2, 2, 2, 3]))).multiplicities(
        np.random.default_rng(0), 4_000
    )
    assert drawn.std(axis=0).min() > 0.5  # no row is in every resample
    single = Draws.of(Design(n=5, strata=np.array([0, 0, 1, 1, 2])))
    assert single.multiplicities(np.random.default_rng(0), 4_000)[:, 4].std() > 0.5


def test_chunks_do_not_change_the_draws() -> None:
    draws = Draws.of(DESIGNS["groups in strata"])
    whole = draws.multiplicities(np.random.default_rng(7), 50)
    rng = np.random.default_rng(7)
    parts = np.concatenate([draws.multiplicities(rng, count) for count in (1, 20, 29)])

    assert np.array_equal(whole, parts)


def test_groups_across_strata_are_refused() -> None:
    design = Design(n=6, groups=np.array([0, 0, 1, 1, 2, 2]), strata=np.array([0, 1, 0, 0, 1, 1]))
    with pytest.raises(InvalidError, match="Each group must lie within one stratum"):
        bootstrap(0.0, lambda m: m[:, 0], design, resampling=Resampling())


# -- the whole -----------------------------------------------------------------------------------------


def test_a_mean_has_its_t_interval_nearly() -> None:
    values = np.random.default_rng(8).normal(size=60)
    found = bootstrap(float(values.mean()), mean_of(values), Design(n=60), resampling=Resampling(seed=3))
    half = 1.6711 * values.std(ddof=1) / math.sqrt(60)

    assert found.method == "percentile and t bootstrap (4,999 resamples, seed 3)"
    assert found.standard_error == pytest.approx(values.std(ddof=1) / math.sqrt(60), rel=0.03)
    assert found.bounds(0.05) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.08 * half)


@pytest.mark.parametrize("n", [120, 2_000])
def test_degrees_of_freedom_are_those_of_the_jackknife(n: int) -> None:
    """For a mean they are those of the values' own kurtosis; blocks of ten values hide some of it."""
    values = np.random.default_rng(9).standard_t(5, size=n)
    found = bootstrap(
        float(values.mean()), mean_of(values), Design(n=n), resampling=Resampling(), resamples=50
    )
    kurtosis = stats.kurtosis(values, fisher=False)

    assert kurtosis > 3.5
    exact = 2 * n / (kurtosis - 1)
    assert found.df == pytest.approx(exact, rel=1e-9) if n == 120 else 100 < found.df < n


def test_a_few_rows_that_carry_the_spread_are_a_caution() -> None:
    values = np.zeros(150)
    values[:2] = 1.0, -1.0
    found = bootstrap(0.0, mean_of(values), Design(n=150), resampling=Resampling(), resamples=500)

    assert found.caution == (
        "a few of 150 rows carry nearly all of the spread: it is known as if from 5.1 rows, and at least 6 "
        "are needed"
    )


def test_kinds_of_rows_are_drawn_as_the_rows_are() -> None:
    """Multinomial counts of three kinds, and single rows, give the same interval up to the noise."""
    counts, worth = np.array([70.0, 20.0, 10.0]), np.array([1.0, 0.0, -1.0])
    kinds = bootstrap(
        0.6, mean_of(worth), Design(n=3), resampling=Resampling(), copies=counts, resamples=20_000
    )
    rows = np.repeat(worth, counts.astype(int))
    single = bootstrap(0.6, mean_of(rows), Design(n=100), resampling=Resampling(), resamples=20_000)

    assert kinds.df == pytest.approx(single.df, rel=1e-9)
    assert kinds.standard_error == pytest.approx(single.standard_error, rel=0.02)
    assert kinds.bounds(0.05) == pytest.approx(single.bounds(0.05), abs=0.004)
    with pytest.raises(UndefinedMetricError, match="An interval needs at least 2 rows, got 1"):
        bootstrap(0.6, mean_of(worth), Design(n=3), resampling=Resampling(), copies=np.array([1.0, 0, 0]))


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    bootstrap(
        0.0,
        lambda m: m[:, 0],
        Design(n=10),
        resampling=Resampling(progress=lambda done, of: told.append((done, of))),
        resamples=600,
    )
    assert told == [(256, 600), (512, 600), (600, 600)]


def test_one_by_one_takes_what_fails_as_undefined() -> None:
    def only_with_first(multiplicity: np.ndarray) -> float:
        if multiplicity[0] == 0:
            raise UndefinedMetricError("no", "row")
        return float(multiplicity[1])

    found = bootstrap(
        1.0, one_by_one(only_with_first), Design(n=10), resampling=Resampling(), resamples=1_000
    )
    assert 300 < found.undefined < 470  # (9 / 10) ** 9
    assert found.caution == (
        f"the metric does not exist on {found.undefined} of 1,000 resamples of these rows"
    )


def test_without_any_value_there_is_no_interval() -> None:
    with pytest.raises(UndefinedMetricError) as caught:
        bootstrap(
            0.0,
            lambda m: np.full(len(m), math.nan),
            Design(n=10),
            resampling=Resampling(),
            resamples=100,
        )
    assert str(caught.value) == (
        "The metric exists on 0 of 100 resamples of these 10 rows: that is too few for an interval.\n"
        "  Judge more rows, or use a metric that exists on fewer rows of a class."
    )


def test_few_groups_are_a_caution() -> None:
    found = bootstrap(
        0.0,
        lambda m: m[:, 0],
        Design(n=8, groups=np.repeat(np.arange(4), 2)),
        resampling=Resampling(),
        resamples=100,
    )
    assert found.caution == "4 groups are too few to tell how groups differ, at least 5 are needed"
    assert found.df == 3


# -- order ---------------------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    rows=st.lists(
        st.tuples(*[st.integers(0, 1)] * 3, st.integers(0, 3), st.integers(0, 1)), min_size=2, max_size=30
    ),
    seed=st.integers(0, 10),
)
def test_order_is_that_of_the_content(rows: list[tuple[int, ...]], seed: int) -> None:
    """However rows, groups and models are numbered and ordered, the resampled table is the same."""
    table = np.array(rows)
    y, first, second, group, stratum = table.T
    group = np.unique(group + 4 * stratum, return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    shuffle = rng.permutation(len(table))
    names = rng.permutation(int(group.max()) + 1)

    def content(rows: np.ndarray, models: tuple[np.ndarray, np.ndarray], codes: np.ndarray) -> Any:
        design = Design(n=len(rows), groups=codes[rows], strata=stratum[rows])
        found = by_content([y[rows]], [models[0][rows]], [models[1][rows]], design)
        at = rows[found.order]
        columns = sorted([models[0][at].tolist(), models[1][at].tolist()])
        return (
            y[at].tolist(),
            columns,
            found.design.groups.tolist(),
            found.design.strata.tolist(),
            found.symmetric,
        )

    straight = np.arange(len(table))
    assert content(straight, (first, second), group) == content(shuffle, (first, second), names[group])
    assert content(straight, (first, second), group) == content(shuffle, (second, first), names[group])


def test_rows_that_are_their_own_mirror_have_symmetric_bounds() -> None:
    y, a = np.array([1, 1, 0, 0] * 5), np.array([1, 0, 1, 0] * 5)
    found = by_content([y], [a], [1 - a], Design(n=20))
    assert found.symmetric
    gains = (a == y).astype(float) - (1 - a == y)
    result = bootstrap(
        0.0, mean_of(gains[found.order]), found.design, resampling=Resampling(), symmetric=True
    )
    low, high = result.bounds(0.05)
    assert low == -high
