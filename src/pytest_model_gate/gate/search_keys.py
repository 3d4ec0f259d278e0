"""What ``find_slices`` may hold, also where a gate is written in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import ConfigurationError
from ..spec import FindSlices, GateSpec

#: Canonical metric names of a table; the text says which table that is.
Canonical = Callable[[Mapping[str, Any], str], Mapping[str, Any]]

_LIMITS = {"depth": (1, 3), "min_rows": (20, 10**9), "top": (1, 50)}


def checked_search(gate: GateSpec, canonical: Canonical) -> FindSlices | None:
    """Return the search of a gate with canonical metric names.

    Raises
    ------
    ConfigurationError
        For a number out of its range, and for metrics that the gate does not have.
    """
    spec = gate.find_slices
    if spec is None:
        return None
    check_limits(spec, f"gate {gate.name!r}: ")
    return replace(
        spec,
        metrics=tuple(canonical(dict.fromkeys(spec.metrics), "metrics of find_slices")),
        max_regression=canonical(spec.max_regression, "max_regression of find_slices"),
    )


def check_limits(spec: FindSlices, where: str = "") -> None:
    """Refuse numbers that are out of their range.

    Raises
    ------
    ConfigurationError
        Begins with ``where``.
    """
    for key, (low, high) in _LIMITS.items():
        value = getattr(spec, key)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ConfigurationError(
                f"{where}{key} of find_slices must be {low:,} to {high:,}, got {value!r}.",
                f"Leave {key} out: usual is {getattr(FindSlices(), key)}.",
            )
