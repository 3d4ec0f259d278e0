"""Record batches of any sizes as tables of one size: so many rows as memory bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def in_tables(batches: Iterable[Any], schema: Any, size: int) -> Iterator[Any]:
    """Yield Arrow tables of ``size`` rows (the last one: what is left); at least one.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch or pyarrow.Table
        Rows in order.
    schema : pyarrow.Schema
        Of all of them; that of the empty table where there are no rows.
    size : int
        Rows of a table.
    """
    import pyarrow as pa

    waiting: list[Any] = []
    rows = 0
    empty = True
    for batch in batches:
        waiting.append(batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch]))
        rows += batch.num_rows
        del batch
        while rows >= size:
            full, waiting = _cut(waiting, size)
            rows -= size
            empty = False
            # Handed over, not kept: whoever takes the table can free it while it is converted.
            yield full.pop()
    if rows or empty:
        yield pa.concat_tables(waiting) if rows else schema.empty_table()


def _cut(tables: list[Any], size: int) -> tuple[list[Any], list[Any]]:
    """Return one table of ``size`` rows, and what is left."""
    import pyarrow as pa

    whole = tables[0] if len(tables) == 1 else pa.concat_tables(tables)
    tables.clear()
    rest = whole.slice(size)
    return [whole.slice(0, size)], [rest] if rest.num_rows else []
