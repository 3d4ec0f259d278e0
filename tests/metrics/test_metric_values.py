"""Values equal other people's wherever the metric exists, and are refused exactly where it does not."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_peers import ALL, CLASSES, JUDGED, POSITIVE, by_peer, classified, exists, measured

from pytest_model_gate.errors import InvalidError, ModelGateError, UndefinedMetricError
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

QUICK = settings(max_examples=30, deadline=None, derandomize=True)
BINARY = [name for name in ALL if resolve(name).task == "classification"]
MULTICLASS = [name for name in BINARY if not resolve(name).binary_only]
REGRESSION = [name for name in ALL if resolve(name).task == "regression"]


def agree(name, truth, predicted):
    metric = resolve(name)
    if not exists(name, truth, predicted):
        # What is out of range in the predictions alone is the model's fault, and no property of the rows.
        error = (UndefinedMetricError, InvalidError) if name in POSITIVE else UndefinedMetricError
        with pytest.raises(error):
            metric.value(truth, predicted)
        if name in JUDGED:
            with pytest.raises(error):
                metric.influence(truth, predicted)
        return
    expected = by_peer(name, truth, predicted, truth.weight)
    value = metric.value(truth, predicted)
    assert type(value) is float
    assert math.isclose(value, expected, rel_tol=1e-12, abs_tol=1e-12)
    assert metric.bounds[0] <= value <= metric.bounds[1] + 1e-15


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
@QUICK
def test_binary_values_equal_scikit_learn(name, data):
    agree(name, *data.draw(classified(k=2)))


@pytest.mark.parametrize("name", MULTICLASS)
@given(data=st.data())
@QUICK
def test_multiclass_values_equal_scikit_learn(name, data):
    agree(name, *data.draw(classified(k=3)))


@pytest.mark.parametrize("name", REGRESSION)
@given(data=st.data())
@QUICK
def test_regression_values_equal_scikit_learn(name, data):
    agree(name, *data.draw(measured(name)))


def large(rows, k, weighted):
    rng = np.random.default_rng(5)
    y = rng.integers(0, k, rows)
    raw = rng.gamma(1.0, size=(rows, k)) + np.eye(k)[y]
    p = raw / raw.sum(axis=1, keepdims=True)
    weight = rng.gamma(2.0, size=rows) if weighted else None
    truth = Truth(values=y, classes=CLASSES[:k], weight=None if weight is None else weight / weight.mean())
    return truth, Predicted(labels=p.argmax(axis=1), probability=p[:, 1].copy() if k == 2 else p)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [2, 5])
def test_values_hold_on_many_rows_without_ties(k, weighted):
    truth, predicted = large(20_000, k, weighted)
    for name in BINARY if k == 2 else MULTICLASS:
        if not exists(name, truth, predicted):
            continue
        expected = by_peer(name, truth, predicted, truth.weight)
        assert resolve(name).value(truth, predicted) == pytest.approx(expected, rel=1e-12, abs=1e-13), name


def test_two_columns_of_probabilities_are_read_as_one_per_class():
    truth, one = large(500, 2, weighted=False)
    both = Predicted(probability=np.column_stack((1 - one.probability, one.probability)))
    for name in ("log_loss", "brier_score", "roc_auc", "average_precision", "roc_auc_ovr", "roc_auc_ovo"):
        metric = resolve(name)
        assert metric.value(truth, both) == pytest.approx(metric.value(truth, one), rel=1e-14), name
        np.testing.assert_allclose(metric.influence(truth, both), metric.influence(truth, one), atol=1e-12)


def test_a_score_ranks_before_the_probability():
    truth = Truth(values=np.array([0, 1, 0, 1]), classes=(0, 1))
    predicted = Predicted(score=np.array([-3.0, 8.0, 1.0, 2.0]), probability=np.full(4, 0.5))
    assert resolve("roc_auc").value(truth, predicted) == 1.0


def test_log_loss_clips_by_the_floating_type_of_the_probabilities():
    truth = Truth(values=np.array([1, 0]), classes=(0, 1))
    for kind in (np.float32, np.float64):
        worst = resolve("log_loss").value(truth, Predicted(probability=np.array([0, 1], dtype=kind)))
        assert worst == pytest.approx(-math.log(np.finfo(kind).eps), rel=1e-7)


def test_f1_without_predicted_positives_is_zero():
    truth = Truth(values=np.array([1, 0, 1]), classes=(0, 1))
    predicted = Predicted(labels=np.array([0, 0, 0]))
    assert resolve("f1").value(truth, predicted) == 0.0
    assert resolve("f1").influence(truth, predicted).tolist() == [0.0, 0.0, 0.0]


def test_perfect_predictions_have_no_influence_on_the_root_mean_squared_error():
    truth = Truth(values=np.array([1.0, 2.0]))
    assert resolve("rmse").value(truth, Predicted(value=truth.values)) == 0.0
    assert resolve("rmse").influence(truth, Predicted(value=truth.values)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
@QUICK
def test_no_input_raises_anything_but_our_errors(name, data):
    """Any finite numbers, however large, any labels, few rows, forms that are not there."""
    metric = resolve(name)
    n = data.draw(st.integers(0, 6))
    numbers = st.lists(
        st.floats(allow_nan=metric.needs != "label", allow_infinity=False), min_size=n, max_size=n
    )
    if metric.task == "regression":
        truth = Truth(values=np.array(data.draw(numbers), dtype=np.float64))
    else:
        k = data.draw(st.integers(1, 4))
        codes = data.draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
        truth = Truth(values=np.array(codes, dtype=np.intp), classes=CLASSES[:k])
    predicted = Predicted(
        labels=data.draw(
            st.none()
            | st.lists(st.integers(-1, 4), min_size=n, max_size=n).map(lambda v: np.array(v, dtype=np.intp))
        ),
        probability=data.draw(st.none() | numbers.map(lambda v: np.array(v, dtype=np.float64))),
        value=data.draw(st.none() | numbers.map(lambda v: np.array(v, dtype=np.float64))),
    )
    for function in (metric.value, metric.influence, metric.losses, metric.hits):
        if function is None:
            continue
        with suppress(ModelGateError):
            result = function(truth, predicted)
            assert np.all(np.isfinite(result[0] if isinstance(result, tuple) else result))
