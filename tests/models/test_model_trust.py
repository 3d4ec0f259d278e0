"""Nothing runs code by being loaded unless the user said so for these very bytes, or for this source."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from importlib.metadata import version
from pathlib import Path

import cloudpickle
import joblib
import numpy as np
import pytest
import skops.io
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from pytest_model_gate.errors import EvaluationError, InvalidError, UntrustedError
from pytest_model_gate.models.identity import Identity, sha256
from pytest_model_gate.models.mlmodel import load_folder
from pytest_model_gate.spec import SourceContext


class Malicious:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A folder that is there only if foreign code ran."""
    return tmp_path / "it-ran"


def bad_pickle(path: Path, mark: Path) -> None:
    path.write_bytes(pickle.dumps(Malicious(mark)))


def bad_joblib(path: Path, mark: Path) -> None:
    joblib.dump(Malicious(mark), path)


def bad_compressed_joblib(path: Path, mark: Path) -> None:
    joblib.dump({"model": Malicious(mark)}, path, compress=3)


def bad_cloudpickle(path: Path, mark: Path) -> None:
    path.write_bytes(cloudpickle.dumps(Malicious(mark)))


MALICIOUS = [
    ("m.pkl", bad_pickle),
    ("m.pickle", bad_pickle),
    ("m.joblib", bad_joblib),
    ("m.joblib", bad_compressed_joblib),
    ("m.pkl", bad_cloudpickle),
]


@pytest.mark.parametrize(("name", "write"), MALICIOUS)
def test_a_malicious_pickle_never_runs_by_default(name, write, load, mark, tmp_path):
    write(tmp_path / name, mark)
    digest = sha256((tmp_path / name).read_bytes())
    with pytest.raises(InvalidError) as caught:
        load(name)
    assert str(caught.value) == (
        f"'{name}' is not trusted: it is a pickle, and loading it would run any code that is in it.\n"
        f"  If you trust these bytes ({digest}), run: model-gate pin --trust {name} "
        "(or, if you trust whatever is there, add to [tool.model_gate] in pyproject.toml: "
        f'trusted_sources = ["{name}"])'
    )
    assert not mark.exists()


@pytest.mark.parametrize(("name", "write"), MALICIOUS)
def test_these_pickles_do_run_when_they_are_loaded(name, write, load, mark, tmp_path):
    """Otherwise the test above would show nothing."""
    write(tmp_path / name, mark)
    digest = sha256((tmp_path / name).read_bytes())
    with pytest.raises(EvaluationError, match=rf"^'{name}' holds .*, which is no model: it has no predict"):
        load(name, pinned_models={name: digest})
    assert mark.exists()


@pytest.mark.parametrize(("name", "write"), MALICIOUS)
def test_what_a_scanner_finds_is_refused_where_only_a_pattern_trusts(name, write, load, mark, tmp_path):
    write(tmp_path / name, mark)
    digest = sha256((tmp_path / name).read_bytes())
    with pytest.raises(UntrustedError) as caught:
        load(name, trusted_sources=("*",))
    assert str(caught.value) == (
        f"'{name}' is among the trusted_sources, but picklescan {version('picklescan')} finds that it calls "
        f"posix.mkdir.\n"
        f"  Find out who wrote it. If you trust these bytes ({digest}) all the same, run: "
        f"model-gate pin --trust {name}"
    )
    assert not mark.exists()


def test_another_pin_than_these_bytes_is_refused_before_loading(load, mark, tmp_path):
    bad_pickle(tmp_path / "m.pkl", mark)
    digest = sha256((tmp_path / "m.pkl").read_bytes())
    with pytest.raises(InvalidError) as caught:
        # A trusted source does not help: the lock says which bytes were meant.
        load("m.pkl", pinned_models={"m.pkl": "sha256:0000"}, trusted_sources=("*",))
    assert str(caught.value) == (
        "'m.pkl' is not the model that was agreed: model-gate.lock has sha256:0000, "
        f"and m.pkl has {digest}.\n"
        "  If the change is meant, run: model-gate pin --trust m.pkl"
    )
    assert not mark.exists()


def test_a_pinned_pickle_loads(data, load, tmp_path):
    estimator = LogisticRegression().fit(data.numbers, data.label)
    joblib.dump(estimator, tmp_path / "m.joblib")
    digest = sha256((tmp_path / "m.joblib").read_bytes())
    model = load("m.joblib", pinned_models={"m.joblib": digest})
    np.testing.assert_array_equal(
        model.predict(data.numbers, "probability"), estimator.predict_proba(data.numbers)
    )
    assert (model.kind, model.digest, model.columns) == ("pickle", digest, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("pattern", "source", "trusted"),
    [
        ("models/*.pkl", "models/m.pkl", True),
        ("models/m.pkl", "models/m.pkl", True),
        ("other/*", "models/m.pkl", False),
        ("models/*", "models/../models/m.pkl", False),
        ("MODELS/*", "models/m.pkl", False),
    ],
)
def test_trusted_sources_are_shell_patterns(pattern, source, trusted, data, load, tmp_path):
    (tmp_path / "models").mkdir()
    joblib.dump(LogisticRegression().fit(data.numbers, data.label), tmp_path / "models" / "m.pkl")
    if trusted:
        assert load(source, trusted_sources=(pattern,)).kind == "pickle"
    else:
        with pytest.raises(InvalidError, match="is not trusted"):
            load(source, trusted_sources=(pattern,))


def test_a_pin_also_holds_for_formats_that_run_nothing(data, load, tmp_path):
    skops.io.dump(LogisticRegression().fit(data.numbers, data.label), tmp_path / "m.skops")
    with pytest.raises(InvalidError, match=r"^'m.skops' is not the model that was agreed"):
        load("m.skops", pinned_models={"m.skops": "sha256:0000"})


def test_a_source_with_special_characters_is_quoted_in_both_remedies(load, tmp_path, mark):
    (tmp_path / "my models [1]").mkdir()
    bad_pickle(tmp_path / "my models [1]" / "m.pkl", mark)
    with pytest.raises(InvalidError) as caught:
        load("my models [1]/m.pkl")
    assert "model-gate pin --trust 'my models [1]/m.pkl' (or" in str(caught.value)
    assert str(caught.value).endswith('trusted_sources = ["my models [[]1]/m.pkl"])')
    with pytest.raises(InvalidError, match="is not trusted"):
        load("my models [1]/m.pkl", trusted_sources=("my models [1]/m.pkl",))
    assert not mark.exists()


# ---------------------------------------------------------------------------------------------- skops


def write_skops(path: Path, estimator, change=None) -> None:
    """Write a file and change its description, as somebody who wants to do harm would."""
    skops.io.dump(estimator, path)
    if change is None:
        return
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(content["schema.json"])
    change(schema)
    content["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in content.items():
            archive.writestr(name, value)


def function_named(module: str, name: str):
    """Return a change that makes a FunctionTransformer call another function."""

    def change(node) -> None:
        if isinstance(node, dict):
            if node.get("__loader__") == "FunctionNode":
                node["__module__"], node["__class__"] = module, name
            for child in node.values():
                change(child)
        elif isinstance(node, list):
            for child in node:
                change(child)

    return change


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "exec"),
        # Functions that live in libraries which a careless rule would trust as a whole:
        ("numpy.testing._private.utils", "runstring"),
        ("numpy", "load"),
        ("sklearn.datasets._base", "load_files"),
        ("joblib", "load"),
        ("scipy.io", "loadmat"),
    ],
)
def test_skops_functions_are_refused_wherever_they_live(module, name, data, load, tmp_path):
    estimator = make_pipeline(FunctionTransformer(np.log1p), LogisticRegression())
    write_skops(tmp_path / "m.skops", estimator, function_named(module, name))
    with pytest.raises(InvalidError) as caught:
        load("m.skops")
    assert caught.value.what == (
        f"'m.skops' is not trusted: it holds {module}.{name}, which may run code, "
        "and loading it would run any code that is in it."
    )


def test_skops_with_unlisted_types_loads_when_it_is_pinned(data, load, tmp_path):
    estimator = KNeighborsClassifier().fit(data.numbers, data.label)
    write_skops(tmp_path / "m.skops", estimator)
    digest = sha256((tmp_path / "m.skops").read_bytes())
    with pytest.raises(InvalidError) as caught:
        load("m.skops")
    assert caught.value.what == (
        "'m.skops' is not trusted: it holds sklearn.metrics._dist_metrics.EuclideanDistance64, "
        "sklearn.neighbors._kd_tree.KDTree, which may run code, and loading it would run any "
        "code that is in it."
    )
    model = load("m.skops", pinned_models={"m.skops": digest})
    np.testing.assert_array_equal(
        model.predict(data.numbers, "probability"), estimator.predict_proba(data.numbers)
    )


# ------------------------------------------------------------------------------------- MLflow's folder


def mlmodel(folder: Path, flavors: dict, **files: bytes) -> Identity:
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}), encoding="utf-8")
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content)
    return Identity(source="models:/m@champion", resolved="models:/m/1", digest="sha256:ab")


@pytest.mark.parametrize(
    ("flavors", "why"),
    [
        (
            {"sklearn": {"pickled_model": "model.pkl", "serialization_format": "cloudpickle"}},
            "its sklearn flavour is a cloudpickle",
        ),
        ({"sklearn": {"pickled_model": "model.pkl"}}, "its sklearn flavour is a pickle"),
        (
            {"lightgbm": {"data": "model.pkl", "model_class": "lightgbm.sklearn.LGBMClassifier"}},
            "its lightgbm flavour is a cloudpickle",
        ),
        (
            {"python_function": {"loader_module": "mlflow.sklearn", "model_path": "model.pkl"}},
            "it is a python_function of mlflow.sklearn",
        ),
        ({"python_function": {"loader_module": "os"}}, "it is a python_function of os"),
    ],
)
def test_a_malicious_model_in_mlflow_never_runs_by_default(flavors, why, tmp_path, mark):
    identity = mlmodel(tmp_path, flavors, model_pkl=pickle.dumps(Malicious(mark)))
    with pytest.raises(InvalidError) as caught:
        load_folder(identity, tmp_path, SourceContext())
    assert str(caught.value) == (
        f"'models:/m@champion' is not trusted: {why}, and loading it would run any code that is in it.\n"
        "  If you trust these bytes (sha256:ab), run: model-gate pin --trust models:/m@champion "
        "(or, if you trust whatever is there, add to [tool.model_gate] in pyproject.toml: "
        'trusted_sources = ["models:/m@champion"])'
    )
    assert not mark.exists()


def test_what_a_skops_model_in_mlflow_says_about_itself_counts_for_nothing(data, tmp_path):
    estimator = make_pipeline(FunctionTransformer(np.log1p), LogisticRegression())
    write_skops(tmp_path / "model.skops", estimator, function_named("builtins", "exec"))
    flavor = {
        "pickled_model": "model.skops",
        "serialization_format": "skops",
        "skops_trusted_types": ["builtins.exec"],
    }
    with pytest.raises(InvalidError, match=r"is not trusted: it holds builtins.exec, which may run code"):
        load_folder(mlmodel(tmp_path, {"sklearn": flavor}), tmp_path, SourceContext())


def test_code_that_comes_with_a_data_model_is_not_imported(data, tmp_path, monkeypatch):
    """MLflow would put the model's folder of code on sys.path, and import the class that it names."""
    import sys

    import xgboost

    xgboost.XGBClassifier(n_estimators=2).fit(data.numbers, data.label).save_model(tmp_path / "model.ubj")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "evil_model_module.py").write_text("raise SystemExit", encoding="utf-8")
    flavor = {"data": "model.ubj", "model_class": "evil_model_module.Model", "code": "code"}
    before = list(sys.path)
    loaded = load_folder(mlmodel(tmp_path, {"xgboost": flavor}), tmp_path, SourceContext())
    assert loaded.model.kind == "xgboost"
    assert sys.path == before


@pytest.mark.parametrize("name", ["../outside.ubj", "/etc/hostname", "", None, ["a"]])
def test_a_model_cannot_name_a_file_outside_of_its_folder(name, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.ubj").write_bytes(b"x")
    with pytest.raises(InvalidError) as caught:
        load_folder(mlmodel(folder, {"xgboost": {"data": name}}), folder, SourceContext())
    assert "of 'models:/m@champion' " in caught.value.what or "is not whole" in caught.value.what
    assert caught.value.remedy == "Log the model again, and register that version."


@pytest.mark.parametrize("content", [b"", b"[", b"flavors: 3", b"\xff\xfe\x00", b"just text"])
def test_a_broken_mlmodel_is_invalid(content, tmp_path):
    (tmp_path / "MLmodel").write_bytes(content)
    identity = Identity(source="models:/m/1", resolved="models:/m/1", digest="")
    with pytest.raises(InvalidError) as caught:
        load_folder(identity, tmp_path, SourceContext())
    assert str(caught.value) == (
        "The file MLmodel of 'models:/m/1' is broken.\n  Log the model again, and register that version."
    )
