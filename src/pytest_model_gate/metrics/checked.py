"""Where a metric has no value: the conditions that all metrics share, and the words for the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from ..errors import EvaluationError, InvalidError, UndefinedMetricError
from .metric import Metric
from .rows import Predicted, Truth

T = TypeVar("T")

MORE_ROWS = "Check how the rows were selected; where this is a slice, raise its min_rows."


def checked(metric: Metric, *, instead: str = "") -> Metric:
    """Return the metric with its functions behind the conditions that all metrics share.

    Parameters
    ----------
    metric : Metric
        Its functions may trust that there are two rows or more, that truth and predictions have the
        forms and the length that they need, and may return what is not finite.
    instead : str
        For ``binary_only`` metrics: which metrics to use with more classes.
    """

    def guarded(compute: Callable[[Truth, Predicted], T]) -> Callable[[Truth, Predicted], T]:
        def guard(truth: Truth, predicted: Predicted) -> T:
            _check_truth(metric, truth, instead)
            _check_predicted(metric, truth, predicted)
            with np.errstate(all="ignore"):  # what overflows is found below, and named there
                result = compute(truth, predicted)
                if isinstance(result, np.ndarray):
                    total = float(np.add.reduce(result, axis=None))
                else:
                    total = result if isinstance(result, float) else 0.0
            if not math.isfinite(total):
                raise _not_finite(metric, truth, predicted, total)
            return result

        return guard

    return replace(
        metric,
        value=guarded(metric.value),
        influence=guarded(metric.influence),
        hits=metric.hits and guarded(metric.hits),
        losses=metric.losses and guarded(metric.losses),
        of_parts=metric.of_parts and guarded(metric.of_parts),
        by_query=metric.by_query and guarded(metric.by_query),
        deviation=metric.deviation and guarded(metric.deviation),
        binned=metric.binned and guarded(metric.binned),
    )


def count(n: int, noun: str = "row") -> str:
    """Write a number of things.

    Examples
    --------
    >>> count(1), count(1200), count(2, "class")
    ('1 row', '1,200 rows', '2 classes')
    """
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{n:,} {noun if n == 1 else plural}"


def none_of(n: int, code: str) -> str:
    """Write that rows have none of a class.

    Examples
    --------
    >>> none_of(1, "class 0"), none_of(412, "class 1")
    ('this 1 row has none of class 0', 'these 412 rows have none of class 1')
    """
    return f"this 1 row has none of {code}" if n == 1 else f"these {count(n)} have none of {code}"


def label(classes: tuple[Any, ...] | None, code: int) -> str:
    """Write the label of a class code."""
    if classes is None:
        return f"class {code}"
    value = classes[code]
    return repr(value.item() if isinstance(value, np.generic) else value)


def label_list(classes: tuple[Any, ...] | None, codes: Iterable[int]) -> str:
    """Write the labels of some class codes, at most five of them."""
    every = [int(code) for code in codes]
    shown = ", ".join(label(classes, code) for code in every[:5])
    return shown if len(every) <= 5 else f"{shown} and {len(every) - 5:,} more"


def undefined(name: str, needs: str, found: str, remedy: str = MORE_ROWS) -> UndefinedMetricError:
    """Return the error of a metric that does not exist on these rows."""
    return UndefinedMetricError(f"{name} needs {needs}; {found}.", remedy)


def _check_truth(metric: Metric, truth: Truth, instead: str) -> None:
    name = metric.name
    if metric.task == "classification":
        if truth.classes is None:
            raise undefined(
                name,
                "a target of classes",
                "this target is numeric",
                "Use a regression metric such as mean_absolute_error, or declare the task.",
            )
        k = len(truth.classes)
        if k < 2:
            found = f"this target has {count(k, 'class')}"
            raise undefined(name, "at least two classes", found, "Check the target column.")
        if metric.binary_only and k > 2:
            found = f"this target has {k:,} ({label_list(truth.classes, range(k))})"
            raise undefined(name, "two classes", found, f"Use {instead}.")
    elif truth.classes is not None:
        raise undefined(
            name,
            "a numeric target",
            "this target holds classes",
            "Use a classification metric such as accuracy, or declare the task.",
        )
    if truth.n < 2:
        found = "there are none" if truth.n == 0 else "there is 1"
        raise undefined(name, "at least 2 rows", found)


_FORMS = {
    "label": ("labels", "Use a model with predict, or set a threshold for its scores."),
    "score": ("scores or probabilities", "Use a model with predict_proba or decision_function."),
    "probability": ("probabilities", "Use a model with predict_proba, or a metric of labels or scores."),
    "value": ("values", "Use a model that predicts numbers."),
}


def _check_predicted(metric: Metric, truth: Truth, predicted: Predicted) -> None:
    form = predicted.form(metric.needs)
    if form is None:
        words, remedy = _FORMS[metric.needs]
        raise EvaluationError(f"{metric.name} needs {words}, which this model did not give.", remedy)
    if len(form) != truth.n:
        raise InvalidError(
            f"{metric.name} needs one prediction per row; "
            f"there are {len(form):,} predictions for {count(truth.n)}.",
            "Check the model's output and the key that joins predictions to rows.",
        )
    if metric.needs == "probability":
        k = len(truth.classes or ())
        columns = 2 if form.ndim == 1 else form.shape[1]
        if columns != k:
            raise InvalidError(
                f"{metric.name} needs one probability per class; "
                f"there are {count(columns, 'column')} for {count(k, 'class')}.",
                "Compare the model's classes with the classes of the target.",
            )


def _not_finite(metric: Metric, truth: Truth, predicted: Predicted, found: float) -> Exception:
    for what, array in (
        ("the target", truth.values),
        ("the weights", truth.weight),
        ("the predictions", predicted.value),
        ("the predictions", predicted.probability),
    ):
        if array is None or array.dtype.kind != "f":
            continue
        bad = int(np.count_nonzero(~np.isfinite(array)))
        if bad:
            return InvalidError(
                f"{metric.name} needs numbers; {bad:,} of {array.size:,} in {what} are missing or infinite.",
                "Give every row a finite number, or drop the rows that have none.",
            )
    if metric.family == "resampled":
        return UndefinedMetricError(
            f"{metric.name} returns {'NaN' if np.isnan(found) else 'infinity'} on these {count(truth.n)}.",
            "Call the function on them by itself; where this is a slice, raise its min_rows.",
        )
    return UndefinedMetricError(
        f"{metric.name} is too large or too small for a number on these {count(truth.n)}.",
        "Look for absurd values in the target and in the predictions, or rescale the target.",
    )
