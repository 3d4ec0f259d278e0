"""Delta and Iceberg tables with a file of their metadata gone or damaged: the message names the file."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog import load_catalog

from pytest_model_gate.errors import EvaluationError, InvalidError, ModelGateError, UnavailableError
from systems.versioned_gates import VersionedGate, everything, findings, opened, table

ICEBERG = "iceberg:lake.credit.holdout"
ENTRY = "its entry in .pyiceberg.yaml or PYICEBERG_CATALOG__LAKE__..."


def said(root, source, kind=ModelGateError, **context):
    with pytest.raises(kind) as error:
        everything(opened(root, source, **context))
    assert type(error.value) is kind
    return str(error.value)


def damage(path, how):
    content = path.read_bytes()
    match how:
        case "gone":
            path.unlink()
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "empty":
            path.write_bytes(b"")
        case "zeros":
            path.write_bytes(bytes(len(content)))
        case "same size":
            middle = len(content) // 2
            path.write_bytes(content[:middle] + b"\xff" * 40 + content[middle + 40 :])


# -- Delta ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """A table of three versions."""
    folder = tmp_path_factory.mktemp("delta") / "t"
    write_deltalake(folder, table(1))
    write_deltalake(folder, table(2), mode="append")
    write_deltalake(folder, table(2), mode="overwrite")
    return folder


@pytest.fixture
def delta(versions, tmp_path):
    shutil.copytree(versions, tmp_path / "t")
    return tmp_path / "t"


WITHOUT = "Restore it from a copy of the table: no version that builds on it can be read without it."


@pytest.mark.parametrize(
    ("how", "kind", "what"),
    [
        ("gone", UnavailableError, "is gone"),
        ("cut", InvalidError, "is damaged: its line 3 is not JSON"),
        ("empty", InvalidError, "is damaged: it is empty"),
        ("zeros", InvalidError, "is damaged: its line 1 is not JSON"),
    ],
)
@pytest.mark.parametrize("asked", ["", "@0", "@2"])
def test_the_first_commit_of_a_delta_table(tmp_path, delta, how, kind, what, asked):
    log = f"_delta_log/{0:020d}.json"
    damage(delta / log, how)
    at = f" at version {asked[1:]}" if asked else ""
    assert said(tmp_path, f"delta:t{asked}", kind) == (
        f"'delta:t{asked}' cannot be opened{at}: the file {log} of its log {what}.\n  {WITHOUT}"
    )


def test_a_commit_in_the_middle_counts_from_there_on(tmp_path, delta):
    log = f"_delta_log/{1:020d}.json"
    damage(delta / log, "gone")
    assert said(tmp_path, "delta:t", UnavailableError) == (
        f"'delta:t' cannot be opened: the file {log} of its log is gone.\n  {WITHOUT}"
    )
    assert opened(tmp_path, "delta:t@0").rows == 240


def test_a_checkpoint_that_is_damaged(tmp_path, delta):
    DeltaTable(delta).create_checkpoint()
    log = f"_delta_log/{2:020d}.checkpoint.parquet"
    damage(delta / log, "cut")
    assert said(tmp_path, "delta:t@2", InvalidError) == (
        f"'delta:t@2' cannot be opened at version 2: the file {log} of its log is damaged: "
        f"it cannot be read as Parquet.\n  {WITHOUT}"
    )


def test_the_version_that_is_pinned_is_named(tmp_path):
    write_deltalake(tmp_path / "t", table(1))
    write_deltalake(tmp_path / "t", table(2), mode="overwrite")
    gate = VersionedGate(tmp_path, "delta:t")
    gate.pin()
    write_deltalake(tmp_path / "t", table(1), mode="overwrite")
    logs = [tmp_path / "t" / "_delta_log" / f"{number:020d}.json" for number in range(3)]
    kept = logs[1].read_bytes()
    damage(logs[1], "cut")
    record = gate.judge()
    assert record.verdict == "invalid"
    assert findings(record)[0] == (
        f"'delta:t' cannot be opened at version 1: the file _delta_log/{logs[1].name} of its log is damaged: "
        f"its line 2 is not JSON.\n  {WITHOUT}"
    )
    for path in logs[1:]:
        path.unlink()
    record = gate.judge()
    assert record.verdict == "error"
    assert findings(record)[0] == (
        "Version 1 of the Delta table at t is pinned, and no longer there: the newest is 0.\n"
        f"  Restore the end of its log (_delta_log/{logs[1].name}) from a copy of the table, or run `model-gate pin` "
        "(or `pytest --gate-pin`) if version 0 is meant."
    )
    logs[1].write_bytes(kept)
    assert not gate.judge().checks[0].fails


@pytest.mark.parametrize(
    ("how", "kind", "what"),
    [
        (
            "gone",
            UnavailableError,
            "'delta:t@0' can no longer be read: its file {name} is gone.\n"
            "  VACUUM removes the files of old versions: pin a newer version, and let delta.deletedFileRetentionDuration keep those of pinned ones.",
        ),
        (
            "cut",
            InvalidError,
            "'delta:t@0': its file {name} cannot be read: Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file.\n"
            "  It may be damaged: restore it from a copy, or pin another version.",
        ),
        (
            "empty",
            InvalidError,
            "'delta:t@0': its file {name} cannot be read: Parquet file size is 0 bytes.\n"
            "  It may be damaged: restore it from a copy, or pin another version.",
        ),
    ],
)
def test_a_data_file_of_a_delta_table(tmp_path, delta, how, kind, what):
    name = DeltaTable(delta, version=0).file_uris()[0].rpartition("/")[2]
    damage(delta / name, how)
    assert said(tmp_path, "delta:t@0", kind) == what.format(name=name)


# -- Iceberg --------------------------------------------------------------------------------------


@pytest.fixture
def iceberg(tmp_path, monkeypatch):
    """A table in a catalog of SQLite, as a user describes it."""
    (tmp_path / "warehouse").mkdir()
    described = {
        "TYPE": "sql",
        "URI": f"sqlite:///{(tmp_path / 'catalog.db').as_posix()}",
        "WAREHOUSE": (tmp_path / "warehouse").as_uri(),
    }
    for name, value in described.items():
        monkeypatch.setenv(f"PYICEBERG_CATALOG__LAKE__{name}", value)
    made = load_catalog("lake", **{key.lower(): value for key, value in described.items()})
    made.create_namespace("credit")
    held = made.create_table("credit.holdout", schema=table(1).schema)
    held.append(table(1))
    yield held
    made.close()


def local(address):
    return Path(address.removeprefix("file://"))


@pytest.mark.parametrize("how", ["gone", "cut", "empty", "zeros", "same size"])
def test_the_metadata_of_an_iceberg_table(tmp_path, iceberg, how):
    path = local(iceberg.metadata_location)
    damage(path, how)
    what, kind = (
        f"'{ICEBERG}': its file {path} cannot be read: it is not the JSON of a table's metadata.",
        InvalidError,
    )
    if how == "gone":
        what, kind = f"'{ICEBERG}' can no longer be read: its file {path} is gone.", UnavailableError
    assert said(tmp_path, ICEBERG, kind) == (
        f"{what}\n  No snapshot can be read without it: restore it from a copy, or register the table with an earlier metadata file."
    )


@pytest.mark.parametrize("how", ["gone", "cut", "empty", "zeros", "same size"])
@pytest.mark.parametrize("which", ["list", "manifest"])
def test_the_manifests_of_an_iceberg_table(tmp_path, iceberg, which, how):
    snapshot = iceberg.current_snapshot()
    address = snapshot.manifest_list if which == "list" else snapshot.manifests(iceberg.io)[0].manifest_path
    damage(local(address), how)
    name = f"metadata/{local(address).name}"
    if how == "gone":
        assert said(tmp_path, ICEBERG, UnavailableError) == (
            f"'{ICEBERG}' can no longer be read: its file {name} is gone.\n"
            "  Expiring snapshots and removing orphan files do this: pin another snapshot, and keep it by a tag."
        )
        return
    assert said(tmp_path, ICEBERG, InvalidError) == (
        f"'{ICEBERG}': its file {name} cannot be read: it is not a manifest of Iceberg.\n"
        "  It may be damaged: restore it from a copy, or pin another snapshot."
    )


def test_a_data_file_of_an_iceberg_table_that_is_cut(tmp_path, iceberg):
    (task,) = iceberg.scan().plan_files()
    path = local(task.file.file_path)
    damage(path, "cut")
    text = said(tmp_path, ICEBERG, InvalidError)
    assert text.startswith(f"'{ICEBERG}': its file data/{path.name} cannot be read: ArrowInvalid: ")
    assert text.endswith("\n  It may be damaged: restore it from a copy, or pin another snapshot.")


def test_a_file_io_of_the_users_own_is_kept(tmp_path, iceberg, monkeypatch):
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__PY_IO_IMPL", "pyiceberg.io.fsspec.FsspecFileIO")
    assert opened(tmp_path, ICEBERG).rows == 240
    path = local(iceberg.metadata_location)
    damage(path, "gone")
    assert said(tmp_path, ICEBERG, UnavailableError).startswith(
        f"'{ICEBERG}' can no longer be read: its file {path} is gone."
    )


def test_a_catalog_file_that_is_not_there_is_not_made(tmp_path, iceberg, monkeypatch):
    path = tmp_path / "catalog.db"
    path.unlink()
    assert said(tmp_path, ICEBERG, UnavailableError) == (
        f"The Iceberg catalog 'lake' should be in {path}, which does not exist, so '{ICEBERG}' could not be opened.\n"
        f"  Correct {ENTRY} Relative paths start from the folder that the command is run in."
    )
    assert not path.exists()
    path.write_bytes(b"")
    assert said(tmp_path, ICEBERG, UnavailableError) == (
        f"The Iceberg catalog 'lake' should be in {path}, which is empty, so '{ICEBERG}' could not be opened.\n"
        f"  Correct {ENTRY} Relative paths start from the folder that the command is run in."
    )
    assert path.read_bytes() == b""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__URI", "sqlite:///nowhere/catalog.db")
    assert said(tmp_path, ICEBERG, UnavailableError).startswith(
        "The Iceberg catalog 'lake' should be in nowhere/catalog.db, which does not exist, so "
    )
    assert not (tmp_path / "nowhere").exists()


def test_a_database_that_is_no_catalog(tmp_path, iceberg):
    import sqlite3

    path = tmp_path / "catalog.db"
    path.write_bytes(b"garbage" * 500)
    where = f"The Iceberg catalog 'lake' at sqlite:///{path.as_posix()} could not open '{ICEBERG}'"
    assert said(tmp_path, ICEBERG, EvaluationError) == f"{where}: file is not a database.\n  Check {ENTRY}"
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE loans (id INTEGER)")
    other.close()
    before = path.read_bytes()
    assert said(tmp_path, ICEBERG, EvaluationError) == (
        f"{where}: no such table: iceberg_tables.\n  Check {ENTRY}"
    )
    assert path.read_bytes() == before


ASKED = """
import sys
from pytest_model_gate.data.sources import iceberg
from pytest_model_gate.spec import SourceContext

real = iceberg.within

def within(limit, call):
    print({"pyiceberg.catalog.sql", "pyiceberg.io.pyarrow"} <= set(sys.modules))
    return real(limit, call)

iceberg.within = within
print(iceberg.open_source("iceberg:lake.credit.holdout", SourceContext()).rows)
"""


def test_what_a_slow_machine_imports_does_not_count_as_silence(iceberg):
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, encoding="utf-8", check=False)
    assert done.stdout.split() == ["True", "240"], done.stderr
