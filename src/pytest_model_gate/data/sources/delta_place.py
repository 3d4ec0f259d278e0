"""Where a Delta table lies: on this machine, or in a store that deltalake opens."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a table lies.

    Parameters
    ----------
    source : str
        What the user wrote, without secrets.
    shown : str
        Its path as messages name it.
    uri : str
        What deltalake opens.
    folder : Path, optional
        The same, where it is on this machine.
    asking, reading : Mapping, optional
        Storage options: for the first question to a server, and for all others.
    version : int, optional
        Which version is meant. ``None``: the newest.
    """

    source: str
    shown: str
    uri: str
    folder: Path | None
    asking: Mapping[str, str] | None
    reading: Mapping[str, str] | None
    version: int | None = None


def s3_endpoint() -> str:
    """Return the server that the environment names, as boto looks for it. Empty: that of AWS."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def filesystem(place: Place) -> Any:
    """Return a file system of pyarrow that has the table's folder as its root."""
    from pyarrow import fs

    if place.folder is not None:
        return fs.SubTreeFileSystem(str(place.folder), fs.LocalFileSystem())
    from deltalake.fs import DeltaStorageHandler

    return fs.PyFileSystem(DeltaStorageHandler(place.uri, dict(place.reading or {})))
