"""A registry with three versions of one model, on SQLite and on a real server."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

GATES = """
[tool.pytest.ini_options]
addopts = "-p no:cacheprovider"

[tool.model_gate]
tracking_uri = "{uri}"

[tool.model_gate.gates.credit]
candidate = "models:/{model}@challenger"
production = "models:/{model}@champion"
dataset = "holdout.parquet"
target = "y"
metrics = ["roc_auc", "log_loss"]
"""

TEST = """
import pytest

@pytest.mark.model_gate("credit")
def test_credit():
    pass
"""


@dataclass(frozen=True)
class Registry:
    """Where models are: ``NAME`` has versions 1 (champion), 2 (challenger, better) and 3 (worse)."""

    uri: str
    rows: pd.DataFrame
    artifacts: str | None = None

    def client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def register(self, name: str, *, in_runs: bool = True) -> None:
        import mlflow
        from sklearn.linear_model import LogisticRegression

        before = os.environ.get("MLFLOW_TRACKING_URI")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                mlflow.set_tracking_uri(self.uri)
                mlflow.create_experiment(name, artifact_location=self.artifacts)
                mlflow.set_experiment(name)
                for columns in (["a"], ["a", "b"], ["c"]):
                    with mlflow.start_run() if in_runs else nullcontext():
                        model = LogisticRegression().fit(self.rows[columns], self.rows["y"])
                        mlflow.sklearn.log_model(
                            model, name="m", registered_model_name=name, pip_requirements=["mlflow"]
                        )
                client = mlflow.MlflowClient()
                for alias, version in (("champion", "1"), ("challenger", "2"), ("worse", "3")):
                    client.set_registered_model_alias(name, alias, version)
            finally:
                mlflow.set_tracking_uri(None)
                if before is not None:
                    os.environ["MLFLOW_TRACKING_URI"] = before

    def project(self, folder: Path, name: str) -> Path:
        """Write a project with one gate about a model of this registry."""
        self.rows.to_parquet(folder / "holdout.parquet")
        (folder / "pyproject.toml").write_text(GATES.format(uri=self.uri, model=name))
        (folder / "test_gate.py").write_text(TEST)
        return folder


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
