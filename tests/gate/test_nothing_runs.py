"""What would leave a folder behind if it ran: as every role, dataset and schema, by default."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import skops.io
import yaml
from gate_rows import make_frame
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from pytest_model_gate.errors import ModelGateError
from pytest_model_gate.gate.pinning import trust_model
from pytest_model_gate.gate.score_file import score_to_file
from pytest_model_gate.models.examine import examine
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import SourceContext
from systems.wandb_standin import Collection, wandb_standin

__all__ = ["wandb_standin"]


class Malicious:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.mark),))


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A folder that is there only if foreign code ran."""
    return tmp_path / "it-ran"


# ------------------------------------------------------------------------------------------ files of models


def compressed(kind: str) -> Callable[[Path, Path], None]:
    def write(path: Path, mark: Path) -> None:
        joblib.dump({"model": Malicious(mark), "more": np.arange(1000.0)}, path, compress=(kind, 3))

    return write


def plain(path: Path, mark: Path) -> None:
    path.write_bytes(pickle.dumps(Malicious(mark)))


def by_cloudpickle(path: Path, mark: Path) -> None:
    path.write_bytes(cloudpickle.dumps(Malicious(mark)))


def by_joblib(path: Path, mark: Path) -> None:
    joblib.dump(Malicious(mark), path)


def of_torch(path: Path, mark: Path) -> None:
    """Write what ``torch.save`` writes: a zip with a pickle in it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Malicious(mark), protocol=2))
        archive.writestr("archive/version", "3\n")


def in_skops(path: Path, mark: Path) -> None:
    """Write a skops file whose function is another one than was saved."""
    skops.io.dump(make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()), path)
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
    _replace(path, "schema.json", json.dumps(_renamed(schema)).encode())


def _renamed(node: Any) -> Any:
    if isinstance(node, list):
        return [_renamed(each) for each in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _renamed(value) for key, value in node.items()}
    if changed.get("__loader__") == "FunctionNode":
        changed |= {"__module__": "os", "__class__": "mkdir"}
    return changed


def _replace(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        held = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for each, value in {**held, name: content}.items():
            archive.writestr(each, value)


def pickle_within_skops(path: Path, mark: Path) -> None:
    """Write a pickle under the name of every file in a skops file."""
    skops.io.dump(LogisticRegression().fit([[0], [1]], [0, 1]), path)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name != "schema.json"]
    assert names
    for name in names:
        _replace(path, name, pickle.dumps(Malicious(mark)))


def objects_within_skops(path: Path, mark: Path) -> None:
    """Write arrays of objects, which numpy keeps as pickles, in place of a skops file's arrays."""
    skops.io.dump(LogisticRegression().fit([[0], [1]], [0, 1]), path)
    array = np.empty(1, dtype=object)
    array[0] = Malicious(mark)
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
    assert names
    for name in names:
        _replace(path, name, stream.getvalue())


FILES: dict[str, Callable[[Path, Path], None]] = {
    "m.pkl": plain,
    "m.pickle": by_cloudpickle,
    "m.joblib": by_joblib,
    **{f"{kind}.joblib": compressed(kind) for kind in ("zlib", "gzip", "bz2", "xz", "lzma")},
    "xz.pkl": compressed("xz"),
    "m.ubj": plain,
    "m.json": plain,
    "m.txt": plain,
    "m.cbm": plain,
    "m.onnx": plain,
    "joblib.onnx": by_joblib,
    "m.skops": in_skops,
    "plain.skops": plain,
    "pickle.skops": pickle_within_skops,
    "objects.skops": objects_within_skops,
    "m.pt": of_torch,
    "m.pt2": of_torch,
    "plain.pt": plain,
}


def refused(project: Any, **keys: Any) -> str:
    """Return the first problem of a gate that neither passes nor judges."""
    record = project.record(**keys)
    assert record.verdict in (Verdict.INVALID, Verdict.ERROR)
    assert record.lines == ()
    return next(
        finding.problem for check in record.checks for finding in check.findings if finding.severity == "fail"
    )


@pytest.mark.parametrize("role", ["candidate", "production", "baseline"])
@pytest.mark.parametrize("name", FILES)
def test_a_model_file_in_every_role(name, role, project, mark, tmp_path):
    FILES[name](tmp_path / name, mark)
    said = refused(project, **{role: name})
    assert name in said
    assert not mark.exists()


@pytest.mark.parametrize("name", FILES)
def test_a_model_file_in_commands_of_the_shell(name, project, mark, tmp_path):
    """What verify, pin --trust and score do with it."""
    FILES[name](tmp_path / name, mark)
    context = SourceContext(root=str(tmp_path))
    for use in (
        lambda: examine(name, context),
        lambda: trust_model(project.spec, project.registry, name),
        lambda: score_to_file(name, "data.parquet", str(tmp_path / "out.parquet"), context=context),
    ):
        with contextlib.suppress(ModelGateError):
            use()
        assert not mark.exists()
        (tmp_path / "model-gate.lock").unlink(missing_ok=True)  # pinning it would be the user's word
    assert not (tmp_path / "out.parquet").exists()


def member(path: Path, ends: str, *, unlike: bool = False) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return next(archive.read(name) for name in archive.namelist() if name.endswith(ends) is not unlike)


LOADS: dict[str, Callable[[Path], Any]] = {
    "m.pkl": lambda path: pickle.loads(path.read_bytes()),
    "m.pickle": lambda path: pickle.loads(path.read_bytes()),
    **{name: joblib.load for name in FILES if name.endswith(("joblib", "xz.pkl"))},
    **{name: lambda path: pickle.loads(path.read_bytes()) for name, write in FILES.items() if write is plain},
    "m.skops": lambda path: (
        skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path)).steps[0][1].func(str(path) + "!")
    ),
    "pickle.skops": lambda path: pickle.loads(member(path, "schema.json", unlike=True)),
    "objects.skops": lambda path: np.load(io.BytesIO(member(path, ".npy")), allow_pickle=True),
    "m.pt": lambda path: pickle.loads(zipfile.ZipFile(path).read("archive/data.pkl")),
}


@pytest.mark.parametrize("name", LOADS)
def test_these_files_do_run_when_they_are_loaded(name, mark, tmp_path):
    """Otherwise the tests above would show nothing."""
    FILES[name](tmp_path / name, mark)
    LOADS[name](tmp_path / name)
    assert mark.exists() or (tmp_path / f"{name}!").is_dir()


# ------------------------------------------------------------------------------------------- MLflow's models


def mlflow_models(mark: Path) -> dict[str, tuple[dict[str, Any], dict[str, bytes]]]:
    """Return what MLmodel says, and the files beside it."""
    bad = pickle.dumps(Malicious(mark))
    module = f"import os\nos.mkdir({str(mark)!r})\n".encode()
    stream = io.BytesIO()
    joblib.dump([Malicious(mark)], stream, compress=("xz", 3))
    return {
        "python_function": (
            {"python_function": {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl"}},
            {"python_model.pkl": bad},
        ),
        "sklearn": ({"sklearn": {"pickled_model": "model.pkl"}}, {"model.pkl": bad}),
        "sklearn by cloudpickle, compressed": (
            {"sklearn": {"pickled_model": "model.pkl", "serialization_format": "cloudpickle"}},
            {"model.pkl": stream.getvalue()},
        ),
        "sklearn that says skops": (
            {"sklearn": {"pickled_model": "model.pkl", "serialization_format": "skops"}},
            {"model.pkl": bad},
        ),
        "a loader of its own in code_paths": (
            {"python_function": {"loader_module": "evil_gate_loader", "code": "code"}},
            {"code/evil_gate_loader.py": module},
        ),
        "a loader of the system": ({"python_function": {"loader_module": "os", "data": "x"}}, {"x": b""}),
        "a model from code": (
            {
                "python_function": {
                    "loader_module": "mlflow.pyfunc.model",
                    "model_code_path": "evil_gate_model.py",
                }
            },
            {"evil_gate_model.py": module},
        ),
        "xgboost with a class and code of its own": (
            {"xgboost": {"data": "model.ubj", "model_class": "evil_gate_loader.M", "code": "code"}},
            {"model.ubj": bad, "code/evil_gate_loader.py": module},
        ),
        "lightgbm": ({"lightgbm": {"data": "model.pkl"}}, {"model.pkl": bad}),
        "lightgbm of scikit-learn": (
            {"lightgbm": {"data": "model.pkl", "model_class": "lightgbm.sklearn.LGBMClassifier"}},
            {"model.pkl": bad},
        ),
        "catboost": ({"catboost": {"data": "model.cb"}}, {"model.cb": bad}),
        "onnx": ({"onnx": {"data": "model.onnx"}}, {"model.onnx": bad}),
        "statsmodels": ({"statsmodels": {"data": "model.statsmodels"}}, {"model.statsmodels": bad}),
        "pytorch": (
            {"pytorch": {"model_data": "data", "pytorch_version": "2.8"}},
            {"data/model.pth": bad, "data/pickle_module_info.txt": b"evil_gate_loader"},
        ),
        "keras": (
            {"keras": {"data": "data", "keras_module": "evil_gate_loader"}},
            {"evil_gate_loader.py": module},
        ),
    }


CRAFTED = list(mlflow_models(Path("x")))


def write_model(folder: Path, flavors: dict[str, Any], files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}), encoding="utf-8")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("kind", CRAFTED)
def test_a_folder_of_mlflow(kind, project, mark, tmp_path):
    before = list(sys.path)
    write_model(tmp_path / "model", *mlflow_models(mark)[kind])
    assert "'model'" in refused(project, candidate="model")
    with contextlib.suppress(ModelGateError):
        examine("model", SourceContext(root=str(tmp_path)))
    assert not mark.exists()
    assert (sys.path, "evil_gate_loader" in sys.modules) == (before, False)


def test_tags_in_mlmodel(project, mark, tmp_path):
    write_model(tmp_path / "model", {}, {})
    text = f"flavors: !!python/object/apply:os.mkdir [{str(mark)!r}]\n"
    (tmp_path / "model" / "MLmodel").write_text(text, encoding="utf-8")
    assert refused(project, candidate="model") == "The file MLmodel of 'model' is broken."
    assert not mark.exists()
    yaml.unsafe_load(text)
    assert mark.exists()


@pytest.fixture(scope="module")
def hostile_server(mlflow_server, tmp_path_factory):
    """A real server whose registry holds all of these, as anybody may put them there who can write to it."""
    import warnings

    from mlflow import MlflowClient

    uri, _ = mlflow_server
    mark = tmp_path_factory.mktemp("hostile") / "it-ran"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.create_registered_model("hostile")
        run = client.create_run(client.create_experiment("hostile"))
        for number, (flavors, files) in enumerate(mlflow_models(mark).values(), start=1):
            folder = tmp_path_factory.mktemp("crafted") / "model"
            write_model(folder, flavors, files)
            client.log_artifacts(run.info.run_id, str(folder), f"m{number}")
            source = f"{run.info.artifact_uri}/m{number}"
            client.create_model_version("hostile", source, run.info.run_id)
    return uri, run.info.run_id, mark


@pytest.mark.mlflow_server
@pytest.mark.parametrize("number", range(1, len(CRAFTED) + 1), ids=CRAFTED)
def test_a_model_of_a_real_server(number, project, hostile_server):
    uri, run, mark = hostile_server
    for source in (f"models:/hostile/{number}", f"runs:/{run}/m{number}"):
        assert f"'{source}'" in refused(project, candidate=source, tracking_uri=uri)
    assert not mark.exists()
    assert "evil_gate_loader" not in sys.modules


# ------------------------------------------------------------------------------------------------ W&B, exec:


@pytest.mark.wandb_standin
@pytest.mark.parametrize("name", ["m.pkl", "bz2.joblib", "m.skops", "m.pt", "m.onnx"])
def test_an_artifact_of_wandb(name, project, mark, tmp_path, wandb_standin):
    FILES[name](tmp_path / name, mark)
    wandb_standin.collections["evil"] = Collection("model")
    wandb_standin.collections["evil"].add({name: (tmp_path / name).read_bytes()}, "champion")
    assert "wandb:team/credit/evil:champion" in refused(project, candidate="wandb:team/credit/evil:champion")
    assert not mark.exists()


def test_a_command(project, mark):
    for prefix in ("exec", "exec+csv"):
        said = refused(project, candidate=f"{prefix}:mkdir {mark}", trusted_sources=("*",))
        assert said == (
            f"'{prefix}:mkdir {mark}' is not trusted: it is a command, and names no file that could be "
            "pinned."
        )
    assert not mark.exists()


# ------------------------------------------------------------------------- predictions, datasets and schemas


def extension(mark: Path, names: list[str]) -> pa.Table:
    """Return a table with columns of the type that pyarrow once unpickled when a file was read."""
    frame = make_frame()[names]
    told = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(Malicious(mark)),
    }
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for position, name in enumerate(names):
        if name != "id":
            field = pa.field(name, table.schema.field(name).type, metadata=told)
            table = table.set_column(position, field, table.column(position))
    return table


def objects(path: Path, mark: Path) -> None:
    array = np.empty(1, dtype=object)
    array[0] = Malicious(mark)
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=True)


def frame_pickle(path: Path, mark: Path) -> None:
    frame = pd.DataFrame({"id": [1], "cand": [0.5]})
    frame.attrs["evil"] = Malicious(mark)
    path.write_bytes(pickle.dumps(frame))


TABLES: dict[str, Callable[[Path, Path], None]] = {
    "t.pkl": frame_pickle,
    "t.npy": objects,
    "t.npz": objects,
    "t.parquet": plain,
    "t.feather": plain,
    "t.csv": plain,
    "t.jsonl": plain,
    "t.joblib": by_joblib,
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_none(name, project, mark, tmp_path):
    TABLES[name](tmp_path / name, mark)
    for keys in ({"candidate": f"predictions:{name}#cand"}, {"dataset": name}):
        with contextlib.suppress(ModelGateError):
            refused(project, **keys)
        assert not mark.exists()


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_types_of_arrow_that_were_once_unpickled(suffix, project, mark, tmp_path):
    written = {"scores": ["id", "cand"], "evil": ["id", "x", "z", "y"]}
    for name, names in written.items():
        table = extension(mark, names)
        path = tmp_path / f"{name}{suffix}"
        pq.write_table(table, path) if suffix == ".parquet" else pa.feather.write_feather(table, path)
    # Whether the type is refused or only not known, as a number it may be judged: nothing ran.
    project.record(candidate=f"predictions:scores{suffix}#cand")
    project.record(dataset=f"evil{suffix}")
    assert not mark.exists()


@pytest.mark.parametrize("key", [b"pandas", b"PANDAS_ATTRS", b"model_gate", b"pickle"])
def test_metadata_of_parquet(key, project, mark, tmp_path):
    table = pq.read_table(tmp_path / "scores.parquet")
    told = {**(table.schema.metadata or {}), key: pickle.dumps(Malicious(mark))}
    pq.write_table(table.replace_schema_metadata(told), tmp_path / "scores.parquet")
    data = pq.read_table(tmp_path / "data.parquet")
    pq.write_table(
        data.replace_schema_metadata({**(data.schema.metadata or {}), key: told[key]}),
        tmp_path / "data.parquet",
    )
    project.record()
    assert not mark.exists()


def test_an_index_that_pandas_metadata_describe_by_code(project, mark, tmp_path):
    table = pq.read_table(tmp_path / "scores.parquet")
    told = json.loads(table.schema.metadata[b"pandas"])
    told["attributes"] = {"evil": f"__import__('os').mkdir({str(mark)!r})"}
    for column in told["columns"]:
        column["numpy_type"] = f"__import__('os').mkdir({str(mark)!r})"
        column["pandas_type"] = "object"
    changed = {**table.schema.metadata, b"pandas": json.dumps(told).encode()}
    pq.write_table(table.replace_schema_metadata(changed), tmp_path / "scores.parquet")
    project.record()
    assert not mark.exists()


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_tags_in_a_schema(suffix, project, mark, tmp_path):
    text = f"columns: !!python/object/apply:os.mkdir [{str(mark)!r}]\n"
    (tmp_path / f"schema{suffix}").write_text(text, encoding="utf-8")
    with contextlib.suppress(ModelGateError):
        refused(project, schema=f"schema{suffix}")
    assert not mark.exists()
    yaml.unsafe_load(text)
    assert mark.exists()


def test_checks_in_a_schema_are_no_expressions(project, mark, tmp_path):
    """Nothing in a schema file is evaluated: neither the name of a check nor what it is given."""
    code = f"__import__('os').mkdir({str(mark)!r})"
    for checks in ({code: 1}, {"eval": code}, [code]):
        text = yaml.safe_dump(
            {"schema_type": "dataframe", "columns": {"x": {"dtype": code, "checks": checks}}}
        )
        (tmp_path / "schema.yaml").write_text(text, encoding="utf-8")
        with contextlib.suppress(ModelGateError):
            refused(project, schema="schema.yaml")
        assert not mark.exists()


def test_what_the_lock_agrees_to_is_these_bytes_and_no_others(project, mark, tmp_path):
    """A pinned model that was exchanged for another one does not run."""
    joblib.dump(LogisticRegression().fit(make_frame()[["x", "z"]], make_frame()["y"]), tmp_path / "m.pkl")
    trust_model(project.spec, project.registry, "m.pkl")
    spec = replace(project.spec, candidate="m.pkl")
    assert project.record(candidate=spec.candidate).lines
    plain(tmp_path / "m.pkl", mark)
    assert refused(project, candidate="m.pkl").startswith("'m.pkl' is not the model that was agreed: ")
    assert refused(project, candidate="m.pkl", trusted_sources=("*",)).startswith("'m.pkl' is not the model")
    assert not mark.exists()
