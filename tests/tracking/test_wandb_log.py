"""What W&B is told: the real client against a stand-in that executes its queries, and files of offline runs."""
# ruff: noqa: E501 - whole messages stay on one line

from __future__ import annotations

import json

import pytest
from records import line_of, record_of

from pytest_model_gate.cli import main
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.gate.verdict_log import Logged, log_verdicts
from pytest_model_gate.report import json as json_report
from pytest_model_gate.report import run as judged
from pytest_model_gate.results import GateRecord, Verdict
from systems.wandb_standin import Collection, Run, wandb_standin

__all__ = ["wandb_standin"]

pytestmark = pytest.mark.wandb_standin

ARTIFACT = "wandb:team/credit/scorer"
OF_ARTIFACT = f"{ARTIFACT}:v0"
OFFLINE = f"wandb-offline:wandb/offline-run-x#scorer:{'0' * 32} (run team/credit/r9)"
OF_RUN = "wandb:team/credit/r2#scorer:v0"

LINE = line_of("roc_auc")

TAGS = {
    "model_gate/verdict": "pass",
    "model_gate/gates": "credit",
    "model_gate/digest": "sha256:c",
    "model_gate/credit/verdict": "pass",
    "model_gate/credit/dataset": "h.parquet sha256:d pinned",
    "model_gate/credit/production": "wandb:team/credit/scorer:v7 sha256:b",
    "model_gate/credit/policy": "sha256:p",
}
NUMBERS = {
    "model_gate/credit/roc_auc/candidate": 0.6,
    "model_gate/credit/roc_auc/reference": 0.5,
    "model_gate/credit/roc_auc/gain": 0.1,
    "model_gate/credit/roc_auc/gain_low": 0.05,
    "model_gate/credit/roc_auc/gain_high": 0.15,
}


def record(candidate: str = OF_ARTIFACT, gate: str = "credit", **more) -> GateRecord:
    pair = (f"{ARTIFACT}:challenger", candidate), (f"{ARTIFACT}:champion", f"{ARTIFACT}:v7")
    return record_of("skops", *pair, LINE, **{"gate": gate, **more})


def log(*records: GateRecord) -> Logged:
    texts = {one.gate: f"report of {one.gate}\n" for one in records}
    return log_verdicts(records, texts, tracker="wandb", registry=build_registry())


def failed(*records: GateRecord) -> str:
    logged = log(*records)
    assert not logged.done
    (text,) = logged.failed
    return text


@pytest.fixture
def server(wandb_standin, monkeypatch):
    """The artifact ``scorer``: version 0 was logged by the run r1, version 1 by nobody."""
    monkeypatch.delenv("WANDB_MODE", raising=False)
    held = wandb_standin.collections["scorer"] = Collection("model")
    wandb_standin.runs |= {"r1": Run('{"loss": 0.25}'), "r2": Run()}
    held.add({"model.skops": b"0"}, "challenger", run="r1")
    held.metadata[0] = '{"author": "ann"}'
    held.add({"model.skops": b"1"})
    return wandb_standin


def metadata(server, number: int = 0) -> dict[str, object]:
    return json.loads(server.collections["scorer"].metadata[number])


def summary(server, run: str = "r1") -> dict[str, object]:
    return json.loads(server.runs[run].summary)


def test_an_artifact_and_the_run_that_logged_it(server) -> None:
    assert log(record()) == Logged(done=("pass -> artifact team/credit/scorer:v0 and run team/credit/r1",))
    assert metadata(server) == {"author": "ann", **TAGS}
    assert summary(server) == {"loss": 0.25, **TAGS, **NUMBERS}
    files = server.runs["r1"].files
    assert sorted(files) == ["model_gate/credit.json", "model_gate/credit.txt"]
    assert files["model_gate/credit.txt"] == b"report of credit\n"
    assert json.loads(files["model_gate/credit.json"])[0]["lines"][1]["slice"] == "region=north"


def test_the_verdict_is_taken_back_first_and_set_last(server) -> None:
    log(record())
    server.changes.clear()
    log(record())
    told = [(what, said["model_gate/verdict"] if what != "file" else said) for what, said in server.changes]
    assert told == [
        ("metadata", "being written"),
        ("summary", "being written"),
        ("file", "model_gate/credit.json"),
        ("file", "model_gate/credit.txt"),
        ("summary", "pass"),
        ("metadata", "pass"),
    ]


def test_writing_twice_changes_nothing_and_a_later_failure_takes_the_pass_back(server) -> None:
    first = log(record())
    before = metadata(server), summary(server), dict(server.runs["r1"].files)
    assert log(record()) == first
    assert (metadata(server), summary(server), server.runs["r1"].files) == before
    log(record(verdict=Verdict.REGRESSED))
    for told in (metadata(server), summary(server)):
        assert (told["model_gate/verdict"], told["model_gate/credit/verdict"]) == ("regressed", "regressed")
    log(record(gate="other"))
    assert metadata(server)["model_gate/credit/verdict"] == "regressed"
    assert metadata(server)["model_gate/other/verdict"] == "pass"


def test_a_candidate_that_a_run_names_is_told_to_that_run(server) -> None:
    assert log(record(OF_RUN)).done == ("pass -> artifact team/credit/scorer:v0 and run team/credit/r2",)
    assert (summary(server), summary(server, "r2")) == ({"loss": 0.25}, {**TAGS, **NUMBERS})


def test_a_candidate_that_a_search_found_and_one_of_predictions(server) -> None:
    where = "pass -> artifact team/credit/scorer:v0 and run team/credit/r2"
    assert log(record(f"{OF_RUN} (best of 7 runs by summary.val_auc)")).done == (where,)
    assert log(record(f"predictions:{OF_RUN}#p")).done == (where,)
    assert (
        log(record(f"predictions:{OF_ARTIFACT}#scores.csv#p_no,p_yes")).done[0].endswith("run team/credit/r1")
    )


def test_an_artifact_that_no_run_logged(server) -> None:
    assert log(record("wandb:team/credit/scorer:v1#model.skops")).done == (
        "pass -> artifact team/credit/scorer:v1 (no run logged it: numbers and reports are only in the local report)",
    )
    assert metadata(server, 1) == TAGS


def test_many_gates_fit_into_the_metadata(server) -> None:
    logged = log(*(record(gate=f"g{number}") for number in range(34)))
    assert logged.done == ("pass -> artifact team/credit/scorer:v0 and run team/credit/r1",)
    told = metadata(server)
    assert sorted(told) == ["author", "model_gate/digest", "model_gate/gates", "model_gate/verdict"]
    assert summary(server)["model_gate/g33/verdict"] == "pass"
    assert len(server.runs["r1"].files) == 68


# -------------------------------------------------------------------------------------------- trouble


def test_a_line_that_is_cut_in_the_middle_leaves_no_pass(server) -> None:
    log(record())

    def cut(what: str) -> None:
        if what == "file":
            raise PermissionError

    server.before_change = cut
    text = failed(record(gate="other"))
    assert text.startswith(f"{OF_ARTIFACT}: The W&B server {server.url} ")
    assert metadata(server)["model_gate/verdict"] == summary(server)["model_gate/verdict"] == "being written"
    server.before_change = lambda what: None
    assert log(record(gate="other")).done
    assert metadata(server)["model_gate/verdict"] == summary(server)["model_gate/verdict"] == "pass"


def test_a_server_that_keeps_nothing(server) -> None:
    class Forgets(dict):
        def __setitem__(self, number: int, said: str) -> None:
            pass

    server.collections["scorer"].metadata = Forgets()
    assert failed(record()) == (
        f"{OF_ARTIFACT}: The W&B server {server.url} did not keep the verdict on the artifact team/credit/scorer:v0: it has 'none'. "
        "Use a key that may write there. Nothing is lost: the local report has it."
    )


def test_what_cannot_be_logged(server, monkeypatch) -> None:
    assert failed(record("models:/credit/2")) == (
        "models:/credit/2: 'models:/credit/2' is no model of W&B, so its verdict cannot be logged there. "
        "Log verdicts of wandb:... candidates only."
    )
    assert failed(record("wandb:team/credit/scorer:v9")) == (
        f"wandb:team/credit/scorer:v9: There is no artifact team/credit/scorer:v9 at {server.url}, so 'wandb:team/credit/scorer:v9' could not be opened. "
        "Check entity, project, name and alias; a version that was pinned may have been deleted."
    )
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert failed(record()) == (
        f"{OF_ARTIFACT}: WANDB_MODE is 'disabled', so the verdict of '{OF_ARTIFACT}' was not logged. "
        "Unset it, or set it to offline, and run: model-gate log REPORT --tracker wandb."
    )
    monkeypatch.delenv("WANDB_MODE")
    assert failed(record(OFFLINE)) == (
        f"{OFFLINE}: '{OFFLINE}' is of an offline run, which no server knows, so its verdict was not logged. "
        "Set WANDB_MODE=offline to write it as an offline run, too, and run: model-gate log REPORT --tracker wandb."
    )


def report(path, *records: GateRecord) -> str:
    path.write_text(
        json_report.dumps(
            judged.Run(
                tested=(
                    judged.Tested(test="t", gate="credit", outcome="passed", attempts=1, records=records),
                )
            )
        )
    )
    return str(path)


def test_a_dead_server_is_said_and_the_report_is_told_later(server, monkeypatch, tmp_path, capsys) -> None:
    kept = report(tmp_path / "gates.json", record())
    monkeypatch.setenv("MODEL_GATE_TIMEOUT", "1")
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    assert main(["log", kept, "--tracker", "wandb"]) == 1
    assert capsys.readouterr().out == (
        f"NOT LOGGED  {OF_ARTIFACT}: The W&B server http://127.0.0.1:9 cannot be reached, so '{OF_ARTIFACT}' could not be opened. "
        "Start it, or correct WANDB_BASE_URL. MODEL_GATE_TIMEOUT sets how many seconds to wait. "
        "Nothing is lost: the local report has it. Later run: model-gate log REPORT --tracker wandb; with WANDB_MODE=offline it goes into files that wandb sync sends.\n"
    )
    monkeypatch.setenv("WANDB_BASE_URL", server.url)
    assert main(["log", kept, "--tracker", "wandb"]) == 0
    assert (
        capsys.readouterr().out
        == "logged      pass -> artifact team/credit/scorer:v0 and run team/credit/r1\n"
    )
    assert summary(server)["model_gate/verdict"] == "pass"


@pytest.mark.parametrize("during", ["summary", "file"])
def test_a_server_that_dies_in_the_middle(server, monkeypatch, during: str) -> None:
    log(record())

    def die(what: str) -> None:
        if what == during:
            server.stop()

    server.before_change = die
    monkeypatch.setenv("MODEL_GATE_TIMEOUT", "1")
    assert failed(record()) == (
        f"{OF_ARTIFACT}: The W&B server {server.url} cannot be reached, so '{OF_ARTIFACT}' could not be opened. "
        "Start it, or correct WANDB_BASE_URL. MODEL_GATE_TIMEOUT sets how many seconds to wait. "
        "Nothing is lost: the local report has it. Later run: model-gate log REPORT --tracker wandb; with WANDB_MODE=offline it goes into files that wandb sync sends."
    )
    assert metadata(server)["model_gate/verdict"] == "being written"
