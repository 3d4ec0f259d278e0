"""Whether and which gates a project declares, without validating anything: cheap enough for every start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

PYPROJECT = "pyproject.toml"
OWN_FILE = "model_gate.toml"


def speaks_of_gates(root: str | os.PathLike[str]) -> bool:
    """Whether the project has a configuration of gates."""
    if (Path(root) / OWN_FILE).is_file():
        return True
    try:
        return b"model_gate" in (Path(root) / PYPROJECT).read_bytes()
    except OSError:
        return False


def declared_gates(root: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the names of the declared gates; none where the file cannot be read, which others report."""
    own, pyproject = _toml(Path(root) / OWN_FILE), _toml(Path(root) / PYPROJECT)
    tool = pyproject.get("tool")
    inside = own or (tool.get("model_gate") if isinstance(tool, dict) else None)
    gates = inside.get("gates") if isinstance(inside, dict) else None
    return tuple(gates) if isinstance(gates, dict) else ()


def _toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
