"""Which ledger counts the uses of a gate's holdout: the file of the project, or an experiment of MLflow."""

from __future__ import annotations

from pathlib import Path

from ..data.ledger import LEDGER_NAME
from ..data.ledger_mlflow import EXPERIMENT, MlflowLedger
from ..data.ledger_store import FileLedger, Ledger
from ..spec import GateSpec, SourceContext


def ledger_of(spec: GateSpec) -> Ledger:
    """Return the ledger of a gate."""
    return ledger_at(spec.ledger, SourceContext(root=spec.root, tracking_uri=spec.tracking_uri))


def ledger_at(store: str, context: SourceContext) -> Ledger:
    """Return the ledger that a text means: ``"file"``, ``"mlflow"`` or ``"mlflow:EXPERIMENT"``.

    Parameters
    ----------
    store : str
        The text.
    context : SourceContext
        Says where the project is, and MLflow's server.
    """
    file = Path(context.root) / LEDGER_NAME
    if store == "file":
        return FileLedger(file)
    return MlflowLedger(context, store.partition(":")[2] or EXPERIMENT, file=file)
