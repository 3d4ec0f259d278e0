"""Average precision flatters, because each positive is a hit of its own: by how much, and on average."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

AP = resolve("average_precision")


def by_row(y: np.ndarray, scores: np.ndarray) -> float:
    """Leave each positive out of its own precision."""
    hits, without = [], []
    for row in sorted(np.flatnonzero(y), key=lambda row: -scores[row]):
        above = scores >= scores[row]
        hits.append(y[above].mean())
        above[row] = False
        without.append(y[above].mean() if above.any() else np.nan)
    if np.isnan(without[0]):
        without[0] = without[1] if len(without) > 1 else 0.0
    return float(np.mean(hits) - np.mean(without))


def flattery(y: np.ndarray, scores: np.ndarray, weight: np.ndarray | None = None) -> float:
    assert AP.flattery is not None
    return AP.flattery(Truth(values=y, classes=(0, 1), weight=weight), Predicted(score=scores))


@pytest.mark.parametrize("levels", [3, 10, 1000])
def test_it_is_what_is_left_of_each_positive_without_itself(levels: int) -> None:
    rng = np.random.default_rng(levels)
    for n in (5, 20, 100):
        y = (rng.random(n) < 0.3).astype(np.intp)
        y[0] = 1
        scores = np.floor((rng.random(n) + y) * levels)

        assert flattery(y, scores) == pytest.approx(by_row(y, scores), abs=1e-12)


def test_the_ends() -> None:
    assert flattery(np.array([1, 0, 0]), np.array([3.0, 2.0, 1.0])) == 1.0  # nothing else says it is found
    assert flattery(np.array([1, 1, 0]), np.array([3.0, 2.0, 1.0])) == 0.0
    assert flattery(np.array([0, 1, 0]), np.array([3.0, 2.0, 1.0])) == 0.5


def test_equal_weights_change_nothing() -> None:
    rng = np.random.default_rng(2)
    y, scores = (rng.random(50) < 0.3).astype(np.intp), rng.random(50)

    assert flattery(y, scores, np.ones(50)) == pytest.approx(flattery(y, scores), rel=1e-12)


@pytest.mark.parametrize(
    "name", ["average_precision", "average_precision_macro", "average_precision_weighted"]
)
def test_on_average_it_is_the_bias(name: str) -> None:
    """40 rows of each class, against the same metric of many."""
    metric, rng = resolve(name), np.random.default_rng(4)
    k = 2 if name == "average_precision" else 3

    def drawn(n: int) -> tuple[Truth, Predicted]:
        y = np.arange(n) % k
        scores = rng.standard_normal((n, k)) + 0.8 * (y[:, None] == np.arange(k))
        if k == 2:
            return Truth(values=y, classes=(0, 1)), Predicted(score=scores[:, 1])
        shares = np.exp(scores)
        shares /= shares.sum(axis=1, keepdims=True)
        return Truth(values=y, classes=(0, 1, 2)), Predicted(probability=shares)

    assert metric.flattery is not None
    true = metric.value(*drawn(300_000))
    found = [drawn(20 * k) for _ in range(600)]
    bias = np.mean([metric.value(*each) for each in found]) - true
    told = np.mean([metric.flattery(*each) for each in found])
    assert told > 0.005
    assert bias == pytest.approx(told, abs=0.01)  # four standard errors of 600 values


def test_what_is_no_average_precision_does_not_flatter() -> None:
    assert all(
        resolve(name).flattery is None for name in ("roc_auc", "roc_auc_ovr", "accuracy", "brier_score")
    )
