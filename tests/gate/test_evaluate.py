"""A whole gate: what it asks, what it answers, and that order and wording change nothing."""

from datetime import date

import numpy as np
import pytest

import pytest_model_gate
from pytest_model_gate import wire
from pytest_model_gate.errors import ConfigurationError, ModelGateError
from pytest_model_gate.gate.evaluate import Evaluation
from pytest_model_gate.gate.names import checked
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import SliceSpec, Tolerance, Waiver

BAD = "predictions:scores.parquet#bad"


def lines(record, question="regression"):
    return [line for line in record.lines if line.question == question]


def test_a_good_candidate_passes(project):
    record = project.record(
        floors={"auc": 0.8},
        slices=(SliceSpec(by="region", min_rows=100),),
        max_regression={"*": Tolerance(0.02)},
    )
    assert record.verdict is Verdict.PASS
    assert [(line.question, line.metric, line.slice) for line in record.lines] == [
        ("regression", "roc_auc", "all"),
        ("regression", "log_loss", "all"),
        ("baseline", "roc_auc", "all"),
        ("baseline", "log_loss", "all"),
        ("floor", "roc_auc", "all"),
        ("regression", "roc_auc", "region=north"),
        ("regression", "log_loss", "region=north"),
        ("regression", "roc_auc", "region=south"),
        ("regression", "log_loss", "region=south"),
    ]
    assert [(small.slice, small.n, small.min_rows) for small in record.small_slices] == [
        ("region=isle", 20, 100)
    ]
    assert record.dataset.rows == record.dataset.rows_used == 2000
    assert wire.loads(wire.dumps(record)) == record


def test_a_bad_candidate_regresses_everywhere_and_says_how_much(project):
    record = project.record(candidate=BAD)
    assert record.verdict is Verdict.REGRESSED
    line = record.lines[0]
    assert line.verdict is Verdict.REGRESSED
    assert f"{abs(line.gain):.4g} worse" in line.reason
    assert "Do not ship this candidate" in line.remedy


def test_values_are_those_of_scikit_learn(project):
    from sklearn.metrics import log_loss, roc_auc_score

    first, second = lines(project.record())
    frame = project.frame
    assert first.candidate == pytest.approx(roc_auc_score(frame.y, frame.cand), abs=1e-11)
    assert first.reference == pytest.approx(roc_auc_score(frame.y, frame["prod"]), abs=1e-11)
    assert second.candidate == pytest.approx(log_loss(frame.y, frame.cand), abs=1e-11)


def test_permuting_rows_changes_no_digit(project):
    slices = (SliceSpec(by="region"),)
    metrics = (
        "roc_auc",
        "log_loss",
        "accuracy",
        "f1",
        "average_precision",
        "brier_score",
        "matthews_corrcoef",
    )
    first = project.record(slices=slices, metrics=metrics)
    for seed in range(3):
        project.write(project.frame.sample(frac=1, random_state=seed))
        again = project.record(slices=slices, metrics=metrics)
        assert again.lines == first.lines
        assert again.checks[1:] == first.checks[1:]


def test_swapping_the_models_mirrors_every_interval(project):
    metrics = ("roc_auc", "log_loss", "accuracy", "f1", "average_precision", "brier_score")
    keys = {"metrics": metrics, "max_regression": {"*": Tolerance(0.01)}, "slices": (SliceSpec(by="region"),)}
    there = lines(project.record(**keys))
    back = lines(project.record(candidate=project.spec.production, production=project.spec.candidate, **keys))
    for one, other in zip(there, back, strict=True):
        assert one.gain == -other.gain
        assert (one.interval.low, one.interval.high) == (-other.interval.high, -other.interval.low)


def test_the_order_of_metrics_and_slices_changes_no_verdict(project):
    keys = {"slices": (SliceSpec(by="region"),)}
    one = project.record(metrics=("roc_auc", "log_loss", "f1"), **keys)
    other = project.record(metrics=("f1", "log_loss", "roc_auc"), **keys)
    assert set(one.lines) == set(other.lines)


def test_the_same_model_in_both_roles_passes_and_is_said(project):
    record = project.record(production=project.spec.candidate)
    assert record.verdict is Verdict.PASS
    assert record.notes[0].startswith("candidate and production are the same model")
    assert {line.warning for line in lines(record)} == {"predictions identical on all rows"}


def test_a_gate_without_a_baseline_says_so(project):
    record = project.record(baseline="")
    assert record.verdict is Verdict.PASS
    assert any(note.startswith("NO BASELINE") for note in record.notes)


def test_a_first_release_is_judged_by_baseline_and_floors(project):
    record = project.record(production="none", floors={"roc_auc": 0.8})
    assert record.verdict is Verdict.PASS
    assert {line.question for line in record.lines} == {"baseline", "floor"}
    assert record.notes[0].startswith("first release")


def test_a_candidate_no_better_than_the_baseline(project):
    project.write(project.frame.assign(cand=0.5, prod=0.5))
    record = project.record()
    assert record.verdict is Verdict.INCONCLUSIVE
    assert all(line.verdict is not Verdict.PASS for line in lines(record, "baseline"))


@pytest.mark.parametrize(
    ("choice", "verdict"), [("fail", "inconclusive"), ("warn", "pass"), ("pass", "pass")]
)
def test_on_inconclusive(project, choice, verdict):
    slices = (SliceSpec(by="region", on_inconclusive=choice),)
    record = project.record(slices=slices)
    small = [line for line in record.lines if line.slice == "region=isle"]
    assert {line.verdict for line in small} == {Verdict.INCONCLUSIVE}
    assert all(line.minimum_detectable and line.rows_needed > line.n for line in small)
    assert record.verdict == verdict


def test_tolerances_are_found_from_the_slice_to_the_default(project):
    record = project.record(
        max_regression={"roc_auc": Tolerance(0.02)},
        slices=(SliceSpec(by="region", max_regression={"*": Tolerance(0.5)}),),
    )
    assert [line.tolerance for line in lines(record)] == ["0.02", "1% default", *["0.5"] * 6]


def test_thresholds_per_role(project):
    from sklearn.metrics import f1_score

    record = project.record(metrics=("f1",), threshold={"candidate": 0.3, "production": 0.6})
    line = record.lines[0]
    frame = project.frame
    assert line.candidate == pytest.approx(f1_score(frame.y, frame.cand >= 0.3), abs=1e-11)
    assert line.reference == pytest.approx(f1_score(frame.y, frame["prod"] >= 0.6), abs=1e-11)


def test_the_other_class_can_be_the_positive_one(project):
    from sklearn.metrics import average_precision_score

    flipped = project.record(metrics=("average_precision", "f1"), pos_label=0)
    frame = project.frame
    # One column of probabilities belongs to the positive class, whichever that is.
    assert flipped.lines[0].candidate == pytest.approx(
        average_precision_score(1 - frame.y, frame.cand), abs=1e-11
    )


def test_multiclass(project):
    project.module(
        "three",
        "import numpy as np\n"
        "class M:\n"
        "    classes_ = np.array(['a', 'b', 'c'])\n"
        "    def __init__(self, k): self.k = k\n"
        "    def predict(self, X): return self.classes_[self.predict_proba(X).argmax(axis=1)]\n"
        "    def predict_proba(self, X):\n"
        "        s = np.column_stack([X['x'], self.k * X['z'], np.zeros(len(X))])\n"
        "        e = np.exp(s)\n        return e / e.sum(axis=1, keepdims=True)\n"
        "def one(): return M(1.0)\ndef two(): return M(1.1)\n",
    )
    rng = np.random.default_rng(0)
    frame = project.frame
    scores = np.column_stack([frame.x, frame.z, np.zeros(len(frame))]) + rng.gumbel(size=(len(frame), 3))
    project.write(frame.assign(y=np.array(["a", "b", "c"])[scores.argmax(axis=1)]))
    record = project.record(
        candidate="python:three:one",
        production="python:three:two",
        metrics=("accuracy", "f1_macro", "roc_auc_ovr", "log_loss"),
    )
    assert record.verdict is Verdict.PASS, record.reason
    wrong = project.record(
        candidate="python:three:one", production="python:three:two", metrics=("accuracy", "roc_auc")
    )
    assert wrong.verdict is Verdict.ERROR
    assert "roc_auc_ovr" in " ".join(line.reason + line.remedy for line in wrong.lines)


@pytest.mark.parametrize("baseline", ["mean", "median", "last_value"])
def test_regression(project, baseline):
    project.module(
        "reg",
        "def good():\n    return lambda X: X['x'] + X['z']\n"
        "def half():\n    return lambda X: X['x'] + 0.9 * X['z']\n",
    )
    rng = np.random.default_rng(1)
    frame = project.frame
    project.write(frame.assign(y=frame.x + frame.z + rng.normal(size=len(frame))))
    record = project.record(
        candidate="python:reg:good",
        production="python:reg:half",
        baseline=baseline,
        time="id" if baseline == "last_value" else "",
        metrics=("mae", "rmse", "r2", "spearman"),
        max_regression={"*": Tolerance(0.05)},
    )
    assert [line.metric for line in lines(record)] == [
        "mean_absolute_error",
        "root_mean_squared_error",
        "r2",
        "spearman",
    ]
    assert all(line.verdict is Verdict.PASS for line in lines(record)), record


def test_a_calibration_error_below_0_is_explained(project):
    """Of a calibrated model the noise that is taken off is more than what is there, half of the time."""
    rng = np.random.default_rng(3)
    chance = 1 / (1 + np.exp(-project.frame["x"]))
    label = (rng.random(len(chance)) < chance).astype(int)
    project.write(project.frame.assign(cand=chance, prod=chance**1.1, y=label))
    keys = {"metrics": ("expected_calibration_error",), "baseline": ""}
    record = project.record(**keys)
    assert record.lines[0].candidate < 0
    said = (
        "expected_calibration_error@15 is below 0 where less is seen than the noise of its bins, which was "
        "taken off, explains: read it as 0"
    )
    assert said in record.notes
    assert said not in project.record(feedback="binary", **keys).notes
    assert said not in project.record(metrics=("log_loss",), baseline="").notes


# -- waivers ---------------------------------------------------------------------------------------


def waiver(**keys):
    return Waiver(
        **{
            "gate": "credit",
            "metric": "roc_auc",
            "reason": "known",
            "owner": "kim",
            "expires": "2030-01-31",
            **keys,
        }
    )


def test_waived_lines_do_not_fail(project):
    record = project.record(
        candidate=BAD,
        baseline="",
        waivers=(waiver(), waiver(metric="log_loss")),
        production=project.spec.production,
    )
    assert record.verdict is Verdict.PASS
    assert record.lines[0].waiver == "waived by kim until 2030-01-31: known"


def test_a_waiver_is_for_one_question(project):
    keys = {"candidate": BAD, "metrics": ("roc_auc",), "floors": {"roc_auc": 0.99}}
    record = project.record(waivers=(waiver(),), **keys)
    assert record.verdict is Verdict.REGRESSED
    assert [(line.question, line.waiver != "", line.fails) for line in record.lines] == [
        ("regression", True, False),
        ("baseline", False, False),
        ("floor", False, True),
    ]
    assert project.record(waivers=(waiver(), waiver(question="floor")), **keys).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"floors": {"roc_auc": 0.99}},
            (
                "the waiver of kim waives nothing: it is for the regression line, and the floor line fails.",
                'Write question = "floor" into it where that is meant (one waiver for each).',
            ),
        ),
        (
            {"floors": {"roc_auc": 0.99}, "min_gain": {"roc_auc": 0.49}},
            (
                "the waiver of kim waives nothing: it is for the regression line, and the baseline line and "
                "the floor line fail.",
                'Write question = "baseline" or question = "floor" into it where that is meant (one waiver '
                "for each).",
            ),
        ),
    ],
)
def test_a_waiver_that_used_to_match_others_says_which(project, keys, said):
    record = project.record(
        waivers=(waiver(),), metrics=("roc_auc",), max_regression={"*": Tolerance(0.3)}, **keys
    )
    assert record.verdict is Verdict.ERROR
    (check,) = (check for check in record.checks if check.name == "waivers")
    assert [(finding.problem, finding.remedy) for finding in check.findings] == [said]


@pytest.mark.parametrize(
    ("bad", "keys", "problem"),
    [
        (True, {"expires": "2020-01-31"}, "the waiver of kim expired on 2020-01-31."),
        (False, {}, "the waiver of kim waives nothing: no failing line matches it."),
    ],
)
def test_an_expired_or_unused_waiver_is_an_error(project, bad, keys, problem):
    spec = {"candidate": BAD} if bad else {}
    record = project.record(waivers=(waiver(**keys),), **spec)
    assert record.verdict is Verdict.ERROR
    assert [f.problem for check in record.checks if check.name == "waivers" for f in check.findings] == [
        problem
    ]


# -- assertions ------------------------------------------------------------------------------------


def test_assertions_answer_only_what_was_asked(project):
    evaluation = project.evaluation(slices=(SliceSpec(by="region", min_rows=100),))
    record = evaluation.no_regression("auc", max_regression=0.02)
    assert record.asked == "no_regression(roc_auc)"
    assert [(line.metric, line.slice, line.tolerance) for line in record.lines] == [
        ("roc_auc", "all", "0.02"),
        ("roc_auc", "region=north", "0.02"),
        ("roc_auc", "region=south", "0.02"),
    ]
    assert evaluation.beats_baseline("roc_auc", by=0.1).verdict is Verdict.PASS
    assert evaluation.beats_baseline(by=0.6).verdict is Verdict.REGRESSED
    assert evaluation.at_least("roc_auc", 0.8).verdict is Verdict.PASS
    assert evaluation.at_least("roc_auc", 0.99).verdict is Verdict.REGRESSED
    assert evaluation.at_least("log_loss", 0.9).verdict is Verdict.PASS
    assert evaluation.at_least("log_loss", 0.1).verdict is Verdict.REGRESSED
    assert evaluation.no_regression("f1", 0.02).verdict is Verdict.PASS
    assert evaluation.pinned().verdict is Verdict.PASS
    assert evaluation.record() is evaluation.record()


def test_an_assertion_is_judged_in_the_family_of_its_gate(project):
    evaluation = project.evaluation(candidate=BAD)
    whole = {(line.question, line.metric, line.slice): line for line in evaluation.record().lines}
    for line in evaluation.no_regression("roc_auc").lines:
        assert line == whole[line.question, line.metric, line.slice]


@pytest.mark.parametrize(
    ("ask", "problem"),
    [
        (lambda e: e.no_regression("acuracy"), "acuracy"),
        (lambda e: e.schema(), "has no schema and no rules to check"),
        (lambda e: e.no_regression("mae"), "mean_absolute_error"),
    ],
)
def test_an_assertion_that_makes_no_sense_fails(project, ask, problem):
    record = ask(project.evaluation())
    assert record.verdict is Verdict.ERROR
    assert problem in " ".join(f.problem for check in record.checks for f in check.findings) + " ".join(
        line.reason for line in record.lines
    )


def test_asking_for_the_pin_alone_loads_no_model(project):
    evaluation = project.evaluation(candidate="predictions:gone.parquet#p")
    assert evaluation.pinned().verdict is Verdict.PASS
    assert evaluation.pinned().roles == ()


def test_models_and_data_for_free_form_tests(project):
    evaluation = project.evaluation()
    assert len(evaluation.frame()) == 2000
    assert evaluation.model("candidate").kind == "predictions"
    with pytest.raises(ConfigurationError, match="has no baseline model to load: baseline = 'prior'"):
        evaluation.model("baseline")
    with pytest.raises(ModelGateError, match="is not pinned"):
        (project.root / "model-gate.lock").unlink() or project.evaluation(pin=False).frame()


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"metrics": ("acuracy",)}, "Did you mean 'accuracy'"),
        ({"metrics": ("auc", "roc_auc")}, "names 'roc_auc' twice"),
        ({"metrics": ("auc", "mae")}, "mixes tasks"),
        (
            {"max_regression": {"f1": Tolerance(0.1)}},
            "max_regression names 'f1', which is none of its metrics",
        ),
        ({"floors": {"acc": 0.1}}, "floors names 'acc'"),
        ({"metrics": ("mcc",), "max_regression": {"*": Tolerance(0.1, relative=True)}}, "A percentage of"),
        ({"production": "none", "baseline": ""}, "nothing to judge"),
        ({"baseline": "last_value"}, "what came before"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused_before_anything_is_loaded(project, keys, words):
    with pytest.raises(ConfigurationError, match=words):
        project.record(**keys)


def test_the_public_function(project):
    record = pytest_model_gate.evaluate(project.spec, pin=True)
    assert record.verdict is pytest_model_gate.Verdict.PASS


def test_today_is_an_argument(project):
    spec = checked(project.spec, project.registry)
    evaluation = Evaluation(spec, project.registry, pin=True, today=date(2026, 1, 2))
    evaluation.record()
    assert "2026-01-02" in (project.root / "model-gate.lock").read_text()
