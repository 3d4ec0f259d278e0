"""One registry of sources, metrics and report formats: ours, the project's and installed ones, alike."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points

import pluggy

from ..errors import ConfigurationError
from ..hooks import ENTRY_POINT_GROUP, PROJECT, DatasetProtocol, HookSpecs, ModelProtocol
from ..metrics.metric import Metric
from ..models.baseline import BASELINES
from ..redact import redact
from ..spec import NO_MODEL, SourceContext
from ..wording import one_line

#: Our own extensions; pluggy asks the last registered first, so anybody else's come before them.
BUILT_IN = ("pytest_model_gate.data.builtin", "pytest_model_gate.models.builtin")


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
    found: DatasetProtocol | None = registry.hook.model_gate_dataset(source=source, context=context)
    if found is None:
        raise ConfigurationError(
            f"No dataset source knows {redact(source)!r}.",
            "Known: a path to .parquet, .csv, .feather or .jsonl, a folder or glob of Parquet files, "
            "python:package.module:load.",
        )
    return found


def load_model(registry: pluggy.PluginManager, source: str, context: SourceContext) -> ModelProtocol:
    """Load a model with the first source that knows it."""
    found: ModelProtocol | None = registry.hook.model_gate_model(source=source, context=context)
    if found is None:
        near = get_close_matches(source.lower(), (*BASELINES, NO_MODEL), n=1)
        raise ConfigurationError(
            f"No model source knows {redact(source)!r}.",
            f"Did you mean {near[0]!r}?"
            if near
            else "Known: models:/name@alias, models:/name/3, runs:/id/path, a path to .skops, .json, .ubj, "
            ".txt, .onnx, .joblib or .pkl, python:package.module:factory, predictions:path#column.",
        )
    return found


def extra_metrics(registry: pluggy.PluginManager) -> tuple[Metric, ...]:
    """Return the metrics that extensions add."""
    return tuple(metric for group in registry.hook.model_gate_metrics() for metric in group or ())
