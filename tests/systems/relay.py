"""A relay before a real server, that breaks the line at a chosen request: before it, or with its answer."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

#: Method, path with query, and how many were there before -> what to do.
Rule = Callable[[str, str, int], Literal["pass", "before", "after"]]


class Relay:
    """Passes requests on until its rule says no; then nobody answers any more.

    Parameters
    ----------
    target : str
        The real server.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.seen: list[tuple[str, str]] = []
        self.rule: Rule = lambda method, path, number: "pass"
        self.on_break: Callable[[], None] = lambda: None
        self.broken = False
        self.uri = ""

    def heal(self) -> None:
        """Answer again, from the first request on, and break no more."""
        self.seen, self.broken, self.rule = [], False, lambda method, path, number: "pass"
        self.on_break = lambda: None


@contextmanager
def relaying(target: str) -> Iterator[Relay]:
    """Relay to a server, on a port of its own."""
    relay, lock = Relay(target), threading.Lock()
    host = urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def log_message(self, *args: object) -> None:
            pass

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                what = "before" if relay.broken else relay.rule(self.command, self.path, len(relay.seen))
                relay.seen.append((self.command, self.path))
                first = what != "pass" and not relay.broken
                relay.broken = relay.broken or what != "pass"
            answer = None
            if what != "before":
                connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                with suppress(OSError):
                    connection.request(self.command, self.path, body, headers)
                    received = connection.getresponse()
                    answer = received.status, received.getheaders(), received.read()
                connection.close()
            if first:
                relay.on_break()
            if what != "pass" or answer is None:
                self.close_connection = True
                return
            status, found, content = answer
            self.send_response_only(status)
            for name, value in found:
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    relay.uri = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
