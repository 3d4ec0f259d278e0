"""Mean losses of predicted numbers that must lie in a range: deviances and squared logarithmic errors."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..errors import InvalidError
from .checked import count, undefined
from .levels import Floats
from .means import mean_metric
from .metric import Metric
from .parametrised import spelled
from .rows import Predicted, Truth


def mean_poisson_deviance() -> Metric:
    """Return the mean of ``2 (y log(y / p) - y + p)``: targets from 0 on, predictions above 0."""
    return _tweedie("mean_poisson_deviance", 1.0)


def mean_gamma_deviance() -> Metric:
    """Return the mean of ``2 (log(p / y) + y / p - 1)``: targets and predictions above 0."""
    return _tweedie("mean_gamma_deviance", 2.0)


def mean_tweedie_deviance(name: str, power: float | None) -> Metric:
    """Return the mean deviance of the Tweedie distribution whose variance grows as this power of the mean.

    Power 0 is the squared error, 1 Poisson's and 2 gamma's deviance; from 1 to 2 there is a mass at 0.
    Between 0 and 1 there is no such distribution.
    """
    assert power is not None, "it has no stem alone"
    return _tweedie(name, float(power))


def mean_squared_log_error() -> Metric:
    """Return the mean of ``(log(1 + y) - log(1 + p))**2``: targets and predictions above -1."""

    def losses(truth: Truth, predicted: Predicted) -> Floats:
        return squared_log_errors("mean_squared_log_error", truth, predicted)

    return mean_metric("mean_squared_log_error", "value", losses)


def squared_log_errors(name: str, truth: Truth, predicted: Predicted) -> Floats:
    """Return the squared differences of ``log(1 + number)``."""
    y, p = _inside(name, truth, predicted, target=(-1.0, False), prediction=(-1.0, False))
    errors: Floats = np.log1p(y, dtype=np.float64)
    errors -= np.log1p(p, dtype=np.float64)
    np.square(errors, out=errors)
    return errors


def _tweedie(name: str, power: float) -> Metric:
    # The least target, and whether it is allowed itself.
    target = (-math.inf, True) if power <= 0 else (0.0, power < 2)
    prediction = (-math.inf, True) if power == 0 else (0.0, False)

    def losses(truth: Truth, predicted: Predicted) -> Floats:
        y, p = _inside(name, truth, predicted, target=target, prediction=prediction)
        return _deviances(y, p, power)

    return mean_metric(name, "value", losses)


def _deviances(y: Floats, p: Floats, power: float) -> Floats:
    found: Floats
    if power == 0:
        found = np.subtract(y, p)
        return np.square(found, out=found)
    if power == 1:
        found = np.divide(y, p)
        np.log(found, out=found, where=found > 0)  # 0 log 0 is 0
        found *= y
        found -= y
        found += p
    elif power == 2:
        found = np.divide(y, p)
        found -= np.log(found) + 1
    else:
        found = p / (2 - power)
        found -= y / (1 - power)
        found *= np.power(p, 1 - power)
        of_target = np.power(np.maximum(y, 0), 2 - power)
        of_target /= (1 - power) * (2 - power)
        found += of_target
        np.maximum(found, 0, out=found)  # of a perfect prediction, but for a rounding
    found *= 2
    return found


def _inside(
    name: str,
    truth: Truth,
    predicted: Predicted,
    *,
    target: tuple[float, bool],
    prediction: tuple[float, bool],
) -> tuple[Floats, Floats]:
    """Return targets and predictions that are all in the range where the loss is a number.

    A target out of range means that the metric is none for this target; a prediction out of range, that
    the model is none for this metric.
    """
    y: Floats = np.asarray(truth.values, dtype=np.float64)
    p: Floats = np.asarray(predicted.value, dtype=np.float64)
    if outside := _outside(y, *target):
        raise undefined(
            name,
            f"targets {_words(*target)}",
            f"{outside}",
            "Use a metric that takes every number, such as mean_absolute_error.",
        )
    if outside := _outside(p, *prediction):
        raise InvalidError(
            f"{name} needs predictions {_words(*prediction)}; {outside}.",
            "Give the model an output that cannot leave this range (a log link, a clipped value), or use "
            "mean_absolute_error.",
        )
    return y, p


def _words(least: float, included: bool) -> str:
    return f"of at least {spelled(least)}" if included else f"above {spelled(least)}"


def _outside(values: npt.NDArray[np.floating], least: float, included: bool) -> str:
    """Return which values are out of range, in words; empty: none (missing ones are found elsewhere)."""
    smallest = float(values.min())
    if not (smallest < least or (smallest == least and not included)):
        return ""
    bad = int(np.count_nonzero(values < least if included else values <= least))
    return f"{bad:,} of {count(len(values))} are not, the least is {smallest:g}"
