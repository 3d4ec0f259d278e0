"""``model-gate-plan.toml``: how far gains were spread in a pilot, so that hopeless tolerances are noticed.

Warnings are made of it and nothing else: without the file every verdict is the same. One table for each
metric and slice, sorted, and with three digits, so that the same data write the same bytes. Where a merge
kept two tables of one line, the larger spread counts.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError, UnavailableError

NAME = "model-gate-plan.toml"
COMMAND = "`model-gate plan --save`"

_VERSION = 1
_COMMENT = f"# Written by {COMMAND}: how far gains were spread in a pilot. Commit it. No verdict needs it.\n"
_DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far one gain was spread in a pilot.

    Parameters
    ----------
    gate, metric, slice : str
        Which line.
    rows, all_rows : int
        Of the line, and of the whole pilot.
    spread : float
        Standard error times the root of the rows: what one row contributes.
    value : float
        Production's value, for tolerances in per cent.
    """

    gate: str
    metric: str
    slice: str
    rows: int
    all_rows: int
    spread: float
    value: float

    @property
    def line(self) -> tuple[str, str, str]:
        """Which line it is about."""
        return self.gate, self.metric, self.slice


def read_spreads(path: Path) -> tuple[Spread, ...]:
    """Read the file; where there is none, nothing is known.

    Raises
    ------
    ConfigurationError
        If it is damaged.
    """
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise _broken(path, f"cannot be read: {said}") from None
    if plain.get("version") != _VERSION:
        raise _broken(path, f"has version {plain.get('version')!r}; {_VERSION} was needed")
    found: dict[tuple[str, str, str], Spread] = {}
    for table in plain.get("spreads", []):
        one = _spread(path, table)
        other = found.get(one.line)
        found[one.line] = one if other is None or one.spread > other.spread else other
    return tuple(found[line] for line in sorted(found))


def save_spreads(path: Path, new: Iterable[Spread], *, gates: Iterable[str]) -> None:
    """Write what was found for these gates in place of what was known of them; other gates keep theirs.

    Raises
    ------
    ConfigurationError
        If the file is damaged.
    UnavailableError
        If it cannot be written.
    """
    replaced = set(gates)
    kept = [spread for spread in read_spreads(path) if spread.gate not in replaced]
    text = _render((*kept, *new))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UnavailableError(
            f"{path.as_posix()} cannot be written: {error.strerror or error}.",
            "Check the folder and its permissions.",
        ) from None


def _render(spreads: Iterable[Spread]) -> str:
    lines = [_COMMENT, f"version = {_VERSION}\n"]
    for one in sorted(spreads, key=lambda spread: spread.line):
        lines.append(
            "\n[[spreads]]\n"
            f"gate = {_text(one.gate)}\n"
            f"metric = {_text(one.metric)}\n"
            f"slice = {_text(one.slice)}\n"
            f"rows = {one.rows}\n"
            f"all_rows = {one.all_rows}\n"
            f"spread = {_number(one.spread)}\n"
            f"value = {_number(one.value)}\n"
        )
    return "".join(lines)


def _spread(path: Path, table: Any) -> Spread:
    kinds: dict[str, type | tuple[type, ...]] = {
        "gate": str, "metric": str, "slice": str, "rows": int, "all_rows": int,
        "spread": (int, float), "value": (int, float),
    }  # fmt: skip
    if not isinstance(table, dict) or set(table) != set(kinds):
        raise _broken(path, f"has a table of spreads with other keys than {', '.join(kinds)}")
    for key, kind in kinds.items():
        if not isinstance(table[key], kind) or isinstance(table[key], bool):
            raise _broken(path, f"has {table[key]!r} as {key}")
    one = Spread(**table)
    if (
        one.rows < 1
        or one.all_rows < one.rows
        or not 0 <= one.spread < math.inf
        or not math.isfinite(one.value)
    ):
        raise _broken(path, f"has impossible numbers for {one.metric} of gate {one.gate}")
    return one


def _text(value: str) -> str:
    """Return a TOML basic string."""
    escaped = (
        "\\" + c if c in '"\\' else f"\\u{ord(c):04x}" if ord(c) < 0x20 or ord(c) == 0x7F else c
        for c in value
    )
    return f'"{"".join(escaped)}"'


def _number(value: float) -> str:
    return repr(float(f"{value:.{_DIGITS}g}"))


def _broken(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path.name} {what}.", f"Run {COMMAND} again, or delete the file: no verdict needs it."
    )
