"""Sums of powers that are added up block by block, against exact sums of the same numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from pytest_model_gate.blocks import BLOCK
from pytest_model_gate.stats.powers import sums_of_powers


@pytest.mark.parametrize("n", [1, 2, 999, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_powers_are_those_of_exact_sums(n: int) -> None:
    values = np.random.default_rng(n).lognormal(size=n)
    centre = float(values.mean())
    distances = [float(value) - centre for value in values]
    for power, found in zip((2, 3, 4), sums_of_powers(values, centre), strict=True):
        terms = [distance**power for distance in distances]
        # Of what is added up, not of a sum in which positive and negative terms cancel.
        assert found == pytest.approx(math.fsum(terms), abs=1e-14 * math.fsum(map(abs, terms)))


def test_powers_that_are_not_asked_for_change_no_digit() -> None:
    values = np.random.default_rng(1).normal(size=2 * BLOCK)
    second, third, fourth = sums_of_powers(values, 0.1)
    assert sums_of_powers(values, 0.1, (2,)) == (second,)
    assert sums_of_powers(values, 0.1, (2, 3)) == (second, third)
    assert sums_of_powers(values, 0.1, (2, 4)) == (second, fourth)


def test_the_order_of_the_rows_stays_far_from_printed_digits() -> None:
    values = np.random.default_rng(2).standard_t(3, size=5 * BLOCK)
    centre = float(values.mean())
    found, ascending = (sums_of_powers(each, centre) for each in (values, np.sort(values)))
    assert found[0] == pytest.approx(ascending[0], rel=1e-13)
    assert found[2] == pytest.approx(ascending[2], rel=1e-13)


def test_nothing_has_no_powers_and_what_is_missing_is_not_lost() -> None:
    assert sums_of_powers(np.empty(0), 0.0) == (0.0, 0.0, 0.0)
    values = np.zeros(2 * BLOCK)
    values[-1] = np.nan
    assert all(math.isnan(each) for each in sums_of_powers(values, 0.0))


def test_small_numbers_are_exact() -> None:
    assert Fraction(sums_of_powers(np.arange(BLOCK + 2.0), 0.0)[0]) == sum(k * k for k in range(BLOCK + 2))
