"""How much memory two models' metrics take beside what the models said."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from pytest_model_gate.gate.measure import Sample, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design

N = 200_000
SIX = ("accuracy", "f1", "roc_auc", "average_precision", "log_loss", "brier_score")


def _peak(names: tuple[str, ...], decimals: int | None) -> float:
    """Return the most bytes per row, labels of both models included."""
    rng = np.random.default_rng(0)
    y = (rng.random(N) < 0.2).astype(np.intp)
    said = [1 / (1 + np.exp(-(1.4 * y + rng.normal(size=N) - 1.5))) for _ in range(2)]
    if decimals is not None:
        said = [np.round(p, decimals) for p in said]
    for n in (1_000, N):  # what is imported and kept for all is not what is measured
        tracemalloc.start()
        sample = Sample(truth=Truth(values=y[:n], classes=(0, 1)), design=Design(n=n))
        models = [Predicted(labels=(p[:n] >= 0.5).astype(np.intp), probability=p[:n]) for p in said]
        for name in names:
            inference = measure_pair(resolve(name), sample, *models).inference
            inference.bounds(0.05)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak / N


@pytest.mark.parametrize("decimals", [None, 3])
def test_six_metrics_of_two_models_stay_below_a_hundred_bytes_per_row(decimals: int | None) -> None:
    assert 16 < _peak(SIX, decimals) < 100


def test_a_mean_loss_keeps_nothing_but_the_losses() -> None:
    assert _peak(("brier_score",), None) < 16 + 2 * 8 + 2
