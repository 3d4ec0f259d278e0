"""Check that imports point down only, and that each room imports no other third party than its own.

Run it as ``python tools/check_layers.py``; ``tests/contract/test_layers.py`` runs it too. Standard library
only. The two tables below are the architecture: a new room or a new dependency starts with a line there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

PACKAGE = "pytest_model_gate"

#: From the ground up. A room imports from the rows below its own; rooms of one row don't know each other.
ROWS: tuple[tuple[str, ...], ...] = (
    (
        "errors",
        "spec",
        "slicing",
        "data_rules",
        "results",
        "policy",
        "wire",
        "redact",
        "wording",
        "blocks",
        "importing",
        "waiting",
        "hooks",
    ),
    ("mlflow_calls", "wandb_calls", "wandb_file"),
    ("stats", "metrics", "data", "models", "tracking"),
    ("gate", "report", "config"),
    ("plugin", "cli"),
    ("__init__", "__main__"),
)

#: The modules of the ground floor are one room: they may import each other.
FLOOR = ROWS[0]


class When(IntEnum):
    """When an import statement runs; the values are ordered from never to always."""

    TYPES = 0  #: under ``if TYPE_CHECKING``: never at run time
    LAZY = 1  #: inside a function
    TOP = 2  #: when the module is imported


#: Third-party imports: room -> top-level package -> the earliest moment that is allowed.
THIRD_PARTY: Mapping[str, Mapping[str, When]] = {
    "errors": {},
    "spec": {},
    "slicing": {},
    "results": {},
    "policy": {},
    "wire": {},
    "redact": {},
    "wording": {},
    "blocks": {},
    "importing": {},
    "waiting": {},
    "data_rules": {},
    "hooks": {"pluggy": When.TOP, "pandas": When.TYPES},
    "mlflow_calls": {"mlflow": When.LAZY},
    "wandb_calls": {"wandb": When.LAZY},
    "wandb_file": {"wandb": When.LAZY},
    "stats": {"numpy": When.TOP, "scipy": When.LAZY},
    "metrics": {"numpy": When.TOP, "scipy": When.LAZY, "sklearn": When.LAZY},
    "data": {
        "numpy": When.TOP,
        "deltalake": When.LAZY,
        "duckdb": When.LAZY,
        "mlflow": When.LAZY,
        "aiohttp": When.LAZY,
        "botocore": When.LAZY,
        "fsspec": When.LAZY,
        "lakefs": When.LAZY,
        "lakefs_sdk": When.LAZY,
        "pandas": When.LAZY,
        "pandera": When.LAZY,
        "pyarrow": When.LAZY,
        "pyiceberg": When.LAZY,
        "sqlalchemy": When.LAZY,
        "yaml": When.LAZY,
    },
    "models": {
        "numpy": When.TOP,
        "catboost": When.LAZY,
        "joblib": When.LAZY,
        "lightgbm": When.LAZY,
        "mlflow": When.LAZY,
        "onnxruntime": When.LAZY,
        "pandas": When.LAZY,
        "pyarrow": When.LAZY,
        "sklearn": When.LAZY,
        "picklescan": When.LAZY,
        "requests": When.LAZY,
        "skops": When.LAZY,
        "threadpoolctl": When.LAZY,
        "torch": When.LAZY,
        "wandb": When.TYPES,
        "xgboost": When.LAZY,
        "yaml": When.LAZY,
    },
    "tracking": {"mlflow": When.LAZY, "wandb": When.LAZY},
    "gate": {"numpy": When.TOP, "pluggy": When.TOP, "pandas": When.TOP},
    "report": {"tabulate": When.LAZY},
    "config": {"pydantic": When.TOP},  # only tables.py, which nothing imports at start-up (checked below)
    "plugin": {"pytest": When.TOP, "pluggy": When.TOP, "numpy": When.LAZY, "pandas": When.LAZY},
    "cli": {"pluggy": When.LAZY, "pytest": When.LAZY, "tabulate": When.LAZY},
    "__init__": {},
    "__main__": {},
}

#: Never, nowhere: slow to import, or a second opinion on what ``metrics/`` computes.
BANNED = ("scipy.stats", "sklearn.metrics")

#: Except here, in a function: where a user asks for one of scikit-learn's scorers by name.
SCORERS = (f"{PACKAGE}.metrics.scorer", "sklearn.metrics")

#: What pytest imports at every start, in every project. Only the ground floor may come along.
ENTRY = f"{PACKAGE}.plugin"
STARTUP_ROOMS = ("__init__", "plugin", *FLOOR)
STARTUP_THIRD_PARTY = ("pytest", "pluggy")


@dataclass(frozen=True, slots=True)
class Import:
    """One import: the module that it names, where it stands, and when it runs."""

    target: str
    line: int
    when: When


def main() -> int:
    """Print every violation; 1 if there is any."""
    source = Path(__file__).resolve().parents[1] / "src"
    found = violations(source)
    for violation in found:
        print(violation)
    count = sum(1 for _ in (source / PACKAGE).rglob("*.py"))
    print(f"{count} modules, {len(found)} violations of the layers")
    return 1 if found else 0


def violations(source: Path) -> list[str]:
    """Return what breaks the rules below ``source``, a directory that holds the package."""
    modules = {_name(path, source): path for path in sorted((source / PACKAGE).rglob("*.py"))}
    if f"{PACKAGE}.__init__" not in modules:
        return [f"{source}: there is no package {PACKAGE}"]
    imports = {name: tuple(_imports(name, path, modules)) for name, path in modules.items()}
    found = []
    for name, path in modules.items():
        where = path.relative_to(source.parent).as_posix()
        found += [f"{where}:{item.line}: {text}" for item in imports[name] for text in _broken(name, item)]
        if _room(name) not in THIRD_PARTY:
            found.append(f"{where}:1: the room {_room(name)} is in no row; add it to ROWS and THIRD_PARTY")
    return found + _startup(imports)


def _name(path: Path, source: Path) -> str:
    return ".".join(path.relative_to(source).with_suffix("").parts)


def _room(module: str) -> str:
    """Return the room of a dotted name inside the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def _row(room: str) -> int | None:
    return next((row for row, rooms in enumerate(ROWS) if room in rooms), None)


def _broken(module: str, item: Import) -> Iterator[str]:
    """Yield what is wrong with one import of a module."""
    room, package = _room(module), item.target.split(".")[0]
    if package == PACKAGE:
        yield from _points_wrong(room, _room(item.target))
        return
    for banned in BANNED:
        if (module, banned) == SCORERS and item.when < When.TOP:
            continue
        if item.target == banned or item.target.startswith(banned + "."):
            yield f"{banned} is imported nowhere in this package"
    if package in sys.stdlib_module_names or package == "__future__":
        return
    allowed = THIRD_PARTY.get(room, {}).get(package)
    if allowed is None:
        if item.when is not When.TYPES or package not in ("numpy", "pandas", "pytest"):
            yield f"{room} may not import {package}"
    elif item.when > allowed:
        place = "inside a function" if allowed is When.LAZY else "under TYPE_CHECKING"
        yield f"{room} may import {package} only {place}"


def _points_wrong(room: str, other: str) -> Iterator[str]:
    here, there = _row(room), _row(other)
    if room == other or here is None or there is None or (room in FLOOR and other in FLOOR):
        return
    if here == there:
        yield f"{room} may not import {other}: siblings do not know each other"
    elif there > here and not (other == "__init__" and room != "__init__"):
        yield f"{room} may not import {other}: imports point down"
    elif other == "__init__":
        yield f"{room} may not import the package itself: import the module that is meant"


def _startup(imports: Mapping[str, tuple[Import, ...]]) -> list[str]:
    """Follow what runs at pytest's start, module by module."""
    found: list[str] = []
    waiting, seen = [f"{PACKAGE}.__init__", f"{ENTRY}.__init__"], set()
    while waiting:
        module = waiting.pop()
        if module in seen or module not in imports:
            continue
        seen.add(module)
        for item in imports[module]:
            if item.when is not When.TOP:
                continue
            package = item.target.split(".")[0]
            if package == PACKAGE:
                if _room(item.target) not in STARTUP_ROOMS:
                    found.append(f"{module}:{item.line}: {item.target} would be imported at pytest's start")
                waiting += [item.target, f"{item.target}.__init__"]
            elif package not in (*STARTUP_THIRD_PARTY, *sys.stdlib_module_names):
                found.append(f"{module}:{item.line}: {package} would be imported at pytest's start")
    return sorted(found)


def _imports(module: str, path: Path, modules: Mapping[str, Path]) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    yield from _walk(tree, When.TOP, module, modules)


def _walk(node: ast.AST, when: When, module: str, modules: Mapping[str, Path]) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield from (Import(name, child.lineno, when) for name in _targets(child, module, modules))
        elif isinstance(child, ast.Call) and (name := _dynamic(child, module)):
            yield Import(name, child.lineno, when)
        if isinstance(child, ast.If) and _type_checking(child.test):
            for statement in child.body:
                yield from _walk(ast.Module([statement], []), When.TYPES, module, modules)
            for statement in child.orelse:
                yield from _walk(ast.Module([statement], []), when, module, modules)
            continue
        inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from _walk(child, min(when, When.LAZY) if inside else when, module, modules)


def _type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _targets(node: ast.Import | ast.ImportFrom, module: str, modules: Mapping[str, Path]) -> Iterator[str]:
    """Yield the modules that a statement imports: for ``from a import b``, a.b where that is a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        base = ".".join([*module.split(".")[: -node.level], *([base] if base else [])])
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        known = inner in modules or f"{inner}.__init__" in modules
        yield inner if known or base.split(".")[0] != PACKAGE else base


def _dynamic(call: ast.Call, module: str) -> str:
    """Return what ``import_module("text")`` imports; empty where it can't be told."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in ("import_module", "__import__") or not call.args:
        return ""
    text = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
    if not isinstance(text, str):
        return ""
    level = len(text) - len(text.lstrip("."))
    return ".".join([*module.split(".")[:-level], text.lstrip(".")]) if level else text


if __name__ == "__main__":
    raise SystemExit(main())
