"""The slices of a gate, checked against its metrics before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ..errors import ConfigurationError
from ..slicing import bins_by_column, bins_of, sliced_by
from ..spec import SliceSpec
from .lines import ANY


def checked_table(
    item: SliceSpec,
    gate: str,
    metrics: Collection[str],
    tasks: Collection[str],
    canonical: Callable[[Mapping[str, Any], str], Mapping[str, Any]],
) -> SliceSpec:
    """Return one entry of ``slices`` with canonical metric names.

    Parameters
    ----------
    item : SliceSpec
        As given, by a file or in Python.
    gate : str
        Whose slices these are.
    metrics : collection of str
        Canonical names of the gate's metrics.
    tasks : collection of str
        The task of the gate.
    canonical : callable
        ``canonical(table, key)`` returns a table by metric with canonical names.

    Raises
    ------
    ConfigurationError
        For columns and bins that cannot be meant, and for metrics that are not judged there.
    """
    where = f"slice {item.title!r}"
    try:
        by = sliced_by(item.by)
        bins = bins_by_column(bins_of(item.bins), item.columns)
    except ValueError as error:
        raise ConfigurationError(f"gate {gate!r}: {where}: {error}.") from None
    if item.min_per_class and "regression" in tasks:
        raise ConfigurationError(
            f"gate {gate!r}: {where}: min_per_class counts the rows of classes, and a regression has none.",
            "Use min_rows.",
        )
    named = {} if ANY in item.metrics else dict.fromkeys(item.metrics)
    chosen = tuple(canonical(named, f"metrics of {where}"))
    tolerances = canonical(item.max_regression, f"max_regression of {where}")
    unused = sorted(set(tolerances) - {ANY, *(chosen or metrics)})
    if unused:
        raise ConfigurationError(
            f"gate {gate!r}: max_regression of {where} names {unused[0]!r}, and its metrics don't.",
            "Name it in both, or in neither.",
        )
    return replace(item, by=by, bins=MappingProxyType(bins), metrics=chosen, max_regression=tolerances)
