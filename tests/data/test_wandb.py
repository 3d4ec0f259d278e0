"""Artifacts of Weights & Biases: the real client, and a stand-in that executes the queries that it sends."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import io
import shutil
import socket
import sys

import pandas as pd
import pytest

from pytest_model_gate.errors import ConfigurationError, ModelGateError, UnavailableError, UnreachableError
from systems.versioned_gates import ROWS, VersionedGate, everything, findings, opened, rows, still_version_1
from systems.wandb_standin import wandb_standin

__all__ = ["wandb_standin"]

SOURCE = "wandb:team/credit/holdout:champion"
pytestmark = pytest.mark.wandb_standin


def parquet(version):
    stream = io.BytesIO()
    rows(version).to_parquet(stream)
    return stream.getvalue()


def said(root, source, kind=ModelGateError):
    with pytest.raises(kind) as error:
        opened(root, source)
    return str(error.value)


@pytest.fixture
def holdout(wandb_standin):
    wandb_standin.holdout.add({"holdout.parquet": parquet(1)}, "champion")
    return wandb_standin.holdout


def test_the_gate_reads_what_was_pinned_after_the_alias_moved(tmp_path, holdout):
    gate = VersionedGate(tmp_path, SOURCE)
    still_version_1(gate, lambda: holdout.add({"holdout.parquet": parquet(2)}, "champion"))
    assert gate.pinned.version.startswith("v0 of ")
    assert gate.judge().dataset.resolved == "wandb:team/credit/holdout:v0"
    shutil.rmtree(tmp_path / "model-gate-cache")  # fetched again, the same bytes
    assert gate.judge().dataset.pin == "pinned"
    assert gate.pin().dataset.rows == ROWS + 10


def test_a_version_a_file_and_a_folder(tmp_path, holdout):
    files = {f"{part}/{number}.parquet": parquet(number) for part in ("a", "b") for number in (1, 2)}
    holdout.add({**files, "notes.txt": b"about the data"})
    pd.testing.assert_frame_equal(
        everything(opened(tmp_path, "wandb:team/credit/holdout:v1#a/2.parquet")), rows(2)
    )
    assert opened(tmp_path, "wandb:team/credit/holdout:v1#b").rows == 2 * ROWS + 10
    assert opened(tmp_path, "wandb:team/credit/holdout:v0").rows == ROWS
    source = "wandb:team/credit/holdout:latest"
    assert said(tmp_path, source, ConfigurationError) == (
        f"'{source}' holds 5 files: a/1.parquet, a/2.parquet, b/1.parquet, b/2.parquet, notes.txt.\n"
        f"  Say which one, for example {source}#a/1.parquet."
    )
    assert said(tmp_path, f"{source}#c.parquet", UnavailableError) == (
        f"'{source}#c.parquet': the artifact holds no c.parquet.\n"
        "  It holds: a/1.parquet, a/2.parquet, b/1.parquet, b/2.parquet, notes.txt."
    )


def test_bytes_that_are_not_those_of_the_manifest(tmp_path, holdout):
    content = parquet(1)
    holdout.damaged["holdout.parquet"] = content[:-1] + bytes([content[-1] ^ 1])
    assert said(tmp_path, SOURCE) == (
        "The artifact team/credit/holdout:v0 came damaged: Digest mismatch for file: holdout.parquet.\n"
        "  Its manifest says another digest than its bytes have: log it again."
    )
    holdout.damaged.clear()
    assert opened(tmp_path, SOURCE).rows == ROWS


def test_a_version_that_was_deleted_and_names_that_are_not_there(tmp_path, wandb_standin, holdout):
    gate = VersionedGate(tmp_path, SOURCE)
    gate.pin()
    holdout.add({"holdout.parquet": parquet(2)}, "champion")
    holdout.delete(0)
    record = gate.judge()
    assert record.verdict == "error"
    assert findings(record)[0] == (
        f"There is no artifact team/credit/holdout:v0 at {wandb_standin.url}, so '{SOURCE}' could not be opened.\n"
        "  Check entity, project, name and alias; a version that was pinned may have been deleted."
    )
    for path in ("team/credit/holdout:nosuch", "team/credit/nosuch:latest", "team/nosuch/holdout:latest"):
        assert said(tmp_path, f"wandb:{path}", UnavailableError).startswith(f"There is no artifact {path} at")


def test_another_version_under_the_pinned_number(tmp_path, holdout):
    gate = VersionedGate(tmp_path, SOURCE)
    gate.pin()
    before = gate.pinned.version.split()[-1]
    holdout.versions[0] = {"holdout.parquet": parquet(2)}
    record = gate.judge()
    assert record.verdict == "invalid"
    text = findings(record)[0]
    assert text.startswith(f"team/credit/holdout:v0 is not what was pinned as '{SOURCE}': its digest is ")
    assert text.endswith(f"and {before} was pinned.\n  Run `model-gate pin` if it is meant.")


def test_a_wrong_key(tmp_path, wandb_standin, holdout, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "local" + "1" * 40)
    assert said(tmp_path, SOURCE, UnavailableError) == (
        f"The W&B server {wandb_standin.url} refused to open '{SOURCE}'.\n"
        "  Set WANDB_API_KEY to a key that may read the project, or run: wandb login."
    )


def test_a_server_that_is_down(tmp_path, wandb_standin, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MODEL_GATE_TIMEOUT", "1")
    assert said(tmp_path, SOURCE, UnreachableError) == (
        f"The W&B server http://127.0.0.1:9 cannot be reached, so '{SOURCE}' could not be opened.\n"
        "  Start it, or correct WANDB_BASE_URL. MODEL_GATE_TIMEOUT sets how many seconds to wait."
    )


def test_a_server_that_says_nothing(tmp_path, wandb_standin, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("WANDB_BASE_URL", url)
        monkeypatch.setenv("MODEL_GATE_TIMEOUT", "1")
        assert said(tmp_path, SOURCE, UnreachableError) == (
            f"The W&B server {url} did not answer within 1 seconds, so '{SOURCE}' could not be opened.\n"
            "  Start it, or correct WANDB_BASE_URL. MODEL_GATE_TIMEOUT sets how many seconds to wait."
        )


@pytest.mark.parametrize(
    "source", ["wandb:", "wandb:holdout:v1", "wandb:a/b/c", "wandb:a/b/c:", "wandb:a/b/c:v1#"]
)
def test_what_names_no_artifact(tmp_path, source):
    assert said(tmp_path, source, ConfigurationError) == (
        f"'{source}' names no artifact.\n"
        "  Write wandb:entity/project/artifact:alias (or :v3), and #path behind it where it holds several files."
    )


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert said(tmp_path, SOURCE, UnavailableError) == (
        f"'{SOURCE}' needs the package wandb.\n  Run: pip install 'pytest-model-gate[wandb]'."
    )
