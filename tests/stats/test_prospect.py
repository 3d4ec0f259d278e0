"""Power before the rows are there: exact enumeration, other software, simulation of the very intervals."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from statsmodels.stats.power import normal_power, normal_sample_size_one_tail

from pytest_model_gate.stats.auc import paired_auc
from pytest_model_gate.stats.binormal import BinormalPair
from pytest_model_gate.stats.planning import minimum_detectable, rows_needed, rows_without_discordance
from pytest_model_gate.stats.prospect import Normal, detectable, rows_for
from pytest_model_gate.stats.tango import PairedProportions
from pytest_model_gate.stats.tango_power import PairedProspect

ALPHA = 0.05

# -- the normal approximation --------------------------------------------------------------------------


@pytest.mark.parametrize(("margin", "gain", "n"), [(0.01, 0.0, 2_000), (0.0, 0.02, 500), (0.02, -0.01, 900)])
def test_normal_power_is_that_of_statsmodels(margin: float, gain: float, n: int) -> None:
    sd = 0.25
    found = Normal(sd / math.sqrt(n)).power(margin, ALPHA, gain)

    assert found == pytest.approx(
        normal_power((margin + gain) / sd, n, ALPHA, alternative="larger"), abs=1e-9
    )
    rows = rows_for(lambda rows: Normal(sd / math.sqrt(rows)), margin, ALPHA, 0.9, gain=gain)
    assert rows == math.ceil(
        normal_sample_size_one_tail(margin + gain, 0.9, ALPHA, std_null=sd, std_alternative=sd)
    )


def test_the_three_questions_agree_with_the_closed_forms() -> None:
    assert detectable(Normal(0.013), ALPHA, 0.8, most=1.0) == pytest.approx(minimum_detectable(0.013, ALPHA))
    spread = 0.011 * math.sqrt(412)
    assert rows_for(lambda rows: Normal(spread / math.sqrt(rows)), 0.005, ALPHA, 0.8) == rows_needed(
        412, 0.011, 0.005, ALPHA
    )


def test_what_no_number_of_rows_can_tell() -> None:
    assert rows_for(lambda rows: Normal(1 / rows), 0.01, ALPHA, 0.8, gain=-0.01) is None
    assert rows_for(lambda rows: PairedProspect(rows, 0.1), 0.0, ALPHA, 0.8) is None
    assert rows_for(lambda rows: Normal(1.0), 0.01, ALPHA, 0.8) is None  # more rows don't help
    assert detectable(Normal(10.0), ALPHA, 0.8, most=1.0) == 1.0


@pytest.mark.parametrize(("margin", "expected"), [(0.01, 1.0), (0.0, 0.0), (-0.01, 0.0)])
def test_a_gain_without_any_spread(margin: float, expected: float) -> None:
    assert Normal(0.0).power(margin, ALPHA) == expected


# -- proportions ---------------------------------------------------------------------------------------


def _enumerated(n: int, discordance: float, gain: float, margin: float, alpha: float) -> float:
    """Return the power by adding up every outcome whose own interval passes."""
    p10, p01 = (discordance + gain) / 2, (discordance - gain) / 2
    power = 0.0
    for n10 in range(n + 1):
        for n01 in range(n + 1 - n10):
            mass = math.comb(n, n10) * math.comb(n - n10, n01) * p10**n10 * p01**n01
            mass *= (1 - p10 - p01) ** (n - n10 - n01)
            if mass > 1e-16 and PairedProportions(n10, n01, n).bounds(alpha)[0] > -margin:
                power += mass
    return power


@pytest.mark.parametrize(
    ("n", "discordance", "gain", "margin"),
    [
        (30, 0.1, 0.0, 0.1),
        (60, 0.2, 0.05, 0.1),
        (60, 0.2, -0.1, 0.1),  # exactly at the margin: the error rate
        (40, 0.3, 0.1, -0.02),  # a superiority margin
        (25, 0.5, 0.0, 0.0),
        (20, 1.0, 0.3, 0.2),
        (50, 0.0, 0.0, 0.06),
        (1, 0.5, 0.0, 0.5),
    ],
)
def test_the_power_of_tangos_test_is_the_sum_over_all_outcomes(
    n: int, discordance: float, gain: float, margin: float
) -> None:
    found = PairedProspect(n, discordance).power(margin, ALPHA, gain)

    assert found == pytest.approx(_enumerated(n, discordance, gain, margin, ALPHA), abs=1e-10)


def test_the_power_of_many_rows_is_what_a_simulation_finds() -> None:
    n, discordance, margin, draws = 3_142, 0.05, 0.01, 20_000
    cells = np.random.default_rng(5).multinomial(
        n, [discordance / 2, discordance / 2, 1 - discordance], size=draws
    )
    kinds, counts = np.unique(cells[:, :2], axis=0, return_counts=True)

    passing = sum(
        int(count)
        for (n10, n01), count in zip(kinds, counts, strict=True)
        if PairedProportions(int(n10), int(n01), n).p_below(-margin) > 1 - ALPHA
    )

    power = PairedProspect(n, discordance).power(margin, ALPHA)
    assert passing / draws == pytest.approx(power, abs=4 * math.sqrt(power * (1 - power) / draws))


@pytest.mark.parametrize("margin", [0.01, 0.05, 0.2])
def test_without_discordance_the_rows_are_the_closed_form(margin: float) -> None:
    found = rows_for(lambda rows: PairedProspect(rows, 0.0), margin, ALPHA, 0.8, least=1)

    assert found == rows_without_discordance(margin, ALPHA)


@pytest.mark.parametrize(("discordance", "margin"), [(0.05, 0.01), (0.1, 0.05), (0.02, 0.02), (0.3, 0.01)])
def test_rows_keep_their_power_and_few_less_do_not(discordance: float, margin: float) -> None:
    rows = rows_for(lambda rows: PairedProspect(rows, discordance), margin, ALPHA, 0.8)

    assert rows is not None
    assert PairedProspect(rows, discordance).power(margin, ALPHA) >= 0.8
    fewer = [PairedProspect(rows - less, discordance).power(margin, ALPHA) for less in range(1, 40)]
    assert min(fewer) < 0.8
    assert rows == pytest.approx(2.4865**2 * discordance / margin**2, rel=0.35)


def test_large_numbers_of_rows_stay_exact_and_quick() -> None:
    power = PairedProspect(10**7, 0.05).power(0.0002, ALPHA)

    assert power == pytest.approx(Normal(math.sqrt(0.05 / 10**7)).power(0.0002, ALPHA), abs=2e-4)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    n=st.integers(1, 400),
    discordance=st.floats(0, 1),
    margin=st.floats(-0.9, 0.99),
    gain=st.floats(-1, 1),
    alpha=st.floats(0.001, 0.4),
)
def test_power_is_a_probability_and_grows_with_the_margin(
    n: int, discordance: float, margin: float, gain: float, alpha: float
) -> None:
    prospect = PairedProspect(n, discordance)
    power = prospect.power(margin, alpha, gain)

    assert 0 <= power <= prospect.power(margin + 0.01, alpha, gain) + 1e-9 <= 1 + 1e-9


# -- areas under the curve ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auc", "correlation", "prevalence"),
    [(0.85, 0.9, 0.1), (0.7, -0.3, 0.5), (0.5, 0.0, 0.3), (0.95, 0.8, 0.2)],
)
def test_the_variance_is_made_of_bivariate_normal_probabilities(
    auc: float, correlation: float, prevalence: float
) -> None:
    rows, h = 2_000, NormalDist().inv_cdf(auc)
    m, n = rows * prevalence, rows * (1 - prevalence)

    def covariance(r: float) -> float:
        def both(rho: float) -> float:
            return (
                float(multivariate_normal.cdf([h, h], cov=[[1, rho], [rho, 1]], allow_singular=True)) - auc**2
            )

        return ((m + n - 2) * both(r / 2) + both(r)) / (m * n)

    found = BinormalPair(auc, correlation, prevalence).paired(rows)

    assert found.variance == pytest.approx(2 * (covariance(1.0) - covariance(correlation)), rel=1e-6)
    assert found.correlation == pytest.approx(covariance(correlation) / covariance(1.0), rel=1e-6)


@pytest.mark.parametrize(
    ("auc", "correlation", "prevalence", "rows", "margin", "draws"),
    [
        (0.85, 0.9, 0.1, 2_000, 0.016, 1_500),
        (0.7, 0.5, 0.5, 500, 0.05, 1_500),
        (0.97, 0.8, 0.2, 500, 0.02, 1_000),
    ],
)
def test_the_power_for_areas_is_what_a_simulation_of_the_gates_interval_finds(
    auc: float, correlation: float, prevalence: float, rows: int, margin: float, draws: int
) -> None:
    rng = np.random.default_rng(11)
    m = round(rows * prevalence)
    n, shift = rows - m, math.sqrt(2) * NormalDist().inv_cdf(auc)
    positive = np.arange(m)
    passing = 0
    for _ in range(draws):
        shared, own = rng.normal(size=rows), rng.normal(size=(2, rows))
        scores = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own
        scores[:, :m] += shift
        areas, influences = [], []
        for score in scores:
            rank = np.empty(rows)
            rank[np.argsort(score)] = np.arange(1, rows + 1)
            within = np.empty(rows)
            for part, size in ((slice(0, m), m), (slice(m, rows), n)):
                order = np.argsort(score[part])
                inside = np.empty(size)
                inside[order] = np.arange(1, size + 1)
                within[part] = inside
            beaten = np.where(np.arange(rows) < m, (rank - within) / n, 1 - (rank - within) / m)
            area = float(beaten[:m].mean())
            areas.append(area)
            influences.append((beaten - area) * np.where(np.arange(rows) < m, rows / m, rows / n))
        passing += paired_auc(*areas, *influences, positive).bounds(ALPHA)[0] > -margin

    power = BinormalPair(auc, correlation, prevalence).at(rows).power(margin, ALPHA)
    assert 0.2 < power < 0.98
    allowed = 4 * math.sqrt(power * (1 - power) / draws) + 0.02  # the planned interval is not the drawn one
    assert passing / draws == pytest.approx(power, abs=allowed)


def test_small_classes_are_planned_with_the_wider_interval_that_judges_them() -> None:
    pair = BinormalPair(0.8, 0.9, 0.1)
    few, many = pair.paired(400), pair.paired(4_000)

    assert (few.method, many.method) == ("mover", "delong")
    reach = pair.at(400).reach
    assert reach is not None
    assert reach(1.645) > 1.645 * math.sqrt(few.variance)
    assert pair.at(4_000).power(0.01, ALPHA) == pytest.approx(
        Normal(math.sqrt(many.variance)).power(0.01, ALPHA), abs=1e-9
    )


def test_equal_scores_have_no_spread() -> None:
    assert BinormalPair(0.8, 1.0, 0.5).paired(1_000).variance == pytest.approx(0.0, abs=1e-15)
