"""Metrics of predicted numbers: absolute, squared, percentage and pinball errors, R2 and its like."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..blocks import blocks
from ..spec import Tolerance
from .checked import checked, count, undefined
from .deviance import squared_log_errors
from .levels import Floats
from .means import mean_metric
from .metric import Family, Metric
from .rows import Predicted, Truth


def mean_absolute_error() -> Metric:
    """Return the mean of |truth - prediction|."""
    return mean_metric("mean_absolute_error", "value", _all_of(_distances))


def mean_squared_error() -> Metric:
    """Return the mean of (truth - prediction)**2."""
    # What 1 % is to its root.
    return replace(
        mean_metric("mean_squared_error", "value", _all_of(_squares)), usual=Tolerance(0.02, relative=True)
    )


def mean_absolute_percentage_error() -> Metric:
    """Return the mean of |truth - prediction| / |truth|, as a share.

    scikit-learn divides by a tiny number where the truth is 0, and one such row decides the mean. Here
    the metric is undefined.
    """
    return mean_metric("mean_absolute_percentage_error", "value", _percentages)


def mean_pinball_loss(name: str, alpha: float | None) -> Metric:
    """Return the mean loss of a predicted quantile: alpha per unit too low, 1 - alpha per unit too high."""
    assert alpha is not None, "the stem alone stands for a number"
    level = float(alpha)

    def of_rows(truth: Truth, predicted: Predicted, rows: slice, out: Floats | None) -> Floats:
        errors = _errors(truth, predicted, rows, out)
        return np.maximum(level * errors, (level - 1) * errors, out=errors)

    return mean_metric(name, "value", _all_of(of_rows))


def max_error() -> Metric:
    """Return the largest |truth - prediction|.

    One row decides it, and the next row may be any other: the largest error of a sample says nothing
    about how much larger that of the population is. So there is a value, and no interval.
    """

    def influence(*_: object) -> Floats:
        raise undefined(
            "max_error",
            "more than one row for an influence",
            "a single row decides its value",
            "Use mean_absolute_error or root_mean_squared_error.",
        )

    return _regression(
        "max_error",
        lambda truth, predicted: float(_distances(truth, predicted).max()),
        influence,
        higher_is_better=False,
        low=0.0,
        family="value",
    )


def root_mean_squared_error() -> Metric:
    """Return the root of the mean squared error."""
    losses = _all_of(_squares)

    def mean(truth: Truth, predicted: Predicted) -> float:
        return truth.mean(predicted.shared(losses, truth))

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        least = predicted.shared(mean, truth)
        psi = predicted.taken(losses, truth)
        for rows in blocks(truth.n):
            _of_root(psi[rows], least)
        return truth.weigh(psi)

    return _root(
        "root_mean_squared_error",
        lambda truth, predicted: math.sqrt(predicted.shared(mean, truth)),
        influence,
    )


def root_mean_squared_log_error() -> Metric:
    """Return the root of the mean squared logarithmic error."""
    name = "root_mean_squared_log_error"

    def both(truth: Truth, predicted: Predicted) -> tuple[float, Floats]:
        losses = squared_log_errors(name, truth, predicted)
        mean = truth.mean(losses)
        psi = truth.weigh(_of_root(losses, mean))
        psi.flags.writeable = False  # it is kept, for logarithms take longer than all the rest
        return math.sqrt(mean), psi

    return _root(
        name,
        lambda truth, predicted: predicted.shared(both, truth)[0],
        lambda truth, predicted: predicted.shared(both, truth)[1],
    )


def _root(
    name: str,
    value: Callable[[Truth, Predicted], float],
    influence: Callable[[Truth, Predicted], Floats],
) -> Metric:
    return _regression(name, value, influence, higher_is_better=False, low=0.0)


def _of_root(losses: Floats, mean: float) -> Floats:
    """Turn losses into the influence on the root of their mean, in place."""
    losses -= mean
    if mean > 0:  # all errors 0: no weights can change that, so the influence is 0
        losses *= 1 / (2 * math.sqrt(mean))
    return losses


def r2() -> Metric:
    """Return the share of the truth's variance that the predictions explain."""

    def seen(truth: Truth, predicted: Predicted) -> tuple[float, float]:
        return 0.0, truth.mean_by_block(lambda rows: _squares(truth, predicted, rows))

    return _explained("r2", seen)


def explained_variance() -> Metric:
    """Return R2 of predictions that are shifted so that they are right on average."""

    def seen(truth: Truth, predicted: Predicted) -> tuple[float, float]:
        return truth.spread_by_block(lambda rows: _errors(truth, predicted, rows))

    return _explained("explained_variance", seen)


def _explained(name: str, seen: Callable[[Truth, Predicted], tuple[float, float]]) -> Metric:
    """Return 1 less the mean squared error as a share of the target's variance.

    Parameters
    ----------
    seen : callable
        What the errors are measured from, and their mean square from there.
    """

    def value(truth: Truth, predicted: Predicted) -> float:
        return 1 - predicted.shared(seen, truth)[1] / _variance(name, truth)

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        variance, (away, mean) = _variance(name, truth), predicted.shared(seen, truth)
        centre, _ = truth.spread
        psi = np.empty(truth.n)
        for rows in blocks(truth.n):
            block = np.subtract(truth.values[rows], centre, out=psi[rows], dtype=np.float64)
            block *= block
            block *= mean / variance
            errors = _errors(truth, predicted, rows)
            if away:
                errors -= away
            errors *= errors
            block -= errors
            block *= 1 / variance
        return truth.weigh(psi)

    return _regression(name, value, influence, higher_is_better=True, high=1.0, crosses_zero=True)


def _regression(
    name: str,
    value: Callable[[Truth, Predicted], float],
    influence: Callable[[Truth, Predicted], Floats],
    *,
    higher_is_better: bool,
    low: float = -math.inf,
    high: float = math.inf,
    crosses_zero: bool = False,
    family: Family = "smooth",
) -> Metric:
    return checked(
        Metric(
            name=name,
            task="regression",
            needs="value",
            higher_is_better=higher_is_better,
            value=value,
            influence=influence,
            family=family,
            crosses_zero=crosses_zero,
            bounds=(low, high),
        )
    )


#: All rows.
_ALL = slice(None)

#: Makes one number for each row of a block, in place of other numbers or in memory of its own.
OfBlock = Callable[[Truth, Predicted, slice, Floats | None], Floats]


def _all_of(losses: OfBlock) -> Callable[[Truth, Predicted], Floats]:
    """Return what makes the losses of all rows, a block at a time."""
    return lambda truth, predicted: _by_block(truth, lambda rows, out: losses(truth, predicted, rows, out))


def _by_block(truth: Truth, fill: Callable[[slice, Floats], Floats]) -> Floats:
    """Return one number per row, which is made in its place for a block of rows at a time."""
    found = np.empty(truth.n)
    for rows in blocks(truth.n):
        fill(rows, found[rows])
    return found


def _errors(truth: Truth, predicted: Predicted, rows: slice = _ALL, out: Floats | None = None) -> Floats:
    assert predicted.value is not None, "checked before"
    errors: Floats = np.subtract(truth.values[rows], predicted.value[rows], out=out, dtype=np.float64)
    return errors


def _distances(truth: Truth, predicted: Predicted, rows: slice = _ALL, out: Floats | None = None) -> Floats:
    errors = _errors(truth, predicted, rows, out)
    return np.abs(errors, out=errors)


def _squares(truth: Truth, predicted: Predicted, rows: slice = _ALL, out: Floats | None = None) -> Floats:
    errors = _errors(truth, predicted, rows, out)
    return np.square(errors, out=errors)


def _percentages(truth: Truth, predicted: Predicted) -> Floats:
    zeros = truth.n - int(np.count_nonzero(truth.values))
    if zeros:
        raise undefined(
            "mean_absolute_percentage_error",
            "targets other than 0",
            f"{zeros:,} of {count(truth.n)} have the target 0",
            "Use mean_absolute_error, or leave these rows out of the dataset.",
        )
    errors = _distances(truth, predicted)
    size = np.abs(truth.values, dtype=np.float64)
    errors /= np.maximum(size, np.finfo(np.float64).eps, out=size)
    return errors


def _variance(name: str, truth: Truth) -> float:
    if truth.variance == 0:
        y = truth.values
        same = y.min() == y.max()
        found = f"all {truth.n:,} are {float(y[0]):g}" if same else "they differ too little for a variance"
        raise undefined(name, "targets that differ", found)
    return truth.variance
