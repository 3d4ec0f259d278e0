"""Small data, models fitted on it, and real MLflow stores that hold them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.spec import SourceContext

NUMBERS = ["a", "b", "c"]


@dataclass(frozen=True)
class Data:
    """Rows with numbers and text, and two targets."""

    rows: pd.DataFrame
    label: np.ndarray
    value: np.ndarray

    @property
    def numbers(self) -> pd.DataFrame:
        return self.rows[NUMBERS]

    @property
    def categories(self) -> pd.DataFrame:
        return self.rows.astype({"place": "category"})


@pytest.fixture(scope="session")
def data() -> Data:
    rng = np.random.default_rng(7)
    rows = pd.DataFrame(rng.normal(size=(200, 3)), columns=NUMBERS)
    rows["place"] = rng.choice(["north", "south", "west"], size=len(rows))
    signal_ = rows["a"] - rows["b"] + (rows["place"] == "north") + rng.normal(size=len(rows)) / 2
    return Data(rows, (signal_ > 0).to_numpy().astype(int), signal_.to_numpy())


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    """Open a source as a gate would, with ``tmp_path`` as the project."""

    def open_source(source: str, **context: Any) -> Any:
        return model_gate_model(source, SourceContext(**{"root": str(tmp_path), **context}))

    return open_source


@dataclass(frozen=True)
class Store:
    """An MLflow store with the model ``credit``: version 1 (skops), 2 (XGBoost), 3 (pickle)."""

    uri: str
    run_id: str
    models: dict[str, Any]
    folder: Path

    def client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)


def fill(uri: str, folder: Path, data: Data, artifacts: str | None = None) -> Store:
    """Register three models with their aliases."""
    import mlflow
    import xgboost
    from mlflow.models import infer_signature
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = os.environ.get("MLFLOW_TRACKING_URI")
        try:
            mlflow.set_tracking_uri(uri)
            experiment = mlflow.create_experiment("gate", artifact_location=artifacts)
            logistic = LogisticRegression().fit(data.numbers, data.label)
            boosted = xgboost.XGBClassifier(n_estimators=4, enable_categorical=True)
            boosted.fit(data.categories, data.label)
            signature = infer_signature(data.numbers, data.label)
            with mlflow.start_run(experiment_id=experiment) as run:
                for name, log, model, more in (
                    ("linear", mlflow.sklearn.log_model, logistic, {"signature": signature}),
                    ("trees", mlflow.xgboost.log_model, boosted, {}),
                    ("pickled", mlflow.sklearn.log_model, logistic, {"serialization_format": "cloudpickle"}),
                ):
                    log(model, name=name, registered_model_name="credit", pip_requirements=["mlflow"], **more)
            client = mlflow.MlflowClient()
            for alias, version in (("champion", "1"), ("challenger", "2"), ("pickled", "3")):
                client.set_registered_model_alias("credit", alias, version)
        finally:
            mlflow.set_tracking_uri(None)  # which also takes it out of the environment
            if before is not None:
                os.environ["MLFLOW_TRACKING_URI"] = before
    return Store(uri, run.info.run_id, {"linear": logistic, "trees": boosted, "pickled": logistic}, folder)


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory, data: Data) -> Store:
    folder = tmp_path_factory.mktemp("mlflow-sqlite")
    uri = f"sqlite:///{(folder / 'mlflow.db').as_posix()}"
    return fill(uri, folder, data, artifacts=(folder / "artifacts").as_uri())


@pytest.fixture(scope="session")
def server_store(mlflow_server: tuple[str, Path], data: Data) -> Store:
    uri, folder = mlflow_server
    return fill(uri, folder, data)
