"""Gini is 2 AUC - 1 to the last digit: the same method, bounds, p-values and guards, in another unit."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_model_gate.gate.measure import Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design

AUC, GINI = resolve("roc_auc"), resolve("gini")


def case(kind):
    rng = np.random.default_rng(5)
    n, share, shift = {
        "delong": (400, 0.3, 1.0),
        "few positives": (120, 0.15, 1.0),
        "near 1": (300, 0.5, 3.2),
        "perfect": (100, 0.5, 99.0),
        "worse than chance": (400, 0.3, -0.6),
    }[kind]
    y = (np.arange(n) < share * n).astype(np.intp)
    common = rng.normal(size=n)
    candidate, reference = (
        Predicted(score=shift * y + 0.8 * common + 0.6 * rng.normal(size=n)) for _ in range(2)
    )
    return y, candidate, reference


def sample(y, **design):
    weight = design.pop("weight", None)
    truth = Truth(values=y, classes=(0, 1), weight=weight)
    return Sample(truth=truth, design=Design(n=len(y), **design))


CASES = ("delong", "few positives", "near 1", "perfect", "worse than chance")
DESIGNS = {
    "plain": lambda n: {},
    "weights": lambda n: {"weight": (1.0 + np.arange(n) % 3) / np.mean(1.0 + np.arange(n) % 3)},
    "groups": lambda n: {"groups": np.arange(n) // 4},
}


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("kind", CASES)
def test_two_models(kind, design):
    y, candidate, reference = case(kind)
    rows = sample(y, **DESIGNS[design](len(y)))
    area = measure_pair(AUC, rows, candidate, reference)
    gini = measure_pair(GINI, rows, candidate, reference)

    assert (gini.candidate, gini.reference) == pytest.approx(
        (2 * area.candidate - 1, 2 * area.reference - 1), abs=1e-11
    )
    assert gini.inference.method == area.inference.method
    assert gini.inference.standard_error == pytest.approx(2 * area.inference.standard_error, rel=1e-9)
    for alpha in (0.05, 0.001):
        assert gini.inference.bounds(alpha) == pytest.approx(
            [2 * end for end in area.inference.bounds(alpha)], rel=1e-9
        )
    for margin in (-0.02, 0.0, 0.03):
        assert gini.p_below(2 * margin) == pytest.approx(area.p_below(margin), rel=1e-7)
    assert gini.caution == area.caution


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("kind", CASES)
def test_a_floor(kind, design):
    y, candidate, _ = case(kind)
    rows = sample(y, **DESIGNS[design](len(y)))
    area, gini = measure_floor(AUC, rows, candidate, 0.7), measure_floor(GINI, rows, candidate, 0.4)

    assert gini.inference.method == area.inference.method
    assert gini.inference.bounds(0.05) == pytest.approx(
        [2 * end for end in area.inference.bounds(0.05)], rel=1e-9
    )
    assert gini.p_below(0.0) == pytest.approx(area.p_below(0.0), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("kind", CASES)
def test_a_percentage_is_one_of_the_gini_and_not_of_the_area(kind):
    """|Gini| is less than the area, so its percentage is, too; below 0 it is one of the absolute value."""
    y, candidate, reference = case(kind)
    rows = sample(y)
    relative = 0.1
    found = measure_pair(GINI, rows, candidate, reference, relative=relative).inference
    # The contrast gini_b - weight gini_a, which has no constant, in terms of the areas.
    weight = 1 - np.copysign(relative, measure_pair(GINI, rows, candidate, reference).reference)
    psi = AUC.influence(rows.truth, candidate) - weight * AUC.influence(rows.truth, reference)
    positive = y == 1

    assert found.gain == measure_pair(GINI, rows, candidate, reference).inference.gain
    if found.method == "delong":
        variance = (
            sum(np.sum(psi[of] ** 2) * np.sum(of) / (np.sum(of) - 1) for of in (positive, ~positive))
            / len(y) ** 2
        )
        assert found.standard_error == pytest.approx(2 * np.sqrt(variance), rel=1e-9)
