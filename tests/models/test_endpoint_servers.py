"""Endpoints of real servers: MLflow's scoring server, MLServer and KServe's."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.errors import EvaluationError, InvalidError, UnavailableError
from pytest_model_gate.models.scoring import score


def message(error, load, source, frame=None, want="probability", **context):
    with pytest.raises(error) as caught:
        model = load(source, **context)
        if frame is not None:
            model.predict(frame, want)
    return str(caught.value)


# --------------------------------------------------------------------------------------------- MLflow

mlflow = pytest.mark.mlflow_serving


@mlflow
def test_mlflow_probabilities_are_those_of_the_model(mlflow_serving, load, data, monkeypatch):
    model = load(f"{mlflow_serving}/linear/invocations")
    assert (model.kind, model.digest, model.columns, model.classes) == ("endpoint", "", None, None)
    assert model.resolved == f"{mlflow_serving}/linear/invocations (MLflow {version('mlflow')})"
    said = score(model, [data.rows.iloc[:130], data.rows.iloc[130:]], ["probability", "label"])
    again = load(f"{mlflow_serving}/untyped/invocations")
    np.testing.assert_array_equal(said.probability, again.predict(data.rows, "probability"))
    assert said.probability.shape == (200, 2)
    np.testing.assert_allclose(said.probability.sum(axis=1), 1, rtol=0, atol=1e-12)
    labels = load(f"{mlflow_serving}/labels/invocations").predict(data.rows, "label")
    assert labels.tolist() == np.where(said.probability[:, 1] > 0.5, "yes", "no").tolist()
    # Whatever the requests are, the answers are the same.
    for rows, at_once, most in (("7", "8", "1000000"), ("200", "1", "700")):
        monkeypatch.setenv("MODEL_GATE_ENDPOINT_ROWS", rows)
        monkeypatch.setenv("MODEL_GATE_ENDPOINT_CONCURRENCY", at_once)
        monkeypatch.setenv("MODEL_GATE_ENDPOINT_BYTES", most)
        other = load(f"{mlflow_serving}/linear/invocations").predict(data.rows, "probability")
        np.testing.assert_array_equal(other, said.probability)


@mlflow
def test_mlflow_columns_of_a_data_frame(mlflow_serving, load, data):
    source = f"{mlflow_serving}/named/invocations"
    model = load(f"{source}#no,yes")
    said = score(model, [data.rows], ["probability", "label"])
    expected = 1 / (1 + np.exp(-data.rows["a"]))
    np.testing.assert_array_equal(said.probability[:, 1], expected)
    assert model.classes == ("no", "yes")
    assert model.resolved.startswith(f"{source}#no,yes (MLflow ")
    np.testing.assert_array_equal(load(f"{source}#yes").predict(data.rows, "probability"), expected)
    assert load(f"{source}#0=no,1=yes").classes == (0, 1)
    assert message(InvalidError, load, f"{source}#maybe", data.rows) == (
        f"'{source}#maybe' gives no column 'maybe'.\n  It gives: 'no', 'yes', 'row'."
    )
    linear = f"{mlflow_serving}/linear/invocations#yes"
    assert message(InvalidError, load, linear, data.rows) == (
        f"'{linear}' gives predictions without names, so none is called 'yes'.\n"
        "  Leave away what stands after #, or let the model return a data frame."
    )


@mlflow
def test_mlflow_gets_the_types_of_the_signature(mlflow_serving, load):
    rows = pd.DataFrame(
        {
            "big": [2**53 + 1, 2**60 + 2, -(2**62) - 1],
            "when": pd.to_datetime(["2026-01-01T05:00", "2026-06-01T17:30", "1969-12-31T23:59"]),
            "flag": [True, False, True],
            "text": pd.Categorical(["a", "bbb", "ä\n"]),
            "half": [0.1, np.nan, np.float32(0.1)],
        }
    )
    said = load(f"{mlflow_serving}/parity/invocations").predict(rows, "label")
    assert said.tolist() == ["1 5 True 1 0.1", "0 17 False 3 nan", "1 23 True 2 0.10000000149011612"]


@mlflow
def test_mlflow_guesses_types_without_a_signature(mlflow_serving, load):
    """Which is why a model needs one: numbers that are all missing come as objects, times as text."""
    rows = pd.DataFrame({"a": [1, 2], "b": [np.nan, np.nan], "c": pd.to_datetime(["2026-01-01"] * 2)})
    said = load(f"{mlflow_serving}/types/invocations").predict(rows, "label")
    assert set(said) == {"int64, object, str"}


@mlflow
def test_mlflow_says_what_it_does_not_take_without_rows(mlflow_serving, load, data):
    source = f"{mlflow_serving}/linear/invocations"
    remedy = "\n  Look at the server's log; check that the columns are those that the model takes."
    start = f"'{source}' answered 400 (Bad Request) while scoring 200 rows: "
    missing = data.rows.drop(columns="a")
    assert message(EvaluationError, load, source, missing) == (
        f"{start}Model is missing inputs ['a'].{remedy}"
    )
    unknown = data.rows.assign(place="northwest-secret")
    assert message(EvaluationError, load, source, unknown) == (
        f"{start}ValueError: Found unknown categories ['...'] in column 0 during transform.{remedy}"
    )
    text = message(EvaluationError, load, source, data.rows.assign(a="secret-text"))
    assert text.startswith(
        f"{start}Invalid input. Data is not compatible with model signature. Failed to conv"
    )
    assert "secret" not in text


@mlflow
def test_mlflow_has_nothing_at_another_path(mlflow_serving, load, data):
    source = f"{mlflow_serving}/nothing/invocations"
    assert message(UnavailableError, load, source, data.rows) == (
        f"There is no model at '{source}': it answered 404 (Not Found): Not Found.\n"
        "  Check the path: .../invocations for MLflow, .../v2/models/NAME (with /versions/3 behind it) for "
        "the Open Inference Protocol."
    )


# ------------------------------------------------------------------------- the Open Inference Protocol

servers = pytest.mark.inference_servers


@servers
def test_mlserver_answers_with_its_version(mlserver, load, data):
    model = load(f"{mlserver}/v2/models/credit#predict_proba")
    assert (model.resolved, model.columns) == (f"{mlserver}/v2/models/credit#predict_proba", None)
    said = score(model, [data.numbers.iloc[:130], data.numbers.iloc[130:]], ["probability"]).probability
    assert model.resolved == f"{mlserver}/v2/models/credit/versions/v3#predict_proba"
    assert said.shape == (200, 2)
    named = load(f"{mlserver}/v2/models/credit/versions/v3#predict_proba")
    np.testing.assert_array_equal(named.predict(data.numbers, "probability"), said)
    assert named.resolved == model.resolved
    labels = load(f"{mlserver}/v2/models/credit").predict(data.numbers, "label")
    assert labels.astype(bool).tolist() == (said[:, 1] > 0.5).tolist()


@servers
def test_mlserver_takes_missing_numbers(mlserver, load, data):
    rows = data.numbers.copy()
    rows.loc[::3, "a"] = np.nan
    rows["b"] = np.nan
    said = load(f"{mlserver}/v2/models/credit#predict_proba").predict(rows, "probability")
    assert np.isfinite(said).all()


@servers
def test_mlserver_states_the_inputs_of_a_model(mlserver, load, data):
    model = load(f"{mlserver}/v2/models/told#predict_proba")
    assert model.columns == ("b", "a", "c")
    assert model.types == {"b": "float64", "a": "float64", "c": "float64"}
    said = score(model, [data.rows], ["probability"]).probability
    turned = data.numbers.set_axis(["b", "a", "c"], axis=1)
    other = load(f"{mlserver}/v2/models/plain#predict_proba").predict(
        data.rows[["b", "a", "c"]], "probability"
    )
    np.testing.assert_array_equal(said, other)
    assert not np.array_equal(
        said, load(f"{mlserver}/v2/models/plain#predict_proba").predict(turned, "probability")
    )


@servers
@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("nope", "Model nope not found"),
        ("credit/versions/v4", "Model credit with version v4 not found"),
    ],
)
def test_mlserver_has_no_such_model(path, what, mlserver, load):
    source = f"{mlserver}/v2/models/{path}"
    assert message(UnavailableError, load, source) == (
        f"There is no model at '{source}': it answered 404 (Not Found): {what}.\n"
        "  Check the path: .../invocations for MLflow, .../v2/models/NAME (with /versions/3 behind it) for "
        "the Open Inference Protocol."
    )


@servers
def test_mlserver_has_no_such_output(mlserver, load, data):
    source = f"{mlserver}/v2/models/credit#chances"
    assert message(EvaluationError, load, source, data.numbers) == (
        f"'{source}' answered 400 (Bad Request) while scoring 200 rows: SKLearnModel only supports "
        "'predict', 'predict_proba' and 'transform' as outputs (chances was received).\n"
        "  Look at the server's log; check that the columns are those that the model takes."
    )


@servers
def test_kserve_reads_the_columns_that_it_names(kserve, load, data):
    model = load(f"{kserve}/v2/models/credit")
    assert (model.columns, model.types) == (("place", "a"), {"a": "float64"})
    rows = data.rows.copy()
    rows.loc[3, "place"] = None
    said = score(model, [rows], ["probability"]).probability
    expected = np.where(rows["place"] == "north", 0.5, 1 / (1 + np.exp(-rows["a"])))
    np.testing.assert_allclose(said, expected, rtol=1e-15)
    assert model.resolved == f"{kserve}/v2/models/credit"  # it names no version
    rows.loc[3, "a"] = np.nan
    assert np.isnan(model.predict(rows[["place", "a"]], "probability")).sum() == (
        rows.loc[3, "place"] != "north"
    )


@servers
def test_kserve_knows_no_versions(kserve, load):
    source = f"{kserve}/v2/models/credit/versions/1"
    assert message(EvaluationError, load, source) == (
        f"'{source}' answered 501 (Not Implemented): Model versioning not supported yet.\n"
        "  Check the path, and look at the server's log."
    )
