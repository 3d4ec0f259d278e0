"""Which columns a model gets, and in which form: its own ones, in its order, in dtypes that it can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import EvaluationError, InvalidError
from ..wording import did_you_mean, plural, shorten, some_values

if TYPE_CHECKING:
    import pandas as pd


def select(frame: pd.DataFrame, columns: Sequence[str] | None, role: str) -> pd.DataFrame:
    """Return the columns that a model asks for, in its order; all of them where it doesn't say.

    Parameters
    ----------
    frame : DataFrame
        What the caller offers.
    columns : sequence of str or None
        ``model.columns``.
    role : str
        Who asks; errors name it.
    """
    if columns is None:
        return frame
    check_columns(columns, [str(name) for name in frame.columns], role)
    return frame[list(columns)]


def check_columns(columns: Sequence[str], offered: Sequence[str], role: str) -> None:
    """Raise ``EvaluationError`` if a model asks for a column that is not offered."""
    missing = [name for name in columns if name not in offered]
    if missing:
        more = f" (and {plural(len(missing) - 1, 'more column')})" if len(missing) > 1 else ""
        raise EvaluationError(
            f"The {role} needs column '{shorten(missing[0], 120)}', which the dataset does not have{more}.",
            did_you_mean(
                missing[0], offered, f"The dataset has: {some_values(sorted(offered)) or 'no columns'}."
            ),
        )


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with nullable and Arrow numbers as the numpy numbers that every model can read.

    A missing value becomes NaN (and the column float64). Text, dates and categories stay as they are.
    """
    import pandas as pd

    replaced: dict[str, Any] = {}
    for name, column in frame.items():
        dtype = column.dtype
        if not isinstance(dtype, pd.api.extensions.ExtensionDtype):
            continue
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)):
            continue
        if isinstance(dtype, (pd.CategoricalDtype, pd.SparseDtype)):
            continue
        if column.isna().any():
            replaced[str(name)] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            native = getattr(dtype, "numpy_dtype", None)
            replaced[str(name)] = column.to_numpy(dtype=native if native != np.dtype(object) else np.float64)
    return frame.assign(**replaced) if replaced else frame


def with_categories(
    frame: pd.DataFrame, categories: Mapping[str, Sequence[Any]], *, keep_categoricals: bool
) -> pd.DataFrame:
    """Return the rows with the columns that a model was trained on as categories cast to exactly those.

    Parameters
    ----------
    frame : DataFrame
        The columns of the model.
    categories : mapping of str to sequence
        What the model saw in training, per column.
    keep_categoricals : bool
        Whether a column that is a category dtype already is the library's own business.

    Raises
    ------
    InvalidError
        If a row has a value that the model never saw: casting it would make it a missing value.
    """
    import pandas as pd

    replaced: dict[str, Any] = {}
    for name, known in categories.items():
        column = frame[name]
        if keep_categoricals and isinstance(column.dtype, pd.CategoricalDtype):
            continue
        index = pd.Index(list(known))
        codes = _codes(column, index)
        lost = (codes < 0) & column.notna().to_numpy()
        if lost.any():
            example = column[lost].iloc[0]
            unseen = int(column[lost].nunique())
            raise InvalidError(
                f"Column '{name}' has the value {shorten(repr(_item(example)))} "
                f"({int(lost.sum()):,} of {plural(len(frame), 'row')} scored at once, "
                f"{plural(unseen, 'such value')}), "
                "which the model did not see in training.",
                f"It knows {some_values(known)}. Train it on data with all values, or score through "
                "a python: factory that says what an unknown value means.",
            )
        replaced[name] = pd.Categorical.from_codes(codes, categories=index)
    return frame.assign(**replaced) if replaced else frame


def _codes(column: pd.Series[Any], index: pd.Index[Any]) -> npt.NDArray[np.intp]:
    """Return where each value stands in ``index``; -1 where it doesn't, or is missing."""
    import pandas as pd

    if not isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(index.get_indexer(pd.Index(column.astype(object))))
    own = column.cat.codes.to_numpy()
    position = index.get_indexer(column.cat.categories.astype(object))
    return np.where(own < 0, -1, np.append(position, -1)[own])


def _item(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
