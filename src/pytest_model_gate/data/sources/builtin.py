"""The dataset sources that come with pytest-model-gate: local files and ``python:`` functions."""

from __future__ import annotations

from ...hooks import DatasetProtocol, hookimpl
from ...spec import SourceContext

PYTHON = "python:"


@hookimpl(trylast=True)
def model_gate_dataset(source: str, context: SourceContext) -> DatasetProtocol | None:
    """Open a file, a folder or glob of Parquet, or what a function returns."""
    if source.startswith(PYTHON):
        from .function import open_function

        return open_function(source, context.root)
    from .local import is_local

    if is_local(source):
        from .files import open_files

        return open_files(source, context.root)
    return None
