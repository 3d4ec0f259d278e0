"""``model-gate verify``: what would be loaded, who trusts it and what a scanner says; nothing of it runs."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from pytest_model_gate.cli import main
from pytest_model_gate.data.lock import Lock, pin_model, write_lock
from pytest_model_gate.models import builtin
from pytest_model_gate.models.identity import sha256

SCANNER = f"picklescan {version('picklescan')}"


class Malicious:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project without gates; nothing in it may be loaded."""
    monkeypatch.chdir(tmp_path)

    def loaded(*_):
        raise AssertionError("something was loaded")

    monkeypatch.setattr(builtin, "model_gate_model", loaded)
    for module, names in {
        "joblib": ["load"],
        "pickle": ["load", "loads"],
        "skops.io": ["load", "loads"],
    }.items():
        for name in names:
            monkeypatch.setattr(sys.modules[module], name, loaded)
    return tmp_path


def verify(capsys, *arguments):
    status = main(["verify", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def digest(path):
    return sha256(Path(path).read_bytes())


def estimator(data, kind=LogisticRegression):
    return kind().fit(data.numbers, data.label)


def test_a_file_of_data_needs_no_trust(project, data, capsys):
    skops.io.dump(estimator(data), "m.skops")
    size = Path("m.skops").stat().st_size

    assert verify(capsys, "m.skops") == (
        0,
        "source     m.skops\n"
        f"digest     {digest('m.skops')}\n"
        "format     skops\n"
        f"size       {size:,} bytes\n"
        "runs code  no\n"
        "trust      needs none: it is data, and a reader of data reads it\n",
        "",
    )


def test_an_honest_pickle_is_refused_until_somebody_trusts_it(project, data, capsys):
    joblib.dump(estimator(data), "m.joblib", compress=3)
    found = digest("m.joblib")
    known = (
        "source     m.joblib\n"
        f"digest     {found}\n"
        "format     joblib (a pickle)\n"
        f"size       {Path('m.joblib').stat().st_size:,} bytes\n"
        "runs code  yes: it is a pickle\n"
    )
    scanner = f"scanner    {SCANNER} finds nothing dangerous\n"

    assert verify(capsys, "m.joblib") == (
        1,
        known
        + scanner
        + "REFUSED    'm.joblib' is not trusted: it is a pickle, and loading it would run any code that is "
        "in it.\n"
        f"  next: If you trust these bytes ({found}), run: model-gate pin --trust m.joblib (or, if you trust "
        'whatever is there, add to [tool.model_gate] in pyproject.toml: trusted_sources = ["m.joblib"])\n',
        "",
    )
    Path("model_gate.toml").write_text('trusted_sources = ["*.joblib"]\n')
    trusted = "trust      its source matches trusted_sources\n"
    assert verify(capsys, "m.joblib") == (0, known + trusted + scanner, "")
    write_lock(project / "model-gate.lock", pin_model(Lock(), "m.joblib", found))
    pinned = "trust      model-gate.lock pins these very bytes\n"
    assert verify(capsys, "m.joblib") == (0, known + pinned + scanner, "")


def test_another_pin_is_refused(project, data, capsys):
    skops.io.dump(estimator(data), "m.skops")
    write_lock(project / "model-gate.lock", pin_model(Lock(), "m.skops", "sha256:" + "0" * 64))

    status, out, _ = verify(capsys, "m.skops")

    assert status == 1
    assert out.endswith(
        f"REFUSED    'm.skops' is not the model that was agreed: model-gate.lock has sha256:{'0' * 64}, "
        f"and m.skops has {digest('m.skops')}.\n"
        "  next: If the change is meant, run: model-gate pin --trust m.skops\n"
    )


def test_a_gate_that_names_the_model_says_who_is_trusted(project, data, capsys):
    joblib.dump(estimator(data), "m.joblib")
    Path("model_gate.toml").write_text(
        '[gates.credit]\ncandidate = "m.joblib"\ntrusted_sources = ["m.*"]\n'
        '[gates.other]\ncandidate = "n.joblib"\n'
    )
    joblib.dump(estimator(data), "n.joblib")

    assert verify(capsys, "m.joblib")[0] == 0
    assert verify(capsys, "n.joblib")[0] == 1


def plain(value, path):
    path.write_bytes(pickle.dumps(value))


def compressed(value, path):
    path.write_bytes(gzip.compress(pickle.dumps(value)))


def of_joblib(value, path):
    joblib.dump({"rows": np.arange(100.0), "model": value}, path)


def compressed_joblib(value, path):
    joblib.dump({"rows": np.arange(100.0), "model": value}, path, compress=3)


@pytest.mark.parametrize("write", [plain, compressed, of_joblib, compressed_joblib])
@pytest.mark.parametrize("trust", ["nobody", "a pattern", "a pin"])
def test_a_malicious_pickle_is_told_and_never_runs(write, trust, project, capsys):
    mark = project / "it-ran"
    write(Malicious(mark), project / "m.pkl")
    if trust == "a pattern":
        Path("model_gate.toml").write_text('trusted_sources = ["*"]\n')
    elif trust == "a pin":
        write_lock(project / "model-gate.lock", pin_model(Lock(), "m.pkl", digest("m.pkl")))

    status, out, _ = verify(capsys, "m.pkl")

    assert status == 1
    assert f"scanner    {SCANNER} finds that it calls posix.mkdir\n" in out
    ends = {
        "nobody": "REFUSED    'm.pkl' is not trusted: it is a pickle, and loading it would run any code",
        "a pattern": f"REFUSED    'm.pkl' is among the trusted_sources, but {SCANNER} finds that it calls",
        "a pin": "SUSPICIOUS a gate would load it, and the scanner has something against it",
    }
    assert ends[trust] in out
    assert not mark.exists()


def test_skops_with_other_types(project, data, capsys):
    skops.io.dump(estimator(data, KNeighborsClassifier), "m.skops")

    status, out, _ = verify(capsys, "m.skops")

    assert status == 1
    assert (
        "runs code  yes: it holds sklearn.metrics._dist_metrics.EuclideanDistance64, "
        "sklearn.neighbors._kd_tree.KDTree, which may run code\n"
    ) in out


def run_of(tmp_path, flavors, files):
    """Register a folder of files as a model, and return where."""
    import mlflow

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}), encoding="utf-8")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy's, of MLflow's own tables
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.create_registered_model("credit")
        client.create_model_version("credit", folder.as_uri())
        client.set_registered_model_alias("credit", "challenger", "1")
    return uri


def test_a_malicious_model_of_mlflow(project, capsys):
    mark = project / "it-ran"
    content = pickle.dumps(Malicious(mark))
    uri = run_of(project, {"sklearn": {"pickled_model": "model.pkl"}}, {"model.pkl": content})

    status, out, _ = verify(capsys, "models:/credit@challenger", "--tracking-uri", uri, "--json")

    said = json.loads(out)
    assert status == 1
    assert (said["resolved"], said["format"], said["trusted"]) == (
        "models:/credit/1",
        "MLflow, sklearn",
        False,
    )
    assert said["why_code"] == "its sklearn flavour is a pickle"
    assert said["scan"] == {
        "scanner": SCANNER,
        "clean": False,
        "dangerous": ["posix.mkdir"],
        "unread": "",
    }
    assert [file["path"] for file in said["files"]] == ["MLmodel", "model.pkl"]
    assert said["size"] == sum(file["size"] for file in said["files"])
    assert not mark.exists()


@pytest.mark.parametrize(
    ("flavors", "form", "code"),
    [
        (
            {"sklearn": {"pickled_model": "m.skops", "serialization_format": "skops"}},
            "MLflow, sklearn, skops",
            False,
        ),
        ({"python_function": {"loader_module": "os"}}, "MLflow, python_function", True),
        ({"xgboost": {"data": "model.ubj"}}, "MLflow, xgboost", False),
    ],
)
def test_flavours_of_mlflow(flavors, form, code, project, data, capsys):
    uri = run_of(project, flavors, {"m.skops": skops.io.dumps(estimator(data)), "model.ubj": b"{}"})

    status, out, _ = verify(capsys, "models:/credit/1", "--tracking-uri", uri, "--json")

    said = json.loads(out)
    assert (status, said["format"], said["runs_code"]) == (int(code), form, code)
    assert said["scan"] is None


def test_what_needs_no_bytes(project, capsys):
    Path("scores.csv").write_text("id,p\n1,0.5\n")
    Path("score.sh").write_text("#!/bin/sh\n")

    assert verify(capsys, "python:os:mkdir")[1] == (
        "source     python:os:mkdir\n"
        "digest     none before it is made\n"
        "format     Python factory\n"
        "runs code  yes: it is code of this project\n"
        "trust      needs none: it is code of this project, as the tests themselves\n"
    )
    status, out, _ = verify(capsys, "predictions:scores.csv#p")
    assert (status, f"digest     {digest('scores.csv')}\n" in out, "runs code  no\n" in out) == (
        0,
        True,
        True,
    )
    status, out, _ = verify(capsys, "exec:sh score.sh")
    assert (status, "runs code  yes: it is a command\n" in out) == (1, True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "nowhere.pkl",
            "The file 'nowhere.pkl' does not exist.\n  It was looked for at {root}/nowhere.pkl.",
        ),
        (
            "vault:credit",
            "Nothing is known of 'vault:credit' before it is loaded.\n"
            "  A file or folder, models:/name@alias, runs:/id/path, wandb:, predictions:, python:, exec: "
            "and http:// can be looked at.",
        ),
        (
            "broken.skops",
            "'broken.skops' is not a whole skops file: BadZipFile: File is not a zip file.\n"
            "  Write it again with skops.io.dump(model, 'model.skops').",
        ),
        (
            "empty.skops",
            "'empty.skops' is not a whole skops file: ValueError: the file is empty.\n"
            "  Write it again with skops.io.dump(model, 'model.skops').",
        ),
    ],
)
def test_what_cannot_be_looked_at(source, message, project, capsys):
    Path("broken.skops").write_bytes(b"junk")
    Path("empty.skops").write_bytes(b"")

    assert verify(capsys, source) == (2, "", f"model-gate: error: {message.format(root=project)}\n")


def test_without_the_scanner(project, data, capsys, monkeypatch):
    joblib.dump(estimator(data), "m.joblib")
    monkeypatch.setitem(sys.modules, "picklescan.scanner", None)

    status, out, _ = verify(capsys, "m.joblib")

    assert status == 1
    assert "scanner    not asked: pip install 'pytest-model-gate[picklescan]'\n" in out
