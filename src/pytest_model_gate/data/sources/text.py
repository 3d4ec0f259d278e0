"""CSV and JSON lines: read as a whole, because a column's type is known only when all of it was seen.

What does not fit in memory belongs into Parquet, which says its types itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...errors import InvalidError
from ...wording import shorten
from ..columns import check_unique
from .reading import reading

if TYPE_CHECKING:
    import pandas as pd

_BLOCK_BYTES = 1 << 24


def read_csv(path: Path, name: str) -> pd.DataFrame:
    """Read a CSV file (gzip too) as ``pandas.read_csv`` reads it, but refuse what it would guess about.

    pandas renames the second of two equal column names, fills a short row with missing values, and takes
    the first column as an index where rows are longer than the header. Each hides a broken file.
    """
    import pandas as pd

    compression: Literal["gzip"] | None = "gzip" if path.name.lower().endswith(".gz") else None
    with reading(name, "CSV"):
        try:
            head = pd.read_csv(
                path,
                header=None,
                nrows=1,
                dtype=str,
                keep_default_na=False,
                compression=compression,
                encoding="utf-8",
            )
        except pd.errors.EmptyDataError:
            raise InvalidError(
                f"{name} is empty: there is no header line.", "Write it with a header."
            ) from None
        header = [str(cell).removeprefix("\ufeff") for cell in head.iloc[0]]
        check_unique([cell for cell in header if cell], name)
        _check_widths(path, compression)
        # To the last digit, as pandas does by itself since version 3: the same bytes are the same numbers.
        exactly: dict[str, Any] = (
            {} if int(pd.__version__.split(".")[0]) >= 3 else {"float_precision": "round_trip"}
        )
        found: pd.DataFrame = pd.read_csv(
            path, low_memory=False, compression=compression, encoding="utf-8-sig", **exactly
        )
        return found


def _check_widths(path: Path, compression: Literal["gzip"] | None) -> None:
    """Raise if a row has more or fewer fields than the header: pyarrow finds the cuts without the values."""
    import pyarrow as pa
    from pyarrow import csv

    with pa.input_stream(str(path), compression=compression) as stream:
        # Without threads, pyarrow knows the number of the row that it complains about.
        # A row must fit into a block, and rows with long texts exist.
        options = csv.ReadOptions(autogenerate_column_names=True, use_threads=False, block_size=_BLOCK_BYTES)
        convert = csv.ConvertOptions(include_columns=["f0"], column_types={"f0": pa.binary()})
        parse = csv.ParseOptions(newlines_in_values=True)
        for _ in csv.open_csv(stream, read_options=options, parse_options=parse, convert_options=convert):
            pass


def read_json_lines(path: Path, name: str) -> pd.DataFrame:
    """Read one JSON object per line; a key that a line lacks is a missing value.

    ``pandas.read_json`` would turn text such as ``"007"`` into numbers and dates by the column's name.
    """
    import pandas as pd

    with reading(name, "JSON lines"):
        rows = list(_objects(path, name))
        if not rows:
            raise InvalidError(
                f"{name} is empty: it has no line, so no columns.", "Write one JSON object per line."
            )
        # All keys of all lines, in the order in which they come first: pandas looks only at some.
        columns = list(dict.fromkeys(key for row in rows for key in row))
        return pd.DataFrame.from_records(rows, columns=columns)


def _objects(path: Path, name: str) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                raise InvalidError(
                    f"{name} line {number} is not JSON: {error.msg} at column {error.colno}.",
                    "Write one JSON object per line; a last line that is cut off means an incomplete file.",
                ) from None
            if not isinstance(value, dict):
                raise InvalidError(
                    f"{name} line {number} is {shorten(type(value).__name__)}, not an object.",
                    'Write one JSON object per line, such as {"age": 41, "default": 0}.',
                )
            yield value
