"""A digest over what a table holds: names, types and values, however it is cut into pieces.

For data that has no bytes of its own (what a function returned). It is the sha256 over one JSON list per
column and line: name, type, number of rows, and the sha256 of its values (little-endian as Arrow lays
them out, zero where there is none; text as UTF-8), of the lengths of its values where they vary, and of the
numbers of the rows that have none. Nested columns add the same three for what they hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InvalidError
from ...wording import shorten
from ..columns import type_name
from .digest import sha256

#: Rows that are turned into bytes at a time.
_PIECE = 1 << 18
#: Batches of fewer bytes are hashed in one thread.
_SMALL = 1 << 20
#: Hashing lets go of the interpreter; each worker holds one column.
_WORKERS = 2


def content_digest(names: Sequence[str], column: Callable[[str], Any]) -> str:
    """Return ``"sha256:<hex>"`` over all columns of a table.

    Parameters
    ----------
    names : sequence of str
        The columns, in order.
    column : callable
        ``column(name)`` returns its ``pyarrow.ChunkedArray``. Asked for one column after the other, so that
        they need not be there all at once.
    """
    with ThreadPoolExecutor(_WORKERS) as pool:
        return sha256(b"".join(pool.map(lambda name: _line(name, column(name)), names)))


def _line(name: str, column: Any) -> bytes:
    found = _Column(name, column.type)
    for chunk in column.chunks:
        found.add(chunk)
    return found.line()


class ContentDigest:
    """The same digest of a table whose rows come in batches; how they were cut does not matter.

    Used as a context: it hashes columns side by side.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of every batch.
    """

    def __init__(self, schema: Any) -> None:
        self._columns = [_Column(item.name, item.type) for item in schema]
        self.rows = 0

    def __enter__(self) -> ContentDigest:
        self._pool = ThreadPoolExecutor(_WORKERS)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, batch: Any) -> None:
        """Take the rows of one record batch."""
        self.rows += batch.num_rows
        pairs = zip(self._columns, batch, strict=True)
        # Handing a few rows to another thread costs more than to hash them.
        adding = self._pool.map if batch.nbytes > _SMALL else map
        for _ in adding(lambda pair: pair[0].add(pair[1]), pairs):
            pass

    def lines(self) -> dict[str, bytes]:
        """Return what the digest is over, by column: two reads of a column have the same line."""
        return {column.name: column.line() for column in self._columns}

    def digest(self) -> str:
        """Return ``"sha256:<hex>"`` over all rows so far."""
        return sha256(b"".join(column.line() for column in self._columns))


class _Column:
    """The line of one column, over the rows that it was given."""

    def __init__(self, name: str, kind: Any) -> None:
        self.name = name
        self._kind = kind
        self._rows = 0
        self._stream = _Stream()
        self._ordered: dict[str, None] = {}

    def add(self, array: Any) -> None:
        self._rows += len(array)
        for start in range(0, len(array), _PIECE):
            try:
                self._stream.add(array.slice(start, _PIECE))
            except NotImplementedError:
                raise InvalidError(
                    f"Column '{shorten(self.name)}' of type {type_name(self._kind)} cannot be hashed.",
                    "Convert it to numbers, text, booleans, dates, or lists or structs of these.",
                ) from None
        if getattr(self._kind, "ordered", False):
            self._ordered.update(dict.fromkeys(str(value) for value in array.dictionary.to_pylist()))

    def line(self) -> bytes:
        kind = type_name(self._kind)
        if kind.startswith("ordered "):
            # Their order is part of what the values mean; the order of other categories is not.
            kind += str(list(self._ordered))
        return json.dumps([self.name, kind, self._rows, *self._stream.hexes()]).encode() + b"\n"


class _Stream:
    """Three running digests of one column: its values, their lengths, the rows that have none."""

    def __init__(self) -> None:
        self._values, self._lengths, self._nulls = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        self._rows = 0
        self._children: dict[int, _Stream] = {}

    def hexes(self) -> list[str]:
        """Return the digests, those of what a nested column holds last."""
        own = [self._values.hexdigest(), self._lengths.hexdigest(), self._nulls.hexdigest()]
        return own + [text for key in sorted(self._children) for text in self._children[key].hexes()]

    def add(self, array: Any) -> None:
        """Take some more rows of the column."""
        import pyarrow as pa

        kind = array.type
        if isinstance(kind, pa.BaseExtensionType):
            self.add(array.storage)
            return
        if pa.types.is_dictionary(kind):
            self.add(array.dictionary_decode())
            return
        absent = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
        if absent is not None:
            self._nulls.update((np.flatnonzero(absent) + self._rows).astype("<i8").data)
        self._rows += len(array)
        if pa.types.is_null(kind):
            return
        if pa.types.is_struct(kind):
            for position, child in enumerate(array.flatten()):
                self._child(position).add(child)
        elif pa.types.is_map(kind):
            pairs = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
            self._add_lists(array.cast(pa.list_(pairs)))
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            self._add_lists(array)
        elif type_name(kind) in ("string", "binary"):
            self._add_text(array)
        else:
            self._add_fixed(array, absent)

    def _child(self, position: int) -> _Stream:
        return self._children.setdefault(position, _Stream())

    def _add_lists(self, array: Any) -> None:
        import pyarrow.compute as pc

        lengths = pc.fill_null(pc.list_value_length(array), -1)
        self._lengths.update(np.ascontiguousarray(lengths.to_numpy(zero_copy_only=False), dtype="<i8").data)
        self._child(0).add(pc.list_flatten(array))

    def _add_text(self, array: Any) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        array = array.cast(pa.large_binary())
        if array.null_count:
            array = pc.fill_null(array, b"")
        _, offsets, values = array.buffers()
        if not len(array) or offsets is None:
            return
        ends = np.frombuffer(offsets, dtype="<i8")[array.offset : array.offset + len(array) + 1]
        self._lengths.update(np.diff(ends).data)
        if values is not None:
            self._values.update(memoryview(values)[int(ends[0]) : int(ends[-1])])

    def _add_fixed(self, array: Any, absent: npt.NDArray[np.bool_] | None) -> None:
        import pyarrow as pa

        kind = array.type
        if pa.types.is_boolean(kind):
            array, kind = array.cast(pa.uint8()), pa.uint8()
        if not (
            pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_fixed_size_binary(kind)
        ):
            raise NotImplementedError
        if not len(array):
            return
        width = kind.bit_width // 8
        raw = np.frombuffer(array.buffers()[1], dtype=np.uint8)
        raw = raw[array.offset * width : (array.offset + len(array)) * width]
        if pa.types.is_floating(kind):
            raw = _same_nan(raw.view(f"<f{width}")).view(np.uint8)
        if absent is not None:
            raw = raw.reshape(len(array), width).copy()
            raw[absent] = 0
        self._values.update(np.ascontiguousarray(raw).data)


def _same_nan(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give every NaN the same bits: there are many, and they mean the same."""
    with np.errstate(all="ignore"):
        # One pass that allocates nothing; an infinite sum of opposite signs is looked into for nothing.
        if not np.isnan(np.add.reduce(values)):
            return values
    nan = np.isnan(values)
    values = values.copy()
    values[nan] = np.nan
    return values
