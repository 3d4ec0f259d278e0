"""Digests cover all content, can be checked by hand, and don't depend on how the data was cut into pieces."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import datetime
import hashlib
import itertools
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data.sources.builtin import model_gate_dataset
from pytest_model_gate.data.sources.content import content_digest
from pytest_model_gate.errors import InvalidError
from pytest_model_gate.spec import SourceContext

thoroughly = settings(deadline=None, derandomize=True, max_examples=60)


def digest(source, root):
    return model_gate_dataset(source, SourceContext(root=str(root))).digest


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "a.feather", "a.jsonl"])
def test_the_digest_of_a_file_is_what_sha256sum_prints(tmp_path, name):
    frame = pd.DataFrame({"x": range(1000)})
    suffix = name.split(".")[1]
    if suffix == "jsonl":
        frame.to_json(tmp_path / name, orient="records", lines=True)
    else:
        getattr(frame, f"to_{suffix}")(tmp_path / name)
    expected = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    assert digest(name, tmp_path) == f"sha256:{expected}"
    if shutil.which("sha256sum"):
        out = subprocess.run(["sha256sum", name], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert out.stdout.split()[0] == expected


@pytest.mark.skipif(sys.platform != "linux", reason="the commands are those of GNU")
def test_the_digest_of_a_folder_and_a_glob_can_be_made_by_hand(tmp_path):
    folder = tmp_path / "holdout"
    for i, name in enumerate(
        ["b/part 2.parquet", "part-10.parquet", "é.parquet", "_tmp/x.parquet", ".h/y.parquet"]
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame({"x": [i]}).to_parquet(folder / name)
    (folder / "_x.parquet").write_bytes(b"half written")

    def shell(command):
        out = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True)
        return "sha256:" + out.stdout.split()[0]

    by_hand = shell(
        r"find . -name '*.parquet' -not -path '*/[._]*' -printf '%P\0' "
        "| xargs -0 sha256sum | LC_ALL=C sort | sha256sum"
    )
    assert digest("holdout", tmp_path) == by_hand
    assert digest("holdout/p*.parquet", tmp_path) == shell("sha256sum p*.parquet | LC_ALL=C sort | sha256sum")


def test_a_folder_notices_every_change(tmp_path):
    folder = tmp_path / "d"
    folder.mkdir()
    for name, value in [("1.parquet", 1), ("2.parquet", 2)]:
        pd.DataFrame({"x": [value]}).to_parquet(folder / name)
    seen = [digest("d", tmp_path)]
    (folder / "2.parquet").rename(folder / "3.parquet")
    seen.append(digest("d", tmp_path))
    pd.DataFrame({"x": [9]}).to_parquet(folder / "1.parquet")
    seen.append(digest("d", tmp_path))
    (folder / "3.parquet").unlink()
    seen.append(digest("d", tmp_path))
    # A folder with one file is not that file: a second one may come tomorrow.
    seen.append(digest("d/1.parquet", tmp_path))
    assert len(set(seen)) == 5


def test_the_last_of_many_rows_counts(tmp_path):
    # Trackers that hash the first 10,000 rows would call these two the same dataset.
    frame = pd.DataFrame({"x": np.arange(50_000), "y": 0.5})
    changed = frame.copy()
    changed.loc[49_999, "y"] = 0.25
    digests = set()
    for name, content in [("same", frame), ("same again", frame), ("changed", changed)]:
        content.to_parquet(tmp_path / f"{name}.parquet")
        digests.add(digest(f"{name}.parquet", tmp_path))
    assert len(digests) == 2
    tables = [pa.Table.from_pandas(item) for item in (frame, frame, changed)]
    assert len({content_digest(table.column_names, table.column) for table in tables}) == 2


@pytest.mark.parametrize("when", ["opening", "reading"])
def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch, when):
    pd.DataFrame({"x": range(10)}).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("x\n1\n")
    context = SourceContext(root=str(tmp_path))
    if when == "reading":
        dataset = model_gate_dataset("a.parquet", context)
        batches = dataset.batches()
        next(batches)
        os.utime(tmp_path / "a.parquet", ns=(1, 1))
        with pytest.raises(InvalidError) as error:
            next(batches)
        name = "a.parquet"
    else:
        from pytest_model_gate.data.sources import text

        real = text.read_csv

        def slow(path, name):
            frame = real(path, name)
            path.write_text("x\n2\n")
            os.utime(path, ns=(1, 1))
            return frame

        monkeypatch.setattr(text, "read_csv", slow)
        with pytest.raises(InvalidError) as error:
            model_gate_dataset("a.csv", context)
        name = "a.csv"
    assert str(error.value) == (
        f"{name} changed while it was being read.\n  Run the gate again when nothing writes to it, or on a copy."
    )


# ------------------------------------------------------------------- content of what functions return

CELLS = {
    "int": st.none() | st.integers(-(2**62), 2**62),
    "float": st.none() | st.floats(width=64),
    "text": st.none() | st.text(max_size=5),
    "bool": st.none() | st.booleans(),
    "when": st.none()
    | st.datetimes(min_value=datetime.datetime(1700, 1, 1), max_value=datetime.datetime(2200, 1, 1)),
    "list": st.none() | st.lists(st.none() | st.integers(0, 3), max_size=3),
    "struct": st.none()
    | st.fixed_dictionaries({"p": st.none() | st.integers(0, 3), "q": st.text(max_size=2)}),
    "bytes": st.none() | st.binary(max_size=3),
    "decimal": st.none() | st.decimals(-9, 9, places=2),
    "map": st.none() | st.lists(st.tuples(st.text(max_size=2), st.none() | st.integers(0, 3)), max_size=3),
}
TYPES = {
    "int": pa.int64(), "float": pa.float64(), "text": pa.string(), "bool": pa.bool_(), "when": pa.timestamp("us"),
    "list": pa.list_(pa.int64()), "struct": pa.struct({"p": pa.int64(), "q": pa.string()}), "bytes": pa.binary(),
    "decimal": pa.decimal128(5, 2), "map": pa.map_(pa.string(), pa.int64()),
}  # fmt: skip


@st.composite
def columns(draw):
    kind = draw(st.sampled_from(sorted(CELLS)))
    return kind, draw(st.lists(CELLS[kind], max_size=12))


def of(kind, values, cuts=()):
    """Return the digest of a column that is cut at some rows."""
    edges = [0, *sorted({cut for cut in cuts if cut <= len(values)}), len(values)]
    whole = pa.array(values, TYPES[kind])
    chunks = [whole.slice(start, end - start) for start, end in itertools.pairwise(edges)]
    column = pa.chunked_array(chunks, TYPES[kind])
    return content_digest(["c"], lambda _: column)


@thoroughly
@given(columns(), st.lists(st.integers(0, 12), max_size=4))
def test_chunks_change_nothing(column, cuts):
    kind, values = column
    assert of(kind, values, cuts) == of(kind, values)


@thoroughly
@given(columns(), st.data())
def test_every_cell_counts(column, data):
    kind, values = column
    if not values:
        return
    row = data.draw(st.integers(0, len(values) - 1))
    other = data.draw(CELLS[kind].filter(lambda value: repr(value) != repr(values[row])))
    changed = [*values[:row], other, *values[row + 1 :]]
    assert of(kind, changed) != of(kind, values)
    assert of(kind, values[:row] + values[row + 1 :]) != of(kind, values)


@thoroughly
@given(st.lists(CELLS["text"], max_size=8))
def test_the_layout_of_text_changes_nothing(values):
    found = []
    for kind in (pa.string(), pa.large_string()):
        column = pa.chunked_array([pa.array(values, kind)])
        found.append(content_digest(["c"], lambda _, column=column: column))
    assert len(set(found)) == 1


def digest_of_frame(frame, tmp_path, monkeypatch):
    module = type(sys)("frame_of_a_test")
    module.load = lambda: frame
    monkeypatch.setitem(sys.modules, "frame_of_a_test", module)
    return digest("python:frame_of_a_test:load", tmp_path)


BASE = {
    "age": [41, 37, 29],
    "region": ["n", "s", None],
    "score": [0.5, float("nan"), 1.5],
}


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.iloc[::-1],
        lambda f: f.iloc[:2],
        lambda f: f.rename(columns={"age": "Age"}),
        lambda f: f[["region", "age", "score"]],
        lambda f: f.assign(age=f["age"].astype("int32")),
        lambda f: f.assign(age=f["age"].astype("float64")),
        lambda f: f.assign(region=["n", "s", ""]),
        lambda f: f.assign(region=["ns", "", None]),
        lambda f: f.assign(region=f["region"].astype("category")),
        lambda f: f.assign(score=[0.5, 0.0, 1.5]),
        lambda f: f.assign(score=[0.5, float("nan"), np.nextafter(1.5, 2)]),
        lambda f: f.assign(more=1),
        lambda f: f.rename_axis("key"),
    ],
)
def test_what_changes_the_digest_of_a_frame(tmp_path, monkeypatch, change):
    base = pd.DataFrame(BASE)
    assert digest_of_frame(change(base), tmp_path, monkeypatch) != digest_of_frame(
        base, tmp_path, monkeypatch
    )


@pytest.mark.parametrize(
    "same",
    [
        lambda f: f.copy(),
        lambda f: f.set_axis(["x", "y", "z"], axis=0),
        lambda f: f.assign(region=f["region"].astype(object)),
        lambda f: f.assign(region=f["region"].astype("string")),
        lambda f: f.assign(age=f["age"].astype("Int64")),
        pa.Table.from_pandas,
        lambda f: pa.concat_tables([pa.Table.from_pandas(f.iloc[:1]), pa.Table.from_pandas(f.iloc[1:])]),
    ],
)
def test_what_leaves_the_digest_of_a_frame(tmp_path, monkeypatch, same):
    base = pd.DataFrame(BASE)
    assert digest_of_frame(same(base), tmp_path, monkeypatch) == digest_of_frame(base, tmp_path, monkeypatch)


def test_the_order_of_categories_counts_only_where_they_are_ordered(tmp_path, monkeypatch):
    def made(categories, ordered):
        frame = pd.DataFrame({"c": pd.Categorical(["lo", "hi"], categories, ordered=ordered)})
        return digest_of_frame(frame, tmp_path, monkeypatch)

    assert made(["lo", "hi"], ordered=False) == made(["hi", "lo", "mid"], ordered=False)
    assert made(["lo", "hi"], ordered=True) != made(["hi", "lo"], ordered=True)


def test_one_digest_is_the_same_everywhere_and_always(tmp_path, monkeypatch):
    # Written down once: a release that changes it would unpin everybody's data.
    assert digest_of_frame(pd.DataFrame(BASE), tmp_path, monkeypatch) == (
        "sha256:648f3db4650bad8b316850a9d18a91690a65e3b3bc24c1e10657db6390f93dea"
    )


def test_what_cannot_be_hashed_says_so():
    array = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1]), pa.array(["a"])])
    with pytest.raises(InvalidError) as error:
        content_digest(["tags"], lambda _: pa.chunked_array([array]))
    assert str(error.value) == (
        "Column 'tags' of type sparse_union<0: int64=0, 1: string=1> cannot be hashed.\n"
        "  Convert it to numbers, text, booleans, dates, or lists or structs of these."
    )


def test_a_function_may_return_either_kind_of_table(tmp_path, monkeypatch):
    frame = pd.DataFrame(BASE)
    for made in (frame, pa.Table.from_pandas(frame)):
        module = type(sys)("table_of_a_test")
        module.load = lambda made=made: made
        monkeypatch.setitem(sys.modules, "table_of_a_test", module)
        dataset = model_gate_dataset("python:table_of_a_test:load", SourceContext(root=str(tmp_path)))
        assert dataset.columns == (("age", "int64"), ("region", "string"), ("score", "float64"))
        pd.testing.assert_frame_equal(next(dataset.batches()), frame)
