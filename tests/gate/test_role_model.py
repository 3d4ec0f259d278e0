"""Models in the hands of a test: whole frames in, what scikit-learn would give out."""

import numpy as np
import pytest

from pytest_model_gate.errors import EvaluationError

MODEL = """
import numpy as np
class M:
    feature_names_in_ = ["z", "x"]
    classes_ = np.array([0, 1])
    def predict(self, X):
        assert list(X.columns) == ["z", "x"]
        return (X["x"] > 0).astype(int).to_numpy()
    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-X["x"].to_numpy()))
        return np.column_stack([1 - p, p])
def build(): return M()
def value(): return lambda X: (2.0 * X["x"]).to_numpy()
"""


def test_a_classifier(project):
    project.module("held", MODEL)
    model = project.evaluation(candidate="python:held:build").model("candidate")
    rows = project.frame
    assert model.predict(rows).tolist() == (rows.x > 0).astype(int).tolist()
    assert model.predict_proba(rows)[:, 1] == pytest.approx(1 / (1 + np.exp(-rows.x)))
    assert (model.role, model.columns, model.classes) == ("candidate", ("z", "x"), (0, 1))
    assert repr(model).startswith("RoleModel(role='candidate', source='python:held:build'")
    with pytest.raises(EvaluationError, match="candidate needs column 'z'"):
        model.predict(rows[["x"]])


def test_one_column_of_probabilities(project):
    model = project.evaluation().model("production")
    found = model.predict_proba(project.frame)
    assert found[:, 1].tolist() == project.frame["prod"].tolist()
    with pytest.raises(EvaluationError, match="gives no labels"):
        model.predict(project.frame)


def test_a_regressor(project):
    project.module("held", MODEL)
    model = project.evaluation(
        candidate="python:held:value", production="python:held:value", metrics=("mae",), baseline="mean"
    ).model("candidate")
    assert model.predict(project.frame).tolist() == (2 * project.frame.x).tolist()
