"""A server on 127.0.0.1 that answers what a test tells it to: what goes wrong with real ones, at will."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Asked:
    """One request, and the connection that it came by."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    handler: BaseHTTPRequestHandler

    def reply(self, status: int, content: Any, **headers: str) -> None:
        """Answer with JSON, or with bytes as they are."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data))}.items():
            headers.setdefault(name.replace("-", "_"), value)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(data)

    @property
    def rows(self) -> int:
        """How many rows came."""
        if "dataframe_split" in self.body:
            return len(self.body["dataframe_split"]["data"])
        return int(self.body["inputs"][0]["shape"][0])

    def column(self, name: str) -> list[Any]:
        """The values of a column that came."""
        if "dataframe_split" in self.body:
            place = self.body["dataframe_split"]["columns"].index(name)
            return [row[place] for row in self.body["dataframe_split"]["data"]]
        return next(item["data"] for item in self.body["inputs"] if item["name"] == name)


def _probability(asked: Asked) -> None:
    asked.reply(200, {"predictions": [0.25 if value < 0 else 0.75 for value in asked.column("a")]})


@dataclass
class Scripted:
    """The server: ``answer`` is called for rows, ``about`` for everything else."""

    url: str = ""
    answer: Callable[[Asked], None] = _probability
    about: Callable[[Asked], None] = lambda asked: asked.reply(404, {})
    seen: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    #: The most requests that were under way at one time.
    at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def asked(self) -> list[Asked]:
        """The requests that brought rows."""
        return [each for each in self.seen if each.method == "POST"]

    def serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        asked = Asked(
            handler.command, handler.path, dict(handler.headers), json.loads(body) if body else None, handler
        )
        with self._lock:
            self.seen.append(asked)
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        try:
            (self.answer if handler.command == "POST" else self.about)(asked)
        except OSError:
            pass  # who asked has gone
        finally:
            with self._lock:
                self._now -= 1


def serving(scripted: Scripted, tls: Any = None) -> Iterator[Scripted]:
    """Serve until the test is over; what hangs then is let go."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            scripted.serve(self, b"")

        def do_POST(self) -> None:
            scripted.serve(self, self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scripted.url = f"http{'s' if tls is not None else ''}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield scripted
        finally:
            scripted.over.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    yield from serving(Scripted())


@pytest.fixture
def scripted_too() -> Iterator[Scripted]:
    yield from serving(Scripted())
