"""Servers that die in the middle, and registries that change between two looks: nothing moves by mistake."""
# ruff: noqa: E501 - whole messages stay on one line

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from registries import Registry
from test_aliases import aliases, wish
from test_log import log, record
from test_promoting_runs import gate, shell

from pytest_model_gate.errors import ModelGateError, UnavailableError
from pytest_model_gate.gate.promoting import promote, roll_back
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import SourceContext
from systems.mlflow_server import MlflowServer
from systems.relay import Relay, relaying

pytestmark = pytest.mark.mlflow_server


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture(scope="module")
def registered(mortal_server: MlflowServer, rows) -> Callable[[str], Registry]:
    def make(name: str) -> Registry:
        registry = Registry(mortal_server.uri, rows)
        registry.register(name)
        return registry

    return make


@pytest.fixture
def relay(mortal_server: MlflowServer) -> Iterator[Relay]:
    with relaying(mortal_server.uri) as found:
        yield found


def every_place(relay: Relay, act: Callable[[], Any]) -> Iterator[bool]:
    """Act once for each request, the line broken behind it; say whether it came to its end.

    What is broken before a request is, for the server, broken behind the one before.
    """
    number, whole = 0, False
    while not whole:
        relay.heal()
        relay.rule = lambda method, path, count, number=number: "pass" if count < number else "after"
        try:
            act()
            arrived = True
        except ModelGateError:
            arrived = False
        whole = not relay.broken
        relay.heal()
        yield arrived
        number += 1


def test_wherever_logging_breaks_there_is_no_pass_without_everything(registered, relay: Relay) -> None:
    registry = registered("cut")
    client, judged = registry.client(), record(relay.uri, candidate="models:/cut/2")
    failing = record(registry.uri, candidate="models:/cut/2", verdict=Verdict.REGRESSED, lines=())
    run_id = client.get_model_version("cut", "2").run_id

    def everything() -> tuple[object, ...]:
        run = client.get_run(run_id)
        files = [file.path for file in client.list_artifacts(run_id, "model_gate")]
        return client.get_model_version("cut", "2").tags, run.data.metrics, files

    log([replace(judged, tracking_uri=registry.uri)])
    whole, places = everything(), 0
    log([failing])

    def act() -> None:
        logged = log([judged])
        assert bool(logged.done) != bool(logged.failed)
        if logged.failed:
            raise UnavailableError(logged.failed[0])

    for arrived in every_place(relay, act):
        verdict = client.get_model_version("cut", "2").tags["model_gate.verdict"]
        assert verdict in ("pass", "being written", "regressed")
        assert not (arrived and verdict != "pass")
        if verdict == "pass":
            assert everything() == whole
        log([judged])
        assert everything() == whole
        log([failing])
        places += 1
    assert places >= 10


def test_wherever_a_promotion_breaks_it_can_be_finished_and_taken_back(registered, relay: Relay) -> None:
    registry = registered("halved")
    client, places = registry.client(), 0
    asked = replace(wish(registry, "halved"), tracking_uri=relay.uri)

    def clean() -> None:
        client.set_registered_model_alias("halved", "champion", "1")
        for name in client.get_registered_model("halved").tags:
            client.delete_registered_model_tag("halved", name)
        for name in client.get_model_version("halved", "2").tags:
            client.delete_model_version_tag("halved", "2", name)

    clean()
    for arrived in every_place(relay, lambda: promote(asked, settle=0, reason="why")):
        assert aliases(registry, "halved")["champion"] in ("1", "2")
        assert not arrived or aliases(registry, "halved")["champion"] == "2"
        said = promote(asked, settle=0, reason="why")
        assert said in (
            "halved@champion moved from version 1 to version 2",
            "halved@champion is version 2 already",
        )
        note = json.loads(client.get_model_version("halved", "2").tags["model_gate.promoted.champion"])
        assert (note["from"], note["why"], note["gates"]) == ("1", "why", "credit")
        tags = client.get_registered_model("halved").tags
        assert list(tags) == ["model_gate.history.champion"]
        assert [entry["version"] for entry in json.loads(tags["model_gate.history.champion"])] == ["1"]
        back = roll_back("halved", "champion", tracking_uri=registry.uri, settle=0)
        assert back == "halved@champion moved back from version 2 to version 1"
        clean()
        places += 1
    assert places >= 8


def test_wherever_a_way_back_breaks_it_goes_back_once(registered, relay: Relay) -> None:
    registry = registered("back")
    first, second = wish(registry, "back"), wish(registry, "back", "3", "2")
    uri, places = {"settle": 0}, 0

    def begin() -> None:
        registry.client().set_registered_model_alias("back", "champion", "1")
        registry.client().delete_registered_model_tag("back", "model_gate.history.champion")
        promote(first, settle=0)
        promote(second, settle=0)

    begin()
    for _ in every_place(relay, lambda: roll_back("back", "champion", tracking_uri=relay.uri, **uri)):
        now = aliases(registry, "back")["champion"]
        assert now in ("2", "3")
        said = roll_back("back", "champion", tracking_uri=registry.uri, **uri)
        assert said == (
            "back@champion moved back from version 3 to version 2"
            if now == "3"
            else "back@champion moved back from version 2 to version 1"
        )
        begin()
        places += 1
    assert places >= 6


def project_at(registry: Registry, relay: Relay, folder: Path, name: str, more: str = "") -> Path:
    folder.mkdir()
    Registry(relay.uri, registry.rows).project(folder, name)
    settings = folder / "pyproject.toml"
    settings.write_text(settings.read_text() + more)
    assert gate(folder, "pin")[0] == 0
    return folder


def killed_at(relay: Relay, server: MlflowServer, method: str, part: str, how: str = "after") -> None:
    relay.heal()
    relay.rule = lambda its_method, path, number: how if its_method == method and part in path else "pass"
    relay.on_break = server.kill


def test_a_server_that_is_killed_while_it_is_told_of_a_verdict(
    registered, relay: Relay, mortal_server, tmp_path: Path
) -> None:
    registry = registered("killed")
    project = project_at(registry, relay, tmp_path / "project", "killed")
    killed_at(relay, mortal_server, "PUT", "mlflow-artifacts")
    run = ("pytest", "-q", "--gate-log", "mlflow", "--gate-promote", "champion")
    status, out = shell(project, *run)
    assert status == 1, out
    assert "credit: pass" in out
    assert (
        f"NOT LOGGED: models:/killed/2: The MLflow server {relay.uri} cannot be reached, so 'models:/killed/2' could not be opened."
        in " ".join(out.split())
    )
    assert "nothing is lost: model-gate log model-gate-report.json --tracker mlflow" in out
    assert "PROBLEM" in out
    (judged,) = json.loads((project / "model-gate-report.json").read_text())["records"]
    assert (judged["verdict"], len(judged["lines"])) == ("pass", 2)

    mortal_server.start()
    relay.heal()
    tags = registry.client().get_model_version("killed", "2").tags
    assert tags["model_gate.verdict"] == "being written"
    assert aliases(registry, "killed")["champion"] == "1"
    status, out = gate(project, "log", "model-gate-report.json")
    assert (status, out.startswith("logged      pass -> version 2 of killed and run ")) == (0, True), out
    assert registry.client().get_model_version("killed", "2").tags["model_gate.verdict"] == "pass"


def test_a_server_that_is_killed_while_an_alias_moves(
    registered, relay: Relay, mortal_server, tmp_path: Path
) -> None:
    registry = registered("moving")
    project = project_at(registry, relay, tmp_path / "project", "moving")
    killed_at(relay, mortal_server, "POST", "registered-models/alias")
    run = ("pytest", "-q", "--gate-promote", "champion", "--gate-report", "gates.json")
    status, out = shell(project, *run)
    assert status == 1, out
    assert "cannot be reached" in out
    assert json.loads((project / "gates.json").read_text())["records"][0]["verdict"] == "pass"

    mortal_server.start()
    relay.heal()
    assert aliases(registry, "moving")["champion"] == "2"
    assert gate(project, "promote", "gates.json", "--to", "champion") == (
        0,
        "moving@champion is version 2 already\n",
    )
    note = json.loads(registry.client().get_model_version("moving", "2").tags["model_gate.promoted.champion"])
    assert note["from"] == "1"
    back = roll_back("moving", "champion", tracking_uri=registry.uri, settle=0)
    assert back == "moving@champion moved back from version 2 to version 1"


def test_a_server_that_is_killed_while_a_use_is_counted(
    registered, relay: Relay, mortal_server, tmp_path: Path
) -> None:
    registry = registered("counting")
    keys = 'holdout_budget = 2\nledger = "mlflow:counting-ledger"\n'
    project = project_at(registry, relay, tmp_path / "project", "counting", keys)
    assert gate(project, "ledger", "--move-to", "mlflow:counting-ledger")[0] == 0
    killed_at(relay, mortal_server, "POST", "runs/log-parameter")
    kill, seen = relay.rule, []

    def second(method: str, path: str, number: int) -> str:
        """Let the parameter pass that says which rows the dataset has: the next one is the use."""
        seen.extend([path] if kill(method, path, number) != "pass" else [])
        return "after" if len(seen) == 2 else "pass"

    relay.rule = second
    status, out = shell(project, "pytest", "-q")
    assert status == 1, out
    said = f"credit: ERROR  holdout: The MLflow server {relay.uri} cannot be reached, so 'mlflow:counting-ledger'"
    assert said in " ".join(out.split("\n"))

    mortal_server.start()
    relay.heal()
    status, out = shell(project, "pytest", "-q")
    assert (status, "use 1 of 2 of this holdout" in out) == (0, True), out
    status, out = gate(project, "ledger")
    assert f"mlflow:counting-ledger on {relay.uri}: 3 entries, all there and as they were written" in out
    assert "uses     1 of 2 (equal), 1 left; 1 passed" in out


def test_an_alias_that_moves_between_two_looks(registered, relay: Relay, monkeypatch, tmp_path: Path) -> None:
    registry = registered("swift")
    monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path / "cache"))
    moved = []

    def rule(method: str, path: str, number: int) -> str:
        if "artifacts" in path and not moved:
            registry.client().set_registered_model_alias("swift", "champion", "3")
            moved.append(path)
        return "pass"

    relay.rule = rule
    context = SourceContext(root=str(tmp_path), tracking_uri=relay.uri)
    model = model_gate_model("models:/swift@champion", context)
    assert moved
    assert model.resolved == "models:/swift/1"
    assert model.digest == model_gate_model("models:/swift/1", context).digest
    assert model_gate_model("models:/swift@champion", context).resolved == "models:/swift/3"


def test_a_version_that_is_deleted_between_two_looks(
    registered, relay: Relay, monkeypatch, tmp_path: Path
) -> None:
    registry = registered("gone")
    monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path / "cache"))

    def rule(method: str, path: str, number: int) -> str:
        if (
            "registered-models/alias" not in path
            and "2" in registry.client().get_registered_model("gone").aliases.values()
        ):
            registry.client().delete_model_version("gone", "2")
        return "pass"

    relay.rule = rule
    with pytest.raises(UnavailableError) as error:
        model_gate_model("models:/gone@challenger", SourceContext(root=str(tmp_path), tracking_uri=relay.uri))
    assert (error.value.what, error.value.remedy) == (
        f"The model 'gone' has no version 2 in the registry at {relay.uri}.",
        "It has: 1, 3.",
    )


def test_a_version_that_is_deleted_after_it_passed(registered) -> None:
    registry = registered("late")
    asked = wish(registry, "late")
    registry.client().delete_model_version("late", "2")
    with pytest.raises(UnavailableError) as error:
        promote(asked, settle=0)
    assert error.value.what == f"The model 'late' has no version 2 in the registry at {registry.uri}."
    assert aliases(registry, "late")["champion"] == "1"


def test_four_who_promote_at_once(registered) -> None:
    registry = registered("four")
    wishes = [wish(registry, "four", version) for version in ("2", "3", "2", "3")]

    def attempt(asked: Any) -> str:
        try:
            return promote(asked)
        except ModelGateError as error:
            return f"refused: {error}"

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(attempt, wishes))
    champion = aliases(registry, "four")["champion"]
    moved = [text for text in said if "moved from" in text]
    assert moved == [f"four@champion moved from version 1 to version {champion}"], said
