"""Iceberg tables on a real S3 server, through a SQLite catalog and through the server's own REST catalog."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import socket
import uuid

import pytest
from pyiceberg.catalog import load_catalog

from pytest_model_gate.errors import ModelGateError, UnreachableError
from systems.seaweed import ACCESS_KEY, REGION, SECRET_KEY
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

pytestmark = pytest.mark.seaweedfs

SETTING = "its entry in .pyiceberg.yaml or PYICEBERG_CATALOG__LAKE__..."


def describe(monkeypatch, described):
    """Describe the catalog by the environment, as a user does in CI."""
    for name, value in described.items():
        variable = name.upper().replace("-", "_").replace(".", "__")
        monkeypatch.setenv(f"PYICEBERG_CATALOG__LAKE__{variable}", value)


@pytest.fixture(params=["sqlite", "rest"])
def described(request, seaweed, tmp_path, monkeypatch):
    """Describe a catalog of either kind, and return how it was described."""
    storage = {
        "s3.endpoint": seaweed.endpoint,
        "s3.access-key-id": ACCESS_KEY,
        "s3.secret-access-key": SECRET_KEY,
        "s3.region": REGION,
    }
    if request.param == "sqlite":
        bucket = seaweed.bucket(versioned=False)
        found = {
            "type": "sql",
            "uri": f"sqlite:///{(tmp_path / 'catalog.db').as_posix()}",
            "warehouse": f"s3://{bucket.name}/lake",
            **storage,
        }
    else:
        name = f"lake{uuid.uuid4().hex[:10]}"
        seaweed.client("s3tables").create_table_bucket(name=name)
        found = {
            "type": "rest",
            "uri": seaweed.iceberg,
            "warehouse": f"s3://{name}/",
            "rest.sigv4-enabled": "true",
            "rest.signing-region": REGION,
            "rest.signing-name": "s3tables",
            **storage,
        }
    describe(monkeypatch, found)
    return found


@pytest.fixture
def holdout(described):
    catalog = load_catalog("lake", **described)
    catalog.create_namespace("credit")
    made = catalog.create_table("credit.holdout", schema=table(1).schema)
    made.append(table(1))
    yield made
    if described["type"] == "sql":
        catalog.close()


SOURCE = "iceberg:lake.credit.holdout"


def said(root, source, kind=ModelGateError):
    with pytest.raises(kind) as error:
        everything(opened(root, source))
    return str(error.value)


def test_the_gate_reads_what_was_pinned_after_the_table_moved_on(tmp_path, holdout):
    gate = VersionedGate(tmp_path, SOURCE)
    first = holdout.current_snapshot().snapshot_id
    still_version_1(gate, lambda: holdout.overwrite(table(2)))
    assert everything(opened(tmp_path, f"{SOURCE}@{first}")).equals(rows(1))
    assert gate.pin().dataset.rows == ROWS + 10


def test_an_object_that_was_swapped_and_one_that_is_gone(tmp_path, seaweed, holdout):
    gate = VersionedGate(tmp_path, SOURCE)
    gate.pin()
    (task,) = holdout.scan().plan_files()
    address = task.file.file_path
    bucket, _, key = address.removeprefix("s3://").partition("/")
    client = seaweed.client()
    content = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    client.put_object(Bucket=bucket, Key=key, Body=content[:4] + bytes([content[4] ^ 1]) + content[5:])
    assert gate.judge().verdict == "invalid"
    client.delete_object(Bucket=bucket, Key=key)
    record = gate.judge()
    assert record.verdict == "error"
    assert findings(record)[0] == (
        f"'{SOURCE}' can no longer be read: its file data/{address.rpartition('/')[2]} is gone.\n"
        "  Expiring snapshots and removing orphan files do this: pin another snapshot, and keep it by a tag."
    )


def test_wrong_keys(tmp_path, holdout, monkeypatch):
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__S3__SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert said(tmp_path, SOURCE) == (
        f"The Iceberg catalog 'lake' or its storage refused to open '{SOURCE}'.\n"
        f"  Check the keys or tokens in {SETTING}"
    )


def test_a_storage_that_is_down(tmp_path, holdout, monkeypatch):
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__S3__ENDPOINT", "http://127.0.0.1:9")
    text = said(tmp_path, SOURCE, UnreachableError)
    assert text.endswith(
        f"  Start it, or correct {SETTING} MODEL_GATE_TIMEOUT sets how many seconds to wait."
    )
    assert "cannot be reached" in text


def test_a_catalog_that_says_nothing(tmp_path, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        describe(monkeypatch, {"type": "rest", "uri": uri})
        monkeypatch.setenv("MODEL_GATE_TIMEOUT", "0.5")
        assert said(tmp_path, SOURCE, UnreachableError) == (
            f"The Iceberg catalog 'lake' at {uri} did not answer in time, so '{SOURCE}' could not be opened.\n"
            f"  Start it, or correct {SETTING} MODEL_GATE_TIMEOUT sets how many seconds to wait."
        )
