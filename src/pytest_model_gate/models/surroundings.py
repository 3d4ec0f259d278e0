"""What surrounds a model when it predicts and could change a number: Python, and all that is installed."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_INSTALLED = (".dist-info", ".egg-info")
#: Our own code that turns files into rows, and rows into predictions.
_SCORING = ("models", "data")


def surroundings() -> tuple[str, ...]:
    """Return all of it, for a key: with anything installed, upgraded or removed it is another one."""
    return (sys.version, sys.platform, platform.machine(), installed(tuple(sys.path)), _own_code())


@cache
def installed(places: Sequence[str]) -> str:
    """Return a digest of the names and versions of everything that is installed in these folders.

    The names of the folders that installers write hold both. To read the files in them would take longer
    than many a model takes to predict.
    """
    digest = hashlib.sha256()
    for place in places:
        try:
            names = sorted(item.name for item in Path(place or ".").iterdir() if item.suffix in _INSTALLED)
        except OSError:
            continue
        if names:
            # In the order of the search: of two that have a module, the first one is imported.
            digest.update("\n".join([*names, "", ""]).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


@cache
def _own_code() -> str:
    """Return a digest of this package's code that decides how predictions are made.

    Its version would say the same of a release, and nothing of a working copy.
    """
    digest, package = hashlib.sha256(), Path(__file__).parents[1]
    for room in _SCORING:
        for file in sorted((package / room).rglob("*.py")):
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
