"""Models that W&B holds: the real client, and a stand-in that executes the queries that it sends."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import gc
import os
import pickle
import socket
import sys
import tempfile

import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.linear_model import LogisticRegression

from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    ModelGateError,
    UnavailableError,
    UnreachableError,
    UntrustedError,
)
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.models.identity import digest_of_files, sha256
from pytest_model_gate.spec import SourceContext
from systems.wandb_standin import Collection, Run, wandb_standin

__all__ = ["wandb_standin"]

SOURCE = "wandb:team/credit/scorer:champion"
pytestmark = pytest.mark.wandb_standin

ROWS = pd.DataFrame(np.random.default_rng(3).normal(size=(200, 2)), columns=["a", "b"])
LABEL = (ROWS["a"] > ROWS["b"]).astype(int)
FITTED = LogisticRegression().fit(ROWS, LABEL)
OTHER = LogisticRegression(C=0.001).fit(ROWS, LABEL)


def opened(source=SOURCE, **context):
    return model_gate_model(source, SourceContext(**context))


def said(source, kind=ModelGateError, **context):
    with pytest.raises(kind) as error:
        opened(source, **context)
    assert type(error.value) is kind
    return str(error.value)


def probabilities(model):
    return model.predict(ROWS, "probability")


@pytest.fixture(autouse=True)
def left(tmp_path, monkeypatch):
    """The folder that copies are made in: empty when a test ends and its models are gone."""
    folder = tmp_path / "copies"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    gc.collect()
    assert not list(folder.glob("model-gate-*"))


@pytest.fixture
def scorer(wandb_standin):
    """The artifact ``scorer``, a skops file, its version 0 the champion."""
    found = wandb_standin.collections["scorer"] = Collection("model")
    found.add({"model.skops": skops.io.dumps(FITTED)}, "champion")
    return found


def test_an_alias_means_one_version(scorer):
    model = opened()
    np.testing.assert_array_equal(probabilities(model), FITTED.predict_proba(ROWS))
    assert (model.source, model.resolved) == (SOURCE, "wandb:team/credit/scorer:v0")
    assert model.digest == sha256(scorer.versions[0]["model.skops"])
    scorer.add({"model.skops": skops.io.dumps(OTHER)}, "champion")
    model = opened()
    assert model.resolved == "wandb:team/credit/scorer:v1"
    np.testing.assert_array_equal(probabilities(model), OTHER.predict_proba(ROWS))
    assert opened("wandb:team/credit/scorer:v0").resolved == "wandb:team/credit/scorer:v0"


def test_an_alias_that_moves_while_its_model_is_opened(scorer, monkeypatch):
    from wandb import Artifact

    download = Artifact.download

    def moved(self, *arguments, **options):
        if len(scorer.versions) == 1:
            scorer.add({"model.skops": skops.io.dumps(OTHER)}, "champion")
        return download(self, *arguments, **options)

    monkeypatch.setattr(Artifact, "download", moved)
    model = opened()
    assert len(scorer.versions) == 2
    assert (model.resolved, model.digest) == (
        "wandb:team/credit/scorer:v0",
        sha256(scorer.versions[0]["model.skops"]),
    )
    np.testing.assert_array_equal(probabilities(model), FITTED.predict_proba(ROWS))


def test_one_of_several_files(scorer, tmp_path):
    booster = xgboost.XGBClassifier(n_estimators=3).fit(ROWS, LABEL)
    booster.save_model(tmp_path / "m.ubj")
    scorer.add({"a/m.ubj": (tmp_path / "m.ubj").read_bytes(), "README.md": b"about it"}, "champion")
    assert said(SOURCE, ConfigurationError) == (
        f"'{SOURCE}' holds 2 files, and no file MLmodel: README.md, a/m.ubj.\n"
        "  Say which one is the model, for example wandb:team/credit/scorer:v1#a/m.ubj."
    )
    model = opened(f"{SOURCE}#a/m.ubj")
    np.testing.assert_array_equal(probabilities(model), booster.predict_proba(ROWS))
    assert model.resolved == "wandb:team/credit/scorer:v1#a/m.ubj"
    assert said(f"{SOURCE}#m.ubj", UnavailableError) == (
        f"'{SOURCE}#m.ubj': the artifact holds no m.ubj.\n  It holds: README.md, a/m.ubj."
    )
    assert said(f"{SOURCE}#README.md", ConfigurationError) == (
        f"'{SOURCE}#README.md' holds no model that can be opened here: README.md, a/m.ubj.\n"
        "  Log a folder with a file MLmodel, or one file that ends in .skops, .json, .ubj, .txt, .cbm, .onnx, .pt2, .pt, .joblib, .pkl, .pickle."
    )


@pytest.mark.filterwarnings("ignore")
def test_a_folder_that_mlflow_wrote(scorer, tmp_path):
    import mlflow

    mlflow.sklearn.save_model(
        FITTED, str(tmp_path / "m"), serialization_format="skops", pip_requirements=["mlflow"]
    )
    files = {
        path.relative_to(tmp_path / "m").as_posix(): path.read_bytes()
        for path in (tmp_path / "m").rglob("*")
        if path.is_file()
    }
    scorer.add(files, "champion")
    scorer.add({f"deep/{name}": content for name, content in files.items()}, "nested")
    model = opened()
    np.testing.assert_array_equal(probabilities(model), FITTED.predict_proba(ROWS))
    assert model.digest == digest_of_files(files)
    assert opened("wandb:team/credit/scorer:nested#deep").digest == model.digest
    assert "for example wandb:team/credit/scorer:v2#deep." in said(
        "wandb:team/credit/scorer:nested", ConfigurationError
    )


class Malicious:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


def test_code_runs_only_where_somebody_said_so(scorer, tmp_path):
    mark = tmp_path / "it-ran"
    scorer.add({"model.pkl": pickle.dumps(Malicious(mark))}, "champion")
    text = said(SOURCE, UntrustedError)
    assert text.startswith(
        f"'{SOURCE}' is not trusted: it is a pickle, and loading it would run any code that is in it.\n"
        f"  If you trust these bytes ({sha256(scorer.versions[1]['model.pkl'])}), run: model-gate pin --trust {SOURCE} "
    )
    assert not mark.exists()
    scorer.add({"model.pkl": pickle.dumps(FITTED)}, "champion")
    digest = sha256(scorer.versions[2]["model.pkl"])
    model = opened(pinned_models={SOURCE: digest})
    np.testing.assert_array_equal(probabilities(model), FITTED.predict_proba(ROWS))
    assert opened(trusted_sources=("wandb:team/credit/*",)).digest == digest
    scorer.add({"model.pkl": pickle.dumps(OTHER)}, "champion")
    assert said(SOURCE, InvalidError, pinned_models={SOURCE: digest}).startswith(
        f"'{SOURCE}' is not the model that was agreed: model-gate.lock has {digest}, and wandb:team/credit/scorer:v3 has "
    )


def test_bytes_that_are_not_those_of_the_manifest(scorer):
    content = scorer.versions[0]["model.skops"]
    scorer.damaged["model.skops"] = content[:-1] + bytes([content[-1] ^ 1])
    assert said(SOURCE, InvalidError) == (
        "The artifact team/credit/scorer:v0 came damaged: Digest mismatch for file: model.skops.\n"
        "  Its manifest says another digest than its bytes have: log it again."
    )


def test_a_name_that_leads_out_of_the_folder(scorer, tmp_path):
    scorer.add({"../../it-escaped.skops": skops.io.dumps(FITTED)}, "champion")
    assert said(SOURCE, EvaluationError).endswith(
        "ValueError: Invalid artifact path: '../../it-escaped.skops'.\n  Check the source and WANDB_BASE_URL."
    )
    assert not list(tmp_path.rglob("it-escaped*"))


# ----------------------------------------------------------------------------------------------- runs


def test_what_a_run_logged(wandb_standin, scorer):
    wandb_standin.runs |= {"r1": Run(), "r2": Run(), "r3": Run()}
    scorer.add({"model.skops": skops.io.dumps(OTHER)}, run="r1")
    wandb_standin.holdout.add({"h.parquet": b""}, run="r1")
    scorer.add({"model.skops": skops.io.dumps(FITTED)}, run="r2")
    model = opened("wandb:team/credit/r1")
    assert model.resolved == "wandb:team/credit/r1#scorer:v1"
    np.testing.assert_array_equal(probabilities(model), OTHER.predict_proba(ROWS))
    assert opened("wandb:team/credit/r1#scorer").resolved == model.resolved
    assert opened(model.resolved).resolved == model.resolved
    for version in range(9):  # v10 is newer than v9
        scorer.add({"model.skops": skops.io.dumps(OTHER), "n": bytes([version])}, run="r2")
    assert said("wandb:team/credit/r2", ConfigurationError) == (
        "'wandb:team/credit/r2' holds 2 files, and no file MLmodel: model.skops, n.\n"
        "  Say which one is the model, for example wandb:team/credit/scorer:v11#model.skops."
    )
    scorer.add({"model.skops": skops.io.dumps(OTHER)}, run="r2")
    assert opened("wandb:team/credit/r2").resolved == "wandb:team/credit/r2#scorer:v12"
    assert said("wandb:team/credit/r1#scorer:v2", UnavailableError) == (
        "The run team/credit/r1 logged no version v2 of 'scorer'.\n  It logged: v1."
    )
    assert said("wandb:team/credit/r1#scorrer", UnavailableError) == (
        "The run team/credit/r1 logged no artifact 'scorrer', so 'wandb:team/credit/r1#scorrer' could not be opened.\n"
        "  Did you mean 'scorer'?"
    )
    assert said("wandb:team/credit/r3", UnavailableError) == (
        "The run team/credit/r3 logged no artifact of type 'model', so 'wandb:team/credit/r3' could not be opened.\n"
        f"  It logged nothing to {wandb_standin.url}: call run.log_artifact(..., type='model') in training."
    )
    wandb_standin.collections["ranker"] = Collection("model")
    wandb_standin.collections["ranker"].add({"model.skops": skops.io.dumps(FITTED)}, run="r1")
    assert said("wandb:team/credit/r1", ConfigurationError) == (
        "The run team/credit/r1 logged 2 artifacts of type 'model': ranker, scorer.\n"
        "  Say which one, for example wandb:team/credit/r1#ranker."
    )
    assert opened("wandb:team/credit/r1#ranker").resolved == "wandb:team/credit/r1#ranker:v0"


# --------------------------------------------------------------------------------------------- errors


def test_names_that_are_not_there(wandb_standin, scorer):
    scorer.add({"model.skops": skops.io.dumps(OTHER)}, "champion")
    scorer.delete(0)
    for path in (
        "team/credit/scorer:v0",
        "team/credit/scorer:nosuch",
        "team/credit/no:v0",
        "team/no/scorer:v0",
    ):
        assert said(f"wandb:{path}", UnavailableError) == (
            f"There is no artifact {path} at {wandb_standin.url}, so 'wandb:{path}' could not be opened.\n"
            "  Check entity, project, name and alias; a version that was pinned may have been deleted."
        )
    for path in ("team/credit/nosuch", "team/no/r1"):
        assert said(f"wandb:{path}#scorer", UnavailableError) == (
            f"There is no run {path} at {wandb_standin.url}, so 'wandb:{path}#scorer' could not be opened.\n"
            "  Check entity, project and the run's id: the last part of its address, not its name. An artifact needs its alias: :latest."
        )


@pytest.mark.parametrize(
    "source", ["wandb:", "wandb:scorer:v1", "wandb:a/b/c:", "wandb:a/b/c:v1#", "wandb:a/b/c#"]
)
def test_what_names_no_model(source, wandb_standin):
    assert said(source, ConfigurationError) == (
        f"'{source}' names no model of W&B.\n"
        "  Write wandb:entity/project/artifact:alias (or :v3), with #path behind it where it holds several files, "
        "or wandb:entity/project/run-id#artifact for what a run logged."
    )


def test_no_key(wandb_standin, scorer, monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_API_KEY")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert said(SOURCE, UnavailableError) == (
        f"There is no API key for the W&B server {wandb_standin.url}, so '{SOURCE}' could not be opened.\n"
        "  Set WANDB_API_KEY to a key that may read the project, or run: wandb login."
    )


def test_a_wrong_key(wandb_standin, scorer, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "local" + "1" * 40)
    assert said(SOURCE, UnavailableError) == (
        f"The W&B server {wandb_standin.url} refused to open '{SOURCE}'.\n"
        "  Set WANDB_API_KEY to a key that may read the project, or run: wandb login."
    )


def test_a_server_that_is_down(wandb_standin, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MODEL_GATE_TIMEOUT", "1")
    assert said(SOURCE, UnreachableError) == (
        f"The W&B server http://127.0.0.1:9 cannot be reached, so '{SOURCE}' could not be opened.\n"
        "  Start it, or correct WANDB_BASE_URL. MODEL_GATE_TIMEOUT sets how many seconds to wait."
    )


def test_a_server_that_says_nothing(wandb_standin, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("WANDB_BASE_URL", url)
        monkeypatch.setenv("MODEL_GATE_TIMEOUT", "1")
        assert said(SOURCE, UnreachableError) == (
            f"The W&B server {url} did not answer within 1 seconds, so '{SOURCE}' could not be opened.\n"
            "  Start it, or correct WANDB_BASE_URL. MODEL_GATE_TIMEOUT sets how many seconds to wait."
        )


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert said(SOURCE, UnavailableError) == (
        f"'{SOURCE}' needs the package wandb.\n  Run: pip install 'pytest-model-gate[wandb]'."
    )
