"""A registry with three versions of one model, on SQLite and on a real server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from registries import Registry


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(1500, 3)), columns=list("abc"))
    frame["y"] = (frame["a"] - frame["b"] + rng.normal(size=1500) > 0).astype(int)
    return frame


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, rows: pd.DataFrame) -> Path:
    """A SQLite store that tests copy: its artifacts are named by their place and stay where they are."""
    folder = tmp_path_factory.mktemp("registry")
    artifacts = (folder / "artifacts").as_uri()
    Registry(f"sqlite:///{(folder / 'mlflow.db').as_posix()}", rows, artifacts).register("credit")
    return folder


@pytest.fixture
def registry(template: Path, tmp_path: Path, rows: pd.DataFrame) -> Registry:
    """A registry of this test's own."""
    shutil.copy(template / "mlflow.db", tmp_path / "mlflow.db")
    artifacts = (tmp_path / "artifacts").as_uri()
    return Registry(f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}", rows, artifacts)


@pytest.fixture
def project(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one gate, pinned, and the current directory."""
    from pytest_model_gate.gate.evaluate import evaluate  # noqa: F401 - imported before the directory changes

    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return registry.project(folder, "credit")


@pytest.fixture
def named(mlflow_server: tuple[str, Path], rows: pd.DataFrame) -> Iterator[Callable[[str], Registry]]:
    """Register a model of a name of its own on the real server."""
    registry = Registry(mlflow_server[0], rows)

    def make(name: str) -> Registry:
        registry.register(name)
        return registry

    return make
