"""Prediction arrays that a user passes, made into what metrics read: labels, scores or probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import EvaluationError, InvalidError
from ..metrics.metric import Metric
from ..metrics.rows import Floats, Predicted
from .encode import encode_labels, numbers, require_positive

#: How far the probabilities of a row may be from 1 in sum, by the width of their type.
_SUM_TOLERANCE = {2: 1e-2, 4: 1e-4, 8: 1e-6}


def labelled(values: Any, role: str, metric: Metric, classes: tuple[Any, ...]) -> Predicted:
    """Return labels as class codes.

    Raises
    ------
    EvaluationError
        If there are several columns.
    InvalidError
        For missing labels, and for labels that are not among the classes.
    """
    shape = np.shape(values)
    if len(shape) == 2 and shape[1] > 1:
        raise EvaluationError(
            f"{metric.name} needs one label per row; {role} has shape {shape}.",
            "Turn probabilities into labels first: classes[probabilities.argmax(axis=1)].",
        )
    return Predicted(labels=encode_labels(values, classes, what=role))


def scored(
    values: Any,
    role: str,
    metric: Metric,
    columns: tuple[Any, ...],
    ordered: tuple[Any, ...],
    pos_label: Any,
) -> Predicted:
    """Return scores or probabilities: one column per class in code order, or one for the positive class.

    Parameters
    ----------
    values : array-like, shape (n,) or (n, K)
        As passed.
    role : str
        What messages call them.
    metric : Metric
        What reads them.
    columns, ordered : tuple
        The classes in the order of the columns, and in code order.
    pos_label : scalar or None
        The positive class, where it was named.

    Raises
    ------
    EvaluationError
        For labels, and for one column where there are several classes.
    InvalidError
        For impossible values.
    """
    array = _matrix(values, role, metric, columns)
    if array.ndim == 1:
        if len(ordered) > 2:
            raise EvaluationError(
                f"{metric.name} needs a column for each of the {len(ordered)} classes; {role} has only one.",
                f"Pass an array of shape (n, {len(ordered)}), columns in the order of classes.",
            )
        _refuse_labels(values, role, metric, ordered)
        require_positive(ordered, pos_label, f"{metric.name} of one column of scores")
        if metric.needs == "score":
            return Predicted(score=array)
        return Predicted(probability=_in_unit_interval(array, role))
    if array.shape[1] != len(ordered):
        raise InvalidError(
            f"{role} must have one column for each of the {len(ordered)} classes, got {array.shape[1]}.",
            "Name all classes in the order of the columns: classes=[…].",
        )
    probability = _summing_to_one(_in_unit_interval(array, role), values, role)
    if ordered != columns:
        probability = np.ascontiguousarray(probability[:, [columns.index(label) for label in ordered]])
    return Predicted(probability=probability)


def _matrix(values: Any, role: str, metric: Metric, columns: tuple[Any, ...]) -> Floats:
    """Return one column, or one per class in the order of ``columns``, as finite float64."""
    import pandas as pd

    shape = np.shape(values)
    if len(shape) == 1 or shape[1:] == (1,):
        kind = getattr(getattr(values, "dtype", None), "kind", "")
        if kind == "b" or (not kind and len(values) and isinstance(values[0], bool | str)):
            raise _needs_scores(metric, role)
        return numbers(values, role)
    if len(shape) != 2:
        raise InvalidError(f"{role} must have one or two dimensions, got shape {shape}.", "Pass a matrix.")
    if isinstance(values, pd.DataFrame):
        names: list[Any] = values.columns.tolist()
        if set(names) == set(columns):
            values = values[list(columns)]
        elif names != list(range(len(names))):  # columns without names are in the order of the classes
            raise InvalidError(
                f"The columns of {role} must be the classes {', '.join(map(repr, columns[:5]))}, "
                f"got {', '.join(map(repr, names[:5]))}.",
                "Name the columns after the classes, or pass the bare values.",
            )
        return np.column_stack([numbers(values.iloc[:, j], role) for j in range(values.shape[1])])
    matrix = np.asarray(values)
    return np.column_stack([numbers(matrix[:, j], role) for j in range(matrix.shape[1])])


def _refuse_labels(values: Any, role: str, metric: Metric, classes: tuple[Any, ...]) -> None:
    """Refuse whole numbers that are all class labels where scores are needed."""
    kind = getattr(getattr(values, "dtype", None), "kind", None) or np.asarray(values).dtype.kind
    if kind in "biu" and set(np.unique(np.asarray(values)).tolist()) <= set(classes):
        raise _needs_scores(metric, role)


def _needs_scores(metric: Metric, role: str) -> EvaluationError:
    words = "probabilities" if metric.needs == "probability" else "scores"
    return EvaluationError(
        f"{metric.name} needs {words}; {role} holds labels.",
        "Pass predict_proba's output, or use a metric of labels such as accuracy.",
    )


def _in_unit_interval(array: Floats, role: str) -> Floats:
    outside = int(np.count_nonzero((array < 0) | (array > 1)))
    if outside:
        raise InvalidError(
            f"{role} must hold probabilities between 0 and 1, but {outside:,} of {array.size:,} are outside.",
            "Turn scores into probabilities, or use a metric of scores such as roc_auc.",
        )
    return array


def _summing_to_one(array: Floats, values: Any, role: str) -> Floats:
    width = getattr(getattr(values, "dtype", None), "itemsize", 8)
    off = np.abs(array.sum(axis=1) - 1) > _SUM_TOLERANCE.get(width, 1e-6)
    count = int(np.count_nonzero(off))
    if count:
        raise InvalidError(
            f"The probabilities in a row of {role} must sum to 1; {count:,} of {len(array):,} do not.",
            "Pass all classes, and normalise the rows.",
        )
    return array
