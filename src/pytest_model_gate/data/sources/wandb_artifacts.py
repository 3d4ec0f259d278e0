"""``wandb:entity/project/artifact:alias``: one version of a dataset artifact of Weights & Biases."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    ModelGateError,
    UnavailableError,
    UnreachableError,
)
from ...hooks import DatasetProtocol
from ...redact import redact
from ...spec import SourceContext
from ...wording import first_line, shorten, some
from .cache import cached
from .extras import missing_package
from .files import open_found
from .local import LocalFiles, find
from .waiting import VARIABLE, seconds

PREFIX = "wandb:"
_SOURCE = re.compile(
    r"(?P<entity>[^/:#@]+)/(?P<project>[^/:#@]+)/(?P<name>[^/:#@]+):(?P<alias>[^/:#]+)(?:#(?P<file>[^#]+))?"
)
_PINNED = re.compile(r"(?P<version>v\d+) of (?P<digest>\S+)")
_PUBLIC = "https://api.wandb.ai"
_QUIET = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
_KEY = re.compile(r"api_key|API key|not configured|wandb login", re.IGNORECASE)
_REFUSED = re.compile(r"\b(401|403)\b|unauthorized|permission denied|not logged in", re.IGNORECASE)
_SILENT = re.compile(r"busy|timed? ?out|Connection|connect:|unreachable|no such host", re.IGNORECASE)


def open_source(source: str, context: SourceContext) -> DatasetProtocol:
    """Open one version of an artifact.

    An alias means what it means now when it is pinned, and the pinned version from then on. The files are
    compared with the digests in the artifact's manifest when they are fetched, and hashed whole here.
    """
    shown = redact(source)
    found = _SOURCE.fullmatch(source.removeprefix(PREFIX))
    if not found:
        raise ConfigurationError(
            f"'{shown}' names no artifact.",
            "Write wandb:entity/project/artifact:alias (or :v3), and #path behind it where it holds several "
            "files.",
        )
    try:
        import wandb  # noqa: F401 - asked for here, so that its absence is told apart
    except ImportError:
        raise missing_package(shown, "wandb", "wandb") from None
    agreed = _PINNED.fullmatch(context.pinned_versions.get(shown, ""))
    path = f"{found['entity']}/{found['project']}/{found['name']}"
    with _asking(shown):
        artifact = _artifact(path, agreed["version"] if agreed else found["alias"], shown)
        version, digest = str(artifact.version), str(artifact.digest)
        if agreed and agreed["digest"] != digest:
            raise InvalidError(
                f"{path}:{version} is not what was pinned as '{shown}': its digest is {digest}, and "
                f"{agreed['digest']} was pinned.",
                "Run `model-gate pin` if it is meant.",
            )
        folder = cached(
            "wandb",
            (_server(), path, version, digest),
            lambda place: _fetch(artifact, f"{path}:{version}", place),
        )
    return open_found(
        replace(
            _files(shown, folder, found["file"]),
            source=shown,
            resolved=f"{PREFIX}{path}:{version}{'#' + found['file'] if found['file'] else ''}",
            version=f"{version} of {digest}",
        )
    )


def _artifact(path: str, name: str, shown: str) -> Any:
    import wandb
    from wandb.errors import CommError

    api = wandb.Api(timeout=max(1, round(seconds())))
    try:
        return api.artifact(f"{path}:{name}")
    except CommError as error:
        if "not found" not in str(error):
            raise
        raise UnavailableError(
            f"There is no artifact {path}:{name} at {_server()}, so '{shown}' could not be opened.",
            "Check entity, project, name and alias; a version that was pinned may have been deleted.",
        ) from None


def _fetch(artifact: Any, name: str, place: Path) -> None:
    """Download every file, and compare each with the manifest, which the client itself does not do."""
    artifact.download(root=str(place), skip_cache=True)
    try:
        artifact.verify(root=str(place))
    except ValueError as error:
        raise InvalidError(
            f"The artifact {name} came damaged: {shorten(first_line(error), 120)}.",
            "Its manifest says another digest than its bytes have: log it again.",
        ) from None


def _files(shown: str, folder: Path, file: str | None) -> LocalFiles:
    """Return the file that is meant, or the only one, or all as a folder of Parquet files."""
    held = sorted(item.relative_to(folder).as_posix() for item in folder.rglob("*") if item.is_file())
    if file is None and len(held) != 1 and not all(name.endswith(".parquet") for name in held):
        raise ConfigurationError(
            f"'{shown}' holds {len(held)} files: {some(held)}.",
            f"Say which one, for example {shown}#{held[0] if held else 'data.parquet'}.",
        )
    name = file or (held[0] if len(held) == 1 else ".")
    if file is not None and file not in held and not (folder / file).is_dir():
        raise UnavailableError(
            f"'{shown}': the artifact holds no {shorten(file)}.", f"It holds: {some(held)}."
        )
    return find(name, str(folder))


def _server() -> str:
    return redact(os.environ.get("WANDB_BASE_URL") or _PUBLIC)


@contextmanager
def _asking(shown: str) -> Iterator[None]:
    """Call the client without its chatter, and say plainly what it calls all sorts of things."""
    added = {name: value for name, value in _QUIET.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    except ModelGateError:
        raise
    except Exception as error:  # noqa: BLE001 - the client lets errors of requests and of its service through
        raise _explained(error, shown) from None
    finally:
        for name in added:
            os.environ.pop(name, None)


def _explained(error: Exception, shown: str) -> ModelGateError:
    text = str(error)
    down = not _listens()
    # Of a server that is down, the client says that the credentials are wrong.
    if down or (_SILENT.search(text) and not _REFUSED.search(text)):
        what = "cannot be reached" if down else f"did not answer within {max(1, round(seconds()))} seconds"
        return UnreachableError(
            f"The W&B server {_server()} {what}, so '{shown}' could not be opened.",
            f"Start it, or correct WANDB_BASE_URL. {VARIABLE} sets how many seconds to wait.",
            prefixes=(PREFIX,),
        )
    if _REFUSED.search(text) or _KEY.search(text) or type(error).__name__ == "AuthenticationError":
        return UnavailableError(
            f"The W&B server {_server()} refused to open '{shown}'.",
            "Set WANDB_API_KEY to a key that may read the project, or run: wandb login.",
        )
    return EvaluationError(
        f"The W&B server {_server()} could not open '{shown}': {type(error).__name__}: "
        f"{shorten(first_line(error), 140)}.",
        "Check the source and WANDB_BASE_URL.",
    )


def _listens() -> bool:
    address = urlsplit(os.environ.get("WANDB_BASE_URL") or _PUBLIC)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        with socket.create_connection((address.hostname or "", port), timeout=seconds()):
            return True
    except OSError:
        return False
