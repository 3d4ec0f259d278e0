"""Minimum detectable margins and rows needed, against the definition of power."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from pytest_model_gate.stats.planning import (
    margin_for_shares,
    margin_without_discordance,
    minimum_detectable,
    rows_for_shares,
    rows_needed,
    rows_without_discordance,
)
from pytest_model_gate.stats.prospect import rows_for
from pytest_model_gate.stats.tango import PairedProportions
from pytest_model_gate.stats.tango_power import PairedProspect


@pytest.mark.parametrize(("power", "factor"), [(0.8, 2.4865), (0.9, 2.9264)])
def test_the_known_multiples_of_the_standard_error(power: float, factor: float) -> None:
    assert minimum_detectable(0.02, 0.05, power) == pytest.approx(factor * 0.02, rel=1e-4)


def test_an_equal_candidate_passes_the_detectable_margin_with_the_power_promised() -> None:
    error = 0.013
    margin = minimum_detectable(error, 0.05)
    gains = np.random.default_rng(3).normal(0, error, size=20_000)

    passes = np.mean(gains - NormalDist().inv_cdf(0.95) * error > -margin)

    assert passes == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 20_000))


def test_rows_needed_reach_the_margin_and_one_row_less_does_not() -> None:
    needed = rows_needed(412, 0.011, 0.005, 0.05)

    assert needed == 12_329
    assert minimum_detectable(0.011 * math.sqrt(412 / needed), 0.05) <= 0.005
    assert minimum_detectable(0.011 * math.sqrt(412 / (needed - 1)), 0.05) > 0.005


@pytest.mark.parametrize("margin", [0.0, -0.01])
def test_no_number_of_rows_proves_a_gain_that_is_not_there(margin: float) -> None:
    assert rows_needed(100, 0.1, margin, 0.05) is None
    assert rows_without_discordance(margin, 0.05) is None


@pytest.mark.parametrize("margin", [0.001, 0.01, 0.2, 0.999])
def test_without_discordance_tangos_bound_decides(margin: float) -> None:
    needed = rows_without_discordance(margin, 0.05)

    assert needed is not None
    assert PairedProportions(0, 0, needed).bounds(0.05)[0] > -margin
    if needed > 1:
        assert PairedProportions(0, 0, needed - 1).bounds(0.05)[0] <= -margin
    assert margin_without_discordance(needed, 0.05) == pytest.approx(
        -PairedProportions(0, 0, needed).bounds(0.05)[0], rel=1e-12
    )
    assert rows_without_discordance(1.5, 0.05) == 1


@pytest.mark.parametrize("alpha", [0.05, 0.0025])
@pytest.mark.parametrize("margin", [0.005, 0.01, 0.05])
@pytest.mark.parametrize("discordance", [0.0, 0.002, 0.005, 0.01, 0.05])
def test_rows_for_shares_are_those_of_the_exact_power(
    discordance: float, margin: float, alpha: float
) -> None:
    found = rows_for_shares(discordance, margin, alpha)
    exact = rows_for(lambda rows: PairedProspect(rows, discordance), margin, alpha, 0.8)
    assert found is not None
    assert exact is not None
    assert 0.98 * exact <= found <= 1.42 * exact
    assert margin_for_shares(found, discordance, alpha) == pytest.approx(margin, rel=0.02)


def test_no_rows_prove_that_equal_shares_differ() -> None:
    assert rows_for_shares(0.01, 0.0, 0.05) is None
    assert rows_for_shares(0.01, 1.0, 0.05) == 1
