"""Datasets that Hugging Face's own library saved to disk."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from pytest_model_gate.errors import ConfigurationError, InvalidError, ModelGateError, UnavailableError
from systems.versioned_gates import ROWS, VersionedGate, everything, findings, opened, rows


@pytest.fixture(scope="session")
def datasets():
    """The library; it needs no network to save and to load."""
    import datasets

    datasets.disable_progress_bars()
    return datasets


def said(root, source, kind=ModelGateError):
    with pytest.raises(kind) as error:
        everything(opened(root, source))
    return str(error.value)


@pytest.fixture
def saved(tmp_path, datasets):
    made = datasets.Dataset.from_pandas(rows(1), preserve_index=False)
    made.save_to_disk(tmp_path / "one", num_shards=3)
    datasets.DatasetDict({"train": made, "test": made.select(range(9, -1, -1))}).save_to_disk(
        tmp_path / "two"
    )
    return made


def test_a_dataset_without_splits(tmp_path, saved):
    dataset = opened(tmp_path, "hf:one")
    assert dataset.source == "hf:one"
    assert dataset.resolved == f"one (3 files, fingerprint {saved._fingerprint})"
    assert dataset.columns == (("id", "int64"), ("y", "int64"), ("region", "string"))
    pd.testing.assert_frame_equal(everything(dataset), rows(1))
    pd.testing.assert_frame_equal(everything(dataset, ["region", "y"]), rows(1)[["region", "y"]])


def test_one_split_of_several(tmp_path, saved):
    test, train = opened(tmp_path, "hf:two#test"), opened(tmp_path, "hf:two#train")
    assert everything(test)["id"].tolist() == list(range(9, -1, -1))
    assert test.resolved.startswith("two#test (1 file, fingerprint ")
    # In how many files the same rows were saved is no part of them.
    assert train.digest == opened(tmp_path, "hf:one").digest


def test_the_gate_refuses_what_was_saved_anew(tmp_path, datasets, saved):
    gate = VersionedGate(tmp_path, "hf:one")
    assert gate.pin().dataset.rows == ROWS
    assert gate.judge().dataset.pin == "pinned"
    datasets.Dataset.from_pandas(rows(2), preserve_index=False).save_to_disk(tmp_path / "one")
    record = gate.judge()
    assert record.verdict == "invalid"
    assert f"Rows {ROWS} -> {ROWS + 10}." in findings(record)[0]


def test_the_same_rows_made_in_another_way_are_the_same_rows(tmp_path, datasets, saved):
    other = datasets.Dataset.from_pandas(rows(1), preserve_index=False).map(lambda row: row)
    other.save_to_disk(tmp_path / "other")
    assert opened(tmp_path, "hf:other").digest == opened(tmp_path, "hf:one").digest


def test_a_changed_byte_keeps_the_fingerprint_and_not_the_digest(tmp_path, saved):
    gate = VersionedGate(tmp_path, "hf:one")
    gate.pin()
    path = sorted((tmp_path / "one").glob("*.arrow"))[2]
    content = path.read_bytes()
    place = content.rindex((ROWS - 1).to_bytes(8, "little"))
    path.write_bytes(content[:place] + (7).to_bytes(8, "little") + content[place + 8 :])
    record = gate.judge()
    assert record.verdict == "invalid"
    assert "Same rows and columns, other content." in findings(record)[0]
    assert saved._fingerprint in record.dataset.resolved
    path.write_bytes(content[: len(content) // 2])
    text = said(tmp_path, "hf:one", InvalidError)
    assert text.startswith(f"hf:one: {path.name} cannot be read as Arrow: ")
    path.unlink()
    assert said(tmp_path, "hf:one", UnavailableError) == (
        f"'hf:one' is incomplete: it has no {path.name}.\n  Save it again, or fetch all of it."
    )


def test_nested_columns_and_labels(tmp_path, datasets):
    features = datasets.Features(
        {
            "label": datasets.ClassLabel(names=["no", "yes"]),
            "tokens": datasets.Sequence(datasets.Value("string")),
            "at": {"x": datasets.Value("float32")},
        }
    )
    held = {"label": [0, 1], "tokens": [["a", "b"], []], "at": [{"x": 0.5}, {"x": None}]}
    datasets.Dataset.from_dict(held, features=features).save_to_disk(tmp_path / "n")
    dataset = opened(tmp_path, "hf:n")
    assert dataset.columns == (("label", "int64"), ("tokens", "list[string]"), ("at", "struct<x: float>"))
    assert everything(dataset)["tokens"][0].tolist() == ["a", "b"]


def test_what_is_not_there(tmp_path, saved):
    (tmp_path / "parquet").mkdir()
    rows(1).to_parquet(tmp_path / "parquet" / "a.parquet")
    for source, kind, message in (
        ("hf:ones", UnavailableError, "There is no saved dataset at ones.\n  Did you mean 'one'?"),
        (
            "hf:a/b",
            UnavailableError,
            f"There is no saved dataset at a/b.\n  Relative paths start from {tmp_path.as_posix()}.",
        ),
        (
            "hf:two",
            ConfigurationError,
            "'hf:two' has several splits: train, test.\n  Say which one, for example hf:two#test.",
        ),
        ("hf:two#tst", UnavailableError, "'hf:two#tst' has no split 'tst'.\n  Did you mean 'test'?"),
        ("hf:one#test", UnavailableError, "'hf:one#test' has no splits.\n  Write hf:one."),
        (
            "hf:parquet",
            UnavailableError,
            "parquet is no dataset that save_to_disk wrote: it has no state.json.\n"
            "  Name the folder that save_to_disk was given. A folder of Parquet files needs no hf: in front.",
        ),
        (
            "hf:#test",
            ConfigurationError,
            "'hf:#test' names no saved dataset.\n  Write hf:path, or hf:path#test where it has splits.",
        ),
    ):
        assert said(tmp_path, source, kind) == message


def test_a_damaged_state(tmp_path, saved):
    path = tmp_path / "one" / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps({**state, "_indices_data_files": [{"filename": "i.arrow"}]}))
    assert said(tmp_path, "hf:one", InvalidError).startswith("'hf:one' was saved with a list of the rows")
    path.write_text(json.dumps({**state, "_data_files": []}))
    assert said(tmp_path, "hf:one", InvalidError) == "'hf:one' holds no files.\n  Save it again."
    path.write_text("{")
    assert said(tmp_path, "hf:one", InvalidError) == (
        "'hf:one' is damaged: state.json cannot be read.\n  Save it again."
    )
    (tmp_path / "two" / "test" / "state.json").unlink()
    assert said(tmp_path, "hf:two#test", UnavailableError) == (
        "'hf:two#test' is incomplete: it has no state.json.\n  Save it again, or fetch all of it."
    )
