"""What a pickle would call, as picklescan sees it: a second opinion, which nothing is allowed by.

joblib puts the bytes of arrays between the instructions of a pickle, where every scanner stops reading. They
are cut out first, by following the instructions with a reader that makes nothing and calls nothing.
"""

from __future__ import annotations

import bz2
import io
import lzma
import math
import pickle
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..wording import one_line, plural, shorten

#: A compressed file that grows beyond this is not read to its end.
_LARGEST = 1 << 30
_PIECE = 1 << 20
_NAMED = 3
#: Modules that build functions out of code that a pickle carries.
_BY_VALUE = ("cloudpickle", "cloudpickle.cloudpickle")


@dataclass(frozen=True, slots=True)
class Scan:
    """What the scanner says.

    Parameters
    ----------
    scanner : str
        Name and version.
    dangerous : tuple of str
        What would be called that no model needs: ``"posix.system"``.
    unread : str
        Why it could not be read to its end. Empty: it was.
    """

    scanner: str
    dangerous: tuple[str, ...] = ()
    unread: str = ""

    @property
    def clean(self) -> bool:
        """Whether all of it was read and nothing dangerous was found: no proof that it is harmless."""
        return not self.dangerous and not self.unread

    def __str__(self) -> str:
        if self.dangerous:
            more = (
                f" and {plural(len(self.dangerous) - _NAMED, 'other')}"
                if len(self.dangerous) > _NAMED
                else ""
            )
            return f"{self.scanner} finds that it calls {', '.join(self.dangerous[:_NAMED])}{more}"
        if self.unread:
            return f"{self.scanner} cannot read it to its end: {self.unread}"
        return f"{self.scanner} finds nothing dangerous"


def scan(files: Mapping[str, bytes], *, by_value: bool = False) -> Scan | None:
    """Return what picklescan says about pickles, whole or compressed, plain or of joblib.

    Parameters
    ----------
    files : mapping of str to bytes
        By name; the name says nothing about the format.
    by_value : bool
        Whether they are known to carry functions by value, as MLflow's models of Python do: what cloudpickle
        builds functions with is then no finding. What such a function does, no scanner sees.

    Returns
    -------
    Scan or None
        ``None``: picklescan is not installed.
    """
    try:
        from importlib.metadata import version

        from picklescan.scanner import SafetyLevel, scan_pickle_bytes
    except ImportError:
        return None
    scanner = f"picklescan {version('picklescan')}"
    dangerous: dict[str, None] = {}
    for name, content in files.items():
        try:
            parts = _instructions(_decompressed(content))
        except Exception as error:  # noqa: BLE001 - whatever a crafted file makes of its reader
            # What comes before the place where reading ends is looked at all the same.
            # A function by value is built by calls that only the real thing could follow; where arrays stand
            # in between, the scanner itself stops, and says so.
            parts, unread = [content], "" if by_value else one_line(error, 120)
        else:
            unread = ""
        for part in parts:
            try:
                found = scan_pickle_bytes(io.BytesIO(part), name)
            except Exception as error:  # noqa: BLE001 - as above
                unread = unread or one_line(error, 120)
                continue
            unread = unread or ("it is no whole pickle" if found.scan_err else "")
            for item in found.globals:
                expected = by_value and item.module in _BY_VALUE
                if item.safety is SafetyLevel.Dangerous and not expected:
                    dangerous[shorten(f"{item.module}.{item.name}", 60)] = None
        if unread and not dangerous:
            return Scan(scanner, unread=unread)
    return Scan(scanner, dangerous=tuple(sorted(dangerous)))


def modules_in(content: bytes) -> frozenset[str] | None:
    """Return the modules that a file of pickle or joblib names; ``None``: it cannot be followed to its end.

    Parameters
    ----------
    content : bytes
        Of the whole file, perhaps compressed. Nothing is imported, made or called.
    """
    try:
        plain = _decompressed(content)
        stream = io.BytesIO(plain)
        reader = _Reader(stream)
        reader.load()
        return frozenset(reader.modules) if stream.tell() == len(plain) else None
    except Exception:  # noqa: BLE001 - whatever a crafted file makes of its reader
        return None


def _decompressed(content: bytes) -> bytes:
    """Return what joblib or gzip compressed; anything else as it is.

    Raises
    ------
    ValueError
        If it grows too large, is cut off, or is compressed in a way that Python alone doesn't know.
    """
    reader: Any
    if content[:2] == b"\x1f\x8b":
        reader = zlib.decompressobj(wbits=31)
    elif content[:1] == b"\x78" and len(content) > 1 and int.from_bytes(content[:2], "big") % 31 == 0:
        reader = zlib.decompressobj()
    elif content[:3] == b"BZh":
        reader = bz2.BZ2Decompressor()
    elif content[:6] == b"\xfd7zXZ\x00" or content[:3] == b"\x5d\x00\x00":
        reader = lzma.LZMADecompressor()
    elif content[:4] == b"\x04\x22\x4d\x18":
        raise ValueError("it is compressed by lz4")
    else:
        return content
    found, rest = bytearray(), content
    while not reader.eof:
        piece = reader.decompress(rest, _PIECE)
        if isinstance(reader, type(zlib.decompressobj())):
            rest = reader.unconsumed_tail
            if not rest and not piece:
                break
        else:
            rest = b""
            if reader.needs_input and not piece:
                break
        found += piece
        if len(found) > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST:,} bytes when it is unpacked")
    if not reader.eof:
        raise ValueError("its compressed bytes are cut off")
    if reader.unused_data:
        raise ValueError("there are bytes after its compressed ones")
    return bytes(found)


class _Inert:
    """Stands for whatever a pickle names: it takes anything, does nothing, and remembers its state."""

    named = ""

    def __new__(cls, *_: Any, **__: Any) -> _Inert:
        return object.__new__(cls)

    def __init__(self, *arguments: Any, **_: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __call__(self, *_: Any, **__: Any) -> _Inert:
        return _Inert()

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def append(self, _: Any) -> None:
        """Take an item."""

    def extend(self, _: Any) -> None:
        """Take items."""

    def add(self, _: Any) -> None:
        """Take an item."""

    def __setitem__(self, _: Any, __: Any) -> None:
        """Take an item."""

    def __hash__(self) -> int:
        return id(self)


class _Reader(pickle._Unpickler):
    """Follows the instructions of a pickle of joblib; nothing that it names is imported or called."""

    dispatch: ClassVar[Any] = dict(pickle._Unpickler.dispatch)

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.stream = stream
        self.cuts: list[tuple[int, int]] = []
        self.inner: list[bytes] = []
        self.modules: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in with the name."""
        self.modules.add(module)
        return type("_Named", (_Inert,), {"named": f"{module}.{name}"})

    def get_extension(self, code: int) -> None:  # noqa: ARG002
        """Refuse what only a registry of the running program could resolve."""
        raise ValueError("it uses the registry of extensions")

    def persistent_load(self, pid: Any) -> Any:  # noqa: ARG002
        """Refuse what only its own reader could resolve."""
        raise ValueError("it refers to objects outside of it")

    def load_build(self) -> None:
        """Set a state; where it is that of an array of joblib, step over the array's bytes."""
        pickle._Unpickler.load_build(self)  # type: ignore[attr-defined]
        made = self.stack[-1]  # type: ignore[attr-defined]
        if not isinstance(made, _Inert) or made.named != "joblib.numpy_pickle.NumpyArrayWrapper":
            return
        start = self.stream.tell()
        self._step_over(dict(made.state))
        self.cuts.append((start, self.stream.tell()))

    dispatch[pickle.BUILD[0]] = load_build

    def _step_over(self, array: dict[str, Any]) -> None:
        kind = array["dtype"].arguments[0]
        if _holds_objects(array["dtype"]):
            # An array of objects is a pickle of its own.
            inner = _Reader(self.stream)
            start = self.stream.tell()
            inner.load()
            self.modules |= inner.modules
            self.inner.append(inner.without_arrays(self.stream.getvalue(), start, self.stream.tell()))
            self.inner += inner.inner
            return
        if array.get("numpy_array_alignment_bytes"):
            self.stream.seek(self.stream.read(1)[0], io.SEEK_CUR)
        size = math.prod(int(length) for length in array["shape"]) * _item_size(str(kind))
        if size < 0 or self.stream.tell() + size > len(self.stream.getbuffer()):
            raise ValueError("an array is larger than the file")
        self.stream.seek(size, io.SEEK_CUR)

    def without_arrays(self, content: bytes, start: int, end: int) -> bytes:
        """Return the instructions between two places, without the bytes of arrays."""
        kept, at = [], start
        for left, right in self.cuts:
            kept.append(content[at:left])
            at = right
        return b"".join([*kept, content[at:end]])


def _holds_objects(dtype: _Inert) -> bool:
    """Whether a type of arrays, or a field of its records, is that of Python's objects."""
    if str(dtype.arguments[0]).startswith("O"):
        return True
    fields = dtype.state[4] if dtype.state and len(dtype.state) > 4 else None
    return any(_holds_objects(field[0]) for field in (fields or {}).values())


def _item_size(kind: str) -> int:
    import numpy as np

    if kind[:1] not in "?bBiufcSUVmM":
        raise ValueError("it holds an array of an unknown type")
    return np.dtype(kind).itemsize


def _instructions(content: bytes) -> list[bytes]:
    """Return the pickles in a file of pickle or joblib, without the bytes of arrays.

    Raises
    ------
    Exception
        Of any kind, where it cannot be followed.
    """
    stream = io.BytesIO(content)
    reader = _Reader(stream)
    reader.load()
    if stream.tell() != len(content):
        raise ValueError("there are bytes after its end")
    return [reader.without_arrays(content, 0, len(content)), *reader.inner]
