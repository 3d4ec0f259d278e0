"""Columns as conditions: bins that can be written down, levels, and why a column is none."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_model_gate.data.bins import binned
from pytest_model_gate.data.features import COARSE, FINE, MAX_LEVELS, Feature, feature


def made(values: object, **keys: object) -> Feature:
    found = feature(pd.Series(values, name="c"), min_rows=keys.pop("min_rows", 20), **keys)
    assert isinstance(found, Feature), found
    return found


def test_few_numbers_are_a_bin_each() -> None:
    found = made([3, 1, 2, 2, 3, 3] * 10)
    assert found.edges == ("1", "2", "3")
    assert found.exact
    assert found.codes.tolist()[:6] == [2, 0, 1, 1, 2, 2]
    assert found.levels == ()


def test_many_numbers_are_bins_of_about_equal_size_with_short_edges() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(100, 15, 20_000)
    found = made(values)
    counts = np.bincount(found.codes)
    assert len(found.edges) == FINE
    assert not found.exact
    assert counts.min() > 0.4 * 20_000 / FINE
    assert counts.max() < 1.7 * 20_000 / FINE
    assert max(map(len, found.edges)) <= 6
    assert len(found.coarse) == COARSE
    assert found.coarse[0] == 0


@given(
    values=st.lists(
        st.one_of(st.floats(-1e12, 1e12), st.integers(-1000, 1000).map(float), st.none()),
        min_size=2,
        max_size=300,
    )
)
def test_the_edges_that_are_written_cut_as_the_codes_do(values: list[float | None]) -> None:
    series = pd.Series(values, name="c", dtype="float64")
    found = feature(series, min_rows=1, named=True)
    if isinstance(found, str):
        return
    edges = [float(edge) for edge in found.edges]
    assert edges == sorted(set(edges))
    for value, code in zip(series, found.codes, strict=True):
        if pd.isna(value):
            assert code == len(edges)
            continue
        assert value >= edges[code]
        assert code == len(edges) - 1 or value < edges[code + 1]
    if len(edges) > 1:
        # A slice that is configured with these edges has the same rows.
        again = binned(series, tuple(edges))
        assert again.conditions[0] != f"<{found.edges[0]}"
        assert len(set(zip(found.codes, again.codes, strict=True))) == len(set(found.codes))


def test_the_order_of_the_rows_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    values = pd.Series(np.where(rng.random(3000) < 0.1, np.nan, rng.gamma(2, 3, 3000)), name="c")
    shuffled = values.sample(frac=1, random_state=0)
    one, other = made(values), made(shuffled)
    assert (one.edges, one.coarse, one.levels) == (other.edges, other.coarse, other.levels)
    assert pd.Series(other.codes, index=shuffled.index).sort_index().tolist() == one.codes.tolist()


def test_a_mass_at_one_value_is_one_bin() -> None:
    rng = np.random.default_rng(2)
    found = made(np.where(rng.random(5000) < 0.8, 0.0, rng.exponential(1, 5000)))
    counts = np.bincount(found.codes)
    assert counts.max() == pytest.approx(4000, abs=150)
    assert len(found.coarse) >= 2


def test_dates_are_ranges_that_begin_at_midnight_or_at_a_full_hour() -> None:
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.uniform(0, 300, 5000), unit="D")
    found = made(days)
    moments = [datetime.datetime.fromisoformat(edge) for edge in found.edges]
    assert found.dates
    assert sum(moment.time() == datetime.time() for moment in moments) > 0.9 * len(moments)
    assert all(moment.minute == moment.second == 0 for moment in moments)


def test_missing_values_are_a_level() -> None:
    assert made([1.0, 2.0, None] * 30).levels == ("(missing)",)
    assert made(["a", "b", None] * 30).levels == ("a", "b", "(missing)")


def test_rare_levels_are_one_together() -> None:
    found = made(["a"] * 50 + ["b"] * 30 + list("cdefg") * 3)
    assert found.levels == ("a", "b", "(other)")
    assert np.bincount(found.codes).tolist() == [50, 30, 15]


def test_more_levels_than_anybody_reads_are_the_most_frequent_ones() -> None:
    values = [f"v{i:03}" for i in range(60) for _ in range(30 + i)]
    found = made(values)
    assert len(found.levels) == MAX_LEVELS + 1
    assert found.levels[0] == "v010"
    assert found.levels[-1] == "(other)"


def test_booleans_and_categories_are_levels() -> None:
    assert made([True, False] * 30).levels == ("False", "True")
    ordered = pd.Categorical(["low", "high"] * 30, categories=["low", "high", "never"], ordered=True)
    assert made(ordered).levels == ("low", "high")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([1] * 300, "every row has the same value"),
        (["x"] * 300, "every row has the same value"),
        ([None] * 300, "no row has a value"),
        (range(300), "every row has a value of its own: an identifier"),
        ([f"note {i}" for i in range(300)], "300 values, none in 20 rows: free text or identifiers"),
        ([["a"], ["b"]] * 150, "it holds values of type list"),
        (["a", 1] * 150, "it holds values of type int, str"),
    ],
)
def test_why_a_column_is_no_condition(values: object, why: str) -> None:
    assert feature(pd.Series(values, name="c"), min_rows=20) == why


def test_an_identifier_that_was_named_is_searched() -> None:
    assert len(made(range(300), named=True).edges) == FINE


def test_infinite_numbers_are_numbers() -> None:
    found = made([-np.inf, 0.0, 1.0, np.inf] * 50)
    assert found.edges == ("-inf", "0", "1", "inf")
