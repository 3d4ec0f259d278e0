"""Plans from a pilot: the spread of the gate's own measurements, and nothing of how good the candidate is."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_model_gate.data.ledger import LEDGER_NAME
from pytest_model_gate.errors import EvaluationError
from pytest_model_gate.gate.pilot import from_record
from pytest_model_gate.gate.planned import Wish, level
from pytest_model_gate.spec import SliceSpec, Tolerance
from pytest_model_gate.stats.prospect import Normal
from pytest_model_gate.stats.tango_power import PairedProspect


def within(**tolerances):
    return {name: Tolerance.parse(value) for name, value in tolerances.items()}


def plans(project, wish=None, **keys):
    found = project.evaluation(**keys).pilot(wish or Wish())
    return {(planned.metric, planned.slice): planned for planned in found}


def lines(project, **keys):
    return {
        (line.metric, line.slice): line
        for line in project.record(**keys).lines
        if line.question == "regression"
    }


def test_every_tolerance_is_planned_by_the_spread_that_the_gate_measures(project) -> None:
    keys = {"slices": (SliceSpec(by="region", min_rows=100),), "max_regression": within(roc_auc=0.004)}
    found, judged = plans(project, **keys), lines(project, **keys)

    assert found.keys() == judged.keys()
    for key, planned in found.items():
        line = judged[key]
        assert planned.standard_error == line.standard_error
        assert (planned.rows, planned.margin) == (line.n, -line.required)
        assert planned.reference == line.reference
        assert dict(planned.detectable)[0.8] == pytest.approx(2.4865 * line.standard_error, rel=1e-4)
        power = Normal(line.standard_error).power(planned.margin, 0.05)
        assert planned.power_if_equal == pytest.approx(power)
        needed = planned.needed(0.8)
        assert needed == pytest.approx(
            line.n * (2.486475 * line.standard_error / planned.margin) ** 2, rel=2e-3
        )


def test_a_written_report_gives_the_same_plan(project) -> None:
    keys = {"slices": (SliceSpec(by="region", min_rows=100),), "max_regression": within(roc_auc=0.004)}
    found = plans(project, **keys)

    for planned in from_record(project.record(**keys), Wish()):
        own = found[planned.metric, planned.slice]
        assert planned.rows_needed == own.rows_needed
        assert planned.power_if_equal == pytest.approx(own.power_if_equal)
        assert planned.tolerance == own.tolerance


def test_shares_of_right_rows_have_their_exact_power(project) -> None:
    frame = project.frame
    keys = {"metrics": ("accuracy", "recall"), "max_regression": within(accuracy=0.01, recall=0.02)}
    found = plans(project, **keys)

    labels = frame[["cand", "prod"]].to_numpy() >= 0.5
    right = labels == frame[["y"]].to_numpy()
    only_one = right[:, 0] != right[:, 1]
    accuracy, recall = found["accuracy", "all"], found["recall", "all"]
    assert (accuracy.method, recall.method) == ("exact", "exact")
    assert accuracy.power_if_equal == PairedProspect(2_000, only_one.mean()).power(0.01, 0.05)
    positive = frame["y"].to_numpy() == 1
    within_class = PairedProspect(int(positive.sum()), only_one[positive].mean())
    assert recall.power_if_equal == pytest.approx(within_class.power(0.02, 0.05), abs=1e-9)
    from_report = {planned.metric: planned for planned in from_record(project.record(**keys), Wish())}
    assert from_report["accuracy"].power_if_equal == pytest.approx(accuracy.power_if_equal, abs=0.02)


def test_what_is_planned_does_not_depend_on_how_good_the_candidate_is(project) -> None:
    """A candidate that is better by the same amount on every row has the same plan."""
    frame = project.frame.assign(y=np.random.default_rng(1).normal(size=2_000))
    noise = np.random.default_rng(2).normal(size=2_000)
    keys = {"metrics": ("mae",), "baseline": "mean", "max_regression": within(mae=0.02)}

    def planned(shift: float):
        project.write(frame)
        scores = frame["y"] + 9.0
        project.write_scores(frame.assign(prod=scores, cand=scores + 0.1 * noise + shift))
        (found,) = plans(project, **keys).values()
        return found

    first, second = planned(0.0), planned(0.5)
    assert first.standard_error == pytest.approx(second.standard_error, rel=1e-9)
    assert first.rows_needed == second.rows_needed
    assert first.power_if_equal == pytest.approx(second.power_if_equal, rel=1e-9)


def test_groups_are_named_with_their_design_effect(project) -> None:
    frame = project.frame.loc[lambda rows: rows.index.repeat(2)].reset_index(drop=True)
    frame["customer"] = frame.pop("id")
    frame["id"] = np.arange(len(frame))
    frame[["id", "x", "z", "y", "region", "customer"]].to_parquet(project.root / "data.parquet")
    project.write_scores(frame)

    for planned in plans(project, groups="customer").values():
        assert planned.design_effect == pytest.approx(2.0, rel=2e-3)
    assert all(planned.design_effect is None for planned in plans(project).values())


def test_models_that_say_the_same_tell_nothing(project) -> None:
    (auc, loss) = plans(project, candidate="predictions:scores.parquet#prod").values()

    for planned in (auc, loss):
        assert (
            planned.caution
            == "both models say the same on every row, so nothing is known of how models differ"
        )
        assert (planned.rows_needed, planned.power_if_equal, planned.margin) == ((), None, None)
    for planned in from_record(project.record(candidate="predictions:scores.parquet#prod"), Wish()):
        assert planned.caution == auc.caution


def test_a_line_without_an_answer_is_planned_without_numbers(project) -> None:
    project.write(project.frame.assign(y=lambda rows: rows["y"].where(rows["region"] != "isle", 1)))
    found = plans(project, slices=(SliceSpec(by="region"),))

    assert found["roc_auc", "region=isle"].caution.startswith("roc_auc")
    assert found["roc_auc", "region=isle"].rows_needed == ()
    assert found["roc_auc", "all"].power_if_equal is not None


def test_a_first_release_has_no_tolerance_to_plan(project) -> None:
    assert plans(project, production="none") == {}


def test_rows_that_cannot_be_scored_are_said(project) -> None:
    with pytest.raises(EvaluationError, match=r"^pin: data\.parquet is not pinned in model-gate\.lock"):
        project.evaluation(pin=False).pilot(Wish())


def test_a_plan_is_no_use_of_the_holdout(project) -> None:
    keys = {"holdout_budget": 20}
    found = plans(project, **keys)

    assert {planned.alpha for planned in found.values()} == {0.05 / 20}
    ledger = project.root / LEDGER_NAME
    assert not ledger.exists()
    project.record(**keys)
    assert ledger.exists()


def test_the_level_is_that_of_the_use_or_the_one_that_is_asked_for(project) -> None:
    spec = project.evaluation(alpha=0.1).spec

    assert level(spec, Wish()) == 0.1
    assert level(spec, Wish(alpha=0.01)) == 0.01
