"""Predictions that a run of W&B logged, and what ``model-gate verify`` says of what W&B holds."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import io
import json
import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from pytest_model_gate.cli import main
from pytest_model_gate.errors import ConfigurationError, InvalidError, ModelGateError, UnavailableError
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.models.identity import digest_of_files, sha256
from pytest_model_gate.spec import SourceContext
from systems.wandb_standin import Collection, Run, wandb_standin

__all__ = ["wandb_standin"]

pytestmark = pytest.mark.wandb_standin

KEYS = pd.DataFrame({"id": [3, 1, 2]})


def table(rows, columns=("id", "p")):
    """A table as the client writes it."""
    return json.dumps({"_type": "table", "columns": list(columns), "data": rows, "nrows": len(rows)}).encode()


def opened(source, **context):
    return model_gate_model(source, SourceContext(key="id", **context))


def said(source, kind=ModelGateError):
    with pytest.raises(kind) as error:
        opened(source)
    assert type(error.value) is kind
    return str(error.value)


@pytest.fixture
def logged(wandb_standin):
    """The run r1 logged a table ``scores``."""
    wandb_standin.runs["r1"] = Run()
    held = wandb_standin.collections["run-r1-scores"] = Collection("run_table")
    held.add({"scores.table.json": table([[1, 0.25], [2, 0.5], [3, 0.75]])}, run="r1")
    return held


def test_a_table_that_a_run_logged(wandb_standin, logged):
    model = opened("predictions:wandb:team/credit/r1#p")
    np.testing.assert_array_equal(model.predict(KEYS, "probability"), [0.75, 0.25, 0.5])
    assert model.resolved == "predictions:wandb:team/credit/r1#run-r1-scores:v0#p"
    assert model.digest == sha256(logged.versions[0]["scores.table.json"])
    assert model.source == "predictions:wandb:team/credit/r1#p"
    for name in ("scores", "run-r1-scores", "run-r1-scores:v0"):
        assert opened(f"predictions:wandb:team/credit/r1#{name}#p").resolved == model.resolved
    assert opened(model.resolved).digest == model.digest
    logged.add(
        {"scores.table.json": table([[1, 0.0, 1.0], [2, 0.1, 0.9], [3, 0.2, 0.8]], ("id", "0", "1"))},
        run="r1",
    )
    both = opened("predictions:wandb:team/credit/r1#0,1")
    np.testing.assert_array_equal(both.predict(KEYS, "probability"), [[0.2, 0.8], [0.0, 1.0], [0.1, 0.9]])
    assert both.resolved == "predictions:wandb:team/credit/r1#run-r1-scores:v1#0,1"


def test_an_artifact_of_predictions(wandb_standin, logged):
    stream = io.BytesIO()
    pd.DataFrame({"id": [1, 2, 3], "p": [0.1, 0.2, 0.3]}).to_parquet(stream)
    held = wandb_standin.collections["holdout-scores"] = Collection("predictions")
    held.add({"a.parquet": stream.getvalue()}, "champion")
    model = opened("predictions:wandb:team/credit/holdout-scores:champion#p")
    np.testing.assert_array_equal(model.predict(KEYS, "probability"), [0.3, 0.1, 0.2])
    assert model.resolved == "predictions:wandb:team/credit/holdout-scores:v0#p"
    held.add({"a.parquet": stream.getvalue(), "b.csv": b"id,p\n1,0\n2,0\n3,1\n"}, "champion", run="r1")
    source = "predictions:wandb:team/credit/holdout-scores:champion"
    assert said(f"{source}#p", ConfigurationError) == (
        "'wandb:team/credit/holdout-scores:champion' holds 2 files: a.parquet, b.csv.\n"
        "  Say which one is the table of predictions, for example wandb:team/credit/holdout-scores:v1#a.parquet."
    )
    np.testing.assert_array_equal(opened(f"{source}#b.csv#p").predict(KEYS, "value"), [1, 0, 0])
    assert said("predictions:wandb:team/credit/r1#p", ConfigurationError) == (
        "The run team/credit/r1 logged 2 artifacts of type 'predictions': holdout-scores, run-r1-scores.\n"
        "  Say which one, for example wandb:team/credit/r1#holdout-scores."
    )


def test_what_is_no_table_of_predictions(wandb_standin, logged):
    logged.add({"scores.table.json": b'{"columns": ["id", "p"]}'}, run="r1")
    assert said("predictions:wandb:team/credit/r1#p", InvalidError) == (
        "'wandb:team/credit/r1' cannot be read as .table.json: KeyError: 'data'.\n  Write the file again."
    )
    logged.add({"README.md": b"nothing"}, run="r1")
    assert said("predictions:wandb:team/credit/r1#p", ConfigurationError) == (
        "'wandb:team/credit/r1' holds no table of predictions that can be opened here: README.md.\n"
        "  Log one file that ends in .parquet, .csv, .feather, .jsonl, .table.json."
    )
    wandb_standin.runs["r2"] = Run()
    assert said("predictions:wandb:team/credit/r2#p", UnavailableError) == (
        "The run team/credit/r2 logged no artifact of type 'predictions', so 'wandb:team/credit/r2' could not be opened.\n"
        f"  It logged nothing to {wandb_standin.url}: call run.log_artifact(..., type='predictions') in training."
    )


# --------------------------------------------------------------------------------------------- verify


@pytest.fixture
def verify(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(source):
        status = main(["verify", source])
        return status, capsys.readouterr().out

    return call


def test_verify_says_what_would_be_loaded(wandb_standin, verify):
    content = skops.io.dumps(LogisticRegression().fit([[0], [1]], [0, 1]))
    held = wandb_standin.collections["scorer"] = Collection("model")
    wandb_standin.runs["r1"] = Run('{"auc": 0.9}')
    held.add({"model.skops": content}, "champion", run="r1")
    for source, version in {
        "wandb:team/credit/scorer:champion": "wandb:team/credit/scorer:v0",
        "wandb:team/credit/r1": "wandb:team/credit/r1#scorer:v0",
        "wandb-search:team/credit?order=-summary.auc": "wandb:team/credit/r1#scorer:v0 (best of 1 run by summary.auc)",
    }.items():
        assert verify(source) == (
            0,
            f"source     {source}\n"
            f"version    {version}\n"
            f"digest     {sha256(content)}\n"
            "format     skops\n"
            f"size       {len(content):,} bytes\n"
            "runs code  no\n"
            "trust      needs none: it is data, and a reader of data reads it\n",
        )


def test_verify_says_why_it_would_be_refused(wandb_standin, verify):
    content = pickle.dumps(DummyClassifier().fit([[0], [1]], [0, 1]))
    wandb_standin.collections["scorer"] = Collection("model")
    wandb_standin.collections["scorer"].add({"model.pkl": content}, "champion")
    source = "wandb:team/credit/scorer:champion"
    status, text = verify(source)
    assert status == 1
    assert text.splitlines()[:6] == [
        f"source     {source}",
        "version    wandb:team/credit/scorer:v0",
        f"digest     {sha256(content)}",
        "format     pickle",
        f"size       {len(content):,} bytes",
        "runs code  yes: it is a pickle",
    ]
    assert text.splitlines()[-2] == (
        f"REFUSED    '{source}' is not trusted: it is a pickle, and loading it would run any code that is in it."
    )


@pytest.mark.filterwarnings("ignore")
def test_verify_looks_at_a_folder_and_at_predictions(wandb_standin, logged, verify, tmp_path):
    import mlflow

    model = LogisticRegression().fit([[0], [1]], [0, 1])
    mlflow.sklearn.save_model(
        model, str(tmp_path / "m"), serialization_format="skops", pip_requirements=["mlflow"]
    )
    files = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}
    wandb_standin.collections["scorer"] = Collection("model")
    wandb_standin.collections["scorer"].add(files, "champion")
    status, text = verify("wandb:team/credit/scorer:champion")
    assert status == 0
    assert f"digest     {digest_of_files(files)}\nformat     MLflow, sklearn, skops\n" in text
    status, text = verify("predictions:wandb:team/credit/r1#p")
    assert status == 0
    assert text.splitlines()[1:4] == [
        "version    predictions:wandb:team/credit/r1#run-r1-scores:v0",
        f"digest     {sha256(logged.versions[0]['scores.table.json'])}",
        "format     table of predictions",
    ]
