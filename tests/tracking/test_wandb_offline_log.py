"""Verdicts as offline runs of W&B: the real client writes them, and sends them to the stand-in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_model_gate.errors import EvaluationError
from pytest_model_gate.results import TrackerEntry
from pytest_model_gate.tracking import wandb_offline
from pytest_model_gate.tracking.wandb import WandbTracker
from pytest_model_gate.wandb_file import read_run
from systems.wandb_standin import wandb_standin

__all__ = ["wandb_standin"]

pytestmark = pytest.mark.wandb_standin

ENTRY = TrackerEntry(
    candidate="wandb:team/credit/scorer:v0",
    digest="sha256:c",
    verdict="pass",
    tags={"model_gate.gates": "credit", "model_gate.credit.verdict": "pass"},
    metrics={"model_gate/credit/roc_auc/gain": 0.1},
    files={"model_gate/credit.json": "[]\n", "model_gate/credit.txt": "credit: PASS\n"},
)
OFFLINE = f"wandb-offline:wandb/offline-run-x#scorer:{'0' * 32} (run credit/r9)"


@pytest.fixture
def place(wandb_standin, tmp_path, monkeypatch):
    """Where the client puts runs; nothing listens at the server's address while they are written."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    return tmp_path / "wandb"


def log(**changes) -> Path:
    """Log, and return the folder that the message names."""
    said = WandbTracker().log(replace(ENTRY, **changes))
    found = re.fullmatch(r"offline run (\S+) \(to send it: wandb sync (\S+)\)", said)
    assert found is not None
    assert found[1] == found[2]
    return Path(found[1])


def sync(server, *folders: Path) -> str:
    environment = {**os.environ, "WANDB_BASE_URL": server.url}
    del environment["WANDB_MODE"]
    client = [sys.executable, "-W", "ignore", "-m", "wandb", "sync", *map(str, folders)]
    return subprocess.run(client, env=environment, check=True, capture_output=True, text=True).stderr


def told(server) -> dict[str, object]:
    """What the only run in the server has in its summary, beside the client's own."""
    (run,) = server.runs.values()
    return {name: value for name, value in json.loads(run.summary).items() if not name.startswith("_")}


def test_what_is_written_is_what_the_server_gets(wandb_standin, place):
    folder = log()
    assert folder.parent == place
    run = read_run(folder / f"run-{folder.name.split('-', 3)[3]}.wandb", "x")
    assert re.fullmatch(r"team/credit/model-gate-[0-9a-f]{16}", run.path)
    assert wandb_standin.runs == {}
    assert "Finished syncing" in sync(wandb_standin, folder)
    assert told(wandb_standin) == {
        "model_gate/verdict": "pass",
        "model_gate/gates": "credit",
        "model_gate/credit/verdict": "pass",
        "model_gate/credit/roc_auc/gain": 0.1,
    }
    ((name, run),) = wandb_standin.runs.items()
    assert name.startswith("model-gate-")
    assert {path: text.decode() for path, text in run.files.items() if path in ENTRY.files} == ENTRY.files
    config = json.loads(run.config)
    assert (config["candidate"]["value"], config["digest"]["value"]) == (ENTRY.candidate, "sha256:c")
    assert "wandb-metadata.json" not in run.files  # it says on which machine, by whom and where


def test_writing_twice_writes_once_and_a_later_verdict_replaces_an_earlier_one(wandb_standin, place):
    first = log()
    assert log() == first
    assert len(list(place.glob("offline-run-*"))) == 1
    second = log(verdict="regressed", tags={**ENTRY.tags, "model_gate.credit.verdict": "regressed"})
    assert second != first
    assert second.name.partition("model-gate-")[2] == first.name.partition("model-gate-")[2]
    sync(wandb_standin, first)
    assert told(wandb_standin)["model_gate/verdict"] == "pass"
    sync(wandb_standin, second)
    assert told(wandb_standin)["model_gate/verdict"] == "regressed"
    assert told(wandb_standin)["model_gate/credit/verdict"] == "regressed"
    third = log()  # passes again: that is a third entry, and no repetition of the first
    assert third not in (first, second)


def test_other_gates_and_other_candidates_have_other_runs(place):
    names = {
        log(**changes).name.partition("model-gate-")[2]
        for changes in (
            {},
            {"tags": {**ENTRY.tags, "model_gate.gates": "other"}},
            {"candidate": "wandb:team/credit/scorer:v1"},
            {"digest": "sha256:d"},
        )
    }
    assert len(names) == 4


def test_one_that_was_killed_is_written_again(place):
    folder = log()
    (folder / "model-gate.done").unlink()
    again = log()
    assert again != folder
    assert log() == again


@pytest.mark.parametrize(
    ("candidate", "path"),
    [
        ("wandb:a/b/r2#scorer:v0 (best of 7 runs by summary.val_auc)", "a/b"),
        ("predictions:wandb:a/b/r2#run-r2-scores:v0#p", "a/b"),
        (OFFLINE, "credit"),
        (OFFLINE.replace("(run ", "(run ann/"), "ann/credit"),
        (f"predictions:{OFFLINE}#p", "credit"),
    ],
)
def test_the_project_is_that_of_the_candidate(place, candidate, path):
    folder = log(candidate=candidate)
    run = read_run(folder / f"run-{folder.name.split('-', 3)[3]}.wandb", "x")
    assert run.path.rpartition("/")[0] == path


def test_a_run_that_is_open_in_this_process_stays_open(place):
    import wandb

    quiet = wandb.Settings(silent=True, console="off", symlink=True)
    run = wandb.init(project="training", mode="offline", dir=str(place.parent), settings=quiet)
    try:
        log()
        assert wandb.run is run
        assert (place / "latest-run").resolve() == Path(run.settings.sync_dir).resolve()
        run.log({"loss": 1.0})
    finally:
        run.finish()


def test_a_place_that_cannot_be_written(place, tmp_path, monkeypatch):
    """The client would silently take the folder for temporary files."""
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "file"))
    with pytest.raises(EvaluationError) as error:
        log()
    where = (tmp_path / "file").as_posix()
    assert str(error.value) == (
        f"The verdict of 'wandb:team/credit/scorer:v0' could not be written below {where}: FileExistsError: "
        f"[Errno 17] File exists: '{where}'.\n"
        "  Set WANDB_DIR to a folder that can be written. Nothing is lost: the local report has it."
    )


def test_a_run_that_stays_half_written_is_said(place, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_TIMEOUT", "0.01")
    monkeypatch.setattr(wandb_offline, "read_run", lambda log, shown: read_run(Path(__file__), shown))
    with pytest.raises(EvaluationError) as error:
        log()
    assert str(error.value) == (
        "The verdict of 'wandb:team/credit/scorer:v0' was not written whole: test_wandb_offline_log.py is no "
        "file of a run of W&B, so 'wandb:team/credit/scorer:v0' could not be opened.\n"
        "  Nothing is lost: the local report has it. Run: model-gate log REPORT --tracker wandb."
    )
