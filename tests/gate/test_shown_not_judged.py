"""The largest error has a value and no honest interval: it is shown, passes nothing and fails nothing."""

from dataclasses import replace

import numpy as np
import pytest

from pytest_model_gate import compare, wire
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.report import run
from pytest_model_gate.report.terminal import render
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import SliceSpec, Tolerance, Waiver

SHOWN = "max_error has no honest interval: it is shown, and not judged"
LIMIT = (
    "names 'max_error', which has no honest interval, so that no limit can be judged.\n"
    "  Leave it out: max_error is shown as it is. Set limits for a metric with an interval, such as "
    "mean_absolute_error."
)


@pytest.fixture
def numeric(project):
    """The same rows, with a number as the target: what the models say is off by little."""
    rng = np.random.default_rng(1)
    frame = project.frame
    frame["y"] = frame.x + frame.z
    frame["cand"] = frame.y + 0.10 * rng.normal(size=len(frame))
    frame["prod"] = frame.y + 0.12 * rng.normal(size=len(frame))
    project.write(frame)
    project.spec = replace(
        project.spec, metrics=("mean_absolute_error", "max_error"), baseline="mean", task="regression"
    )
    return project


def shown(record):
    return [line for line in record.lines if line.metric == "max_error"]


def test_it_is_a_line_that_warns(numeric):
    record = numeric.record(slices=(SliceSpec(by="region"),), floors={"mae": 0.2})
    largest = [(numeric.frame[role] - numeric.frame.y).abs().max() for role in ("cand", "prod")]

    first = shown(record)[0]
    assert record.verdict is Verdict.PASS
    assert (first.candidate, first.reference) == pytest.approx(largest)
    assert first.gain == pytest.approx(largest[1] - largest[0])
    assert (first.interval, first.standard_error, first.minimum_detectable, first.rows_needed) == (None,) * 4
    assert [(line.verdict, line.reason, line.on_inconclusive, line.fails) for line in shown(record)] == [
        (Verdict.INCONCLUSIVE, SHOWN, "warn", False)
    ] * 2
    assert [(line.question, line.slice) for line in shown(record)] == [
        ("regression", "all"),
        ("baseline", "all"),
    ]
    assert wire.loads(wire.dumps(record)) == record
    tested = run.Tested(test="t", gate="credit", records=(record,), outcome="passed")
    rendered = [text.text for text in render(run.Run(tested=(tested,)))]
    row = next(text for text in rendered if text.startswith("max_error"))
    assert " ".join(row.split()).endswith(f" - - inconclusive, does not fail: {SHOWN}")


def test_much_worse_is_neither_accused_nor_passed(numeric):
    frame = numeric.frame
    frame.loc[5, "cand"] += 1e6
    numeric.write(frame)

    record = numeric.record(baseline="")

    assert [line.verdict for line in shown(record)] == [Verdict.INCONCLUSIVE]
    assert shown(record)[0].gain < -9e5


def test_it_costs_the_others_nothing_when_accusations_are_corrected(numeric):
    frame = numeric.frame
    frame["cand"] = frame.y + 1.028 * (frame["prod"] - frame.y)
    rng = np.random.default_rng(2)
    frame["cand"] += 0.02 * rng.normal(size=len(frame))
    numeric.write(frame)

    alone = numeric.record(metrics=("mae",), baseline="").lines[0]
    beside = numeric.record(baseline="").lines[0]

    assert beside == alone


def test_equal_predictions_have_equal_largest_errors(numeric):
    line = shown(numeric.record(candidate=numeric.spec.production, baseline=""))[0]

    assert line.verdict is Verdict.PASS
    assert line.warning == "predictions identical on all rows"


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        ({"max_regression": {"max_error": Tolerance(1.0)}}, "gate 'credit': max_regression"),
        ({"min_gain": {"max_error": 0.0}}, "gate 'credit': min_gain"),
        ({"floors": {"max_error": 3.0}}, "gate 'credit': floors"),
        (
            {"slices": (SliceSpec(by="region", max_regression={"max_error": Tolerance(1.0)}),)},
            "gate 'credit': max_regression of slice 'region'",
        ),
        (
            {
                "waivers": (
                    Waiver(gate="credit", metric="max_error", reason="r", owner="o", expires="2999-01-01"),
                )
            },
            "gate 'credit': a waiver",
        ),
    ],
)
def test_no_limit_can_be_set_for_it(numeric, keys, asked):
    with pytest.raises(ConfigurationError) as caught:
        numeric.evaluation(**keys)
    assert str(caught.value) == f"{asked} {LIMIT}"


def test_limits_for_all_metrics_leave_it_out(numeric):
    record = numeric.record(floors={"*": 0.2}, min_gain={"*": 0.1}, max_regression={"*": Tolerance(0.02)})

    assert record.verdict is Verdict.PASS
    assert [line.metric for line in record.lines if line.question == "floor"] == ["mean_absolute_error"]


def test_a_gate_of_it_alone_judges_nothing_and_is_refused(numeric):
    with pytest.raises(ConfigurationError) as caught:
        numeric.evaluation(metrics=("max_error",))
    assert str(caught.value) == (
        f"gate 'credit' would judge nothing: {SHOWN}.\n"
        "  Add a metric that has an interval, such as mean_absolute_error."
    )


@pytest.mark.parametrize("assertion", ["no_regression", "beats_baseline"])
def test_it_cannot_be_asserted(numeric, assertion):
    record = getattr(numeric.evaluation(), assertion)("max_error")

    assert record.verdict is Verdict.ERROR
    assert [finding.problem for check in record.checks for finding in check.findings] == [
        "the assertion names 'max_error', which has no honest interval, so that no limit can be judged."
    ]


def test_an_assertion_on_everything_shows_it(numeric):
    record = numeric.evaluation().no_regression(max_regression=0.05)

    assert record.verdict is Verdict.PASS
    assert [line.reason for line in shown(record)] == [SHOWN]


def test_arrays_are_not_compared_in_it():
    with pytest.raises(ConfigurationError) as caught:
        compare([1.0, 2.0], [1.0, 2.0], [1.5, 2.0], metric="max_error")
    assert str(caught.value) == (
        f"There is nothing to compare: {SHOWN}.\n"
        "  Compare a metric that has an interval, such as mean_absolute_error; a gate shows this one."
    )
    assert resolve("max_error").family == "value"
