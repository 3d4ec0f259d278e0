"""The columns of a dataset: one name for each type whatever wrote it, and the choice of some columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..errors import EvaluationError, InvalidError
from ..wording import nearest, shorten, some

Columns = tuple[tuple[str, str], ...]

_SHORT = {"double": "float64", "float": "float32", "halffloat": "float16", "date32[day]": "date"}


def type_name(kind: Any) -> str:
    """Return our name for an Arrow type.

    Arrow has several layouts of text, and pandas 2 and 3 choose different ones: a name that told them
    apart would change the lock file with every upgrade.
    """
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return f"{'ordered ' if kind.ordered else ''}category[{type_name(kind.value_type)}]"
    if types.is_string(kind) or types.is_large_string(kind) or "string_view" in str(kind):
        return "string"
    if types.is_binary(kind) or types.is_large_binary(kind) or "binary_view" in str(kind):
        return "binary"
    if types.is_list(kind) or types.is_large_list(kind):
        return f"list[{type_name(kind.value_type)}]"
    if isinstance(kind, pa.BaseExtensionType):
        return f"{kind.extension_name}[{type_name(kind.storage_type)}]"
    return _SHORT.get(str(kind), str(kind))


def describe(schema: Any) -> Columns:
    """Return the names and types of an Arrow schema."""
    return tuple((field.name, type_name(field.type)) for field in schema)


def check_unique(names: Sequence[str], source: str) -> None:
    """Raise ``InvalidError`` if two columns have the same name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InvalidError(
            f"{source} has more than one column named '{shorten(twice[0])}'"
            + (f" (and {len(twice) - 1} more such names)." if len(twice) > 1 else "."),
            "Rename or remove the duplicates: a gate names columns.",
        )


def choose(columns: Columns, wanted: Sequence[str] | None, source: str) -> list[str]:
    """Return the names of the columns to read, in the order asked.

    Raises
    ------
    EvaluationError
        If there is no such column: names the nearest, and lists a few.
    """
    known = [name for name, _ in columns]
    if wanted is None:
        return known
    held = set(known)
    for name in wanted:
        if name not in held:
            near = nearest(name, known)
            suggestion = f"Did you mean '{shorten(near)}'? " if near else ""
            raise EvaluationError(
                f"{source} has no column '{shorten(name)}'.", f"{suggestion}Its columns: {some(known)}."
            )
    return list(dict.fromkeys(wanted))
