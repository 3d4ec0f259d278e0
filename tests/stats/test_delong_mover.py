"""DeLong's interval against pROC and a direct implementation, and MOVER where DeLong's breaks down."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.stats.auc import Auc, PairedAuc, one_model, paired_auc

ASAH = Path(__file__).parent / "reference" / "asah.csv"
Floats = npt.NDArray[np.float64]


def _direct(y: npt.NDArray[np.bool_], score: Floats) -> tuple[float, Floats]:
    """Return the area and each row's influence by comparing all pairs, ties counting one half."""
    positive, negative = score[y], score[~y]
    beats = (positive[:, None] > negative[None, :]) + 0.5 * (positive[:, None] == negative[None, :])
    area, psi = float(beats.mean()), np.empty(len(y))
    psi[y] = (beats.mean(axis=1) - area) / y.mean()
    psi[~y] = (beats.mean(axis=0) - area) / (1 - y.mean())
    return area, psi


def _paired(y: npt.NDArray[np.bool_], candidate: Floats, reference: Floats) -> PairedAuc:
    (b, of_b), (a, of_a) = _direct(y, candidate), _direct(y, reference)
    return paired_auc(b, a, of_b, of_a, np.flatnonzero(y))


def _asah() -> dict[str, Floats]:
    with ASAH.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.parametrize(
    ("first", "second", "area", "other", "z"),
    [
        # reference/proc.R, pROC 1.18.0
        ("s100b", "ndka", 0.731368563685637, 0.611957994579946, 1.390770025735577),
        ("wfns", "ndka", 0.82367886178861793, 0.61195799457994582, 2.79777591868903874),
        ("wfns", "s100b", 0.8236788617886179, 0.7313685636856369, 2.2089835914409077),
    ],
)
def test_asah_as_in_proc(first: str, second: str, area: float, other: float, z: float) -> None:
    data = _asah()
    found = _paired(data["poor"] == 1, data[first], data[second])

    assert (found.candidate, found.reference) == pytest.approx((area, other), abs=1e-12)
    assert found.gain / math.sqrt(found.variance) == pytest.approx(z, rel=1e-10)
    # 41 of 113 outcomes are poor, fewer than DeLong's interval is trusted for.
    assert found.method == "mover"


def test_variance_and_correlation_by_the_published_formula() -> None:
    rng = np.random.default_rng(1)
    y = rng.random(150) < 0.4
    candidate, reference = (np.round(y + rng.normal(size=150), 1) for _ in range(2))
    found = _paired(y, candidate, reference)

    placements = []
    for score in (candidate, reference):
        positive, negative = score[y], score[~y]
        beats = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
        placements.append((beats.mean(axis=1), beats.mean(axis=0)))
    v10 = np.cov([placements[0][0], placements[1][0]])
    v01 = np.cov([placements[0][1], placements[1][1]])
    s = v10 / y.sum() + v01 / (~y).sum()

    assert found.variance == pytest.approx(s[0, 0] + s[1, 1] - 2 * s[0, 1], rel=1e-12)
    assert found.correlation == pytest.approx(s[0, 1] / math.sqrt(s[0, 0] * s[1, 1]), rel=1e-10)
    assert found.method == "delong"
    assert found.bounds(0.05) == pytest.approx(
        (found.gain - 1.6448536 * found.standard_error, found.gain + 1.6448536 * found.standard_error),
        abs=1e-7,
    )


@pytest.mark.parametrize(("area", "m", "n"), [(0.8, 20, 30), (0.99, 5, 500), (0.5, 10, 10), (1.0, 8, 50)])
def test_newcombes_bounds_solve_their_equation(area: float, m: int, n: int) -> None:
    z = 1.6448536269514722
    for theta in one_model(area, m, n, z):
        if 0 < theta < 1:
            q1, q2 = theta / (2 - theta), 2 * theta**2 / (1 + theta)
            # Hanley and McNeil's variance with Newcombe's mean class size in both places.
            size = (m + n) / 2
            variance = (theta * (1 - theta) + (size - 1) * (q1 - theta**2) + (size - 1) * (q2 - theta**2)) / (
                m * n
            )
            assert abs(theta - area) == pytest.approx(z * math.sqrt(variance), rel=1e-9)


areas = st.floats(0, 1)
sizes = st.integers(1, 400)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(
    areas, areas, sizes, sizes, st.floats(0, 0.02), st.floats(-1, 1), st.floats(0.001, 0.45), st.floats(-1, 1)
)
def test_mirror_duality_and_containment(
    b: float, a: float, m: int, n: int, variance: float, rho: float, alpha: float, t: float
) -> None:
    found = PairedAuc(b, a, m, n, variance, rho)
    low, high = found.bounds(alpha)

    assert low <= found.gain <= high
    assert PairedAuc(a, b, m, n, variance, rho).bounds(alpha) == (-high, -low)
    assert math.isfinite(found.standard_error)
    p = found.p_below(t)
    assert 0 <= p <= 1
    if p < alpha and abs(t - high) > 1e-9:
        assert high < t
    # The reach of MOVER grows everywhere where the areas are not far apart: then both say the same.
    if abs(b - a) < 0.2 and rho <= 0.9 and abs(t - high) > 1e-6 and high < t:
        assert p < alpha


@settings(deadline=None, derandomize=True, max_examples=200)
@given(areas, sizes, sizes, st.floats(0.001, 0.45), st.floats(-0.5, 1.5))
def test_one_area_duality(area: float, m: int, n: int, alpha: float, t: float) -> None:
    found = Auc(area, m, n)
    low, high = found.bounds(alpha)

    assert 0 <= low <= area <= high <= 1
    assert found.standard_error > 0
    if abs(t - high) > 1e-9:
        assert (found.p_below(t) < alpha) == (high < t)


def test_two_perfect_models_have_an_interval_with_a_width() -> None:
    y = np.arange(40) >= 30
    found = _paired(y, y + 0.0, y * 2.0)

    low, high = found.bounds(0.05)
    assert found.method == "mover"
    assert low < -0.02 < 0.02 < high
    assert found.standard_error > 0


def _error_near_one(rng: np.random.Generator, positives: int, repetitions: int) -> tuple[float, float]:
    """Return how often MOVER and plain DeLong let pass a candidate at the margin, areas 0.96 and 0.95."""
    y = np.arange(positives + 200) < positives
    shift = {0.96: 2.4758, 0.95: 2.3262}  # sqrt(2) times the normal quantile of the area
    passes = np.zeros(2)
    for _ in range(repetitions):
        common = rng.normal(size=len(y))
        noise = rng.normal(size=(2, len(y)))
        scores = [np.sqrt(0.5) * (common + own) for own in noise]
        found = _paired(y, scores[0] + shift[0.95] * y, scores[1] + shift[0.96] * y)
        z = (found.gain + 0.01) / math.sqrt(found.variance) if found.variance else math.inf
        passes += (found.p_below(-0.01) > 0.95, z > 1.6448536)
    return tuple(passes / repetitions)


def test_mover_keeps_its_level_in_small_classes_where_delong_does_not() -> None:
    mover, delong = _error_near_one(np.random.default_rng(7), positives=10, repetitions=1200)

    assert mover <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 1200)
    assert delong > 0.08
