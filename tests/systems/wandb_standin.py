"""A stand-in for the server of Weights & Biases, which is in no package: artifacts to read, no more.

The queries are those that the real client sends. They are executed by graphql-core against the schema below,
so a client that begins to ask for something else fails here with the name of the field.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from graphql import build_schema, graphql_sync

KEY = "local" + "0" * 40

SCHEMA = build_schema("""
scalar DateTime
scalar JSONString
scalar Int64
type Query {
  viewer: User
  serverInfo: ServerInfo
  project(name: String!, entityName: String): Project
  artifact(id: ID!): Artifact
}
type ServerInfo { features: [ServerFeature!]! }
type ServerFeature { name: String! isEnabled: Boolean! }
type User { id: ID! entity: String username: String email: String flags: JSONString teams: TeamConnection }
type TeamConnection { edges: [TeamEdge!]! }
type TeamEdge { node: Entity }
type Entity { name: String! }
type Project {
  id: ID!
  internalId: ID!
  name: String!
  entity: Entity!
  artifactCollectionMembership(name: String!): ArtifactCollectionMembership
  artifactCollection(name: String!): ArtifactCollection
}
interface ArtifactCollection {
  name: String!
  project: Project
  artifactMembership(aliasName: String!): ArtifactCollectionMembership
}
type ArtifactSequence implements ArtifactCollection {
  name: String!
  project: Project
  artifactMembership(aliasName: String!): ArtifactCollectionMembership
}
type ArtifactCollectionMembership {
  id: ID!
  versionIndex: Int
  createdAt: DateTime!
  aliases: [ArtifactAlias!]!
  artifactCollection: ArtifactCollection
  artifact: Artifact
  files(first: Int, after: String): FileConnection
}
type ArtifactAlias { id: ID! alias: String! artifactCollection: ArtifactCollection }
type ArtifactType { name: String! }
type Tag { id: ID! name: String! }
type Artifact {
  id: ID!
  artifactSequence: ArtifactSequence!
  versionIndex: Int
  artifactType: ArtifactType!
  description: String
  metadata: JSONString
  ttlDurationSeconds: Int64!
  ttlIsInherited: Boolean!
  tags: [Tag!]!
  historyStep: Int64
  state: String!
  size: Int64!
  digest: String!
  digestAlgorithm: String
  commitHash: String
  fileCount: Int64!
  createdAt: DateTime!
  updatedAt: DateTime
  aliases: [ArtifactAlias!]!
  currentManifest: ArtifactManifest
}
type ArtifactManifest { file: File! }
type File { name: String! directUrl: String! }
type FileConnection { pageInfo: PageInfo! edges: [FileEdge!]! }
type FileEdge { node: File }
type PageInfo { endCursor: String hasNextPage: Boolean! }
""")


@dataclass
class Collection:
    """The versions of one artifact: the files of each, and which aliases mean which."""

    versions: dict[int, dict[str, bytes]] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    #: Bytes that are sent instead of those that the manifest speaks of.
    damaged: dict[str, bytes] = field(default_factory=dict)

    def add(self, files: dict[str, bytes], *aliases: str) -> str:
        number = len(self.versions)
        self.versions[number] = files
        self.aliases |= dict.fromkeys((*aliases, "latest", f"v{number}"), number)
        return f"v{number}"

    def delete(self, version: int) -> None:
        del self.versions[version]
        self.aliases = {name: number for name, number in self.aliases.items() if number != version}


@dataclass
class Wandb:
    """A running stand-in with the artifact ``team/credit/holdout``."""

    url: str
    holdout: Collection


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def _digest(files: dict[str, bytes]) -> str:
    lines = "".join(f"{name}:{_md5(content)}\n" for name, content in sorted(files.items()))
    return hashlib.md5(b"wandb-artifact-manifest-v1\n" + lines.encode()).hexdigest()


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
        project = {"id": "P1", "internalId": "1", "name": name, "entity": {"name": entityName}}
        return {
            **project,
            "artifactCollectionMembership": lambda _info, name: self._membership(project, *name.split(":")),
            "artifactCollection": lambda _info, name: {
                **self._sequence(project),
                "artifactMembership": lambda _info, aliasName: self._membership(project, name, aliasName),
            },
        }

    def artifact(self, _info: Any, id: str) -> dict[str, Any]:  # noqa: A002 - the query calls it so
        url = f"{self._server.url}/manifests/{id}"
        return {"id": id, "currentManifest": {"file": {"name": "wandb_manifest.json", "directUrl": url}}}

    @staticmethod
    def _sequence(project: dict[str, Any]) -> dict[str, Any]:
        return {"__typename": "ArtifactSequence", "name": "holdout", "project": project}

    def _membership(self, project: dict[str, Any], name: str, alias: str) -> dict[str, Any] | None:
        held = self._server.holdout
        number = held.aliases.get(alias)
        if name != "holdout" or number is None:
            return None
        files, sequence = held.versions[number], self._sequence(project)
        aliases = [
            {"id": f"A{one}", "alias": one, "artifactCollection": sequence}
            for one, meant in held.aliases.items()
            if meant == number and one != f"v{number}"
        ]
        edges = [
            {"node": {"name": name, "directUrl": f"{self._server.url}/files/{number}/{quote(name)}"}}
            for name in files
        ]
        artifact = {
            "id": f"{number}",
            "artifactSequence": sequence,
            "versionIndex": number,
            "artifactType": {"name": "dataset"},
            "metadata": "{}",
            "ttlDurationSeconds": -1,
            "ttlIsInherited": True,
            "tags": [],
            "state": "COMMITTED",
            "size": sum(map(len, files.values())),
            "digest": _digest(files),
            "digestAlgorithm": "MANIFEST_MD5",
            "commitHash": "c0ffee",
            "fileCount": len(files),
            "createdAt": "2026-01-01T00:00:00Z",
            "aliases": aliases,
        }
        return {
            "id": f"M{number}",
            "versionIndex": number,
            "createdAt": "2026-01-01T00:00:00Z",
            "aliases": aliases,
            "artifactCollection": sequence,
            "artifact": artifact,
            "files": lambda _info, first=None, after=None: {
                "pageInfo": {"endCursor": None, "hasNextPage": False},
                "edges": edges,
            },
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *arguments: object) -> None:
        pass

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        held = self.server.standin.holdout
        _, what, number, *rest = self.path.split("/")
        files = held.versions[int(number)]
        if what == "files":
            name = unquote("/".join(rest))
            self._send(200, held.damaged.get(name, files[name]))
            return
        contents = {
            name: {"digest": _md5(content), "size": len(content), "birthArtifactID": number}
            for name, content in files.items()
        }
        manifest = {
            "version": 1,
            "storagePolicy": "wandb-storage-policy-v1",
            "storagePolicyConfig": {"storageLayout": "V2"},
            "contents": contents,
        }
        self._send(200, json.dumps(manifest).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wanted = base64.b64encode(f"api:{KEY}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {wanted}":
            self._send(401, b'{"errors": [{"message": "user is not logged in"}]}')
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
    standin = Wandb(f"http://127.0.0.1:{server.server_port}", Collection())
    server.standin = standin  # type: ignore[attr-defined]
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
