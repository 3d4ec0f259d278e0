"""A dataset's server that does not answer is waited for once in a run, however many gates ask for it."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from pytest_model_gate.errors import UnreachableError
from pytest_model_gate.gate.registry import build_registry, open_dataset
from pytest_model_gate.spec import SourceContext


class Silent:
    """Listens, counts who comes, and says nothing."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.came = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self.came.append(self._listener.accept()[0])
            except OSError:
                return

    def close(self):
        self._listener.close()
        for each in self.came:
            each.close()


@pytest.fixture
def silent(monkeypatch):
    server = Silent()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": server.address,
        "MODEL_GATE_TIMEOUT": "0.2",
    }.items():
        monkeypatch.setenv(name, value)
    yield server
    server.close()


def said(registry, source, **context):
    with pytest.raises(UnreachableError) as error:
        open_dataset(registry, source, SourceContext(**context))
    return str(error.value)


def test_another_gate_is_told_at_once(silent):
    registry = build_registry()
    first = said(registry, "s3://bucket/holdout.parquet")
    assert first == (
        f"The S3 server {silent.address} did not answer within 0.2 seconds, so 's3://bucket/holdout.parquet' "
        "could not be opened.\n"
        "  Start it, or correct AWS_ENDPOINT_URL (or endpoint_url of your AWS profile). "
        "MODEL_GATE_TIMEOUT sets how many seconds to wait."
    )
    came = len(silent.came)
    assert came
    what, _, remedy = first.partition("\n")
    assert said(registry, "s3://bucket/holdout.parquet") == first
    assert said(registry, "s3://bucket/train/") == (
        f"'s3://bucket/train/' was not opened, as its server had not answered before: {what}\n{remedy}"
    )
    assert len(silent.came) == came


def test_other_servers_and_other_runs_are_asked(silent):
    registry = build_registry()
    said(registry, "s3://bucket/holdout.parquet")
    came = len(silent.came)
    # Another kind of source, another tracking server, another run.
    said(registry, f"{silent.address}/holdout.parquet")
    assert len(silent.came) > came
    came = len(silent.came)
    said(registry, "s3://bucket/holdout.parquet", tracking_uri="http://other")
    assert len(silent.came) > came
    came = len(silent.came)
    said(build_registry(), "s3://bucket/holdout.parquet")
    assert len(silent.came) > came


def test_a_host_whose_name_begins_alike_is_another_one(monkeypatch):
    monkeypatch.setenv("MODEL_GATE_TIMEOUT", "0.2")
    registry = build_registry()
    for port in ("1", "19"):
        text = said(registry, f"http://127.0.0.1:{port}/holdout.parquet")
        assert text.startswith(f"The server http://127.0.0.1:{port} cannot be reached (")
