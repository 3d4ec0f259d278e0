"""Delta tables on a real S3 server: versions, wrong keys, dead servers, objects that were swapped."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import socket

import pytest
from deltalake import write_deltalake

from pytest_model_gate.errors import ModelGateError, UnreachableError
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

#: The writer's options; the gate has only the environment.
WRITING = {"allow_http": "true"}


@pytest.fixture
def bucket(seaweed):
    return seaweed.bucket(versioned=False)


@pytest.fixture
def uri(bucket):
    uri = f"s3://{bucket.name}/data/holdout"
    write_deltalake(uri, table(1), storage_options=WRITING)
    return uri


def overwrite(uri):
    write_deltalake(uri, table(2), mode="overwrite", storage_options=WRITING)


def said(root, source):
    with pytest.raises(ModelGateError) as error:
        everything(opened(root, source))
    return str(error.value)


def objects(bucket, suffix=".parquet"):
    held = bucket.client.list_objects_v2(Bucket=bucket.name).get("Contents", [])
    return sorted(item["Key"] for item in held if item["Key"].endswith(suffix))


def test_the_gate_reads_what_was_pinned_after_the_table_moved_on(tmp_path, uri):
    gate = VersionedGate(tmp_path, f"delta:{uri}")
    still_version_1(gate, lambda: overwrite(uri))
    assert everything(opened(tmp_path, f"delta:{uri}@1")).equals(rows(2))
    assert gate.pin().dataset.rows == ROWS + 10


def test_a_server_that_is_named_for_s3_only(tmp_path, seaweed, uri, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", seaweed.endpoint)
    assert opened(tmp_path, f"delta:{uri}").rows == ROWS


def test_the_same_table_on_this_machine_has_the_same_digest(tmp_path, uri):
    write_deltalake(tmp_path / "holdout", table(1))
    assert opened(tmp_path, "delta:holdout").digest == opened(tmp_path, f"delta:{uri}").digest


def test_an_object_that_was_swapped_and_one_that_is_gone(tmp_path, bucket, uri):
    gate = VersionedGate(tmp_path, f"delta:{uri}")
    gate.pin()
    (key,) = objects(bucket)
    content = bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
    middle = len(content) // 2
    bucket.put(key, content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    assert gate.judge().verdict == "invalid"
    bucket.delete(key)
    name = key.rpartition("/")[2]
    assert findings(gate.judge())[0] == (
        f"'delta:{uri}' can no longer be read: its file {name} is gone.\n"
        "  VACUUM removes the files of old versions: pin a newer version, and let delta.deletedFileRetentionDuration keep those of pinned ones."
    )


def test_what_is_not_there(tmp_path, bucket, uri):
    assert said(tmp_path, f"delta:{uri}@9") == (
        f"The Delta table at {uri} has no version 9: its newest is 0.\n"
        "  Check the number, or pin a version that is there."
    )
    assert said(tmp_path, f"delta:s3://{bucket.name}/nope") == (
        f"There is no Delta table at s3://{bucket.name}/nope.\n"
        "  Check the path: a table has a folder _delta_log."
    )


def test_wrong_keys(tmp_path, seaweed, uri, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    refused = (
        f"{seaweed.endpoint} refused to open 'delta:{uri}'.\n"
        "  Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may read."
    )
    assert said(tmp_path, f"delta:{uri}") == refused
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    assert said(tmp_path, f"delta:{uri}") == refused


def test_secrets_in_the_address_are_not_repeated(tmp_path, bucket):
    assert "s3cret" not in said(tmp_path, f"delta:s3://me:s3cret@{bucket.name}/nope")


def test_a_server_that_is_down(tmp_path, uri, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError) as error:
        opened(tmp_path, f"delta:{uri}@0")
    assert str(error.value) == (
        f"http://127.0.0.1:9 cannot be reached, so 'delta:{uri}@0' could not be opened.\n"
        "  Start it, or correct AWS_ENDPOINT_URL. MODEL_GATE_TIMEOUT sets how many seconds to wait."
    )


def test_a_server_that_says_nothing(tmp_path, uri, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("MODEL_GATE_TIMEOUT", "1")
        with pytest.raises(UnreachableError) as error:
            opened(tmp_path, f"delta:{uri}")
    assert str(error.value) == (
        f"{endpoint} did not answer within 1 seconds, so 'delta:{uri}' could not be opened.\n"
        "  Start it, or correct AWS_ENDPOINT_URL. MODEL_GATE_TIMEOUT sets how many seconds to wait."
    )
