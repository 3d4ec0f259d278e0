"""Calibration of probabilities as two numbers: slope and intercept of the logistic recalibration (Cox 1958).

``logit P(y = 1) = a + b logit(p)``: for a calibrated model the slope ``b`` is 1 and, with the slope fixed at
1, the intercept ``a`` is 0. What is judged is how far they are from there, so lower is better.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..spec import Tolerance
from .checked import checked, count, label, none_of, undefined
from .levels import Floats
from .metric import Metric
from .rows import Predicted, Truth

#: Probabilities are clipped to [CLIP, 1 - CLIP], as R's CalibrationCurves does: 0 and 1 have no logit.
CLIP = 1e-8

_INSTEAD = "expected_calibration_error, brier_score or log_loss"

#: Newton's steps: a dozen are plenty on a concave likelihood.
_STEPS = 100

#: A step so small is the last one: Newton's method squares the error.
_CLOSE = 1e-8


def calibration_slope_error() -> Metric:
    """Return how far the slope of the recalibration is from 1.

    Above 1 the probabilities are too timid, below 1 too bold.
    """
    return _distance("calibration_slope_error", _slope)


def calibration_intercept_error() -> Metric:
    """Return how far the intercept of the recalibration with slope 1 is from 0 (calibration in the large).

    Above 0 the probabilities are too low on the whole, below 0 too high; 0.1 are odds wrong by 10 %.
    """
    return _distance("calibration_intercept_error", _intercept)


def _distance(name: str, fitted: Callable[[Truth, Predicted], tuple[float, Floats]]) -> Metric:
    def deviation(truth: Truth, predicted: Predicted) -> tuple[float, Floats]:
        _require(name, truth, predicted)
        return predicted.shared(fitted, truth)

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        away, psi = deviation(truth, predicted)
        return psi.copy() if away >= 0 else -psi

    return checked(
        Metric(
            name=name,
            task="classification",
            needs="probability",
            higher_is_better=False,
            value=lambda truth, predicted: abs(deviation(truth, predicted)[0]),
            influence=influence,
            family="distance",
            deviation=deviation,
            crosses_zero=True,
            # Slopes and log-odds, with wide bounds near the kink: 10,000 rows tell 0.03 to 0.06.
            usual=Tolerance(0.05),
            binary_only=True,
            bounds=(0.0, math.inf),
        ),
        instead=_INSTEAD,
    )


def _require(name: str, truth: Truth, predicted: Predicted) -> None:
    positive = len(truth.positives)
    if positive in (0, truth.n):
        absent = label(truth.classes, 0 if positive else 1)
        raise undefined(name, "both classes", none_of(truth.n, f"class {absent}"))
    p = predicted.shared(_logit, truth)
    if p.min() == p.max():
        # In the large a constant is calibrated or not whatever the model knows: the prior always is.
        raise undefined(
            name,
            "probabilities that differ",
            f"all {truth.n:,} are {float(_positive(predicted)[0]):g}",
            "Use log_loss or brier_score, which exist for them.",
        )
    if name != "calibration_slope_error":
        return
    yes, no = p[truth.positives], p[truth.values == 0]
    if yes.min() >= no.max() or yes.max() <= no.min():
        raise undefined(
            name,
            "probabilities of the two classes that overlap",
            f"on these {count(truth.n)} one threshold tells the classes apart, so the slope is infinite",
            "Judge more rows, or use log_loss or brier_score.",
        )


def _slope(truth: Truth, predicted: Predicted) -> tuple[float, Floats]:
    """Return the slope minus 1 and its influence."""
    x, y = predicted.shared(_logit, truth), truth.values
    # Centred and scaled, so that the two parameters hardly depend on each other.
    centre = truth.mean(x)
    scale = math.sqrt(truth.mean(np.square(x - centre)))
    u = (x - centre) / scale
    a, b = _log_odds(truth.mean(y.astype(np.float64))), 0.0
    loss = _loss(truth, a + b * u)
    for _ in range(_STEPS):
        residual, spread = _residual(y, a + b * u)
        g0, g1 = truth.mean(residual), truth.mean(residual * u)
        h00, h01, h11 = truth.mean(spread), truth.mean(spread * u), truth.mean(spread * u * u)
        det = h00 * h11 - h01 * h01
        da, db = (h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det
        # A full step from far away may overshoot.
        while (after := _loss(truth, a + da + (b + db) * u)) > loss * (1 + _CLOSE):
            da, db = da / 2, db / 2
        a, b, loss = a + da, b + db, after
        if abs(da) + abs(db) <= _CLOSE * (1 + abs(a) + abs(b)):
            break
    residual, spread = _residual(y, a + b * u)
    h00, h01, h11 = truth.mean(spread), truth.mean(spread * u), truth.mean(spread * u * u)
    psi = residual * (h00 * u - h01)
    psi /= (h00 * h11 - h01 * h01) * scale
    psi -= truth.mean(psi)
    return b / scale - 1, truth.weigh(psi)


def _intercept(truth: Truth, predicted: Predicted) -> tuple[float, Floats]:
    """Return the intercept with slope 1 and its influence."""
    x, y = predicted.shared(_logit, truth), truth.values
    whole = _log_odds(truth.mean(y.astype(np.float64)))
    low, high = whole - float(x.max()), whole - float(x.min())
    a = min(max(0.0, low), high)
    for _ in range(_STEPS):
        residual, spread = _residual(y, a + x)
        lacking, slope = truth.mean(residual), truth.mean(spread)
        low, high = (a, high) if lacking > 0 else (low, a)
        before, a = a, a + lacking / slope if slope > 0 else math.inf
        if not low <= a <= high:
            a = (low + high) / 2
        if abs(a - before) <= _CLOSE * (1 + abs(a)):
            break
    residual, spread = _residual(y, a + x)
    residual /= truth.mean(spread)
    residual -= truth.mean(residual)
    return a, truth.weigh(residual)


def _residual(y: np.ndarray, logit: Floats) -> tuple[Floats, Floats]:
    """Return y - p and p (1 - p)."""
    half = np.tanh(0.5 * logit)  # overflows nowhere
    p = 0.5 * (1 + half)
    return y - p, 0.25 * (1 - half * half)


def _loss(truth: Truth, logit: Floats) -> float:
    """Return the mean log loss."""
    return truth.mean(np.logaddexp(0.0, np.where(truth.values == 1, -logit, logit)))


def _logit(truth: Truth, predicted: Predicted) -> Floats:  # noqa: ARG001 - kept per truth
    p = np.clip(_positive(predicted), CLIP, 1 - CLIP)
    return np.log(p) - np.log1p(-p)


def _positive(predicted: Predicted) -> Floats:
    p = predicted.probability
    assert p is not None, "checked before"
    column: Floats = (p if p.ndim == 1 else p[:, 1]).astype(np.float64, copy=False)
    return column


def _log_odds(share: float) -> float:
    return math.log(share) - math.log1p(-share)
