"""What a gate reads off columns: what is missing, numbers, labels, groups, slice levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import EvaluationError, InvalidError
from ..results import Finding
from ..wording import example, share, shorten, some
from .levels import MISSING, level_names
from .valuetypes import held, types_of, value_dtype

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]


#: A column with more values names things, for example rows, and no subsets that anybody knows.
MAX_LEVELS = 10_000
_EXAMPLES = 3


def missing(series: Series) -> Mask:
    """Return which rows have no value: None, NaN, NaT and NA, whatever the column's type.

    pandas' own ``isna`` lets a NaN inside a nullable or Arrow float column pass as a value.
    """
    mask = np.array(series.isna(), dtype=bool)
    dtype = series.dtype
    if not isinstance(dtype, np.dtype) and getattr(dtype, "kind", "") == "f":
        mask |= np.isnan(series.to_numpy(dtype="float64", na_value=np.nan))
    return mask


def missing_finding(series: Series, purpose: str) -> Finding | None:
    """Return the finding that a column which needs a value in every row lacks some, or ``None``.

    Parameters
    ----------
    series : Series
        The column.
    purpose : str
        What it is used for: ``"target"``, ``"groups"``, ``"strata"``, ``"sample_weight"``, ``"key"``.
    """
    count = int(missing(series).sum())
    if not count:
        return None
    remedy = (
        "Complete the labels, or set drop_missing_target = true to judge the other rows."
        if purpose == "target"
        else "Complete the column, or remove these rows from the dataset."
    )
    return Finding(
        subject=_name(series),
        problem=f"{share(count, len(series))} {_have(count)} no value in '{_name(series)}' ({purpose}).",
        remedy=remedy,
        count=count,
    )


def numbers(series: Series, purpose: str) -> npt.NDArray[np.float64]:
    """Return a column as plain float64.

    Raises
    ------
    InvalidError
        If it does not hold numbers, or some are missing or infinite.
    """
    _complete(series, purpose)
    dtype = value_dtype(series)
    if getattr(dtype, "kind", "O") == "O" and types_of(series) <= {"Decimal", "int", "float"}:
        values = np.array([float(value) for value in series], dtype=np.float64)
    elif getattr(dtype, "kind", "O") in "iuf":
        values = np.asarray(series.astype(dtype).to_numpy(dtype="float64"), dtype=np.float64)
    else:
        raise InvalidError(
            f"Column '{_name(series)}' ({purpose}) must hold numbers, got {held(series)}, "
            f"for example {_examples(series)}.",
            "Store it as integers or floats.",
        )
    infinite = ~np.isfinite(values)
    if infinite.any():
        count = int(infinite.sum())
        raise InvalidError(
            f"Column '{_name(series)}' ({purpose}) is infinite in {share(count, len(values))}.",
            "Replace or remove these values in the dataset.",
        )
    return values


def labels(series: Series, purpose: str = "target") -> npt.NDArray[Any]:
    """Return a column of class labels as a plain array: int64, bool, or objects that are all text.

    Whole numbers that are stored as floats (a column that once had missing values) are integers again.

    Raises
    ------
    InvalidError
        If labels are missing, of several types, or of a type that names no class.
    """
    _complete(series, purpose)
    dtype = value_dtype(series)
    kind = getattr(dtype, "kind", "O")
    if kind == "b":
        return np.asarray(series.astype(dtype).to_numpy(dtype=bool))
    if kind in "iu":
        return _small(series.astype(dtype).to_numpy(), series, purpose)
    if kind == "f":
        return _whole(np.asarray(series.astype(dtype).to_numpy(dtype="float64")), series, purpose)
    types = types_of(series)
    if len(types) > 1:
        raise InvalidError(
            f"Column '{_name(series)}' ({purpose}) mixes types: {some(sorted(types))}.",
            "Give all labels one type.",
        )
    values = series.to_numpy(dtype=object)
    if types <= {"str"}:
        return np.asarray(values)
    if types == {"bool"}:
        return values.astype(bool)
    if types == {"int"}:
        return _small(values, series, purpose)
    if types == {"float"}:
        return _whole(values.astype("float64"), series, purpose)
    raise InvalidError(
        f"Column '{_name(series)}' ({purpose}) must hold text, whole numbers or booleans, "
        f"got {held(series)}, for example {_examples(series)}.",
        "Convert the labels, for example to text.",
    )


def _small(values: npt.NDArray[Any], series: Series, purpose: str) -> npt.NDArray[np.int64]:
    if len(values) and not -(2**63) <= int(values.min()) <= int(values.max()) < 2**63:
        raise InvalidError(
            f"Column '{_name(series)}' ({purpose}) holds whole numbers of more than 64 bits.",
            "Store the labels as text.",
        )
    return values.astype("int64")


def _whole(values: npt.NDArray[np.float64], series: Series, purpose: str) -> npt.NDArray[Any]:
    fractional = ~np.isfinite(values) | (values != np.rint(values))
    if fractional.any():
        raise InvalidError(
            f"Column '{_name(series)}' ({purpose}) must hold class labels, got numbers such as "
            f"{', '.join(example(float(value)) for value in values[fractional][:_EXAMPLES])}.",
            "Choose regression metrics for a numeric target, or store the labels as text or whole numbers.",
        )
    return values.astype("int64")


def codes(series: Series, purpose: str) -> Codes:
    """Return dense integer codes of a column that says which rows belong together.

    Raises
    ------
    InvalidError
        If a row has no value: it belongs to no group.
    """
    _complete(series, purpose)
    import pandas as pd

    return np.asarray(pd.factorize(series)[0], dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Levels(Sequence[tuple[str, Mask]]):
    """The distinct values of a column: iterates as ``(label, mask)``; masks are made when asked for.

    Parameters
    ----------
    labels : tuple of str
        In a stable order; rows without a value come last, as ``"(missing)"``.
    codes : ndarray of int
        Position of each row's label.
    """

    labels: tuple[str, ...]
    codes: Codes

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, slice):
            return [self[i] for i in range(*position.indices(len(self)))]
        index = range(len(self))[position]
        return self.labels[index], self.codes == index

    def __iter__(self) -> Iterator[tuple[str, Mask]]:
        return (self[i] for i in range(len(self)))

    @property
    def counts(self) -> tuple[int, ...]:
        """Rows of each level."""
        return tuple(int(n) for n in np.bincount(self.codes, minlength=len(self)))


def levels(series: Series) -> Levels:
    """Return the distinct values of a column with the rows of each.

    The order is that of the values (of the categories, where they are ordered) and does not depend on the
    order of the rows. Categories that no row has are left out.

    Raises
    ------
    EvaluationError
        If there are more than 10,000.
    """
    import pandas as pd

    absent = missing(series)
    raw, distinct = pd.factorize(series)
    # The rows without a value come first, and values that no other row has are left out: 0 counts the former.
    held = np.where(absent, 0, raw + 1) if absent.any() else raw + 1
    occurs = np.bincount(held, minlength=1) > 0
    used = np.flatnonzero(occurs)
    if len(used) > MAX_LEVELS:
        raise EvaluationError(
            f"Column '{_name(series)}' cuts the rows into {len(used):,} slices, more than {MAX_LEVELS:,}.",
            f"Cut numbers and dates into bins, {{ by = '{_name(series)}', bins = 4 }}, or slice by a coarser "
            "column.",
        )
    kept = distinct[used[used > 0] - 1]
    # One by one: an index that is iterated over makes 0.10000000149011612 of a float32 that is 0.1.
    values = [kept[place] for place in range(len(kept))]
    named = level_names(series, values)
    order = sorted(range(len(values)), key=lambda i: named[i][0])
    texts = [named[i][1] for i in order]
    first = len(used) - len(values)
    rank = np.full(len(occurs), len(values), dtype=np.intp)
    rank[used[first:][order]] = np.arange(len(values))
    if first:
        texts.append(MISSING)
    return Levels(tuple(texts), rank[held])


def _name(series: Series) -> str:
    return shorten(str(series.name))


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _complete(series: Series, purpose: str) -> None:
    finding = missing_finding(series, purpose)
    if finding is not None:
        raise InvalidError(finding.problem, finding.remedy)


def _examples(series: Series) -> str:
    return ", ".join(example(value) for value in series.drop_duplicates().iloc[:_EXAMPLES])
