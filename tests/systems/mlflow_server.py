"""A real MLflow server on 127.0.0.1, one for each process of a run; and servers that can be killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def unused_port() -> int:
    return free_port()


@dataclass
class MlflowServer:
    """A server with a SQLite file and a folder of artifacts, that can be started again after it was killed.

    Parameters
    ----------
    folder : Path
        Where it keeps everything.
    arguments : tuple of str
        More of ``mlflow server``.
    environment : Mapping[str, str]
        More variables of its own.
    artifacts : tuple of str
        Where artifacts go; empty: through the server into its folder.
    """

    folder: Path
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    artifacts: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> MlflowServer:
        """Start it, and wait until it answers."""
        command = [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{(self.folder / 'mlflow.db').as_posix()}"),
            *(self.artifacts or ("--artifacts-destination", (self.folder / "artifacts").as_uri())),
            *("--host", "127.0.0.1", "--port", str(self.port)),
            *self.arguments,
        ]
        environment = {
            **os.environ,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            **self.environment,
        }
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
            environment.pop(name, None)
        log = self.folder / "server.log"
        with log.open("a", encoding="utf-8") as stream:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        try:
            _wait_until_healthy(self.uri, self._process, log)
        except BaseException:
            self.stop()
            raise
        return self

    def kill(self) -> None:
        """Let all its processes die at once, as ``kill -9`` does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end in peace."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, how)
            self._process.wait(30)
            self._process = None


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Start a real server, and stop all of its processes at the end."""
    folder = tmp_path_factory.mktemp("mlflow-server")
    server = MlflowServer(folder).start()
    try:
        yield server.uri, folder
    finally:
        server.stop()


@pytest.fixture(scope="module")
def mortal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """Start a real server that tests of one module may kill and start again."""
    server = MlflowServer(tmp_path_factory.mktemp("mortal-server")).start()
    try:
        yield server
    finally:
        server.stop()


def _wait_until_healthy(uri: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{uri}/health", timeout=1) as answer:
                if answer.read() == b"OK":
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the MLflow server did not start: {log.read_text(encoding='utf-8')[-2000:]}")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store without anything in it, once: its tables take seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("empty-store") / "mlflow.db"
    uri = f"sqlite:///{path.as_posix()}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MlflowClient(tracking_uri=uri, registry_uri=uri).search_experiments()
    return path


@pytest.fixture
def store_file(empty_store: Path, tmp_path: Path) -> Path:
    """Return the SQLite file of a store of this test's own."""
    return Path(shutil.copy(empty_store, tmp_path / "store.db"))
