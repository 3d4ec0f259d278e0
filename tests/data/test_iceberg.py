"""Iceberg tables in a SQLite catalog: snapshots, tags and branches, and what can go wrong with each."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.types import DoubleType

from pytest_model_gate.errors import ConfigurationError, ModelGateError, UnavailableError, UnreachableError
from systems.versioned_gates import (
    ROWS,
    VersionedGate,
    everything,
    findings,
    opened,
    rows,
    still_version_1,
    table,
)

SOURCE = "iceberg:lake.credit.holdout"
CATALOG = "its entry in .pyiceberg.yaml or PYICEBERG_CATALOG__LAKE__..."


@pytest.fixture
def catalog(tmp_path, monkeypatch):
    """Describe a catalog as a user does, and return it."""
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
    yield made
    made.close()


@pytest.fixture
def holdout(catalog):
    made = catalog.create_table("credit.holdout", schema=table(1).schema)
    made.append(table(1))
    return made


def said(root, source, kind=ModelGateError, **context):
    with pytest.raises(kind) as error:
        everything(opened(root, source, **context))
    return str(error.value)


@pytest.mark.parametrize("at", ["", "@main", "@train-v1", "@side"])
def test_the_gate_reads_what_was_pinned_after_the_name_moved(tmp_path, holdout, at):
    first = holdout.current_snapshot().snapshot_id
    holdout.manage_snapshots().create_tag(first, "train-v1").create_branch(first, "side").commit()
    gate = VersionedGate(tmp_path, SOURCE + at)

    def move():
        if at == "@side":
            holdout.overwrite(table(2), branch="side")
        else:
            holdout.overwrite(table(2))
        if at == "@train-v1":
            newest = holdout.current_snapshot().snapshot_id
            holdout.manage_snapshots().remove_tag("train-v1").commit()
            holdout.manage_snapshots().create_tag(newest, "train-v1").commit()

    still_version_1(gate, move)
    assert gate.pinned.version == f"{first} of {holdout.metadata.table_uuid}"
    assert gate.pin().dataset.pin == "pinned now, changed"
    assert gate.pinned.rows == ROWS + 10


def test_a_snapshot_that_was_named(tmp_path, holdout):
    first = holdout.current_snapshot().snapshot_id
    holdout.overwrite(table(2))
    old, new = opened(tmp_path, f"{SOURCE}@{first}"), opened(tmp_path, SOURCE)
    assert old.source == f"{SOURCE}@{first}"
    assert old.resolved == f"{SOURCE}@{first} (table {holdout.metadata.table_uuid})"
    assert old.columns == (("id", "int64"), ("y", "int64"), ("region", "string"))
    pd.testing.assert_frame_equal(everything(old), rows(1))
    pd.testing.assert_frame_equal(everything(new, ["region", "id"]), rows(2)[["region", "id"]])


def test_the_same_rows_have_the_digest_of_the_same_table_from_a_function(tmp_path, holdout, monkeypatch):
    module = type(sys)("iceberg_rows_of_a_test")
    module.load = lambda: table(1)
    monkeypatch.setitem(sys.modules, "iceberg_rows_of_a_test", module)
    function = opened(tmp_path, "python:iceberg_rows_of_a_test:load")
    assert opened(tmp_path, SOURCE).digest == function.digest


def test_nested_columns_and_a_schema_that_went_on(tmp_path, catalog):
    schema = pa.schema(
        {
            "a": pa.int64(),
            "s": pa.struct({"x": pa.int64(), "l": pa.list_(pa.string())}),
            "m": pa.map_(pa.string(), pa.int32()),
        }
    )
    made = catalog.create_table("credit.nested", schema=schema)
    held = [{"a": 1, "s": {"x": 1, "l": ["q", None]}, "m": [("k", 1)]}, {"a": 2, "s": None, "m": None}]
    made.append(pa.Table.from_pylist(held, schema))
    first = made.current_snapshot().snapshot_id
    before = opened(tmp_path, f"iceberg:lake.credit.nested@{first}")
    with made.update_schema() as update:
        update.delete_column("s").rename_column("a", "aa").add_column("b", DoubleType())
    made.append(pa.table({"aa": [3], "m": pa.nulls(1, schema.field("m").type), "b": [1.5]}))
    made.delete("aa = 1")
    after = opened(tmp_path, f"iceberg:lake.credit.nested@{first}")
    assert after.digest == before.digest
    assert after.columns == (
        ("a", "int64"),
        ("s", "struct<x: int64, l: list<element: string>>"),
        ("m", "map<string, int32>"),
    )
    frame = everything(after, ["s", "a"])
    assert frame["a"].tolist() == [1, 2]
    assert frame["s"][0]["l"].tolist() == ["q", None]
    now = everything(opened(tmp_path, "iceberg:lake.credit.nested")).sort_values("aa", ignore_index=True)
    assert now["aa"].tolist() == [2, 3]
    assert now["b"].isna().tolist() == [True, False]


def test_a_name_that_was_given_to_another_table(tmp_path, catalog, holdout):
    gate = VersionedGate(tmp_path, SOURCE)
    gate.pin()
    catalog.drop_table("credit.holdout")
    anew = catalog.create_table("credit.holdout", schema=table(1).schema)
    anew.append(table(1))
    assert findings(gate.judge())[0] == (
        f"'{SOURCE}' is another table than the one that was pinned: {holdout.metadata.table_uuid} is pinned, "
        f"{anew.metadata.table_uuid} goes by the name now.\n"
        "  Give the name back to the old table, or run `model-gate pin` if the new one is meant."
    )


def test_a_snapshot_that_has_expired(tmp_path, holdout):
    gate = VersionedGate(tmp_path, SOURCE)
    gate.pin()
    first = holdout.current_snapshot().snapshot_id
    holdout.overwrite(table(2))
    holdout.maintenance.expire_snapshots().by_id(first).commit()
    newest = holdout.current_snapshot().snapshot_id
    record = gate.judge()
    assert record.verdict == "error"
    assert findings(record)[0] == (
        f"The Iceberg table credit.holdout has no snapshot {first} (the current one is {newest}): it has expired, or never was.\n"
        "  Pin a newer one. A tag keeps a snapshot from expiring."
    )


def file_of(held):
    (task,) = held.scan().plan_files()
    return task.file.file_path


def test_a_data_file_that_is_gone_and_one_that_is_damaged(tmp_path, holdout):
    gate = VersionedGate(tmp_path, SOURCE)
    gate.pin()
    address = file_of(holdout)
    path = Path(address.removeprefix("file://"))
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xff" * 64 + content[68:])
    record = gate.judge()
    assert record.verdict == "invalid"
    assert findings(record)[0].startswith(f"'{SOURCE}': its file data/{path.name} cannot be read: ")
    # One cell of another value, in a file of the same size.
    changed = rows(1).assign(y=lambda f: f["y"].where(f["id"] < ROWS - 1, 1 - f["y"]))
    holdout.overwrite(pa.Table.from_pandas(changed, preserve_index=False))
    other = Path(file_of(holdout).removeprefix("file://")).read_bytes()
    path.write_bytes(other)
    record = gate.judge()
    assert record.verdict == "invalid"
    assert findings(record)[0].endswith(
        "Same rows and columns, other content. It is the pinned version all the same: what it is made of was damaged or "
        "replaced.\n  Restore what was there, from a backup or another copy; or pin another version."
    )
    path.unlink()
    record = gate.judge()
    assert record.verdict == "error"
    assert findings(record)[0] == (
        f"'{SOURCE}' can no longer be read: its file data/{path.name} is gone.\n"
        "  Expiring snapshots and removing orphan files do this: pin another snapshot, and keep it by a tag."
    )


def test_names_that_are_not_there(tmp_path, catalog, holdout):
    holdout.manage_snapshots().create_tag(holdout.current_snapshot().snapshot_id, "train-v1").commit()
    catalog.create_table("credit.empty", schema=table(1).schema)
    for source, message in {
        "iceberg:lake.credit.holdot": (
            "There is no Iceberg table credit.holdot in the catalog 'lake'.\n  Did you mean 'holdout'?"
        ),
        "iceberg:lake.loans.x": (
            "There is no Iceberg table loans.x in the catalog 'lake'.\n"
            "  Check the name, and the catalog in .pyiceberg.yaml."
        ),
        f"{SOURCE}@train-v2": (
            "The Iceberg table credit.holdout has no tag or branch 'train-v2'.\n  Did you mean 'train-v1'?"
        ),
        f"{SOURCE}@zzz": (
            "The Iceberg table credit.holdout has no tag or branch 'zzz'.\n  It has: main, train-v1."
        ),
        "iceberg:lake.credit.empty": (
            "The Iceberg table credit.empty has no snapshot: nothing was written to it yet.\n"
            "  Write rows to it, or name another table."
        ),
        "iceberg:pond.credit.holdout": (
            "pyiceberg knows no catalog 'pond', so 'iceberg:pond.credit.holdout' could not be opened.\n"
            "  Describe it in .pyiceberg.yaml, or set PYICEBERG_CATALOG__POND__URI."
        ),
    }.items():
        assert said(tmp_path, source, UnavailableError) == message


@pytest.mark.parametrize(
    "source", ["iceberg:", "iceberg:lake", "iceberg:lake.t", "iceberg:a.b.c@", "iceberg:a.b.c@1@2"]
)
def test_what_names_no_table(tmp_path, source):
    assert said(tmp_path, source, ConfigurationError) == (
        f"'{source}' names no Iceberg table.\n"
        "  Write iceberg:catalog.namespace.table@snapshot; the snapshot is an id, a tag or a branch, or is left out."
    )


def test_a_catalog_that_is_down(tmp_path, monkeypatch):
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__URI", "http://me:s3cret@127.0.0.1:9")
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__TYPE", "rest")
    assert said(tmp_path, SOURCE, UnreachableError) == (
        f"The Iceberg catalog 'lake' at http://***@127.0.0.1:9 cannot be reached, so '{SOURCE}' could not be opened.\n"
        f"  Start it, or correct {CATALOG} MODEL_GATE_TIMEOUT sets how many seconds to wait."
    )


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyiceberg.table", None)
    assert said(tmp_path, SOURCE, UnavailableError) == (
        f"'{SOURCE}' needs the package pyiceberg.\n  Run: pip install 'pytest-model-gate[iceberg]'."
    )
