"""What rows tell of the skewness of few groups' totals, and how seldom few groups are wrong with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.group_skew import FEW_GROUPS, MOST_SKEW, least_of, skew_from_rows
from pytest_model_gate.stats.influence import from_influence

ROWS = np.random.default_rng(1).exponential(size=400)
PSI = ROWS - ROWS.mean()
OF_ROW = float(np.mean(PSI**3) / np.mean(PSI**2) ** 1.5)


def test_copies_are_as_skewed_as_what_they_are_copies_of() -> None:
    assert skew_from_rows(np.repeat(PSI, 2), 2.0, 400) == pytest.approx(OF_ROW / 20, rel=1e-12)
    assert skew_from_rows(np.repeat(PSI, 5), 5.0, 400) == pytest.approx(OF_ROW / 20, rel=1e-12)


def test_groups_that_look_independent_are_as_skewed_as_what_they_may_have_in_common() -> None:
    """Where every row is a group nothing can be in common beyond the row itself."""
    assert skew_from_rows(PSI, 1.0, 400) == pytest.approx(OF_ROW / 20, rel=1e-12)
    common = (1 - chi2.ppf(0.1, 19) / 19) * 20 / 19
    skew = OF_ROW * (common**1.5 + (1 - common) ** 1.5 / 20**0.5) / 20**0.5
    assert skew_from_rows(PSI, 1.0, 20) == pytest.approx(skew, rel=1e-12)


@pytest.mark.parametrize("groups", [2, 5, 10, 29.5])
def test_few_totals_show_less_than_that_share_one_time_in_ten(groups: float) -> None:
    assert least_of(groups) == pytest.approx(chi2.ppf(0.1, groups - 1) / (groups - 1), rel=1e-12)
    if groups == 10:
        variances = np.random.default_rng(2).normal(size=(20_000, 10)).var(axis=1, ddof=1)
        assert np.mean(variances < least_of(10)) == pytest.approx(0.1, abs=4 * (0.09 / 20_000) ** 0.5)


def test_groups_that_say_as_much_as_one_or_fewer_have_everything_in_common() -> None:
    assert skew_from_rows(PSI, 1.0, 1.0) == skew_from_rows(PSI, 400.0, 1.0) == MOST_SKEW


def test_it_lies_between_the_two_and_grows_with_what_rows_have_in_common() -> None:
    found = [skew_from_rows(PSI, effect, 20) for effect in (1.5, 3.0, 10.0, 20.0)]

    assert found == sorted(found)
    assert found[-1] == pytest.approx(OF_ROW / 20**0.5, rel=1e-12)
    assert skew_from_rows(-PSI, 3.0, 20) == -skew_from_rows(PSI, 3.0, 20)


def test_it_is_0_without_spread_and_never_more_than_the_correction_bears() -> None:
    assert skew_from_rows(np.zeros(10), 1.0, 5) == 0
    assert skew_from_rows(np.array([-1.0, 1.0] * 10), 5.0, 5) == 0
    spike = np.array([99.0] + [-1.0] * 99)
    assert skew_from_rows(spike, 20.0, 5) == MOST_SKEW
    assert skew_from_rows(-spike, 20.0, 5) == -MOST_SKEW


@pytest.mark.parametrize(("groups", "few"), [(FEW_GROUPS - 1, True), (FEW_GROUPS, False)])
def test_only_few_groups_ask_their_rows(groups: int, few: bool) -> None:
    psi = np.tile(PSI[:20], groups)
    found = from_influence(0.1, psi - psi.mean(), Design(n=len(psi), groups=np.arange(len(psi)) % groups))

    assert (found.skew != 0) is few


def test_negated_rows_mirror_the_bounds() -> None:
    design = Design(n=400, groups=np.arange(400) // 40)
    found, other = from_influence(0.1, PSI, design), from_influence(-0.1, -PSI, design)

    assert found.skew > 0
    low, high = found.bounds(0.05)
    assert other.bounds(0.05) == (-high, -low)


def test_ten_groups_with_rare_losses_in_common_pass_rarely_and_did_often() -> None:
    """Squared errors whose size a group's rows share: Student's t alone is the negative control."""
    rng = np.random.default_rng(3)
    design = Design(n=500, groups=np.arange(500) // 50)
    passed = plain = 0
    for _ in range(600):
        shared = rng.standard_normal(10)[design.groups]
        gains = 1 - (0.8**0.5 * shared + 0.2**0.5 * rng.standard_normal(500)) ** 2
        found = from_influence(float(gains.mean()), gains - gains.mean(), design)
        passed += found.bounds(0.05)[0] > 0
        plain += replace(found, skew=0.0).bounds(0.05)[0] > 0

    assert passed <= 0.05 * 600
    assert plain > 0.1 * 600
