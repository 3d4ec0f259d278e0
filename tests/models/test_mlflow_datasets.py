"""Datasets that a run of MLflow says it used: opened where they lie, hashed whole, compared with what it recorded."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data.sources.memory import FrameDataset, arrow_schema
from pytest_model_gate.data.sources.mlflow_digest import mlflow_digest
from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    ModelGateError,
    UnavailableError,
    UnreachableError,
)
from systems.versioned_gates import ROWS, VersionedGate, everything, findings, opened, rows, table


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """Make an empty store once: that takes MLflow seconds."""
    path = tmp_path_factory.mktemp("mlflow-empty") / "mlflow.db"
    log(f"sqlite:///{path.as_posix()}")
    return path


@pytest.fixture
def store(tmp_path, monkeypatch, empty_store):
    """A new store of MLflow, as a project points to it."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    uri = f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri


def log(uri, *datasets):
    """Log datasets as the inputs of one run; return its id."""
    import mlflow

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        run = client.create_run("0")
        from mlflow.entities import DatasetInput

        client.log_inputs(
            run.info.run_id, [DatasetInput(dataset=made._to_mlflow_entity()) for made in datasets]
        )
        client.set_terminated(run.info.run_id)
    return run.info.run_id


def frame_of(frame, source, name="holdout", **keys):
    import mlflow.data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mlflow.data.from_pandas(frame, source=source, name=name, targets="y", **keys)


def said(root, source, kind=ModelGateError, **context):
    with pytest.raises(kind) as error:
        opened(root, source, **context)
    return str(error.value)


@pytest.fixture
def logged(tmp_path, store):
    rows(1).to_parquet(tmp_path / "holdout.parquet")
    return log(store, frame_of(rows(1), str(tmp_path / "holdout.parquet")))


def test_a_local_file(tmp_path, logged):
    dataset = opened(tmp_path, f"mlflow-dataset:{logged}/holdout")
    assert dataset.source == f"mlflow-dataset:{logged}/holdout"
    recorded = frame_of(rows(1), "x").digest
    assert dataset.resolved == (f"holdout.parquet (input of run {logged}, MLflow's digest {recorded} agrees)")
    assert dataset.digest == opened(tmp_path, "holdout.parquet").digest
    pd.testing.assert_frame_equal(everything(dataset), rows(1))


def test_a_gate_refuses_what_was_changed_after_the_run(tmp_path, logged):
    gate = VersionedGate(tmp_path, f"mlflow-dataset:{logged}/holdout")
    assert gate.pin().dataset.rows == ROWS
    assert gate.judge().dataset.pin == "pinned"
    rows(2).to_parquet(tmp_path / "holdout.parquet")
    record = gate.judge()
    assert record.verdict == "invalid"
    path = (tmp_path / "holdout.parquet").as_posix()
    assert findings(record)[0] == (
        f"'mlflow-dataset:{logged}/holdout' is not what the run used: what lies at {path} has {ROWS + 10:,} rows, and the run used {ROWS:,}.\n"
        "  Somebody changed it, or the run changed the rows after it had read them. If what lies there is meant, name it itself as the dataset."
    )
    changed = rows(1).assign(y=lambda frame: 1 - frame["y"])
    changed.to_parquet(tmp_path / "holdout.parquet")
    before, after = frame_of(rows(1), "x").digest, frame_of(changed, "x").digest
    assert f"has MLflow's digest {after}, and the run's was {before}." in findings(gate.judge())[0]


def test_a_row_that_mlflow_does_not_look_at(tmp_path, store):
    frame = pd.DataFrame({"y": np.arange(20_000) % 2, "x": np.arange(20_000) / 7})
    frame.to_parquet(tmp_path / "holdout.parquet")
    run = log(store, frame_of(frame, "holdout.parquet"))
    source = f"mlflow-dataset:{run}/holdout"
    before = opened(tmp_path, source)
    frame.loc[15_000, "x"] = -1.0
    frame.to_parquet(tmp_path / "holdout.parquet")
    after = opened(tmp_path, source)
    # MLflow takes the two for one dataset; the digest in the lock does not.
    assert after.resolved == before.resolved
    assert "agrees" in after.resolved
    assert after.digest != before.digest


def test_a_delta_table_keeps_the_version(tmp_path, store):
    from mlflow.data.delta_dataset_source import DeltaDatasetSource

    folder = tmp_path / "loans"
    write_deltalake(folder, table(2))
    write_deltalake(folder, table(1), mode="overwrite")
    named = DeltaDatasetSource(path=str(folder), delta_table_version=1)
    newest = DeltaDatasetSource(path=str(folder))
    run = log(
        store, frame_of(rows(1), named, "versioned"), frame_of(rows(1), newest, "moving", digest="0a0a0a0a0a")
    )
    gate = VersionedGate(tmp_path, f"mlflow-dataset:{run}/moving")
    first = gate.pin()
    assert gate.pinned.version.startswith("1 of ")
    write_deltalake(folder, table(1).slice(0, ROWS), mode="overwrite")
    assert gate.judge().dataset.digest == first.dataset.digest
    assert gate.judge().dataset.resolved.startswith(f"delta:{folder.as_posix()}@1 (table ")
    assert "MLflow's digest 0a0a0a0a0a not comparable" in first.dataset.resolved
    assert opened(tmp_path, f"mlflow-dataset:{run}/versioned").version.startswith("1 of ")


@pytest.mark.seaweedfs
def test_an_object_keeps_its_version(tmp_path, store, seaweed):
    bucket = seaweed.bucket()
    rows(1).to_parquet(tmp_path / "a.parquet")
    bucket.put("data/holdout.parquet", (tmp_path / "a.parquet").read_bytes())
    address = f"s3://{bucket.name}/data/holdout.parquet"
    run = log(store, frame_of(rows(1), address))
    gate = VersionedGate(tmp_path, f"mlflow-dataset:{run}/holdout")
    first = gate.pin()
    rows(2).to_parquet(tmp_path / "a.parquet")
    bucket.put("data/holdout.parquet", (tmp_path / "a.parquet").read_bytes())
    second = gate.judge()
    assert (second.dataset.pin, second.dataset.digest) == ("pinned", first.dataset.digest)
    bucket.delete("data/holdout.parquet", gate.pinned.version)
    (tmp_path / "model-gate-cache").rename(tmp_path / "elsewhere")
    assert f"'mlflow-dataset:{run}/holdout' was read from {address}: " in findings(gate.judge())[0]


def test_sources_that_cannot_be_opened(tmp_path, store):
    rows(1).to_csv(tmp_path / "gone.csv", index=False)
    run = log(
        store,
        frame_of(rows(1), None, "code"),
        frame_of(rows(1), str(tmp_path / "gone.csv"), "gone"),
        frame_of(rows(1), "holdout.parquet", "twice"),
        frame_of(rows(2), "holdout.parquet", "twice"),
    )
    source = f"mlflow-dataset:{run}/"
    (tmp_path / "gone.csv").unlink()
    assert said(tmp_path, f"{source}code", EvaluationError) == (
        f"'{source}code' cannot be opened: MLflow recorded only which program made it.\n"
        "  Log it with a source that can be read again: mlflow.data.from_pandas(frame, source=path)."
    )
    text = said(tmp_path, f"{source}gone", UnavailableError)
    assert text.startswith(
        f"'{source}gone' was read from {(tmp_path / 'gone.csv').as_posix()}: gone.csv does not exist."
    )
    digests = sorted(frame_of(rows(number), "x").digest for number in (1, 2))
    assert said(tmp_path, f"{source}twice", ConfigurationError) == (
        f"The run '{run}' used 2 datasets named 'twice'.\n"
        f"  Say which one: {source}twice@{digests[0]}, {source}twice@{digests[1]}."
    )
    rows(2).to_parquet(tmp_path / "holdout.parquet")
    assert opened(tmp_path, f"{source}twice@{frame_of(rows(2), 'x').digest}").rows == ROWS + 10
    assert said(tmp_path, f"{source}twice@00000000", UnavailableError).endswith(
        f"\n  It has: {', '.join(digests)}."
    )


def test_names_that_are_not_there(tmp_path, store, logged):
    for source, message in {
        f"mlflow-dataset:{logged}/holdot": (
            f"The run '{logged}' at {store} has no dataset 'holdot'.\n  Did you mean 'holdout'?"
        ),
        f"mlflow-dataset:{logged}/x": (
            f"The run '{logged}' at {store} has no dataset 'x'.\n  It has: holdout."
        ),
        f"mlflow-dataset:{log(store)}/x": None,
        "mlflow-dataset:0123/x": (
            f"There is no run '0123' at {store}.\n"
            "  Check the id, and that MLFLOW_TRACKING_URI is the right one."
        ),
    }.items():
        text = said(tmp_path, source, UnavailableError)
        assert text == message if message else text.endswith("\n  It logged none (log_input).")
    assert said(tmp_path, "mlflow-dataset:holdout", ConfigurationError) == (
        "'mlflow-dataset:holdout' names no dataset of a run.\n"
        "  Write mlflow-dataset:run-id/name, or mlflow-dataset:run-id/name@digest where the run used several of that name."
    )


def test_a_run_that_was_deleted(tmp_path, store, logged):
    from mlflow import MlflowClient

    MlflowClient(tracking_uri=store, registry_uri=store).delete_run(logged)
    assert said(tmp_path, f"mlflow-dataset:{logged}/holdout", UnavailableError) == (
        f"The run '{logged}' at {store} was deleted.\n"
        f"  Restore it (mlflow runs restore --run-id {logged}), or name another run."
    )


def test_a_store_and_a_server_that_are_not_there(tmp_path, unused_port):
    uri = f"sqlite:///{(tmp_path / 'nope.db').as_posix()}"
    assert said(tmp_path, "mlflow-dataset:01/x", UnavailableError, tracking_uri=uri) == (
        f"There is no MLflow store at {uri}.\n  Set the gate's tracking_uri to where the models are registered."
    )
    uri = f"http://me:s3cret@127.0.0.1:{unused_port}"
    assert said(tmp_path, "mlflow-dataset:01/x", UnreachableError, tracking_uri=uri) == (
        f"The MLflow server http://***@127.0.0.1:{unused_port} cannot be reached, so 'mlflow-dataset:01/x' could not be opened.\n"
        "  Start it, or correct the gate's tracking_uri. MLFLOW_HTTP_REQUEST_TIMEOUT and MLFLOW_HTTP_REQUEST_MAX_RETRIES set how long to wait."
    )


@pytest.mark.mlflow_server
def test_on_a_real_server(tmp_path, mlflow_server):
    uri, _ = mlflow_server
    rows(1).to_csv(tmp_path / "holdout.csv", index=False)
    run = log(uri, frame_of(pd.read_csv(tmp_path / "holdout.csv"), (tmp_path / "holdout.csv").as_uri()))
    dataset = opened(tmp_path, f"mlflow-dataset:{run}/holdout", tracking_uri=uri)
    assert dataset.rows == ROWS
    assert "agrees" in dataset.resolved
    assert said(tmp_path, f"mlflow-dataset:{'0' * 32}/x", UnavailableError, tracking_uri=uri) == (
        f"There is no run '{'0' * 32}' at {uri}.\n"
        "  Check the id, and that the gate's tracking_uri is the right one."
    )


COLUMN = {
    "whole": st.integers(-9, 9),
    "float": st.floats(width=32),
    "gap": st.none() | st.floats(-1, 1),
    "text": st.text(max_size=3),
    "hole": st.none() | st.text(max_size=2),
    "flag": st.booleans(),
    "é": st.text(max_size=1),
}


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.lists(st.fixed_dictionaries(COLUMN), min_size=1, max_size=12),
    st.booleans(),
    st.integers(1, 300),
)
def test_mlflows_own_digest_is_made_again(held, category, batch_bytes):
    import mlflow.data

    frame = pd.DataFrame.from_records(held, columns=list(COLUMN))
    frame["hole"] = frame["hole"].astype("object").where(frame["hole"].notna(), None)
    frame["gap"] = frame["gap"].astype("float64")
    if category:
        frame["text"] = frame["text"].astype("category")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = mlflow.data.from_pandas(frame, source="x").digest
    from pytest_model_gate.data.columns import describe

    dataset = FrameDataset("x", "x", "", frame, describe(arrow_schema(frame, "x")), batch_bytes=batch_bytes)
    assert mlflow_digest(dataset) == expected


def test_mlflows_digest_of_many_rows():
    import mlflow.data

    from pytest_model_gate.data.columns import describe

    frame = pd.DataFrame(
        {
            "x": np.arange(25_000.0),
            "t": ["a"] * 25_000,
            "late": [None if i == 24_000 else "b" for i in range(25_000)],
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = mlflow.data.from_pandas(frame, source="x").digest
    dataset = FrameDataset("x", "x", "", frame, describe(arrow_schema(frame, "x")), batch_bytes=50_000)
    assert mlflow_digest(dataset) == expected
