"""The harness: every metric has a population, its truth is right, and no chance enters the verdicts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from class_populations import ManyClasses, TwoClasses
from grid import (
    CORRELATIONS,
    FEWER_LAYOUTS,
    METRICS,
    NUMBERS,
    PREVALENCES,
    QUALITIES,
    SAME_AS,
    SIMULATED,
    SIZES,
    THREE,
    TWO,
    VALUES_ONLY,
    metric_of,
    places,
)
from known_values import FILE, looked_up, sampled
from layouts import ICC, NAMES, Layout
from number_populations import TAILS, Numbers
from populations import Population
from query_populations import Queries
from scipy.stats import norm
from trials import generator, holdouts, questions, run

from pytest_model_gate.gate.measure import measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import names
from pytest_model_gate.metrics.rows import Predicted


def test_no_metric_of_the_catalogue_is_forgotten() -> None:
    known = {*SIMULATED, *SAME_AS, *VALUES_ONLY}

    assert known == set(names())


def test_the_grid_has_every_level_of_every_factor_and_every_pair_of_them() -> None:
    every = list(places())

    for world in (TWO, THREE, NUMBERS):
        here = [place for place in every if place.world == world]
        assert {place.layout.n for place in here} == set(SIZES)
        assert {place.layout.name for place in here} == set(FEWER_LAYOUTS.get(world, NAMES))
    square = [
        p.population for p in every if p.world == TWO and p.layout.name == "plain" and p.layout.n == 200
    ]
    for pair in (("prevalence", "correlation"), ("prevalence", "area"), ("correlation", "area")):
        assert len({tuple(getattr(p, name) for name in pair) for p in square}) == 9
    diagonal = [p.population for p in every if p.world == TWO and p.layout == Layout("groups10", 200)]
    assert len(diagonal) == 3
    for name in ("prevalence", "correlation", "area"):
        assert len({getattr(p, name) for p in diagonal}) == 3
    combinations = len(PREVALENCES) * len(CORRELATIONS) * len(QUALITIES)
    whole = [p for p in places(fraction=False) if p.world == TWO and p.layout == Layout("plain", 200)]
    assert len({place.population for place in whole}) == len(whole) == combinations


@pytest.mark.parametrize("name", SAME_AS)
def test_what_is_left_out_is_the_other_metric(name: str) -> None:
    other = SAME_AS[name]
    queries = metric_of(other).family == "query"
    population: Population = (
        Queries.with_gap(0.1, 0.5, 0.7) if queries else ManyClasses.with_gap(3, 0.5, 0.5, 0.7)
    )
    needs = metric_of(other).needs
    for drawn in population.draw(np.random.default_rng(1), Layout("plain", 40), 20):
        forms = drawn.candidate[needs], drawn.reference[needs]
        one, two = (measure_pair(metric_of(each), drawn.sample, *forms) for each in (name, other))
        assert one.inference.bounds(0.05) == two.inference.bounds(0.05)
        assert one.p_below(-0.02) == two.p_below(-0.02)
        floors = [measure_floor(metric_of(each), drawn.sample, forms[0], 0.6) for each in (name, other)]
        assert floors[0].inference.bounds(0.05) == floors[1].inference.bounds(0.05)


def test_the_truth_of_two_classes_has_a_closed_form() -> None:
    population = TwoClasses.with_gap(0.1, 0.5, 0.9)

    assert population.values(metric_of("roc_auc")) == pytest.approx((0.88, 0.9), abs=1e-8)
    shift = math.sqrt(2) * norm.ppf(0.9)
    recall = population.values(metric_of("recall"))[1]
    precision = population.values(metric_of("precision"))[1]
    cut = shift - norm.ppf(recall)
    raised = norm.sf(cut)
    assert 0.1 * recall + 0.9 * raised == pytest.approx(0.125, abs=1e-12)
    assert precision == pytest.approx(0.1 * recall / 0.125, abs=1e-12)


def test_the_truth_of_numbers_has_a_closed_form() -> None:
    scale = math.sqrt(0.3)
    normal, _, exponential = (Numbers.with_gap(tail, 0.5, 0.7) for tail in TAILS)

    assert normal.values(metric_of("mean_absolute_error"))[1] == pytest.approx(
        scale * math.sqrt(2 / math.pi), rel=1e-3
    )
    assert exponential.values(metric_of("mean_absolute_error"))[1] == pytest.approx(
        scale * 2 / math.sqrt(24), rel=1e-3
    )
    for population in (normal, exponential):
        assert population.values(metric_of("r2")) == pytest.approx((1 - 1.21 * 0.3, 0.7), abs=1e-6)
    pearson = 1 / math.sqrt(1.3)
    spearman = 6 / math.pi * math.asin(pearson / 2)
    assert normal.values(metric_of("spearman"))[1] == pytest.approx(spearman, abs=2e-4)


POPULATIONS: dict[str, Population] = {
    TWO: TwoClasses.with_gap(0.1, 0.5, 0.9),
    THREE: ManyClasses.with_gap(3, 0.1, 0.5, 0.9),
    NUMBERS: Numbers.with_gap("t5", 0.5, 0.7),
}


@pytest.mark.parametrize("layout", NAMES)
@pytest.mark.parametrize("world", POPULATIONS)
def test_samples_have_the_values_of_their_population(world: str, layout: str) -> None:
    """The mean over many samples, within five standard errors; metrics with a bias get the bias of 1 / n."""
    population = POPULATIONS[world]
    found: dict[str, list[tuple[float, float]]] = {}
    for drawn in population.draw(np.random.default_rng(3), Layout(layout, 4_000), 40):
        for name in METRICS[world]:
            metric = metric_of(name)
            first, second = (
                metric.value(drawn.sample.truth, forms[metric.needs])
                for forms in (drawn.candidate, drawn.reference)
            )
            found.setdefault(name, []).append((first, second))
    assert found
    for name, rows in found.items():
        table = np.array(rows)
        error = table.std(axis=0, ddof=1) / math.sqrt(len(table))
        truth = np.array(population.values(metric_of(name)))
        assert np.all(np.abs(table.mean(axis=0) - truth) <= 5 * error + 0.002 * np.abs(truth)), name


def test_models_and_groups_are_correlated_as_they_should() -> None:
    population = TwoClasses.with_gap(0.5, 0.95, 0.7)
    errors, same_group = [], []
    for drawn in population.draw(np.random.default_rng(4), Layout("groups50", 1_000), 100):
        negative = drawn.sample.truth.values == 0
        pair = [forms["score"].score for forms in (drawn.candidate, drawn.reference)]
        errors.append(np.corrcoef(pair[0][negative], pair[1][negative])[0, 1])
        latent = pair[0] - np.where(negative, 0.0, pair[0][~negative].mean() - pair[0][negative].mean())
        same_group.append(np.mean(latent[::20] * latent[1::20]))
    assert np.mean(errors) == pytest.approx(0.95, abs=0.005)
    assert np.mean(same_group) == pytest.approx(ICC, abs=0.06)


def test_cached_values_are_those_of_their_script() -> None:
    """A fresh fortieth of the sample: within what 250,000 rows can tell."""
    assert FILE.exists()
    for (key, value), worse in zip(
        sorted(sampled(3, 0.1, 0.9, samples=1, metrics=("log_loss",)).items()), (False, True), strict=True
    ):
        assert key.endswith("worse" if worse else "reference")
        assert value == pytest.approx(looked_up("log_loss", 3, 0.1, 0.9, worse=worse), abs=0.01)


def test_the_same_place_draws_the_same_numbers_whatever_else_is_run() -> None:
    population, layout = POPULATIONS[TWO], Layout("plain", 50)
    names_of = ["roc_auc", "accuracy", "f1"]
    asked = [(metric_of(name), questions(population, metric_of(name), "margin")) for name in names_of]

    together = run(asked, holdouts(population, "margin", layout, 60))
    alone = [run([each], holdouts(population, "margin", layout, 60))[0] for each in asked]

    assert together == alone
    assert generator("a").random() != generator("b").random()


def test_a_metric_of_labels_sees_labels_only() -> None:
    drawn = next(iter(POPULATIONS[TWO].draw(np.random.default_rng(5), Layout("plain", 50), 1)))

    assert isinstance(drawn.candidate["label"], Predicted)
    assert drawn.candidate["label"].ranking is None
    assert drawn.candidate["score"].labels is None
