"""One call per batch and form, labels from probabilities, and the model's own errors as one sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from pytest_model_gate.errors import EvaluationError, InvalidError
from pytest_model_gate.models.estimator import from_object
from pytest_model_gate.models.identity import Identity
from pytest_model_gate.models.scoring import argmax_labels, score

WHO = Identity(source="models:/m@c", resolved="models:/m/1", digest="")


@dataclass
class Counted:
    """A model that counts its calls, and answers from a table."""

    answers: dict[str, Any]
    columns: tuple[str, ...] | None = ("a",)
    classes: tuple[Any, ...] | None = (0, 1)
    source: str = "s"
    resolved: str = "models:/m/1"
    digest: str = ""
    kind: str = "test"
    calls: list[str] = field(default_factory=list)

    def predict(self, frame, want):
        self.calls.append(want)
        answer = self.answers.get(want)
        return answer(frame) if callable(answer) else answer


ROWS = pd.DataFrame({"a": np.linspace(-1, 1, 10), "b": 0.0})


def sigmoid(frame):
    p = 1 / (1 + np.exp(-frame["a"].to_numpy()))
    return np.column_stack([1 - p, p])


def batches(size):
    return [ROWS.iloc[i : i + size] for i in range(0, len(ROWS), size)]


@pytest.mark.parametrize(
    "wants", [("label",), ("score",), ("probability",), ("label", "score", "probability")], ids=str
)
def test_a_classifier_is_asked_once_per_batch_whatever_is_wanted(wants):
    model = Counted({"probability": sigmoid, "label": None, "score": None})
    scored = score(model, batches(4), wants)
    assert model.calls == ["probability"] * 3
    assert scored.rows == 10
    np.testing.assert_array_equal(scored.probability, sigmoid(ROWS))
    assert scored.score is None
    if "label" in wants:
        np.testing.assert_array_equal(scored.labels, (ROWS["a"] > 0).astype(int))
    else:
        assert scored.labels is None


def test_without_probabilities_scores_and_labels_are_asked_for(data):
    estimator = LinearSVC().fit(data.numbers, data.label)
    scored = score(from_object(WHO, estimator, kind="x"), [data.rows], {"score", "label"})
    np.testing.assert_array_equal(scored.score, estimator.decision_function(data.numbers))
    np.testing.assert_array_equal(scored.labels, estimator.predict(data.numbers))
    assert scored.probability is None


def test_classes_that_a_model_does_not_name_leave_labels_to_the_caller():
    scored = score(Counted({"probability": sigmoid}, classes=None), [ROWS], {"label"})
    assert scored.labels is None
    assert scored.probability.shape == (10, 2)


def test_a_regressor_is_asked_for_values_only():
    model = Counted({"value": lambda frame: frame["a"].to_numpy()}, classes=None)
    scored = score(model, batches(3), {"value"})
    assert set(model.calls) == {"value"}
    np.testing.assert_array_equal(scored.value, ROWS["a"])


@settings(deadline=None, derandomize=True)
@given(size=st.integers(1, 12))
def test_batches_change_nothing(size):
    whole = score(Counted({"probability": sigmoid}), [ROWS], {"label"})
    cut = score(Counted({"probability": sigmoid}), batches(size), {"label"})
    np.testing.assert_array_equal(cut.probability, whole.probability)
    np.testing.assert_array_equal(cut.labels, whole.labels)


def test_empty_batches_are_not_predicted():
    model = Counted({"probability": sigmoid})
    scored = score(model, [ROWS.iloc[:0], ROWS, ROWS.iloc[:0]], {"probability"})
    assert model.calls == ["probability"]
    assert scored.rows == 10
    assert score(model, [ROWS.iloc[:0]], {"probability"}).rows == 0


def test_a_model_gets_only_its_columns():
    seen = []
    score(Counted({"value": lambda f: seen.append(list(f.columns)) or f["a"].to_numpy()}), [ROWS], {"value"})
    assert seen == [["a"]]
    with pytest.raises(
        EvaluationError, match=r"^The production needs column 'z', which the dataset does not have\."
    ):
        score(Counted({}, columns=("z",)), [ROWS], {"value"}, role="production")


@pytest.mark.parametrize(
    ("answer", "shape"),
    [
        (np.zeros(9), "(9,)"),
        (np.zeros((10, 2)), "(10, 2)"),
        (np.zeros(()), "()"),
        (np.zeros((10, 1, 1)), "(10, 1, 1)"),
    ],
)
def test_another_shape_than_the_rows_is_invalid(answer, shape):
    with pytest.raises(InvalidError) as caught:
        score(Counted({"value": answer}), [ROWS], {"value"})
    assert str(caught.value) == (
        f"The candidate returned an array of shape {shape} for 10 rows when it was asked for values.\n"
        "  A model returns one prediction per row, in the order of the rows."
    )


def test_a_model_that_changes_its_mind_between_batches_is_invalid():
    sometimes = Counted({"value": lambda f: None if f["a"].iloc[0] > 0 else f["a"].to_numpy()})
    with pytest.raises(InvalidError) as caught:
        score(sometimes, batches(5), {"value"})
    assert str(caught.value) == (
        "The candidate gives one form of prediction for some batches of rows and another for others.\n"
        "  Return the same shape and type for all rows, for example always floats."
    )


def test_labels_of_different_types_stay_what_they_are():
    mixed = Counted(
        {"label": lambda f: np.array([1] * len(f)) if f["a"].iloc[0] > 0 else np.array(["x"] * len(f))}
    )
    labels = score(mixed, batches(5), {"label"}).labels
    assert labels.tolist() == ["x"] * 5 + [1] * 5


# ------------------------------------------------------------------------ what the user's model raises


def raising(error):
    def predict(frame):
        raise error

    return predict


def test_an_error_of_the_model_is_one_sentence_without_data():
    rows = pd.DataFrame({"a": [1.0], "iban": ["DE02120300000000202051"]})
    error = ValueError(
        "could not convert 'DE02120300000000202051' in column 'iban' to float: got 123456.75 of 10\n"
        "more lines"
    )
    with pytest.raises(EvaluationError) as caught:
        score(Counted({"value": raising(error)}, columns=None), [rows], {"value"})
    assert str(caught.value) == (
        "The candidate (models:/m/1) raised ValueError while scoring: "
        "could not convert '...' in column 'iban' to float: got ... of 10.\n"
        "  Check that the columns have the types that it was trained on: a float64, iban str."
    )
    assert caught.value.__cause__ is error


def test_an_error_without_words():
    with pytest.raises(
        EvaluationError, match=r"^The candidate \(models:/m/1\) raised RuntimeError while scoring\.\n"
    ):
        score(Counted({"value": raising(RuntimeError())}), [ROWS], {"value"})


def test_a_long_error_is_shortened_and_its_secrets_are_out():
    error = OSError("GET https://ann:s3cret@host/x " + "y" * 500)
    with pytest.raises(EvaluationError) as caught:
        score(Counted({"value": raising(error)}), [ROWS], {"value"})
    assert len(caught.value.what) < 250
    assert "s3cret" not in str(caught.value)


def test_columns_without_any_value_are_named(data):
    model = from_object(WHO, LogisticRegression().fit(data.numbers, data.label), kind="x")
    with pytest.raises(EvaluationError) as caught:
        score(model, [data.numbers.assign(b=np.nan)], {"label"})
    assert caught.value.what.startswith("The candidate (models:/m/1) raised ValueError while scoring: In")
    assert caught.value.remedy == "Look at what has no value in any of these rows: 'b'."


def test_our_own_errors_pass_unchanged():
    error = InvalidError("what", "remedy")
    with pytest.raises(InvalidError) as caught:
        score(Counted({"value": raising(error)}), [ROWS], {"value"})
    assert caught.value is error


def test_a_real_models_error(data):
    estimator = LogisticRegression().fit(data.numbers, data.label)
    model = from_object(WHO, estimator, kind="x")
    rows = data.numbers.assign(a="secret")
    with pytest.raises(EvaluationError) as caught:
        score(model, [rows], {"label"})
    assert caught.value.what == (
        "The candidate (models:/m/1) raised ValueError while scoring: could not convert string "
        "to float: '...'."
    )


# ----------------------------------------------------------------------------------------------- argmax


@pytest.mark.parametrize(
    ("probability", "classes", "labels"),
    [
        (np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]]), ("no", "yes"), ["yes", "no", "no"]),
        (np.array([0.8, 0.5, 0.1]), ("no", "yes"), ["yes", "no", "no"]),
        (np.array([[0.1, 0.2, 0.7]]), (3, 5, 7), [7]),
        (np.array([0.9]), (False, True), [True]),
        (np.array([0.9, 0.1]), (0, "x"), ["x", 0]),
    ],
)
def test_argmax_labels(probability, classes, labels):
    made = argmax_labels(probability, classes)
    assert made.tolist() == labels
    assert made.dtype == np.array(classes).dtype or made.dtype == object
