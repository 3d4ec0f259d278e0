"""A real MLflow server; a port where nothing listens; a server that takes the call and never answers."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import numpy as np
import pytest

from pytest_model_gate.errors import EvaluationError, InvalidError, UnavailableError

LIMITS = (
    "MLFLOW_HTTP_REQUEST_TIMEOUT",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR",
)


@pytest.fixture(autouse=True)
def no_limits_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIMITS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Accept every connection and never say a word."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        done = threading.Event()

        def accept() -> None:
            while not done.is_set():
                try:
                    held.append(listener.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        done.set()
        thread.join()
    for connection in held:
        connection.close()


@pytest.mark.mlflow_server
class TestRealServer:
    def test_models_by_alias_version_and_run(self, server_store, load, data):
        alias = load("models:/credit@champion", tracking_uri=server_store.uri)
        version = load("models:/credit/1", tracking_uri=server_store.uri)
        run = load(f"runs:/{server_store.run_id}/linear", tracking_uri=server_store.uri)
        assert alias.digest == version.digest == run.digest
        assert alias.resolved == "models:/credit/1"
        expected = server_store.models["linear"].predict_proba(data.numbers)
        for model in (alias, version, run):
            np.testing.assert_array_equal(model.predict(data.numbers, "probability"), expected)

    def test_categories(self, server_store, load, data):
        model = load("models:/credit@challenger", tracking_uri=server_store.uri)
        expected = server_store.models["trees"].predict_proba(data.categories).astype(float)
        np.testing.assert_array_equal(model.predict(data.rows, "probability"), expected)

    def test_a_pickle_needs_trust(self, server_store, load):
        with pytest.raises(InvalidError, match="is not trusted: its sklearn flavour is a cloudpickle"):
            load("models:/credit@pickled", tracking_uri=server_store.uri)
        trusted = load(
            "models:/credit@pickled", tracking_uri=server_store.uri, trusted_sources=("models:/*",)
        )
        assert trusted.kind == "sklearn"

    @pytest.mark.parametrize(
        ("source", "what", "remedy"),
        [
            (
                "models:/credit@champoin",
                "The model 'credit' has no alias 'champoin' in the registry at {uri}.",
                "Did you mean 'champion'?",
            ),
            (
                "models:/credt/1",
                "There is no model 'credt' in the registry at {uri}.",
                "Did you mean 'credit'?",
            ),
            (
                "models:/credit/99",
                "The model 'credit' has no version 99 in the registry at {uri}.",
                "It has: 1, 2, 3.",
            ),
            (
                "runs:/0123456789abcdef/linear",
                "There is no run '0123456789abcdef' at {uri}.",
                "Check the id, and that the gate's tracking_uri is the right one.",
            ),
        ],
    )
    def test_what_is_not_there_is_said(self, source, what, remedy, server_store, load):
        with pytest.raises(UnavailableError) as caught:
            load(source, tracking_uri=server_store.uri)
        assert (caught.value.what, caught.value.remedy) == (what.format(uri=server_store.uri), remedy)

    def test_a_wrong_path_in_a_run_is_said(self, server_store, load):
        source = f"runs:/{server_store.run_id}/nosuch"
        with pytest.raises(
            UnavailableError, match=rf"^'{source}' has no files at mlflow-artifacts:/"
        ) as caught:
            load(source, tracking_uri=server_store.uri)
        assert caught.value.remedy == "Check the path after the run's id."

    def test_an_artefact_that_was_deleted_on_the_server(self, server_store, load):
        location = server_store.client().get_model_version_download_uri("credit", "2")
        artifacts = server_store.folder / "artifacts" / location.removeprefix("mlflow-artifacts:/")
        (file,) = artifacts.glob("model.*")
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
        try:
            with pytest.raises(
                InvalidError, match=r"^'models:/credit@challenger' is not a whole XGBoost model: "
            ):
                load("models:/credit@challenger", tracking_uri=server_store.uri)
        finally:
            file.write_bytes(content)

    def test_a_password_in_the_uri_is_in_no_message(self, server_store, load):
        host = urlsplit(server_store.uri).netloc
        with pytest.raises(UnavailableError) as caught:
            load("models:/nosuch/1", tracking_uri=f"http://ann:s3cret@{host}")
        assert caught.value.what == f"There is no model 'nosuch' in the registry at http://***@{host}."
        assert "s3cret" not in str(caught.value)


#: What is promised is 15 seconds; the calls take about 1 and 9.
PROMISE = 15.0


@pytest.mark.parametrize("source", ["models:/credit@champion", "models:/credit/1", "runs:/0123/model"])
def test_a_refused_connection_ends_soon_and_names_server_and_setting(source, unused_port, load):
    uri = f"http://127.0.0.1:{unused_port}"
    start = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        load(source, tracking_uri=uri)
    assert time.monotonic() - start < PROMISE
    assert str(caught.value) == (
        f"The MLflow server {uri} cannot be reached, so '{source}' could not be opened.\n"
        "  Start it, or correct the gate's tracking_uri. "
        "MLFLOW_HTTP_REQUEST_TIMEOUT and MLFLOW_HTTP_REQUEST_MAX_RETRIES set how long to wait."
    )


def test_a_silent_server_ends_soon_and_names_server_and_setting(silent_server, load, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", silent_server)
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    start = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        load("models:/credit@champion")
    assert time.monotonic() - start < PROMISE
    assert str(caught.value) == (
        f"The MLflow server {silent_server} did not answer within 4 seconds, "
        "so 'models:/credit@champion' could not be opened.\n"
        "  Start it, or correct MLFLOW_TRACKING_URI. "
        "MLFLOW_HTTP_REQUEST_TIMEOUT and MLFLOW_HTTP_REQUEST_MAX_RETRIES set how long to wait."
    )


def test_limits_that_the_user_has_set_stay(silent_server, load, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UnavailableError, match=re.escape("did not answer within 1 seconds")):
        load("models:/credit@champion", tracking_uri=silent_server)


def test_a_password_is_in_no_message_of_an_unreachable_server(unused_port, load):
    port = unused_port
    with pytest.raises(UnavailableError) as caught:
        load("models:/credit/1", tracking_uri=f"http://ann:s3cret@127.0.0.1:{port}/?token=t0ken")
    assert f"The MLflow server http://***@127.0.0.1:{port}/?token=*** cannot be reached" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "t0ken" not in str(caught.value)


@pytest.fixture
def answering() -> Iterator[Callable[[int], str]]:
    """Start a server that answers everything with one status, as a proxy in front of MLflow may."""
    servers: list[HTTPServer] = []

    def start(status: int) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "error", "what", "remedy"),
    [
        (
            401,
            UnavailableError,
            "The MLflow server {uri} refused to open 'models:/credit@champion': it answered 401.",
            "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
        ),
        (
            403,
            UnavailableError,
            "The MLflow server {uri} forbids what 'models:/credit@champion' needs: it answered 403.",
            "Loading needs the permission READ; logging verdicts, promoting and counting uses need EDIT. "
            "MLFLOW_TRACKING_USERNAME or MLFLOW_TRACKING_TOKEN say who asks.",
        ),
        (
            404,
            EvaluationError,
            "{uri} does not answer as an MLflow server does, "
            "so 'models:/credit@champion' could not be opened.",
            "Check the gate's tracking_uri.",
        ),
        (
            503,
            UnavailableError,
            "The MLflow server {uri} failed with 503 while it was asked for 'models:/credit@champion'.",
            "Look at the server's log, and run the gate again.",
        ),
    ],
)
def test_what_a_server_answers(status, error, what, remedy, answering, load):
    uri = answering(status)
    with pytest.raises(error) as caught:
        load("models:/credit@champion", tracking_uri=uri)
    assert (caught.value.what, caught.value.remedy) == (what.format(uri=uri), remedy)
