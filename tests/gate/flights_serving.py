"""MLflow's scoring server with the five models of the flights: ``python flights_serving.py PORT FOLDER``.

The folder has one model of MLflow for each, named as the model; each is served below its own name.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def serving(task: Any, folder: Path) -> Iterator[str]:
    """Serve the models in a process of its own, and yield its address."""
    import mlflow
    from flights_served import served
    from flights_task import FILES, MODELS, signature

    from systems.mlflow_server import free_port
    from systems.mlflow_serving import _wait

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in MODELS:
            mlflow.pyfunc.save_model(
                path=str(folder / name),
                python_model=served(name),
                artifacts={"model": str(task.root / FILES[name])},
                pip_requirements=["mlflow"],
                signature=signature(task.holdout),
            )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            [sys.executable, __file__, str(port), str(folder)],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait(f"{url}/sklearn/ping", server, folder / "server.log")
            yield url
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def main(port: int, folder: Path) -> None:
    """Load and serve what lies in the folder."""
    import uvicorn
    from fastapi import FastAPI
    from mlflow.pyfunc import load_model
    from mlflow.pyfunc.scoring_server import init

    app = FastAPI()
    for path in sorted(path for path in folder.iterdir() if (path / "MLmodel").is_file()):
        app.mount(f"/{path.name}", init(load_model(str(path))))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
