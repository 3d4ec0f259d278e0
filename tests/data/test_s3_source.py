"""``s3://`` on a real S3 server: versions, pins, and everything that can go wrong."""

import io
import os
import shutil
import socket
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.data.sources import s3_errors, s3_store
from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    UnavailableError,
    UnreachableError,
)
from systems.seaweed import READER
from systems.versioned_gates import ROWS, VersionedGate, everything, findings, opened, rows, still_version_1

pytestmark = pytest.mark.seaweedfs


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def fails(tmp_path, source, kind=UnavailableError, **context):
    with pytest.raises(kind) as caught:
        opened(tmp_path, source, **context)
    return str(caught.value)


@pytest.fixture
def bucket(seaweed):
    return seaweed.bucket()


@pytest.fixture
def unversioned(seaweed):
    return seaweed.bucket(versioned=False)


# What is pinned is what is read.


def test_version_1_is_read_after_version_2_was_written(bucket, tmp_path):
    first = bucket.put("data/holdout.parquet", parquet(rows(1)))
    gate = VersionedGate(tmp_path, f"s3://{bucket.name}/data/holdout.parquet")
    still_version_1(gate, lambda: bucket.put("data/holdout.parquet", parquet(rows(2))))
    assert gate.pinned.version == first
    record = gate.judge()
    assert record.dataset.resolved == f"s3://{bucket.name}/data/holdout.parquet?versionId={first}"


def test_version_1_is_read_from_the_server_where_no_cache_has_it(bucket, tmp_path, monkeypatch):
    bucket.put("holdout.parquet", parquet(rows(1)))
    gate = VersionedGate(tmp_path, f"s3://{bucket.name}/holdout.parquet")
    gate.pin()
    bucket.put("holdout.parquet", parquet(rows(2)))
    monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path / "another-cache"))
    assert gate.judge().dataset.pin == "pinned"


def test_pinning_again_takes_what_is_there_now(bucket, tmp_path):
    bucket.put("holdout.parquet", parquet(rows(1)))
    gate = VersionedGate(tmp_path, f"s3://{bucket.name}/holdout.parquet")
    gate.pin()
    second = bucket.put("holdout.parquet", parquet(rows(2)))
    assert gate.pin().dataset.pin == "pinned now, changed"
    assert gate.pinned.version == second


def test_a_folder_keeps_the_versions_of_all_its_objects(bucket, tmp_path):
    frame = rows(1)
    versions = {
        "year=2022/a b.parquet": bucket.put("d/year=2022/a b.parquet", parquet(frame[:100])),
        "year=2023/part.parquet": bucket.put("d/year=2023/part.parquet", parquet(frame[100:])),
    }
    bucket.put("d/_log/x.parquet", b"no Parquet at all")
    bucket.put("d/readme.txt", b"neither")
    gate = VersionedGate(tmp_path, f"s3://{bucket.name}/d/")

    def version_2():
        bucket.put("d/year=2023/part.parquet", parquet(rows(2)[100:]))
        bucket.put("d/year=2024/new.parquet", parquet(rows(2)))
        bucket.delete("d/year=2022/a b.parquet")

    still_version_1(gate, version_2)
    assert gate.pinned.version == (
        f"year=2022/a%20b.parquet?versionId={versions['year=2022/a b.parquet']} "
        f"year=2023/part.parquet?versionId={versions['year=2023/part.parquet']}"
    )
    assert dict(gate.pinned.columns)["year"] == "int64"
    assert gate.judge().dataset.resolved == f"s3://{bucket.name}/d/ (2 objects, each at its version)"
    # An object in it has moved on, and one is gone: what the folder means now is other data.
    assert gate.pin().dataset.rows == 10 + ROWS - 100 + ROWS + 10


def test_a_folder_has_the_digest_that_it_has_on_disk(bucket, tmp_path):
    for name, frame in (("a.parquet", rows(1)[:100]), ("sub/b.parquet", rows(1)[100:])):
        bucket.put(f"d/{name}", parquet(frame))
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_bytes(parquet(frame))
    for path in ("d", "d/*.parquet", "d/**/[ab].parquet"):
        assert opened(tmp_path, f"s3://{bucket.name}/{path}").digest == opened(tmp_path, path).digest


def test_keys_with_signs_that_mean_something_in_addresses(bucket, tmp_path):
    key = "d/größe + 100%20#1&x=y.parquet"
    bucket.put(key, parquet(rows(1)))
    for path in (key, "d/"):
        gate = VersionedGate(tmp_path, f"s3://{bucket.name}/{path}")
        still_version_1(gate, lambda: bucket.put(key, parquet(rows(2))))
        bucket.put(key, parquet(rows(1)))
        (tmp_path / "model-gate.lock").unlink()


def test_a_version_that_is_written_is_opened_whatever_is_pinned(bucket, tmp_path):
    first = bucket.put("holdout.parquet", parquet(rows(1)))
    bucket.put("holdout.parquet", parquet(rows(2)))
    source = f"s3://{bucket.name}/holdout.parquet?versionId={first}"
    dataset = opened(tmp_path, source)
    assert (dataset.source, dataset.resolved, dataset.version) == (source, source, first)
    pd.testing.assert_frame_equal(everything(dataset), rows(1))


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "feather", "jsonl"])
def test_every_format_is_read_by_its_name(bucket, tmp_path, suffix):
    frame = rows(1)[["id", "y"]]
    path = tmp_path / f"local.{suffix}"
    if suffix == "feather":
        frame.to_feather(path)
    elif suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False)
    bucket.put(f"sha256.{suffix}", path.read_bytes())
    dataset = opened(tmp_path, f"s3://{bucket.name}/sha256.{suffix}")
    assert dataset.digest == opened(tmp_path, path.name).digest
    pd.testing.assert_frame_equal(everything(dataset), frame)


def test_a_whole_run_of_pytest_judges_on_what_is_pinned(bucket, pytester):
    """With two workers, and with nothing in the cache that they share."""
    bucket.put("holdout.parquet", parquet(rows(1)))
    VersionedGate(pytester.path, "unused")
    pytester.makepyfile(
        f"""
        import pytest

        GATE = dict(
            candidate="predictions:scores.parquet#good", production="none", baseline="prior", key="id",
            dataset="s3://{bucket.name}/holdout.parquet", target="y", metrics=["roc_auc"],
        )

        @pytest.mark.model_gate(**GATE)
        def test_first():
            pass

        @pytest.mark.model_gate(**GATE)
        def test_second():
            pass
        """
    )
    # Plugins of others that cost a second per run.
    without = [part for name in ("hypothesispytest", "typeguard", "anyio") for part in ("-p", f"no:{name}")]
    pinned = pytester.runpytest_subprocess("--gate-pin", *without)
    pinned.stdout.fnmatch_lines([f"*s3://{bucket.name}/holdout.parquet * {ROWS} rows * pinned now*"])
    assert pinned.ret == 0
    bucket.put("holdout.parquet", parquet(rows(2)))
    shutil.rmtree(os.environ["MODEL_GATE_CACHE"])
    again = pytester.runpytest_subprocess("-n", "2", *without)
    again.stdout.fnmatch_lines([f"*s3://{bucket.name}/holdout.parquet * {ROWS} rows * pinned*"])
    assert again.ret == 0


# Buckets that keep no versions: the digest alone protects.


def test_without_versions_a_replaced_object_is_refused(unversioned, tmp_path):
    content = parquet(rows(1))
    unversioned.put("holdout.parquet", content)
    gate = VersionedGate(tmp_path, f"s3://{unversioned.name}/holdout.parquet")
    first = gate.pin()
    assert gate.pinned.version == ""
    assert first.dataset.resolved == (
        f"s3://{unversioned.name}/holdout.parquet, of which the bucket keeps no versions"
    )
    assert gate.judge().dataset.pin == "pinned"
    # One byte in the middle of a column: the same size, and Parquet does not notice.
    damaged = bytearray(content)
    damaged[len(content) // 3] ^= 1
    unversioned.put("holdout.parquet", bytes(damaged))
    second = gate.judge()
    assert second.verdict.value == "invalid"
    assert second.dataset is None or second.dataset.pin == "changed"


def test_without_versions_a_folder_is_refused_when_one_object_was_replaced(unversioned, tmp_path):
    unversioned.put("d/a.parquet", parquet(rows(1)))
    unversioned.put("d/b.parquet", parquet(rows(1)))
    gate = VersionedGate(tmp_path, f"s3://{unversioned.name}/d/")
    gate.pin()
    assert gate.pinned.version == ""
    changed = rows(1)
    changed.loc[ROWS - 1, "y"] = 1 - changed.loc[ROWS - 1, "y"]
    unversioned.put("d/b.parquet", parquet(changed))
    record = gate.judge()
    assert record.dataset.pin == "changed"
    assert record.dataset.resolved.endswith("/d/ (2 objects, of which the bucket keeps no versions)")
    assert "Same rows and columns, other content." in findings(record)[0]


def test_a_bucket_whose_versions_are_suspended_pins_none(bucket, tmp_path):
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Suspended"})
    bucket.put("holdout.parquet", parquet(rows(1)))
    assert opened(tmp_path, f"s3://{bucket.name}/holdout.parquet").version == ""


def test_an_object_that_changes_between_look_and_read(unversioned, tmp_path, monkeypatch):
    unversioned.put("holdout.parquet", parquet(rows(1)))
    look = s3_store.Bucket.look

    def look_and_replace(self, key, version=""):
        found = look(self, key, version)
        unversioned.put(key, parquet(rows(2)))
        return found

    monkeypatch.setattr(s3_store.Bucket, "look", look_and_replace)
    assert fails(tmp_path, f"s3://{unversioned.name}/holdout.parquet", InvalidError) == (
        f"s3://{unversioned.name}/holdout.parquet changed while it was being read.\n"
        "  Run the gate again when nothing writes to it."
    )


# The cache.


def cache_files(tmp_path):
    return sorted(path for path in (tmp_path / "model-gate-cache").rglob("*.parquet"))


@pytest.mark.parametrize("damage", ["one byte", "cut off", "no longer there"])
def test_a_damaged_cache_is_fetched_again(bucket, tmp_path, damage):
    bucket.put("holdout.parquet", parquet(rows(1)))
    gate = VersionedGate(tmp_path, f"s3://{bucket.name}/holdout.parquet")
    gate.pin()
    (cached,) = cache_files(tmp_path)
    content = cached.read_bytes()
    if damage == "one byte":
        cached.write_bytes(content[:50] + bytes([content[50] ^ 1]) + content[51:])
    elif damage == "cut off":
        cached.write_bytes(content[:-100])
    else:
        cached.unlink()
    assert gate.judge().dataset.pin == "pinned"
    assert cached.read_bytes() == content


def test_a_version_is_fetched_once(bucket, tmp_path, monkeypatch):
    bucket.put("holdout.parquet", parquet(rows(1)))
    opened(tmp_path, f"s3://{bucket.name}/holdout.parquet")

    def refuse(*args):
        raise AssertionError("fetched twice")

    monkeypatch.setattr(s3_store.Bucket, "download", refuse)
    assert opened(tmp_path, f"s3://{bucket.name}/holdout.parquet").rows == ROWS


# What can go wrong.


def test_a_version_that_was_deleted(bucket, seaweed, tmp_path, monkeypatch):
    first = bucket.put("holdout.parquet", parquet(rows(1)))
    gate = VersionedGate(tmp_path, f"s3://{bucket.name}/holdout.parquet")
    gate.pin()
    bucket.put("holdout.parquet", parquet(rows(2)))
    bucket.delete("holdout.parquet", first)
    record = gate.judge()
    assert record.verdict.value == "error"
    assert findings(record)[0] == (
        f"Version {first} of s3://{bucket.name}/holdout.parquet does not exist at {seaweed.endpoint}.\n"
        "  It was deleted, or its life there has ended. Restore it, or agree to what is there now: run "
        "`model-gate pin` (or `pytest --gate-pin`)."
    )


def test_one_version_of_a_folder_that_was_deleted(bucket, seaweed, tmp_path):
    bucket.put("d/a.parquet", parquet(rows(1)))
    second = bucket.put("d/b c.parquet", parquet(rows(1)))
    gate = VersionedGate(tmp_path, f"s3://{bucket.name}/d/")
    gate.pin()
    bucket.put("d/b c.parquet", parquet(rows(2)))
    bucket.delete("d/b c.parquet", second)
    record = gate.judge()
    assert record.verdict.value == "error"
    assert findings(record)[0].startswith(
        f"Version {second} of s3://{bucket.name}/d/b c.parquet does not exist at {seaweed.endpoint}.\n"
    )


def test_a_deleted_object_is_read_by_its_pin(bucket, seaweed, tmp_path):
    bucket.put("holdout.parquet", parquet(rows(1)))
    gate = VersionedGate(tmp_path, f"s3://{bucket.name}/holdout.parquet")
    gate.pin()
    bucket.delete("holdout.parquet")
    assert gate.judge().dataset.pin == "pinned"
    assert fails(tmp_path, f"s3://{bucket.name}/holdout.parquet") == (
        f"s3://{bucket.name}/holdout.parquet does not exist at {seaweed.endpoint}.\n"
        "  Check the address; nothing there has a name like it."
    )


def test_what_is_not_there(bucket, seaweed, tmp_path):
    bucket.put("data/holdout.parquet", b"x")
    bucket.put("text/readme.txt", b"x")
    name, where = bucket.name, seaweed.endpoint
    assert fails(tmp_path, f"s3://{name}/data/holdotu.parquet") == (
        f"s3://{name}/data/holdotu.parquet does not exist at {where}.\n"
        f"  Did you mean 's3://{name}/data/holdout.parquet'?"
    )
    assert fails(tmp_path, f"s3://{name}/text") == (
        f"s3://{name}/text/ holds no Parquet objects.\n"
        "  It holds: readme.txt. Name one object, or a folder with *.parquet in it."
    )
    assert fails(tmp_path, f"s3://{name}/data/*.csv") == (
        f"s3://{name}/data/*.csv matches no object at {where}.\n  There are: holdout.parquet."
    )
    assert fails(tmp_path, f"s3://{name}x/data/holdout.parquet") == (
        f"There is no bucket '{name}x' at {where}.\n"
        "  Correct the address, or the server: AWS_ENDPOINT_URL (or endpoint_url of your AWS profile)."
    )


def test_an_object_whose_name_says_nothing(bucket, tmp_path):
    bucket.put("data/holdout.bin", b"x")
    assert fails(tmp_path, f"s3://{bucket.name}/data/holdout.bin", EvaluationError) == (
        f"s3://{bucket.name}/data/holdout.bin cannot be read: the suffix '.bin' says nothing about what it "
        "holds.\n  Known: .parquet, .csv, .csv.gz, .feather, .arrow, .jsonl, .ndjson. For anything else "
        "write python:package.module:load."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "s3://bucket",
            "'s3://bucket' names no object.\n  Write s3://bucket/key.parquet, "
            "s3://bucket/key.parquet?versionId=..., or s3://bucket/folder/.",
        ),
        (
            "s3://AKIA:s3cret@bucket/x.parquet",
            "'s3://***@bucket/x.parquet' holds credentials or a port.\n  Let AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY (or a profile) hold the credentials, and AWS_ENDPOINT_URL the server; "
            "the address begins with the bucket.",
        ),
        (
            "s3://bucket/x.parquet?token=s3cret",
            "'s3://bucket/x.parquet?token=***' was not understood: only versionId may stand behind the '?'.\n"
            "  Write s3://bucket/key.parquet, s3://bucket/key.parquet?versionId=..., or s3://bucket/folder/.",
        ),
        (
            "s3://bucket/x.parquet?versionId=null",
            "'s3://bucket/x.parquet?versionId=null' gives no version: what S3 calls null is replaced by "
            "the next write.\n  Leave versionId out; the digest then protects.",
        ),
        (
            "s3://bucket/*.parquet?versionId=1",
            "'s3://bucket/*.parquet?versionId=1' gives one version to many objects.\n  Leave versionId out: "
            "`model-gate pin` then pins the version that each of them has now.",
        ),
    ],
)
def test_an_address_that_makes_no_sense(tmp_path, text, message):
    assert fails(tmp_path, text, ConfigurationError) == message


@pytest.mark.parametrize(
    ("key", "secret", "why"),
    [
        (READER[0], "s3cret-and-wrong", "it found the secret key wrong"),
        ("AKIANOBODY", "s3cret-and-wrong", "it does not know the access key"),
    ],
)
def test_a_wrong_credential(bucket, seaweed, tmp_path, monkeypatch, key, secret, why):
    bucket.put("holdout.parquet", parquet(rows(1)))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    assert fails(tmp_path, f"s3://{bucket.name}/holdout.parquet") == (
        f"The S3 server {seaweed.endpoint} refused to open 's3://{bucket.name}/holdout.parquet': {why}.\n"
        "  Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
    )


def test_a_bucket_that_may_not_be_read(bucket, seaweed, tmp_path, monkeypatch):
    bucket.put("holdout.parquet", parquet(rows(1)))
    bucket.client.put_bucket_policy(
        Bucket=bucket.name,
        Policy='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject",'
        f'"Resource":"arn:aws:s3:::{bucket.name}/*"}}]}}',
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", READER[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", READER[1])
    assert fails(tmp_path, f"s3://{bucket.name}/holdout.parquet") == (
        f"The S3 server {seaweed.endpoint} refused to open 's3://{bucket.name}/holdout.parquet': access is "
        "denied.\n  Let the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE) read "
        f"s3://{bucket.name}/holdout.parquet and list its folder. An object that does not exist looks the "
        "same to those who may not list."
    )


def test_no_credentials(bucket, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    source = f"s3://{bucket.name}/holdout.parquet"
    assert fails(tmp_path, source) == (
        f"There are no complete credentials to open '{source}' with.\n"
        "  Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
    )
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert fails(tmp_path, source) == (
        f"'{source}' cannot be opened: The config profile (nobody) could not be found.\n"
        "  Correct AWS_PROFILE, or add the profile to ~/.aws/config."
    )


@pytest.mark.parametrize("state", ["refuses", "is silent"])
def test_a_dead_server(tmp_path, monkeypatch, state):
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "s3cret"),
        ("AWS_CONFIG_FILE", os.devnull),
        ("AWS_SHARED_CREDENTIALS_FILE", os.devnull),
    ):
        monkeypatch.setenv(name, value)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if state == "is silent":
            listener.listen()
            monkeypatch.setenv("MODEL_GATE_TIMEOUT", "0.5")
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        what = "cannot be reached" if state == "refuses" else "did not answer within 0.5 seconds"
        assert fails(tmp_path, "s3://bucket/holdout.parquet", UnreachableError) == (
            f"The S3 server {endpoint} {what}, so 's3://bucket/holdout.parquet' could not be opened.\n"
            "  Start it, or correct AWS_ENDPOINT_URL (or endpoint_url of your AWS profile). "
            "MODEL_GATE_TIMEOUT sets how many seconds to wait."
        )


@pytest.mark.slow
def test_a_silent_server_costs_about_10_seconds(tmp_path, monkeypatch, seaweed):
    monkeypatch.delenv("MODEL_GATE_TIMEOUT", raising=False)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        start = time.monotonic()
        fails(tmp_path, "s3://bucket/holdout.parquet", UnreachableError)
        assert time.monotonic() - start < 13


@pytest.mark.slow  # the server looks for a good copy for 20 seconds before it says so
def test_an_object_that_is_damaged_on_the_server(bucket, seaweed, tmp_path, monkeypatch):
    """One byte of the pinned version is another one there: nobody judges on it."""
    frame = pd.concat([rows(1)] * 100)
    content = parquet(frame.assign(x=np.random.default_rng(1).normal(size=len(frame))))
    bucket.put("holdout.parquet", content)
    gate = VersionedGate(tmp_path, f"s3://{bucket.name}/holdout.parquet")
    gate.pin()
    bucket.damage(content)
    monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path / "another-cache"))
    record = gate.judge()
    assert record.verdict.value == "error"
    assert findings(record)[0] == (
        f"The S3 server {seaweed.endpoint} failed with 500 while it was asked for "
        f"s3://{bucket.name}/holdout.parquet.\n"
        "  Run the gate again; if it stays so, the server or the object is damaged."
    )


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        (
            "ExpiredToken",
            400,
            "The S3 server https://s3 refused to open 's3://b/k': the credentials have expired.\n"
            "  Log in again, for example: aws sso login.",
        ),
        (
            "InvalidObjectState",
            403,
            "s3://b/k is archived at https://s3: it cannot be read as it is.\n"
            "  Restore it to a storage class that can be read: aws s3api restore-object.",
        ),
        (
            "RequestTimeTooSkewed",
            403,
            "The S3 server https://s3 refused to open 's3://b/k': the clocks differ.\n"
            "  Set the clock of this machine.",
        ),
        (
            "SlowDown",
            503,
            "The S3 server https://s3 failed with 503 while it was asked for s3://b/k.\n"
            "  Run the gate again; if it stays so, the server or the object is damaged.",
        ),
        (
            "Strange",
            400,
            "The S3 server https://s3 could not open 's3://b/k': Strange (see https://***@x).\n"
            "  Check the address and AWS_ENDPOINT_URL.",
        ),
    ],
)
def test_what_other_servers_answer(code, status, message):
    """Answers of AWS that the server of these tests never gives."""
    from botocore.exceptions import ClientError

    answer = {
        "Error": {"Code": code, "Message": "see https://me:s3cret@x"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    place = s3_errors.Place("s3://b/k", "b", "AWS_ENDPOINT_URL", "https://s3")
    assert str(s3_errors.explain(ClientError(answer, "GetObject"), place, key="k")) == message


def test_a_server_that_breaks_off(bucket, seaweed, tmp_path, monkeypatch):
    """The bytes stop in the middle: nothing half is left for the next one to find."""
    bucket.put("holdout.parquet", os.urandom(4 << 20))
    real = s3_store.write_pieces

    def broken(pieces, path, *more):
        from botocore.exceptions import IncompleteReadError

        def cut():
            yield next(iter(pieces))
            raise IncompleteReadError(actual_bytes=1 << 20, expected_bytes=4 << 20)

        return real(cut(), path, *more)

    monkeypatch.setattr(s3_store, "write_pieces", broken)
    assert fails(tmp_path, f"s3://{bucket.name}/holdout.parquet") == (
        f"The S3 server {seaweed.endpoint} broke off while it sent s3://{bucket.name}/holdout.parquet.\n"
        "  Run the gate again."
    )
    assert cache_files(tmp_path) == []


def test_a_cache_that_cannot_be_written(bucket, tmp_path, monkeypatch):
    bucket.put("holdout.parquet", parquet(rows(1)))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path / "file"))
    assert fails(tmp_path, f"s3://{bucket.name}/holdout.parquet") == (
        f"The cache {Path(tmp_path / 'file' / 's3').as_posix()} cannot be written: Not a directory.\n"
        "  Free some space, or let MODEL_GATE_CACHE name a folder that can be written."
    )


@pytest.mark.parametrize("said", ["soon", "0", "-1", "inf"])
def test_a_limit_that_is_none(bucket, tmp_path, monkeypatch, said):
    monkeypatch.setenv("MODEL_GATE_TIMEOUT", said)
    assert fails(tmp_path, f"s3://{bucket.name}/holdout.parquet", ConfigurationError) == (
        f"MODEL_GATE_TIMEOUT must be a number of seconds above 0, got '{said}'.\n"
        "  Write for example MODEL_GATE_TIMEOUT=30, or unset it."
    )
