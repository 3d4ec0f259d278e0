"""What a function has to keep to before its value is derived or resampled, found out by calling it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import EvaluationError, UndefinedMetricError
from .levels import Floats

Rows = npt.NDArray[Any]
Called = Callable[[Rows, Rows, Floats | None], float]

#: How far two values may lie apart that are one but for rounding.
_CLOSE = 1e-9

#: Rows of one kind count once, of the next kind twice, and so on.
_COUNTS = 3


def refuse_unsound(name: str, called: Called, y_true: Rows, y_pred: Rows, *, weighs: bool) -> None:
    """Call a function on rows in ways that must not, or must, change its value.

    Raises
    ------
    EvaluationError
        If it answers the same question twice in two ways, depends on the number of rows, or takes weights
        and does not use them.
    """
    n = len(y_true)
    ones = np.ones(n) if weighs else None
    once = called(y_true, y_pred, ones)
    _refuse_moods(name, once, called(y_true, y_pred, ones))
    if ones is None:
        twice = called(np.concatenate((y_true, y_true)), np.concatenate((y_pred, y_pred)), None)
        refuse_sum(name, once, twice)
        return
    refuse_sum(name, once, called(y_true, y_pred, 2 * ones))
    _refuse_unused_weights(name, called, y_true, y_pred, _kinds(y_true, y_pred))


def refuse_unsound_cells(name: str, called: Called, true: Rows, said: Rows) -> None:
    """Call a function of labels on one row of every cell, which has its weight or is there so often.

    Raises
    ------
    EvaluationError
        As :func:`refuse_unsound`.
    """
    ones = np.ones(len(true))
    try:
        _refuse_moods(name, called(true, said, ones), called(true, said, ones))
        _refuse_unused_weights(name, called, true, said, np.arange(len(true)))
    except UndefinedMetricError:
        return  # it is asked again about the rows themselves


def refuse_sum(name: str, once: float, twice: float) -> None:
    """Refuse a value that depends on how many rows there are.

    Raises
    ------
    EvaluationError
        If twice the rows have another value.
    """
    if _differ(once, twice):
        raise EvaluationError(
            f"{name} changes with the number of rows: {twice:.6g} instead of {once:.6g} when each row is "
            "there twice.",
            "Return a mean over the rows, not a sum.",
        )


def _refuse_moods(name: str, first: float, second: float) -> None:
    if _differ(first, second):
        raise EvaluationError(
            f"{name} says {first:.6g} of some rows, and {second:.6g} when it is asked again.",
            "Let it depend on its arguments alone, and leave these as they are.",
        )


def _refuse_unused_weights(
    name: str, called: Called, y_true: Rows, y_pred: Rows, kinds: npt.NDArray[np.intp]
) -> None:
    """Refuse weights that are not what rows count: an interval would be far too narrow, or have no width."""
    counts = 1 + kinds % _COUNTS
    rows = np.repeat(np.arange(len(counts)), counts)
    weighted = called(y_true, y_pred, counts.astype(np.float64))
    repeated = called(y_true[rows], y_pred[rows], np.ones(len(rows)))
    if _differ(weighted, repeated):
        raise EvaluationError(
            f"{name} takes sample_weight, but does not use it: {weighted:.6g} instead of {repeated:.6g} "
            "when rows count as often as their weights say.",
            "Let every row count by its weight, or let the function take neither sample_weight nor **kwargs.",
        )


def _kinds(y_true: Rows, y_pred: Rows) -> npt.NDArray[np.intp]:
    """Return a number for each row by its content, so that the order of the rows does not matter."""
    said = y_pred if y_pred.ndim == 1 else y_pred[:, 0]
    _, first = np.unique(y_true, return_inverse=True)
    _, second = np.unique(said, return_inverse=True)
    found: npt.NDArray[np.intp] = np.unique(first * (second.max() + 1) + second, return_inverse=True)[1]
    return found


def _differ(one: float, other: float) -> bool:
    return abs(other - one) > _CLOSE * max(1.0, abs(one))
