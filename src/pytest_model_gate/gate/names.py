"""Metric names of a gate, made canonical and checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

import pluggy

from ..errors import ConfigurationError, did_you_mean
from ..metrics.catalogue import resolve
from ..metrics.metric import Metric
from ..metrics.queries import UNGROUPED
from ..spec import NO_MODEL, GateSpec
from .candidate_keys import check_candidates
from .leakage_keys import check_leakage
from .limits import not_judged, refuse_impossible, refuse_meaningless, refuse_unjudged
from .lines import ANY, tolerance_of
from .registry import extra_metrics, load_metrics
from .reuse_keys import check_keys
from .search_keys import checked_search
from .slice_tables import checked_table

V = TypeVar("V")


def checked(spec: GateSpec, registry: pluggy.PluginManager) -> GateSpec:
    """Return the gate with canonical metric names.

    Raises
    ------
    ConfigurationError
        For an unknown metric, a tolerance or floor for a metric that the gate doesn't have, metrics of
        both tasks, or a gate that has nothing to compare with.
    """
    loaded = load_metrics(registry, spec.metrics, spec.root)
    extra = extra_metrics(registry)

    def known(name: str) -> Metric:
        return loaded[name] if name in loaded else resolve(name, extra)

    metrics = [known(name) for name in spec.metrics]
    names = tuple(metric.name for metric in metrics)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(
            f"gate {spec.name!r} names {twice[0]!r} twice: {', '.join(spec.metrics)}.",
            "Keep one of the names.",
        )
    tasks = {metric.task for metric in metrics} | ({spec.task} if spec.task else set())
    if len(tasks) > 1:
        listed = ", ".join(f"{metric.name} ({metric.task})" for metric in metrics)
        raise ConfigurationError(
            f"gate {spec.name!r} mixes tasks: {listed}.", "Declare one gate for each task."
        )
    if all(metric.family == "value" for metric in metrics):
        raise ConfigurationError(
            f"gate {spec.name!r} would judge nothing: {not_judged(metrics[0])}.",
            "Add a metric that has an interval, such as mean_absolute_error.",
        )
    if spec.production == NO_MODEL and not spec.baseline and not spec.floors:
        raise ConfigurationError(
            f'gate {spec.name!r} has production = "none" and neither baseline nor floors: nothing to judge.',
            'Give baseline = "prior" (or "mean"), or floors = { roc_auc = 0.8 }.',
        )
    ranked = next((metric.name for metric in metrics if metric.by_query), None)
    if ranked and not spec.query:
        raise ConfigurationError(
            f"gate {spec.name!r}: {UNGROUPED.format(ranked)}",
            'Name the column that does: query = "query_id".',
        )
    if spec.baseline == "last_value" and not spec.time:
        raise ConfigurationError(
            f'gate {spec.name!r}: baseline = "last_value" needs to know what came before.',
            'Name the column with the time of each row: time = "date".',
        )

    check_keys(spec)
    check_candidates(spec)
    check_leakage(spec)

    def canonical(table: Mapping[str, V], key: str) -> Mapping[str, V]:
        found: dict[str, V] = {}
        for name, value in table.items():
            to = name if name == ANY else known(name).name
            if to != ANY and to not in names:
                raise ConfigurationError(
                    f"gate {spec.name!r}: {key} names {name!r}, which is none of its metrics.",
                    did_you_mean(to, names),
                )
            if to != ANY:
                refuse_unjudged(known(to), f"gate {spec.name!r}: {key}")
            if to in found:
                raise ConfigurationError(f"gate {spec.name!r}: {key} names {to!r} twice.", "Keep one.")
            found[to] = value
        return MappingProxyType(found)

    found = replace(
        spec,
        metrics=names,
        waivers=tuple(
            replace(waiver, metric=next(iter(canonical({waiver.metric: None}, "a waiver"))))
            for waiver in spec.waivers
        ),
        max_regression=canonical(spec.max_regression, "max_regression"),
        min_gain=canonical(spec.min_gain, "min_gain"),
        floors=canonical(spec.floors, "floors"),
        slices=tuple(checked_table(item, spec.name, names, tasks, canonical) for item in spec.slices),
        find_slices=checked_search(spec, canonical),
        task=tasks.pop(),
    )
    searched = () if found.find_slices is None else (found.find_slices.max_regression,)
    for table in (found.max_regression, *(item.max_regression for item in found.slices), *searched):
        for metric in metrics:
            refuse_meaningless(metric, tolerance_of(metric, table))
    for metric in metrics:
        floor = found.floors.get(metric.name, found.floors.get(ANY))
        if floor is not None:
            refuse_impossible(metric, floor)
    return found


def metrics_of(spec: GateSpec, registry: pluggy.PluginManager) -> dict[str, Metric]:
    """Return the metrics of a checked gate by name."""
    extra = extra_metrics(registry)
    return {name: resolve(name, extra) for name in spec.metrics}
