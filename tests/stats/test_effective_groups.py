"""Groups that say little count for little: the degrees of freedom of grouped rows."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.influence import effective_groups, from_influence

RNG = np.random.default_rng(1)
PSI = RNG.normal(size=120)
EQUAL = np.arange(120) // 12


def test_equal_groups_have_one_degree_of_freedom_less_than_groups() -> None:
    found = from_influence(0.0, PSI, Design(n=120, groups=EQUAL))

    assert found.df == 9
    strata = EQUAL % 2
    assert from_influence(0.0, PSI, Design(n=120, groups=EQUAL, strata=strata)).df == 8


def test_unequal_groups_have_fewer() -> None:
    groups = np.repeat(np.arange(10), [66, 6, 6, 6, 6, 6, 6, 6, 6, 6])

    assert effective_groups(PSI, groups) == pytest.approx(120**2 / (66**2 + 9 * 36))
    assert from_influence(0.0, PSI, Design(n=120, groups=groups)).df == pytest.approx(
        120**2 / (66**2 + 9 * 36) - 1
    )


def test_what_only_three_groups_have_is_known_from_three_groups() -> None:
    """Recall reads the positives, and nine in ten groups have none."""
    kinds = np.isin(EQUAL, (2, 5, 7)).astype(np.intp)
    psi = np.where(kinds == 1, PSI, 0.0)

    assert effective_groups(psi, EQUAL, kinds) == pytest.approx(3)
    assert effective_groups(psi, EQUAL) == pytest.approx(10)
    assert from_influence(0.0, psi, Design(n=120, groups=EQUAL), kinds=kinds).df == pytest.approx(2)


def test_an_outlier_does_not_make_its_group_the_only_one() -> None:
    psi = PSI.copy()
    psi[3] = 1e6
    kinds = np.arange(120) % 2

    assert effective_groups(psi, EQUAL, kinds) == pytest.approx(10)


def test_rows_that_say_nothing_leave_the_groups_as_they_are() -> None:
    assert effective_groups(np.zeros(120), EQUAL, np.zeros(120, dtype=np.intp)) == 10
