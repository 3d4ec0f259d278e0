"""Error rates of whole gates: what ships with one line at its margin, and who is accused of many."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from allowances import exceeds
from class_populations import TwoClasses
from grid import metric_of
from layouts import Layout
from number_populations import Numbers
from populations import Drawn
from trials import ALPHA, generator

from pytest_model_gate.gate.lines import Ask, judge
from pytest_model_gate.gate.measure import Measured, measure_pair
from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.policy import gate_verdict, holm
from pytest_model_gate.results import Line, Verdict
from pytest_model_gate.spec import Tolerance

REPETITIONS = 600


def asks(tolerances: Mapping[tuple[str, str], float], n: int) -> list[Ask]:
    return [
        Ask(
            question="regression",
            metric=metric,
            slice=where,
            n=n,
            limit=Tolerance(tolerance),
            on_inconclusive="fail",
        )
        for (metric, where), tolerance in tolerances.items()
    ]


def judged(questions: list[Ask], drawn: Drawn, slices: Mapping[str, np.ndarray]) -> list[Line]:
    metrics: dict[str, Metric] = {ask.metric: metric_of(ask.metric) for ask in questions}

    def measured(ask: Ask) -> Measured:
        metric = metrics[ask.metric]
        forms = drawn.candidate[metric.needs], drawn.reference[metric.needs]
        if ask.slice == "all":
            return measure_pair(metric, drawn.sample, *forms)
        rows = slices[ask.slice]
        return measure_pair(metric, drawn.sample.subset(rows), *(form.subset(rows) for form in forms))

    return judge(questions, metrics, measured, alpha=ALPHA)


@pytest.mark.parametrize("at_margin", ["roc_auc", "log_loss", "accuracy"])
def test_a_gate_with_one_line_at_its_margin_ships_no_more_often_than_the_level(at_margin: str) -> None:
    """The other lines have room to spare; without a correction, only the one line decides."""
    population, n = TwoClasses.with_gap(0.5, 0.5, 0.7), 400
    gaps = {}
    for name in ("roc_auc", "log_loss", "accuracy"):
        metric = metric_of(name)
        candidate, reference = population.values(metric)
        gaps[name, "all"] = abs(candidate - reference) * (1 if name == at_margin else 6)
    questions = asks(gaps, n)
    shipped = others = 0
    for drawn in population.draw(generator("gate", at_margin), Layout("plain", n), REPETITIONS):
        lines = judged(questions, drawn, {})
        shipped += gate_verdict((), lines)[0] is Verdict.PASS
        others += all(line.verdict is Verdict.PASS for line in lines if line.metric != at_margin)

    assert not exceeds(shipped, REPETITIONS, ALPHA, tests=3)
    assert shipped > 0.01 * REPETITIONS
    assert others > 0.5 * REPETITIONS


def test_ten_slices_accuse_an_equal_candidate_no_more_often_than_the_level() -> None:
    """Family-wise: Holm over all slices. Without it four gates in ten would accuse somebody."""
    population, n, k = Numbers.with_gap("normal", 0.5, 0.7).equal, 1_000, 10
    slices = {f"part={part}": np.arange(n) % k == part for part in range(k)}
    questions = asks({("mean_absolute_error", name): 0.0 for name in slices}, n // k)
    accused = plainly = 0
    for drawn in population.draw(generator("slices"), Layout("plain", n), REPETITIONS):
        lines = judged(questions, drawn, slices)
        accused += any(line.verdict is Verdict.REGRESSED for line in lines)
        plainly += any(line.interval is not None and line.interval.high < 0 for line in lines)

    assert not exceeds(accused, REPETITIONS, ALPHA, tests=1)
    assert accused > 0.01 * REPETITIONS
    assert exceeds(plainly, REPETITIONS, 0.3, tests=1)


def test_holm_is_exact_for_independent_lines_at_their_margins() -> None:
    rng = np.random.default_rng(9)
    accused = sum(min(holm(list(rng.random(8)))) < ALPHA for _ in range(4_000))

    assert accused / 4_000 == pytest.approx(1 - (1 - ALPHA / 8) ** 8, abs=0.014)
