"""Arrow tables as pandas frames whose types do not depend on where the batches were cut.

pandas has no missing value for its plain integers and booleans, so a batch with one comes out as floats or
objects and its neighbour without one does not; a categorical of one batch lacks what only another one
holds. Both are settled here once for all rows, before the first batch is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import InvalidError
from ...wording import shorten, some

if TYPE_CHECKING:
    import pandas as pd

#: A batch is at most this large, in rows and in memory. Batches of half as many rows cost models with a
#: thread pool up to 1.5 times the time; eight times as many cost a gate half as much memory again.
BATCH_ROWS = 131_072
BATCH_BYTES = 256 * 1024 * 1024


def rows_per_batch(bytes_per_row: float, batch_bytes: int = BATCH_BYTES) -> int:
    """Return how many rows a batch has.

    Examples
    --------
    >>> rows_per_batch(160), rows_per_batch(8000)
    (131072, 33554)
    """
    return max(1, min(BATCH_ROWS, int(batch_bytes / max(1.0, bytes_per_row))))


@dataclass
class Types:
    """What of the pandas types depends on all rows: collected over tables, applied to each frame.

    Parameters
    ----------
    source : str
        Named in errors.
    nulls : set of str
        Columns of integers or booleans that have a null anywhere.
    categories : dict
        Category values of each dictionary column, in the order in which they came.
    """

    source: str
    nulls: set[str] = field(default_factory=set)
    categories: dict[str, dict[Any, None]] = field(default_factory=dict)

    def add(self, table: Any) -> None:
        """Take the rows of one Arrow table into account."""
        for item, column in zip(table.schema, table.columns, strict=True):
            if _needs_null_flag(item.type) and column.null_count:
                self.nulls.add(item.name)
            elif is_categorical(item.type):
                self._add_categories(item, column)

    def _add_categories(self, item: Any, column: Any) -> None:
        known = self.categories.get(item.name)
        for chunk in column.chunks:
            values = dict.fromkeys(chunk.dictionary.to_pylist())
            if item.type.ordered and known is not None and list(known) != list(values):
                raise InvalidError(
                    f"{self.source}: the ordered categories of '{shorten(item.name)}' differ between parts: "
                    f"{some(map(str, known))} and {some(map(str, values))}.",
                    "Write the column with one list of categories.",
                )
            known = values if known is None else {**known, **values}
        self.categories[item.name] = known if known is not None else {}

    def apply(self, frame: pd.DataFrame, schema: Any) -> pd.DataFrame:
        """Return the frame with the types that hold for all rows."""
        import numpy as np

        for item in schema:
            name = item.name
            if name not in frame.columns:
                continue
            dtype = frame[name].dtype
            if name in self.nulls and isinstance(dtype, np.dtype) and dtype.kind in "iub":
                frame[name] = frame[name].astype(object if dtype.kind == "b" else "float64")
            elif name in self.categories:
                frame[name] = frame[name].astype(self._dtype(item))
        return frame

    def _dtype(self, item: Any) -> Any:
        import pyarrow as pa

        values = pa.array(list(self.categories[item.name]), item.type.value_type)
        codes = pa.array([], pa.int32())
        # The dtype that pyarrow would choose itself: text categories differ between pandas 2 and 3.
        return pa.DictionaryArray.from_arrays(codes, values, ordered=item.type.ordered).to_pandas().dtype


def is_categorical(kind: Any) -> bool:
    """Whether an Arrow type is a dictionary."""
    import pyarrow as pa

    return bool(pa.types.is_dictionary(kind))


def _needs_null_flag(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def depends_on_all_rows(kind: Any) -> bool:
    """Whether the pandas type of a column can only be told when all of its rows were seen."""
    return is_categorical(kind) or _needs_null_flag(kind)


def data_names(schema: Any) -> list[str]:
    """Return the names of the columns that hold data.

    pandas writes an index without a name as ``__index_level_0__``; one with a name is a column like any
    other to a gate, and keeps its name.
    """
    unnamed = _pandas_metadata(schema).get("index_columns", [])
    return [name for name in schema.names if not (name.startswith("__index_level_") and name in unnamed)]


def to_frames(tables: Iterable[Any], types: Types) -> Iterator[pd.DataFrame]:
    """Yield each Arrow table as a frame; the index counts the rows of all of them."""
    start = 0
    for table in tables:
        schema, rows = table.schema, table.num_rows
        frame = _to_frame(table, start)
        del table
        yield types.apply(frame, schema)
        del frame
        start += rows


def rows_only(rows: int) -> pd.DataFrame:
    """Return a frame of no columns: what nobody asked for is not read."""
    import pandas as pd

    return pd.DataFrame(index=pd.RangeIndex(rows))


def _to_frame(table: Any, start: int) -> pd.DataFrame:
    import pandas as pd

    names = table.column_names
    frame: pd.DataFrame = _without_index(table).unify_dictionaries().to_pandas()
    frame.columns = pd.Index(names)
    frame.index = pd.RangeIndex(start, start + table.num_rows)
    return frame


def _without_index(table: Any) -> Any:
    """Keep what pandas wrote about types (``Int64`` and the like), drop what it wrote about the index."""
    metadata = _pandas_metadata(table.schema)
    if not metadata:
        return table.replace_schema_metadata(None)
    metadata = {**metadata, "index_columns": [], "column_indexes": []}
    return table.replace_schema_metadata({b"pandas": json.dumps(metadata).encode()})


def _pandas_metadata(schema: Any) -> Mapping[str, Any]:
    try:
        found = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
