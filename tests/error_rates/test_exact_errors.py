"""Exact error rates of proportions and of small tables: all holdouts enumerated, none drawn."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from allowances import HARD
from enumeration import (
    accuracy_errors,
    compositions,
    floor_errors,
    pair_errors,
    pair_rows,
    population_gain,
    probabilities,
    relative_accuracy_errors,
    verdict,
)
from grid import metric_of
from wrong_methods import wald

from pytest_model_gate.gate.measure import measure_pair
from pytest_model_gate.results import Verdict

DISCORDANCES = (1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)


def swept(n: int, margin: float, **keys: object) -> tuple[float, float]:
    """Return the worst rates over all discordances, in multiples of the margin."""
    rates = [
        accuracy_errors(n, margin, margin * times, **keys)  # type: ignore[arg-type]
        for times in DISCORDANCES
        if margin * times <= 0.5
    ]
    return max(passed for passed, _ in rates), max(accused for _, accused in rates)


@pytest.mark.parametrize(("n", "margin"), [(50, 0.05), (50, 0.1), (100, 0.02), (100, 0.1), (200, 0.02)])
def test_accuracy_keeps_its_level_in_every_nuisance(n: int, margin: float) -> None:
    passed, accused = swept(n, margin)

    assert passed <= HARD
    assert accused <= HARD


@pytest.mark.parametrize(("n", "least"), [(50, 0.3), (100, 0.12), (200, 0.09)])
def test_walds_interval_is_caught(n: int, least: float) -> None:
    """A negative control: the same sweep finds the interval that has no width without discordance."""
    passed, _ = swept(n, 0.02, measure=wald)

    assert passed > least > HARD


def test_labels_that_agree_on_few_rows_prove_nothing() -> None:
    """Truth: 2 % worse, all of it disagreement. On 36 % of the holdouts of 50 rows no row shows it."""
    passed, _ = accuracy_errors(50, 0.02, 0.02)

    assert 0.98**50 > 0.36
    assert passed == 0.0


@pytest.mark.parametrize("both", [0.81, 0.79, 0.75, 0.73])
def test_a_share_of_accuracy_keeps_its_level(both: float) -> None:
    passed, accused = relative_accuracy_errors(25, 0.1, 0.9, both)

    assert passed <= HARD
    assert accused <= HARD


@pytest.mark.parametrize("name", ["accuracy", "recall", "specificity"])
@pytest.mark.parametrize("prevalence", [0.5, 0.3])
def test_the_floor_of_a_proportion_never_exceeds_its_level(name: str, prevalence: float) -> None:
    for found, raised in ((0.8, 0.1), (0.95, 0.05), (0.6, 0.4)):
        passed, accused = floor_errors(name, 15, prevalence, found, raised)

        assert passed <= 0.05
        assert accused <= 0.05


def test_simulation_and_enumeration_agree() -> None:
    """The two ways to a rate have nothing in common but the product."""
    shares = np.array([0.30, 0.05, 0.08, 0.07, 0.06, 0.10, 0.04, 0.30])
    metric, gain = metric_of("accuracy"), population_gain("accuracy", shares)
    drawn = np.random.default_rng(6).multinomial(7, shares, size=2_000)
    said = [verdict(partial(measure_pair, metric, *pair_rows(counts)), lambda _: gain) for counts in drawn]

    passed, accused = pair_errors("accuracy", 7, shares)

    assert passed == pytest.approx(said.count(Verdict.PASS) / 2_000, abs=4 * 0.006)
    assert accused == pytest.approx(said.count(Verdict.REGRESSED) / 2_000, abs=4 * 0.003)
    assert passed > 0.01


def test_every_way_to_share_rows_is_there_once() -> None:
    tables = compositions(6, 4)

    assert len(tables) == 84
    assert len(np.unique(tables, axis=0)) == 84
    assert np.all(tables.sum(axis=1) == 6)
    assert probabilities(tables, np.array([0.1, 0.2, 0.3, 0.4])).sum() == pytest.approx(1.0)
