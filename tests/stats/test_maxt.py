"""Step-down max-T: the joint distribution from influence, its error rate, its power, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtr

from pytest_model_gate.policy import holm
from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.maxt import correlation, max_t, scores
from pytest_model_gate.stats.variance import variance_of_mean

DESIGNS = {
    "rows": lambda n: {},
    "groups": lambda n: {"groups": np.arange(n) // 6},
    "strata": lambda n: {"strata": np.arange(n) * 3 // n},
    "groups in strata": lambda n: {"groups": np.arange(n) // 6, "strata": np.arange(n) // 60},
}


def overlapping(n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return 20 slices: all rows, two columns of five levels, nested ranges of a number, crossed ones."""
    first, second, number = rng.integers(0, 5, n), rng.integers(0, 5, n), rng.random(n)
    masks = [np.ones(n, bool), *(first == a for a in range(5)), *(second == b for b in range(5))]
    masks += [number < edge for edge in (0.1, 0.2, 0.4, 0.6, 0.8)]
    masks += [(first == a) & (number < 0.5) for a in range(4)]
    return [np.flatnonzero(mask) for mask in masks]


def own_p_values(gain: np.ndarray, slices: list[np.ndarray], threshold: float) -> list[float]:
    """Return what the paired t test of each slice says."""
    found = []
    for rows in slices:
        values = gain[rows]
        t = (values.mean() - threshold) / (values.std(ddof=1) / np.sqrt(len(rows)))
        found.append(float(stdtr(len(rows) - 1, t)))
    return found


def parts(gain: np.ndarray, slices: list[np.ndarray]) -> list[object]:
    return [scores(gain[rows] - gain[rows].mean(), Design(n=len(gain)), rows) for rows in slices]


@pytest.mark.parametrize("design", DESIGNS)
def test_the_variance_is_the_one_that_the_intervals_use(design: str) -> None:
    rng = np.random.default_rng(1)
    n = 600
    whole = Design(n=n, **DESIGNS[design](n))
    rows = np.flatnonzero(rng.random(n) < 0.4)
    mask = np.zeros(n, bool)
    mask[rows] = True
    influence = rng.normal(size=len(rows))
    influence -= influence.mean()
    other = influence + rng.normal(size=len(rows))
    # Var(a + b) - Var(a) - Var(b) = 2 Cov(a, b), each from the room's own formula for this design.
    spread = [
        variance_of_mean(values, whole.subset(mask)).variance
        for values in (influence, other, influence + other)
    ]
    expected = (spread[2] - spread[0] - spread[1]) / 2 / np.sqrt(spread[0] * spread[1])
    found = correlation([scores(influence, whole, rows), scores(other, whole, rows)])
    assert found[0, 1] == pytest.approx(expected, abs=1e-6)


def test_disjoint_slices_are_uncorrelated_and_nested_ones_share_their_rows() -> None:
    rng = np.random.default_rng(2)
    gain = rng.normal(size=4000)
    slices = [np.arange(4000), np.arange(1000), np.arange(1000, 4000)]
    found = correlation(parts(gain, slices))
    assert found[1, 2] == 0
    assert found[0, 1] == pytest.approx(0.5, abs=0.02)
    assert found[0, 2] == pytest.approx(np.sqrt(0.75), abs=0.02)


def test_the_correlation_is_that_of_the_multiplier_bootstrap() -> None:
    rng = np.random.default_rng(3)
    n = 500
    groups = rng.integers(0, 60, n)
    groups = np.unique(groups, return_inverse=True)[1]
    gain = rng.normal(size=n) + rng.normal(size=60)[groups % 60]
    slices = overlapping(n, rng)[:8]
    design = Design(n=n, groups=groups)
    matrix = np.zeros((8, n))
    for line, rows in enumerate(slices):
        centred = gain[rows] - gain[rows].mean()
        matrix[line, rows] = centred
    xi = rng.choice([-1.0, 1.0], size=(20_000, groups.max() + 1))  # Rademacher, one for each group
    bootstrapped = np.corrcoef(matrix @ xi[:, groups].T)
    found = correlation([scores(matrix[line, rows], design, rows) for line, rows in enumerate(slices)])
    assert found == pytest.approx(bootstrapped, abs=0.06)


def test_sparse_and_dense_blocks_agree() -> None:
    rng = np.random.default_rng(4)
    n = 20_000
    gain = rng.normal(size=n)
    few = [np.sort(rng.choice(n, 400, replace=False)) for _ in range(30)]
    sparse = correlation(parts(gain, few))
    dense = correlation(parts(gain, [*few, *[np.arange(n)] * 5]))
    assert dense[:30, :30] == pytest.approx(sparse, abs=1e-7)


def test_the_error_rate_at_the_margin_and_the_power_over_holm() -> None:
    """20 overlapping slices, every one of them exactly at the tolerance: any accusation is wrong."""
    rng = np.random.default_rng(5)
    n, runs, alpha = 1000, 1000, 0.05
    wrong = {"max-t": 0, "holm": 0, "none": 0}
    right = {"max-t": 0, "holm": 0}
    for run in range(runs):
        slices = overlapping(n, rng)
        gain = rng.normal(-0.1, 1.0, size=n)
        p, lines = own_p_values(gain, slices, -0.1), parts(gain, slices)
        wrong["none"] += min(p) < alpha
        wrong["holm"] += min(holm(p)) < alpha
        wrong["max-t"] += min(max_t(p, lines, seed=run, draws=1000)) < alpha
        # And every slice worse by as much again.
        p = own_p_values(gain, slices, -0.02)
        right["holm"] += sum(value < alpha for value in holm(p))
        right["max-t"] += sum(value < alpha for value in max_t(p, lines, seed=run, draws=1000))
    allowed = alpha * runs + 4 * np.sqrt(alpha * (1 - alpha) * runs)
    assert wrong["max-t"] <= allowed
    assert wrong["none"] > 2 * allowed  # the harness catches a method that does not correct
    assert wrong["holm"] < wrong["max-t"]
    assert right["max-t"] > 1.1 * right["holm"]


@given(
    p=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    known=st.lists(st.booleans(), min_size=12, max_size=12),
    seed=st.integers(0, 5),
)
def test_between_the_own_p_value_and_holm(p: list[float], known: list[bool], seed: int) -> None:
    rng = np.random.default_rng(seed)
    gain = rng.normal(size=300)
    slices = [np.flatnonzero(rng.random(300) < 0.5) for _ in p]
    lines = [line if has else None for line, has in zip(parts(gain, slices), known, strict=False)]
    found = max_t(p, lines, draws=200)
    for own, adjusted, corrected in zip(p, found, holm(p), strict=True):
        assert own <= adjusted <= corrected


def test_without_influence_it_is_holm() -> None:
    p = [0.01, 0.04, 0.03]
    assert max_t(p, [None] * 3) == holm(p)


def test_a_line_without_influence_is_counted_beside_the_others() -> None:
    rng = np.random.default_rng(6)
    gain = rng.normal(size=2000)
    same = parts(gain, [np.arange(2000)] * 9)
    alone = max_t([0.02] * 9, same)
    beside = max_t([*[0.02] * 9, 0.5], [*same, None])
    assert alone[0] == pytest.approx(0.02, abs=0.004)  # nine times the same line is one line
    assert beside[0] == pytest.approx(alone[0] + 0.02, abs=1e-9)


def test_a_line_that_shows_no_spread_has_no_influence() -> None:
    assert scores(np.zeros(50), Design(n=50)) is None
    assert scores(np.full(50, 0.1), Design(n=50)) is None
    assert scores(np.array([1.0]), Design(n=50), np.array([3])) is None
    assert scores(np.arange(6.0), Design(n=6, groups=np.zeros(6, dtype=np.intp))) is None


def test_the_order_of_the_rows_changes_no_digit() -> None:
    rng = np.random.default_rng(7)
    n = 3000
    slices = overlapping(n, rng)
    gain = rng.normal(size=n)
    p = own_p_values(gain, slices, 0.02)
    first = max_t(p, parts(gain, slices), draws=2000)
    shuffled = rng.permutation(n)
    place = np.argsort(shuffled)
    moved = [np.sort(place[rows]) for rows in slices]
    assert max_t(p, parts(gain[shuffled], moved), draws=2000) == first
