"""Secants through a fixed point find what a bracket that shrinks finds, also where they have to give up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.stats.planning import margin_for_shares
from pytest_model_gate.stats.roots import crossing, fixed_point
from pytest_model_gate.stats.tango import PairedProportions, _score, upper_bound


@settings(deadline=None, derandomize=True, max_examples=400)
@given(
    n=st.sampled_from([1, 2, 3, 10, 100, 5_000, 1_000_000]),
    first=st.floats(0, 1),
    second=st.floats(0, 1),
    few=st.booleans(),
    z=st.sampled_from([0.1, 0.84, 1.645, 1.96, 3.3, 6.0, 20.0]),
)
def test_tangos_bound_is_that_of_the_bracket(n, first, second, few, z) -> None:
    n10 = min(n, int(8 * first)) if few else int(first * n)
    n01 = min(n - n10, int(8 * second)) if few else int(second * (n - n10))
    gain = PairedProportions(n10, n01, n).gain
    found = upper_bound(n10, n01, n, z)

    if gain == 1:
        assert found == 1
    else:
        searched = crossing(lambda d: -_score(n10, n01, n, d) - z, gain, 1.0)
        assert found == pytest.approx(searched, rel=1e-13, abs=4e-16)


@pytest.mark.parametrize("n", [1, 2, 10, 600, 1_000_000])
@pytest.mark.parametrize("discordance", [0.0, 0.001, 0.1, 1.0])
def test_a_margin_that_is_found_has_its_power(n: int, discordance: float) -> None:
    margin = margin_for_shares(n, discordance, 0.05)
    assert 0 < margin < 1
    assert margin_for_shares(4 * n, discordance, 0.05) < margin


@pytest.mark.parametrize(
    ("function", "start"),
    [
        pytest.param(lambda x: 1 - x**5, 0.1, id="falls steeply"),
        pytest.param(lambda x: 0.25 if x < 0.5 else 0.75 - 0.5 * x, 0.0, id="has a corner"),
        pytest.param(lambda x: math.sqrt(x) / 4, 0.9, id="rises steeply"),
        pytest.param(lambda _: 0.3, 5.0, id="starts outside"),
    ],
)
def test_a_fixed_point_is_found_from_anywhere(function, start) -> None:
    found = fixed_point(function, start, 0.0, 1.0)
    assert function(found) == pytest.approx(found, abs=1e-15)
    assert 0 < found < 1
