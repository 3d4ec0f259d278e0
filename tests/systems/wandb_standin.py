"""A stand-in for the server of Weights & Biases, which is in no package: artifacts, runs, what they are told.

The queries are those that the real client sends. They are executed by graphql-core against a schema of our
own, so a client that begins to ask for something else fails here with the name of the field.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from graphql import graphql_sync

from systems.wandb_schema import SCHEMA

KEY = "local" + "0" * 40
_PROJECT = {"id": "P1", "internalId": "1", "name": "credit", "entity": {"id": "E1", "name": "team"}}
_WHEN = "2026-01-01T00:00:00Z"


@dataclass
class Collection:
    """The versions of one artifact: the files of each, and which aliases mean which."""

    kind: str = "dataset"
    versions: dict[int, dict[str, bytes]] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    metadata: dict[int, str] = field(default_factory=dict)
    #: Which run logged a version.
    creators: dict[int, str] = field(default_factory=dict)
    #: Bytes that are sent instead of those that the manifest speaks of.
    damaged: dict[str, bytes] = field(default_factory=dict)

    def add(self, files: dict[str, bytes], *aliases: str, run: str = "") -> str:
        number = len(self.versions)
        self.versions[number] = files
        self.aliases |= dict.fromkeys((*aliases, "latest", f"v{number}"), number)
        if run:
            self.creators[number] = run
        return f"v{number}"

    def delete(self, version: int) -> None:
        del self.versions[version]
        self.aliases = {name: number for name, number in self.aliases.items() if number != version}


@dataclass
class Run:
    """What is known of a run."""

    summary: str = "{}"
    config: str = "{}"
    state: str = "finished"
    created: str = _WHEN
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Wandb:
    """A running stand-in with the project ``team/credit``."""

    url: str
    collections: dict[str, Collection] = field(default_factory=lambda: {"holdout": Collection()})
    runs: dict[str, Run] = field(default_factory=dict)
    #: A server gives no more runs at once, whatever the client asks for.
    most_per_page: int = 1000
    #: What was asked to change, in order.
    changes: list[tuple[str, Any]] = field(default_factory=list)
    #: Called before a change is made; what it raises is the server's answer.
    before_change: Callable[[str], None] = lambda what: None
    #: Closes the port: nobody answers any more, also not on connections that are open.
    stop: Callable[[], None] = lambda: None
    stopped: bool = False

    @property
    def holdout(self) -> Collection:
        return self.collections["holdout"]

    def change(self, what: str, content: Any) -> None:
        self.before_change(what)
        self.changes.append((what, content))


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def _digest(files: dict[str, bytes]) -> str:
    lines = "".join(f"{name}:{_md5(content)}\n" for name, content in sorted(files.items()))
    return hashlib.md5(b"wandb-artifact-manifest-v1\n" + lines.encode()).hexdigest()


def fits(run: Run, wanted: dict[str, Any]) -> bool:
    """Return whether a run fits filters as MongoDB writes them, as far as the tests use them."""
    known = {"state": run.state, "config": json.loads(run.config), "summary_metrics": json.loads(run.summary)}
    for name, value in wanted.items():
        if name == "$and":
            if not all(fits(run, part) for part in value):
                return False
            continue
        first, _, rest = name.partition(".")
        found = known[first].get(rest) if rest else known[first]
        if first == "config" and isinstance(found, dict):
            found = found["value"]
        if isinstance(value, dict):
            ((operator, bound),) = value.items()
            if found is None or not {"$gt": found > bound, "$lt": found < bound}[operator]:
                return False
        elif found != value:
            return False
    return True


_PAGE = {"endCursor": None, "hasNextPage": False}


class _Root:
    """Answers the fields of a query; graphql-core asks for attributes, and calls what takes arguments."""

    def __init__(self, server: Wandb) -> None:
        self._server = server

    def viewer(self, _info: Any) -> dict[str, Any]:
        return {"id": "U1", "entity": "team", "username": "ann", "flags": "{}", "teams": {"edges": []}}

    def serverInfo(self, _info: Any) -> dict[str, Any]:
        return {"features": []}

    def project(self, _info: Any, name: str, entityName: str | None = None) -> dict[str, Any] | None:
        if (entityName, name) != ("team", "credit"):
            return None
        return {
            **_PROJECT,
            "artifactCollectionMembership": lambda _info, name: self._membership(*name.split(":")),
            "artifactCollection": lambda _info, name: {
                **self._sequence(name),
                "artifactMembership": lambda _info, aliasName: self._membership(name, aliasName),
            },
            "run": lambda _info, name: self._run(name),
            "runCount": lambda _info, filters="{}": len(self._fitting(filters)),
            "readOnly": False,
            "runs": self._runs,
        }

    def _fitting(self, filters: str) -> list[str]:
        wanted = json.loads(filters)
        return [name for name, run in self._server.runs.items() if fits(run, wanted)]

    def _runs(
        self, _info: Any, filters: str = "{}", after: str | None = None, first: int = 50, order: str = ""
    ) -> dict[str, Any]:
        assert order == "+created_at", "nothing else is answered"
        names = self._fitting(filters)
        start = names.index(after) + 1 if after else 0
        page = names[start : start + min(first, self._server.most_per_page)]
        return {
            "edges": [{"node": self._run(name), "cursor": name} for name in page],
            "pageInfo": {
                "endCursor": page[-1] if page else None,
                "hasNextPage": start + len(page) < len(names),
            },
        }

    def artifact(self, _info: Any, id: str) -> dict[str, Any]:  # noqa: A002 - the query calls it so
        return self._artifact(*_parts(id))

    def upsertBucket(self, _info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - as above
        """Change a run by its id, or make one by its name: so does a client that sends an offline run."""
        if input.get("name"):
            inserted = input["name"] not in self._server.runs
            run = self._server.runs.setdefault(input["name"], Run(created=_WHEN))
            run.config = input["config"] or run.config
            return {"bucket": self._run(input["name"]), "inserted": inserted}
        name = input["id"].removeprefix("R-")
        self._server.change("summary", json.loads(input["summaryMetrics"]))
        self._server.runs[name].summary = input["summaryMetrics"]
        return {"bucket": self._run(name)}

    def createRunFiles(self, _info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - as above
        run = input["runName"]
        urls = [
            {"name": name, "uploadUrl": f"{self._server.url}/uploads/{run}/{quote(name)}"}
            for name in input["files"]
        ]
        return {"runID": f"R-{run}", "uploadHeaders": [], "files": urls}

    def updateArtifact(self, _info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - as above
        name, number = _parts(input["artifactID"])
        self._server.change("metadata", json.loads(input["metadata"]))
        self._server.collections[name].metadata[number] = input["metadata"]
        return {"artifact": self._artifact(name, number)}

    @staticmethod
    def _sequence(name: str) -> dict[str, Any]:
        return {"__typename": "ArtifactSequence", "name": name, "project": _PROJECT}

    def _run(self, name: str) -> dict[str, Any] | None:
        run = self._server.runs.get(name)
        if run is None:
            return None
        files = [
            {
                "node": {"id": f"F-{path}", "name": path, "directUrl": "", "sizeBytes": len(content)},
                "cursor": path,
            }
            for path, content in run.files.items()
        ]
        logged = [
            {"node": self._artifact(collection, number)}
            for collection, held in self._server.collections.items()
            for number, creator in held.creators.items()
            if creator == name and number in held.versions
        ]
        return {
            "__typename": "Run",
            "id": f"R-{name}",
            "name": name,
            "projectId": 1,
            "project": _PROJECT,
            "state": run.state,
            "tags": [],
            "config": run.config,
            "createdAt": run.created,
            "systemMetrics": "{}",
            "summaryMetrics": run.summary,
            "user": {"id": "U1", "name": "Ann", "username": "ann"},
            "fileCount": len(files),
            "files": lambda _info, names=None, after=None, first=None, pattern=None: {
                "pageInfo": _PAGE,
                "edges": [edge for edge in files if not names or edge["node"]["name"] in names],
            },
            "outputArtifacts": lambda _info, after=None, first=None: {
                "totalCount": len(logged),
                "pageInfo": _PAGE,
                "edges": logged,
            },
        }

    def _aliases(self, name: str, number: int) -> list[dict[str, Any]]:
        return [
            {"id": f"A{one}", "alias": one, "artifactCollection": self._sequence(name)}
            for one, meant in self._server.collections[name].aliases.items()
            if meant == number and one != f"v{number}"
        ]

    def _artifact(self, name: str, number: int) -> dict[str, Any]:
        held = self._server.collections[name]
        files = held.versions[number]
        url = f"{self._server.url}/manifests/{name}.{number}"
        return {
            "id": f"{name}.{number}",
            "artifactSequence": self._sequence(name),
            "versionIndex": number,
            "artifactType": {"name": held.kind},
            "metadata": held.metadata.get(number, "{}"),
            "ttlDurationSeconds": -1,
            "ttlIsInherited": True,
            "tags": [],
            "state": "COMMITTED",
            "size": sum(map(len, files.values())),
            "digest": _digest(files),
            "digestAlgorithm": "MANIFEST_MD5",
            "commitHash": "c0ffee",
            "fileCount": len(files),
            "createdAt": _WHEN,
            "aliases": self._aliases(name, number),
            "currentManifest": {"file": {"name": "wandb_manifest.json", "directUrl": url}},
            "createdBy": lambda _info: self._run(held.creators.get(number, "")),
        }

    def _membership(self, name: str, alias: str) -> dict[str, Any] | None:
        held = self._server.collections.get(name)
        number = held.aliases.get(alias) if held else None
        if held is None or number is None:
            return None
        edges = [
            {"node": {"name": file, "directUrl": f"{self._server.url}/files/{name}.{number}/{quote(file)}"}}
            for file in held.versions[number]
        ]
        return {
            "id": f"M{number}",
            "versionIndex": number,
            "createdAt": _WHEN,
            "aliases": self._aliases(name, number),
            "artifactCollection": self._sequence(name),
            "artifact": self._artifact(name, number),
            "files": lambda _info, first=None, after=None: {"pageInfo": _PAGE, "edges": edges},
        }


def _parts(identity: str) -> tuple[str, int]:
    name, _, number = identity.rpartition(".")
    return name, int(number)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *arguments: object) -> None:
        pass

    def parse_request(self) -> bool:
        if self.server.standin.stopped:
            self.close_connection = True
            return False
        return super().parse_request()

    def _send(self, status: int, content: bytes) -> None:
        if self.server.standin.stopped:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        _, what, identity, *rest = self.path.split("/")
        collection, number = _parts(identity)
        held = self.server.standin.collections[collection]
        files = held.versions[number]
        if what == "files":
            name = unquote("/".join(rest))
            self._send(200, held.damaged.get(name, files[name]))
            return
        contents = {
            name: {"digest": _md5(content), "size": len(content), "birthArtifactID": identity}
            for name, content in files.items()
        }
        manifest = {
            "version": 1,
            "storagePolicy": "wandb-storage-policy-v1",
            "storagePolicyConfig": {"storageLayout": "V2"},
            "contents": contents,
        }
        self._send(200, json.dumps(manifest).encode())

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        _, _, run, *rest = self.path.split("/")
        name = unquote("/".join(rest))
        try:
            self.server.standin.change("file", name)
        except PermissionError:
            self._send(403, b"{}")
            return
        self.server.standin.runs[run].files[name] = content
        self._send(200, b"{}")

    def _stream(self, asked: dict[str, Any]) -> None:
        """Take what a run sends while it goes on: of what an offline run sends, its summary."""
        run = self.path.split("/")[-2]
        for line in asked.get("files", {}).get("wandb-summary.json", {}).get("content", ()):
            self.server.standin.change("summary", json.loads(line))
            self.server.standin.runs[run].summary = line
        self._send(200, b"{}")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wanted = base64.b64encode(f"api:{KEY}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {wanted}":
            self._send(401, b'{"errors": [{"message": "user is not logged in"}]}')
            return
        if self.path.endswith("/file_stream"):
            self._stream(asked)
            return
        answer = graphql_sync(
            SCHEMA, asked["query"], _Root(self.server.standin), variable_values=asked.get("variables")
        )
        said: dict[str, Any] = {"data": answer.data}
        if answer.errors:
            said["errors"] = [{"message": error.message} for error in answer.errors]
        self._send(200, json.dumps(said).encode())


@pytest.fixture
def wandb_standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wandb]:
    """Start the stand-in, and point the client to it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    standin = Wandb(f"http://127.0.0.1:{server.server_port}")
    server.standin = standin  # type: ignore[attr-defined]

    def stop() -> None:
        standin.stopped = True
        server.socket.close()

    standin.stop = stop
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name, value in {
        "WANDB_BASE_URL": standin.url,
        "WANDB_API_KEY": KEY,
        "WANDB_DIR": str(tmp_path / "wandb"),
        "WANDB_CACHE_DIR": str(tmp_path / "wandb-cache"),
        "WANDB_DATA_DIR": str(tmp_path / "wandb-data"),
        "WANDB_CONFIG_DIR": str(tmp_path / "wandb-config"),
        "MODEL_GATE_CACHE": str(tmp_path / "model-gate-cache"),
    }.items():
        monkeypatch.setenv(name, value)
    try:
        yield standin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
