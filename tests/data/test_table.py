"""Columns of every type: missing values, numbers, labels, groups, slice levels and duplicates."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data.table import (
    codes,
    labels,
    levels,
    missing,
    missing_finding,
    numbers,
)
from pytest_model_gate.errors import EvaluationError, InvalidError
from pytest_model_gate.results import Finding


def column(values, dtype=None):
    return pd.Series(values, dtype=dtype, name="c")


def arrow(values, kind):
    return column(values, pd.ArrowDtype(kind))


NAN_INSIDE = (column([1.0, 0.0, 3.0], "Float64") * 0) / column([1.0, 0.0, 3.0], "Float64") + 1


@pytest.mark.parametrize(
    "series",
    [
        column([1.0, None, 3.0]),
        column([1, None, 3], "Int64"),
        column([True, None, False], "boolean"),
        column([True, None, False], object),
        column(["a", None, "b"]),
        column(["a", np.nan, "b"], object),
        column(["a", pd.NA, "b"], "string"),
        column(["a", None, "b"], "category"),
        column(pd.to_datetime(["2024-01-01", None, "2024-01-03"])),
        column(pd.to_timedelta(["1h", None, "2h"])),
        column([datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 2)]),
        column([decimal.Decimal(1), decimal.Decimal("NaN"), decimal.Decimal(2)]),
        arrow([1.5, None, 2.5], pa.float64()),
        arrow(["a", None, "b"], pa.string()),
        arrow([True, None, False], pa.bool_()),
        column([1.0, None, 3.0], "float32"),
        NAN_INSIDE,
    ],
    ids=lambda series: str(series.dtype),
)
def test_missing_values_of_every_type(series):
    assert missing(series).tolist() == [False, True, False]
    finding = missing_finding(series, "groups")
    assert finding == Finding(
        subject="c",
        problem="1 of 3 rows (33.3%) has no value in 'c' (groups).",
        remedy="Complete the column, or remove these rows from the dataset.",
        count=1,
    )
    assert missing_finding(series.dropna().iloc[:1], "groups") is None
    for convert in (labels, numbers, codes):
        with pytest.raises(InvalidError) as error:
            convert(series, "target")
        assert str(error.value) == (
            "1 of 3 rows (33.3%) has no value in 'c' (target).\n"
            "  Complete the labels, or set drop_missing_target = true to judge the other rows."
        )


def test_an_infinity_and_empty_text_are_values():
    assert not missing(column([np.inf, -np.inf])).any()
    assert not missing(column(["", " "])).any()
    assert missing(column([], object)).tolist() == []


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (column([3, 1, 2], "int8"), np.array([3, 1, 2])),
        (column([0, 1, 1], "UInt8"), np.array([0, 1, 1])),
        (column([1.0, 0.0]), np.array([1, 0])),
        (column([1.0, 0.0], "Float32"), np.array([1, 0])),
        (column([True, False]), np.array([True, False])),
        (column([True, False], "boolean"), np.array([True, False])),
        (column([True, False], object), np.array([True, False])),
        (column([1, 0], object), np.array([1, 0])),
        (column([1.0, 0.0], object), np.array([1, 0])),
        (column(["no", "yes"]), np.array(["no", "yes"], object)),
        (column(["no", "yes"], object), np.array(["no", "yes"], object)),
        (column(["no", "yes"], "string"), np.array(["no", "yes"], object)),
        (column(["no", "yes"], "category"), np.array(["no", "yes"], object)),
        (column([2, 1], "category"), np.array([2, 1])),
        (column([True, False], "category"), np.array([True, False])),
        (arrow([1, 0], pa.int8()), np.array([1, 0])),
        (arrow(["a", "b"], pa.string()), np.array(["a", "b"], object)),
        (arrow([True, False], pa.bool_()), np.array([True, False])),
        (column([], object), np.array([], object)),
    ],
    ids=lambda value: str(value.dtype),
)
def test_labels_are_plain_arrays(series, expected):
    found = labels(series)
    assert found.dtype == expected.dtype
    assert [(type(a), a) for a in found.tolist()] == [(type(a), a) for a in expected.tolist()]


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (
            column([0.25, 1.0, 0.5]),
            "Column 'c' (target) must hold class labels, got numbers such as 0.25, 0.5.\n"
            "  Choose regression metrics for a numeric target, or store the labels as text or whole numbers.",
        ),
        (
            column([1.0, np.inf]),
            "Column 'c' (target) must hold class labels, got numbers such as inf.\n"
            "  Choose regression metrics for a numeric target, or store the labels as text or whole numbers.",
        ),
        (column([1, "1"]), "Column 'c' (target) mixes types: int, str.\n  Give all labels one type."),
        (
            column([True, 1], object),
            "Column 'c' (target) mixes types: bool, int.\n  Give all labels one type.",
        ),
        (
            column(pd.to_datetime(["2024-01-01"])),
            "Column 'c' (target) must hold text, whole numbers or booleans, got dates, "
            "for example 2024-01-01 00:00:00.\n  Convert the labels, for example to text.",
        ),
        (
            column([(1, 2)]),
            "Column 'c' (target) must hold text, whole numbers or booleans, got values of type tuple, "
            "for example (1, 2).\n  Convert the labels, for example to text.",
        ),
        (
            column([2**70, 1], object),
            "Column 'c' (target) holds whole numbers of more than 64 bits.\n  Store the labels as text.",
        ),
        (
            column([2**63], "uint64"),
            "Column 'c' (target) holds whole numbers of more than 64 bits.\n  Store the labels as text.",
        ),
    ],
)
def test_what_names_no_class(series, message):
    with pytest.raises(InvalidError) as error:
        labels(series)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "series",
    [
        column([1, 2, 3], "int8"),
        column([1, 2, 3], "Int64"),
        column([1, 2, 3], "Float64"),
        column([1, 2, 3], "float32"),
        column([1, 2, 3], object),
        column([1, 2, 3], "category"),
        column([decimal.Decimal(1), decimal.Decimal("2.0"), decimal.Decimal(3)]),
        arrow([1, 2, 3], pa.float32()),
        arrow([decimal.Decimal(1), decimal.Decimal(2), decimal.Decimal(3)], pa.decimal128(4, 1)),
    ],
    ids=lambda series: str(series.dtype),
)
def test_numbers_are_float64(series):
    found = numbers(series, "target")
    assert (found.dtype, found.tolist()) == (np.dtype("float64"), [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (
            column(["1.5", "x" * 50]),
            "Column 'c' (target) must hold numbers, got text, "
            f"for example '1.5', '{'x' * 37}...'.\n  Store it as integers or floats.",
        ),
        (
            column([True, False]),
            "Column 'c' (target) must hold numbers, got booleans, for example True, False.\n"
            "  Store it as integers or floats.",
        ),
        (
            column([1, "\x1b[31mred"]),
            "Column 'c' (target) must hold numbers, got values of type int, str, for example 1, '\\x1b[31mred'.\n"
            "  Store it as integers or floats.",
        ),
        (
            column(pd.to_timedelta(["1h"])),
            "Column 'c' (target) must hold numbers, got durations, for example 0 days 01:00:00.\n"
            "  Store it as integers or floats.",
        ),
        (
            column([1.0, np.inf, -np.inf, 2.0]),
            "Column 'c' (target) is infinite in 2 of 4 rows (50.0%).\n"
            "  Replace or remove these values in the dataset.",
        ),
    ],
)
def test_what_is_no_number(series, message):
    with pytest.raises(InvalidError) as error:
        numbers(series, "target")
    assert str(error.value) == message


@pytest.mark.parametrize("dtype", [object, "string", "category", None])
def test_codes_tell_groups_apart(dtype):
    found = codes(column(["b", "a", "b", "c"], dtype), "groups")
    assert (found.dtype, found.tolist()) == (np.dtype(np.intp), [0, 1, 0, 2])


ORDERED = pd.Categorical(["mid", "lo", None], categories=["lo", "mid", "hi"], ordered=True)


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (column(["b", "a", None, "b"]), {"a": 1, "b": 2, "(missing)": 1}),
        (column(["(missing)", None, None]), {"'(missing)'": 1, "(missing)": 2}),
        (column([10, 9, None], "Int64"), {"9": 1, "10": 1, "(missing)": 1}),
        (column([10.0, 9.0, None]), {"9": 1, "10": 1, "(missing)": 1}),
        (column([0.1, -1.0, 0.1], "float32"), {"-1.0": 1, "0.1": 2}),
        (column([-0.0, 0.5, 0.0]), {"0.0": 2, "0.5": 1}),
        (column([True, False, True]), {"False": 1, "True": 2}),
        (column([True, None], "boolean"), {"True": 1, "(missing)": 1}),
        (column(ORDERED), {"lo": 1, "mid": 1, "(missing)": 1}),
        (column(pd.Categorical(["b", "a"], categories=["b", "z", "a"])), {"a": 1, "b": 1}),
        (column(pd.to_datetime(["2024-02-01", "2024-01-01"])), {"2024-01-01": 1, "2024-02-01": 1}),
        (
            column(pd.to_datetime(["2024-02-01", "2024-01-01 12:30"], format="ISO8601")),
            {"2024-01-01T12:30:00": 1, "2024-02-01T00:00:00": 1},
        ),
        (column([datetime.date(2024, 2, 1), None]), {"2024-02-01": 1, "(missing)": 1}),
        (column(pd.cut(pd.Series([15, 3, 7]), [0, 5, 10, 20])), {"(0, 5]": 1, "(5, 10]": 1, "(10, 20]": 1}),
        (column(pd.PeriodIndex(["2024-02", "2024-01"], freq="M")), {"2024-01": 1, "2024-02": 1}),
        (arrow([2, 1, None], pa.int64()), {"1": 1, "2": 1, "(missing)": 1}),
        (arrow(["b", "a"], pa.string()), {"a": 1, "b": 1}),
        (column([decimal.Decimal("2.5"), decimal.Decimal("10")]), {"2.5": 1, "10": 1}),
        (NAN_INSIDE, {"1": 2, "(missing)": 1}),
        (column([], object), {}),
        (column([None, None], object), {"(missing)": 2}),
        (column(["ü\n|", " "]), {" ": 1, "ü\n|": 1}),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_levels_read_as_people_write_them(series, expected):
    found = levels(series)
    assert dict(zip(found.labels, found.counts, strict=True)) == expected
    assert list(found.labels) == list(expected)
    assert [(label, int(mask.sum())) for label, mask in found] == list(expected.items())
    assert len(found) == len(expected)
    # Each row is in one level, and its rows have its value.
    assert sum(mask.astype(int) for _, mask in found).tolist() == [1] * len(series) if len(series) else True


@settings(deadline=None, derandomize=True)
@given(
    st.sampled_from(["Int64", "object", "Float64", "category", "boolean"]).flatmap(
        lambda dtype: st.tuples(
            st.just(dtype),
            st.lists(
                st.none()
                | {
                    "Int64": st.integers(-5, 5),
                    "object": st.text(max_size=2),
                    "Float64": st.floats(-2, 2).map(lambda x: round(x, 1)),
                    "category": st.sampled_from("abc"),
                    "boolean": st.booleans(),
                }[dtype],
                max_size=20,
            ),
        )
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_no_level(given_column, seed):
    dtype, values = given_column
    order = list(range(len(values)))
    seed.shuffle(order)
    one, other = levels(column(values, dtype)), levels(column([values[i] for i in order], dtype))
    assert one.labels == other.labels
    assert len(set(one.labels)) == len(one.labels)
    for (_, mask), (_, shuffled) in zip(one, other, strict=True):
        assert mask[order].tolist() == shuffled.tolist()


def test_levels_are_a_sequence():
    found = levels(column(["b", "a", "b"]))
    assert found[1][0] == "b"
    assert found[-1][1].tolist() == [True, False, True]
    assert [label for label, _ in found[:1]] == ["a"]
    with pytest.raises(IndexError):
        found[2]


def test_too_many_levels():
    assert len(levels(column(range(10_000)))) == 10_000
    with pytest.raises(EvaluationError) as error:
        levels(column(range(10_001)))
    assert str(error.value) == (
        "Column 'c' cuts the rows into 10,001 slices, more than 10,000.\n"
        "  Cut numbers and dates into bins, { by = 'c', bins = 4 }, or slice by a coarser column."
    )


@pytest.mark.parametrize(
    "series", [column([1, "a"]), column([True, 1], object), column(pd.Categorical([1, "a"]))]
)
def test_levels_of_several_types(series):
    with pytest.raises(InvalidError) as error:
        levels(series)
    types = "bool, int" if series.iloc[0] is True else "int, str"
    assert str(error.value) == f"Column 'c' mixes types: {types}.\n  Give it one type, for example text."
