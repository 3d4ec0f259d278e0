"""The commit of a git checkout, read from its files: no git is run."""

from __future__ import annotations

import re
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def head_commit(root: Path) -> str:
    """Return the commit that is checked out around ``root``; empty where it isn't easily told."""
    try:
        return _head(root.resolve())
    except (OSError, UnicodeDecodeError):
        return ""


def _head(root: Path) -> str:
    marker = next((place / ".git" for place in (root, *root.parents) if (place / ".git").exists()), None)
    if marker is None:
        return ""
    if marker.is_file():  # a work tree of its own, or a submodule
        marker = (marker.parent / _text(marker).removeprefix("gitdir: ")).resolve()
    head = _text(marker / "HEAD")
    if not head.startswith("ref: "):
        return _commit(head)
    name = head.removeprefix("ref: ")
    common = marker / "commondir"
    shared = (marker / _text(common)).resolve() if common.is_file() else marker
    for folder in (marker, shared):
        if (folder / name).is_file():
            return _commit(_text(folder / name))
    packed = shared / "packed-refs"
    lines = _text(packed).splitlines() if packed.is_file() else []
    return next((_commit(line.split(" ")[0]) for line in lines if line.endswith(f" {name}")), "")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def _commit(text: str) -> str:
    return text if _COMMIT.fullmatch(text) else ""
