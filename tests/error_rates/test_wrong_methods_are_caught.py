"""Negative controls: the harness finds each method that is known to be wrong, where the product is not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pytest
from allowances import HARD, errors, exceeds
from class_populations import TwoClasses
from grid import metric_of
from layouts import Layout
from number_populations import Numbers
from populations import Population
from trials import Measure, Question, Tally, difference, holdouts, questions, run
from wrong_methods import plain_influence, rows_for_groups, uncorrected_t, unpaired

REPETITIONS = 1_000

#: Rates that are tested together here.
TESTS = 24


@dataclass(frozen=True, kw_only=True)
class Control:
    """A wrong method, and a place where it is wrong."""

    wrong: Measure
    metric: str
    population: Population
    layout: Layout
    kind: str = "margin"


def heavy_floor() -> Control:
    population = Numbers.with_gap("exp2", 0.0, 0.7)
    ceiling = population.values(metric_of("mean_absolute_error"))[1]
    return Control(
        wrong=partial(uncorrected_t, ceiling=ceiling),
        metric="mean_absolute_error",
        population=population,
        layout=Layout("plain", 100),
        kind="floor",
    )


CONTROLS = {
    # Errors of opposite sign: what is called noise twice is a difference.
    "unpaired standard errors": Control(
        wrong=unpaired,
        metric="roc_auc",
        population=TwoClasses.with_gap(0.5, -0.9, 0.7),
        layout=Layout("plain", 300),
    ),
    "independent rows in groups": Control(
        wrong=rows_for_groups,
        metric="mean_absolute_error",
        population=Numbers.with_gap("normal", 0.0, 0.7),
        layout=Layout("groups10", 200),
    ),
    "t on heavy tails": heavy_floor(),
    "F1 without imaginary rows": Control(
        wrong=plain_influence,
        metric="f1",
        population=TwoClasses.with_gap(0.1, 0.9, 0.7),
        layout=Layout("plain", 100),
    ),
    "DeLong near 1": Control(
        wrong=plain_influence,
        metric="roc_auc",
        population=TwoClasses.with_gap(0.1, 0.0, 0.99),
        layout=Layout("plain", 200),
    ),
}


def tally(control: Control, measure: Measure | None) -> Tally:
    metric = metric_of(control.metric)
    question = questions(control.population, metric, control.kind)
    assert question is not None
    if measure is not None:
        question = Question(measure=measure, margin=question.margin)
    drawn = holdouts(control.population, control.kind, control.layout, REPETITIONS)
    return run([(metric, question)], drawn)[0]


@pytest.mark.parametrize("name", CONTROLS)
def test_a_wrong_method_is_caught_where_the_right_one_is_not(name: str) -> None:
    control = CONTROLS[name]
    wrong, right = tally(control, control.wrong), tally(control, None)

    assert any(exceeds(count, REPETITIONS, HARD, tests=TESTS) for count in errors(wrong).values()), wrong
    assert not any(exceeds(count, REPETITIONS, HARD, tests=TESTS) for count in errors(right).values()), right


def test_unpaired_standard_errors_also_throw_away_what_pairing_gains() -> None:
    """The other direction: models that err together are compared as if they did not."""
    population, layout = TwoClasses.with_gap(0.5, 0.95, 0.7), Layout("plain", 300)
    metric = metric_of("roc_auc")
    asked = [(metric, Question(measure=each, margin=lambda _: -0.05)) for each in (unpaired, difference)]

    wrong, right = run(asked, holdouts(population, "equal", layout, 300))

    assert right.wrong_pass > 0.9 * 300
    assert wrong.wrong_pass < 0.5 * 300
