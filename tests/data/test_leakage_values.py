"""Equal values have equal bits, whatever type, width or categorical holds them; different ones do not."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.data.leakage import hashes
from pytest_model_gate.data.leakage.hashes import RowSet
from pytest_model_gate.data.leakage.identifiers import identifiers
from pytest_model_gate.data.leakage.plans import Plan, holds, plan
from pytest_model_gate.data.leakage.values import bits_of, rounded
from pytest_model_gate.errors import InvalidError


def both(one, other, declared=("", "")):
    """Return the bits of two columns, compared as what both hold."""
    one, other = pd.Series(one, name="c"), pd.Series(other, name="c")
    agreed = plan("c", holds(one, declared[0]), holds(other, declared[1]))
    return bits_of(one, agreed), bits_of(other, agreed)


MOMENT = pd.Timestamp("2024-03-01 12:30:00")
SAME = {
    "width of whole numbers": (pd.Series([1, -2], dtype="int8"), pd.Series([1, -2], dtype="int64")),
    "whole and real": (pd.Series([1, 2]), pd.Series([1.0, 2.0])),
    "booleans and numbers": (pd.Series([True, False]), pd.Series([1, 0])),
    "booleans with a gap": (pd.Series([True, None], dtype=object), pd.Series([True, None], dtype="boolean")),
    "two zeros": (pd.Series([0.0]), pd.Series([-0.0])),
    "ways of missing": (pd.Series([np.nan, 1.5]), pd.Series([None, 1.5], dtype="Float64")),
    "missing text": (pd.Series(["a", None]), pd.Series(["a", np.nan], dtype="category")),
    "width of floats": (pd.Series([0.1, 1e10], dtype="float32"), pd.Series([0.1, 1e10])),
    "half floats": (pd.Series([0.1], dtype="float16"), pd.Series([0.1], dtype="float32")),
    "categorical and text": (pd.Series(["x", "y"], dtype="category"), pd.Series(["x", "y"])),
    "other categories": (
        pd.Series(pd.Categorical(["x", "y"], categories=["y", "x"])),
        pd.Series(pd.Categorical(["x", "y"], categories=["a", "x", "y"])),
    ),
    "categories of numbers": (pd.Series([3, 1], dtype="category"), pd.Series([3.0, 1.0])),
    "Arrow text": (pd.Series(["x"], dtype="string"), pd.Series(["x"], dtype=object)),
    "nullable numbers": (pd.Series([7, None], dtype="Int64"), pd.Series([7.0, np.nan])),
    "units of dates": (
        pd.Series([MOMENT]).astype("datetime64[s]"),
        pd.Series([MOMENT]).astype("datetime64[ns]"),
    ),
    "days and midnights": (pd.Series([datetime.date(2024, 3, 1)]), pd.Series([pd.Timestamp("2024-03-01")])),
    "time zones": (
        pd.Series([MOMENT]).dt.tz_localize("Europe/Berlin"),
        pd.Series([MOMENT - pd.Timedelta(hours=1)]).dt.tz_localize("UTC"),
    ),
    "durations": (
        pd.Series([pd.Timedelta(days=1)]).astype("timedelta64[s]"),
        pd.Series([pd.Timedelta(hours=24)]),
    ),
    "decimals": (pd.Series([Decimal("1.50")]), pd.Series([Decimal("1.5")])),
    "decimals and whole": (pd.Series([Decimal(2)]), pd.Series([2])),
    "decimals and real": (pd.Series([Decimal("0.25")]), pd.Series([0.25])),
    "unsigned": (pd.Series([5], dtype="uint64"), pd.Series([5])),
    "lists": (pd.Series([[1, 2.0]]), pd.Series([np.array([1.0, 2.0])])),
    "nothing": (pd.Series([None, None], dtype=object), pd.Series([None, None], dtype=object)),
}


@pytest.mark.parametrize("name", SAME)
def test_equal_values_have_equal_bits(name):
    one, other = both(*SAME[name])
    assert one.tolist() == other.tolist()


OTHERS = {
    "neighbours beyond 2**53": (pd.Series([2**53]), pd.Series([2**53 + 1])),
    "unsigned and negative": (pd.Series([2**64 - 1], dtype="uint64"), pd.Series([-1])),
    "long decimals": (
        pd.Series([Decimal("12345678901234567890123456789012")]),
        pd.Series([Decimal("12345678901234567890123456789013")]),
    ),
    "missing and zero": (pd.Series([np.nan]), pd.Series([0.0])),
    "missing and empty": (pd.Series([None, "a"]), pd.Series(["", "a"])),
    "case": (pd.Series(["a"]), pd.Series(["A"])),
    "nanoseconds": (pd.Series([MOMENT]), pd.Series([MOMENT + pd.Timedelta(1, "ns")])),
}


@pytest.mark.parametrize("name", OTHERS)
def test_different_values_have_different_bits(name):
    one, other = both(*OTHERS[name])
    assert one[0] != other[0]


def test_what_can_never_be_equal_is_refused():
    with pytest.raises(InvalidError) as caught:
        both(["1", "2"], [1, 2])
    assert caught.value.what == (
        "Column 'c' holds text in the holdout and whole numbers in the training data, which are never equal: "
        "that no row is found would mean nothing."
    )
    assert caught.value.remedy == (
        'Store the column alike in both, or leave it out: leakage = { ..., ignore = ["c"] }.'
    )
    zoned = pd.Series([MOMENT]).dt.tz_localize("UTC")
    with pytest.raises(InvalidError, match="dates with a time zone in the holdout and dates without"):
        both(zoned, pd.Series([MOMENT]))


def test_numbers_are_rounded_to_digits_but_never_less_than_whole():
    values = np.array([0.123456, 9.996, 10.01, 1234.5678, -0.5, 0.0, 7e-5, 1e300, np.inf])
    expected = [0.123, 10.0, 10.0, 1235.0, -0.5, 0.0, 7e-5, 1e300, np.inf]
    assert rounded(values, 3).tolist() == expected
    assert rounded(np.array([1.2399, -1.2301]), 3, down=True).tolist() == [1.23, -1.24]
    assert np.isnan(rounded(np.array([np.nan]), 3)).all()


def test_rounding_is_pythons_at_every_size():
    rng = np.random.default_rng(5)
    values = rng.uniform(1, 10, 4000) * 10.0 ** rng.integers(-12, 3, 4000)
    for digits in (1, 3, 6):
        expected = [
            float(f"{value:.{digits}g}") if abs(value) < 10**digits else round(value) for value in values
        ]
        np.testing.assert_allclose(rounded(values, digits), expected, rtol=1e-12)


def test_columns_change_places_but_not_values():
    rows = pd.DataFrame({"a": [1, 2], "b": [2, 1]})
    plans = tuple(plan(name, holds(rows[name], ""), holds(rows[name], "")) for name in rows)
    known = RowSet(plans)
    known.add(rows.iloc[:1])
    known.close()
    assert known.seek(rows[["b", "a"]]).tolist() == [0]  # 2, 1 is another row than 1, 2


def test_identifiers_are_whole_numbers_or_text_of_which_each_row_has_its_own():
    n = 300
    frame = pd.DataFrame(
        {
            "id": np.arange(n),
            "name": [f"row {i}" for i in range(n)],
            "x": np.arange(n) / 7,
            "half": np.arange(n) // 2,
        }
    )
    parts = [frame.iloc[:100], frame.iloc[100:]]
    assert identifiers(parts, list(frame), {}) == ("id", "name")
    # A value that comes back in a later batch is one, too.
    again = pd.concat([frame, frame.iloc[:1]])
    assert identifiers([again.iloc[:150], again.iloc[150:]], list(frame), {}) == ()
    assert identifiers([frame.iloc[:150]], list(frame), {}) == ()  # so few that it may be a feature


def test_a_collision_of_one_hash_accuses_nobody(monkeypatch):
    """With four first hashes for all rows everything collides: the second hash tells rows apart."""
    made = hashes.row_hashes

    def weak(frame, plans, *, salt=0, grid=None):
        found = made(frame, plans, salt=salt, grid=grid)
        return found % np.uint64(4) if salt == 0 else found

    monkeypatch.setattr(hashes, "row_hashes", weak)
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"a": rng.integers(0, 300, 200)})
    sought = pd.DataFrame({"a": np.arange(600)})
    known = RowSet((Plan("a", "int"),))
    known.add(rows)
    known.close()
    assert known.distinct == rows["a"].nunique()
    assert known.seek(sought).tolist() == sorted(rows["a"].unique())
    assert known.rows.all()
    assert known.found.sum() == rows["a"].nunique()
