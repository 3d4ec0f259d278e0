"""Rows are recognised in any order, among others and in another format, and fresh rows never are."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pytest_model_gate.data.row_sketch import BY_CHANCE, FEWEST, SIZE, Sketch, rows_of


def frame_of(n=5000, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "income": rng.normal(size=n).round(6),
            "age": rng.integers(18, 90, size=n),
            "region": rng.choice(["north", "south", "Übersee"], size=n),
            "y": rng.random(size=n) < 0.2,
        }
    )


def rows(*frames, columns=None):
    (found,) = rows_of(frames, [columns or list(frames[0].columns)])
    return found


FRAME = frame_of()


def test_neither_order_nor_pieces_take_part():
    mixed = FRAME.sample(frac=1, random_state=1)[["y", "region", "age", "income"]]
    once, again = rows(FRAME), rows(mixed[:1234], mixed[1234:])
    assert once.digest == again.digest != ""
    assert once.sketch == again.sketch
    assert again.share_in(once.sketch) == 1.0


def test_the_type_that_holds_a_value_takes_no_part():
    text = io.StringIO(FRAME.to_csv(index=False))
    forms = [
        pd.read_csv(text).astype({"y": "int64"}),
        FRAME.astype({"age": "float64", "region": "category", "y": "boolean"}),
        FRAME.convert_dtypes(),
        FRAME.astype({"age": "category"}),
        pa.Table.from_pandas(FRAME).to_pandas(types_mapper=pd.ArrowDtype),
    ]
    assert {rows(form).digest for form in forms} == {rows(FRAME).digest}


def test_values_of_every_type_count():
    kinds = {
        "dates": pd.date_range("2026-01-01", periods=50),
        "zoned": pd.date_range("2026-01-01", periods=50, tz="Europe/Berlin"),
        "lists": [[i, i] for i in range(50)],
        "whole": pd.array([None, *range(49)], dtype="Int64"),
        "bytes": [bytes([i]) for i in range(50)],
        "halves": pd.Series([f"{i}\udc80" for i in range(50)], dtype=object),
        "complex": np.arange(50) * 1j,
        "periods": pd.period_range("2026-01", periods=50, freq="M"),
        "Arrow lists": pd.array([[i] for i in range(50)], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
        "Arrow structs": pd.array(
            [{"a": i} for i in range(50)], dtype=pd.ArrowDtype(pa.struct([("a", pa.int64())]))
        ),
    }
    for name, values in kinds.items():
        series = pd.Series(values)
        one, other = series.to_frame("a"), pd.concat([series.iloc[:1], series.iloc[:-1]])
        assert len(rows(one).words) == 50, name
        assert rows(one).digest != rows(other.to_frame("a")).digest, name


def test_what_is_missing_is_one_value_and_no_other():
    forms = [[None, 0.0], [np.nan, -0.0], pd.array([None, 0], dtype="Int64"), pd.array([None, 0], "Float64")]
    assert len({tuple(rows(pd.DataFrame({"a": form})).words) for form in forms}) == 1
    assert len(rows(pd.DataFrame({"a": [None, 0.0]})).words) == 2


def test_a_name_is_part_of_a_row():
    swapped = FRAME.rename(columns={"age": "income", "income": "age"})
    assert rows(swapped).digest != rows(FRAME).digest
    assert rows(swapped).share_in(rows(FRAME).sketch) == 0.0


@pytest.mark.parametrize("kept", [1.0, 0.9, 0.5, 0.2])
@pytest.mark.parametrize("size", [200, 5000, 50_000])
def test_the_share_of_known_rows_is_told(kept, size):
    known = rows(FRAME).sketch
    n = round(min(size, len(FRAME) / 2) * kept)
    fresh = frame_of(round(n * (1 - kept) / kept), seed=1)
    told = rows(FRAME.sample(n, random_state=2), fresh).share_in(known)
    if told is None:  # of 200 rows too few are below the largest word of a sketch of 5000
        assert size == 200
    else:
        assert abs(told - kept) < 4 * np.sqrt(kept * (1 - kept) / FEWEST) + 0.02


def test_all_of_a_table_among_many_others():
    """What counts is how much of the new one was known, not how much of the known one is left."""
    assert rows(FRAME, frame_of(45_000, seed=1)).share_in(rows(FRAME).sketch) == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize("levels", [1, 2, 10, 100, 1000, 3000, 10_000, 100_000, 10**9])
def test_fresh_rows_are_never_recognised(levels):
    """Also not where there are few different ones, so that most of them are in every sample."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        known, fresh = (pd.DataFrame({"x": rng.integers(levels, size=3000)}) for _ in range(2))
        sketch = rows(known).sketch
        share = rows(fresh).share_in(sketch)
        assert share is None or share < 0.4
        if levels <= 3000:
            assert sketch.words == ()
        # Nor are rows that are so few that chance repeats all of them.
        if levels <= 2:
            assert rows(known).digest == ""


def test_without_the_guard_they_would_be():
    """The negative control."""
    rng = np.random.default_rng(0)
    known, fresh = (pd.DataFrame({"x": rng.integers(3000, size=3000)}) for _ in range(2))
    found = rows(known)
    unguarded = Sketch(found.columns, len(found.words), tuple(map(int, found.words[:SIZE])))
    ones = rows(fresh)._replace(counts=np.ones(len(rows(fresh).words), dtype=int))
    assert ones.share_in(unguarded) > 0.5


def test_what_chance_shares_is_at_most_what_is_expected():
    rng = np.random.default_rng(0)
    for levels in (300, 3000, 10_000, 30_000, 300_000):
        odds = rng.exponential(size=levels) ** 2
        draw = [rng.choice(levels, size=3000, p=odds / odds.sum()) for _ in range(2)]
        one, other = (rows(pd.DataFrame({"x": values})) for values in draw)
        common = np.isin(one.words, other.words).mean()
        assert common <= one.by_chance + 0.03
        if one.by_chance <= BY_CHANCE:
            assert common < 0.3


def test_a_few_duplicates_do_not_hide_the_others():
    doubled = pd.concat([FRAME, FRAME[:300]])
    assert rows(doubled).share_in(rows(FRAME).sketch) == 1.0
    assert rows(FRAME).share_in(rows(doubled).sketch) == 1.0


def test_a_sketch_is_text():
    sketch = rows(FRAME).sketch
    assert Sketch.of_text(sketch.columns, sketch.distinct, sketch.text) == sketch
    assert len(sketch.text) == SIZE * 16
    assert list(sketch.words) == sorted(sketch.words)
    with pytest.raises(ValueError, match="no whole number"):
        Sketch.of_text((), 0, "ab")
    with pytest.raises(ValueError, match="invalid literal"):
        Sketch.of_text((), 0, "x" * 16)


def test_words_are_the_same_on_every_machine():
    """They are committed, so they must not change: with pandas, with numpy, with the order of bytes."""
    fixed = pd.DataFrame({"a": [0.5, -1.0, None], "b": ["x", "Ü", None], "c": [True, False, True]})
    assert [f"{word:016x}" for word in rows(fixed).words] == WORDS


WORDS = ["0975abebae3d86e9", "185f9b49a9e2a58f", "8ed97d2e58b6adea"]
