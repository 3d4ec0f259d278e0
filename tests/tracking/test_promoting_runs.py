"""From a run of pytest to an alias that moved, as a person does it in a shell."""
# ruff: noqa: E501 - whole messages stay on one line

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def shell(project: Path, *command: str) -> tuple[int, str]:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "MLFLOW_T"))
    }
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project, env=environment, encoding="utf-8", timeout=300, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def gate(project: Path, *arguments: str) -> tuple[int, str]:
    return shell(project, "pytest_model_gate", *arguments)


def alias(registry) -> str:
    return str(registry.client().get_model_version_by_alias("credit", "champion").version)


def test_judge_log_and_promote_in_one_run(project: Path, registry) -> None:
    status, out = gate(project, "pin")
    assert status == 0, out
    status, out = shell(
        project, "pytest", "-n", "2", "-q", "--gate-log", "mlflow", "--gate-promote", "champion"
    )
    assert status == 0, out
    assert "logged: pass -> version 2 of credit and run " in out
    assert "promoted: credit@champion moved from version 1 to version 2" in out
    assert alias(registry) == "2"
    tags = registry.client().get_model_version("credit", "2").tags
    assert tags["model_gate.verdict"] == "pass"


def test_a_logged_model_is_promoted_as_the_version_that_it_is(project: Path, registry) -> None:
    gate(project, "pin")
    client = registry.client()
    source = client.get_model_version("credit", "2").source
    run = ("pytest", "-q", "--gate-candidate", source, "--gate-log", "mlflow")
    status, out = shell(project, *run, "--gate-promote", "champion", "--gate-report", "gates.json")
    assert status == 0, out
    model_id = source.removeprefix("models:/")
    assert f"logged: pass -> logged model {model_id} and run " in out
    assert "promoted: credit@champion moved from version 1 to version 2" in out
    assert alias(registry) == "2"
    assert client.get_logged_model(model_id).tags["model_gate.verdict"] == "pass"

    # From its report, with a gate that the report lacks and that judges the same model.
    promote = ("promote", "gates.json", "--to", "champion", "--gate-candidate", source)
    assert gate(project, *promote) == (0, "credit@champion is version 2 already\n")
    more = (project / "test_gate.py").read_text().replace('"credit"', '"more"')
    (project / "test_more.py").write_text(more)
    settings = project / "pyproject.toml"
    its = settings.read_text().split("[tool.model_gate.gates.credit]")[1]
    its = its.replace("models:/credit@challenger", source)
    settings.write_text(f"{settings.read_text()}\n[tool.model_gate.gates.more]{its}")
    status, out = gate(
        project, "promote", "gates.json", "--to", "champion", "--gate-candidate", f"credit={source}"
    )
    assert status == 1
    assert "gate more judges credit too, and is not in the report" in out


def test_a_gate_that_fails_promotes_nothing(project: Path, registry) -> None:
    gate(project, "pin")
    worse = ("--gate-candidate", "models:/credit@worse")
    status, out = shell(project, "pytest", "-q", "--gate-promote", "champion", "--gate-log", "mlflow", *worse)
    assert status == 1
    assert "Nothing is promoted: gate credit is REGRESSED" in out
    assert alias(registry) == "1"
    assert registry.client().get_model_version("credit", "3").tags["model_gate.verdict"] == "regressed"


def test_a_version_that_cannot_be_loaded_any_more_loses_its_pass(project: Path, registry) -> None:
    gate(project, "pin")
    registry.register("torn")
    client = registry.client()
    version = client.get_model_version("torn", "2")
    client.set_model_version_tag("torn", "2", "model_gate.verdict", "pass")
    logged = client.get_logged_model(version.source.removeprefix("models:/"))
    (model,) = Path(logged.artifact_location.removeprefix("file://")).glob("model.*")
    model.write_bytes(b"torn" + model.read_bytes()[4:])
    # The alias says which version is meant, though nothing of it can be loaded.
    status, out = shell(
        project, "pytest", "-q", "--gate-candidate", "models:/torn@challenger", "--gate-log", "mlflow"
    )
    assert status == 1, out
    assert f"logged: invalid -> version 2 of torn and run {version.run_id}" in out
    assert client.get_model_version("torn", "2").tags["model_gate.verdict"] == "invalid"


@pytest.mark.parametrize("option", ["--gate-pin", "--gate-advise"])
def test_options_that_do_not_go_together(project: Path, registry, option: str) -> None:
    status, out = shell(project, "pytest", "-q", "--gate-promote", "champion", option)
    assert status == 4
    assert (
        f"--gate-promote moves an alias to what passed, and {option} lets pass what nobody agreed to" in out
    )
    assert alias(registry) == "1"


def test_promote_from_a_report(project: Path, registry) -> None:
    gate(project, "pin")
    status, out = shell(project, "pytest", "-q", "--gate-report", "gates.json")
    assert status == 0, out
    promote = ("promote", "gates.json", "--to", "champion")
    assert gate(project, *promote, "--dry-run") == (
        0,
        "credit@champion would move from version 1 to version 2\n",
    )
    settings = project / "pyproject.toml"
    text = settings.read_text()

    settings.write_text(text.replace('["roc_auc", "log_loss"]', '["roc_auc"]'))
    status, out = gate(project, *promote)
    assert (status, " ".join(out.split())) == (
        1,
        "REFUSED Nothing is promoted: gate credit asks something else now than when it was judged. "
        "next: Run the gates again.",
    )
    settings.write_text(text)

    lock = project / "model-gate.lock"
    pinned = lock.read_text()
    digest = json.loads((project / "gates.json").read_text())["records"][0]["dataset"]["digest"]
    lock.write_text(pinned.replace(digest, "sha256:" + "0" * 64))
    status, out = gate(project, *promote)
    assert status == 1
    assert "holdout.parquet was judged with another content than is pinned now" in out
    lock.write_text(pinned)

    (project / "test_more.py").write_text(
        (project / "test_gate.py").read_text().replace('"credit"', '"more"')
    )
    more = text.split("[tool.model_gate.gates.credit]")[1]
    settings.write_text(f"{text}\n[tool.model_gate.gates.more]{more}")
    status, out = gate(project, *promote)
    assert status == 1
    assert "gate more judges credit too, and is not in the report" in out
    (project / "test_more.py").unlink()
    settings.write_text(text)

    assert alias(registry) == "1"
    assert gate(project, *promote, "--reason", "June") == (
        0,
        "credit@champion moved from version 1 to version 2\n",
    )
    assert alias(registry) == "2"
    status, out = gate(
        project, "promote", "--back", "credit", "--to", "champion", "--tracking-uri", registry.uri
    )
    assert (status, out) == (0, "credit@champion moved back from version 2 to version 1\n")


def test_a_tracker_that_is_down_loses_nothing(project: Path, registry, unused_port: int) -> None:
    gate(project, "pin")
    (project / "conftest.py").write_text(
        "import os\n\n\ndef pytest_sessionfinish():\n    os.rename(os.environ['STORE'], os.environ['STORE'] + '.away')\n"
    )
    store = registry.uri.removeprefix("sqlite:///")
    os.environ["STORE"] = store
    try:
        status, out = shell(project, "pytest", "-q", "--gate-log", "mlflow")
    finally:
        del os.environ["STORE"]
    assert status == 0, out
    assert "NOT LOGGED: models:/credit/2: There is no MLflow store at sqlite:///" in out
    assert "nothing is lost: model-gate log model-gate-report.json --tracker mlflow" in out
    assert gate(project, "log", "model-gate-report.json")[0] == 1
    Path(store + ".away").rename(store)
    status, out = gate(project, "log", "model-gate-report.json", "--tracker", "mlflow")
    assert status == 0
    assert out.startswith("logged      pass -> version 2 of credit and run ")
    assert registry.client().get_model_version("credit", "2").tags["model_gate.verdict"] == "pass"


def test_a_tracker_that_nobody_has(project: Path) -> None:
    status, out = shell(project, "pytest", "-q", "--gate-log", "mlflw")
    assert status == 4
    assert "--gate-log: No tracker is called 'mlflw'." in out
    assert gate(project, "log", "gates.json", "--tracker", "mlflw")[0] == 2
    assert gate(project, "promote", "--to", "champion")[0] == 2
