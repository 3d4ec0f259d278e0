"""What several requests were answered, put together: one array, or two answers that do not go together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import InvalidError
from .address import Address

#: What JSON values each kind has; a missing number is NaN.
_TYPES: dict[str, set[type]] = {
    "f": {int, float, type(None)},
    "i": {int},
    "b": {bool},
    "O": {str, type(None)},
}


class Part(NamedTuple):
    """What one request was answered.

    Parameters
    ----------
    names : tuple of str or None
        Of the columns, where they have some.
    kind : {"f", "i", "b", "O", ""}
        What the server says that the values are; empty where it doesn't.
    values : list
        One value for each row, or one list of them.
    version : str
        Of the model that answered, where it says so.
    """

    names: tuple[str, ...] | None
    kind: str
    values: list[Any]
    version: str = ""


def joined(address: Address, parts: Sequence[Part]) -> tuple[npt.NDArray[Any], tuple[str, ...] | None]:
    """Return all values as one array, and the names of its columns.

    Raises
    ------
    InvalidError
        If they are of several forms.
    """
    if len({(part.names, part.kind) for part in parts}) > 1:
        raise _mixed(address)
    values = [value for part in parts for value in part.values]
    wide = isinstance(values[0], list)
    if any(isinstance(value, list) != wide or (wide and len(value) != len(values[0])) for value in values):
        raise _mixed(address)
    flat = [item for row in values for item in row] if wide else values
    array = _array(address, flat, parts[0].kind)
    if not wide:
        return array, parts[0].names
    if array.dtype.kind not in "fi":
        raise InvalidError(
            f"'{address.source}' gives several values for each row, and not all are numbers.",
            "Name one of them after #, or give one column of probabilities for each class and no other.",
        )
    return array.reshape(len(values), len(values[0])), parts[0].names


def _array(address: Address, values: list[Any], kind: str) -> npt.NDArray[Any]:
    """Return values as the type that the server says, or as what all of them are."""
    types = {type(value) for value in values}
    if not kind:
        # Where one request was answered with whole numbers only, another may have fractions.
        kind = next((each for each in ("b", "i", "f") if types <= _TYPES[each]), "O")
    fits = _TYPES[kind]
    if not types <= fits:
        names = {dict: "objects", list: "lists", str: "text", bool: "truth values", type(None): "nothing"}
        strange = sorted({names.get(each, "numbers") for each in types})
        raise InvalidError(
            f"'{address.source}' gives predictions that are no numbers, labels or probabilities, but "
            f"{' and '.join(strange)}.",
            "Let it give one value for each row, or one probability for each class.",
        )
    if kind == "f":
        return np.array([np.nan if value is None else _float(value) for value in values])
    if kind == "i":
        small = all(-(2**63) <= value < 2**63 for value in values)
        return np.array(values, dtype=np.int64) if small else np.array([_float(value) for value in values])
    if kind == "b":
        return np.array(values, dtype=np.bool_)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _mixed(address: Address) -> InvalidError:
    return InvalidError(
        f"'{address.source}' gives one form of prediction for some rows and another for others.",
        "Return the same shape and type for all rows.",
    )
