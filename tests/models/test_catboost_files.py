"""CatBoost files: the numbers of the model in memory through every route, and nothing broken comes back."""

from __future__ import annotations

import struct
import warnings

import catboost
import joblib
import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.errors import EvaluationError, InvalidError, UnavailableError
from pytest_model_gate.models.identity import Identity, sha256
from pytest_model_gate.models.mlmodel import load_folder
from pytest_model_gate.spec import SourceContext

NUMBERS = ["a", "b", "c"]
QUIET = {"iterations": 6, "verbose": 0, "allow_writing_files": False, "thread_count": 1, "random_seed": 0}


def classifier(**more):
    return catboost.CatBoostClassifier(**QUIET, **more)


def test_a_classifier_with_categories(data, load, tmp_path):
    fitted = classifier(cat_features=["place"]).fit(data.rows, data.label)
    fitted.save_model(tmp_path / "m.cbm")
    model = load("m.cbm")
    assert (model.kind, model.columns, model.classes) == ("catboost", (*NUMBERS, "place"), (0, 1))
    assert model.digest == sha256((tmp_path / "m.cbm").read_bytes())
    for rows in (data.rows, data.categories, data.rows.astype({"place": "string"})):
        np.testing.assert_array_equal(model.predict(rows, "probability"), fitted.predict_proba(data.rows))
    np.testing.assert_array_equal(model.predict(data.rows, "label"), fitted.predict(data.rows))
    np.testing.assert_array_equal(
        model.predict(data.rows, "score"), fitted.predict(data.rows, prediction_type="RawFormulaVal")
    )
    assert model.predict(data.rows, "value") is None


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["no", "yes"], ("no", "yes")),
        ([False, True], (False, True)),
        ([3, 7], (3, 7)),
        (["x", "y", "z"], ("x", "y", "z")),
    ],
)
def test_classes_are_those_of_the_labels(labels, classes, data, load, tmp_path):
    codes = data.label if len(labels) == 2 else np.digitize(data.value, [-0.5, 0.5])
    fitted = classifier().fit(data.numbers, np.asarray(labels)[codes])
    fitted.save_model(tmp_path / "m.cbm")
    model = load("m.cbm")
    assert model.classes == classes
    assert {type(item) for item in model.classes} == {type(item) for item in classes}
    np.testing.assert_array_equal(
        model.predict(data.numbers, "probability"), fitted.predict_proba(data.numbers)
    )
    said = model.predict(data.numbers, "label")
    assert said.tolist() == [classes[i] for i in fitted.predict_proba(data.numbers).argmax(axis=1)]
    assert (model.predict(data.numbers, "score") is None) == (len(labels) == 3)


@pytest.mark.parametrize(
    "loss", ["RMSE", "Poisson", "Tweedie:variance_power=1.5", "LogLinQuantile", "Quantile:alpha=0.9"]
)
def test_a_regressor_gives_values(loss, data, load, tmp_path):
    target = np.abs(data.value).round() if loss[0] in "PTL" else data.value
    fitted = catboost.CatBoostRegressor(**QUIET, loss_function=loss).fit(data.numbers, target)
    fitted.save_model(tmp_path / "m.cbm")
    model = load("m.cbm")
    np.testing.assert_array_equal(model.predict(data.numbers, "value"), fitted.predict(data.numbers))
    assert model.classes is None
    assert model.predict(data.numbers, "label") is None
    assert model.predict(data.numbers, "probability") is None


def test_a_ranker_gives_scores_only(data, load, tmp_path):
    fitted = catboost.CatBoostRanker(**QUIET, loss_function="YetiRank")
    fitted.fit(data.numbers, data.label, group_id=np.repeat(range(20), 10)).save_model(tmp_path / "m.cbm")
    model = load("m.cbm")
    np.testing.assert_array_equal(model.predict(data.numbers, "score"), fitted.predict(data.numbers))
    assert model.predict(data.numbers, "value") is None


def test_without_names_the_columns_are_those_that_are_offered(data, load, tmp_path):
    fitted = classifier().fit(data.numbers.to_numpy(), data.label)
    fitted.save_model(tmp_path / "m.cbm")
    model = load("m.cbm")
    assert model.columns is None
    np.testing.assert_array_equal(
        model.predict(data.numbers, "probability"), fitted.predict_proba(data.numbers.to_numpy())
    )


def test_every_route_gives_the_same_numbers(data, load, tmp_path):
    """A file, a pickle, and what MLflow's flavour wrote."""
    import mlflow

    fitted = classifier(cat_features=["place"]).fit(data.rows, data.label)
    fitted.save_model(tmp_path / "m.cbm")
    joblib.dump(fitted, tmp_path / "m.joblib")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.catboost.save_model(fitted, str(tmp_path / "logged"), pip_requirements=["catboost"])
    identity = Identity(source="models:/c/1", resolved="models:/c/1", digest="sha256:00")
    # Nobody needs to trust it: MLflow's flavour keeps the same file.
    logged = load_folder(identity, tmp_path / "logged", SourceContext()).model
    expected = fitted.predict_proba(data.rows)
    for model in (load("m.cbm"), load("m.joblib", trusted_sources=("m.joblib",)), logged):
        assert model.columns == (*NUMBERS, "place")
        assert model.classes == (0, 1)
        np.testing.assert_array_equal(model.predict(data.rows, "probability"), expected)


def test_rows_that_were_shuffled_get_the_same_numbers(data, load, tmp_path):
    classifier(cat_features=["place"]).fit(data.rows, data.label).save_model(tmp_path / "m.cbm")
    model = load("m.cbm")
    order = np.random.default_rng(1).permutation(len(data.rows))
    np.testing.assert_array_equal(
        model.predict(data.rows.iloc[order], "probability"), model.predict(data.rows, "probability")[order]
    )


# ---------------------------------------------------------------------------------- what can be wrong


def test_a_category_that_is_missing(data, load, tmp_path):
    classifier(cat_features=["place"]).fit(data.rows, data.label).save_model(tmp_path / "m.cbm")
    with pytest.raises(InvalidError) as caught:
        load("m.cbm").predict(data.rows.assign(place=data.rows["place"].where(data.rows.index > 1)), "label")
    assert str(caught.value) == (
        "Column 'place' has no value in 2 rows, and CatBoost takes no missing category.\n"
        "  Write the text for it that the model was trained with, in the dataset or in a python: factory."
    )


def test_a_category_that_became_a_fraction(data, load, tmp_path):
    rows = data.numbers.assign(k=np.arange(len(data.rows)) % 3)
    classifier(cat_features=["k"]).fit(rows, data.label).save_model(tmp_path / "m.cbm")
    with pytest.raises(InvalidError) as caught:
        load("m.cbm").predict(rows.astype({"k": float}), "label")
    assert str(caught.value) == (
        "Column 'k' is float64 in the dataset, and was a category in training.\n"
        "  CatBoost tells categories by their text, and 3 from 3.0: write whole numbers or text."
    )


def test_several_targets_are_refused(data, load, tmp_path):
    fitted = catboost.CatBoostRegressor(**QUIET, loss_function="MultiRMSE")
    fitted.fit(data.numbers, data.numbers[["a", "b"]]).save_model(tmp_path / "m.cbm")
    with pytest.raises(EvaluationError) as caught:
        load("m.cbm")
    assert str(caught.value) == (
        "'m.cbm' predicts several numbers for each row: its loss is MultiRMSE.\n"
        "  Gate one target at a time: wrap the model in a python: factory that returns one of them."
    )


def test_free_text_is_refused(load, tmp_path):
    rows = pd.DataFrame({"a": np.arange(100.0), "t": [f"good bad {i % 7}" for i in range(100)]})
    fitted = classifier(text_features=["t"]).fit(rows, (rows["a"] % 7 > 3).astype(int))
    fitted.save_model(tmp_path / "m.cbm")
    with pytest.raises(EvaluationError, match=r"^'m.cbm' has features of free text or embeddings, which"):
        load("m.cbm")


def test_what_was_not_fitted(load, tmp_path):
    joblib.dump(classifier(), tmp_path / "m.joblib")
    with pytest.raises(EvaluationError, match=r"^'m.joblib' holds a CatBoostClassifier that was not fitted"):
        load("m.joblib", trusted_sources=("m.joblib",))


def test_a_file_that_was_cut_off_anywhere_is_invalid(data, load, tmp_path):
    """Cut within its categories, CatBoost itself crashes or never returns."""
    classifier(cat_features=["place"]).fit(data.rows, data.label).save_model(tmp_path / "m.cbm")
    whole = (tmp_path / "m.cbm").read_bytes()
    load("m.cbm")
    trees = 8 + struct.unpack_from("<I", whole, 4)[0]
    assert trees < len(whole) - 20
    for cut in [0, 3, 6, 9, trees // 2, trees - 1, *range(trees, len(whole), 3), len(whole) - 1]:
        (tmp_path / "m.cbm").write_bytes(whole[:cut])
        with pytest.raises(InvalidError, match=r"^'m.cbm' is not a whole CatBoost model: it") as caught:
            load("m.cbm")
        assert caught.value.remedy == "Write it again with model.save_model('model.cbm')."


def test_trees_that_changed_on_the_way(data, load, tmp_path):
    classifier().fit(data.numbers, data.label).save_model(tmp_path / "m.cbm")
    content = bytearray((tmp_path / "m.cbm").read_bytes())
    content[8:12] = b"\xff\xff\xff\x7f"  # where the root table of the trees is
    (tmp_path / "m.cbm").write_bytes(content)
    with pytest.raises(InvalidError) as caught:
        load("m.cbm")
    assert str(caught.value) == (
        "'m.cbm' is not a whole CatBoost model: Flatbuffers model verification failed.\n"
        "  Write it again with model.save_model('model.cbm')."
    )


def test_another_file_is_no_model(load, tmp_path):
    (tmp_path / "m.cbm").write_text("hello")
    with pytest.raises(InvalidError, match="is not a whole CatBoost model: it does not start as one"):
        load("m.cbm")


def test_a_missing_library_is_named(data, load, tmp_path, monkeypatch):
    classifier().fit(data.numbers, data.label).save_model(tmp_path / "m.cbm")
    monkeypatch.setitem(__import__("sys").modules, "catboost", None)
    with pytest.raises(UnavailableError) as caught:
        load("m.cbm")
    assert str(caught.value) == (
        "'m.cbm' needs the package 'catboost', which is not installed.\n"
        "  Install it into the environment that runs the gate: pip install 'pytest-model-gate[catboost]'"
    )
