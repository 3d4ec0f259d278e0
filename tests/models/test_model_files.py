"""Model files: what comes back from disk predicts as the model in memory, and nothing broken comes back."""

from __future__ import annotations

from pathlib import Path

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pytest_model_gate.errors import EvaluationError, InvalidError, UnavailableError
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.models.identity import sha256
from pytest_model_gate.spec import SourceContext

NUMBERS = ["a", "b", "c"]


def pipeline():
    return make_pipeline(
        make_column_transformer((StandardScaler(), NUMBERS), (OneHotEncoder(), ["place"])),
        LogisticRegression(),
    )


# ---------------------------------------------------------------------------------------------- skops


@pytest.mark.parametrize(
    "estimator",
    [pipeline(), RandomForestClassifier(5, random_state=0), HistGradientBoostingClassifier(max_iter=5)],
    ids=["pipeline", "forest", "hist-boosting"],
)
def test_skops_gives_the_same_probabilities(estimator, data, load, tmp_path):
    rows = data.rows if hasattr(estimator, "steps") else data.numbers
    estimator.fit(rows, data.label)
    skops.io.dump(estimator, tmp_path / "m.skops")
    model = load("m.skops")
    np.testing.assert_array_equal(
        model.predict(data.rows[list(model.columns)], "probability"), estimator.predict_proba(rows)
    )
    np.testing.assert_array_equal(
        model.predict(data.rows[list(model.columns)], "label"), estimator.predict(rows)
    )
    assert (model.source, model.resolved, model.kind, model.classes) == (
        "m.skops",
        "m.skops",
        "skops",
        (0, 1),
    )
    assert model.columns == tuple(rows.columns)
    assert model.digest == sha256((tmp_path / "m.skops").read_bytes())


@pytest.mark.parametrize("library", [xgboost.XGBClassifier, lightgbm.LGBMClassifier])
def test_boosters_in_skops_are_read(library, data, load, tmp_path):
    estimator = library(n_estimators=3).fit(data.numbers, data.label)
    skops.io.dump(estimator, tmp_path / "m.skops")
    np.testing.assert_array_equal(
        load("m.skops").predict(data.numbers, "probability"), estimator.predict_proba(data.numbers)
    )


def test_a_regressor_gives_values_only(data, load, tmp_path):
    estimator = Ridge().fit(data.numbers, data.value)
    skops.io.dump(estimator, tmp_path / "m.skops")
    model = load("m.skops")
    np.testing.assert_array_equal(model.predict(data.numbers, "value"), estimator.predict(data.numbers))
    assert model.classes is None
    assert model.predict(data.numbers, "label") is None


# -------------------------------------------------------------------------------------------- XGBoost


@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_xgboost_classifier_with_text_for_categories(suffix, data, load, tmp_path):
    estimator = xgboost.XGBClassifier(n_estimators=5, enable_categorical=True)
    estimator.fit(data.categories, data.label)
    estimator.save_model(tmp_path / f"m.{suffix}")
    model = load(f"m.{suffix}")
    expected = estimator.predict_proba(data.categories).astype(float)
    np.testing.assert_array_equal(model.predict(data.rows, "probability"), expected)
    np.testing.assert_array_equal(model.predict(data.categories, "probability"), expected)
    reordered = data.categories.assign(
        place=data.categories["place"].cat.reorder_categories(["west", "north", "south"])
    )
    np.testing.assert_array_equal(model.predict(reordered, "probability"), expected)
    assert (model.kind, model.columns, model.classes) == ("xgboost", (*NUMBERS, "place"), (0, 1))


def test_xgboost_names_the_category_that_it_does_not_know(data, load, tmp_path):
    estimator = xgboost.XGBClassifier(n_estimators=2, enable_categorical=True)
    estimator.fit(data.categories, data.label).save_model(tmp_path / "m.json")
    rows = data.rows.copy()
    rows.loc[[3, 5], "place"] = "east"
    with pytest.raises(InvalidError) as caught:
        load("m.json").predict(rows, "probability")
    assert str(caught.value) == (
        "Column 'place' has the value 'east' (2 of 200 rows scored at once, 1 such value), which the model "
        "did not see in training.\n"
        "  It knows 'north', 'south', 'west'. Train it on data with all values, or score through a python: "
        "factory that says what an unknown value means."
    )


def test_a_missing_category_is_no_unknown_one(data, load, tmp_path):
    estimator = xgboost.XGBClassifier(n_estimators=2, enable_categorical=True)
    estimator.fit(data.categories, data.label).save_model(tmp_path / "m.json")
    rows = data.rows.copy()
    rows.loc[3, "place"] = None
    expected = estimator.predict_proba(rows.astype({"place": data.categories["place"].dtype}))
    np.testing.assert_array_equal(load("m.json").predict(rows, "probability"), expected.astype(float))


def test_xgboost_native_boosters_by_objective(data, load, tmp_path):
    matrix = xgboost.DMatrix(data.numbers, label=data.label)
    three = np.digitize(data.value, [-0.5, 0.5])
    cases = {
        "binary:logistic": ("probability", (0, 1)),
        "binary:logitraw": ("score", (0, 1)),
        "binary:hinge": ("label", (0, 1)),
        "multi:softprob": ("probability", (0, 1, 2)),
        "multi:softmax": ("label", (0, 1, 2)),
        "reg:squarederror": ("value", None),
    }
    for objective, (form, classes) in cases.items():
        parameters = {"objective": objective}
        if objective.startswith("multi"):
            parameters["num_class"] = 3
            matrix.set_label(three)
        else:
            matrix.set_label(data.label)
        booster = xgboost.train(parameters, matrix, 3)
        booster.save_model(tmp_path / "m.json")
        model = load("m.json")
        assert model.classes == classes, objective
        np.testing.assert_array_equal(model.predict(data.numbers, form), booster.predict(matrix))
        others = {"probability", "label"} - {form}
        assert all(model.predict(data.numbers, other) is None for other in others), objective


def test_xgboost_early_stopping_is_kept(data, load, tmp_path):
    estimator = xgboost.XGBClassifier(n_estimators=40, early_stopping_rounds=2, learning_rate=1.0)
    estimator.fit(
        data.numbers, data.label, eval_set=[(data.numbers[:50], 1 - data.label[:50])], verbose=False
    )
    assert estimator.best_iteration < estimator.get_booster().num_boosted_rounds() - 1
    estimator.save_model(tmp_path / "m.ubj")
    np.testing.assert_array_equal(
        load("m.ubj").predict(data.numbers, "probability"),
        estimator.predict_proba(data.numbers).astype(float),
    )


# ------------------------------------------------------------------------------------------- LightGBM


def test_lightgbm_text_with_text_for_categories(data, load, tmp_path):
    estimator = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)
    estimator.fit(data.categories, np.where(data.label == 1, "yes", "no"))
    estimator.booster_.save_model(tmp_path / "m.txt")
    model = load("m.txt")
    expected = estimator.predict_proba(data.categories)[:, 1]
    np.testing.assert_array_equal(model.predict(data.rows, "probability"), expected)
    np.testing.assert_array_equal(model.predict(data.categories, "probability"), expected)
    assert (model.kind, model.columns, model.classes) == ("lightgbm", (*NUMBERS, "place"), None)
    with pytest.raises(
        InvalidError,
        match=r"^Column 'place' has the value 'east' \(200 of 200 rows scored at once, 1 such value\)",
    ):
        model.predict(data.rows.assign(place="east"), "probability")
    # A column that is a category already is LightGBM's own business: to it, unknown means missing.
    unknown = data.rows.assign(place=pd.Categorical(["east"] * len(data.rows)))
    np.testing.assert_array_equal(
        model.predict(unknown, "probability"), estimator.predict_proba(unknown)[:, 1]
    )


@pytest.mark.parametrize(
    ("library", "target", "form"),
    [
        (lightgbm.LGBMClassifier, "three", "probability"),
        (lightgbm.LGBMRegressor, "value", "value"),
    ],
)
def test_lightgbm_other_objectives(library, target, form, data, load, tmp_path):
    wanted = np.digitize(data.value, [-0.5, 0.5]) if target == "three" else data.value
    estimator = library(n_estimators=3, verbose=-1).fit(data.numbers, wanted)
    estimator.booster_.save_model(tmp_path / "m.txt")
    model = load("m.txt")
    expected = (
        estimator.predict_proba(data.numbers) if form == "probability" else estimator.predict(data.numbers)
    )
    np.testing.assert_array_equal(model.predict(data.numbers, form), expected)
    assert model.predict(data.numbers, "label") is None


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, 0.999])
def test_lightgbm_is_not_given_what_would_end_the_process(share, data, load, tmp_path):
    estimator = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(data.categories, data.label)
    whole = estimator.booster_.model_to_string().encode()
    categories = b'\npandas_categorical:[["north", "south", "west"]]\n'
    whole = (
        whole[: whole.rindex(b"\npandas_categorical:")] + categories
        if b"\npandas_categorical:" in whole
        else whole + categories
    )
    (tmp_path / "m.txt").write_bytes(whole)
    load("m.txt")
    (tmp_path / "m.txt").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InvalidError, match=r"^'m.txt' is not a whole LightGBM model: "):
        load("m.txt")


# ----------------------------------------------------------------------------------------------- ONNX


def to_onnx(estimator, types, *, zipmap):
    from skl2onnx import convert_sklearn

    return convert_sklearn(estimator, initial_types=types, options={"zipmap": zipmap}).SerializeToString()


def column_types():
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    return [*((name, FloatTensorType([None, 1])) for name in NUMBERS), ("place", StringTensorType([None, 1]))]


@pytest.mark.parametrize("zipmap", [True, False])
def test_onnx_with_one_input_per_column(zipmap, data, load, tmp_path):
    estimator = pipeline().fit(data.rows, np.where(data.label == 1, "yes", "no"))
    (tmp_path / "m.onnx").write_bytes(to_onnx(estimator, column_types(), zipmap=zipmap))
    model = load("m.onnx")
    assert (model.kind, model.columns, model.classes) == ("onnx", (*NUMBERS, "place"), None)
    rows = data.rows[list(model.columns)]
    np.testing.assert_allclose(model.predict(rows, "probability"), estimator.predict_proba(rows), atol=1e-6)
    assert (model.predict(rows, "label") == estimator.predict(rows)).all()
    assert model.predict(rows, "value") is None


@pytest.mark.parametrize("zipmap", [True, False])
def test_onnx_with_one_matrix(zipmap, data, load, tmp_path):
    from skl2onnx.common.data_types import FloatTensorType

    estimator = RandomForestClassifier(5, random_state=0).fit(
        data.numbers, np.digitize(data.value, [-0.5, 0.5])
    )
    (tmp_path / "m.onnx").write_bytes(to_onnx(estimator, [("X", FloatTensorType([None, 3]))], zipmap=zipmap))
    model = load("m.onnx")
    assert model.columns is None
    np.testing.assert_allclose(
        model.predict(data.numbers, "probability"), estimator.predict_proba(data.numbers), atol=1e-6
    )
    with pytest.raises(EvaluationError) as caught:
        model.predict(data.numbers.assign(d=1.0), "probability")
    assert str(caught.value) == (
        "'m.onnx' takes one matrix of 3 columns and does not name them; the dataset offers 4: "
        "'a', 'b', 'c', 'd'.\n"
        "  Convert the model with one named input per column, so that it can ask for its own."
    )
    with pytest.raises(
        InvalidError, match=r"^'m.onnx' takes tensor\(float\) as input 'X', and the dataset has"
    ):
        model.predict(data.rows[["a", "b", "place"]], "probability")


def test_onnx_regression(data, load, tmp_path):
    from skl2onnx import to_onnx as convert

    estimator = Ridge().fit(data.numbers, data.value)
    (tmp_path / "m.onnx").write_bytes(
        convert(estimator, data.numbers.to_numpy(np.float32)[:1]).SerializeToString()
    )
    model = load("m.onnx")
    np.testing.assert_allclose(
        model.predict(data.numbers, "value"), estimator.predict(data.numbers), atol=1e-5
    )
    assert model.predict(data.numbers, "probability") is None


def wide_onnx():
    """Return a graph whose weights are large enough to be kept in a file of their own."""
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.arange(900, dtype=np.float32).reshape(3, 300) / 900, "w")
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1]),
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("ReduceMean", ["h"], ["y"], axes=[1], keepdims=1),
    ]
    graph = helper.make_graph(nodes, "wide", ends[:1], ends[1:], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def test_weights_that_lie_beside_an_onnx_file_are_not_read(load, tmp_path, monkeypatch):
    """Its digest would not cover them, and onnxruntime looks for them in the working directory."""
    import onnx

    onnx.save_model(
        wide_onnx(), tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidError) as caught:
        load("m.onnx")
    assert str(caught.value) == (
        "'m.onnx' has weights in a file of their own, which is not read.\n"
        "  Save them within the model, or log it to MLflow, where they lie in one folder with it."
    )


@pytest.mark.filterwarnings("ignore")
def test_weights_in_the_folder_of_mlflow_are_read_and_belong_to_the_digest(data, load, tmp_path):
    import mlflow

    mlflow.onnx.save_model(wide_onnx(), str(tmp_path / "m"), pip_requirements=["mlflow"])
    (weights,) = (path for path in (tmp_path / "m").iterdir() if path.stat().st_size == 3600)
    model = load("m")
    said = model.predict(data.numbers, "value")
    expected = data.numbers.to_numpy(np.float32) @ (np.arange(900, dtype=np.float32).reshape(3, 300) / 900)
    np.testing.assert_allclose(said, expected.mean(axis=1), rtol=1e-4, atol=1e-6)
    weights.write_bytes(bytes(3600))
    changed = load("m")
    assert changed.digest != model.digest
    assert (changed.predict(data.numbers, "value") == 0).all()


# ------------------------------------------------------------------------------------- what is broken


def write(suffix: str, path: Path, data) -> None:
    logistic = LogisticRegression().fit(data.numbers, data.label)
    if suffix == ".skops":
        skops.io.dump(logistic, path)
    elif suffix in (".json", ".ubj"):
        xgboost.XGBClassifier(n_estimators=2).fit(data.numbers, data.label).save_model(path)
    elif suffix == ".txt":
        lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(data.numbers, data.label).booster_.save_model(
            path
        )
    elif suffix == ".onnx":
        from skl2onnx import to_onnx as convert

        path.write_bytes(convert(logistic, data.numbers.to_numpy(np.float32)[:1]).SerializeToString())
    else:
        joblib.dump(logistic, path)


@pytest.mark.parametrize("suffix", [".skops", ".json", ".ubj", ".txt", ".onnx", ".joblib", ".pkl"])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9])
def test_a_truncated_file_is_invalid(suffix, share, data, load, tmp_path):
    path = tmp_path / f"m{suffix}"
    write(suffix, path, data)
    load(path.name, trusted_sources=("*",))  # the whole file does load
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InvalidError) as caught:
        load(path.name, trusted_sources=("*",))
    message = str(caught.value)
    assert message.startswith(f"'m{suffix}' ")
    assert caught.value.remedy.startswith("Write it again")
    assert "Traceback" not in message
    assert all(len(line) < 250 for line in message.splitlines())


def test_a_bit_that_flipped_in_a_skops_file_is_invalid(data, load, tmp_path):
    path = tmp_path / "m.skops"
    write(".skops", path, data)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InvalidError, match=r"^'m.skops' is not a whole skops file: "):
        load("m.skops")


def test_another_json_file_is_no_model(load, tmp_path):
    (tmp_path / "m.json").write_text('{"hello": 1}', encoding="utf-8")
    with pytest.raises(InvalidError, match=r"^'m.json' is not a whole XGBoost model: "):
        load("m.json")


def test_a_file_that_is_not_there(load, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "credit.skops").touch()
    with pytest.raises(UnavailableError) as caught:
        load("models/credt.skops")
    assert (
        str(caught.value) == "The file 'models/credt.skops' does not exist.\n  Did you mean 'credit.skops'?"
    )


def test_a_folder_is_no_file(load, tmp_path):
    (tmp_path / "m.skops").mkdir()
    with pytest.raises(UnavailableError) as caught:
        load("m.skops")
    assert str(caught.value) == (
        "The file 'm.skops' cannot be read: Is a directory.\n  Check that it is a file, and its permissions."
    )


@pytest.mark.parametrize("suffix", [".skops", ".json", ".txt", ".onnx"])
def test_a_missing_library_is_named(suffix, data, load, tmp_path, monkeypatch):
    library = {".skops": "skops", ".json": "xgboost", ".txt": "lightgbm", ".onnx": "onnxruntime"}[suffix]
    extra = "onnx" if library == "onnxruntime" else library
    write(suffix, tmp_path / f"m{suffix}", data)
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(UnavailableError) as caught:
        load(f"m{suffix}")
    assert str(caught.value) == (
        f"'m{suffix}' needs the package '{library}', which is not installed.\n"
        f"  Install it into the environment that runs the gate: pip install 'pytest-model-gate[{extra}]'"
    )


def test_other_sources_are_left_to_others():
    for source in ("s3://bucket/m.skops", "gs://bucket/m.onnx", "prior", "m.parquet"):
        assert model_gate_model(source, SourceContext()) is None
