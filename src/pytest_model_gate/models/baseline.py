"""The built-in baselines: what a model has to beat, computed from the very rows that it is judged on.

A constant is taken from the judged rows themselves and not from older data: no other constant predicts these
rows better, so it is the hardest one to beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, InvalidError, did_you_mean
from ..wording import plural

#: The names that a gate may give as its baseline, beside any model source.
BASELINES = ("prior", "mean", "median", "last_value")

_CLASSIFICATION = ("prior", "last_value")
_REGRESSION = ("mean", "median", "last_value")


@dataclass(frozen=True, eq=False, kw_only=True)
class BaselinePrediction:
    """What a baseline says about every row, in the forms that suit the task.

    Parameters
    ----------
    labels : ndarray of int, shape (n,), or None
        Class codes.
    probability : ndarray, shape (n, K), or None
        Of every class in code order.
    value : ndarray, shape (n,), or None
        For regression.
    """

    labels: npt.NDArray[np.intp] | None = None
    probability: npt.NDArray[np.float64] | None = None
    value: npt.NDArray[np.float64] | None = None


def baseline(
    name: str,
    *,
    target: npt.NDArray[Any],
    classes: Sequence[Any] | None = None,
    time: npt.NDArray[Any] | None = None,
    weight: npt.NDArray[np.float64] | None = None,
) -> BaselinePrediction:
    """Return what a built-in baseline predicts.

    ``prior``: the share of every class; its label is the commonest class. ``mean`` (the least squared
    error of any constant) and ``median`` (the least absolute error). ``last_value``: what was true at
    the latest strictly earlier time. Rows of one time don't see each other: together they are the class
    shares, or the mean, of that time. The rows of the first time get those of all rows.

    Parameters
    ----------
    name : str
        One of ``BASELINES``.
    target : ndarray, shape (n,)
        Class codes ``0 ... K-1``, or float64 for regression.
    classes : sequence, optional
        The labels in code order. ``None``: regression.
    time : ndarray, shape (n,), optional
        When each row happened; anything that sorts. Only for ``last_value``.
    weight : ndarray, shape (n,), optional
        Sample weights.

    Returns
    -------
    BaselinePrediction
        The same for a row wherever it stands: sums run over sorted rows, to the last digit.
    """
    known = _REGRESSION if classes is None else _CLASSIFICATION
    if name not in known:
        task = "regression" if classes is None else "classification"
        if name in BASELINES:
            raise ConfigurationError(
                f"The baseline '{name}' is none for {task}.", f"Use {' or '.join(known)}, or a model."
            )
        raise ConfigurationError(f"There is no built-in baseline '{name}'.", did_you_mean(name, BASELINES))
    n = len(target)
    if n == 0:
        raise InvalidError("There are no rows to compute a baseline from.", "Check the dataset.")
    weights = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    if name == "last_value":
        if time is None:
            raise ConfigurationError(
                "The baseline 'last_value' needs to know when each row happened.",
                'Add time = "column" to the gate.',
            )
        return _last_value(target, None if classes is None else len(classes), time, weights)
    if classes is not None:
        shares = _shares(target, len(classes), weights)
        return BaselinePrediction(
            labels=np.full(n, int(np.argmax(shares)), dtype=np.intp), probability=np.tile(shares, (n, 1))
        )
    constant = _mean(target, weights) if name == "mean" else _median(target, weights)
    return BaselinePrediction(value=np.full(n, constant))


def _shares(
    target: npt.NDArray[Any], classes: int, weights: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    order = np.lexsort((weights, target))
    sums = np.bincount(target[order], weights=weights[order], minlength=classes)
    return np.asarray(sums / sums.sum())


def _mean(target: npt.NDArray[Any], weights: npt.NDArray[np.float64]) -> float:
    order = np.lexsort((weights, target))
    return float(np.sum(target[order] * weights[order]) / np.sum(weights[order]))


def _median(target: npt.NDArray[Any], weights: npt.NDArray[np.float64]) -> float:
    """Return the (weighted) median: halfway where two values share the middle, as numpy does."""
    order = np.lexsort((weights, target))
    values, cumulated = target[order], np.cumsum(weights[order])
    half = cumulated[-1] / 2
    low = values[np.searchsorted(cumulated, half, side="left")]
    high = values[min(np.searchsorted(cumulated, half, side="right"), len(values) - 1)]
    return float((low + high) / 2)


def _last_value(
    target: npt.NDArray[Any],
    classes: int | None,
    time: npt.NDArray[Any],
    weights: npt.NDArray[np.float64],
) -> BaselinePrediction:
    missing = _missing(time)
    if missing.any():
        raise InvalidError(
            f"The time is missing in {plural(int(missing.sum()), 'row')}.",
            "The baseline 'last_value' needs it in every row.",
        )
    moments, moment = np.unique(time, return_inverse=True)
    # Sorted within each moment, so that the sums don't depend on the order of the rows.
    order = np.lexsort((weights, target, moment))
    starts = np.searchsorted(moment[order], np.arange(len(moments)))
    total = np.add.reduceat(weights[order], starts)

    def per_moment(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.add.reduceat((values * weights)[order], starts) / total)

    before = moment - 1  # -1 picks the overall row that is appended below
    if classes is None:
        means = np.append(per_moment(target.astype(np.float64)), _mean(target, weights))
        return BaselinePrediction(value=means[before])
    shares = np.column_stack([per_moment((target == code).astype(np.float64)) for code in range(classes)])
    shares = np.vstack([shares, _shares(target, classes, weights)])
    probability = shares[before]
    return BaselinePrediction(labels=np.argmax(probability, axis=1), probability=probability)


def _missing(time: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if time.dtype.kind in "mM":
        return np.asarray(np.isnat(time))
    if time.dtype.kind == "O":
        return np.array([moment is None or moment != moment for moment in time], dtype=np.bool_)  # noqa: PLR0124
    return np.isnan(time) if time.dtype.kind == "f" else np.zeros(len(time), dtype=np.bool_)
