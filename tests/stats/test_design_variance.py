"""Variances under each sampling design against statsmodels and R's survey package."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from pytest_model_gate.errors import InvalidError, UndefinedMetricError
from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.influence import from_influence
from pytest_model_gate.stats.tilted import tilted
from pytest_model_gate.stats.variance import variance_of_mean

I = np.arange(120)  # noqa: E741 - as in the R script
X, W, GROUP, STRATUM = ((I * 7919) % 101) / 101, 1 + I % 4, I // 5, I // 30
Y, P = ((I * 31) % 7 < 3).astype(float), ((I * 17) % 11 < 5).astype(float)
DESIGNS = {
    "rows": Design(n=120),
    "groups": Design(n=120, groups=GROUP),
    "strata": Design(n=120, strata=STRATUM),
    "both": Design(n=120, groups=GROUP, strata=STRATUM),
}


@pytest.mark.parametrize(
    ("name", "of_mean", "of_f1", "df"),
    [
        # reference/survey.R, survey 4.1.1
        ("rows", 0.0288034752662770, 0.0653187349074612, 119),
        ("groups", 0.0154423823158918, 0.0713683873148990, 23),
        ("strata", 0.0291414929697545, 0.0658756145604380, 116),
        ("both", 0.0162293710520619, 0.0751081089809654, 20),
    ],
)
def test_weighted_mean_and_ratio_as_in_survey(name: str, of_mean: float, of_f1: float, df: int) -> None:
    w = W / W.mean()
    mean = np.mean(w * X)
    top, bottom = np.mean(w * 2 * Y * P), np.mean(w * (Y + P))
    f1 = top / bottom

    found = variance_of_mean(w * (X - mean), DESIGNS[name])
    ratio = variance_of_mean(w * (2 * Y * P - f1 * (Y + P)) / bottom, DESIGNS[name])

    assert math.sqrt(found.variance) == pytest.approx(of_mean, rel=1e-10)
    assert math.sqrt(ratio.variance) == pytest.approx(of_f1, rel=1e-10)
    assert (found.df, found.caution) == (df, "")


def test_groups_as_in_statsmodels() -> None:
    n, g = len(X), GROUP.max() + 1
    fit = sm.WLS(X, np.ones(n), weights=W).fit(
        cov_type="cluster", cov_kwds={"groups": GROUP, "use_correction": False}, use_t=True
    )
    w = W / W.mean()
    found = from_influence(float(np.mean(w * X)), w * (X - np.mean(w * X)), DESIGNS["groups"])

    assert found.standard_error == pytest.approx(fit.bse[0] * math.sqrt(g / (g - 1)), rel=1e-10)
    assert fit.df_resid_inference == found.df == g - 1
    expected = fit.params[0] + np.array([-1, 1]) * 1.713871527747  # t(23) at 0.95
    width = (expected - fit.params[0]) * found.standard_error
    # 24 groups are few: what their rows tell of skewness widens the bounds, which statsmodels doesn't do.
    low, high = found.bounds(0.05)
    plain = replace(found, skew=0.0).bounds(0.05)
    assert plain == pytest.approx(tuple(fit.params[0] + width), rel=1e-9)
    assert low <= plain[0] < plain[1] <= high


def test_rows_as_in_statsmodels_and_by_jackknife() -> None:
    w = W / W.mean()
    mean = np.mean(w * X)
    found = variance_of_mean(w * (X - mean), DESIGNS["rows"])
    fit = sm.WLS(X, np.ones(len(X)), weights=W).fit(cov_type="HC0")
    left_out = (np.sum(W * X) - W * X) / (W.sum() - W)
    jackknife = (len(X) - 1) / len(X) * np.sum((left_out - left_out.mean()) ** 2)

    assert found.variance == pytest.approx(fit.bse[0] ** 2 * 120 / 119, rel=1e-10)
    assert found.variance == pytest.approx(jackknife, rel=0.02)


def test_cells_say_the_same_as_their_rows() -> None:
    counts, psi = np.array([5.0, 0.0, 3.0, 12.0]), np.array([0.3, 9.0, -1.0, 0.125])
    rows = np.repeat(psi, counts.astype(int))

    imaginary = np.array([1.0, math.sqrt(0.4)])
    by_cells = tilted(0.1, psi, counts, imaginary)
    by_rows = from_influence(0.1, rows, Design(n=20), imaginary=imaginary)

    assert by_cells.standard_error == pytest.approx(by_rows.standard_error, rel=1e-12)
    assert by_rows.standard_error == pytest.approx(
        from_influence(0.1, rows, Design(n=20), pseudo=0.7).standard_error, rel=1e-12
    )
    plain = (np.var(rows, ddof=1) * 19 + 0.7) / 20 / 19
    assert by_rows.standard_error == pytest.approx(math.sqrt(plain), rel=1e-12)


@pytest.mark.parametrize("groups", [2, 4])
def test_few_groups_cannot_tell(groups: int) -> None:
    found = from_influence(0.0, X - X.mean(), Design(n=120, groups=I % groups))

    assert found.caution == f"{groups} groups are too few to tell how groups differ, at least 5 are needed"
    assert all(math.isfinite(end) for end in found.bounds(0.05))
    assert from_influence(0.0, X - X.mean(), Design(n=120, groups=I % 5)).caution == ""


def test_one_group_cannot_tell_either() -> None:
    found = from_influence(0.0, X - X.mean(), Design(n=120, groups=np.zeros(120, dtype=np.intp)))

    assert found.caution == "all rows belong to one group, so nothing is known about other groups"
    assert all(math.isfinite(end) for end in found.bounds(0.05))


def test_a_stratum_of_one_row_is_centred_at_the_mean_of_all() -> None:
    values = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 9.0])
    strata = np.array([0, 0, 0, 1, 1, 2])

    found = variance_of_mean(values, Design(n=6, strata=strata))

    within = 3 / 2 * np.sum((values[:3] - 7 / 3) ** 2) + 2 * np.sum((values[3:5] - 4) ** 2)
    assert found.variance == pytest.approx((within + (9 - 4) ** 2) / 36, rel=1e-12)
    assert found.df == 3
    assert found.caution == "6 rows in 3 strata are too few to tell how rows differ"


def test_groups_across_strata_are_refused() -> None:
    with pytest.raises(InvalidError) as caught:
        variance_of_mean(X, Design(n=120, groups=GROUP, strata=I % 2))

    assert str(caught.value) == (
        "Each group must lie within one stratum, but 24 of 24 lie in several.\n"
        "  Name strata that whole groups belong to, or leave the strata out."
    )


def test_one_row_has_no_variance() -> None:
    with pytest.raises(UndefinedMetricError, match="An interval needs at least 2 rows, got 1"):
        variance_of_mean(np.array([0.0]), Design(n=1))


def test_a_subset_has_dense_codes() -> None:
    mask = (GROUP == 3) | (GROUP == 20)
    part = DESIGNS["both"].subset(mask)

    assert part.groups is not None
    assert part.strata is not None
    assert part.n == 10
    assert part.groups.tolist() == [0] * 5 + [1] * 5
    assert part.strata.tolist() == [0] * 5 + [1] * 5
