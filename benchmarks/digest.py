"""What a digest over all content costs beside reading and decoding the same rows with bare pyarrow.

    python benchmarks/digest.py --rows 1000000 --rows 10000000

One Parquet file of 20 columns (numbers, whole numbers, text, one boolean), once by itself and once as the
only file of a Delta table. The ways take turns, so that a busy moment of the machine hits all. Readings are
printed as JSON lines, then a table. Target: opening a table whose rows are hashed one batch after the other
takes at most twice what reading and decoding takes. Nothing fails here: time is no test.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

from pytest_model_gate.data.sources.builtin import model_gate_dataset
from pytest_model_gate.spec import SourceContext

PIECE = 1_000_000
TARGET = 2.0


def main() -> None:
    """Measure, and print JSON lines and a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, action="append", help="size (default: 1,000,000; repeatable)")
    parser.add_argument("--runs", type=int, default=3, help="readings of each way (default: 3)")
    options = parser.parse_args()
    print_table([reading for rows in options.rows or [1_000_000] for reading in measure(rows, options.runs)])


def measure(rows: int, runs: int) -> list[tuple[int, str, float, float]]:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_files(root, rows)
        ways: dict[str, Callable[[], None]] = {
            "read and decode": lambda: read(root),
            "open Parquet": lambda: opened(root, "holdout.parquet"),
            "open Delta": lambda: opened(root, "delta:table"),
            "read again as frames": lambda: again(root),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(runs + 1):
            for way in ways if number % 2 else reversed(ways):
                start = time.perf_counter()
                ways[way]()
                if number:  # the first time warms the disk cache
                    seconds[way].append(time.perf_counter() - start)
                    print(json.dumps({"rows": rows, "way": way, "seconds": seconds[way][-1]}))
    bare = statistics.median(seconds["read and decode"])
    return [
        (rows, way, statistics.median(taken), statistics.median(taken) / bare)
        for way, taken in seconds.items()
    ]


def write_files(root: Path, rows: int) -> None:
    rng = np.random.default_rng(7)
    path = root / "holdout.parquet"
    writer = None
    for start in range(0, rows, PIECE):
        size = min(PIECE, rows - start)
        held: dict[str, object] = {f"number_{i}": rng.normal(size=size) for i in range(10)}
        held |= {f"whole_{i}": rng.integers(0, 100_000, size=size) for i in range(6)}
        held |= {f"text_{i}": pa.array(rng.integers(0, 5000, size=size)).cast(pa.string()) for i in range(3)}
        table = pa.table(held | {"flag": rng.random(size) < 0.3})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    # The same file as a table: only the log is another.
    write_deltalake(root / "table", table.slice(0, 0), mode="overwrite")
    (root / "table" / "part-0.parquet").hardlink_to(path)
    log = root / "table" / "_delta_log" / f"{1:020d}.json"
    stats = {"path": "part-0.parquet", "size": path.stat().st_size, "partitionValues": {}}
    action = {"add": {**stats, "modificationTime": 0, "dataChange": True}}
    log.write_text(json.dumps({"commitInfo": {"operation": "WRITE"}}) + "\n" + json.dumps(action) + "\n")


def read(root: Path) -> None:
    with pq.ParquetFile(root / "holdout.parquet", pre_buffer=False, buffer_size=1 << 20) as opened_file:
        for _ in opened_file.iter_batches(batch_size=1 << 17):
            pass


def opened(root: Path, source: str) -> None:
    dataset = model_gate_dataset(source, SourceContext(root=str(root)))
    assert dataset is not None and dataset.digest  # noqa: PT018 - no test


KEPT: dict[Path, object] = {}


def again(root: Path) -> None:
    """Read what was opened before, as a gate does; opening it is not counted."""
    dataset = KEPT.get(root) or KEPT.setdefault(
        root, model_gate_dataset("delta:table", SourceContext(root=str(root)))
    )
    for _ in dataset.batches():  # type: ignore[attr-defined]
        pass


def print_table(readings: list[tuple[int, str, float, float]]) -> None:
    print("\n| rows | way | seconds | beside reading and decoding |\n|---|---|---|---|")
    for rows, way, seconds, ratio in readings:
        print(f"| {rows:,} | {way} | {seconds:.2f} | {ratio:.2f} |")
    print(f"target for 'open Delta': at most {TARGET:g}")


if __name__ == "__main__":
    main()
