"""Each model gets exactly its columns, in its order, in numbers that it can read."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pytest_model_gate.errors import EvaluationError
from pytest_model_gate.models.columns import plain, select
from pytest_model_gate.models.estimator import from_object
from pytest_model_gate.models.identity import Identity

WHO = Identity(source="s", resolved="r", digest="")


def model_of(found, **more):
    return from_object(WHO, found, kind="test", **more)


def test_columns_are_picked_in_the_models_order():
    frame = pd.DataFrame({"x": [1], "y": [2], "z": [3]})
    assert list(select(frame, ("z", "x"), "candidate").columns) == ["z", "x"]
    assert select(frame, None, "candidate") is frame


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            ("temp",),
            "The candidate needs column 'temp', which the dataset does not have.\n  Did you mean 'temp_c'?",
        ),
        (
            ("zzz", "yyy", "wind"),
            "The candidate needs column 'zzz', which the dataset does not have (and 1 more column).\n"
            "  The dataset has: 'temp_c', 'wind'.",
        ),
    ],
)
def test_a_missing_column_is_named_with_the_nearest_one(asked, message):
    with pytest.raises(EvaluationError) as caught:
        select(pd.DataFrame({"temp_c": [1], "wind": [2]}), asked, "candidate")
    assert str(caught.value) == message


NULLABLE = pd.DataFrame(
    {
        "Int64": pd.array([1, None, 3], dtype="Int64"),
        "whole": pd.array([1, 2, 3], dtype="Int8"),
        "Float64": pd.array([1.5, None, 2.5], dtype="Float64"),
        "boolean": pd.array([True, None, False], dtype="boolean"),
        "yes": pd.array([True, True, False], dtype="boolean"),
        "arrow": pd.array([1, None, 3], dtype=pd.ArrowDtype(pa.int64())),
        "arrow-bool": pd.array([True, None, False], dtype=pd.ArrowDtype(pa.bool_())),
        "int": [1, 2, 3],
        "text": ["a", None, "b"],
        "category": pd.Categorical(["a", "b", "a"]),
        "date": pd.to_datetime(["2026-01-01"] * 3),
        "zoned": pd.to_datetime(["2026-01-01"] * 3).tz_localize("UTC"),
    }
)


def test_nullable_numbers_become_numpy_numbers():
    made = plain(NULLABLE)
    assert {name: str(dtype) for name, dtype in made.dtypes.items() if dtype != NULLABLE[name].dtype} == {
        "Int64": "float64",
        "whole": "int8",
        "Float64": "float64",
        "boolean": "float64",
        "yes": "bool",
        "arrow": "float64",
        "arrow-bool": "float64",
    }
    np.testing.assert_array_equal(made["Int64"], [1, np.nan, 3])
    np.testing.assert_array_equal(made["arrow-bool"], [1, np.nan, 0])
    untouched = NULLABLE[["int", "text", "date"]]
    assert plain(untouched) is untouched


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingClassifier(max_iter=3),
        xgboost.XGBClassifier(n_estimators=3),
        lightgbm.LGBMClassifier(n_estimators=3, verbose=-1),
    ],
)
def test_models_score_nullable_rows_like_plain_ones(estimator, data):
    estimator.fit(data.numbers.assign(b=data.numbers["b"].round(), c=data.numbers["c"] > 0), data.label)
    rows = data.numbers.assign(b=data.numbers["b"].round(), c=data.numbers["c"] > 0)
    nullable = rows.convert_dtypes()
    assert {str(dtype) for dtype in nullable.dtypes} == {"Float64", "Int64", "boolean"}
    np.testing.assert_array_equal(
        model_of(estimator).predict(nullable, "probability"), estimator.predict_proba(rows)
    )


def test_a_model_without_names_gets_numbers_without_names(data):
    """scikit-learn warns about names that it does not know, and warnings are errors here."""
    for estimator in (
        LogisticRegression(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        lightgbm.LGBMClassifier(n_estimators=2, verbose=-1),
        xgboost.XGBClassifier(n_estimators=2),
    ):
        estimator.fit(data.numbers.to_numpy(), data.label)
        model = model_of(estimator)
        assert model.columns is None
        expected = estimator.predict_proba(data.numbers.to_numpy())
        np.testing.assert_array_equal(model.predict(data.numbers, "probability"), expected)
        assert model_of(estimator, columns=("a", "b", "c")).columns == ("a", "b", "c")


def test_estimators_name_their_columns(data):
    for estimator in (
        LogisticRegression(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        lightgbm.LGBMClassifier(n_estimators=2, verbose=-1),
        xgboost.XGBClassifier(n_estimators=2),
    ):
        assert model_of(estimator.fit(data.numbers, data.label)).columns == ("a", "b", "c")
