"""Columns in bins: edges, names, and the row that every value is in, for every type that a file can give."""

import datetime
import decimal
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data.bins import binned
from pytest_model_gate.errors import EvaluationError, InvalidError


def column(values, dtype=None):
    return pd.Series(values, dtype=dtype, name="c")


def sizes(series, bins):
    found = binned(series, bins)
    return dict(zip(found.conditions, np.bincount(found.codes).tolist(), strict=True))


DAYS = ["2024-01-01", "2024-06-01", None, "2025-01-01"]
BY_DAYS = {"<2024-06-01": 1, "=2024-06-01..2025-01-01": 1, ">=2025-01-01": 1, "=(missing)": 1}
EDGES = ("2024-06-01", "2025-01-01")
NUMBERS = {"=1..2.5": 1, ">=2.5": 1, "=(missing)": 1}


@pytest.mark.parametrize(
    ("series", "edges", "expected"),
    [
        (column([1, None, 3]), (1, 2.5), NUMBERS),
        (column([1, None, 3], "Int64"), (1, 2.5), NUMBERS),
        (column([1, None, 3], object), (1, 2.5), NUMBERS),
        (column([1, None, 3], "category"), (1, 2.5), NUMBERS),
        (column([1, None, 3], pd.ArrowDtype(pa.float32())), (1, 2.5), NUMBERS),
        (column([decimal.Decimal("2.4"), decimal.Decimal(3), None]), (1, 2.5), NUMBERS),
        (column([-np.inf, np.inf, 1.0]), (0, 2), {"<0": 1, "=0..2": 1, ">=2": 1}),
        (column([], float), (0, 2), {}),
        (column([None, None], float), (0, 2), {"=(missing)": 2}),
        (column(pd.to_datetime(DAYS)), EDGES, BY_DAYS),
        # The clock on the wall, not that of Greenwich.
        (column(pd.to_datetime(DAYS).tz_localize("Asia/Tokyo")), EDGES, BY_DAYS),
        (column([datetime.date.fromisoformat(day) if day else None for day in DAYS]), EDGES, BY_DAYS),
        (
            column(
                [datetime.date.fromisoformat(day) if day else None for day in DAYS],
                pd.ArrowDtype(pa.date32()),
            ),
            EDGES,
            BY_DAYS,
        ),
        (
            column([datetime.datetime(2024, 6, 1, 12), datetime.datetime(2024, 6, 1, 13)]),
            ("2024-01-01", "2024-06-01T12:30"),
            {"=2024-01-01..2024-06-01T12:30": 1, ">=2024-06-01T12:30": 1},
        ),
        # numpy would read this edge as a year.
        (column(pd.to_datetime(["2024-01-02"])), ("20240101", "20240103"), {"=20240101..20240103": 1}),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_edges_cut_every_type(series, edges, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sizes(series, edges) == expected
        assert list(sizes(series, edges)) == list(expected)


def test_bins_hold_their_lower_edge():
    assert sizes(column([-1, 0, 24, 25, 44, 45, 64, 65, 99]), (0, 25, 45, 65)) == {
        "<0": 1,
        "=0..25": 2,
        "=25..45": 2,
        "=45..65": 2,
        ">=65": 2,
    }


@pytest.mark.parametrize(
    ("values", "groups", "conditions", "edges"),
    [
        (np.arange(100), 4, ["<25", "=25..50", "=50..75", ">=75"], ["25", "50", "75"]),
        (np.arange(100) / 7, 3, ["<4.7", "=4.7..9.4", ">=9.4"], ["4.714285714285714", "9.428571428571429"]),
        (1e6 + np.arange(100) / 70, 2, ["<1000000.71", ">=1000000.71"], ["1000000.7142857143"]),
        (np.arange(100) * 2.0**-60, 2, ["<4.3e-17", ">=4.3e-17"], ["4.336808689942018e-17"]),
        (np.arange(100) * 1234.5, 2, ["<62000", ">=62000"], ["61725"]),
        # Rounding never makes two edges one.
        ([0.5] * 50 + [np.inf] * 50, 2, ["<inf", ">=inf"], ["inf"]),
        ([-1.5e308] * 50 + [1.5e308] * 50, 2, None, ["1.5e+308"]),
        ([0.1] * 3 + [0.10000000000000002] * 3 + [0.5] * 3, 3, None, ["0.10000000000000002", "0.5"]),
    ],
    ids=["whole", "sevenths", "far from 0", "tiny", "large", "infinite", "huge", "close"],
)
def test_groups_have_edges_that_occur_and_names_that_are_short(values, groups, conditions, edges):
    found = binned(column(values), groups)
    assert list(found.edges) == edges
    assert conditions is None or list(found.conditions) == conditions
    counts = np.bincount(found.codes)
    assert counts.max() - counts.min() <= 1
    assert found.note == ""


def test_groups_of_dates():
    days = column(pd.date_range("2024-01-01", periods=1000, freq="h"))
    assert binned(days, 2).conditions == ("<2024-01-21", ">=2024-01-21")
    assert binned(days, 2).edges == ("2024-01-21T20:00:00",)
    seconds = column(pd.date_range("2024-01-01", periods=100, freq="s"))
    assert binned(seconds, 3).conditions == (
        "<2024-01-01T00:00:33",
        "=2024-01-01T00:00:33..2024-01-01T00:01:06",
        ">=2024-01-01T00:01:06",
    )


NUMBER = st.floats(allow_nan=False, allow_infinity=True) | st.integers(-3, 3).map(float)


def test_edges_that_cannot_be_rounded_up_are_told_exactly():
    found = binned(column([1.75e308, 0.5], float), 2)
    assert found.conditions == ("<1.75e+308", ">=1.75e+308")
    assert found.codes.tolist() == [1, 0]


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    st.lists(NUMBER | st.none(), min_size=1, max_size=40),
    st.integers(2, 6),
    st.randoms(use_true_random=False),
)
def test_groups_lose_no_row_part_no_ties_and_do_not_depend_on_the_order(values, groups, random):
    present = [value for value in values if value is not None]
    series = column(values, float)
    if len(set(present)) < 2:
        with pytest.raises(EvaluationError):
            binned(series, groups)
        return
    found = binned(series, groups)
    assert len(found.conditions) == len(set(found.conditions)) == found.codes.max() + 1
    assert (found.note == "") == (len(found.edges) == groups - 1)
    bins = {}
    for value, code in zip(values, found.codes.tolist(), strict=True):
        if value is None:
            assert found.conditions[code] == "=(missing)"
        else:
            assert bins.setdefault(value, code) == code
    # What is in the record cuts as the groups did.
    edges = [float(edge) for edge in found.edges]
    assert [np.searchsorted(edges, value, side="right") for value in present] == [
        code for value, code in zip(values, found.codes, strict=True) if value is not None
    ]
    order = list(range(len(values)))
    random.shuffle(order)
    shuffled = binned(column([values[i] for i in order], float), groups)
    assert (shuffled.conditions, shuffled.edges) == (found.conditions, found.edges)
    assert shuffled.codes.tolist() == found.codes[order].tolist()


def test_ties_are_said():
    found = binned(column([0] * 90 + list(range(1, 11))), 4)
    assert found.conditions == ("<1", ">=1")
    assert found.note == "'c' is cut into 2 groups and not into 4: too many rows share a value"


@pytest.mark.parametrize(
    ("series", "bins", "text"),
    [
        (
            column(["a", "b"]),
            4,
            "Bins need a column of numbers or dates, and 'c' holds text, for example 'a'.\n"
            "  Slice by its values, without bins, or store it as numbers.",
        ),
        (
            column([True, False]),
            (0, 1),
            "Bins need a column of numbers or dates, and 'c' holds booleans, for example True.\n"
            "  Slice by its values, without bins, or store it as numbers.",
        ),
        (
            column([1, "a"], object),
            (0, 1),
            "Bins need a column of numbers or dates, and 'c' holds values of type int, str, for example 1.\n"
            "  Slice by its values, without bins, or store it as numbers.",
        ),
        (
            column([1, 2]),
            EDGES,
            "The edges of 'c' are dates, and the column holds numbers, for example 1.\n"
            "  Give edges that are numbers.",
        ),
        (
            column(pd.to_datetime(["2024-01-01"])),
            (0, 1),
            "The edges of 'c' are numbers, and the column holds dates, for example 2024-01-01 00:00:00.\n"
            "  Give edges that are dates such as 2030-01-31.",
        ),
    ],
)
def test_columns_that_cannot_be_cut(series, bins, text):
    with pytest.raises(InvalidError) as error:
        binned(series, bins)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("series", "why"),
    [
        (column([3.5, 3.5, None]), "all rows have the value 3.5"),
        (column([None], float), "no row has a value"),
    ],
)
def test_groups_need_two_values(series, why):
    with pytest.raises(EvaluationError) as error:
        binned(series, 3)
    assert str(error.value) == (
        f"Column 'c' cannot be cut into 3 groups: {why}.\n  Leave this slice out, or give edges."
    )


@pytest.mark.parametrize(
    ("edges", "note"),
    [
        ((0, 2, 4), ""),
        ((-9, 1), "'c' has no rows in -9..1: nothing is judged there"),
        ((1, 9), ""),  # none from 9 on: the end of a scale
        ((1, 5, 7), "'c' has no rows in 5..7: nothing is judged there"),
        (
            (1, 5, 6, 7, 8, 9, 10),
            "'c' has no rows in 5..6, 6..7, 7..8 and 2 more bins: nothing is judged there",
        ),
    ],
)
def test_bins_without_rows_are_said(edges, note):
    assert binned(column([1, 2, 3, None]), edges).note == note
