"""What models promise: the same answer again, one answer per row, types and levels that fit the data."""

import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from pytest_model_gate.gate.contracts import Sampled, contract, sample_size
from pytest_model_gate.models.levels import known_levels
from pytest_model_gate.models.scoring import score
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import Contracts

MODELS = """
import numpy as np

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

class Base:
    feature_names_in_ = ["x", "z"]
    classes_ = np.array([0, 1])
    def predict(self, frame):
        return (self.positive(frame) > 0.5).astype(int)
    def predict_proba(self, frame):
        p = self.positive(frame)
        return np.column_stack([1 - p, p])

class Steady(Base):
    def positive(self, frame):
        return sigmoid(2 * (frame["x"] + frame["z"]).to_numpy())

class Rounding(Base):
    def positive(self, frame):
        noise = 1e-8 * len(frame) % 3e-8
        return Steady().positive(frame).astype("float32").astype(float) * (1 - noise)

class Random(Base):
    def positive(self, frame):
        noise = np.random.default_rng().normal(0, 0.01, len(frame))
        return sigmoid(2 * (frame["x"] + frame["z"]).to_numpy() + noise)

class Normalising(Base):
    def positive(self, frame):
        x = frame["x"] - frame["x"].mean()
        return sigmoid(2 * (x + frame["z"]).to_numpy())

class Neighbour(Base):
    def positive(self, frame):
        return sigmoid(2 * (frame["x"] + 0.01 * frame["z"].shift(1).fillna(0) + frame["z"]).to_numpy())

class NoSingle(Base):
    def positive(self, frame):
        if len(frame) < 2:
            raise ValueError("needs two rows")
        return Steady().positive(frame)

class RowNumber(Base):
    def positive(self, frame):
        return sigmoid(2 * (frame["x"] + frame["z"]).to_numpy() + 1e-3 * np.arange(len(frame)))

def steady(): return Steady()
def rounding(): return Rounding()
def random(): return Random()
def normalising(): return Normalising()
def neighbour(): return Neighbour()
def no_single(): return NoSingle()
def row_number(): return RowNumber()
"""


@pytest.fixture
def models(project):
    project.module("contract_models", MODELS)
    yield lambda name: f"python:contract_models:{name}"
    sys.modules.pop("contract_models", None)


def found(record):
    assert not [check for check in record.checks if check.fails and check.name != "contract"]
    return next((check for check in record.checks if check.name == "contract"), None)


@pytest.mark.parametrize("name", ["steady", "rounding"])
def test_steady_models_pass(project, models, name):
    check = found(project.record(candidate=models(name)))

    assert (check.verdict, check.summary) == (
        Verdict.PASS,
        "ok, 64 rows asked again in other order and company",
    )


@pytest.mark.parametrize(
    ("name", "rule", "begins"),
    [
        ("random", "determinism", "the candidate gives other predictions when it is asked again: "),
        (
            "normalising",
            "row_independence",
            "the candidate predicts a row otherwise in another batch or order of rows: ",
        ),
        (
            "neighbour",
            "row_independence",
            "the candidate predicts a row otherwise in another batch or order of rows: ",
        ),
        (
            "row_number",
            "row_independence",
            "the candidate predicts a row otherwise in another batch or order of rows: ",
        ),
    ],
)
def test_a_broken_promise_of_the_candidate_is_invalid(project, models, name, rule, begins):
    record = project.record(candidate=models(name))
    check = found(record)

    assert (record.verdict, check.verdict) == (Verdict.INVALID, Verdict.INVALID)
    (finding,) = check.findings
    assert (finding.subject, finding.rule, finding.severity) == ("candidate", rule, "fail")
    assert finding.problem.startswith(begins)
    assert record.lines == ()


def test_a_model_that_cannot_predict_one_row(project, models):
    (finding,) = found(project.record(candidate=models("no_single"))).findings

    assert finding.problem == (
        "the candidate predicts the rows together and cannot predict parts of them: The candidate "
        "(python:contract_models:no_single in contract_models.py) raised ValueError while scoring: "
        "needs two rows"
    )
    assert finding.remedy == "A served model gets single rows: it must be able to predict one."


def test_production_is_only_warned_of(project, models):
    record = project.record(candidate=models("steady"), production=models("random"))

    (finding,) = found(record).findings
    assert (finding.subject, finding.rule, finding.severity) == ("production", "determinism", "warn")
    assert found(record).verdict is Verdict.PASS
    assert record.lines


def test_what_is_not_asked_is_not_found(project, models):
    off = Contracts(determinism=False, row_independence=False, signature=False)
    assert found(project.record(candidate=models("random"), contracts=off)) is None
    # What is random differs in other company, too; that is not asked then.
    alone = Contracts(determinism=False)
    assert found(project.record(candidate=models("random"), contracts=alone)).findings == ()
    assert found(project.record(candidate=models("normalising"), contracts=Contracts(row_independence=False)))
    warned = project.record(candidate=models("random"), contracts=Contracts(severity="warn"))
    assert [finding.severity for finding in found(warned).findings] == ["warn"]


def test_predictions_from_a_file_promise_nothing(project):
    assert found(project.record()) is None


def test_the_order_of_the_rows_changes_no_digit(project, models):
    first = found(project.record(candidate=models("normalising")))
    project.write(project.frame.sample(frac=1, random_state=3))

    assert found(project.record(candidate=models("normalising"))) == first
    assert [finding.count for finding in first.findings] == [64]


def test_the_sample_is_the_same_in_any_order_and_batches():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"a": rng.integers(0, 4, 3000), "b": rng.choice(["u", "v", "w"], 3000), "c": rng.normal(size=3000)}
    )
    frame["b"] = frame["b"].astype("category")

    def sample(rows, cuts):
        sampled = Sampled(64)
        for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            sampled.add(rows.iloc[start:stop], {})
        return sampled.frame

    shuffled = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    first = sample(frame, [])
    assert len(first) == 64
    pd.testing.assert_frame_equal(first, sample(shuffled, [1, 50, 2000]))
    only_few_values = frame[["a"]]
    assert sample(only_few_values, [7])["a"].nunique() == 1  # equal rows: any of them will do
    assert sample_size(100_000) == 512
    # Rows that are equal in the numbers that choose are told apart by all that they hold.
    by_text = pd.DataFrame({"a": rng.integers(0, 2, 3000), "b": [f"row {number}" for number in range(3000)]})
    shuffled = by_text.sample(frac=1, random_state=2).reset_index(drop=True)
    pd.testing.assert_frame_equal(sample(by_text, [40]), sample(shuffled, [5, 900]))


def classifier(frame, encoder):
    pipeline = make_pipeline(
        ColumnTransformer([("text", encoder, ["region"]), ("keep", "passthrough", ["x"])]),
        LogisticRegression(),
    )
    return pipeline.fit(frame[["region", "x"]], frame["y"])


def test_levels_that_an_encoder_ignores_are_no_levels(project):
    frame = project.frame
    joblib.dump(classifier(frame, OneHotEncoder(handle_unknown="ignore")), project.root / "model.joblib")
    good = project.record(candidate="model.joblib", trusted_sources=("*.joblib",))
    assert found(good).summary == "ok, 64 rows asked again in other order and company"
    # The values are written otherwise than in training: the model says something for every row.
    project.write(frame.assign(region=frame["region"].str.upper()))

    record = project.record(candidate="model.joblib", trusted_sources=("*.joblib",))

    (finding,) = found(record).findings
    assert record.verdict is Verdict.INVALID
    assert (
        finding.problem == "the candidate did not see in training any value of column 'region': 64 of 64 rows"
    )
    assert finding.remedy == "It knows 3 values: give it the values that it was trained on."
    assert set(finding.examples) <= {"'NORTH'", "'SOUTH'", "'ISLE'"}


def test_some_unseen_levels_are_a_warning(project):
    frame = project.frame
    fit = frame[frame["region"] != "south"]
    joblib.dump(classifier(fit, OneHotEncoder(handle_unknown="ignore")), project.root / "model.joblib")

    check = found(project.record(candidate="model.joblib", trusted_sources=("*.joblib",)))

    (finding,) = check.findings
    assert (check.verdict, finding.severity, finding.rule) == (Verdict.PASS, "warn", "levels")
    assert finding.examples == ("'south'",)
    hidden = project.record(candidate="model.joblib", trusted_sources=("*.joblib",), redact_examples=True)
    assert found(hidden).findings[0].examples == ()


class Stated:
    """A model that states types, as one with a signature does."""

    source = resolved = "stated"
    digest = ""
    kind = "own"
    classes = (0, 1)

    def __init__(self, types):
        self.types, self.columns = types, tuple(types)

    def predict(self, frame, want):
        return np.full(len(frame), 0.25) if want == "probability" else None


class Data:
    rows = 3
    columns = (("a", "int64"), ("b", "string"), ("c", "timestamp[us]"), ("d", "category[string]"))


def judged(candidate, production=None):
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"], "c": pd.NaT, "d": "u"})
    sampled = Sampled(64)
    roles = {"candidate": candidate} | ({} if production is None else {"production": production})
    sampled.add(frame, {role: score(model, [frame], ["probability"]) for role, model in roles.items()})
    features = {role: model.columns for role, model in roles.items()}
    return contract(Contracts(), roles, Data, features, sampled, ["probability"])


def test_stated_types_are_held_against_the_data():
    check = judged(Stated({"a": "string", "b": "string", "c": "datetime", "d": "double"}))

    assert check.verdict is Verdict.INVALID
    assert [finding.problem for finding in check.findings] == [
        "the candidate expects text in column 'a' (string), the dataset has numbers (int64)"
    ]
    assert judged(Stated({"a": "boolean", "b": "string"})).verdict is Verdict.PASS


def test_candidate_and_production_are_held_against_each_other():
    check = judged(Stated({"a": "double", "b": "string"}), Stated({"a": "string", "d": "string"}))

    assert check.verdict is Verdict.PASS
    assert [(item.severity, item.problem) for item in check.findings] == [
        ("warn", "the production expects text in column 'a' (string), the dataset has numbers (int64)"),
        ("warn", "the candidate expects numbers in column 'a' (double), production expects text (string)"),
    ]
    assert check.summary == (
        "2 warnings, 3 rows looked at; unlike production, the candidate reads b and does not read d"
    )


def test_known_levels_are_found_where_encoders_read_columns():
    frame = pd.DataFrame({"u": ["a", "b", "a"], "v": [1.0, 2.0, 3.0], "w": ["x", "x", "y"]})
    text = make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder())
    for columns in (["u", "w"], [0, 2], [True, False, True]):
        fitted = ColumnTransformer([("t", text, columns), ("v", "passthrough", ["v"])]).fit(frame)
        model = type("Model", (), {"estimator": make_pipeline(fitted), "columns": ("u", "v", "w")})

        assert known_levels(model) == {"u": ("a", "b"), "w": ("x", "y")}
    assert known_levels(Stated({"a": "double"})) == {}
