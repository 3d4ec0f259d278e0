"""Several candidates on a real server: every one is told its verdict, and the winner gets the alias."""
# ruff: noqa: E501 - whole values stay on one line

from __future__ import annotations

import json
from pathlib import Path

import pytest
from registries import Registry
from test_aliases import aliases
from test_log import record
from test_promoting_runs import gate, shell

from pytest_model_gate.gate.verdict_log import log_verdicts
from pytest_model_gate.results import Leaderboard, Line, Standing, TrackerEntry, Verdict
from pytest_model_gate.tracking.entry import entries

pytestmark = pytest.mark.mlflow_server


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "distributed"])
def test_each_is_told_and_the_winner_is_promoted(named, workers: tuple[str, ...], tmp_path: Path) -> None:
    name = f"contest{len(workers)}"
    registry: Registry = named(name)
    client = registry.client()
    run_of_3 = client.get_model_version(name, "3").run_id
    folder = tmp_path / "project"
    folder.mkdir()
    registry.project(folder, name)
    settings = folder / "pyproject.toml"
    several = f'candidates = ["models:/{name}/2", "models:/{name}@worse", "runs:/{run_of_3}/m"]'
    settings.write_text(settings.read_text().replace(f'candidate = "models:/{name}@challenger"', several))
    # What an earlier run had found of a candidate that fails now.
    client.set_model_version_tag(name, "3", "model_gate.verdict", "pass")
    assert gate(folder, "pin")[0] == 0
    options = ("--gate-log", "mlflow", "--gate-promote", "champion", "--gate-report", "gates.json")
    status, out = shell(folder, "pytest", *workers, "-q", *options)
    assert status == 0, out
    winner, worse, run = (client.get_model_version(name, v).run_id for v in ("2", "3", "3"))
    assert f"logged: pass -> version 2 of {name} and run {winner}" in out
    assert f"logged: regressed -> version 3 of {name} and run {worse}" in out
    assert f"logged: regressed -> run {run}" in out
    assert f"promoted: {name}@champion moved from version 1 to version 2" in out
    assert aliases(registry, name)["champion"] == "2"

    tags = client.get_model_version(name, "2").tags
    assert (tags["model_gate.verdict"], tags["model_gate.credit.rank"]) == ("pass", "1 of 3")
    tags = client.get_model_version(name, "3").tags
    assert (tags["model_gate.verdict"], tags["model_gate.credit.verdict"]) == ("regressed", "regressed")
    assert tags["model_gate.credit.rank"] in ("2 of 3", "3 of 3")
    assert tags["model_gate.digest"] != client.get_model_version(name, "2").tags["model_gate.digest"]
    gains = [client.get_run(r).data.metrics["model_gate/credit/roc_auc/gain"] for r in (winner, worse)]
    assert gains[0] > 0 > gains[1]
    for run_id in (winner, worse):
        files = [file.path for file in client.list_artifacts(run_id, "model_gate")]
        assert files == ["model_gate/credit.json", "model_gate/credit.txt"]

    before = client.get_model_version(name, "3").tags
    status, out = gate(folder, "log", "gates.json")
    assert (status, out.count("logged  ")) == (0, 3), out
    assert client.get_model_version(name, "3").tags == before


def standing(rank: int | None, resolved: str, verdict: Verdict, line: Line | None = None) -> Standing:
    return Standing(
        rank=rank, source=f"source of {resolved or 'none'}", resolved=resolved,
        digest=f"sha256:{resolved}" if resolved else "", verdict=verdict, reason="why", line=line,
    )  # fmt: skip


def test_candidates_of_several_gates_are_told_by_the_gravest() -> None:
    single = record(gate="fairness", candidate="models:/credit/3", verdict=Verdict.PASS)
    (line, *_) = single.lines
    decides = single.roles[0].resolved, single.roles[0].digest
    board = Leaderboard(
        metric="ndcg@10", winner="models:/credit/2", alpha=0.05, level=0.02, correction="max-t", told_apart_at=0.05,
        standings=(
            standing(1, "models:/credit/2", Verdict.PASS, line),
            Standing(
                rank=2, source="s", resolved=decides[0], digest=decides[1], verdict=Verdict.REGRESSED, reason="", line=line
            ),
            standing(None, "models:/credit/4", Verdict.INVALID),
            standing(None, "", Verdict.ERROR),
        ),
    )  # fmt: skip
    contest = record(leaderboard=board)
    told: dict[str, TrackerEntry] = {
        entry.candidate: entry for entry in entries([contest, single], {"credit": "", "fairness": ""})
    }
    verdicts = {name: entry.verdict for name, entry in told.items()}
    assert verdicts == {
        "models:/credit/2": "pass",
        "models:/credit/3": "regressed",
        "models:/credit/4": "invalid",
    }
    third = told["models:/credit/3"].tags
    assert (third["model_gate.credit.verdict"], third["model_gate.fairness.verdict"]) == ("regressed", "pass")
    assert (third["model_gate.gates"], third["model_gate.credit.rank"]) == ("credit, fairness", "2 of 4")
    assert told["models:/credit/4"].tags["model_gate.credit.rank"] == "not ranked"
    assert not told["models:/credit/4"].metrics
    assert (
        json.loads(told["models:/credit/4"].files["model_gate/credit.json"])[0]["leaderboard"]["level"]
        == 0.02
    )


def test_a_candidate_that_could_not_be_opened_is_said(registry) -> None:
    from pytest_model_gate.gate.registry import build_registry

    board = Leaderboard(
        metric="m", winner="", alpha=0.05, level=0.02, correction="max-t", told_apart_at=0.05,
        standings=(standing(None, "", Verdict.ERROR),),
    )  # fmt: skip
    logged = log_verdicts(
        [record(registry.uri, leaderboard=board)], {"credit": ""}, tracker="mlflow", registry=build_registry()
    )
    assert logged.failed == (
        "gate credit: its candidate source of none could not be opened, so there is no place to log it: run the gate again when it can",
    )
    assert len(logged.done) == 1
