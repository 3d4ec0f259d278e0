"""Baselines: the best constants by brute force, and the last value by a loop over the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.errors import ConfigurationError, InvalidError
from pytest_model_gate.models.baseline import BASELINES, baseline

RUN = settings(deadline=None, derandomize=True)
CODES = st.lists(st.integers(0, 2), min_size=1, max_size=40)
VALUES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40)


def test_prior_is_the_share_of_every_class():
    made = baseline("prior", target=np.array([0, 1, 1, 2, 1]), classes="abc")
    np.testing.assert_array_equal(made.probability, np.tile([0.2, 0.6, 0.2], (5, 1)))
    np.testing.assert_array_equal(made.labels, [1] * 5)
    assert made.value is None


def test_prior_of_a_class_that_no_row_has_is_zero():
    assert baseline("prior", target=np.array([0, 0]), classes=("a", "b")).probability.tolist() == [[1, 0]] * 2


def test_prior_with_weights():
    made = baseline("prior", target=np.array([0, 1]), classes=("a", "b"), weight=np.array([1.0, 3.0]))
    assert made.probability[0].tolist() == [0.25, 0.75]


@RUN
@given(target=CODES, other=st.floats(0.01, 0.99))
def test_no_constant_has_a_smaller_log_loss_than_the_prior(target, other):
    codes = (np.array(target) > 0).astype(int)
    p = baseline("prior", target=codes, classes=(0, 1)).probability[0, 1]

    def loss(q):
        with np.errstate(divide="ignore", invalid="ignore"):
            return -np.nan_to_num(codes * np.log(q)).sum() - np.nan_to_num((1 - codes) * np.log(1 - q)).sum()

    assert loss(p) <= loss(other) + 1e-9


@RUN
@given(target=VALUES, other=st.floats(-1e3, 1e3))
def test_mean_and_median_are_the_best_constants(target, other):
    y = np.array(target)
    mean = baseline("mean", target=y).value
    median = baseline("median", target=y).value
    np.testing.assert_allclose(mean, np.mean(y), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(median, np.median(y))
    assert ((y - mean) ** 2).sum() <= ((y - other) ** 2).sum() + 1e-6
    assert np.abs(y - median).sum() <= np.abs(y - other).sum() + 1e-6


@RUN
@given(rows=st.lists(st.tuples(st.floats(-10, 10), st.integers(1, 4)), min_size=1, max_size=20))
def test_whole_weights_are_repeated_rows(rows):
    y = np.array([value for value, _ in rows])
    times = np.array([count for _, count in rows])
    for name in ("mean", "median"):
        weighted = baseline(name, target=y, weight=times.astype(float)).value[0]
        repeated = baseline(name, target=np.repeat(y, times)).value[0]
        np.testing.assert_allclose(weighted, repeated, atol=1e-12)


def slow_last_value(target, time, classes):
    """Return the predictions row by row, as the sentence in the documentation says."""
    made = []
    for moment in time:
        earlier = time[time < moment]
        rows = target[time == earlier.max()] if len(earlier) else target
        made.append(np.bincount(rows, minlength=classes) / len(rows) if classes else rows.mean())
    return np.array(made)


@RUN
@given(rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), min_size=1, max_size=30))
def test_last_value_of_classes(rows):
    target, time = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    made = baseline("last_value", target=target, classes=(0, 1, 2), time=time)
    expected = slow_last_value(target, time, 3)
    np.testing.assert_allclose(made.probability, expected, atol=1e-15)
    np.testing.assert_array_equal(made.labels, expected.argmax(axis=1))


@RUN
@given(rows=st.lists(st.tuples(st.floats(-10, 10), st.integers(0, 6)), min_size=1, max_size=30))
def test_last_value_of_numbers(rows):
    target, time = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    made = baseline("last_value", target=target, time=time.astype("datetime64[D]"))
    np.testing.assert_allclose(made.value, slow_last_value(target, time, 0), atol=1e-12)


@RUN
@given(
    rows=st.lists(
        st.tuples(st.floats(-10, 10), st.integers(0, 6), st.floats(0.1, 5)), min_size=1, max_size=30
    ),
    seed=st.integers(0, 9),
)
def test_the_order_of_the_rows_changes_no_digit(rows, seed):
    y, time, weight = (np.array(column) for column in zip(*rows, strict=True))
    order = np.random.default_rng(seed).permutation(len(y))
    codes = (y > 0).astype(int)
    for name in ("mean", "median", "last_value"):
        made = baseline(name, target=y, time=time, weight=weight).value
        np.testing.assert_array_equal(
            made[order], baseline(name, target=y[order], time=time[order], weight=weight[order]).value
        )
    for name in ("prior", "last_value"):
        made = baseline(name, target=codes, classes=(0, 1), time=time, weight=weight).probability
        again = baseline(name, target=codes[order], classes=(0, 1), time=time[order], weight=weight[order])
        np.testing.assert_array_equal(made[order], again.probability)


@pytest.mark.parametrize(
    ("name", "classes", "message"),
    [
        (
            "mean",
            (0, 1),
            "The baseline 'mean' is none for classification.\n  Use prior or last_value, or a model.",
        ),
        (
            "prior",
            None,
            "The baseline 'prior' is none for regression.\n  Use mean or median or last_value, or a model.",
        ),
        ("priro", (0, 1), "There is no built-in baseline 'priro'.\n  Did you mean 'prior'?"),
        (
            "last_value",
            (0, 1),
            "The baseline 'last_value' needs to know when each row happened.\n"
            '  Add time = "column" to the gate.',
        ),
    ],
)
def test_baselines_that_make_no_sense(name, classes, message):
    with pytest.raises(ConfigurationError) as caught:
        baseline(name, target=np.array([0, 1]), classes=classes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "time",
    [
        np.array(["2026-01-01", "NaT"], dtype="datetime64[D]"),
        np.array([1.0, np.nan]),
        np.array(["a", None], dtype=object),
    ],
)
def test_a_missing_time_is_invalid(time):
    with pytest.raises(InvalidError) as caught:
        baseline("last_value", target=np.array([0.0, 1.0]), time=time)
    assert str(caught.value) == (
        "The time is missing in 1 row.\n  The baseline 'last_value' needs it in every row."
    )


@pytest.mark.parametrize("name", BASELINES)
def test_no_rows_are_invalid(name):
    classes = (0, 1) if name == "prior" else None
    with pytest.raises(InvalidError, match=r"^There are no rows to compute a baseline from"):
        baseline(name, target=np.array([]), classes=classes, time=np.array([]))
