"""Labels become codes by value: what every file format makes of the same labels is the same."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.errors import ConfigurationError, InvalidError
from pytest_model_gate.gate.encode import encode_labels, encode_target, numbers, require_positive, units


def codes_of(values: Any, **keywords: Any) -> tuple[list[int], tuple[Any, ...] | None]:
    codes, classes = encode_target(values, task="classification", **{"classes": None, **keywords})
    return codes.tolist(), classes


@pytest.mark.parametrize(
    ("values", "classes", "codes"),
    [
        ([1, 0, 1], (0, 1), [1, 0, 1]),
        ([True, False, True], (False, True), [1, 0, 1]),
        ([1.0, 0.0, 1.0], (0.0, 1.0), [1, 0, 1]),
        (["b", "a", "b"], ("a", "b"), [1, 0, 1]),
        ([2, 1, 2], (2, 1), [0, 1, 0]),  # 1 is the positive class and has code 1
        ([3, 5, 9, 3], (3, 5, 9), [0, 1, 2, 0]),
        ([10**12, -5, 10**12], (-5, 10**12), [1, 0, 1]),
        (np.array([255, 0], dtype=np.uint8), (0, 255), [1, 0]),
        (pd.Series(["b", "a"], dtype="category").cat.add_categories("never"), ("a", "b"), [1, 0]),
        (pd.Series([2, 1], dtype="Int64"), (2, 1), [0, 1]),
    ],
)
def test_classes_are_those_that_occur(values: Any, classes: tuple[Any, ...], codes: list[int]) -> None:
    assert codes_of(values) == (codes, classes)


def test_the_positive_class_has_code_one() -> None:
    assert codes_of(["good", "bad"], pos_label="bad") == ([0, 1], ("good", "bad"))
    assert codes_of(["good", "bad"], pos_label="good") == ([1, 0], ("bad", "good"))
    assert codes_of([0, 1], pos_label=0) == ([1, 0], (1, 0))
    assert codes_of([0, 1], pos_label=True) == ([0, 1], (0, 1))


def test_the_order_of_many_classes_is_kept() -> None:
    assert codes_of(["a", "b", "c"], classes=["c", "a", "b"]) == ([1, 2, 0], ("c", "a", "b"))


def test_classes_may_be_more_than_occur() -> None:
    assert codes_of([0, 0], classes=np.array([0, 1, 2])) == ([0, 0], (0, 1, 2))


def test_predicted_labels_follow_the_target() -> None:
    assert encode_labels([1.0, 0.0], (0, 1)).tolist() == [1, 0]
    assert encode_labels(np.array([True, False]), (1, 0)).tolist() == [0, 1]
    with pytest.raises(InvalidError) as caught:
        encode_labels(["x", "a", "y", "x"], ("a", "b"))
    assert str(caught.value) == (
        "The predictions must be among the classes of the target 'a', 'b', but 3 of 4 rows hold 'x', 'y'.\n"
        "  Labels are compared by value: 1 and True are the same, 1 and '1' are not."
    )


def test_dates_and_text_are_no_numbers() -> None:
    dates = pd.Series([datetime.datetime(2020, 1, 1)])
    with pytest.raises(InvalidError, match=r"The target must be numbers, got datetime64"):
        numbers(dates, "the target")
    with pytest.raises(InvalidError, match="The target must be numbers, got text or objects"):
        numbers(["1.5", "2"], "the target")
    with pytest.raises(InvalidError, match="must be one column, got rows of several values"):
        numbers([[1, 2], [3, 4]], "the target")
    assert numbers(pd.Series([1, 2], dtype="Float64"), "x").tolist() == [1.0, 2.0]


def test_nobody_guesses_the_positive_class() -> None:
    require_positive((0, 1), None, "f1")
    require_positive(("a", "b"), "b", "f1")
    require_positive(("a", "b", "c"), None, "f1")
    with pytest.raises(ConfigurationError, match="f1 needs to know the positive class"):
        require_positive(("a", "b"), None, "f1")


labels = st.one_of(
    st.lists(st.integers(-3, 3), min_size=1, max_size=30),
    st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=30),
    st.lists(st.booleans(), min_size=1, max_size=30),
    st.lists(st.text(max_size=3), min_size=1, max_size=30),
    st.lists(st.floats(-5, 5), min_size=1, max_size=30),
)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(labels)
def test_codes_lead_back_to_the_labels(values: list[Any]) -> None:
    codes, classes = codes_of(values)

    assert classes is not None
    assert [classes[code] for code in codes] == values
    assert len(set(classes)) == len(classes)
    assert units(values, "groups").max() + 1 == len(classes)
