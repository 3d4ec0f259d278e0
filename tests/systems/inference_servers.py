"""MLServer and KServe's server on 127.0.0.1, where an environment has them.

They ask for older versions of what this project uses, so they live in an environment of their own: the
variable ``MODEL_GATE_TEST_SERVERS`` names its Python. ``tox run -e servers`` makes it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from systems.mlflow_server import free_port

VARIABLE = "MODEL_GATE_TEST_SERVERS"

TRAIN = """\
import sys
import joblib, numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
rows = np.random.default_rng(3).normal(size=(300, 3))
joblib.dump(HistGradientBoostingClassifier(max_iter=5).fit(rows, rows[:, 0] > 0), sys.argv[1])
"""


def _python() -> str:
    found = os.environ.get(VARIABLE, "")
    if not found:
        pytest.skip(f"{VARIABLE} names no Python that has mlserver and kserve: tox run -e servers")
    return found


@pytest.fixture(scope="session")
def mlserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MLServer with ``credit`` (version v3), ``plain`` (none) and ``told`` (states its inputs)."""
    python, folder = _python(), tmp_path_factory.mktemp("mlserver")
    port = free_port()
    subprocess.run([python, "-c", TRAIN, str(folder / "model.joblib")], check=True)
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "parallel_workers": 0}
    (folder / "settings.json").write_text(json.dumps({**settings, "metrics_port": free_port()}))
    stated = [{"name": name, "datatype": "FP64", "shape": [-1]} for name in ("b", "a", "c")]
    for name, more in {"credit": {"version": "v3"}, "plain": {}, "told": {}}.items():
        (folder / name).mkdir()
        said: dict[str, Any] = {"name": name, "implementation": "mlserver_sklearn.SKLearnModel"}
        said["parameters"] = {"uri": str(folder / "model.joblib"), **more}
        if name == "told":
            said |= {"inputs": stated, "platform": "sklearn"}
        (folder / name / "model-settings.json").write_text(json.dumps(said))
    program = str(Path(python).with_name("mlserver"))
    yield from _started([program, "start", str(folder)], folder, f"http://127.0.0.1:{port}")


@pytest.fixture(scope="session")
def kserve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """KServe's Python server with ``credit``, which reads a number and a text."""
    folder, port = tmp_path_factory.mktemp("kserve"), free_port()
    command = [_python(), str(Path(__file__).with_name("kserve_credit.py")), str(port)]
    yield from _started(command, folder, f"http://127.0.0.1:{port}")


def _started(command: Sequence[str], folder: Path, url: str) -> Iterator[str]:
    with (folder / "server.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(f"{url}/v2/health/ready", server, folder / "server.log")
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
    raise RuntimeError(f"the server did not start: {log.read_text(encoding='utf-8')[-2000:]}")
