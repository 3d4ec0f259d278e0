"""A small part of the grid on every run: each metric at a few places, with fixed seeds."""

from __future__ import annotations

import pytest
from full_grid import simulate
from grid import (
    FIVE,
    METRICS,
    MISCALIBRATED,
    NUMBERS,
    POSITIVES,
    QUANTILES,
    QUERIES,
    THREE,
    TWO,
    Place,
    population,
)
from layouts import Layout
from summary import exceeding

#: Where more errors are counted than are allowed, four and sixteen times as many are drawn.
REPETITIONS = 80

#: World, rarity, correlation, quality, layout, rows: the levels of ``grid.population``.
PLACES = [
    (TWO, 0, 0.5, 0, "plain", 200),
    (TWO, 1, 0.5, 1, "plain", 400),
    (TWO, 0, 0.5, 0, "groups50", 200),
    (THREE, 0, 0.5, 0, "plain", 300),
    (FIVE, 0, 0.5, 0, "weights", 300),
    (NUMBERS, 0, 0.5, 1, "plain", 200),
    (NUMBERS, 1, 0.5, 1, "groups10", 400),
    (POSITIVES, 1, 0.5, 1, "strata", 400),
    (QUANTILES, 1, 0.5, 1, "plain", 200),
    (MISCALIBRATED, 0, 0.5, 1, "plain", 400),
    (QUERIES, 1, 0.5, 1, "plain", 100),
]
#: About as many rates are tested together.
TESTS = 400


def place(world: str, rarity: int, correlation: float, quality: int, layout: str, n: int) -> Place:
    return Place(world, population(world, rarity, correlation, quality), Layout(layout, n))


@pytest.mark.parametrize("kind", ["equal", "margin"])
@pytest.mark.parametrize("setting", PLACES, ids=lambda setting: f"{setting[0]}-{setting[4]}-{setting[5]}")
def test_a_candidate_at_the_margin_passes_and_is_accused_as_rarely_as_allowed(
    setting: tuple[str, int, float, int, str, int], kind: str
) -> None:
    where = place(*setting)

    results = simulate(where, kind, where.metrics, REPETITIONS)

    assert len(results) == len(where.metrics) > 0
    assert not exceeding(results, TESTS)
    # Nothing is proved by an interval that never decides: most metrics answer on most of these holdouts.
    judged = sorted(result.tally.judged / result.tally.repetitions for result in results)
    assert judged[len(judged) // 2] > 0.5


def test_every_metric_is_somewhere_in_the_small_grid() -> None:
    worlds = {setting[0] for setting in PLACES}

    assert worlds == set(METRICS)


@pytest.mark.parametrize("kind", ["share", "floor"])
@pytest.mark.parametrize("world", [TWO, NUMBERS])
def test_shares_and_floors_keep_their_level(world: str, kind: str) -> None:
    where = place(world, 0, 0.5, 0, "plain", 200)

    results = simulate(where, kind, where.metrics, REPETITIONS)

    assert results
    assert not exceeding(results, TESTS)


@pytest.mark.parametrize(
    ("setting", "kind", "metric"),
    [
        ((THREE, 2, 0.0, 2, "plain", 200), "floor", "precision_macro"),
        ((THREE, 2, 0.0, 2, "plain", 50), "margin", "f1_macro"),
        ((FIVE, 0, 0.0, 0, "plain", 200), "floor", "average_precision_weighted"),
        ((POSITIVES, 0, 0.95, 1, "groups10", 1_000), "margin", "mean_gamma_deviance"),
        ((POSITIVES, 1, 0.95, 1, "groups10", 200), "margin", "mean_gamma_deviance"),
        ((THREE, 1, 0.0, 2, "groups10", 1_000), "margin", "roc_auc_ovr_weighted"),
        ((TWO, 2, 0.95, 2, "groups10", 10_000), "margin", "precision"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value[0]}-{value[4]}",
)
def test_rare_mistakes_in_few_rows_or_groups_are_allowed_for(
    setting: tuple[str, int, float, int, str, int], kind: str, metric: str
) -> None:
    """Where 9 to 20 % passed, or were accused, before."""
    (result,) = simulate(place(*setting), kind, [metric], 240)

    tally = result.tally
    assert tally.judged > 0.2 * tally.repetitions
    assert max(tally.wrong_pass, tally.wrong_accusation) <= 0.09 * tally.repetitions


def test_a_place_that_is_wrong_is_looked_at_again() -> None:
    """Sixteen times as many holdouts where it is not certain, and the first ones where it is."""
    where = place(TWO, 0, 0.5, 0, "plain", 200)

    (result,) = simulate(where, "margin", ["accuracy"], 40)

    assert result.tally.repetitions in (40, 160, 640)
    result.tally.repetitions, result.tally.wrong_pass, result.tally.wrong_accusation = 400, 40, 0
    assert result.undecided
    result.tally.wrong_pass = 200
    assert not result.undecided
    result.tally.wrong_pass = 20
    assert not result.undecided
