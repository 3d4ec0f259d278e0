"""Models in an MLflow store without a server, and everything that can be wrong with asking for one."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from pytest_model_gate.errors import ConfigurationError, EvaluationError, InvalidError, UnavailableError
from pytest_model_gate.gate.memory import Memory
from pytest_model_gate.models import mlflow as ours
from pytest_model_gate.models.estimator import EstimatorModel
from pytest_model_gate.models.identity import digest_of_files
from pytest_model_gate.models.known import KnownModel
from pytest_model_gate.models.prediction_store import Store
from pytest_model_gate.models.scoring import score
from pytest_model_gate.spec import GateSpec, SourceContext


@pytest.fixture
def store(sqlite_store, load):
    """Open sources in the store, as a gate with a ``tracking_uri`` does."""

    def open_source(source, **context):
        return load(source, **{"tracking_uri": sqlite_store.uri, **context})

    return open_source


def test_an_alias_is_resolved_to_its_version(store, sqlite_store, data):
    model = store("models:/credit@champion")
    expected = sqlite_store.models["linear"].predict_proba(data.numbers)
    np.testing.assert_array_equal(model.predict(data.numbers, "probability"), expected)
    assert (model.source, model.resolved, model.kind) == (
        "models:/credit@champion",
        "models:/credit/1",
        "sklearn",
    )
    assert (model.columns, model.classes) == (("a", "b", "c"), (0, 1))


def test_alias_version_and_run_are_one_model(store, sqlite_store):
    alias, version = store("models:/credit@champion"), store("models:/credit/1")
    run = store(f"runs:/{sqlite_store.run_id}/linear")
    assert alias.digest == version.digest == run.digest
    assert (version.resolved, run.resolved) == ("models:/credit/1", f"runs:/{sqlite_store.run_id}/linear")


def test_the_digest_is_over_the_files_that_were_logged(store, sqlite_store):
    location = sqlite_store.client().get_model_version_download_uri("credit", "1")
    folder = Path(location.removeprefix("file://"))
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert {"MLmodel", "model.skops"} <= set(files)
    assert store("models:/credit@champion").digest == digest_of_files(files)


def test_the_flavour_gives_probabilities_with_text_for_categories(store, sqlite_store, data):
    model = store("models:/credit@challenger")
    expected = sqlite_store.models["trees"].predict_proba(data.categories).astype(float)
    np.testing.assert_array_equal(model.predict(data.rows, "probability"), expected)
    assert (model.kind, model.resolved) == ("xgboost", "models:/credit/2")


def test_a_pickle_in_the_registry_needs_trust(store, sqlite_store, data):
    with pytest.raises(InvalidError, match="is not trusted: its sklearn flavour is a cloudpickle") as caught:
        store("models:/credit@pickled")
    digest = caught.value.remedy.partition("(")[2].partition(")")[0]
    pinned = store("models:/credit@pickled", pinned_models={"models:/credit@pickled": digest})
    trusted = store("models:/credit@pickled", trusted_sources=("models:/credit*",))
    expected = sqlite_store.models["pickled"].predict_proba(data.numbers)
    for model in (pinned, trusted):
        assert model.digest == digest
        np.testing.assert_array_equal(model.predict(data.numbers, "probability"), expected)


def test_a_trusted_pickle_still_obeys_mlflows_own_switch(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    with pytest.raises(InvalidError) as caught:
        store("models:/credit@pickled", trusted_sources=("*",))
    assert str(caught.value) == (
        "'models:/credit@pickled' is a pickle, and MLFLOW_ALLOW_PICKLE_DESERIALIZATION is false.\n"
        "  Log it as skops, or allow pickles."
    )


def test_an_alias_that_moves_while_the_model_is_loaded(store, sqlite_store, monkeypatch):
    """What was resolved is what is loaded: the name is asked for once."""
    download = ours._download
    client = sqlite_store.client()

    def move_first(*arguments):
        client.set_registered_model_alias("credit", "moving", "2")
        return download(*arguments)

    client.set_registered_model_alias("credit", "moving", "1")
    monkeypatch.setattr(ours, "_download", move_first)
    model = store("models:/credit@moving")
    assert (model.resolved, model.kind) == ("models:/credit/1", "sklearn")
    assert str(client.get_model_version_by_alias("credit", "moving").version) == "2"


def test_a_pinned_alias_that_moved_is_another_model(store):
    digest = store("models:/credit/1").digest
    pinned = {"models:/credit@challenger": digest}
    with pytest.raises(InvalidError) as caught:
        store("models:/credit@challenger", pinned_models=pinned)
    assert caught.value.what == (
        "'models:/credit@challenger' is not the model that was agreed: model-gate.lock has "
        f"{digest}, and models:/credit/2 has {store('models:/credit/2').digest}."
    )


@pytest.mark.parametrize(
    ("source", "what", "remedy"),
    [
        (
            "models:/credit@champoin",
            "The model 'credit' has no alias 'champoin' in the registry at {uri}.",
            "Did you mean 'champion'?",
        ),
        (
            "models:/credt@champion",
            "There is no model 'credt' in the registry at {uri}.",
            "Did you mean 'credit'?",
        ),
        (
            "models:/credit/99",
            "The model 'credit' has no version 99 in the registry at {uri}.",
            "It has: 1, 2, 3.",
        ),
        (
            "models:/nosuch/1",
            "There is no model 'nosuch' in the registry at {uri}.",
            "Check the name, and that the gate's tracking_uri is the right one.",
        ),
        (
            "runs:/0123456789abcdef/linear",
            "There is no run '0123456789abcdef' at {uri}.",
            "Check the id, and that the gate's tracking_uri is the right one.",
        ),
    ],
)
def test_what_is_not_there_is_said(source, what, remedy, store, sqlite_store):
    with pytest.raises(UnavailableError) as caught:
        store(source)
    assert (caught.value.what, caught.value.remedy) == (what.format(uri=sqlite_store.uri), remedy)


def test_a_wrong_path_in_a_run_is_said(store, sqlite_store):
    source = f"runs:/{sqlite_store.run_id}/nosuch"
    with pytest.raises(UnavailableError) as caught:
        store(source)
    assert caught.value.what.startswith(f"'{source}' has no files at file://")
    assert caught.value.what.endswith(f"{sqlite_store.run_id}/artifacts/nosuch.")
    assert caught.value.remedy == "Check the path after the run's id."


def test_files_that_were_deleted_are_said(store, sqlite_store, tmp_path):
    client = sqlite_store.client()
    source = client.get_model_version("credit", "1").source
    location = Path(client.get_model_version_download_uri("credit", "1").removeprefix("file://"))
    aside = tmp_path / "aside"
    shutil.move(location, aside)
    try:
        with pytest.raises(UnavailableError) as caught:
            store("models:/credit@champion")
    finally:
        shutil.move(aside, location)
    assert source
    assert str(caught.value) == (
        f"'models:/credit@champion' (models:/credit/1) has no files at file://{location.as_posix()}.\n"
        "  Its files were deleted or moved after it was registered: register it again."
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            lambda file: file.unlink(),
            "'models:/credit@champion' is not whole: its file model.skops is missing.",
        ),
        (
            lambda file: file.write_bytes(file.read_bytes()[:500]),
            "'models:/credit@champion' is not a whole skops file: BadZipFile: File is not a zip file.",
        ),
    ],
)
def test_a_corrupt_artefact_is_invalid(change, what, store, sqlite_store, tmp_path):
    location = Path(
        sqlite_store.client().get_model_version_download_uri("credit", "1").removeprefix("file://")
    )
    copy = tmp_path / "copy"
    shutil.copytree(location, copy)
    try:
        change(location / "model.skops")
        with pytest.raises(InvalidError) as caught:
            store("models:/credit@champion")
    finally:
        shutil.copy(copy / "model.skops", location / "model.skops")
    assert caught.value.what == what


@pytest.mark.parametrize(
    "source",
    ["models:/credit", "models:/credit/latest", "models:credit/1", "runs:/abc", "runs:/", "models:/a/b/c"],
)
def test_other_forms_are_refused(source, store):
    with pytest.raises(ConfigurationError) as caught:
        store(source)
    assert str(caught.value) == (
        f"'{source}' is no MLflow model.\n"
        "  Write models:/name@alias, models:/name/3, models:/m-<id> or runs:/run-id/path."
    )


# ----------------------------------------------------------------------- which store, and no side effects


def test_a_relative_store_is_found_from_the_projects_root(load, sqlite_store, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    model = load("models:/credit/1", tracking_uri="sqlite:///mlflow.db", root=str(sqlite_store.folder))
    assert model.kind == "sklearn"


def test_the_environment_names_the_store_where_the_gate_does_not(load, sqlite_store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_store.uri)
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    assert load("models:/credit@champion").resolved == "models:/credit/1"
    with pytest.raises(UnavailableError) as caught:
        load("models:/nosuch/1")
    assert caught.value.remedy == "Check the name, and that MLFLOW_TRACKING_URI is the right one."


def test_a_store_that_is_not_there_is_not_created(load, tmp_path):
    with pytest.raises(UnavailableError) as caught:
        load("models:/credit/1", tracking_uri="sqlite:///nosuch/mlflow.db")
    uri = f"sqlite:///{(tmp_path / 'nosuch' / 'mlflow.db').as_posix()}"
    assert str(caught.value) == (
        f"There is no MLflow store at {uri}.\n"
        "  Set the gate's tracking_uri to where the models are registered."
    )
    assert not (tmp_path / "nosuch").exists()


def test_nothing_is_left_behind(store, sqlite_store, monkeypatch, tmp_path, capfd):
    import mlflow

    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    environment, uri = dict(os.environ), mlflow.get_tracking_uri()
    levels = {name: logging.getLogger(name).level for name in ("mlflow", "alembic")}
    filters = list(warnings.filters)
    store("models:/credit@champion")
    with pytest.raises(UnavailableError):
        store("models:/credit@nosuch")
    with pytest.raises(InvalidError):
        store("models:/credit@pickled")
    assert dict(os.environ) == environment
    assert mlflow.get_tracking_uri() == uri
    assert levels == {name: logging.getLogger(name).level for name in levels}
    assert warnings.filters == filters
    assert list((tmp_path / "scratch").iterdir()) == []
    assert capfd.readouterr() == ("", "")


# ------------------------------------------------------------------------------------------------- pyfunc


def save_pyfunc(folder: Path, data) -> None:
    import mlflow.pyfunc
    from mlflow.models import infer_signature

    # Recorded and not only ignored: MLflow puts a filter of its own in front when a model class is made.
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")

        class Doubled(mlflow.pyfunc.PythonModel):
            def predict(self, context, model_input, params=None):
                return model_input["a"].to_numpy() * 2

        mlflow.pyfunc.save_model(
            folder,
            python_model=Doubled(),
            signature=infer_signature(data.numbers, data.value),
            pip_requirements=["mlflow"],
        )


def test_a_python_function_needs_trust_and_then_predicts(data, tmp_path, sqlite_store, store):
    save_pyfunc(tmp_path / "model", data)
    sqlite_store.client().log_artifacts(sqlite_store.run_id, str(tmp_path / "model"), "doubled")
    source = f"runs:/{sqlite_store.run_id}/doubled"
    with pytest.raises(InvalidError, match=r"is not trusted: it is a python_function of mlflow.pyfunc.model"):
        store(source)
    model = store(source, trusted_sources=("runs:/*",))
    assert (model.kind, model.columns, model.classes) == ("python_function", ("a", "b", "c"), None)
    np.testing.assert_allclose(model.predict(data.numbers, "value"), data.numbers["a"] * 2)
    assert model.predict(data.numbers, "label") is None
    # MLflow's own message prints the rows; ours must not.
    with pytest.raises(ValueError, match=r"^the rows do not fit the signature: ") as caught:
        model.predict(data.numbers.assign(a="secret"), "value")
    assert "secret" not in str(caught.value)


def test_a_run_artifact_that_is_no_model(tmp_path, sqlite_store, store):
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    sqlite_store.client().log_artifact(sqlite_store.run_id, str(tmp_path / "notes.txt"), "notes")
    source = f"runs:/{sqlite_store.run_id}/notes"
    with pytest.raises(EvaluationError) as caught:
        store(source)
    assert str(caught.value) == (
        f"'{source}' is no MLflow model: it has no file MLmodel.\n  Name the folder that log_model wrote."
    )


# ---------------------------------------------------------------------------------- models by their own id


def logged_id(sqlite_store, name="linear"):
    (found,) = (
        one
        for one in sqlite_store.client().search_logged_models(
            [sqlite_store.client().get_experiment_by_name("gate").experiment_id]
        )
        if one.name == name
    )
    return found.model_id


def test_a_logged_model_by_its_id(store, sqlite_store):
    source = f"models:/{logged_id(sqlite_store)}"
    found = store(source)
    assert (found.source, found.resolved) == (source, source)
    assert found.digest == store("models:/credit/1").digest


def test_a_logged_model_that_is_not_there(store, sqlite_store):
    with pytest.raises(UnavailableError) as caught:
        store(f"models:/m-{'0' * 32}")
    assert str(caught.value) == (
        f"There is no logged model 'm-{'0' * 32}' at {sqlite_store.uri}.\n"
        "  Check the id, and that the gate's tracking_uri is the right one."
    )


def test_a_logged_model_that_is_not_ready(store, sqlite_store):
    experiment = sqlite_store.client().get_experiment_by_name("gate").experiment_id
    pending = sqlite_store.client().create_logged_model(experiment, name="half")
    with pytest.raises(UnavailableError) as caught:
        store(f"models:/{pending.model_id}")
    assert str(caught.value) == (
        f"The logged model '{pending.model_id}' is PENDING, and not READY.\n"
        "  Wait until it is, or log it again."
    )


# --------------------------------------------------------------------------------------- folders on disk


@pytest.fixture
def folder(tmp_path, sqlite_store):
    location = sqlite_store.client().get_model_version_download_uri("credit", "1")
    shutil.copytree(location.removeprefix("file://"), tmp_path / "models" / "credit")
    return tmp_path / "models" / "credit"


def test_a_folder_that_mlflow_wrote(folder, load, store, data, sqlite_store):
    model = load("models/credit")
    assert (model.source, model.resolved, model.kind) == ("models/credit", "models/credit", "sklearn")
    assert model.digest == store("models:/credit/1").digest
    expected = sqlite_store.models["linear"].predict_proba(data.numbers)
    np.testing.assert_array_equal(model.predict(data.numbers, "probability"), expected)
    with pytest.raises(InvalidError, match=r"^'models/credit' is not the model that was agreed: "):
        load("models/credit", pinned_models={"models/credit": "sha256:0"})


def test_a_folder_is_looked_at_before_it_is_loaded(folder, tmp_path):
    from pytest_model_gate.models.examine import examine
    from pytest_model_gate.spec import SourceContext

    found = examine("models/credit", SourceContext(root=str(tmp_path)))
    assert found is not None
    assert (found.format, found.good) == ("MLflow, sklearn, skops", True)
    assert ("MLmodel", (folder / "MLmodel").stat().st_size) in found.files
    assert examine("models", SourceContext(root=str(tmp_path))) is None


def test_a_folder_with_a_file_that_leads_nowhere(folder, load):
    (folder / "gone").symlink_to("nowhere")
    with pytest.raises(UnavailableError) as caught:
        load("models/credit")
    assert str(caught.value) == (
        "The folder 'models/credit' cannot be read: its file 'gone' is not to be had.\n"
        "  Check its files, and their permissions."
    )


# ------------------------------------------------------------------------------- kept predictions


class Rows:
    """The rows that predictions are kept of."""

    source = resolved = "rows"
    digest = "sha256:rows"
    columns = (("a", "float64"),)

    def __init__(self, rows):
        self.rows = rows


@pytest.fixture
def recalling(store, data, tmp_path):
    """Open sources as a gate with a cache does; each call is another run."""
    spec = GateSpec(
        name="g", candidate="c", production="p", dataset="d", target="y", metrics=("roc_auc",), cache=True
    )
    kept = Store(tmp_path / "predictions", 10**9)

    def opened(source, **context):
        memory = Memory(spec, Rows(len(data.rows)), kept)
        model = store(source, recall=memory.recalling(SourceContext(**context)), **context)
        if not isinstance(model, KnownModel):
            memory.keep(model, score(model, [data.rows], ("probability",)), "promised", ())
        return model

    return opened


@pytest.mark.parametrize("alias", ["champion", "challenger", "pickled"])
def test_a_version_whose_predictions_are_kept_is_loaded_when_it_is_asked(recalling, data, alias, monkeypatch):
    """Also after the model was downloaded: its private folder lives as long as the model, and no longer."""
    made = []
    monkeypatch.setattr(ours.tempfile, "tempdir", None)
    real = ours.tempfile.mkdtemp
    monkeypatch.setattr(ours.tempfile, "mkdtemp", lambda **keys: made.append(real(**keys)) or made[-1])
    source, trusted = f"models:/credit@{alias}", ("models:/*",)
    first = recalling(source, trusted_sources=trusted)
    known = recalling(source, trusted_sources=trusted)
    assert (type(first), type(known)) == (EstimatorModel, KnownModel)
    for name in ("source", "resolved", "digest", "kind", "columns", "classes"):
        assert getattr(known, name) == getattr(first, name)
    assert dict(known.types) == dict(first.types)
    expected = first.predict(data.rows[list(first.columns)], "probability")
    np.testing.assert_array_equal(known.scored.probability, expected)
    assert Path(made[-1]).is_dir()
    np.testing.assert_array_equal(known.predict(data.rows[list(first.columns)], "probability"), expected)
    del known
    assert not any(Path(place).exists() for place in made)


def test_kept_predictions_trust_nobody(recalling, store):
    recalling("models:/credit@pickled", trusted_sources=("models:/*",))
    with pytest.raises(InvalidError, match="is not trusted"):
        recalling("models:/credit@pickled")
    with pytest.raises(InvalidError, match="is not the model that was agreed"):
        recalling("models:/credit@champion", pinned_models={"models:/credit@champion": "sha256:0"})


# --------------------------------------------------------------------------- what MLflow itself cannot open


@pytest.mark.parametrize(
    ("source", "library", "target"),
    [
        ("models:/credit@challenger", "xgboost", "'pytest-model-gate[xgboost]'"),
        ("models:/credit@champion", "skops", "'pytest-model-gate[skops]'"),
    ],
)
def test_the_library_of_a_flavour_is_not_installed(source, library, target, store, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)  # as Python does where there is no such package
    with pytest.raises(UnavailableError) as caught:
        store(source)
    assert str(caught.value) == (
        f"'{source}' needs the package '{library}', which is not installed.\n"
        f"  Install it into the environment that runs the gate: pip install {target}"
    )


def test_the_package_of_a_pickled_model_is_not_installed(data, tmp_path, sqlite_store, store, monkeypatch):
    import mlflow.sklearn

    (tmp_path / "their_models.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n\nclass Theirs(LogisticRegression):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    theirs = importlib.import_module("their_models").Theirs().fit(data.numbers, data.label)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            theirs, tmp_path / "model", serialization_format="cloudpickle", pip_requirements=["mlflow"]
        )
    sqlite_store.client().log_artifacts(sqlite_store.run_id, str(tmp_path / "model"), "theirs")
    source = f"runs:/{sqlite_store.run_id}/theirs"
    assert store(source, trusted_sources=("runs:/*",)).kind == "sklearn"
    (tmp_path / "their_models.py").unlink()
    sys.modules.pop("their_models")
    importlib.invalidate_caches()
    with pytest.raises(UnavailableError) as caught:
        store(source, root=str(tmp_path / "elsewhere"), trusted_sources=("runs:/*",))
    assert str(caught.value) == (
        f"'{source}' needs the package 'their_models', which is not installed.\n"
        "  Install it into the environment that runs the gate: pip install their_models"
    )


def test_a_flavour_that_takes_no_rows(tmp_path, sqlite_store, store):
    from mlflow.models import Model

    folder = tmp_path / "model"
    folder.mkdir()
    Model().add_flavor("diffusers", model_path="pipe").add_flavor("openai", task="chat").save(
        str(folder / "MLmodel")
    )
    sqlite_store.client().log_artifacts(sqlite_store.run_id, str(folder), "chat")
    source = f"runs:/{sqlite_store.run_id}/chat"
    with pytest.raises(EvaluationError) as caught:
        store(source)
    assert str(caught.value) == (
        f"'{source}' has no flavour that a table of rows can be given to, only diffusers, openai.\n"
        "  Log it with a python_function flavour, or gate its predictions with predictions:path#column."
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda rows: rows.assign(a="secret"),
            "The candidate (SOURCE) raised ValueError while scoring: the rows do not fit the signature: "
            "Incompatible input types for column a. Can not safely convert str to float64.\n"
            "  Check that the columns have the types that it was trained on: a str, b float64, c float64.",
        ),
        (
            lambda rows: rows.drop(columns="c"),
            "The candidate needs column 'c', which the dataset does not have.\n  The dataset has: 'a', 'b'.",
        ),
        (
            lambda rows: rows.assign(b=[["secret"]] * len(rows)),
            "The candidate (SOURCE) raised ValueError while scoring: the rows do not fit the signature: "
            "Invalid object type at position 0.\n"
            "  Check that the columns have the types that it was trained on: a float64, b object, c float64.",
        ),
    ],
)
def test_what_a_signature_refuses_is_said_without_rows(change, said, data, tmp_path, sqlite_store, store):
    save_pyfunc(tmp_path / "model", data)
    sqlite_store.client().log_artifacts(sqlite_store.run_id, str(tmp_path / "model"), "strict")
    source = f"runs:/{sqlite_store.run_id}/strict"
    model = store(source, trusted_sources=("runs:/*",))
    with pytest.raises((InvalidError, EvaluationError)) as caught:
        score(model, [change(data.numbers)], ["value"])
    assert str(caught.value).replace(source, "SOURCE") == said
