"""Where the bytes of remote datasets lie on this machine: each version once, whole or not at all.

What is found here is never believed: whoever opens it hashes all of its bytes again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ...errors import UnavailableError

#: Environment variable that says where the cache lies.
VARIABLE = "MODEL_GATE_CACHE"


def cached(kind: str, identity: tuple[str, ...], fetch: Callable[[Path], None]) -> Path:
    """Return the folder that holds one version of something remote, fetched now if it isn't there.

    Parameters
    ----------
    kind : str
        Kind of source; a folder of the cache: ``"s3"``, ``"dvc"``.
    identity : tuple of str
        What tells this version from every other: address, path, version. Never a name that can move.
    fetch : callable
        ``fetch(folder)`` writes the files into an empty folder, or raises.

    Raises
    ------
    UnavailableError
        If the cache cannot be written.
    """
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
    place = folder() / kind / name
    if place.is_dir():
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        working = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=place.parent))
    except OSError as error:
        raise UnavailableError(
            f"The cache {place.parent.as_posix()} cannot be written: {error.strerror or error}.",
            f"Free some space, or let {VARIABLE} name a folder that can be written.",
        ) from None
    try:
        fetch(working)
        try:
            working.replace(place)
        except OSError:
            # Somebody else was faster; theirs is the same version, and is hashed as ours would be.
            if not place.is_dir():
                raise
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return place


def forget(kind: str, identity: tuple[str, ...]) -> None:
    """Remove one version, for example because its bytes are not what was recorded of them."""
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
    shutil.rmtree(folder() / kind / name, ignore_errors=True)


def folder() -> Path:
    """Return where the cache lies: what ``MODEL_GATE_CACHE`` says, or the user's cache folder."""
    said = os.environ.get(VARIABLE)
    if said:
        return Path(said).expanduser().absolute()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pytest-model-gate"
