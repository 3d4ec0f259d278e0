"""The tilted score interval: Tango's for two proportions, its promises, and its errors where Wald fails."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pytest_model_gate.errors import UndefinedMetricError
from pytest_model_gate.stats.student import Student
from pytest_model_gate.stats.tango import PairedProportions
from pytest_model_gate.stats.tilted import Tilted, settle, tilted
from pytest_model_gate.stats.wider import Wider

NOTHING = np.empty(0)


def shares(n10: int, n01: int, n: int, imaginary: Any = NOTHING) -> Tilted:
    """Return the inference on the difference of two shares of right rows, as influence sees them."""
    gain = (n10 - n01) / n
    counts = np.array([n10, n01, n - n10 - n01], dtype=float)
    return tilted(gain, np.array([1.0, -1.0, 0.0]), counts, np.asarray(imaginary, dtype=float))


@pytest.mark.parametrize(("n10", "n01", "n"), [(3, 5, 100), (1, 9, 60), (40, 60, 1_000), (12, 2, 30)])
def test_without_imaginary_rows_it_is_tangos(n10: int, n01: int, n: int) -> None:
    """Three kinds of rows, one constraint: the weights of largest likelihood are those of his score test."""
    found, tango = shares(n10, n01, n), PairedProportions(n10, n01, n)

    for alpha in (0.2, 0.05, 0.001):
        assert found.bounds(alpha) == pytest.approx(tango.bounds(alpha), abs=1e-9)
    for threshold in (-0.3, -0.01, 0.0, 0.02, 0.2):
        if threshold > found.gain:
            assert found.p_below(threshold) == pytest.approx(tango.p_below(threshold), rel=1e-6, abs=1e-12)
        else:
            assert found.p_below(threshold) >= 0.5


def test_imaginary_rows_give_a_width_where_no_row_is_discordant() -> None:
    low, high = shares(0, 0, 268, [1, -1]).bounds(0.05)

    assert low == -high
    # Tango's is 0.01: half a row of each kind makes it a little wider.
    assert high == pytest.approx(0.0117, abs=1e-4)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    kinds=st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 400)), min_size=2, max_size=8),
    imaginary=st.lists(st.floats(-20, 20), min_size=0, max_size=6),
    threshold=st.floats(-6, 6),
    alpha=st.sampled_from([0.4, 0.1, 0.05, 0.01, 1e-4, 1e-9]),
)
def test_bounds_contain_the_gain_and_agree_with_p(
    kinds: list[tuple[float, int]], imaginary: list[float], threshold: float, alpha: float
) -> None:
    values, mass = (np.array(column, dtype=float) for column in zip(*kinds, strict=True))
    assume(mass.sum() >= 2)
    found = tilted(0.25, values, mass, np.array(imaginary))
    low, high = found.bounds(alpha)
    p = found.p_below(threshold)

    assert low <= 0.25 <= high
    assert math.isfinite(high - low)
    assert 0 <= p <= 1
    nearly = 1e-6 * max(1.0, high - low)
    if abs(high - threshold) > nearly:
        assert (p < alpha) == (high < threshold)
    mirrored = tilted(-0.25, -values, mass, -np.array(imaginary))
    assert mirrored.bounds(alpha) == (-high, -low)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    kinds=st.lists(st.tuples(st.floats(-5, 5), st.integers(1, 3_000)), min_size=2, max_size=8),
    imaginary=st.lists(st.sampled_from([-50.0, -7.0, 3.0, 40.0]), min_size=0, max_size=4),
)
@example(
    kinds=[(0.0, 215), (1.9e-169, 1)], imaginary=[-50.0]
)  # the winner is 171 orders of magnitude smaller
def test_smaller_levels_reach_further(kinds: list[tuple[float, int]], imaginary: list[float]) -> None:
    """Also where the curve of the score is not monotone: rare rows of much influence can bend it."""
    values, mass = (np.array(column, dtype=float) for column in zip(*kinds, strict=True))
    found = tilted(0.0, values, mass, np.array(imaginary))
    bounds = np.array([found.bounds(alpha) for alpha in np.geomspace(0.49, 1e-6, 60)])

    assert (np.diff(bounds[:, 0]) <= 1e-9).all()
    assert (np.diff(bounds[:, 1]) >= -1e-9).all()


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    sizes=st.lists(st.sampled_from([2, 3, 12, 64, 65, 400, 2_000, 9_000]), min_size=1, max_size=12),
    seed=st.integers(0, 1_000),
    alpha=st.sampled_from([0.4, 0.05, 1e-4]),
)
def test_bounds_do_not_depend_on_what_else_is_looked_at(sizes: list[int], seed: int, alpha: float) -> None:
    """Many slices are searched at once, and a slice alone says the same to the last bit."""
    rng = np.random.default_rng(seed)

    def draw(kinds: int) -> dict[str, Any]:
        values = rng.standard_t(3, kinds)
        mass = rng.integers(0, 50, kinds) / 2 + 0.5
        error = math.sqrt(float((mass * values**2).sum())) / float(mass.sum())
        units = int(mass.sum()) + 2
        return {"gain": 0.1, "values": values, "mass": mass, "units": units, "standard_error": error}

    drawn = [draw(size) for size in sizes]
    together = [Tilted(**each) for each in drawn]
    settle(together, alpha)
    settle([], alpha)

    assert [each.bounds(alpha) for each in together] == [Tilted(**each).bounds(alpha) for each in drawn]
    for found in together:
        for end, side in zip(found.bounds(alpha), (-1, 1), strict=True):
            assert math.isfinite(end)
            assert side * (end - found.gain) >= 0


def test_rows_that_change_nothing_are_a_caution() -> None:
    found = tilted(0.0, np.zeros(1), np.array([50.0]), np.zeros(4))

    assert found.bounds(0.05) == (0.0, 0.0)
    assert found.standard_error == 0
    assert (found.p_below(0.1), found.p_below(-0.1)) == (0.0, 1.0)
    assert found.caution == "no row that could be drawn changes the gain of these 50 rows"


def test_one_row_has_no_interval() -> None:
    with pytest.raises(UndefinedMetricError) as caught:
        tilted(0.0, np.zeros(1), np.array([1.0]), NOTHING)
    assert str(caught.value) == (
        "An interval needs at least 2 rows, got 1.\n  Judge more rows, or set min_rows for slices."
    )


# -- errors at the margin: a candidate that never wins a row -----------------------------------------------


def precision_of_nested_models(counts: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Return gain, influence by kind and influence of imaginary rows of two models' precision.

    Kinds of rows: both find a positive, only the reference does, only the candidate raises a negative, both
    do, neither raises anything.
    """
    both, lost, raised, wrong, _ = counts
    n = counts.sum()
    named, other = both + raised + wrong, both + lost + wrong
    first, second = both / named, (both + lost) / other

    def row(candidate: float, reference: float) -> float:
        """Influence of a row: 1 right, 0 wrong among the rows that each names, NaN outside."""
        own = 0.0 if math.isnan(candidate) else (candidate - first) * n / named
        return own - (0.0 if math.isnan(reference) else (reference - second) * n / other)

    out = math.nan
    kinds = [row(1, 1), row(out, 1), row(0, out), row(0, 0), row(out, out)]
    return first - second, np.array(kinds), np.array([row(1, out), row(out, 1), row(out, 0), row(0, out)])


def test_a_candidate_that_only_loses_passes_at_its_level() -> None:
    """With 2 lost positives and 1 false alarm expected in 200 rows, many samples show neither."""
    cells = np.array([0.35, 0.025, 0.01, 0.01, 0.605])
    truth = precision_of_nested_models(cells)[0]
    wrong = {"tilted": [0, 0], "plain": [0, 0]}
    repetitions = 2_000
    for counts in np.random.default_rng(4).multinomial(200, cells, size=repetitions).astype(float):
        gain, values, imaginary = precision_of_nested_models(counts)
        found = tilted(gain, values, counts, imaginary)
        plain = Student(gain, found.standard_error, 199, "t")
        for name, inference in (("tilted", found), ("plain", plain)):
            low, high = inference.bounds(0.05)
            wrong[name][0] += low > truth
            wrong[name][1] += high < truth

    assert max(wrong["tilted"]) / repetitions < 0.06
    # The same variance without tilting is what this replaces, and what the simulation must catch.
    assert wrong["plain"][0] / repetitions > 0.10


def test_the_wider_of_two_is_the_outer_bound_of_both() -> None:
    score, plain = shares(3, 9, 80, [1, -1]), Student(-6 / 80, 0.05, 79, "t")
    found = Wider(score, plain)

    for alpha in (0.3, 0.05, 0.001):
        (a, b), (c, d) = score.bounds(alpha), plain.bounds(alpha)
        assert found.bounds(alpha) == (min(a, c), max(b, d))
        for threshold in np.linspace(-0.4, 0.4, 41).tolist():
            assert (found.p_below(threshold) < alpha) == (found.bounds(alpha)[1] < threshold)
    assert (found.gain, found.method) == (-6 / 80, "tilted score and t")
    assert found.standard_error == max(score.standard_error, 0.05)
    assert Wider(score, Student(-6 / 80, 0.05, 79, "t", caution="few")).caution == "few"
