"""Calibration of probabilities in bins: the expected calibration error, with its noise taken off.

In each bin the deviation ``r`` is the sum of truth minus probability, divided by all rows. The plain error is
the sum of ``|r|``. It is never 0: of a calibrated model it is noise alone, and tells the number of bins and
rows rather than the model. What is reported takes every sign from one half of the rows, every size from the
other, averaged over all such halves: ``r (2 Phi(r / s) - 1) - 2 s phi(r / s)`` with the standard error ``s``
of ``r``. Far from 0 this is ``|r|``; of a calibrated model its mean is 0, so that it can be below 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..spec import Tolerance
from .checked import checked, count, undefined
from .levels import Floats, Ints
from .metric import Metric
from .rows import Predicted, Truth

_ROOT_TWO_PI = 2.5066282746310002


@dataclass(frozen=True, kw_only=True, eq=False)
class Binned:
    """How far truth and confidence are apart, row by row and bin by bin.

    Parameters
    ----------
    bin : ndarray of int, shape (n,)
        Of each row.
    residual : ndarray, shape (n,)
        Truth minus confidence, times the weight of the row.
    spread : ndarray, shape (n,)
        What each row adds to ``noise`` squared, times n squared.
    deviation : ndarray, shape (M,)
        Mean residual of each bin over all rows.
    noise : ndarray, shape (M,)
        Its standard error with independent rows and a calibrated model. Where a deviation is 0 in truth this
        is right for any model; where it is not, the noise matters less the further away it is.
    """

    bin: Ints
    residual: Floats
    spread: Floats
    deviation: Floats
    noise: Floats


def expected_calibration_error(name: str, bins: float | None) -> Metric:
    """Return the sum over bins of how far truth and confidence are apart, noise taken off.

    Bins have one width and include their upper edge. With two classes the confidence is the probability of
    the positive one, and the truth is whether it happened; with more it is the highest probability, and the
    truth is whether that class happened.
    """
    assert bins is not None, "the stem alone stands for a number"
    of_bins = int(bins)

    def binned(truth: Truth, predicted: Predicted) -> tuple[Ints, Floats, Floats, Floats]:
        found = _binned(name, of_bins, truth, predicted)
        return found.bin, found.residual, found.deviation, found.noise

    def value(truth: Truth, predicted: Predicted) -> float:
        found = _binned(name, of_bins, truth, predicted)
        return float(_without_noise(found.deviation, found.noise).sum())

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        found = _binned(name, of_bins, truth, predicted)
        by_deviation, by_noise = _derivatives(found.deviation, found.noise)
        psi = by_deviation[found.bin] * found.residual
        psi += (by_noise / np.where(found.noise > 0, found.noise * truth.n, 1.0))[found.bin] * found.spread
        shift = float((by_deviation * found.deviation + by_noise * found.noise).sum())
        psi -= shift if truth.weight is None else shift * truth.weight
        return psi

    return checked(
        Metric(
            name=name,
            task="classification",
            needs="probability",
            higher_is_better=False,
            value=value,
            influence=influence,
            family="binned",
            binned=binned,
            crosses_zero=True,
            # The bounds near calibration are wide: 10,000 rows tell 0.016.
            usual=Tolerance(0.02),
            bounds=(0.0, 1.0),
        )
    )


def _binned(name: str, bins: int, truth: Truth, predicted: Predicted) -> Binned:
    confidence, right = _confidence(truth, predicted)
    if confidence.min() == confidence.max():
        raise undefined(
            name,
            "probabilities that differ",
            f"all {count(truth.n)} have {float(confidence[0]):g}, which is calibrated or not whatever the "
            "model knows",
            "Use brier_score or log_loss, which exist for them.",
        )
    at = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)
    residual = right - confidence
    spread = confidence * (1 - confidence)
    if truth.weight is not None:
        residual *= truth.weight
        spread *= truth.weight**2
    return Binned(
        bin=at,
        residual=residual,
        spread=spread,
        deviation=np.bincount(at, weights=residual, minlength=bins) / truth.n,
        noise=np.sqrt(np.bincount(at, weights=spread, minlength=bins)) / truth.n,
    )


def _confidence(truth: Truth, predicted: Predicted) -> tuple[Floats, Floats]:
    """Return the probability that is judged, and whether what it is of happened."""
    p = predicted.probability
    assert p is not None, "checked before"
    if p.ndim == 1 or p.shape[1] == 2:
        positive = p if p.ndim == 1 else p[:, 1]
        return positive.astype(np.float64, copy=False), (truth.values == 1).astype(np.float64)
    top = p.argmax(axis=1)
    return p.max(axis=1).astype(np.float64, copy=False), (top == truth.values).astype(np.float64)


def _without_noise(deviation: Floats, noise: Floats) -> Floats:
    """Return the size of each deviation without its noise."""
    from scipy.special import ndtr

    x = _quotient(deviation, noise)
    size: Floats = deviation * (2 * ndtr(x) - 1) - 2 * noise * _density(x)
    return size


def _derivatives(deviation: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Return the derivatives of that size by the deviation and by its noise."""
    from scipy.special import ndtr

    x = _quotient(deviation, noise)
    density = _density(x)
    return 2 * ndtr(x) - 1 + 4 * x * density, -2 * density * (1 + 2 * x * x)


def _quotient(deviation: Floats, noise: Floats) -> Floats:
    """Return deviations in standard errors; where there is no noise they are known.

    Beyond 40 nothing changes any more but that squares overflow.
    """
    known = np.sign(deviation) * 40.0
    return np.clip(np.divide(deviation, noise, out=known, where=noise > 0), -40.0, 40.0)


def _density(x: Floats) -> Floats:
    density: Floats = np.exp(-0.5 * x * x) / _ROOT_TWO_PI
    return density
