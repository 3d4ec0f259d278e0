"""Native boosters as objects: pickled, or made by a function of the project."""

from __future__ import annotations

import pickle

import lightgbm
import numpy as np
import pytest
import xgboost


def trained(library, data):
    if library == "xgboost":
        matrix = xgboost.DMatrix(data.categories, label=data.label, enable_categorical=True)
        booster = xgboost.train({"objective": "binary:logistic"}, matrix, 3)
        return booster, booster.predict(matrix).astype(float)
    rows = lightgbm.Dataset(data.categories, data.label)
    booster = lightgbm.train({"objective": "binary", "verbose": -1}, rows, 3)
    return booster, booster.predict(data.categories)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_a_pickled_booster_is_asked_as_its_library_does(library, data, load, tmp_path):
    booster, expected = trained(library, data)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(booster))
    model = load("m.pkl", trusted_sources=("m.pkl",))
    # With text for categories, more columns than it knows, and the columns in another order.
    rows = data.rows.assign(more=1.0)[["more", "place", "c", "b", "a"]]
    np.testing.assert_array_equal(model.predict(rows[list(model.columns)], "probability"), expected)
    assert (model.kind, model.columns, model.said) == ("pickle", tuple(data.rows.columns), "")
    assert model.predict(rows[list(model.columns)], "label") is None


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_a_booster_that_a_function_returns(library, data, load, tmp_path):
    booster, expected = trained(library, data)
    (tmp_path / "booster.pkl").write_bytes(pickle.dumps(booster))
    (tmp_path / f"factory_of_{library}.py").write_text(
        "import pickle\nfrom pathlib import Path\n"
        "def make():\n"
        "    return pickle.loads(Path(__file__).with_name('booster.pkl').read_bytes())\n",
        encoding="utf-8",
    )
    model = load(f"python:factory_of_{library}:make")
    np.testing.assert_array_equal(model.predict(data.rows[list(model.columns)], "probability"), expected)
