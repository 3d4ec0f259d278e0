"""``python:package.module:load``: a dataset that a function returns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ...errors import EvaluationError, InvalidError
from ...hooks import DatasetProtocol
from ...importing import import_object, importable, where
from ...wording import one_line
from ..columns import check_unique, describe
from .content import content_digest
from .frames import data_names
from .memory import FrameDataset, TableDataset, arrow_schema, as_columns

_NEEDED = "a pandas DataFrame or a pyarrow Table was needed"


_FORM = "python:package.module:load, for example python:credit.data:load"


def open_function(source: str, root: str) -> DatasetProtocol:
    """Import a function, call it without arguments, and take what it returns as the dataset.

    Parameters
    ----------
    source : str
        ``python:package.module:load``.
    root : str
        Directory whose modules can be imported, too.
    """
    load = import_object(source.removeprefix("python:"), root, source=source, form=_FORM)
    if not callable(load):
        raise EvaluationError(
            f"'{source}' is {_article(type(load).__name__)}, not a function; {_NEEDED} from calling it.",
            "Name a function (or another callable) that needs no arguments.",
        )
    with importable(root):
        try:
            found = load()
        except (Exception, SystemExit) as error:
            raise EvaluationError(
                f"'{source}' failed with {one_line(error)}{where(error)}.",
                "Call it by itself to see the whole traceback.",
            ) from error
    return _dataset(found, source, _resolved(load, source, root))


def _resolved(load: Any, source: str, root: str) -> str:
    """Return the function and the file that it is in."""
    module = sys.modules.get(getattr(load, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if not file:
        return source
    path, base = Path(file).absolute(), Path(root).absolute()
    shown = path.relative_to(base) if path.is_relative_to(base) else path
    return f"{getattr(load, '__qualname__', type(load).__name__)} in {shown.as_posix()}"


def _dataset(found: Any, source: str, resolved: str) -> DatasetProtocol:
    # Whoever returns one of these has imported its library: nothing else needs importing to tell.
    pandas, pyarrow = sys.modules.get("pandas"), sys.modules.get("pyarrow")
    if pandas is not None and isinstance(found, pandas.DataFrame):
        return _from_frame(found, source, resolved)
    if pyarrow is not None and isinstance(found, pyarrow.Table):
        check_unique(found.column_names, source)
        table = found.select(data_names(found.schema))
        digest = content_digest(table.column_names, table.column)
        return TableDataset(source, resolved, digest, table)
    raise EvaluationError(
        f"'{source}' returned {_article(type(found).__name__)}; {_NEEDED}.",
        "Convert what it returns, for example with pandas.DataFrame(...) or .to_pandas().",
    )


def _article(name: str) -> str:
    return "nothing" if name == "NoneType" else f"an object of type {name}"


def _from_frame(found: Any, source: str, resolved: str) -> DatasetProtocol:
    import pyarrow as pa

    frame = as_columns(found, source)
    check_unique(list(frame.columns), source)
    schema = arrow_schema(frame, source)

    def column(name: str) -> Any:
        try:
            array = pa.array(frame[name], type=schema.field(name).type, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise InvalidError(
                f"{source}: column '{name}' cannot be hashed: {one_line(error)}.",
                "Give the column one type.",
            ) from None
        return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])

    digest = content_digest(schema.names, column)
    return FrameDataset(source, resolved, digest, frame, describe(schema))
