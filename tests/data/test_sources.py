"""Every dataset format is opened through the hook, and its rows come back with their types and in order."""

from __future__ import annotations

import datetime
import gzip
import json

import numpy as np
import pandas as pd
import pluggy
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pytest_model_gate.data.sources import builtin
from pytest_model_gate.data.sources.local import find
from pytest_model_gate.data.sources.parquet import ParquetDataset
from pytest_model_gate.errors import EvaluationError
from pytest_model_gate.hooks import PROJECT, HookSpecs
from pytest_model_gate.spec import SourceContext


@pytest.fixture
def open_source(tmp_path):
    """Open a source as the plugin does: through a pluggy registry."""
    registry = pluggy.PluginManager(PROJECT)
    registry.add_hookspecs(HookSpecs)
    registry.register(builtin)
    context = SourceContext(root=str(tmp_path))
    return lambda source: registry.hook.model_gate_dataset(source=source, context=context)


def everything(dataset, columns=None):
    return pd.concat(list(dataset.batches(columns)), ignore_index=True)


ROWS = pd.DataFrame(
    {"age": [41, 37, 29], "region": ["north", "süd", "östlich, „weit“"], "ok": [True, False, True]}
)


def write_feather_stream(frame, path):
    table = pa.Table.from_pandas(frame)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


WRITERS = {
    "a.parquet": lambda f, p: f.to_parquet(p),
    "a.PARQUET": lambda f, p: f.to_parquet(p),
    "a.csv": lambda f, p: f.to_csv(p, index=False),
    "a.csv.gz": lambda f, p: f.to_csv(p, index=False),
    "a.feather": lambda f, p: f.to_feather(p),
    "file.arrow": lambda f, p: f.to_feather(p, compression="uncompressed"),
    "stream.arrow": write_feather_stream,
    "a.jsonl": lambda f, p: f.to_json(p, orient="records", lines=True),
    "a.ndjson": lambda f, p: f.to_json(p, orient="records", lines=True, force_ascii=False),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows(open_source, tmp_path, name):
    WRITERS[name](ROWS, tmp_path / name)
    dataset = open_source(name)
    assert (dataset.source, dataset.resolved, dataset.rows) == (name, name, 3)
    assert dataset.columns == (("age", "int64"), ("region", "string"), ("ok", "bool"))
    pd.testing.assert_frame_equal(everything(dataset), ROWS)
    pd.testing.assert_frame_equal(everything(dataset, ["ok", "age", "ok"]), ROWS[["ok", "age"]])


@pytest.mark.parametrize("name", WRITERS)
def test_one_row_and_no_rows(open_source, tmp_path, name):
    WRITERS[name](ROWS.iloc[:1], tmp_path / name)
    assert everything(open_source(name))["region"].tolist() == ["north"]
    if "json" in name or "nd" in name:
        return  # without a line there are no columns: see test_source_errors
    WRITERS[name](ROWS.iloc[:0], tmp_path / name)
    dataset = open_source(name)
    (frame,) = dataset.batches(["ok", "age"])
    assert (dataset.rows, len(frame), list(frame.columns)) == (0, 0, ["ok", "age"])


def rich(n=50):
    """A frame with every kind of type that people keep in Parquet."""
    i = np.arange(n)
    return pd.DataFrame(
        {
            "whole": pd.array([None if k % 7 == 3 else k for k in i], dtype="Int64"),
            "flag": pd.array([None if k % 11 == 5 else bool(k % 2) for k in i], dtype="boolean"),
            "plain": i % 2 == 0,
            "real": np.where(i % 5 == 0, np.nan, i / 3),
            "small": (i / 3).astype("float32"),
            "text": pd.Series(["é" * (k % 3) if k % 4 else None for k in i]),
            "category": pd.Categorical([["b", "a", "c"][k % 3] for k in i], categories=["z", "c", "b", "a"]),
            "ordered": pd.Categorical(
                ["lo" if k < 40 else "hi" for k in i], ["lo", "mid", "hi"], ordered=True
            ),
            "when": pd.date_range("2024-01-01", periods=n, freq="h"),
            "zoned": pd.date_range("2024-01-01", periods=n, freq="h", tz="Europe/Paris"),
            "day": [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(k)) for k in i],
            "a.b": i,
            "a": -i,
            "naïve „col”\n|": i * 2,
        }
    )


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_types_survive_as_pandas_reads_them(open_source, tmp_path, suffix):
    frame = rich()
    getattr(frame, f"to_{suffix}")(tmp_path / f"rich.{suffix}")
    dataset = open_source(f"rich.{suffix}")
    expected = getattr(pd, f"read_{suffix}")(tmp_path / f"rich.{suffix}")
    pd.testing.assert_frame_equal(everything(dataset), expected)
    types = dict(dataset.columns)
    assert types["category"] == "category[string]"
    assert types["ordered"] == "ordered category[string]"
    assert (types["whole"], types["flag"], types["real"], types["day"]) == (
        "int64",
        "bool",
        "float64",
        "date",
    )


@pytest.mark.parametrize("row_group", [7, 50])
@pytest.mark.parametrize("rows", [1, 3, 8, 49, 50, 1000])
def test_batches_of_parquet_have_the_same_types_whatever_their_size(tmp_path, rows, row_group):
    rich().to_parquet(tmp_path / "rich.parquet", row_group_size=row_group)
    expected = pd.read_parquet(tmp_path / "rich.parquet")
    whole = ParquetDataset(find("rich.parquet", str(tmp_path)))
    width = sum(whole._bytes_per_row(name) for name, _ in whole.columns)
    dataset = ParquetDataset(find("rich.parquet", str(tmp_path)), batch_bytes=int(width * rows) + 1)
    frames = list(dataset.batches())
    assert [len(frame) for frame in frames] == [rows] * (50 // rows) + [50 % rows] * bool(50 % rows)
    assert all(frame.dtypes.equals(expected.dtypes) for frame in frames)
    joined = pd.concat(frames)
    assert joined.index.tolist() == list(range(50))
    pd.testing.assert_frame_equal(joined, expected, check_index_type=False)


@pytest.mark.parametrize("statistics", [True, False])
def test_integers_and_booleans_with_a_null_are_of_one_type_in_all_batches(tmp_path, statistics):
    # Written by another engine, so without pandas' notes on types; the null is in the last rows only.
    table = pa.table(
        {
            "count": pa.array([*range(9), None], pa.int32()),
            "flag": pa.array([*[True] * 9, None]),
            "full": pa.array(range(10), pa.int32()),
        }
    )
    pq.write_table(table, tmp_path / "spark.parquet", row_group_size=3, write_statistics=statistics)
    dataset = ParquetDataset(find("spark.parquet", str(tmp_path)), batch_bytes=9 * 3)
    frames = list(dataset.batches())
    assert len(frames) == 4
    assert {str(frame["count"].dtype) for frame in frames} == {"float64"}
    assert {str(frame["flag"].dtype) for frame in frames} == {"object"}
    assert {str(frame["full"].dtype) for frame in frames} == {"int32"}


def test_a_named_index_is_a_column_and_an_unnamed_one_is_none(open_source, tmp_path):
    frame = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.Index(["k1", "k2"], name="customer"))
    frame.to_parquet(tmp_path / "named.parquet")
    assert everything(open_source("named.parquet")).to_dict("list") == {
        "x": [1.0, 2.0],
        "customer": ["k1", "k2"],
    }
    frame.rename_axis(None).to_parquet(tmp_path / "unnamed.parquet")
    dataset = open_source("unnamed.parquet")
    assert dataset.columns == (("x", "float64"),)
    assert everything(dataset).to_dict("list") == {"x": [1.0, 2.0]}


def test_no_columns_asked_still_counts_the_rows(open_source, tmp_path):
    ROWS.to_parquet(tmp_path / "a.parquet")
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    assert [len(frame) for frame in open_source("a.parquet").batches([])] == [3]
    assert [len(frame) for frame in open_source("a.csv").batches([])] == [3]


def test_a_folder_is_read_in_the_order_of_its_file_names(open_source, tmp_path):
    folder = tmp_path / "data" / "holdout"
    (folder / "b").mkdir(parents=True)
    (folder / "_delta_log").mkdir()
    for name, value in [("c.parquet", 3), ("a.parquet", 1), ("b/z.parquet", 2), ("_delta_log/x.parquet", 9)]:
        pd.DataFrame({"v": [value, value * 10]}).to_parquet(folder / name)
    (folder / "_SUCCESS").touch()
    dataset = open_source("data/holdout/")
    assert (dataset.source, dataset.resolved) == ("data/holdout", "data/holdout/ (3 files)")
    assert everything(dataset)["v"].tolist() == [1, 10, 2, 20, 3, 30]
    globbed = open_source("data/holdout/[ac].parquet")
    assert globbed.resolved == "data/holdout/[ac].parquet (2 files)"
    assert everything(globbed)["v"].tolist() == [1, 10, 3, 30]
    assert everything(open_source("data/**/z.parquet"))["v"].tolist() == [2, 20]


def test_folder_names_with_values_are_columns(open_source, tmp_path):
    for year, code in [(2013, "007"), (2023, "__HIVE_DEFAULT_PARTITION__")]:
        folder = tmp_path / "flights" / f"year={year}" / f"code={code}"
        folder.mkdir(parents=True)
        pd.DataFrame({"delay": [year / 2, 1.0]}).to_parquet(folder / "part-0.parquet")
    dataset = open_source("flights")
    assert dataset.columns == (("delay", "float64"), ("year", "int64"), ("code", "string"))
    frame = everything(dataset, ["year", "code", "delay"])
    assert frame["year"].tolist() == [2013, 2013, 2023, 2023]
    assert frame["code"].isna().tolist() == [False, False, True, True]
    assert frame["code"].tolist()[0] == "007"


def test_categories_of_several_files_are_joined(open_source, tmp_path):
    for name, values in [("1.parquet", ["a", "b"]), ("2.parquet", ["c", "b"])]:
        pd.DataFrame({"c": pd.Categorical(values, categories=values)}).to_parquet(tmp_path / name)
    frame = everything(open_source("*.parquet"))
    assert frame["c"].tolist() == ["a", "b", "c", "b"]
    assert frame["c"].cat.categories.tolist() == ["a", "b", "c"]


def test_a_column_without_a_value_in_one_file_has_the_type_of_the_others(open_source, tmp_path):
    pd.DataFrame({"x": [None, None]}, dtype=object).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame({"x": ["a", "b"]}).to_parquet(tmp_path / "2.parquet")
    dataset = open_source("*.parquet")
    assert dataset.columns == (("x", "string"),)
    assert everything(dataset)["x"].isna().tolist() == [True, True, False, False]


def test_csv_is_read_as_pandas_reads_it(open_source, tmp_path):
    text = (
        '\ufeffid,when,note,mixed\n1,2024-01-01,"a ""q"", b\nc",1\n2,2024-01-02,NA,x\n\n3,2024-01-03,,2.5\n'
    )
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    dataset = open_source("a.csv")
    assert dataset.columns == (("id", "int64"), ("when", "string"), ("note", "string"), ("mixed", "string"))
    frame = everything(dataset)
    assert frame["note"].tolist()[0] == 'a "q", b\nc'
    assert frame["note"].isna().tolist() == [False, True, True]
    assert frame["mixed"].tolist() == ["1", "x", "2.5"]


def test_csv_is_read_to_the_last_digit(open_source, tmp_path):
    """pandas before version 3 reads a third of such numbers as their neighbours."""
    numbers = pd.DataFrame({"x": np.random.default_rng(0).random(5000)})
    numbers.to_csv(tmp_path / "a.csv", index=False)
    pd.testing.assert_frame_equal(everything(open_source("a.csv")), numbers, check_exact=True)


def test_csv_rows_may_be_long(open_source, tmp_path):
    pd.DataFrame({"x": ["a" * 3_000_000, "b"], "y": [1, 2]}).to_csv(tmp_path / "a.csv", index=False)
    assert everything(open_source("a.csv"))["x"].str.len().tolist() == [3_000_000, 1]


def test_gzip_is_told_by_the_name(open_source, tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"x\n1\n2\n"))
    assert everything(open_source("a.csv.gz"))["x"].tolist() == [1, 2]


def test_json_lines_keep_text_as_text_and_fill_what_is_absent(open_source, tmp_path):
    lines = [{"zip": "007", "date": "2024-01-01"}, {"zip": "010", "late": 1, "big": 2**53 + 1}, {"big": 3}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n", encoding="utf-8")
    dataset = open_source("a.jsonl")
    assert [name for name, _ in dataset.columns] == ["zip", "date", "late", "big"]
    frame = everything(dataset)
    assert frame["zip"].tolist()[:2] == ["007", "010"]
    assert frame["date"].tolist()[0] == "2024-01-01"
    assert frame["late"].isna().tolist() == [True, False, True]


def test_whoever_writes_to_a_batch_does_not_change_the_next_reader(open_source, tmp_path):
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    dataset = open_source("a.csv")
    for frame in dataset.batches():
        frame["age"] = 0
        frame.loc[0, "region"] = "gone"
    pd.testing.assert_frame_equal(everything(dataset), ROWS)


def test_sources_outside_and_inside_the_root(open_source, tmp_path):
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    context = SourceContext(root=str(root))
    ROWS.to_parquet(tmp_path / "outside.parquet")
    ROWS.to_parquet(root / "data" / "in.parquet")
    names = ["data/in.parquet", "./data/../data/in.parquet", str(root / "data" / "in.parquet")]
    assert {builtin.model_gate_dataset(name, context).source for name in names} == {"data/in.parquet"}
    outside = builtin.model_gate_dataset("../outside.parquet", context)
    assert outside.source == (tmp_path / "outside.parquet").as_posix()


@pytest.mark.parametrize("source", ["warehouse:loans", "models:/credit@champion"])
def test_other_sources_are_somebody_elses(open_source, source):
    assert open_source(source) is None


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.feather"])
def test_a_missing_column_names_the_nearest(open_source, tmp_path, name):
    WRITERS[name](ROWS, tmp_path / name)
    with pytest.raises(EvaluationError) as error:
        list(open_source(name).batches(["age", "regoin"]))
    assert str(error.value) == (
        f"{name} has no column 'regoin'.\n  Did you mean 'region'? Its columns: age, region, ok."
    )
    with pytest.raises(EvaluationError) as error:
        list(open_source(name).batches(["xyz"]))
    assert str(error.value) == f"{name} has no column 'xyz'.\n  Its columns: age, region, ok."
