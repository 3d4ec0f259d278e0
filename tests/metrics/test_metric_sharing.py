"""Work is shared, never mixed up; and what must not matter (order, ties, scale) does not."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_peers import ALL, CLASSES, JUDGED, classified, exists, measured

from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.levels import Levels, at_or_above, middle
from pytest_model_gate.metrics.rows import Predicted, Truth

QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def rows(n=400, weighted=False, k=2):
    rng = np.random.default_rng(3)
    y = rng.integers(0, k, n)
    p = rng.dirichlet(np.ones(k), size=n)
    weight = rng.gamma(2.0, size=n)
    truth = Truth(values=y, classes=CLASSES[:k], weight=weight / weight.mean() if weighted else None)
    return truth, Predicted(labels=p.argmax(axis=1), probability=p[:, 1].copy() if k == 2 else p)


def test_one_sort_serves_all_ranking_metrics(monkeypatch):
    sorts = []
    plain = np.argsort
    monkeypatch.setattr(np, "argsort", lambda *a, **k: sorts.append(1) or plain(*a, **k))
    truth, predicted = rows()
    for name in ("roc_auc", "gini", "ks_statistic", "average_precision"):
        resolve(name).value(truth, predicted)
        resolve(name).influence(truth, predicted)
    assert len(sorts) == 1


def test_one_sort_per_class_serves_value_and_influence(monkeypatch):
    sorts = []
    plain = np.argsort
    monkeypatch.setattr(np, "argsort", lambda *a, **k: sorts.append(1) or plain(*a, **k))
    truth, predicted = rows(k=4)
    resolve("roc_auc_ovr").value(truth, predicted)
    resolve("roc_auc_ovr").influence(truth, predicted)
    assert len(sorts) == 4


def test_the_same_predictions_on_another_truth_are_judged_anew():
    truth, predicted = rows()
    other = Truth(values=1 - truth.values, classes=truth.classes)
    for name in ("accuracy", "roc_auc"):
        one, two = (resolve(name).value(t, predicted) for t in (truth, other))
        assert two == pytest.approx(1 - one, abs=1e-12)
        assert resolve(name).value(truth, predicted) == one


def test_what_is_kept_goes_with_the_predictions():
    truth, predicted = rows()
    for name in ("f1", "roc_auc"):
        resolve(name).influence(truth, predicted)
    gone = weakref.ref(predicted)
    gc.disable()
    try:
        del predicted
        assert gone() is None
    finally:
        gc.enable()


def test_a_subset_is_the_same_as_fresh_rows():
    truth, predicted = rows(weighted=True)
    resolve("roc_auc").value(truth, predicted)
    mask = truth.values + np.arange(truth.n) % 3 > 0
    weight = truth.weight[mask] / truth.weight[mask].mean()
    fresh = Truth(values=truth.values[mask], classes=truth.classes, weight=weight)
    same = Predicted(labels=predicted.labels[mask], probability=predicted.probability[mask])
    for name in ("roc_auc", "average_precision", "f1", "log_loss"):
        metric = resolve(name)
        assert metric.value(truth.subset(mask), predicted.subset(mask)) == metric.value(fresh, same)


def drawn_for(metric):
    return (
        measured(metric.name)
        if metric.task == "regression"
        else classified(k=2 if metric.binary_only else None)
    )


def taken(truth, predicted, order):
    weight = None if truth.weight is None else truth.weight[order]
    fields = {f: getattr(predicted, f) for f in ("labels", "probability", "value")}
    return (
        Truth(values=truth.values[order], classes=truth.classes, weight=weight),
        Predicted(**{f: None if a is None else a[order] for f, a in fields.items()}),
    )


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
@QUICK
def test_the_order_of_the_rows_does_not_matter(name, data):
    metric = resolve(name)
    truth, predicted = data.draw(drawn_for(metric))
    if not exists(name, truth, predicted):
        return
    order = np.array(data.draw(st.permutations(range(truth.n))))
    moved = taken(truth, predicted, order)
    assert metric.value(*moved) == pytest.approx(metric.value(truth, predicted), rel=1e-13, abs=1e-14)
    if name not in JUDGED:
        return
    psi = metric.influence(truth, predicted)
    scale = max(1.0, np.abs(psi).max())
    np.testing.assert_allclose(metric.influence(*moved), psi[order], rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.parametrize("weighted", [False, True])
def test_many_rows_in_another_order_change_no_digit(weighted):
    truth, predicted = rows(200_000, weighted)
    order = np.random.default_rng(1).permutation(truth.n)
    moved = taken(truth, predicted, order)
    cells_and_ranks = ("accuracy", "f1", "matthews_corrcoef", "roc_auc", "average_precision")
    for name in (*cells_and_ranks, "log_loss", "brier_score"):
        metric = resolve(name)
        exact = not weighted and name in cells_and_ranks
        assert metric.value(*moved) == pytest.approx(
            metric.value(truth, predicted), rel=0 if exact else 1e-13, abs=0
        ), name


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
@QUICK
def test_whole_weights_are_repeated_rows(name, data):
    metric = resolve(name)
    truth, predicted = data.draw(drawn_for(metric))
    times = np.array(data.draw(st.lists(st.integers(1, 3), min_size=truth.n, max_size=truth.n)))
    weighted = Truth(values=truth.values, classes=truth.classes, weight=times / times.mean())
    plain = Truth(values=truth.values, classes=truth.classes)
    if exists(name, plain, predicted):
        repeated = taken(plain, predicted, np.repeat(np.arange(truth.n), times))
        assert metric.value(weighted, predicted) == pytest.approx(
            metric.value(*repeated), rel=1e-12, abs=1e-13
        )


@given(data=st.data())
@QUICK
def test_ranking_metrics_see_the_order_only(data):
    truth, predicted = data.draw(classified(k=2))
    higher = Predicted(score=Levels.of(predicted.probability).level * 7.0 - 3)
    for name in ("roc_auc", "gini", "ks_statistic", "average_precision"):
        if exists(name, truth, predicted):
            metric = resolve(name)
            assert metric.value(truth, higher) == metric.value(truth, predicted)
            assert np.array_equal(metric.influence(truth, higher), metric.influence(truth, predicted))


@given(st.lists(st.floats(allow_nan=False), max_size=30))
@QUICK
def test_levels_are_dense_ranks(values):
    levels = Levels.of(np.array(values, dtype=np.float64))
    distinct = sorted(set(values))
    assert levels.level.tolist() == [distinct.index(v) for v in values]
    assert levels.count == len(distinct)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
@QUICK
def test_sums_over_levels(mass):
    counts, array = np.array(mass), np.array(mass, dtype=np.float64)
    for work in (middle, at_or_above):
        assert work(counts).tolist() == work(array).tolist()
        assert work(counts).dtype == np.float64
        assert work(counts, out=np.empty(len(mass))).tolist() == work(array).tolist()
    assert counts.tolist() == mass
    assert middle(array).tolist() == [sum(mass[:i]) + mass[i] / 2 for i in range(len(mass))]
    assert at_or_above(array).tolist() == [sum(mass[i:]) for i in range(len(mass))]
    assert array.tolist() == mass
    assert at_or_above(array, out=array) is array
    assert array.tolist() == [sum(mass[i:]) for i in range(len(mass))]
