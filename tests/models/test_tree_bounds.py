"""Crafted decision trees in skops files are found before scikit-learn's C code follows them."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from pytest_model_gate.errors import InvalidError

SEED = {"random_state": 0}
HONEST = {
    "tree": DecisionTreeClassifier(ccp_alpha=0.001, **SEED),
    "leaves": DecisionTreeClassifier(max_leaf_nodes=8, **SEED),
    "forest": RandomForestClassifier(3, **SEED),
    "extra": ExtraTreesRegressor(3, **SEED),
    "boosting": GradientBoostingClassifier(n_estimators=3, **SEED),
    "boosting-on-forest": GradientBoostingRegressor(init=RandomForestRegressor(2), n_estimators=2, **SEED),
    "bagging": BaggingClassifier(DecisionTreeClassifier(), max_features=0.5, n_estimators=3, **SEED),
    "bagged-forests": BaggingClassifier(RandomForestClassifier(2), max_features=0.5, n_estimators=2, **SEED),
    "adaboost": AdaBoostClassifier(n_estimators=3, **SEED),
    "hist": HistGradientBoostingClassifier(max_iter=3, **SEED),
    "hist-regression": HistGradientBoostingRegressor(max_iter=3, **SEED),
    "stack": StackingClassifier([("f", RandomForestClassifier(2)), ("l", LogisticRegression())]),
    "calibrated": CalibratedClassifierCV(RandomForestClassifier(2), cv=2),
    "isolation": IsolationForest(n_estimators=3, max_features=0.5, **SEED),
    "grid": GridSearchCV(RandomForestClassifier(2), {"max_depth": [2, 3]}, cv=2),
    "neural": MLPClassifier((4,), max_iter=1000, **SEED),
    "selected": make_pipeline(SelectKBest(k=2), RandomForestClassifier(2)),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_models_pass_without_trust(name, data, load, tmp_path):
    estimator = HONEST[name].fit(data.numbers, data.label)
    skops.io.dump(estimator, tmp_path / "m.skops")
    np.testing.assert_array_equal(
        load("m.skops").estimator.predict(data.numbers), estimator.predict(data.numbers)
    )


def test_trees_behind_an_encoder_have_more_features_than_the_pipeline(data, load, tmp_path):
    encoder = make_column_transformer((OneHotEncoder(), ["place"]), remainder="passthrough")
    estimator = make_pipeline(encoder, RandomForestClassifier(2)).fit(data.rows, data.label)
    skops.io.dump(estimator, tmp_path / "m.skops")
    assert load("m.skops").columns == ("a", "b", "c", "place")


def test_categories_in_hist_boosting_pass(data, load, tmp_path):
    estimator = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype")
    skops.io.dump(estimator.fit(data.categories, data.label), tmp_path / "m.skops")
    np.testing.assert_array_equal(
        load("m.skops").predict(data.categories, "probability"), estimator.predict_proba(data.categories)
    )


def edit_arrays(path, change) -> None:
    """Change every array of nodes in a skops file."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    changed = 0
    for name, raw in content.items():
        if name.endswith(".npy"):
            array = np.load(io.BytesIO(raw))
            if array.dtype.names and change(array):
                buffer = io.BytesIO()
                np.save(buffer, array)
                content[name] = buffer.getvalue()
                changed += 1
    assert changed
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in content.items():
            archive.writestr(name, raw)


def set_field(field, value):
    def change(array):
        if field not in array.dtype.names:
            return False
        array[field][0] = value
        return True

    return change


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("left_child", 10**9, "points at a node that it does not have"),
        ("right_child", -7, "points at a node that it does not have"),
        ("left_child", 0, "points at a node that it does not have"),  # a circle: never ends
        ("feature", 10**9, "asks for a feature that it does not get"),
        ("feature", -5, "asks for a feature that it does not get"),
    ],
)
def test_a_crafted_tree_is_refused(field, value, problem, data, load, tmp_path):
    estimator = RandomForestClassifier(3, random_state=0).fit(data.numbers, data.label)
    skops.io.dump(estimator, tmp_path / "m.skops")
    edit_arrays(tmp_path / "m.skops", set_field(field, value))
    with pytest.raises(InvalidError) as caught:
        load("m.skops")
    assert str(caught.value) == (
        f"'m.skops' holds a decision tree that {problem}: the file was edited or made to do harm.\n"
        "  Don't use it. Train the model again, and find out where the file came from."
    )


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("left", 10**6, "points at a node that it does not have"),
        ("right", 0, "points at a node that it does not have"),
        ("feature_idx", 10**9, "asks for a feature that it does not get"),
        ("is_categorical", 1, "points at a set of categories that it does not have"),
    ],
)
def test_a_crafted_predictor_is_refused(field, value, problem, data, load, tmp_path):
    estimator = HistGradientBoostingClassifier(max_iter=2).fit(data.numbers, data.label)
    skops.io.dump(estimator, tmp_path / "m.skops")
    edit_arrays(tmp_path / "m.skops", set_field(field, value))
    with pytest.raises(InvalidError, match=f"holds a decision tree that {problem}"):
        load("m.skops")


def edit_schema(path, change) -> None:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["schema.json"] = change(content["schema.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in content.items():
            archive.writestr(name, raw)


def test_a_tree_that_claims_more_nodes_than_it_has_gets_those_that_it_has(data, load, tmp_path):
    estimator = DecisionTreeClassifier(max_depth=2).fit(data.numbers, data.label)
    skops.io.dump(estimator, tmp_path / "m.skops")

    def claim(schema: str) -> str:
        plain = json.loads(schema)
        state = plain["content"]["content"]["tree_"]["content"]["content"]
        state["node_count"]["content"] = "1000000"
        return json.dumps(plain)

    edit_schema(tmp_path / "m.skops", claim)
    assert load("m.skops").estimator.tree_.node_count == estimator.tree_.node_count == 7


def test_a_forest_that_gets_fewer_features_than_its_trees_is_refused(data, load, tmp_path):
    estimator = RandomForestClassifier(2, random_state=0).fit(data.numbers, data.label)
    estimator.n_features_in_ = 2
    skops.io.dump(estimator, tmp_path / "m.skops")
    with pytest.raises(InvalidError, match="was made for 3 features in a model of 2"):
        load("m.skops")
