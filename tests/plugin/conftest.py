"""Small projects with gates that are real: a CSV dataset, predictions as models, a lock file."""

from __future__ import annotations

import math
import random
from datetime import date
from pathlib import Path

# As in tests/conftest.py: what an in-process run imports for the first time is thrown away after it, and
# extension modules cannot be loaded twice.
import pyarrow.csv  # noqa: F401
import pytest
import scipy.special  # noqa: F401
import tabulate  # noqa: F401
from gate_projects import GATES, ROWS, Project

import pytest_model_gate.config.tables
import pytest_model_gate.gate.compare
import pytest_model_gate.report.terminal  # noqa: F401
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.pinning import pin_gate
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.spec import GateSpec


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """A folder with the dataset, the predictions and the lock file."""
    folder = tmp_path_factory.mktemp("data")
    rng = random.Random(7)
    holdout, scores = ["id,y,region"], ["id,good,poor"]
    for number in range(ROWS):
        seen, hidden = rng.gauss(0, 1), rng.gauss(0, 1)
        label = int(rng.random() < _share(2 * seen + 2 * hidden))
        holdout.append(f"{number},{label},{'north' if number % 4 else 'south'}")
        scores.append(f"{number},{_share(2 * seen + 2 * hidden):.6f},{_share(seen):.6f}")
    (folder / "holdout.csv").write_text("\n".join(holdout) + "\n")
    (folder / "scores.csv").write_text("\n".join(scores) + "\n")
    registry = build_registry()
    spec = GateSpec(
        name="pin",
        candidate="predictions:scores.csv#good",
        production="none",
        baseline="prior",
        dataset="holdout.csv",
        target="y",
        metrics=("roc_auc",),
        root=str(folder),
    )
    assert not pin_gate(checked(spec, registry), registry, today=date(2030, 1, 31)).fails
    return folder


def _share(score: float) -> float:
    return 1 / (1 + math.exp(-score))


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory) -> Path:
    """Where the subprocesses of all tests share what they compiled."""
    return tmp_path_factory.mktemp("bytecode")


@pytest.fixture
def make_project(pytester, data, bytecode, monkeypatch):
    """Make a project in a world."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(bytecode))
    for name in ("PYTEST_ADDOPTS", "CI", "GITHUB_ACTIONS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)

    def make_project(world: str) -> Project:
        for file in data.iterdir():
            (pytester.path / file.name).write_bytes(file.read_bytes())
        (pytester.path / "model_gate.toml").write_text(GATES)
        return Project(pytester, world)

    return make_project


@pytest.fixture
def project(make_project):
    """A project that is run in this process."""
    return make_project("plain")


@pytest.fixture(params=["plain", "n0", "n2"])
def anywhere(make_project, request):
    """A project that is run without xdist, with ``-n0`` and with ``-n2``."""
    if request.param != "plain":
        pytest.importorskip("xdist")
    return make_project(request.param)


@pytest.fixture
def distributed(make_project):
    """A project that is run with ``-n2``."""
    pytest.importorskip("xdist")
    return make_project("n2")
