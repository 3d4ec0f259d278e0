"""Tables that come as record batches: one digest however they are cut, and no other rows the second time."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data.sources.content import ContentDigest, content_digest
from pytest_model_gate.data.sources.stream import StreamDataset
from pytest_model_gate.errors import EvaluationError, InvalidError

thoroughly = settings(deadline=None, derandomize=True, max_examples=80)

SCHEMA = pa.schema(
    {
        "whole": pa.int64(),
        "text": pa.string(),
        "flag": pa.bool_(),
        "tags": pa.list_(pa.string()),
        "pair": pa.struct({"p": pa.float64(), "q": pa.list_(pa.int8())}),
        "by": pa.map_(pa.string(), pa.int64()),
        "kind": pa.dictionary(pa.int32(), pa.string()),
        "when": pa.timestamp("us", "UTC"),
        "price": pa.decimal128(9, 2),
    }
)
ROW = st.fixed_dictionaries(
    {
        "whole": st.none() | st.integers(-(2**40), 2**40),
        "text": st.none() | st.text(max_size=4),
        "flag": st.none() | st.booleans(),
        "tags": st.none() | st.lists(st.none() | st.text(max_size=2), max_size=2),
        "pair": st.none()
        | st.fixed_dictionaries(
            {"p": st.none() | st.floats(), "q": st.none() | st.lists(st.integers(0, 3), max_size=2)}
        ),
        "by": st.none() | st.lists(st.tuples(st.text(max_size=1), st.none() | st.integers(0, 3)), max_size=2),
        "kind": st.none() | st.sampled_from(["n", "s", "w"]),
        "when": st.none() | st.integers(0, 2**50),
        "price": st.none() | st.decimals(-99, 99, places=2),
    }
)


def table_of(rows):
    return pa.table({item.name: pa.array([row[item.name] for row in rows], item.type) for item in SCHEMA})


def cut(table, cuts):
    edges = [0, *sorted({cut for cut in cuts if cut < table.num_rows}), table.num_rows]
    for start, end in itertools.pairwise(edges):
        # Each part made anew (its own buffers and dictionaries) or a view into the whole.
        part = table.slice(start, end - start)
        yield from (part if start % 2 else pa.Table.from_pylist(part.to_pylist(), SCHEMA)).to_batches()


def stream(batches, schema=SCHEMA, **options):
    batches = list(batches)
    return StreamDataset(
        "t", "t", schema, lambda names: (batch.select(names) for batch in batches), **options
    )


@thoroughly
@given(st.lists(ROW, max_size=9), st.lists(st.integers(0, 9), max_size=4), st.integers(1, 400))
def test_how_rows_are_cut_changes_nothing(rows, cuts, batch_bytes):
    table = table_of(rows)
    whole, parts = stream(table.to_batches()), stream(cut(table, cuts), batch_bytes=batch_bytes)
    # The digest of batches is that of the table, too.
    assert parts.digest == whole.digest == content_digest(table.column_names, table.column)
    assert parts.rows == len(rows)
    assert parts.columns == whole.columns
    frames = list(parts.batches(["whole", "text", "flag", "kind"]))
    (expected,) = whole.batches(["whole", "text", "flag", "kind"])
    got = pd.concat(frames, ignore_index=True)
    # Text of no rows at all has no type of its own in pandas 2.
    pd.testing.assert_frame_equal(got, expected, check_dtype=bool(rows))


@thoroughly
@given(st.lists(ROW, min_size=1, max_size=6), st.data())
def test_every_cell_of_a_batch_counts(rows, data):
    position = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(SCHEMA.names))
    other = dict(rows[position], **{name: data.draw(ROW)[name]})
    changed = [*rows[:position], other, *rows[position + 1 :]]
    before, after = table_of(rows), table_of(changed)
    same = repr(before.column(name).to_pylist()) == repr(after.column(name).to_pylist())
    assert (stream(before.to_batches()).digest == stream(after.to_batches()).digest) == same


def numbers(rows, pieces):
    """Yield ``rows`` rows of two columns, made when they are asked for."""
    for start in range(0, rows, pieces):
        stop = min(rows, start + pieces)
        yield pa.RecordBatch.from_pydict({"x": np.arange(start, stop), "y": np.arange(start, stop) / 7})


def test_memory_is_bounded_by_a_batch():
    schema = pa.schema({"x": pa.int64(), "y": pa.float64()})
    rows = 400_000
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    most = 0

    def scan(names):
        nonlocal most
        for batch in numbers(rows, 1000):
            most = max(most, pa.total_allocated_bytes() - before)
            yield batch.select(names)

    dataset = StreamDataset("t", "t", schema, scan, batch_bytes=160_000)
    seen = 0
    for frame in dataset.batches():
        assert len(frame) <= 10_000
        seen += len(frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == dataset.rows == rows
    # 6.4 MB in all: neither Arrow nor Python ever holds a quarter of it.
    assert most < 1_600_000
    assert peak < 1_600_000


def test_rows_that_are_others_the_second_time_are_refused():
    reads = itertools.count()

    def scan(names):
        last = 2.0 if next(reads) < 2 else 2.5
        yield pa.RecordBatch.from_pydict({"x": [1, 2], "y": [1.0, last]}).select(names)

    dataset = StreamDataset("delta:t", "t", pa.schema({"x": pa.int64(), "y": pa.float64()}), scan)
    assert next(dataset.batches())["y"].tolist() == [1.0, 2.0]  # read once more: the same
    assert [len(frame) for frame in dataset.batches(["x"])] == [2]  # nobody asked for what changed
    with pytest.raises(InvalidError) as error:
        list(dataset.batches())
    assert str(error.value) == (
        "delta:t changed while it was being read: column 'y' is not what it was.\n"
        "  Run the gate again when nothing writes to it, or on a copy."
    )


def test_rows_that_are_missing_the_second_time_are_refused():
    reads = itertools.count()

    def scan(names):
        yield pa.RecordBatch.from_pydict({"x": [1, 2][: 2 - next(reads)]})

    dataset = StreamDataset("t", "t", pa.schema({"x": pa.int64()}), scan)
    with pytest.raises(InvalidError, match="column 'x' is not what it was"):
        list(dataset.batches())


def test_no_columns_and_unknown_columns():
    dataset = stream(numbers(10, 4), pa.schema({"x": pa.int64(), "y": pa.float64()}), version="v")
    assert dataset.version == "v"
    assert repr(dataset) == "StreamDataset('t', 10 rows, 2 columns)"
    (frame,) = dataset.batches([])
    assert frame.shape == (10, 0)
    with pytest.raises(EvaluationError, match="t has no column 'z'"):
        next(dataset.batches(["z"]))


def test_two_columns_of_one_name_are_refused():
    schema = pa.schema([pa.field("x", pa.int64()), pa.field("x", pa.int64())])
    with pytest.raises(InvalidError, match="t has more than one column named 'x'"):
        StreamDataset("t", "t", schema, lambda names: ())


def test_a_null_in_a_later_batch_settles_the_type_of_earlier_ones():
    schema = pa.schema({"x": pa.int64()})
    batches = [pa.RecordBatch.from_pydict({"x": pa.array(v, pa.int64())}) for v in ([1, 2], [None, 4])]
    dataset = stream(batches, schema, batch_bytes=16)
    assert [str(frame["x"].dtype) for frame in dataset.batches()] == ["float64"] * 4


def test_the_digest_of_no_rows_names_the_columns():
    with ContentDigest(SCHEMA) as content:
        pass
    assert content.rows == 0
    assert list(content.lines()) == SCHEMA.names
    assert content.digest() == content_digest(SCHEMA.names, SCHEMA.empty_table().column)
