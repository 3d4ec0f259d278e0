"""Predictions from a file: joined by key whatever the order, and every mismatch is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.errors import ConfigurationError, EvaluationError, InvalidError, UnavailableError
from pytest_model_gate.models.identity import sha256
from pytest_model_gate.models.predictions import parse

ROWS = pd.DataFrame({"id": [3, 1, 2], "x": [0.0, 0.0, 0.0]})
SCORES = pd.DataFrame(
    {"id": [1, 2, 3, 4], "p": [0.1, 0.2, 0.3, 0.4], "label": ["a", "b", "a", "b"], "n": [7, 8, 9, 10]}
)


@pytest.fixture
def scores(tmp_path):
    SCORES.to_parquet(tmp_path / "s.parquet")
    SCORES.to_csv(tmp_path / "s.csv", index=False)
    SCORES.to_feather(tmp_path / "s.feather")
    SCORES.to_json(tmp_path / "s.jsonl", orient="records", lines=True)
    return tmp_path


@pytest.mark.parametrize("suffix", ["parquet", "csv", "feather", "jsonl"])
def test_predictions_are_joined_by_key(suffix, scores, load):
    model = load(f"predictions:s.{suffix}#p", key="id")
    for form in ("probability", "score", "value"):
        np.testing.assert_array_equal(model.predict(ROWS, form), [0.3, 0.1, 0.2])
    assert model.predict(ROWS, "label") is None
    assert (model.kind, model.columns, model.classes) == ("predictions", ("id",), None)
    assert model.resolved == f"predictions:s.{suffix}#p"
    assert model.digest == sha256((scores / f"s.{suffix}").read_bytes())


@pytest.mark.parametrize(
    ("column", "forms"),
    [
        ("p", {"probability": [0.3, 0.1, 0.2], "score": [0.3, 0.1, 0.2], "value": [0.3, 0.1, 0.2]}),
        ("n", {"label": [9, 7, 8], "value": [9, 7, 8]}),
        ("label", {"label": ["a", "a", "b"]}),
    ],
)
def test_what_a_column_can_be(column, forms, scores, load):
    model = load(f"predictions:s.parquet#{column}", key="id")
    said = {form: model.predict(ROWS, form) for form in ("probability", "label", "score", "value")}
    assert {form: array.tolist() for form, array in said.items() if array is not None} == forms


def test_one_column_per_class(tmp_path, load):
    frame = pd.DataFrame({"id": [1, 2, 3], "cat": [0.1, 0.2, 0.3], "dog": [0.9, 0.8, 0.7]})
    frame.to_csv(tmp_path / "s.csv", index=False)
    for source, classes in (
        ("predictions:s.csv#cat,dog", ("cat", "dog")),
        ("predictions:s.csv#0=cat, 1=dog", (0, 1)),
        ("predictions:s.csv#meow=cat,woof=dog", ("meow", "woof")),
    ):
        model = load(source, key="id")
        assert model.classes == classes
        assert model.predict(ROWS, "probability").tolist() == [[0.3, 0.7], [0.1, 0.9], [0.2, 0.8]]
        assert model.predict(ROWS, "label") is None


def test_a_prediction_that_is_missing_stays_nan(tmp_path, load):
    pd.DataFrame({"id": [1, 2, 3], "p": [0.1, None, 0.3]}).to_parquet(tmp_path / "s.parquet")
    assert np.isnan(load("predictions:s.parquet#p", key="id").predict(ROWS, "probability")).tolist() == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("rows", "file"),
    [
        (pd.Series([3, 1, 2], dtype="Int64"), pd.Series([1, 2, 3], dtype="int32")),
        (pd.Series(["c", "a", "b"], dtype="category"), pd.Series(["a", "b", "c"], dtype="string")),
        (pd.Series(["c", "a", "b"], dtype=object), pd.Series(["a", "b", "c"])),
        (pd.Series([3.5, 1.5, 2.5]), pd.Series([1.5, 2.5, 3.5])),
        (
            pd.Series(pd.to_datetime(["2026-01-03", "2026-01-01", "2026-01-02"]).as_unit("ns")),
            pd.Series(pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]).as_unit("us")),
        ),
    ],
)
def test_keys_are_compared_by_value(rows, file, tmp_path, load):
    pd.DataFrame({"id": file, "p": [0.1, 0.2, 0.3]}).to_parquet(tmp_path / "s.parquet")
    model = load("predictions:s.parquet#p", key="id")
    assert model.predict(pd.DataFrame({"id": rows}), "value").tolist() == [0.3, 0.1, 0.2]


# ---------------------------------------------------------------------------------- what can be wrong


def said(error, source, load, rows=None, key="id"):
    with pytest.raises(error) as caught:
        model = load(source, key=key)
        model.predict(ROWS if rows is None else rows, "value")
    return str(caught.value)


def test_no_key(scores, load):
    assert said(ConfigurationError, "predictions:s.csv#p", load, key="") == (
        "'predictions:s.csv#p' is joined to the dataset by a key, and the gate names none.\n"
        '  Add key = "column" to the gate: a column that both files have, with one row per value.'
    )


def test_a_key_that_the_file_does_not_have(scores, load):
    assert said(EvaluationError, "predictions:s.csv#p", load, key="idx") == (
        "'s.csv' has no column 'idx' for the key.\n  Did you mean 'id'?"
    )


def test_a_prediction_column_that_the_file_does_not_have(scores, load):
    assert said(EvaluationError, "predictions:s.csv#labell", load) == (
        "'s.csv' has no column 'labell' for the prediction.\n  Did you mean 'label'?"
    )


def test_duplicate_keys(tmp_path, load):
    pd.DataFrame({"id": [1, 2, 2, 3, 3], "p": 0.5}).to_csv(tmp_path / "s.csv", index=False)
    assert said(InvalidError, "predictions:s.csv#p", load) == (
        "'s.csv' has 2 rows with a key that it had before: id 2, 3.\n  Write one prediction per key."
    )


def test_rows_without_a_prediction(scores, load):
    rows = pd.DataFrame({"id": [1, 8, 9]})
    assert said(InvalidError, "predictions:s.csv#p", load, rows) == (
        "'predictions:s.csv#p' has no prediction for 2 of 3 rows: id 8, 9.\n"
        "  Score the whole dataset; rows without a prediction are not left out silently."
    )


def test_keys_of_another_type(scores, load):
    rows = pd.DataFrame({"id": ["1", "2"]})
    assert said(InvalidError, "predictions:s.csv#p", load, rows) == (
        "The key 'id' is text in the dataset and integer in 'predictions:s.csv#p'.\n"
        "  Write both with one type."
    )


def test_a_key_that_is_missing_in_the_dataset(scores, load):
    rows = pd.DataFrame({"id": pd.array([1, None], dtype="Int64")})
    assert said(InvalidError, "predictions:s.csv#p", load, rows) == (
        "The key 'id' is missing in 1 row of the dataset.\n"
        "  Every row needs a key that the predictions file has, too."
    )


def test_a_key_that_is_missing_in_the_file(tmp_path, load):
    pd.DataFrame({"id": pd.array([1, None], dtype="Int64"), "p": 0.5}).to_parquet(tmp_path / "s.parquet")
    assert said(InvalidError, "predictions:s.parquet#p", load) == (
        "'s.parquet' has no key in 1 row.\n  Write one prediction per key."
    )


def test_a_file_that_is_not_there(scores, load):
    assert said(UnavailableError, "predictions:ss.csv#p", load) == (
        "The file 'ss.csv' does not exist.\n  Did you mean 's.csv'?"
    )
    # A suffix that both have makes no names alike.
    assert said(UnavailableError, "predictions:t.csv#p", load) == (
        f"The file 't.csv' does not exist.\n  It was looked for at {(scores / 't.csv').as_posix()}."
    )


@pytest.mark.parametrize("suffix", ["parquet", "feather", "jsonl"])
def test_a_truncated_file(suffix, scores, load):
    path = scores / f"s.{suffix}"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 5])
    message = said(InvalidError, f"predictions:s.{suffix}#p", load)
    assert message.startswith(f"'s.{suffix}' cannot be read as .{suffix}: ")
    assert message.endswith("\n  Write the file again.")


@pytest.mark.parametrize(
    "source", ["predictions:s.csv", "predictions:#p", "predictions:s.csv#", "predictions:s.csv#a,,b"]
)
def test_a_source_without_a_column(source, load):
    assert said(ConfigurationError, source, load) == (
        f"'{source}' does not say which column holds the predictions.\n"
        "  Write predictions:path.parquet#column, or #class=column,class=column for several classes."
    )


@pytest.mark.parametrize(
    "source", ["predictions:s.csv#a=p", "predictions:s.csv#a,a", "predictions:s.csv#a=p,b=p"]
)
def test_a_source_with_too_few_classes(source):
    with pytest.raises(ConfigurationError, match="needs two or more classes, each with a column of its own"):
        parse(source)


def test_another_kind_of_file(tmp_path, load):
    (tmp_path / "s.xlsx").touch()
    assert said(ConfigurationError, "predictions:s.xlsx#p", load) == (
        "'s.xlsx' is no kind of file that predictions are read from.\n"
        "  Write them as one of .csv, .feather, .jsonl, .parquet."
    )
