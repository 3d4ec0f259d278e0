"""MLflow's own scoring server on 127.0.0.1 with several models, one process for each process of a run.

``python mlflow_serving.py PORT FOLDER`` is that process: it writes models, loads them as MLflow does, and
serves each below its own name with ``mlflow.pyfunc.scoring_server``: what ``mlflow models serve`` runs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from systems.mlflow_server import free_port


@pytest.fixture(scope="session")
def mlflow_serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start it, and stop it at the end; returns its address."""
    folder = tmp_path_factory.mktemp("mlflow-serving")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    with (folder / "server.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            [sys.executable, __file__, str(port), str(folder)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait(f"{url}/linear/ping", server, folder / "server.log")
            yield url
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the scoring server did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def write_models(folder: Path) -> list[str]:
    """Write the models that are served; their names are those of the folders."""
    import mlflow
    import numpy as np
    import pandas as pd
    from mlflow.models import ModelSignature, infer_signature
    from mlflow.types import ColSpec, DataType, Schema
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rng = np.random.default_rng(7)
    rows = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
    rows["place"] = rng.choice(["north", "south", "west"], size=len(rows))
    label = np.where(rows["a"] - rows["b"] + (rows["place"] == "north") > 0, "yes", "no")
    encoder = make_column_transformer((OneHotEncoder(), ["place"]), remainder="passthrough")
    linear = make_pipeline(encoder, LogisticRegression()).fit(rows, label)
    signature = infer_signature(rows, linear.predict_proba(rows))
    quiet: dict[str, Any] = {"pip_requirements": ["mlflow"]}
    mlflow.sklearn.save_model(
        linear, folder / "linear", signature=signature, pyfunc_predict_fn="predict_proba", **quiet
    )
    mlflow.sklearn.save_model(linear, folder / "labels", signature=infer_signature(rows, label), **quiet)
    mlflow.sklearn.save_model(linear, folder / "untyped", pyfunc_predict_fn="predict_proba", **quiet)

    class Named(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
            said = 1 / (1 + np.exp(-model_input["a"].to_numpy(dtype=float)))
            return pd.DataFrame({"no": 1 - said, "yes": said, "row": range(len(said))})

    class Parity(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        """Says of each row what arrived: whether the number is odd, the hour, the truth, the length."""

        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> list[str]:
            return [
                f"{row.big % 2} {row.when.hour} {row.flag} {len(row.text)} {row.half!r}"
                for row in model_input.itertuples()
            ]

    class Types(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> list[str]:
            return [", ".join(map(str, model_input.dtypes))] * len(model_input)

    types = {
        "big": DataType.long,
        "when": DataType.datetime,
        "flag": DataType.boolean,
        "text": DataType.string,
        "half": DataType.double,
    }
    schema = Schema([ColSpec(kind, name) for name, kind in types.items()])
    mlflow.pyfunc.save_model(folder / "named", python_model=Named(), **quiet)
    mlflow.pyfunc.save_model(
        folder / "parity", python_model=Parity(), signature=ModelSignature(inputs=schema), **quiet
    )
    mlflow.pyfunc.save_model(folder / "types", python_model=Types(), **quiet)
    return ["linear", "labels", "untyped", "named", "parity", "types"]


def main(port: int, folder: Path) -> None:
    """Write, load and serve the models."""
    import uvicorn
    from fastapi import FastAPI
    from mlflow.pyfunc import load_model
    from mlflow.pyfunc.scoring_server import init

    app = FastAPI()
    for name in write_models(folder):
        app.mount(f"/{name}", init(load_model(str(folder / name))))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
