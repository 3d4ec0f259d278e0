"""Runs of pytest with a prediction cache: switches, workers, reports, and the shell command."""

from __future__ import annotations

import os
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from gate_projects import report_of
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pytest_model_gate.cli import main
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.pinning import pin_gate
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.report.json import read
from pytest_model_gate.spec import GateSpec

GATES = """
target = "y"
dataset = "rows.csv"
metrics = ["roc_auc"]
baseline = "prior"
candidate = "good.onnx"
production = "poor.onnx"
{}

[gates.credit]
[gates.again]
metrics = ["log_loss"]
"""
TESTS = """
import pytest

@pytest.mark.model_gate("credit")
def test_credit():
    pass

@pytest.mark.model_gate("again")
def test_again():
    pass
"""


BOTH = ["candidate", "production"]


@pytest.fixture
def place(monkeypatch, tmp_path_factory):
    """A cache of the test's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MODEL_GATE_CACHE", str(folder))
    return folder / "predictions"


def with_models(project, cache="cache = true"):
    """Make it a project with model files, whose rows are pinned."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"a": rng.normal(size=2000), "b": rng.normal(size=2000)})
    rows["y"] = (rows.a + rows.b + rng.normal(size=2000) > 0).astype(int)
    rows.to_csv(project.path / "rows.csv", index=False)
    for name, strength in (("good", 1.0), ("poor", 0.001)):
        columns = make_column_transformer((StandardScaler(), ["a", "b"]))
        fitted = make_pipeline(columns, LogisticRegression(C=strength)).fit(rows[["a", "b"]], rows.y)
        inputs = [(column, DoubleTensorType([None, 1])) for column in ("a", "b")]
        graph = to_onnx(fitted, initial_types=inputs, options={"zipmap": False})
        (project.path / f"{name}.onnx").write_bytes(graph.SerializeToString())
    project.gates(GATES.format(cache))
    project.write(test_gates=TESTS)
    registry = build_registry()
    (project.path / "model-gate.lock").unlink()
    spec = GateSpec(
        name="pin",
        candidate="good.onnx",
        production="poor.onnx",
        dataset="rows.csv",
        target="y",
        metrics=("roc_auc",),
        root=str(project.path),
    )
    assert not pin_gate(checked(spec, registry), registry, today=date(2030, 1, 31)).fails


def run(project, *arguments):
    """Run both gates, and return their records."""
    result = project.run("--gate-report", "out.json", *arguments)
    assert result.ret == 0
    tested = read(project.path / "out.json").tested
    return [record for test in tested for record in test.records], result


def from_cache(records):
    return [sorted(role.role for role in record.roles if role.from_cache) for record in records]


def test_the_second_run_takes_what_the_first_one_kept(anywhere, place):
    """Also where two workers write and read one folder, each with a gate of the same two models."""
    with_models(anywhere)
    cold, _ = run(anywhere)
    assert len(list(place.iterdir())) == 2
    warm, result = run(anywhere)
    assert from_cache(warm) == [BOTH, BOTH]
    assert [record.lines for record in warm] == [record.lines for record in cold]
    digest = warm[0].roles[1].digest[: len("sha256:") + 12]
    shown = [line for line in report_of(result) if line.startswith("  production ")]
    assert shown == [f"  production  poor.onnx   {digest}   predictions from the cache"] * 2


def test_it_is_off_unless_asked(project, place):
    with_models(project, cache="")
    run(project)
    assert not place.exists()
    run(project, "--gate-cache")
    assert len(list(place.iterdir())) == 2
    assert from_cache(run(project)[0]) == [[], []]
    assert from_cache(run(project, "--gate-cache")[0]) == [BOTH, BOTH]


def test_a_run_can_do_without(project, place):
    with_models(project)
    run(project)
    assert from_cache(run(project, "--gate-no-cache")[0]) == [[], []]
    # Of two switches the last one counts, as everywhere in pytest: addopts may hold the usual one.
    assert from_cache(run(project, "--gate-no-cache", "--gate-cache")[0]) == [BOTH, BOTH]
    assert from_cache(run(project, "--gate-cache", "--gate-no-cache")[0]) == [[], []]


def test_a_wrong_value_is_refused(project, place):
    with_models(project, cache='cache = "often"')
    result = project.run()
    assert result.ret == 2
    assert "model_gate.toml: cache: must be true or false, got 'often'." in result.outlines
    assert not place.exists()


def test_the_shell_shows_and_clears(project, place, capsys):
    with_models(project)
    shell = place.as_posix()
    head = f"folder     {shell}\nholds      "
    assert main(["cache", "show"]) == 0
    assert capsys.readouterr().out == f"{head}0 files, 0.0 MB\nat most    1,000.0 MB\n"
    run(project)
    capsys.readouterr()
    for number, file in enumerate(sorted(place.iterdir())):
        os.utime(file, (1_900_000_000 + 86_400 * number,) * 2)
    first, last = (datetime.fromtimestamp(1_900_000_000 + 86_400 * n) for n in (0, 1))
    assert main(["cache", "show"]) == 0
    assert capsys.readouterr().out == (
        f"{head}2 files, 0.1 MB\nat most    1,000.0 MB\n"
        f"last used  {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}\n"
    )
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == f"2 files removed from {shell}\n"
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == f"0 files removed from {shell}\n"
