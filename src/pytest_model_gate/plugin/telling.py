"""What follows from a run outside of it: verdicts in a tracker, and an alias that moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..gate.promoting import promote, registered_in
from ..gate.promotion import promotion
from ..gate.registry import build_registry, open_tracker
from ..gate.verdict_log import Logged, log_verdicts
from ..report.by_gate import by_gate
from ..spec import SourceContext

if TYPE_CHECKING:
    import pluggy
    import pytest

    from ..report.run import Run


def check_tracker(config: pytest.Config, name: str) -> None:
    """Refuse a tracker that nobody has.

    Raises
    ------
    ConfigurationError
        Names the known ones.
    """
    open_tracker(_registry(config), name, SourceContext(root=str(config.rootpath)))


def log_run(config: pytest.Config, run: Run, tracker: str) -> Logged:
    """Write the verdicts of a run to a tracker."""
    records = tuple(run.records())
    return log_verdicts(
        records,
        by_gate(records),
        tracker=tracker,
        registry=_registry(config),
        root=str(config.rootpath),
    )


def promote_run(config: pytest.Config, run: Run, alias: str) -> str:
    """Move an alias to the candidate of a run, and return what happened.

    Raises
    ------
    ModelGateError
        Why not.
    """
    root = str(config.rootpath)
    wanted = promotion(
        tuple(run.records()), alias, objections=tuple(run.objections()), registered=registered_in(root)
    )
    return f"promoted: {promote(wanted, root=root)}"


def _registry(config: pytest.Config) -> pluggy.PluginManager:
    groups = config.hook.pytest_model_gate_plugins(config=config)
    return build_registry([plugin for group in groups for plugin in group or ()])
