"""What a pandas column really holds, under categoricals, nullable types, Arrow types and objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..wording import some

if TYPE_CHECKING:
    import pandas as pd

_HELD = {
    "b": "booleans",
    "i": "whole numbers",
    "u": "whole numbers",
    "f": "numbers",
    "M": "dates",
    "m": "durations",
}
_INFERRED = {"string": "str", "boolean": "bool", "integer": "int", "floating": "float"}


def value_dtype(series: pd.Series[Any]) -> Any:
    """Return the plain dtype of a column's values: of the categories, or of what a nullable type wraps."""
    dtype: Any = series.dtype
    categories = getattr(dtype, "categories", None)
    if categories is not None:
        dtype = categories.dtype
    try:
        return getattr(dtype, "numpy_dtype", dtype)
    except NotImplementedError:  # Arrow types that numpy has nothing for
        return np.dtype(object)


def types_of(series: pd.Series[Any]) -> set[str]:
    """Return the names of the Python types of a column's values; whole, real and truth values as ours."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        # All rows of a category have one and the same value.
        held = np.bincount(series.cat.codes.to_numpy(dtype=np.intp) + 1, minlength=1)[1:]
        series = pd.Series(series.cat.categories[np.flatnonzero(held)])
    elif isinstance(series.dtype, pd.StringDtype):
        return {"str"} if series.notna().any() else set()
    inferred = pd.api.types.infer_dtype(series, skipna=True)
    if inferred in _INFERRED:
        return {_INFERRED[inferred]}
    values = series.dropna().to_numpy(dtype=object)
    return {_type_name(kind) for kind in {type(value) for value in values}}


def _type_name(kind: type) -> str:
    for base, name in ((bool, "bool"), (np.bool_, "bool"), (int, "int"), (np.integer, "int"), (str, "str")):
        if issubclass(kind, base):
            return name
    return "float" if issubclass(kind, (float, np.floating)) else kind.__name__


def held(series: pd.Series[Any]) -> str:
    """Return in words what a column holds: ``"text"``, ``"dates"``, ``"values of type tuple"``."""
    kind = getattr(value_dtype(series), "kind", "O")
    if kind in _HELD:
        return _HELD[kind]
    types = types_of(series)
    if types == {"str"}:
        return "text"
    return f"values of type {some(sorted(types))}" if types else "nothing"
