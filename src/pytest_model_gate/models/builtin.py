"""The model sources that come with pytest-model-gate. Cheap to import: each source imports what it needs."""

from __future__ import annotations

from ..hooks import ModelProtocol, hookimpl
from ..spec import SourceContext
from .endpoints import is_endpoint


@hookimpl(trylast=True)
def model_gate_model(source: str, context: SourceContext) -> ModelProtocol | None:
    """Load a model from MLflow, a file or folder, a function, a command, an endpoint, or predictions."""
    if source.startswith(("models:", "runs:", "mlflow-search:")):
        from .mlflow import open_mlflow

        return open_mlflow(source, context)
    if source.startswith(("wandb:", "wandb-search:", "wandb-offline:")):
        from .wandb import open_wandb

        return open_wandb(source, context)
    if source.startswith("python:"):
        from .python import open_python

        return open_python(source, context)
    if source.startswith(("exec:", "exec+csv:")):
        from .command import open_command

        return open_command(source, context)
    if is_endpoint(source):
        from .endpoints.model import open_endpoint

        return open_endpoint(source, context)
    if source.startswith("predictions:"):
        from .predictions import open_predictions

        return open_predictions(source, context)
    from .files import is_model_file, open_file

    if is_model_file(source):
        return open_file(source, context)
    from .mlmodel_folder import is_model_folder

    if is_model_folder(source, context):
        from .mlmodel_folder import open_folder

        return open_folder(source, context)
    from .keras import refuse

    refuse(source)
    return None
