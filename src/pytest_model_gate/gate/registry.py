"""One registry of sources, metrics and report formats: ours, the project's and installed ones, alike."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points

import pluggy

from ..errors import ConfigurationError
from ..hooks import (
    ENTRY_POINT_GROUP,
    PROJECT,
    DatasetProtocol,
    HookSpecs,
    ModelProtocol,
    TrackerProtocol,
    hookimpl,
)
from ..importing import import_object
from ..metrics.metric import Metric
from ..metrics.scorer import PREFIX as SKLEARN
from ..metrics.scorer import from_scorer, is_scorer, named_scorer
from ..models.baseline import BASELINES
from ..redact import redact
from ..spec import NO_MODEL, SourceContext
from ..wording import did_you_mean, one_line, some
from .unanswered import asking_once

_PYTHON = "python:"
#: Our own trackers; extensions add others.
TRACKERS = ("mlflow", "wandb")
_METRIC_FORM = "python:package.module:name, for example python:credit.metrics:cost"

#: Our own extensions; pluggy asks the last registered first, so anybody else's come before them.
BUILT_IN = (
    "pytest_model_gate.data.sources.builtin",
    "pytest_model_gate.models.builtin",
    "pytest_model_gate.tracking.builtin",
)


def build_registry(plugins: Iterable[object] = ()) -> pluggy.PluginManager:
    """Return a plugin manager with our own extensions, those of installed distributions and these.

    Raises
    ------
    ConfigurationError
        If an extension cannot be imported or doesn't fit the hooks: it is never skipped, because a
        source, metric or check that silently isn't there could let a model pass.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    for name in BUILT_IN:
        manager.register(import_module(name), name)
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda item: item.name):
        try:
            manager.register(entry.load(), entry.name)
        except Exception as error:  # noqa: BLE001 - whatever somebody else's import raises is the finding
            raise ConfigurationError(
                f"The extension {entry.name!r} ({entry.value}) cannot be loaded: {one_line(error)}.",
                "Repair or uninstall the distribution that ships it.",
            ) from None
    for plugin in plugins:
        try:
            manager.register(import_module(plugin) if isinstance(plugin, str) else plugin)
            manager.check_pending()
        except Exception as error:  # noqa: BLE001 - as above
            raise ConfigurationError(
                f"The extension {getattr(plugin, '__name__', plugin)!r} cannot be registered: "
                f"{one_line(error)}.",
                "pytest_model_gate_plugins() in conftest.py returns modules or objects with @hookimpl.",
            ) from None
    return manager


def open_dataset(registry: pluggy.PluginManager, source: str, context: SourceContext) -> DatasetProtocol:
    """Open a dataset with the first source that knows it."""
    with asking_once(registry, source, context):
        found: DatasetProtocol | None = registry.hook.model_gate_dataset(source=source, context=context)
    if found is None:
        raise ConfigurationError(
            f"No dataset source knows {redact(source)!r}.",
            "Known: a path to .parquet, .csv, .feather or .jsonl, a folder or glob of Parquet files, "
            "s3://bucket/key, https://... and what else fsspec opens, dvc:path@rev, "
            "lakefs://repository/ref/path, "
            "delta:path@version, iceberg:catalog.table@snapshot, sql:file.sql, "
            "duckdb:file.sql, mlflow-dataset:run-id/name, hf:path, wandb:entity/project/artifact:alias, "
            "python:package.module:load.",
        )
    return found


def load_model(registry: pluggy.PluginManager, source: str, context: SourceContext) -> ModelProtocol:
    """Load a model with the first source that knows it."""
    with asking_once(registry, source, context):
        found: ModelProtocol | None = registry.hook.model_gate_model(source=source, context=context)
    if found is None:
        near = get_close_matches(source.lower(), (*BASELINES, NO_MODEL), n=1)
        raise ConfigurationError(
            f"No model source knows {redact(source)!r}.",
            f"Did you mean {near[0]!r}?"
            if near
            else "Known: models:/name@alias, models:/name/3, models:/m-id, runs:/id/path, "
            "wandb:entity/project/artifact:alias, mlflow-search:experiment?order_by=..., "
            "wandb-search:entity/project?order=..., wandb-offline:folder, "
            "a path to .skops, .json, .ubj, .txt, .cbm, .onnx, .pt2, .pt, .joblib or .pkl, "
            "a folder with MLmodel, "
            "python:package.module:factory, exec:command, predictions:path#column, "
            "http://host/invocations, http://host/v2/models/NAME.",
        )
    return found


def open_tracker(registry: pluggy.PluginManager, name: str, context: SourceContext) -> TrackerProtocol:
    """Return the tracker with a name.

    Raises
    ------
    ConfigurationError
        If nobody has one.
    """
    found: TrackerProtocol | None = registry.hook.model_gate_tracker(name=name, context=context)
    if found is None:
        raise ConfigurationError(
            f"No tracker is called {name!r}.", did_you_mean(name, TRACKERS, f"Known: {some(TRACKERS)}.")
        )
    return found


def extra_metrics(registry: pluggy.PluginManager) -> tuple[Metric, ...]:
    """Return the metrics that extensions add."""
    return tuple(as_metric(metric) for group in registry.hook.model_gate_metrics() for metric in group or ())


def load_metrics(registry: pluggy.PluginManager, names: Iterable[str], root: str) -> dict[str, Metric]:
    """Load the metrics that a gate names by where they are, and register them.

    Parameters
    ----------
    names : iterable of str
        Of these, ``"python:package.module:name"`` and ``"sklearn:scorer"`` are loaded.
    root : str
        Directory whose modules can be imported, too.

    Returns
    -------
    dict
        Metrics by what the gate calls them.

    Raises
    ------
    ConfigurationError
        If there is no such scorer, or the object cannot be a metric.
    ModelGateError
        If the object cannot be imported.
    """
    found: dict[str, Metric] = {}
    for name in names:
        if name.startswith(_PYTHON):
            said = import_object(name.removeprefix(_PYTHON), root, source=name, form=_METRIC_FORM)
            found[name] = as_metric(said, name)
        elif name.startswith(SKLEARN):
            found[name] = named_scorer(name)
        else:
            continue
        if not registry.has_plugin(name):
            registry.register(_Loaded((found[name],)), name)
    return found


class _Loaded:
    """An extension that adds what a gate named."""

    def __init__(self, metrics: tuple[Metric, ...]) -> None:
        self._metrics = metrics

    @hookimpl
    def model_gate_metrics(self) -> tuple[Metric, ...]:
        """Return it."""
        return self._metrics


def as_metric(found: object, source: str = "") -> Metric:
    """Return the metric that somebody's object is.

    Raises
    ------
    ConfigurationError
        For what is neither a metric nor a scorer.
    """
    if isinstance(found, Metric):
        return found
    if is_scorer(found):
        return from_scorer(found)
    what = source or getattr(found, "__name__", repr(found))
    if callable(found):
        raise ConfigurationError(
            f"{what} is a function: nothing says what it needs and whether larger is better.",
            "Make a metric of it: make_metric(f, needs='label', higher_is_better=True).",
        )
    raise ConfigurationError(
        f"{what} is no metric, got {type(found).__name__}.",
        "Name a metric, a function that make_metric was called with, or a scorer of scikit-learn.",
    )
