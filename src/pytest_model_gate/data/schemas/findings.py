"""pandera's errors as broken rules: the cause, the column, and an exact count read off the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...wording import did_you_mean, example, shorten, some
from .rules import Broken, check_rule, column

if TYPE_CHECKING:
    import pandas as pd

_DATASET = "dataset"
#: The order of findings on one column; after these come its checks, in the schema's order.
_ORDER = ("WRONG_DATATYPE", "DATATYPE_COERCION", "SERIES_CONTAINS_NULLS", "SERIES_CONTAINS_DUPLICATES")
_MOST = 3
_TEXT_TYPES = ("str", "string")


def broken_rules(errors: Sequence[Any], frame: pd.DataFrame) -> Iterator[tuple[Broken, Any]]:
    """Yield each broken rule with the pandera check behind it (``None`` where there is none).

    Parameters
    ----------
    errors : sequence of pandera.errors.SchemaError
        As lazy validation collected them.
    frame : DataFrame
        What was validated, before any coercion.
    """
    causes = [(error.reason_code.name, _name(error)) for error in errors]
    uncoerced = {name for reason, name in causes if reason == "DATATYPE_COERCION"}
    mistyped = uncoerced | {name for reason, name in causes if reason == "WRONG_DATATYPE"}
    for error, (reason, name) in zip(errors, causes, strict=True):
        if reason == "WRONG_DATATYPE" and name in uncoerced:
            continue  # said already, with the values that cannot be coerced
        if reason == "CHECK_ERROR" and name in mistyped:
            continue  # a check on numbers that meets text fails because of the type
        if reason == "DUPLICATES":
            yield from ((broken, None) for broken in _joint(error.schema, frame))
            continue
        check = error.check if hasattr(error.check, "statistics") else None
        broken = _broken(error, reason, name, frame)
        broken.name = (getattr(check, "name", None) or "check") if check is not None else reason.lower()
        broken.rows = _rows(error, frame)
        broken.place = _ORDER.index(reason) if reason in _ORDER else len(_ORDER) + (error.check_index or 0)
        yield broken, check


def _name(error: Any) -> Any:
    """Return the column that an error is about; ``None``: the whole frame."""
    if error.reason_code.name in ("COLUMN_NOT_IN_DATAFRAME", "COLUMN_NOT_IN_SCHEMA", "COLUMN_NOT_ORDERED"):
        return error.failure_cases
    name = getattr(error, "column_name", None)
    is_frame = hasattr(error.schema, "columns")
    return name if name is not None else None if is_frame else error.schema.name


def _broken(error: Any, reason: str, name: Any, frame: pd.DataFrame) -> Broken:
    subject = _DATASET if name is None else shorten(str(name))
    said = "Every row" if name is None else column(name)
    match reason:
        case "COLUMN_NOT_IN_DATAFRAME":
            known = [str(known) for known in frame.columns]
            remedy = did_you_mean(str(name), known, f"The dataset has: {some(known)}.")
            return Broken(subject, f"{said} must be there; the dataset has none of that name", remedy=remedy)
        case "COLUMN_NOT_IN_SCHEMA":
            return Broken(
                subject,
                f"{said} is not in the schema, which allows no others (strict)",
                remedy="Remove it from the dataset, or add it to the schema.",
            )
        case "COLUMN_NOT_ORDERED":
            return Broken(subject, f"{said} is not where the schema's order has it")
        case "INVALID_COLUMN_NAME":
            return Broken(subject, f"A column must match '{shorten(str(error.schema.name))}', and none does")
        case "WRONG_DATATYPE":
            return _mistyped(error, subject, said, frame[name])
        case "DATATYPE_COERCION":
            rule = f"{said} must be readable as {_type(error.schema.dtype)}"
            return Broken(subject, rule, "break", _count(error), _examples(error))
        case "SERIES_CONTAINS_NULLS":
            return Broken(subject, f"{said} must have a value in every row", "null", _count(error))
        case "SERIES_CONTAINS_DUPLICATES":
            return Broken(subject, f"{said} must be unique", "repeat", _count(error), _examples(error))
        case "DATAFRAME_CHECK":
            examples = [] if name is None else _examples(error)
            return Broken(
                subject, f"{said} must {check_rule(error.check)}", "break", _failing(error), examples
            )
        case "CHECK_ERROR":
            cause = shorten(str(error.failure_cases), 100)
            return Broken(
                subject,
                f"{said} must {check_rule(error.check)}, but the check itself failed",
                secret=f": {cause}",
                remedy="Correct the check in the schema.",
                unchecked=True,
            )
    return Broken(subject, f"{said} breaks the schema's rule '{reason.lower()}'")


def _mistyped(error: Any, subject: str, said: str, series: pd.Series[Any]) -> Broken:
    wanted, got = error.schema.dtype, series.dtype
    if _type(wanted) == _type(got):
        known = [[example(value) for value in _categories(dtype)] for dtype in (wanted, got)]
        if known[0] != known[1]:
            rule = f"{said} must have the categories {some(known[0])}"
            return Broken(subject, rule, secret=f", got {some(known[1])}")
        return Broken(
            subject, f"{said} must hold only {_type(wanted)}", "break", _count(error), _examples(error)
        )
    return Broken(subject, f"{said} must have the type {_type(wanted)}, got {_type(got)}")


def _type(dtype: Any) -> str:
    """Return the name of a type; the many string types of pandas are all ``string`` to a reader."""
    text = str(dtype)
    return "string" if text.partition("[")[0] in _TEXT_TYPES else text


def _joint(schema: Any, frame: pd.DataFrame) -> Iterator[Broken]:
    """Yield each set of columns that must be unique together and is not; pandera stops at the first."""
    import pandas as pd

    keep: Any = {"exclude_first": "first", "exclude_last": "last"}.get(str(schema.report_duplicates), False)
    sets = [schema.unique] if all(isinstance(name, str) for name in schema.unique) else schema.unique
    for names in sets:
        present = [name for name in names if name in frame.columns]
        twice = frame.duplicated(subset=present, keep=keep).to_numpy() if present else np.zeros(0, dtype=bool)
        count = int(twice.sum())
        if count:
            listed = some(str(name) for name in present)
            said = (
                f"Column {listed} must be unique"
                if len(present) == 1
                else f"Columns {listed} must be unique together"
            )
            counts_rows = isinstance(frame.index, pd.RangeIndex)
            rows = [int(row) for row in frame.index[twice][:_MOST]] if counts_rows else []
            yield Broken(listed, said, "repeat", count, name="unique", rows=rows)


def _count(error: Any) -> int | None:
    """Return how many values pandera lists; it lists all of them for these reasons."""
    cases = error.failure_cases
    return len(cases) if hasattr(cases, "columns") else None


def _failing(error: Any) -> int | None:
    """Return how many rows fail a check, from its own output; ``None`` where it judges the column as one."""
    output = error.check_output
    if not hasattr(error.failure_cases, "columns") or not hasattr(output, "index"):
        return None
    if hasattr(output, "columns"):
        output = output.all(axis="columns")
    return len(output) - int(output.eq(True).sum())


def _rows(error: Any, frame: pd.DataFrame) -> list[int]:
    """Return the first rows that pandera lists, where the frame's index counts rows."""
    import pandas as pd

    cases = error.failure_cases
    if not isinstance(frame.index, pd.RangeIndex) or not hasattr(cases, "columns") or "index" not in cases:
        return []
    listed = cases["index"].head(1000).dropna()
    return list(dict.fromkeys(int(row) for row in listed))[:_MOST]


def _examples(error: Any) -> list[str]:
    cases = error.failure_cases
    if not hasattr(cases, "columns") or "failure_case" not in cases:
        return []
    found = (example(value) for value in cases["failure_case"].head(1000))
    return list(dict.fromkeys(found))[:_MOST]


def _categories(dtype: Any) -> list[Any]:
    categories = getattr(dtype, "categories", None)
    return [] if categories is None else list(categories)
