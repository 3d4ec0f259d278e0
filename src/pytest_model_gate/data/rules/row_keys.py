"""Two 64-bit numbers for each row, equal where rows are: whole rows are compared and not kept.

Both together are 128 bits for numbers and dates, and two keyed hashes for text: that any two of ten million
different rows agree has a chance below 1e-23.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..mixing import Words, avalanche, column_seed
from .kinds import hashable

if TYPE_CHECKING:
    import pandas as pd

#: Of 16 bytes each, as pandas wants them.
_HASH_KEYS = ("model-gate:rows1", "model-gate:rows2")
_NULL = np.uint64(0x9E3779B97F4A7C15)


def row_keys(frame: pd.DataFrame, columns: Sequence[str], salt: int) -> Words:
    """Return one of the two numbers (``salt`` 0 or 1) of each row; the order of columns does not matter."""
    total = np.zeros(len(frame), dtype=np.uint64)
    for name in columns:
        total += avalanche(_bits(frame[name], salt) ^ column_seed(name, salt))
    return total


def _bits(series: pd.Series[Any], salt: int) -> Words:
    """Return 64 bits for each value, a copy that may be written to."""
    import pandas as pd

    dtype: Any = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        of_categories = _bits(pd.Series(dtype.categories), salt)
        return np.append(of_categories, _NULL)[series.cat.codes.to_numpy()]
    kind = dtype.kind if isinstance(dtype, np.dtype) else ""
    if kind == "f":
        # Zero has two signs, and a missing value many bit patterns.
        values = series.to_numpy(dtype=np.float64) + 0.0
        return np.where(np.isnan(values), _NULL, values.view(np.uint64))
    if kind in "iub" and kind:
        return series.to_numpy().astype(np.int64 if kind == "i" else np.uint64).view(np.uint64)
    if kind in "mM" and kind:
        return series.to_numpy().view(np.int64).view(np.uint64).copy()
    plain = hashable(series)
    if plain.dtype == object and pd.api.types.infer_dtype(plain, skipna=True).startswith("mixed"):
        # pandas would hash the text of each, and 1 and "1" are not the same.
        plain = plain.map(lambda value: f"{type(value).__name__} {value!r}", na_action="ignore")
    hashed = pd.util.hash_pandas_object(plain, index=False, hash_key=_HASH_KEYS[salt])
    return np.where(series.isna(), _NULL, hashed.to_numpy(dtype=np.uint64))
