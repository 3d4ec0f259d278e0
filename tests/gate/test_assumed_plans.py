"""Plans from assumptions: power as a simulation of the gate's own intervals finds it, and wrong use."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.gate.assumed import Assumptions, least_rows, plan_assumed
from pytest_model_gate.gate.measure import Sample, measure_pair
from pytest_model_gate.gate.planned import Planned, Wish, rounded_up
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design


def plan(
    name: str, margin: float | None = None, rows: int | None = None, wish: Wish | None = None, **given
) -> Planned:
    return plan_assumed(name, Assumptions(**given), margin=margin, rows=rows, wish=wish or Wish())


def _passes(name: str, sample: Sample, first: Predicted, second: Predicted, margin: float) -> bool:
    return measure_pair(resolve(name), sample, first, second).inference.bounds(0.05)[0] > -margin


def _simulated(
    name: str, rows: int, margin: float, draws: int, *, precision, recall, prevalence, discordance
) -> float:
    """Return how often two equal models of two classes pass, whose differences lie where they err."""
    rng = np.random.default_rng(21)
    hits = prevalence * recall
    alarms = hits / precision - hits
    misses, rest = prevalence - hits, 1 - prevalence - alarms
    flips = [discordance / 2 * cell / (misses + alarms) for cell in (alarms, misses)]  # by class
    # (true class, first label, second label) -> share.
    kinds = {
        (1, 1, 0): flips[1], (1, 0, 1): flips[1], (1, 1, 1): hits - flips[1], (1, 0, 0): misses - flips[1],
        (0, 1, 0): flips[0], (0, 0, 1): flips[0], (0, 1, 1): alarms - flips[0], (0, 0, 0): rest - flips[0],
    }  # fmt: skip
    cells = np.array(list(kinds))
    passing = 0
    for counts in rng.multinomial(rows, list(kinds.values()), size=draws):
        true, first, second = np.repeat(cells, counts, axis=0).T
        sample = Sample(truth=Truth(values=true, classes=(0, 1)), design=Design(n=rows))
        passing += _passes(name, sample, Predicted(labels=first), Predicted(labels=second), margin)
    return passing / draws


@pytest.mark.parametrize(
    ("name", "margin"),
    [("f1", 0.04), ("precision", 0.04), ("balanced_accuracy", 0.03), ("matthews_corrcoef", 0.045)],
)
def test_the_power_for_functions_of_the_confusion_matrix(name: str, margin: float) -> None:
    assumed = {"precision": 0.8, "recall": 0.7, "prevalence": 0.15, "discordance": 0.025}
    rows, draws = 2_000, 300

    planned = plan(name, margin, rows, **assumed)

    power = planned.power_if_equal
    assert power is not None
    assert 0.4 < power < 0.95
    found = _simulated(name, rows, margin, draws, **assumed)
    assert found == pytest.approx(power, abs=4 * math.sqrt(power * (1 - power) / draws) + 0.02)


@pytest.mark.parametrize(("name", "counts"), [("recall", 0.2), ("specificity", 0.8)])
def test_shares_within_a_class_count_its_rows_only(name: str, counts: float) -> None:
    planned = plan(name, 0.02, discordance=0.05, prevalence=0.2)
    whole = plan("accuracy", 0.02, discordance=0.05)

    needed, all_rows = planned.needed(0.8), whole.needed(0.8)
    assert needed is not None
    assert all_rows is not None
    assert needed == pytest.approx(all_rows / counts, rel=0.01)
    assert least_rows(name, 0.02, 0.05, Assumptions(prevalence=0.2)) == math.ceil(133 / counts)


def test_the_power_for_a_mean_loss_and_for_groups() -> None:
    rng = np.random.default_rng(3)
    rows, size, draws, margin = 600, 4, 600, 0.045
    groups = np.repeat(np.arange(rows // size), size)
    deff = 1 + (size - 1) * 0.5
    # Absolute errors of the two models differ by noise of sd 0.3, half of whose variance a group shares.
    passing = {"plain": 0, "grouped": 0}
    for _ in range(draws):
        for kind in passing:
            noise = 0.3 * rng.normal(size=rows)
            if kind == "grouped":
                shared = np.repeat(rng.normal(size=rows // size), size)
                noise = 0.3 * (math.sqrt(0.5) * shared + math.sqrt(0.5) * rng.normal(size=rows))
            design = Design(n=rows, groups=groups if kind == "grouped" else None)
            sample = Sample(truth=Truth(values=np.zeros(rows)), design=design)
            base = np.full(rows, 5.0)
            passing[kind] += _passes(
                "mae", sample, Predicted(value=base + noise), Predicted(value=base), margin
            )

    for kind, effect in (("plain", 1.0), ("grouped", deff)):
        power = plan("mae", margin, rows, sd=0.3, deff=effect).power_if_equal
        assert power is not None
        allowed = 4 * math.sqrt(power * (1 - power) / draws) + 0.01
        assert passing[kind] / draws == pytest.approx(power, abs=allowed), kind


def test_a_grouped_share_is_planned_as_it_is_judged() -> None:
    plain = plan("accuracy", 0.01, 4_000, discordance=0.05)
    grouped = plan("accuracy", 0.01, 4_000, discordance=0.05, deff=2.0)

    assert (plain.method, grouped.method) == ("exact (Tango)", "normal")
    assert grouped.needed(0.8) == pytest.approx(2 * plain.needed(0.8), rel=0.02)
    assert grouped.design_effect == 2.0


def test_an_area_with_a_design_effect_takes_so_many_times_the_rows() -> None:
    alone = plan("roc_auc", 0.01, auc=0.8, prevalence=0.3, correlation=0.9).needed(0.8)
    grouped = plan("auc", 0.01, auc=0.8, prevalence=0.3, correlation=0.9, deff=3.0).needed(0.8)

    assert grouped == pytest.approx(3 * alone, rel=0.01)


def test_any_metric_takes_the_spread_of_a_pilot() -> None:
    planned = plan("average_precision", 0.01, 2_000, sd=0.25, wish=Wish(power=0.95, gain=0.002))

    assert planned.standard_error == pytest.approx(0.25 / math.sqrt(2_000))
    assert [power for power, _ in planned.rows_needed] == [0.8, 0.9, 0.95]
    assert planned.needed(0.95) == math.ceil((0.25 * (1.6449 + 1.6449) / 0.012) ** 2)
    assert planned.power_with_gain > planned.power_if_equal


def test_a_candidate_that_is_worse_than_the_margin_never_passes() -> None:
    planned = plan("accuracy", 0.01, discordance=0.05, wish=Wish(gain=-0.01))

    assert planned.rows_needed == ((0.8, None), (0.9, None))


ALONE = "Give what you assume, or --sd, the standard error of a pilot times the root of its rows."


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        (
            "roc_auc",
            {"auc": 0.8, "prevalence": 0.1},
            "roc_auc takes --auc, --prevalence, --correlation, and --correlation is missing.\n  " + ALONE,
        ),
        ("accuracy", {}, "accuracy takes --discordance, and --discordance is missing.\n  " + ALONE),
        (
            "accuracy",
            {"discordance": 0.05, "auc": 0.8},
            "accuracy takes no --auc.\n  It takes --discordance, or --sd alone.",
        ),
        ("log_loss", {"discordance": 0.05}, "log_loss takes no --discordance.\n  It takes --sd alone."),
        ("f1_macro", {}, "f1_macro takes --sd, and --sd is missing.\n  " + ALONE),
        ("accuracy", {"discordance": 1.5}, "--discordance must be at least 0 and at most 1, got 1.5."),
        (
            "roc_auc",
            {"auc": 1.0, "prevalence": 0.1, "correlation": 0.5},
            "--auc must be above 0 and below 1, got 1.",
        ),
        ("mae", {"sd": 0.0}, "--sd must be a number above 0, got 0."),
        ("mae", {"sd": math.nan}, "--sd must be a number above 0, got nan."),
        (
            "accuracy",
            {"discordance": 0.1, "deff": 0.5},
            "--deff must be at least 1, got 0.5.\n"
            "  It is how many rows of your groups say as much as one independent row.",
        ),
        (
            "f1",
            {"precision": 0.8, "recall": 0.7, "prevalence": 0.1, "discordance": 0.3},
            "Two models of this precision and recall cannot differ on 0.3 of all rows: too few negative "
            "rows are wrong.\n  Give a smaller --discordance.",
        ),
        (
            "f1",
            {"precision": 0.1, "recall": 0.9, "prevalence": 0.5, "discordance": 0.1},
            "A precision of 0.1 with a recall of 0.9 takes more negative rows than a prevalence of 0.5 "
            "leaves.\n"
            "  Give a larger --precision, or a smaller --prevalence or --recall.",
        ),
        ("acuracy", {}, "There is no metric 'acuracy'.\n  Did you mean 'accuracy'?"),
    ],
)
def test_wrong_assumptions_are_said(name: str, given, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(name, 0.01, **given)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {},
            "Neither --margin nor --rows was given.\n"
            "  Give --margin to be told the rows that it takes, or --rows to be told what they detect.",
        ),
        ({"rows": 1}, "--rows must be at least 2, got 1."),
        (
            {"margin": 1.0},
            "--margin must be at least 0 and below 1, the range of accuracy, got 1.\n"
            "  Give it in the metric's own unit: 0.01 is one point of accuracy.",
        ),
    ],
)
def test_wrong_questions_are_said(keys, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan("accuracy", discordance=0.1, **keys)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"power": 1.0},
            "power must be at least 0.5 and below 1, got 1.\n"
            "  It is how often a candidate that is good enough passes; usual are 0.8 and 0.9.",
        ),
        ({"alpha": 0.5}, "alpha must be between 0 and 0.5, got 0.5.\n  Usual is 0.05."),
        (
            {"gain": math.inf},
            "gain must be a finite number, got inf.\n"
            "  Give how much better the candidate is in truth, below 0 if it is worse.",
        ),
    ],
)
def test_wrong_wishes_are_said(keys, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Wish(**keys)

    assert str(caught.value) == message


@pytest.mark.parametrize(("rows", "up"), [(7, 7), (99, 99), (101, 110), (40_355, 41_000), (41_000, 41_000)])
def test_rows_are_rounded_up(rows: int, up: int) -> None:
    assert rounded_up(rows) == up
