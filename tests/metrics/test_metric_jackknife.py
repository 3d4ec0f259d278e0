"""The spread of the influence is what the jackknife finds by leaving out one row after the other."""

from __future__ import annotations

import numpy as np
import pytest
from metric_peers import JUDGED, POSITIVE

from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

#: At a best threshold, and at a median, leaving out a row moves the value in steps.
SMOOTH = [name for name in JUDGED if resolve(name).family != "maximum"]


def rows(name, n=150):
    rng = np.random.default_rng(8)
    metric = resolve(name)
    if metric.task == "regression":
        y = rng.gamma(3.0, size=n) if name in POSITIVE else rng.normal(size=n) + 3
        return Truth(values=y), Predicted(value=y * np.exp(0.3 * rng.normal(size=n)))
    k = 2 if metric.binary_only else 3
    y = rng.integers(0, k, n)
    raw = rng.gamma(1.0, size=(n, k)) + 0.8 * np.eye(k)[y]
    p = raw / raw.sum(axis=1, keepdims=True)
    truth = Truth(values=y, classes=tuple("abc"[:k]))
    return truth, Predicted(labels=p.argmax(axis=1), probability=p[:, 1].copy() if k == 2 else p)


@pytest.mark.parametrize("name", SMOOTH)
def test_leaving_out_rows_tells_the_same_standard_error(name):
    metric, (truth, predicted) = resolve(name), rows(name)
    n, whole = truth.n, metric.value(truth, predicted)
    without = np.empty(n)
    for row in range(n):
        left = np.arange(n) != row
        without[row] = metric.value(truth.subset(left), predicted.subset(left))
    psi = metric.influence(truth, predicted)

    by_jackknife = np.sqrt((n - 1) / n * np.sum((without - without.mean()) ** 2))
    assert np.sqrt(np.sum(psi**2) / n / (n - 1)) == pytest.approx(by_jackknife, rel=0.1)
    # Row by row, too: what leaving it out changes is its influence, divided by the other rows.
    moved = (n - 1) * (whole - without)
    assert np.corrcoef(moved, psi)[0, 1] > 0.99
