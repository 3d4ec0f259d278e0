"""``wandb:entity/project/artifact:alias``: one version of a dataset artifact of Weights & Biases."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ...errors import ConfigurationError, InvalidError, UnavailableError
from ...hooks import DatasetProtocol
from ...redact import redact
from ...spec import SourceContext
from ...wandb_calls import PREFIX, artifact, asking, client, download, server
from ...wording import shorten, some
from .cache import cached
from .files import open_found
from .local import LocalFiles, find

_SOURCE = re.compile(
    r"(?P<entity>[^/:#@]+)/(?P<project>[^/:#@]+)/(?P<name>[^/:#@]+):(?P<alias>[^/:#]+)(?:#(?P<file>[^#]+))?"
)
_PINNED = re.compile(r"(?P<version>v\d+) of (?P<digest>\S+)")


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
    agreed = _PINNED.fullmatch(context.pinned_versions.get(shown, ""))
    path = f"{found['entity']}/{found['project']}/{found['name']}"
    with asking(shown):
        held = artifact(client(), path, agreed["version"] if agreed else found["alias"], shown)
        version, digest = str(held.version), str(held.digest)
        if agreed and agreed["digest"] != digest:
            raise InvalidError(
                f"{path}:{version} is not what was pinned as '{shown}': its digest is {digest}, and "
                f"{agreed['digest']} was pinned.",
                "Run `model-gate pin` if it is meant.",
            )
        folder = cached(
            "wandb",
            (server(), path, version, digest),
            lambda place: download(held, f"{path}:{version}", place),
        )
    return open_found(
        replace(
            _files(shown, folder, found["file"]),
            source=shown,
            resolved=f"{PREFIX}{path}:{version}{'#' + found['file'] if found['file'] else ''}",
            version=f"{version} of {digest}",
        )
    )


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
