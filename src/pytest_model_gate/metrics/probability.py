"""Losses of probabilities: log loss and Brier score."""

from __future__ import annotations

import numpy as np

from .levels import Floats
from .means import mean_metric
from .metric import Metric
from .rows import Predicted, Truth


def log_loss() -> Metric:
    """Return the mean of -log(probability of what happened).

    Probabilities are clipped to [eps, 1 - eps] of their own floating type and not brought back to a sum of
    1, as scikit-learn does.
    """
    return mean_metric("log_loss", "probability", _log_losses)


def brier_score() -> Metric:
    """Return the mean squared error of the probabilities.

    With two classes of the positive class's probability; with more, summed over the classes (so that the
    worst value is 2), as scikit-learn does.
    """
    return mean_metric("brier_score", "probability", _brier_losses, most=2.0)


def _log_losses(truth: Truth, predicted: Predicted) -> Floats:
    p = predicted.probability
    assert p is not None, "checked before"
    if p.ndim == 1:
        # |(1 - y) - p| is p where y = 1 and 1 - p where y = 0, without a branch.
        happened: Floats = np.subtract(1 - truth.values, p, dtype=np.float64)
        np.abs(happened, out=happened)
    else:
        rows = np.arange(truth.n) * p.shape[1]
        happened = p.ravel().take(rows + truth.values).astype(np.float64)
    eps = float(np.finfo(p.dtype).eps)
    np.clip(happened, eps, 1 - eps, out=happened)
    np.log(happened, out=happened)
    np.negative(happened, out=happened)
    return happened


def _brier_losses(truth: Truth, predicted: Predicted) -> Floats:
    p = predicted.probability
    assert p is not None, "checked before"
    if p.ndim == 1:
        missed: Floats = np.subtract(truth.values, p, dtype=np.float64)
        np.square(missed, out=missed)
        return missed
    off = p.astype(np.float64)  # a copy
    off[np.arange(truth.n), truth.values] -= 1
    losses: Floats = np.einsum("ij,ij->i", off, off)
    if p.shape[1] == 2:
        losses *= 0.5
    return losses
