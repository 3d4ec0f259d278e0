"""Whatever is wrong with data or models: a verdict that fails, with the cause and the way out in words."""

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import SliceSpec, Tolerance, Waiver

SCHEMA = """
columns:
  x: {dtype: float64}
"""


def waiver(**keys):
    common = {"gate": "credit", "reason": "known", "owner": "kim", "expires": "2030-01-31"}
    return Waiver(**common, **keys)


def said(record):
    """Return everything that a record says about what failed."""
    lines = [(line.reason, line.remedy) for line in record.lines if line.fails]
    checks = [
        (finding.problem, finding.remedy)
        for check in record.checks
        if check.fails
        for finding in check.findings
    ]
    return " | ".join(" ".join(pair) for pair in [*checks, *lines])


def refuses(record, verdict, *words):
    text = said(record)
    assert record.verdict is verdict, (record.verdict, text)
    for word in words:
        assert word in text
    assert "Traceback" not in text
    remedies = [f.remedy for c in record.checks if c.fails for f in c.findings]
    remedies += [line.remedy for line in record.lines if line.fails]
    assert remedies
    assert all(remedies), text


# -- the pin ---------------------------------------------------------------------------------------


def test_unpinned(project):
    refuses(project.record(pin=False), Verdict.INVALID, "is not pinned", "model-gate pin")


def test_pinned_then_judged(project):
    assert project.record().verdict is Verdict.PASS
    assert project.record(pin=False).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.iloc[:-1], ("2,000", "1,999")),
        (lambda frame: frame.rename(columns={"z": "zz"}), ("zz",)),
        (lambda frame: frame.assign(x=frame.x.where(frame.index != 1234, 0.0)), ("content",)),
    ],
)
def test_changed_data(project, change, words):
    project.record()
    change(project.frame[["id", "x", "z", "y", "region"]]).to_parquet(project.root / "data.parquet")
    refuses(project.record(pin=False), Verdict.INVALID, "sha256:", "model-gate pin", *words)


def test_one_byte(project):
    project.record()
    path = project.root / "data.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    record = project.record(pin=False)
    assert record.verdict in (Verdict.INVALID, Verdict.ERROR)
    assert said(record)


# -- the target ------------------------------------------------------------------------------------


def test_nan_in_the_target(project):
    project.write(project.frame.assign(y=project.frame.y.where(project.frame.id >= 3)))
    refuses(project.record(), Verdict.INVALID, "3 of 2,000 rows", "'y'", "drop_missing_target")


def test_nan_in_the_target_can_be_dropped_and_is_counted(project):
    project.write(project.frame.assign(y=project.frame.y.where(project.frame.id >= 3)))
    record = project.record(drop_missing_target=True)
    assert record.verdict is Verdict.PASS
    assert record.dataset.dropped == (("no target", 3),)
    assert record.dataset.rows_used == 1997


def test_a_dataset_without_rows(project):
    project.write(project.frame.iloc[:0])
    refuses(project.record(), Verdict.ERROR, "no rows")


def test_one_row(project):
    project.write(project.frame.iloc[:1])
    refuses(project.record(), Verdict.ERROR, "row")


def test_one_class(project):
    project.write(project.frame.assign(y=0))
    refuses(project.record(metrics=("roc_auc",)), Verdict.ERROR, "class")


def test_a_slice_with_one_class(project):
    frame = project.frame
    project.write(frame.assign(y=frame.y.where(frame.region != "isle", 0)))
    record = project.record(slices=(SliceSpec(by="region", on_inconclusive="warn"),), metrics=("roc_auc",))
    refuses(record, Verdict.ERROR, "class")
    assert {line.slice for line in record.lines if line.fails} == {"region=isle"}


@pytest.mark.parametrize(
    ("convert", "labels"),
    [
        (lambda y: y.astype(bool), None),
        (lambda y: y.astype("int8"), None),
        (lambda y: y.astype("Int64"), None),
        (lambda y: y.astype("boolean"), None),
        (lambda y: y.astype("category"), None),
        (lambda y: y.astype("float64"), None),
        (lambda y: y.map({0: "no", 1: "yes"}), "yes"),
        (lambda y: y.map({0: "no", 1: "yes"}).astype("category"), "yes"),
        (lambda y: y.map({0: "no", 1: "yes"}).astype("string"), "yes"),
    ],
)
def test_the_type_of_the_target_changes_no_digit(project, convert, labels):
    plain = project.record()
    project.write(project.frame.assign(y=convert(project.frame.y)))
    record = project.record(pos_label=labels)
    assert record.verdict is Verdict.PASS
    assert record.lines == plain.lines


def test_text_labels_without_a_positive_class(project):
    project.write(project.frame.assign(y=project.frame.y.map({0: "no", 1: "yes"})))
    refuses(project.record(), Verdict.ERROR, "positive class", "pos_label = 'yes'")


def test_text_that_looks_like_the_models_classes(project):
    project.module(
        "zero_one",
        "import numpy as np\nclass M:\n    classes_ = np.array([0, 1])\n"
        "    def predict(self, X): return (X['x'] > 0).astype(int)\n"
        "    def predict_proba(self, X):\n"
        "        p = 1 / (1 + np.exp(-X['x'].to_numpy()))\n        return np.column_stack([1 - p, p])\n"
        "def build(): return M()\n",
    )
    project.write(project.frame.assign(y=project.frame.y.astype(str)))
    record = project.record(candidate="python:zero_one:build", production="python:zero_one:build")
    refuses(record, Verdict.INVALID, "another type", "'0'")


# -- predictions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, ("not a finite number", "1 of 2,000")),
        (np.inf, ("not a finite number",)),
        (1.5, ("outside [0, 1]",)),
        (-0.1, ("outside [0, 1]",)),
    ],
)
def test_impossible_probabilities(project, value, words):
    project.write_scores(project.frame.assign(cand=project.frame.cand.where(project.frame.id != 5, value)))
    record = project.record()
    refuses(record, Verdict.INVALID, *words)
    assert [check.name for check in record.checks if check.fails] == ["candidate"]


def test_duplicate_keys(project):
    project.write_scores(pd.concat([project.frame, project.frame.iloc[:2]]))
    refuses(
        project.record(), Verdict.INVALID, "2 rows with a key that it had before", "one prediction per key"
    )


def test_rows_without_a_prediction(project):
    project.write_scores(project.frame.iloc[2:])
    refuses(project.record(), Verdict.INVALID, "no prediction for 2 of 2,000 rows")


def test_a_prediction_column_that_is_not_there(project):
    record = project.record(candidate="predictions:scores.parquet#candy")
    refuses(record, Verdict.ERROR, "no column 'candy'", "'cand'")


def test_wrong_number_of_predictions(project):
    project.module("short", "def build():\n    return lambda X: X['x'].to_numpy()[1:]\n")
    refuses(
        project.record(candidate="python:short:build"), Verdict.INVALID, "shape", "one prediction per row"
    )


def test_a_model_that_raises(project):
    project.module("broken", "def build():\n    def f(X):\n        raise KeyError('nope')\n    return f\n")
    record = project.record(candidate="python:broken:build")
    refuses(record, Verdict.ERROR, "candidate", "raised KeyError while scoring")


def test_a_model_that_needs_another_column(project):
    project.module(
        "needy",
        "class M:\n    feature_names_in_ = ['x', 'zz']\n    classes_ = (0, 1)\n"
        "    def predict(self, X): return X['x'] > 0\n"
        "def build(): return M()\n",
    )
    record = project.record(candidate="python:needy:build")
    refuses(record, Verdict.ERROR, "candidate needs column 'zz'", "'z'")


def test_labels_only_for_a_metric_of_scores(project):
    project.module("labels", "def build():\n    return lambda X: (X['x'] > 0).astype(int).to_numpy()\n")
    record = project.record(candidate="python:labels:build")
    refuses(record, Verdict.ERROR, "roc_auc needs scores", "log_loss needs probabilities")


# -- sources ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "verdict", "words"),
    [
        ({"dataset": "dat.parquet"}, Verdict.ERROR, ("dat.parquet", "data.parquet")),
        ({"candidate": "model.pkl"}, Verdict.ERROR, ("model.pkl",)),
        ({"candidate": "ftp://x/y"}, Verdict.ERROR, ("No model source knows",)),
        ({"dataset": "warehouse:x"}, Verdict.ERROR, ("No dataset source knows",)),
        ({"target": "yy"}, Verdict.ERROR, ("yy", "'y'")),
        ({"groups": "regoin"}, Verdict.ERROR, ("regoin", "'region'")),
        ({"slices": (SliceSpec(by="regoin"),)}, Verdict.ERROR, ("regoin", "'region'")),
        (
            {"slices": (SliceSpec(by="id"),)},
            Verdict.ERROR,
            ("2,000 slices, more than 500", "bins = 4", "min_rows"),
        ),
        ({"sample_weight": "region"}, Verdict.INVALID, ("must hold numbers",)),
        ({"sample_weight": "x"}, Verdict.INVALID, ("(sample_weight) must not be negative",)),
        ({"schema": "nowhere:Schema"}, Verdict.ERROR, ("nowhere",)),
        ({"schema": "schema.yaml"}, Verdict.ERROR, ("schema.yaml",)),
    ],
)
def test_sources_that_are_not_there(project, keys, verdict, words):
    refuses(project.record(**keys), verdict, *words)


def test_an_untrusted_pickle(project):
    import pickle

    (project.root / "model.pkl").write_bytes(pickle.dumps({"a": 1}))
    refuses(project.record(candidate="model.pkl"), Verdict.INVALID, "trusted_sources", "model-gate pin")


def test_every_cause_is_said_at_once(project):
    record = project.record(pin=False, candidate="predictions:gone.parquet#p", schema="nowhere:Schema")
    failing = [check.name for check in record.checks if check.fails]
    assert failing == ["pin", "schema", "candidate"]


# -- weights, groups, strata -----------------------------------------------------------------------


def test_groups_and_weights_are_used(project):
    frame = project.frame.assign(region=project.frame.id // 10)
    project.write(frame)
    plain = project.record()
    grouped = project.record(groups="region")
    assert plain.verdict is grouped.verdict is Verdict.PASS
    assert [line.candidate for line in plain.lines] == [line.candidate for line in grouped.lines]
    assert [line.standard_error for line in plain.lines] != [line.standard_error for line in grouped.lines]


def test_too_few_groups_cannot_tell(project):
    record = project.record(groups="region")
    assert record.verdict is Verdict.INCONCLUSIVE
    assert "groups" in said(record)


# -- limits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"max_regression": {"roc_auc": Tolerance(5.0)}}, "Did you mean '5%'"),
        ({"max_regression": {"*": Tolerance(1.0, relative=True)}}, "lets every candidate pass"),
        ({"slices": (SliceSpec(by="region", max_regression={"*": Tolerance(2.0)}),)}, "lets every candidate"),
        ({"floors": {"roc_auc": 85.0}}, "Did you mean 0.85"),
        ({"floors": {"roc_auc": 0.0}}, "must be between 0 and 1"),
        ({"waivers": (waiver(metric="f1"),)}, "a waiver names 'f1', which is none of its metrics"),
    ],
)
def test_limits_that_can_only_be_meant_otherwise(project, keys, words):
    with pytest.raises(ConfigurationError, match=words):
        project.record(**keys)


def test_a_loss_may_more_than_double_where_somebody_says_so(project):
    record = project.record(metrics=("log_loss",), max_regression={"*": Tolerance(1.5, relative=True)})
    assert record.verdict is Verdict.PASS


def test_a_baseline_without_the_metric(project):
    record = project.record(metrics=("precision", "roc_auc"), max_regression={"*": Tolerance(0.05)})
    assert record.verdict is Verdict.PASS
    assert [line.metric for line in record.lines if line.question == "baseline"] == ["roc_auc"]
    assert "the baseline 'prior' has no precision, so it is not compared in it" in record.notes
    alone = project.record(metrics=("precision",), max_regression={"*": Tolerance(0.05)})
    refuses(alone, Verdict.ERROR, "the baseline 'prior' has no precision to beat", "Name in min_gain")
    named = project.record(metrics=("precision", "roc_auc"), min_gain={"precision": 0.1})
    remedy = "Remove precision from min_gain, or name a model as the baseline."
    refuses(named, Verdict.ERROR, "the baseline 'prior' has no precision to beat", remedy)


@pytest.mark.parametrize("metrics", [("accuracy",), ("recall", "f1"), ("brier_score", "log_loss")])
def test_one_class_of_data_whatever_the_metric(project, metrics):
    project.write(project.frame.assign(y=1))
    refuses(project.record(metrics=metrics, baseline=""), Verdict.ERROR, "has the class 1", "every class")


def test_a_candidate_that_reads_the_target(project):
    project.module(
        "leak",
        "class M:\n    feature_names_in_ = ['x', 'y']\n    classes_ = (0, 1)\n"
        "    def predict(self, X): return X['y']\n"
        "def build(): return M()\n",
    )
    record = project.record(candidate="python:leak:build")
    refuses(record, Verdict.INVALID, "candidate asks for the column 'y', which is the target")


def test_one_group_is_no_sample_of_groups(project):
    project.write(project.frame.assign(region="all"))
    keys = {"groups": "region", "on_inconclusive": "pass"}
    refuses(project.record(**keys), Verdict.ERROR, "All rows are one group of 'region'")


@pytest.mark.parametrize("scale", [1e200, 1e120, 1e-120, 1e-200, 1e-170])
def test_numbers_whose_squares_are_none(project, scale):
    project.module(
        "huge",
        f"S = {scale}\n"
        "def good():\n    return lambda X: S * (X['x'] + X['z'])\n"
        "def half():\n    return lambda X: S * (X['x'] + 0.9 * X['z'])\n",
    )
    project.write(project.frame.assign(y=scale * (project.frame.x + 1.1 * project.frame.z)))
    record = project.record(
        candidate="python:huge:half", production="python:huge:good", metrics=("mae",), baseline=""
    )
    refuses(record, Verdict.ERROR, "Rescale the target")


# -- columns ------------------------------------------------------------------------------------------


def test_scores_on_any_scale_are_judged_where_only_their_order_counts(project):
    logit = np.log(project.frame.cand / (1 - project.frame.cand))
    project.write_scores(project.frame.assign(cand=logit))
    assert project.record(metrics=("roc_auc",)).verdict is Verdict.PASS
    refuses(project.record(metrics=("roc_auc", "log_loss")), Verdict.INVALID, "outside [0, 1]")


def test_a_slice_stays_a_feature_of_a_model_that_names_no_columns(project):
    project.module(
        "by_region",
        "def build():\n"
        "    def f(X):\n"
        "        assert 'y' not in X and 'id' not in X\n"
        "        return 1 / (1 + 2.718 ** -(2 * X['x'] + 2 * X['z'] + 0.0 * (X['region'] == 'north')))\n"
        "    return f\n",
    )
    record = project.record(
        candidate="python:by_region:build", slices=(SliceSpec(by="region", on_inconclusive="warn"),)
    )
    assert record.verdict is Verdict.PASS, record.reason


def test_rows_of_weight_zero_do_not_count_and_are_counted(project):
    project.write(project.frame.assign(x=(project.frame.id >= 500).astype(float)))
    record = project.record(sample_weight="x")
    assert record.dataset.dropped == (("weight 0", 500),)
    assert record.dataset.rows_used == 1500
    frame = project.frame[project.frame.id >= 500]
    project.write(frame)
    assert project.record().lines == record.lines


def test_all_weights_zero(project):
    project.write(project.frame.assign(x=0.0))
    refuses(project.record(sample_weight="x"), Verdict.ERROR, "no rows to judge (2,000 rows: weight 0)")
