"""Write predictions to a file that says which model made them of which rows; ``predictions.py`` reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, EvaluationError, InvalidError
from ..wording import one_line, plural, shorten
from .provenance import METADATA, Provenance

if TYPE_CHECKING:
    from ..hooks import ModelProtocol

#: Column of the row's number where no key is named.
ROW = "row"
_COLUMN = "prediction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written: the file, how a gate names it, and where the predictions come from."""

    path: str
    rows: int
    source: str
    key: str
    provenance: Provenance


def write_predictions(
    path: Path,
    shown: str,
    pieces: Iterator[tuple[str, Any, npt.NDArray[Any]]],
    model: ModelProtocol,
    provenance: Provenance,
    *,
    key: str,
    want: str | None,
    classes: tuple[Any, ...] = (),
) -> Written:
    """Write batches of predictions to a Parquet file, which is there in one piece or not at all.

    Parameters
    ----------
    path, shown : Path, str
        Where, and what errors call it.
    pieces : iterator
        The form, the keys and the predictions of each batch.
    model : ModelProtocol
        Whose classes the columns are of.
    provenance : Provenance
        Where the predictions come from.
    key : str
        Name of the key. Empty: the keys are the numbers of the rows.
    want : str or None
        What was asked for, where the user said it.
    classes : tuple
        The classes of the columns, where the user said them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    partial = path.with_name(f".{path.name}.part")
    writer: Any = None
    keys: list[Any] = []
    names: list[str] = []
    try:
        for form, key_column, said in pieces:
            if writer is None:
                names, classes = _names(said, classes or model.classes or (), key or ROW)
                typed = want or model.classes is not None
                provenance = replace(provenance, want=form if typed else "", classes=classes)
            column = [said] if said.ndim == 1 else list(said.T)
            if len(column) != len(names):
                raise InvalidError(
                    f"{provenance.model} gave {len(names)} columns for some rows and {len(column)} for "
                    "others.",
                    "Return the same shape for all rows.",
                )
            arrays = [_array(key_column, key or ROW), *(_array(part, "the predictions") for part in column)]
            if writer is None:
                schema = pa.schema(
                    [(name, array.type) for name, array in zip([key or ROW, *names], arrays, strict=True)]
                ).with_metadata({METADATA: provenance.to_json()})
                writer = pq.ParquetWriter(partial, schema)
            try:
                writer.write_table(pa.Table.from_arrays(arrays, schema=writer.schema))
            except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
                raise InvalidError(
                    f"The key or the predictions change their type between rows: {one_line(error, 80)}.",
                    "Return one type for all rows.",
                ) from None
            keys.append(key_column)
        if writer is None:
            raise EvaluationError("The dataset has no rows to score.", "Check how it was made.")
        rows = _check_keys(keys, key)
        writer.close()
        writer = None
        partial.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"'{shown}' cannot be written: {error.strerror or type(error).__name__}.", "Write somewhere else."
        ) from None
    finally:
        if writer is not None:
            writer.close()
        partial.unlink(missing_ok=True)
    return Written(
        path=shown, rows=rows, source=_source(shown, names, provenance), key=key, provenance=provenance
    )


def _names(said: npt.NDArray[Any], labels: tuple[Any, ...], key: str) -> tuple[list[str], tuple[Any, ...]]:
    """Return the names of the columns, and the classes that they are of."""
    if said.ndim == 1:
        return [_COLUMN], ()
    classes = tuple(item.item() if isinstance(item, np.generic) else item for item in labels)
    if len(classes) != said.shape[1]:
        return [f"p{i}" for i in range(said.shape[1])], ()
    names = [str(item) for item in classes]
    plain = all(name and name == name.strip() and not set(name) & set(",=#") for name in names)
    if not plain or key in names or len(set(names)) < len(names):
        names = [f"p{i}" for i in range(len(classes))]
    return names, classes


def _source(path: str, names: Sequence[str], provenance: Provenance) -> str:
    """Return what a gate writes to name these predictions."""
    if len(names) == 1 or [str(item) for item in provenance.classes] == list(names):
        return f"predictions:{path}#{','.join(names)}"
    classes = [str(item) for item in provenance.classes] or ["CLASS"] * len(names)
    pairs = ",".join(f"{item}={name}" for item, name in zip(classes, names, strict=True))
    return f"predictions:{path}#{pairs}"


def _array(values: Any, what: str) -> Any:
    import pyarrow as pa

    try:
        return pa.array(values, from_pandas=values.dtype.kind == "O")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InvalidError(
            f"{what} cannot be written to Parquet: {one_line(error, 80)}.", "Return one type for all rows."
        ) from None


def _check_keys(keys: list[Any], key: str) -> int:
    """Return the number of rows, after what no gate could join by was refused."""
    if not key:
        return sum(len(part) for part in keys)
    import pandas as pd

    column = pd.concat(keys, ignore_index=True)
    missing, doubled = int(column.isna().sum()), int(column.duplicated().sum())
    if missing or doubled:
        what = f"is missing in {plural(missing, 'row')}" if missing else ""
        what = what or f"has {plural(doubled, 'row')} with a value that it had before"
        raise InvalidError(
            f"The key '{shorten(key, 120)}' {what}.", "Name a column with another value for every row."
        )
    return len(column)
