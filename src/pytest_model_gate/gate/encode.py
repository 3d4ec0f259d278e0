"""Labels become class codes, by value and not by type: the same data means the same from every file format.

``True``, ``1`` and ``1.0`` are one label; ``"1"`` is another. With two classes, code 1 is the positive one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ConfigurationError, InvalidError
from ..metrics.rows import Floats, Ints
from ..spec import Task

#: Integers this close together are counted instead of hashed.
_NARROW = 4096

#: So many labels are shown in a message.
_SHOWN = 5


def encode_target(
    values: Any,
    *,
    task: Task,
    classes: Sequence[Any] | None,
    pos_label: Any = None,
    what: str = "the target",
) -> tuple[Ints | Floats, tuple[Any, ...] | None]:
    """Encode what really happened.

    Parameters
    ----------
    values : array-like, shape (n,)
        Labels of any type, or numbers for regression.
    task : {"classification", "regression"}
        Which of the two.
    classes : sequence or None
        All labels, in the order of a model's probability columns. ``None``: those that occur, sorted.
    pos_label : scalar or None
        The positive one of two classes. ``None``: 1 or True where there is one, else the last.
    what : str
        What messages call the values.

    Returns
    -------
    codes : ndarray, shape (n,)
        Class codes, or float64 for regression.
    classes : tuple or None
        The labels in code order as plain Python values; ``None`` for regression.

    Raises
    ------
    InvalidError
        For missing values, numbers that are none, labels that are not among the classes.
    ConfigurationError
        If ``pos_label`` is none of two classes, or a class is named twice.
    """
    if task == "regression":
        return numbers(values, what), None
    codes, labels = _distinct(values, what)
    known = _sorted(labels, what) if classes is None else plain_classes(classes)
    ordered = positive_last(known, pos_label)
    return _translate(codes, labels, ordered, what, "the classes"), ordered


def encode_labels(values: Any, classes: Sequence[Any], *, what: str = "the predictions") -> Ints:
    """Return the class code of each predicted label.

    Raises
    ------
    InvalidError
        For missing labels, and for labels that are not among the classes.
    """
    codes, labels = _distinct(values, what)
    return _translate(codes, labels, plain_classes(classes), what, "the classes of the target")


def plain_classes(classes: Sequence[Any]) -> tuple[Any, ...]:
    """Return class labels as plain Python values.

    Raises
    ------
    ConfigurationError
        If one is named twice (1 and True are the same).
    """
    plain = tuple(item.item() if isinstance(item, np.generic) else item for item in classes)
    if len(set(plain)) < len(plain):
        raise ConfigurationError(
            f"classes names a label twice: {_listed(plain)}. 1, 1.0 and True are the same label.",
            "Name each class once.",
        )
    return plain


def positive_last(classes: tuple[Any, ...], pos_label: Any = None) -> tuple[Any, ...]:
    """Return two classes with the positive one last; other numbers of classes as they are.

    Raises
    ------
    ConfigurationError
        If ``pos_label`` is none of the two.
    """
    if len(classes) != 2:
        return classes
    if pos_label is not None and pos_label not in classes:
        raise ConfigurationError(
            f"pos_label = {_shown(pos_label)} is none of the classes {_listed(classes)}.",
            f"Set pos_label = {_shown(classes[1])} or {_shown(classes[0])}.",
        )
    positive = 1 if pos_label is None else pos_label
    return classes[::-1] if classes[0] == positive else classes


def require_positive(classes: tuple[Any, ...], pos_label: Any, metric: str) -> None:
    """Refuse to guess which of two classes is the positive one.

    Raises
    ------
    ConfigurationError
        If neither ``pos_label`` nor a label 1 or True tells it.
    """
    if len(classes) == 2 and pos_label is None and 1 not in classes:
        raise ConfigurationError(
            f"{metric} needs to know the positive class, and neither of {_listed(classes)} is 1 or True.",
            f"Set pos_label = {_shown(classes[1])} or {_shown(classes[0])}.",
        )


def numbers(values: Any, what: str) -> Floats:
    """Return a column of finite numbers as float64.

    Raises
    ------
    InvalidError
        For text, dates, missing and infinite values.
    """
    column = _column(values, what)
    kind = getattr(column.dtype, "kind", "O")
    if kind in "USMm":
        raise InvalidError(f"{_start(what)} must be numbers, got {column.dtype}.", f"Convert {what} first.")
    try:
        found: Floats = column.to_numpy(dtype=np.float64, na_value=np.nan)
        text = kind == "O" and any(isinstance(item, str) for item in column)
    except (TypeError, ValueError):
        text, found = True, np.empty(0)
    if text:
        raise InvalidError(f"{_start(what)} must be numbers, got text or objects.", f"Convert {what} first.")
    bad = int(np.count_nonzero(~np.isfinite(found)))
    if bad:
        raise InvalidError(
            f"{_start(what)} must be finite numbers, but {bad:,} of {len(found):,} are missing or infinite.",
            "Repair these rows or leave them out.",
        )
    return found


def units(values: Any, what: str) -> Ints:
    """Return dense codes of what groups or strata are called.

    Raises
    ------
    InvalidError
        For missing values.
    """
    codes, _ = _distinct(values, what)
    return codes


def _column(values: Any, what: str) -> Any:
    """Return a pandas Series of the values, which must form one column."""
    import pandas as pd

    if isinstance(values, pd.DataFrame | np.ndarray) and values.ndim != 1:
        if values.ndim != 2 or values.shape[1] != 1:
            raise InvalidError(
                f"{_start(what)} must be one column, got shape {values.shape}.", "Pass one value per row."
            )
        values = values.iloc[:, 0] if isinstance(values, pd.DataFrame) else values[:, 0]
    if isinstance(values, pd.Series):
        return values
    try:
        column = pd.Series(values)
    except (TypeError, ValueError) as error:
        raise InvalidError(
            f"{_start(what)} must be one column, got {type(values).__name__}.",
            "Pass an array, list or Series.",
        ) from error
    if len(column) and isinstance(column.iloc[0], list | tuple | np.ndarray):
        raise InvalidError(
            f"{_start(what)} must be one column, got rows of several values.", "Pass one value per row."
        )
    return column


def _distinct(values: Any, what: str) -> tuple[Ints, list[Any]]:
    """Return a code for each row, and the label of each code that occurs, in no particular order."""
    import pandas as pd

    column = _column(values, what)
    narrow = _narrow(column)
    if narrow is not None:
        return narrow
    if isinstance(column.dtype, pd.CategoricalDtype):
        # Codes exist already; categories that no row has are left out.
        held = column.cat.codes.to_numpy()
        labels = column.cat.categories
        _refuse_missing(held < 0, what)
        found, codes = np.unique(held, return_inverse=True)
        labels = labels[found]
    else:
        codes, labels = pd.factorize(column)
        _refuse_missing(codes < 0, what)
    return codes.astype(np.intp, copy=False), list(labels.tolist())


def _narrow(column: Any) -> tuple[Ints, list[Any]] | None:
    """Return the same for booleans and integers in a small range, without hashing; ``None`` for others."""
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "biu" or not len(column):
        return None
    array = column.to_numpy()
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    low, high = int(array.min()), int(array.max())
    if high - low >= _NARROW:
        return None
    codes = array.astype(np.intp) - low
    found = np.flatnonzero(np.bincount(codes))
    labels: list[Any] = (found + low).tolist()
    if column.dtype.kind == "b":
        labels = [bool(label) for label in labels]
    if len(found) < high - low + 1:
        dense = np.zeros(high - low + 1, dtype=np.intp)
        dense[found] = np.arange(len(found))
        codes = dense[codes]
    return codes, labels


def _refuse_missing(missing: np.ndarray[Any, np.dtype[np.bool_]], what: str) -> None:
    count = int(np.count_nonzero(missing))
    if count:
        raise InvalidError(
            f"{_start(what)} must have no missing values, but {count:,} of {len(missing):,} are missing.",
            "Repair these rows or leave them out.",
        )


def _sorted(labels: list[Any], what: str) -> tuple[Any, ...]:
    try:
        return tuple(sorted(labels))
    except TypeError:
        kinds = sorted({type(label).__name__ for label in labels})
        raise InvalidError(
            f"{_start(what)} must hold labels of one type, got {' and '.join(kinds)}.",
            "Convert the labels to one type.",
        ) from None


def _translate(codes: Ints, labels: list[Any], classes: tuple[Any, ...], what: str, among: str) -> Ints:
    """Return codes in the order of ``classes``."""
    place = {label: code for code, label in enumerate(classes)}
    table = np.array([place.get(label, -1) for label in labels], dtype=np.intp)
    strange = np.flatnonzero(table < 0)
    if len(strange):
        rows = int(np.isin(codes, strange).sum())
        scores = all(isinstance(labels[code], float) for code in strange)
        raise InvalidError(
            f"{_start(what)} must be among {among} {_listed(classes)}, but {rows:,} of {len(codes):,} rows "
            + ("hold other numbers." if scores else f"hold {_listed([labels[code] for code in strange])}."),
            "Scores are no labels: compare them with a threshold first, or use a metric of scores."
            if scores
            else "Labels are compared by value: 1 and True are the same, 1 and '1' are not.",
        )
    if np.array_equal(table, np.arange(len(table))):
        return codes
    return table[codes]


def _start(what: str) -> str:
    """Return words as the start of a sentence; names of arguments stay as they are."""
    return what[0].upper() + what[1:] if what.startswith("the ") else what


def _shown(label: Any) -> str:
    text = repr(label)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _listed(labels: Sequence[Any]) -> str:
    shown = ", ".join(_shown(label) for label in labels[:_SHOWN])
    return shown if len(labels) <= _SHOWN else f"{shown} and {len(labels) - _SHOWN:,} more"
