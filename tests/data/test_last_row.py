"""One changed cell near the end of many rows changes the digest, whatever kind of source holds them."""

from __future__ import annotations

import sqlite3
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from pytest_model_gate.data.sources.stream import StreamDataset
from systems.versioned_gates import opened

SOME, ALL = 60_000, 10_000_000


def table(rows, changed):
    """Return three columns; the last cell of one of them can be another."""
    x = np.arange(rows) / 7
    if changed:
        x[rows - 1] = np.nextafter(x[rows - 1], np.inf)
    return pa.table(
        {"id": np.arange(rows), "x": x, "text": pa.DictionaryArray.from_arrays(
            pa.array(np.arange(rows) % 3, pa.int32()), ["a", "b", "c"]).cast(pa.string())}
    )  # fmt: skip


def parquet(root, held):
    pq.write_table(held, root / "t.parquet")
    return "t.parquet"


def delta(root, held):
    write_deltalake(root / "t", held)
    return "delta:t"


def frozen(root, held):
    (root / "q.sql").write_text("SELECT * FROM t")
    with sqlite3.connect(root / "t.db") as connection:
        held.to_pandas().to_sql("t", connection, index=False)
    connection.close()
    return "sql:q.sql"


def saved(root, held):
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset(held).save_to_disk(root / "t")
    return "hf:t"


@pytest.mark.parametrize("write", [parquet, delta, frozen, saved])
def test_the_last_of_many_rows_counts(tmp_path, write, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_SQL", "sqlite:///t.db")
    digests = []
    for name, changed in (("one", False), ("two", False), ("three", True)):
        root = tmp_path / name
        root.mkdir()
        source = write(root, table(SOME, changed))
        held = opened(root, source, pinning=True)
        digests.append(held.digest if write is not frozen else held.version)
    assert digests[0] == digests[1] != digests[2]


def test_mlflows_digest_misses_it():
    import mlflow.data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        digests = {
            mlflow.data.from_pandas(table(SOME, changed).to_pandas(), source="x").digest
            for changed in (False, True)
        }
    assert len(digests) == 1


@pytest.mark.slow
def test_one_cell_in_ten_million_rows(tmp_path):
    digests = []
    for changed in (False, True):
        held = table(ALL, changed)
        path = tmp_path / f"{changed}.parquet"
        pq.write_table(held, path, compression="none", use_dictionary=False)
        digests.append(opened(tmp_path, path.name).digest)
        # The same rows as the batches of a table: cut otherwise each time.
        for size in (100_000, 131_071):
            stream = StreamDataset(
                "t", "t", held.schema, lambda names, h=held, s=size: h.select(names).to_batches(s)
            )
            digests.append(stream.digest)
    same, other = digests[:3], digests[3:]
    assert same[1] == same[2]
    assert other[1] == other[2]
    assert not set(same) & set(other)
