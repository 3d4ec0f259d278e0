"""The dataset sources that come with pytest-model-gate: local files and ``python:`` functions."""

from __future__ import annotations

from importlib import import_module

from ...hooks import DatasetProtocol, hookimpl
from ...spec import SourceContext

PYTHON = "python:"

#: Prefix -> the module beside this one that opens it, imported when somebody asks for it.
_BY_PREFIX = {
    "s3://": "s3",
    "dvc:": "dvc",
    "lakefs://": "lakefs",
    "delta:": "delta",
    "iceberg:": "iceberg",
    "sql:": "sql",
    "duckdb:": "sql",
    "mlflow-dataset:": "mlflow_inputs",
    "hf:": "huggingface",
    "wandb:": "wandb_artifacts",
}


@hookimpl(trylast=True)
def model_gate_dataset(source: str, context: SourceContext) -> DatasetProtocol | None:
    """Open a file, a folder or glob of Parquet, or what a function returns."""
    if source.startswith(PYTHON):
        from .function import open_function

        return open_function(source, context.root)
    for prefix, module in _BY_PREFIX.items():
        if source.startswith(prefix):
            opened: DatasetProtocol = import_module(f".{module}", __package__).open_source(source, context)
            return opened
    from .local import is_local

    if is_local(source):
        from .files import open_files

        return open_files(source, context.root)
    from .urls import knows
    from .urls import open_source as open_url

    return open_url(source, context) if knows(source) else None
