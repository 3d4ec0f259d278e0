"""One model's predictions as bytes: a header of JSON, bare numbers and a checksum; nothing in it runs."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..results import Finding
from ..wire import from_plain, to_plain
from .scoring import Scored, argmax_labels

_MAGIC = b"model-gate predictions 1\n"
_HEX = 64
_LENGTH = 8
_FORMS = ("labels", "probability", "score", "value")
#: Kinds of numpy's types: numbers as they are, text as codes and levels.
_NUMBERS, _TEXT = "fiub", "OU"
#: Labels that JSON gives back as they are.
_PLAIN = (bool, int, float, str)
#: Labels that are the most probable class are not written.
_ARGMAX = "argmax"


class DamagedError(ValueError):
    """What is read is not what was written."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Kept:
    """What is kept of one model on one dataset.

    Parameters
    ----------
    key : str
        What all of this is a function of.
    kind : str
        What loaded the model.
    columns, classes : tuple or None
        As the model says.
    types : mapping
        Column -> type, where it states it.
    said : str
        What a scanner has against it.
    scored : Scored
        What it says about every judged row.
    promised : str
        Which promises were asked of it, on which rows; empty: none.
    findings : tuple of Finding
        What was found then, and is no failure.
    """

    key: str
    kind: str
    columns: tuple[str, ...] | None
    classes: tuple[Any, ...] | None
    scored: Scored
    types: Mapping[str, str] = field(default_factory=dict)
    said: str = ""
    promised: str = ""
    findings: tuple[Finding, ...] = ()


def encode(kept: Kept) -> bytes | None:
    """Return the bytes; ``None`` where something could not be given back as it is."""
    classes = kept.classes
    if classes is not None and not all(map(_is_plain, classes)):
        return None
    forms: dict[str, Any] = {}
    arrays: list[bytes] = []
    for form in _FORMS:
        values = getattr(kept.scored, form)
        if values is None:
            continue
        if form == "labels" and _derived(kept.scored, classes):
            forms[form] = _ARGMAX
            continue
        about: dict[str, Any] = {"shape": list(values.shape)}
        if values.dtype.kind not in _NUMBERS:
            found = _factorized(values)
            if found is None:
                return None
            about["as"] = values.dtype.str
            about["levels"], values = found
        values = np.ascontiguousarray(values)
        about["dtype"] = values.dtype.str
        forms[form] = about
        arrays.append(values.tobytes())
    header = {
        "key": kept.key,
        "rows": kept.scored.rows,
        "kind": kept.kind,
        "columns": kept.columns,
        "classes": classes,
        "types": dict(kept.types),
        "said": kept.said,
        "forms": forms,
        "promised": kept.promised,
        "findings": [to_plain(item) for item in kept.findings],
    }
    text = json.dumps(header, allow_nan=False, ensure_ascii=True).encode()
    digest = hashlib.sha256()
    parts = [len(text).to_bytes(_LENGTH, "little"), text, *arrays]
    for part in parts:
        digest.update(part)
    return b"".join([_MAGIC, digest.hexdigest().encode(), *parts])


def decode(content: bytes, key: str) -> Kept:
    """Return what was kept.

    Raises
    ------
    DamagedError
        If these are not whole bytes of :func:`encode` for this very key. Nothing of them is used then.
    """
    start = len(_MAGIC) + _HEX
    if content[: len(_MAGIC)] != _MAGIC:
        raise DamagedError("it is no file of predictions")
    body = memoryview(content)[start:]
    if hashlib.sha256(body).hexdigest().encode() != content[len(_MAGIC) : start]:
        raise DamagedError("its bytes are not those that were written")
    try:
        return _decoded(body, key)
    except DamagedError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError, RecursionError):
        # The checksum is right, so somebody wrote this who is not this program.
        raise DamagedError("its header says what no such file says") from None


def _decoded(body: memoryview, key: str) -> Kept:
    size = int.from_bytes(body[:_LENGTH], "little")
    header = json.loads(bytes(body[_LENGTH : _LENGTH + size]))
    if header["key"] != key:
        raise DamagedError("it is the file of another model or dataset")
    at, rows = _LENGTH + size, header["rows"]
    if type(rows) is not int or rows < 0 or set(header["forms"]) - set(_FORMS):
        raise DamagedError("its header says what no such file says")
    found: dict[str, npt.NDArray[Any]] = {}
    for form in _FORMS:
        about = header["forms"].get(form)
        if about is None or about == _ARGMAX:
            continue
        found[form], at = _array(body, at, about, rows)
    if at != len(body):
        raise DamagedError("it is longer or shorter than its header says")
    classes = None if header["classes"] is None else tuple(header["classes"])
    if not all(map(_is_plain, classes or ())):
        raise DamagedError("its header says what no such file says")
    if header["forms"].get("labels") == _ARGMAX:
        found["labels"] = argmax_labels(found["probability"], classes or ())
    columns = header["columns"]
    return Kept(
        key=key,
        kind=str(header["kind"]),
        columns=None if columns is None else tuple(map(str, columns)),
        classes=classes,
        types={str(name): str(kind) for name, kind in header["types"].items()},
        said=str(header["said"]),
        scored=Scored(
            rows=rows,
            labels=found.get("labels"),
            probability=found.get("probability"),
            score=found.get("score"),
            value=found.get("value"),
        ),
        promised=str(header["promised"]),
        findings=tuple(from_plain(Finding, item) for item in header["findings"]),
    )


def _array(body: memoryview, at: int, about: Mapping[str, Any], rows: int) -> tuple[npt.NDArray[Any], int]:
    dtype, shape = np.dtype(about["dtype"]), tuple(about["shape"])
    fits = (
        1 <= len(shape) <= 2 and shape[0] == rows and all(type(each) is int and each >= 0 for each in shape)
    )
    if not fits or dtype.kind not in _NUMBERS:
        raise DamagedError("its header says what no such file says")
    end = at + math.prod(shape) * dtype.itemsize
    if end > len(body):
        raise DamagedError("it is longer or shorter than its header says")
    # A copy: what is kept must not be changed through somebody's view of the file.
    values = np.frombuffer(body[at:end], dtype=dtype).reshape(shape).copy()
    if "levels" not in about:
        return values, end
    named = np.dtype(about["as"])
    if named.kind not in _TEXT or not all(map(_is_plain, about["levels"])) or (values < 0).any():
        raise DamagedError("its header says what no such file says")
    levels = np.empty(len(about["levels"]), dtype=object)
    levels[:] = about["levels"]
    return levels[values].astype(named), end


def _is_plain(value: Any) -> bool:
    return type(value) in _PLAIN and not (type(value) is float and not math.isfinite(value))


def _derived(scored: Scored, classes: Sequence[Any] | None) -> bool:
    """Whether the labels are nothing but the most probable classes."""
    probability, labels = scored.probability, scored.labels
    if probability is None or classes is None or labels is None:
        return False
    if len(classes) != (2 if probability.ndim == 1 else probability.shape[1]):
        return False
    again = argmax_labels(probability, classes)
    return again.dtype == labels.dtype and bool(np.array_equal(again, labels))


def _factorized(values: npt.NDArray[Any]) -> tuple[list[Any], npt.NDArray[np.int32]] | None:
    """Return the labels that occur, and which of them every row has; ``None``: they cannot be written."""
    if values.ndim != 1 or values.dtype.kind not in _TEXT:
        return None
    at: dict[tuple[type, Any], int] = {}
    codes = np.empty(len(values), dtype=np.int32)
    for row, value in enumerate(values.tolist()):
        if not _is_plain(value):
            return None
        codes[row] = at.setdefault((type(value), value), len(at))
    return [value for _, value in at], codes
