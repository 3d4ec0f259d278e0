"""Two columns of predictions in one file, compared: what ``model-gate compare`` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pluggy

from ..errors import ConfigurationError, did_you_mean
from ..metrics.catalogue import resolve
from ..metrics.metric import Metric
from ..results import Comparison
from ..spec import SourceContext, Tolerance
from .compare import compared_arrays
from .compared import seeded
from .encode import encode_target, positive_last
from .registry import build_registry, extra_metrics, load_metrics, open_dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns of a file hold what.

    Parameters
    ----------
    target : str
        What really happened.
    candidate, production : str
        Predictions; several columns with commas between them are one probability per class.
    roles : Mapping[str, str]
        Keyword of :func:`~pytest_model_gate.compare` -> column: ``sample_weight``, ``groups``, ….
    """

    target: str
    candidate: str
    production: str
    roles: Mapping[str, str] = field(default_factory=dict)


def compare_columns(
    source: str,
    columns: Columns,
    metrics: Sequence[str],
    *,
    root: str = ".",
    tolerances: Mapping[str, Tolerance] | None = None,
    alpha: float = 0.05,
    classes: Sequence[str] | None = None,
    pos_label: str | None = None,
    threshold: float | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
    registry: pluggy.PluginManager | None = None,
) -> list[Comparison]:
    """Compare two columns of predictions in every metric.

    Parameters
    ----------
    source : str
        A dataset source, for example ``"scores.parquet"``.
    columns : Columns
        Which columns hold what.
    metrics : sequence of str
        Names.
    tolerances : mapping, optional
        Per metric; ``"*"`` is for all. A metric without one has its default.
    classes : sequence of str, optional
        Labels in the order of the probability columns, as text.
    pos_label : str, optional
        The positive one of two classes, as text. By default 1 or True.
    threshold : float, optional
        Makes labels of scores: the positive class from here on.
    seed : int
        Of metrics that are resampled.
    progress : callable, optional
        ``progress(metric, done, of)`` is told how far one is.

    Raises
    ------
    ModelGateError
        If the file cannot be read, lacks a column, or the question makes no sense.
    """
    registry = build_registry() if registry is None else registry
    loaded = load_metrics(registry, metrics, root)
    extra = extra_metrics(registry)
    asked = [loaded[name] if name in loaded else resolve(name, extra) for name in metrics]
    allowed = _tolerances(asked, tolerances or {}, extra)
    dataset = open_dataset(registry, source, SourceContext(root=root))
    there = [name for name, _ in dataset.columns]
    said = {role: _columns_of(getattr(columns, role), there) for role in ("candidate", "production")}
    needed = dict.fromkeys([columns.target, *columns.roles.values(), *said["candidate"], *said["production"]])
    for name in needed:
        if name not in there:
            raise ConfigurationError(f"{source} has no column {name!r}.", did_you_mean(name, there))
    frame = pd.concat(list(dataset.batches(list(needed))), ignore_index=True)
    target = frame[columns.target]
    labels = _labels(target) if any(metric.task == "classification" for metric in asked) else ()
    order = None if classes is None else [_meant(text, labels) for text in classes]
    positive = 1 if pos_label is None else _meant(pos_label, labels)
    roles: dict[str, Any] = {role: frame[name] for role, name in columns.roles.items()}
    return [
        compared_arrays(
            target,
            *(_predictions(frame, said[role], metric, labels, positive, threshold) for role in said),
            metric=metric,
            max_regression=allowed[metric.name],
            alpha=alpha,
            classes=order,
            pos_label=positive,
            resampling=replace(
                seeded(seed), progress=None if progress is None else partial(progress, metric.name)
            ),
            **roles,
        )
        for metric in asked
    ]


def _tolerances(
    metrics: Sequence[Metric], tolerances: Mapping[str, Tolerance], extra: Sequence[Metric]
) -> dict[str, Tolerance]:
    names = [metric.name for metric in metrics]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"A metric is asked for twice: {', '.join(names)}.", "Keep one of them.")
    known = {name if name == "*" else resolve(name, extra).name: each for name, each in tolerances.items()}
    for name in known:
        if name not in ("*", *names):
            raise ConfigurationError(
                f"max_regression names {name!r}, which is none of the metrics.", did_you_mean(name, names)
            )
    return {
        metric.name: known.get(metric.name, known.get("*", metric.default_tolerance)) for metric in metrics
    }


def _columns_of(text: str, there: Sequence[str]) -> list[str]:
    """Return the columns that are meant; a name with a comma in it that exists is itself."""
    return [text] if text in there else [name.strip() for name in text.split(",")]


def _labels(target: pd.Series[Any]) -> tuple[Any, ...]:
    _, labels = encode_target(target, task="classification", classes=None, what="the target")
    return labels or ()


def _meant(text: str, labels: Sequence[Any]) -> Any:
    """Return the label of the data that a text of the command line means."""
    for label in labels:
        if text == str(label):
            return label
    for label in labels:
        try:
            if not isinstance(label, str) and float(text) == float(label):
                return label
        except (TypeError, ValueError):
            continue
    return text


def _predictions(
    frame: pd.DataFrame,
    names: Sequence[str],
    metric: Metric,
    labels: Sequence[Any],
    positive: Any,
    threshold: float | None,
) -> Any:
    if len(names) > 1:
        return frame[list(names)].to_numpy()
    column = frame[names[0]]
    if metric.needs != "label" or threshold is None:
        return column
    if len(labels) != 2:
        raise ConfigurationError(
            f"A threshold makes labels of two classes, and the target has {len(labels)}.",
            "Name a column of labels.",
        )
    if column.isna().any():
        return column  # refused below, in words
    negative, reached = positive_last(tuple(labels), positive if positive in labels else None)
    return np.where(column >= threshold, reached, negative)
