"""Where a project writes its gates: ``[tool.model_gate]`` in pyproject.toml, or model_gate.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import ConfigurationError
from ..spec import Waiver
from .declared import OWN_FILE, PYPROJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a project says about its gates.

    Parameters
    ----------
    root : Path
        Directory that relative paths start from.
    file : str
        Name of the file that was read. Empty: there is none.
    defaults : Mapping[str, Any]
        Validated keys that hold for every gate.
    gates : Mapping[str, Mapping[str, Any]]
        Validated keys of each declared gate.
    waivers : tuple of Waiver
        All waivers.
    """

    root: Path
    file: str = ""
    defaults: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    gates: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    waivers: tuple[Waiver, ...] = ()

    def where(self, *tables: str) -> str:
        """Name a table of the file, for messages."""
        prefix = ("tool", "model_gate") if self.file == PYPROJECT else ()
        inside = ".".join((*prefix, *tables))
        return f"{self.file} [{inside}]" if inside else self.file


def read_project(root: Path) -> Project:
    """Read and validate the project's configuration.

    Raises
    ------
    ConfigurationError
        If a file is no TOML, has unknown keys or wrong values, or both files speak of gates.
    """
    own, pyproject = _toml(root / OWN_FILE), _toml(root / PYPROJECT)
    tool = pyproject.get("tool") if pyproject else None
    inside = tool.get("model_gate") if isinstance(tool, dict) else None
    if own is not None and inside is not None:
        raise ConfigurationError(
            f"Gates are configured in {OWN_FILE} and in {PYPROJECT} [tool.model_gate].",
            "Keep one of the two.",
        )
    if own is not None:
        return _project(root, OWN_FILE, own)
    if inside is not None:
        return _project(root, PYPROJECT, inside)
    return Project(root=root)


def _toml(path: Path) -> dict[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{path.name} cannot be read as TOML: {error}.", "Correct that line."
        ) from None


def _project(root: Path, file: str, raw: Any) -> Project:
    from .tables import GateTable, ProjectTable, read_table

    project = Project(root=root, file=file)
    if not isinstance(raw, dict):
        raise ConfigurationError(f"{project.where()} must be a table, got {type(raw).__name__}.")
    keys = read_table(ProjectTable, raw, project.where())
    gates: dict[str, Mapping[str, Any]] = {
        name: read_table(GateTable, table, project.where("gates", name))
        for name, table in keys.pop("gates", {}).items()
    }
    waivers = tuple(Waiver(**waiver.model_dump()) for waiver in keys.pop("waivers", []))
    return Project(root=root, file=file, defaults=keys, gates=gates, waivers=waivers)
