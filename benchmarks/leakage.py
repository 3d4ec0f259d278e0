"""What it costs to seek the rows of a holdout in training data, beside a merge and a grouping in pandas.

Run it from the root of the repository::

    python benchmarks/leakage.py                              # 1,000,000 training rows, a JSON line each
    python benchmarks/leakage.py --rows 10000000 --holdout 1000000 --only rows,near,gate
    python benchmarks/leakage.py --rows 100000 --holdout 20000   # quick

Training data and holdout are Parquet files of 20 columns (12 of floats, 5 of whole numbers, 2 of text, the
target), and 1,000 rows of the holdout stand in the training data. Every contender is a process of its own
that reads both files: ``seconds`` is its time on the wall, ``processor`` that of all its threads (other
processes slow only the former down), ``megabytes`` the most memory that it had, and ``found`` must be 1,000.

- ``read``: our batches, read and thrown away: what no contender can save.
- ``rows``: by row, with and without the target.
- ``near``: the same, and nearly equal rows.
- ``gate``: all of it (also by key, by group and by time, and single features), as a gate asks for it.
- ``merge``: ``pandas.merge`` of both frames on all features.
- ``group``: both frames one below the other, grouped by all columns, as suites that check for a mix of
  train and test samples do.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

PLANTED = 1000
FLOATS = [f"x{i}" for i in range(12)]
WHOLE = [f"k{i}" for i in range(5)]
TEXT = ["region", "product"]
FEATURES = (*FLOATS, *WHOLE, *TEXT)
CONTENDERS = ("read", "rows", "near", "gate", "merge", "group")


def make(rows: int, seed: int) -> pd.DataFrame:
    """Return rows; those of two seeds have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    made = {name: rng.lognormal(size=rows) for name in FLOATS}
    made |= {name: rng.integers(0, 10 ** (i + 1), rows) for i, name in enumerate(WHOLE)}
    made |= {name: rng.choice([f"{name} {i}" for i in range(40)], rows) for name in TEXT}
    frame = pd.DataFrame(made)
    frame["y"] = (frame["x0"] + rng.normal(size=rows) > 1).astype("int64")
    frame["id"] = np.arange(rows) + seed * 10**9
    frame["customer"] = rng.integers(0, max(2, rows // 4), rows) + seed * 10**9
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, rows) + seed * 100, "D")
    return frame


def write(folder: Path, rows: int, holdout: int) -> None:
    """Write both files, the training data in row groups of a million rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    judged = make(holdout, 2)
    judged.to_parquet(folder / "holdout.parquet", index=False)
    writer: pq.ParquetWriter | None = None
    for part, start in enumerate(range(0, rows, 10**6)):
        frame = make(min(10**6, rows - start), 100 + part)
        frame["day"] = pd.Timestamp("2023-01-01")
        if start == 0:
            frame.iloc[:PLANTED] = judged.iloc[:PLANTED]
        table = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pq.ParquetWriter(folder / "train.parquet", table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def ours(folder: Path, contender: str) -> int:
    """Seek the rows as a gate does."""
    from pytest_model_gate.data.leakage.seek import seek
    from pytest_model_gate.data.leakage.sought import Asked
    from pytest_model_gate.gate.leakage import leaks
    from pytest_model_gate.gate.registry import build_registry, open_dataset
    from pytest_model_gate.spec import GateSpec, Leakage, SourceContext

    registry, context = build_registry(), SourceContext(root=str(folder))
    holdout = open_dataset(registry, "holdout.parquet", context)
    training = open_dataset(registry, "train.parquet", context)
    if contender == "read":
        for dataset in (holdout, training):
            for _ in dataset.batches([*FEATURES, "y"]):
                pass
        return PLANTED
    if contender == "gate":
        asked = Leakage(train="train.parquet", key=("id",), groups="customer", time="day", columns=FEATURES)
        spec = GateSpec(
            name="bench",
            candidate="",
            production="none",
            dataset="holdout.parquet",
            target="y",
            metrics=("roc_auc",),
            task="classification",
            root=str(folder),
            leakage=asked,
        )
        record = leaks(spec, holdout, training, (), pin="not pinned").record
        assert record is not None
        return record.counts[0].rows
    near = 3 if contender == "near" else None
    found = seek(
        holdout.batches, training, Asked(columns=FEATURES, target="y", near=near), dict(holdout.columns)
    )
    assert found.exact is not None
    return int(found.exact.rows.sum())


def pandas(folder: Path, contender: str) -> int:
    """Seek the rows with pandas."""
    columns = [*FEATURES, "y"]
    train = pd.read_parquet(folder / "train.parquet", columns=columns)
    holdout = pd.read_parquet(folder / "holdout.parquet", columns=columns)
    if contender == "merge":
        return len(holdout.reset_index().merge(train, on=list(FEATURES))["index"].unique())
    both = pd.concat([train.assign(side=1), holdout.assign(side=2)], ignore_index=True)
    sides = both.groupby(list(FEATURES), dropna=False, sort=False)["side"].agg(["min", "max", "size"])
    mixed = sides[sides["min"] != sides["max"]]
    return len(mixed)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the data, run each contender in a process of its own, print a line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--holdout", type=int, default=100_000)
    parser.add_argument("--only", default=",".join(CONTENDERS))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args(arguments)
    if options.folder is not None:  # a contender: measure it
        start, busy = time.perf_counter(), time.process_time()
        found = (pandas if options.only in ("merge", "group") else ours)(options.folder, options.only)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        taken = {"seconds": time.perf_counter() - start, "processor": time.process_time() - busy}
        rounded = {name: round(value, 1) for name, value in taken.items()}
        print(json.dumps({**rounded, "megabytes": peak, "found": found}))
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), options.rows, options.holdout)
        for contender in options.only.split(","):
            command = [sys.executable, __file__, "--folder", folder, "--only", contender]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                said = done.stderr.strip().splitlines()
                print(json.dumps({"contender": contender, "failed": said[-1] if said else done.returncode}))
                continue
            sizes = {"contender": contender, "rows": options.rows, "holdout": options.holdout}
            print(json.dumps({**sizes, **json.loads(done.stdout)}), flush=True)


if __name__ == "__main__":
    main()
