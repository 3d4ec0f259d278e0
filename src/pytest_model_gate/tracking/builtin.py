"""The trackers that come with pytest-model-gate. Cheap to import: each imports what it needs."""

from __future__ import annotations

from ..hooks import TrackerProtocol, hookimpl
from ..spec import SourceContext


@hookimpl(trylast=True)
def model_gate_tracker(name: str, context: SourceContext) -> TrackerProtocol | None:
    """Return the tracker with this name."""
    if name == "mlflow":
        from .mlflow import MlflowTracker

        return MlflowTracker(context)
    if name == "wandb":
        from .wandb import WandbTracker

        return WandbTracker()
    return None
