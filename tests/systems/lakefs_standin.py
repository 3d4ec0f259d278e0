"""A stand-in for a lakeFS server: what the real client asks to read commits, and nothing else.

No lakeFS server can be installed from a package registry. This one keeps branches with staged changes, tags
and commits as lakeFS defines them, and answers in the shapes of its published API; that a real server behaves
the same is not tested.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

KEY, SECRET = "AKIALAKEFS", "lakefs-secret"
#: So few that a test meets a second page.
PAGE = 3


@dataclass
class Repository:
    """Trees of name -> content: commits, and what is staged on branches."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=lambda: {"main": ""})
    tags: dict[str, str] = field(default_factory=dict)
    staged: dict[str, dict[str, bytes | None]] = field(default_factory=dict)
    collected: set[bytes] = field(default_factory=set)

    def put(self, path: str, content: bytes | None, branch: str = "main") -> None:
        """Write to a branch (``None``: delete), without committing."""
        self.staged.setdefault(branch, {})[path] = content

    def commit(self, branch: str = "main") -> str:
        """Commit what is staged."""
        parent = self.branches[branch]
        tree = {**self.commits.get(parent, {}), **self.staged.pop(branch, {})}
        tree = {path: content for path, content in tree.items() if content is not None}
        marks = [parent, *(f"{p}:{hashlib.sha256(c).hexdigest()}" for p, c in sorted(tree.items()))]
        name = hashlib.sha256("\n".join(marks).encode()).hexdigest()
        self.commits[name], self.parents[name], self.branches[branch] = tree, parent, name
        return name

    def resolve(self, ref: str) -> str:
        """Return the commit of a branch, a tag, a commit or ``ref~1``; empty where there is none."""
        base, tilde, steps = ref.partition("~")
        found = self.branches.get(base) or self.tags.get(base) or ""
        if not found and len(base) >= 6:
            fits = [name for name in self.commits if name.startswith(base)]
            found = fits[0] if len(fits) == 1 else ""
        for _ in range(int(steps or 1) if tilde else 0):
            found = self.parents.get(found, "")
        return found

    def tree(self, ref: str) -> dict[str, bytes] | None:
        """Return what a ref shows: of a branch, with what is staged on it."""
        commit = self.resolve(ref)
        if ref in self.branches:
            tree = {**self.commits.get(commit, {}), **self.staged.get(ref, {})}
            return {path: content for path, content in tree.items() if content is not None}
        return self.commits.get(commit)


@dataclass
class LakeFS:
    """The server: its repositories, and where it listens."""

    endpoint: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    #: Set to answer everything with that status.
    broken: int = 0
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[LakeFS]:
    """Serve until the end of the block."""
    lake = LakeFS()

    class Handler(_Handler):
        server_lake = lake

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    lake.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield lake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_lake: LakeFS

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = [urllib.parse.unquote(part) for part in url.path.removeprefix("/api/v1/").split("/")]
        self.server_lake.asked.append(self.path)
        expected = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") != expected:
            self._refuse(401, "error authenticating request")
        elif self.server_lake.broken:
            self._refuse(self.server_lake.broken, "internal server error")
        elif parts[0] != "repositories" or parts[1] not in self.server_lake.repositories:
            self._refuse(404, "repository not found")
        else:
            self._repository(self.server_lake.repositories[parts[1]], parts[1], parts[2:], query)

    def _repository(self, repository: Repository, name: str, rest: list[str], query: dict[str, str]) -> None:
        if not rest:
            self._say(
                {
                    "id": name,
                    "creation_date": 1,
                    "default_branch": "main",
                    "storage_namespace": f"s3://{name}",
                }
            )
        elif rest in (["branches"], ["tags"]):
            found = repository.branches if rest == ["branches"] else repository.tags
            self._page([{"id": key, "commit_id": found[key]} for key in sorted(found)], "id", query)
        elif rest[0] == "commits":
            commit = repository.resolve(rest[1])
            if commit:
                self._say(_commit(repository, commit))
            else:
                self._refuse(404, "commit not found")
        elif rest[0] == "refs" and (tree := repository.tree(rest[1])) is not None:
            self._objects(repository, tree, rest[2:], query)
        else:
            self._refuse(404, "not found")

    def _objects(
        self, repository: Repository, tree: dict[str, bytes], rest: list[str], query: dict[str, str]
    ) -> None:
        if rest == ["objects", "ls"]:
            paths = sorted(path for path in tree if path.startswith(query.get("prefix", "")))
            self._page([_stat(path, tree[path]) for path in paths], "path", query)
            return
        content = tree.get(query.get("path", ""))
        if content is None:
            self._refuse(404, "object not found")
        elif rest == ["objects", "stat"]:
            self._say(_stat(query["path"], content))
        elif content in repository.collected:
            self._refuse(410, "resource gone")
        else:
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if asked:
                start, end = int(asked[1]), min(int(asked[2]), len(content) - 1)
                self._send(206, content[start : end + 1], f"bytes {start}-{end}/{len(content)}")
            else:
                self._send(200, content)

    def _page(self, items: list[dict[str, Any]], key: str, query: dict[str, str]) -> None:
        waiting = [item for item in items if item[key] > query.get("after", "")]
        page = waiting[: min(PAGE, int(query.get("amount", PAGE)))]
        more = len(waiting) > len(page)
        pagination = {
            "has_more": more,
            "next_offset": page[-1][key] if more else "",
            "results": len(page),
            "max_per_page": 1000,
        }
        self._say({"pagination": pagination, "results": page})

    def _refuse(self, status: int, message: str) -> None:
        self._send(status, json.dumps({"message": message}).encode())

    def _say(self, plain: dict[str, Any]) -> None:
        self._send(200, json.dumps(plain).encode(), kind="application/json")

    def _send(
        self, status: int, body: bytes, content_range: str = "", kind: str = "application/octet-stream"
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(body)


def _commit(repository: Repository, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "parents": [repository.parents[name]] if repository.parents[name] else [],
        "committer": "ann",
        "message": "data",
        "creation_date": 1_760_000_000,
        "meta_range_id": name,
        "metadata": {},
    }


def _stat(path: str, content: bytes) -> dict[str, Any]:
    return {
        "path": path,
        "path_type": "object",
        "physical_address": f"s3://lake/{hashlib.sha256(content).hexdigest()}",
        "checksum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "size_bytes": len(content),
        "mtime": 1_760_000_000,
    }
