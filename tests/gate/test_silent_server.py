"""A model server that isn't there: the gate says so within the time that it promises."""

import socket
import time

import pytest

from pytest_model_gate.results import Verdict

MODELS = {"candidate": "models:/credit@challenger", "production": "models:/credit@champion"}
PROMISED_SECONDS = 15


@pytest.fixture(params=["silent", "refused"])
def server(request, monkeypatch):
    """Return the address of a server that accepts and says nothing, or that nobody listens on."""
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "silent":
            listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_every_role_on_a_server_that_does_not_answer(project, server):
    start = time.monotonic()
    record = project.record(tracking_uri=server, **MODELS)
    assert time.monotonic() - start < PROMISED_SECONDS
    assert record.verdict is Verdict.ERROR
    failing = [check for check in record.checks if check.fails]
    assert [check.name for check in failing] == ["candidate", "production"]
    for check in failing:
        assert f"The MLflow server {server}" in check.findings[0].problem
        assert "the gate's tracking_uri" in check.findings[0].remedy
