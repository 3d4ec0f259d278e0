"""``lakefs://`` with the real client against a stand-in of the server."""

import io
import socket
import time

import pandas as pd
import pytest

from pytest_model_gate.data.sources import lakefs_client
from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    UnavailableError,
    UnreachableError,
)
from systems.lakefs_standin import KEY, SECRET, Repository, serving
from systems.versioned_gates import ROWS, VersionedGate, everything, findings, opened, rows, still_version_1

pytestmark = pytest.mark.lakefs_standin


def parquet(frame):
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


@pytest.fixture
def lake(tmp_path, monkeypatch):
    with serving() as running:
        monkeypatch.setenv("LAKECTL_CONFIG_FILE", str(tmp_path / "no-config"))
        monkeypatch.setenv("LAKECTL_SERVER_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("LAKECTL_CREDENTIALS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path / "model-gate-cache"))
        yield running


@pytest.fixture
def credit(lake):
    """A repository with version 1 of a file and of a folder."""
    made = lake.repositories["credit"] = Repository()
    made.put("data/holdout.parquet", parquet(rows(1)))
    for year, part in ((2022, rows(1)[:100]), (2023, rows(1)[100:])):
        made.put(f"data/parts/year={year}/a b.parquet", parquet(part))
    made.put("data/parts/_log/x.parquet", b"no Parquet")
    made.put("data/parts/readme.txt", b"neither")
    made.commit()
    made.tags["v1"] = made.branches["main"]
    return made


def version_2(credit):
    credit.put("data/holdout.parquet", parquet(rows(2)))
    credit.put("data/parts/year=2023/a b.parquet", parquet(rows(2)))
    return credit.commit()


def fails(tmp_path, source, kind=UnavailableError, **context):
    with pytest.raises(kind) as caught:
        opened(tmp_path, source, **context)
    return str(caught.value)


@pytest.mark.parametrize("path", ["data/holdout.parquet", "data/parts", "data/parts/year=*/*.parquet"])
def test_the_pinned_commit_is_read_after_the_branch_moved(credit, tmp_path, monkeypatch, path):
    gate = VersionedGate(tmp_path, f"lakefs://credit/main/{path}")
    first = credit.branches["main"]
    still_version_1(gate, lambda: version_2(credit))
    assert gate.pinned.version == first
    monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path / "another-cache"))
    assert gate.judge().dataset.pin == "pinned"
    count = "" if path.endswith("holdout.parquet") else " (2 objects)"
    assert gate.judge().dataset.resolved == f"lakefs://credit/{first}/{path}{count}"
    assert gate.pin().dataset.pin == "pinned now, changed"


def test_what_is_not_committed_is_not_read(credit, tmp_path):
    credit.put("data/holdout.parquet", parquet(rows(2)))
    dataset = opened(tmp_path, "lakefs://credit/main/data/holdout.parquet")
    assert dataset.version == credit.branches["main"]
    pd.testing.assert_frame_equal(everything(dataset), rows(1))
    credit.put("data/new.parquet", parquet(rows(2)))
    assert fails(tmp_path, "lakefs://credit/main/data/new.parquet") == (
        f"'lakefs://credit/main/data/new.parquet' (commit {credit.branches['main'][:12]}) does not exist: "
        "nothing of that name is committed.\n  Check the path; what lies on a branch uncommitted is not read."
    )
    assert fails(tmp_path, "lakefs://credit/main/data/holdut.parquet").endswith(
        "  Did you mean 'data/holdout.parquet'?"
    )


@pytest.mark.parametrize("ref", ["v1", "main~1", "{commit}", "{short}"])
def test_every_way_to_name_a_commit(credit, tmp_path, ref):
    first = credit.branches["main"]
    version_2(credit)
    ref = ref.format(commit=first, short=first[:10])
    dataset = opened(tmp_path, f"lakefs://credit/{ref}/data/holdout.parquet")
    assert (dataset.version, dataset.rows) == (first, ROWS)


def test_large_objects_come_in_pieces_and_listings_in_pages(credit, tmp_path, monkeypatch):
    monkeypatch.setattr(lakefs_client, "_PIECE", 1000)
    content = parquet(rows(1))
    assert len(content) > 3000
    dataset = opened(tmp_path, "lakefs://credit/main/data/holdout.parquet")
    pd.testing.assert_frame_equal(everything(dataset), rows(1))
    for i in range(8):
        credit.put(f"many/{i}.parquet", parquet(rows(1)))
    credit.commit()
    assert opened(tmp_path, "lakefs://credit/main/many").rows == 8 * ROWS


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_other_formats(credit, tmp_path, suffix):
    frame = rows(1)[["id", "y"]]
    text = frame.to_csv(index=False) if suffix == "csv" else frame.to_json(orient="records", lines=True)
    credit.put(f"x.{suffix}", text.encode())
    credit.commit()
    pd.testing.assert_frame_equal(everything(opened(tmp_path, f"lakefs://credit/main/x.{suffix}")), frame)


def test_an_object_that_was_changed_behind_the_server_is_refused(credit, tmp_path, monkeypatch):
    """The storage behind lakeFS gives other bytes of the same size at the same commit."""
    gate = VersionedGate(tmp_path, "lakefs://credit/main/data/holdout.parquet")
    gate.pin()
    tree = credit.commits[credit.branches["main"]]
    damaged = bytearray(tree["data/holdout.parquet"])
    damaged[len(damaged) // 3] ^= 1
    tree["data/holdout.parquet"] = bytes(damaged)
    monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path / "another-cache"))
    record = gate.judge()
    assert record.verdict.value == "invalid"
    assert record.dataset is None or record.dataset.pin == "changed"


def test_an_object_that_is_shorter_than_the_server_says(credit, tmp_path, monkeypatch):
    look = lakefs_client.Lake.look

    def longer(self, commit, path):
        found = look(self, commit, path)
        return lakefs_client.Stored(found.path, found.size + 10)

    monkeypatch.setattr(lakefs_client.Lake, "look", longer)
    commit, size = credit.branches["main"], len(parquet(rows(1))) + 10
    assert fails(tmp_path, "lakefs://credit/main/data/holdout.parquet", InvalidError) == (
        f"lakefs://credit/{commit}/data/holdout.parquet is not as long as lakeFS says: {size:,} bytes.\n"
        "  The object is damaged in the storage behind lakeFS: restore it."
    )


def test_what_is_not_there(credit, lake, tmp_path):
    commit = credit.branches["main"][:12]
    assert fails(tmp_path, "lakefs://credit/maim/data/holdout.parquet") == (
        "'lakefs://credit/maim/data/holdout.parquet': the repository has no branch, tag or commit 'maim'.\n"
        "  Did you mean 'main'?"
    )
    assert fails(tmp_path, "lakefs://credits/main/data/holdout.parquet") == (
        f"There is no repository 'credits' at {lake.endpoint}.\n"
        "  Check the address and LAKECTL_SERVER_ENDPOINT_URL (or ~/.lakectl.yaml)."
    )
    assert fails(tmp_path, "lakefs://credit/main/data/holdotu.parquet") == (
        f"'lakefs://credit/main/data/holdotu.parquet' (commit {commit}) does not exist: nothing "
        "of that name is committed.\n  Did you mean 'data/holdout.parquet'?"
    )
    assert fails(tmp_path, "lakefs://credit/main/data/parts/*.csv") == (
        f"'lakefs://credit/main/data/parts/*.csv' (commit {commit}) holds no Parquet objects.\n"
        "  There are: _log/x.parquet, readme.txt, year=2022/a b.parquet, year=2023/a b.parquet. Name one "
        "object, or a folder with *.parquet in it."
    )
    assert "the suffix '.txt' says nothing" in fails(
        tmp_path, "lakefs://credit/main/data/parts/readme.txt", EvaluationError
    )


def test_a_pinned_commit_that_is_gone(credit, lake, tmp_path):
    gate = VersionedGate(tmp_path, "lakefs://credit/main/data/holdout.parquet")
    gate.pin()
    first = gate.pinned.version
    lake.repositories["credit"] = Repository()
    lake.repositories["credit"].put("data/holdout.parquet", parquet(rows(2)))
    lake.repositories["credit"].commit()
    record = gate.judge()
    assert record.verdict.value == "error"
    assert findings(record)[0] == (
        f"'lakefs://credit/main/data/holdout.parquet' is pinned at commit {first[:12]}, which is not at "
        f"{lake.endpoint}.\n  The repository was made anew, or it is another server "
        "(LAKECTL_SERVER_ENDPOINT_URL (or ~/.lakectl.yaml)). Agree to what is there now: run `model-gate "
        "pin` (or `pytest --gate-pin`)."
    )


def test_bytes_that_were_garbage_collected(credit, lake, tmp_path):
    credit.collected.add(parquet(rows(1)))
    assert fails(tmp_path, "lakefs://credit/main/data/holdout.parquet") == (
        f"The lakeFS server {lake.endpoint} no longer has the bytes of "
        "'lakefs://credit/main/data/holdout.parquet': they were garbage collected.\n"
        "  Restore them, or agree to what is there now: run `model-gate pin` (or `pytest --gate-pin`)."
    )


def test_a_wrong_and_a_missing_credential(credit, lake, tmp_path, monkeypatch):
    source = "lakefs://credit/main/data/holdout.parquet"
    monkeypatch.setenv("LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY", "s3cret-and-wrong")
    assert fails(tmp_path, source) == (
        f"The lakeFS server {lake.endpoint} refused to open '{source}': it does not know the credentials.\n"
        "  Correct LAKECTL_CREDENTIALS_ACCESS_KEY_ID and LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY, or let them "
        "read the repository 'credit'."
    )
    monkeypatch.delenv("LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY")
    assert fails(tmp_path, source) == (
        f"There are no credentials to open '{source}' with.\n"
        "  Set LAKECTL_CREDENTIALS_ACCESS_KEY_ID and LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY, and "
        "LAKECTL_SERVER_ENDPOINT_URL, or write ~/.lakectl.yaml."
    )


def test_no_server_is_named(lake, tmp_path, monkeypatch):
    monkeypatch.delenv("LAKECTL_SERVER_ENDPOINT_URL")
    assert fails(tmp_path, "lakefs://credit/main/x.parquet") == (
        "Nothing says which lakeFS server 'lakefs://credit/main/x.parquet' is on.\n"
        "  Set LAKECTL_SERVER_ENDPOINT_URL, or server.endpoint_url in ~/.lakectl.yaml."
    )


@pytest.mark.parametrize(
    ("status", "what"), [(500, "failed with 500 while it was asked for"), (403, "refused")]
)
def test_a_server_that_fails_or_forbids(credit, lake, tmp_path, status, what):
    lake.broken = status
    assert f"The lakeFS server {lake.endpoint} {what}" in fails(tmp_path, "lakefs://credit/main/x.parquet")


@pytest.mark.parametrize("state", ["refuses", "is silent"])
def test_a_dead_server(lake, tmp_path, monkeypatch, state):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if state == "is silent":
            listener.listen()
            monkeypatch.setenv("MODEL_GATE_TIMEOUT", "0.5")
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("LAKECTL_SERVER_ENDPOINT_URL", endpoint)
        start = time.monotonic()
        what = "did not answer within 0.5 seconds" if state == "is silent" else "cannot be reached"
        assert fails(tmp_path, "lakefs://credit/main/x.parquet", UnreachableError) == (
            f"The lakeFS server {endpoint} {what}, so 'lakefs://credit/main/x.parquet' could not be opened.\n"
            "  Start it, or correct LAKECTL_SERVER_ENDPOINT_URL (or ~/.lakectl.yaml). MODEL_GATE_TIMEOUT "
            "sets how many seconds to wait."
        )
        assert time.monotonic() - start < 10


@pytest.mark.parametrize("source", ["lakefs://credit", "lakefs://credit/main/", "lakefs://a:b@credit/main/x"])
def test_addresses_that_make_no_sense(lake, tmp_path, source):
    shown = source.replace("a:b@", "***@")
    assert fails(tmp_path, source, ConfigurationError) == (
        f"'{shown}' names nothing in lakeFS.\n  Write lakefs://repository/ref/path, with a branch, a tag or "
        "a commit as ref; credentials belong into LAKECTL_... variables or ~/.lakectl.yaml."
    )
