"""Groups that differ in size, or say little: CR2 and its degrees of freedom, and how often they are wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.influence import bell_mccaffrey, from_influence, group_shares
from pytest_model_gate.stats.variance import variance_of_mean

RNG = np.random.default_rng(1)
PSI = RNG.normal(size=120)
EQUAL = np.arange(120) // 12

#: By R's clubSandwich, see reference/clubsandwich.R: sizes, mean, standard error, degrees of freedom.
CLUB_SANDWICH = [
    ([60, 20, 10, 10, 5, 5, 4, 3, 2, 1], 0.9277077707770780, 0.0789378977577245, 2.8314004177424668),
    ([12] * 10, 0.9867986798679870, 0.0908969471070184, 9.0),
    ([1, 2, 5, 10, 22, 80], 0.81482898289829, 0.20268967178947, 1.60348225425899),
]


@pytest.mark.parametrize(("sizes", "mean", "error", "df"), CLUB_SANDWICH)
def test_a_mean_has_the_numbers_of_clubsandwich(
    sizes: list[int], mean: float, error: float, df: float
) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    i = np.arange(len(groups))
    x = ((i * 7919) % 101) / 101 + (((groups + 1) * 37) % 11) / 11

    found = from_influence(float(x.mean()), x - x.mean(), Design(n=len(x), groups=groups))

    assert found.gain == pytest.approx(mean, rel=1e-12)
    assert found.standard_error == pytest.approx(error, rel=1e-12)
    assert bell_mccaffrey(group_shares(x, groups)) == pytest.approx(df, rel=1e-9)
    assert found.df <= df * (1 + 1e-9)  # fewer where a few groups carry the spread


def test_equal_groups_have_the_plain_variance() -> None:
    found = from_influence(0.0, PSI, Design(n=120, groups=EQUAL))

    plain = variance_of_mean(PSI, Design(n=120, groups=EQUAL)).variance
    # All but the mean of the totals, which is not exactly 0 here.
    assert found.standard_error**2 == pytest.approx(plain, rel=1e-12)
    assert found.df == pytest.approx(9)
    strata = EQUAL % 2
    assert from_influence(0.0, PSI, Design(n=120, groups=EQUAL, strata=strata)).df == pytest.approx(8)


def test_what_only_three_groups_have_is_known_from_three_groups() -> None:
    """Recall reads the positives, and seven in ten groups have none."""
    kinds = np.isin(EQUAL, (2, 5, 7)).astype(np.intp)
    psi = np.where(kinds == 1, PSI, 0.0)

    shares = group_shares(psi, EQUAL, kinds)
    assert sorted(shares) == pytest.approx([0] * 7 + [1 / 3] * 3)
    assert bell_mccaffrey(shares) == pytest.approx(2)
    assert from_influence(0.0, psi, Design(n=120, groups=EQUAL), kinds=kinds).df == pytest.approx(2)


def test_an_outlier_does_not_make_its_group_the_only_one() -> None:
    psi = PSI.copy()
    psi[3] = 1e6

    assert group_shares(psi, EQUAL, np.arange(120) % 2) == pytest.approx(np.full(10, 0.1))


def test_rows_that_say_nothing_leave_the_groups_as_they_are() -> None:
    shares = group_shares(np.zeros(120), EQUAL, np.zeros(120, dtype=np.intp))
    assert shares == pytest.approx(np.full(10, 0.1))


def test_one_group_that_has_everything_shows_nothing() -> None:
    kinds = (EQUAL == 4).astype(np.intp)
    psi = np.where(kinds == 1, PSI, 0.0)
    found = from_influence(0.0, psi, Design(n=120, groups=EQUAL), kinds=kinds)

    assert math.isfinite(found.standard_error)
    assert found.df == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("sizes", [[200, *[5] * 9], np.geomspace(1, 200, 20).astype(int).tolist()])
def test_groups_of_very_different_size_keep_their_level(sizes: list[int]) -> None:
    """Three in ten parts of the variance are the groups' own. CR1 with t(G - 1) is what must be caught."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    design = Design(n=len(groups), groups=groups)
    rng = np.random.default_rng(2)
    repetitions, wrong, plain = 1_500, 0, 0
    for _ in range(repetitions):
        values = (
            math.sqrt(0.7) * rng.normal(size=len(groups))
            + math.sqrt(0.3) * rng.normal(size=len(sizes))[groups]
        )
        gain = float(values.mean())
        found = from_influence(gain, values - gain, design)
        low, _ = found.bounds(0.05)
        wrong += low > 0
        spread = variance_of_mean(values - gain, design)
        from scipy.special import stdtrit

        plain += gain + float(stdtrit(spread.df, 0.05)) * math.sqrt(spread.variance) > 0

    assert wrong / repetitions < 0.075
    assert plain / repetitions > 0.085
