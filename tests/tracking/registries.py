"""A registry with three versions of one model, on SQLite or on a server, and a project with a gate on it."""

from __future__ import annotations

import os
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

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
