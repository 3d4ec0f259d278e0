"""The influence of a row is the derivative of the metric by the weight of that row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_peers import ALL, CLASSES, JUDGED, POSITIVE, by_peer, classified, exists, measured

from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

QUICK = settings(max_examples=25, deadline=None, derandomize=True)
CELLS = [name for name in ALL if resolve(name).cell_influence]


def sample(kind, weighted):
    """Sixty rows with ties, every class both true and predicted."""
    rng = np.random.default_rng(11)
    n = 60
    weight = rng.gamma(3.0, size=n) if weighted else None
    if weight is not None:
        weight = weight / weight.mean()
    if kind == "positive":
        y = np.round(rng.gamma(2.0, size=n), 1) + 0.05
        return Truth(values=y, weight=weight), Predicted(
            value=np.round(y * rng.gamma(5.0, size=n) / 5, 1) + 0.1
        )
    if kind == "regression":
        y = np.round(rng.normal(size=n), 1) + 0.05
        return Truth(values=y, weight=weight), Predicted(value=np.round(y + rng.normal(size=n), 1))
    k = {"binary": 2, "multiclass": 4}[kind]
    y = rng.integers(0, k, n)
    raw = np.round(rng.gamma(1.0, size=(n, k)) + np.eye(k)[y], 1) + 0.1
    p = raw / raw.sum(axis=1, keepdims=True)
    truth = Truth(values=y, classes=CLASSES[:k], weight=weight)
    return truth, Predicted(labels=p.argmax(axis=1), probability=np.round(p[:, 1], 2) if k == 2 else p)


def derivative(name, truth, predicted, rows, step=1e-5):
    """Return n times the derivative by the relative weight of some rows, by other people's values."""
    weight = np.ones(truth.n) if truth.weight is None else truth.weight

    def moved(row, h):
        w = weight.copy()
        w[row] *= 1 + h
        return by_peer(name, truth, predicted, w)

    return np.array([truth.n * (moved(row, step) - moved(row, -step)) / (2 * step) for row in rows])


CASES = [
    (name, kind)
    for name in JUDGED
    for kind in ("binary", "multiclass", "regression", "positive")
    if (resolve(name).task == "regression") == (kind in ("regression", "positive"))
    and (name in POSITIVE) == (kind == "positive")
    and not (resolve(name).binary_only and kind == "multiclass")
    and not (name == "top_k_accuracy@2" and kind == "binary")
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_influence_is_the_derivative_by_the_weights(name, kind, weighted):
    truth, predicted = sample(kind, weighted)
    psi = resolve(name).influence(truth, predicted)
    assert psi.shape == (truth.n,)
    rows = range(0, truth.n, 4)
    np.testing.assert_allclose(psi[rows], derivative(name, truth, predicted, rows), rtol=1e-7, atol=2e-8)


@pytest.mark.parametrize("name", JUDGED)
@given(data=st.data())
@QUICK
def test_influence_has_mean_zero(name, data):
    metric = resolve(name)
    drawn = measured(name) if metric.task == "regression" else classified(k=2 if metric.binary_only else None)
    truth, predicted = data.draw(drawn)
    if exists(name, truth, predicted):
        psi = metric.influence(truth, predicted)
        assert abs(psi.mean()) <= 1e-13 * max(1.0, np.abs(psi).max())


@pytest.mark.parametrize("name", CELLS)
@given(data=st.data())
@QUICK
def test_the_table_by_cell_is_the_influence_of_the_rows(name, data):
    metric = resolve(name)
    truth, predicted = data.draw(classified(k=2 if metric.binary_only else None))
    if not exists(name, truth, predicted):
        return
    k = len(truth.classes)
    weight = np.ones(truth.n) if truth.weight is None else truth.weight
    confusion = np.zeros((k, k))
    np.add.at(confusion, (truth.values, predicted.labels), weight)
    table = metric.cell_influence(confusion)
    by_row = table[truth.values, predicted.labels] * weight
    np.testing.assert_allclose(by_row, metric.influence(truth, predicted), atol=1e-12)
    np.testing.assert_allclose(metric.cell_influence(confusion * 8), table, atol=1e-12)


def test_which_metrics_offer_a_table():
    stems = "accuracy balanced cohen f0.3 f1 f2 f7.25 matthews negative precision recall specificity"
    assert sorted({name.split("_")[0] for name in CELLS}) == stems.split()


@pytest.mark.parametrize("name", [name for name in ALL if resolve(name).family == "proportion"])
@given(data=st.data())
@QUICK
def test_a_proportion_is_the_share_of_its_hits(name, data):
    metric = resolve(name)
    truth, predicted = data.draw(classified(k=2 if metric.binary_only else None))
    assert metric.family == "proportion"
    if not exists(name, truth, predicted):
        return
    right, within = metric.hits(truth, predicted)
    assert right.dtype == within.dtype == np.bool_
    weight = np.ones(truth.n) if truth.weight is None else truth.weight
    share = np.sum(weight * (right & within)) / np.sum(weight * within)
    assert share == pytest.approx(metric.value(truth, predicted), rel=1e-13)


@pytest.mark.parametrize("name", [name for name in ALL if resolve(name).losses])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_mean_is_the_mean_of_its_losses(name, weighted):
    metric = resolve(name)
    kind = "regression" if metric.task == "regression" else "multiclass"
    truth, predicted = sample("positive" if name in POSITIVE else kind, weighted)
    assert metric.family == "mean"
    mean = np.average(metric.losses(truth, predicted), weights=truth.weight)
    assert mean == pytest.approx(metric.value(truth, predicted), rel=1e-14)


def test_every_family_brings_what_its_intervals_need():
    for name in ALL:
        metric = resolve(name)
        assert (metric.family in ("proportion", "closeness")) == (metric.hits is not None), name
        assert (metric.family == "closeness") == (metric.target is not None), name
        assert (metric.family == "mean") == (metric.losses is not None), name
        if metric.needs == "label":
            assert metric.family in ("proportion", "cells"), name
            assert metric.cell_influence is not None, name
