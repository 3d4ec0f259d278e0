"""What comparing 50 columns of two tables costs, beside scipy and Evidently.

Run it from the root of the repository::

    python benchmarks/drift.py                        # 1,000,000 rows on each side
    python benchmarks/drift.py --sizes 10000 100000   # quick
    python benchmarks/drift.py --evidently venv/bin/python

Each is measured in a process of its own, from two Parquet files to its answer: seconds, processor time and
peak memory. Ours reads, hashes all bytes, and answers with effects, intervals, PSI, new levels and missing
values of every column; "whole" trains the classifier, too. scipy reads the same files with pandas and
computes ks_2samp (its limit) and wasserstein_distance of numbers, chi2_contingency of levels: no interval.
Evidently's DataDriftPreset does what it does by default; it needs an interpreter that has it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NUMBERS, CATEGORIES = 45, 5


def write(folder: Path, rows: int) -> None:
    """Write two tables, the second with a few columns that have moved."""
    import numpy as np
    import pandas as pd

    for name, moved, seed in (("reference", 0.0, 1), ("current", 0.2, 2)):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({f"n{i}": rng.normal(moved * (i % 10 == 0), 1, rows) for i in range(NUMBERS)})
        for i in range(CATEGORIES):
            labels = np.array([f"level {k}" for k in range(5 + 10 * i)], dtype=object)
            frame[f"c{i}"] = labels[rng.integers(0, len(labels), rows)]
        frame.to_parquet(folder / f"{name}.parquet")


def ours(folder: Path, *, overall: bool) -> int:
    from pytest_model_gate import drift

    found = drift("reference.parquet", "current.parquet", overall=overall, root=str(folder))
    return sum(column.verdict == "drifted" for column in found.columns)


def with_scipy(folder: Path) -> int:
    import pandas as pd
    from scipy import stats

    reference, current = (pd.read_parquet(folder / f"{name}.parquet") for name in ("reference", "current"))
    small = 0
    for name in reference:
        x, y = reference[name], current[name]
        if name.startswith("n"):
            small += stats.ks_2samp(x, y, method="asymp").pvalue < 0.05
            stats.wasserstein_distance(x, y)
        else:
            table = pd.concat([x.value_counts(), y.value_counts()], axis=1).fillna(0)
            small += stats.chi2_contingency(table.T).pvalue < 0.05
    return int(small)


def with_evidently(folder: Path) -> int:
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    reference, current = (pd.read_parquet(folder / f"{name}.parquet") for name in ("reference", "current"))
    found = Report([DataDriftPreset()]).run(current, reference).dict()
    return int(found["metrics"][0]["value"]["count"])


WAYS = {
    "ours": lambda folder: ours(folder, overall=False),
    "ours, whole": lambda folder: ours(folder, overall=True),
    "scipy": with_scipy,
    "evidently": with_evidently,
}


def one(way: str, folder: Path) -> None:
    """Measure one way in this process, and print it."""
    began, used = time.perf_counter(), time.process_time()
    answer = WAYS[way](folder)
    print(
        json.dumps(
            {
                "seconds": round(time.perf_counter() - began, 2),
                "cpu": round(time.process_time() - used, 2),
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
                "found": answer,
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--evidently", metavar="PYTHON", help="an interpreter that has Evidently")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], Path(options.one[1]))
        return
    interpreters = {way: sys.executable for way in WAYS if way != "evidently"}
    if options.evidently:
        interpreters["evidently"] = options.evidently
    for rows in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), rows)
            for way, python in interpreters.items():
                done = subprocess.run(
                    [python, __file__, "--one", way, folder], capture_output=True, text=True, check=False
                )
                lines = done.stdout.strip().splitlines()
                told = json.loads(lines[-1]) if done.returncode == 0 else {"failed": done.stderr[-200:]}
                print(
                    json.dumps({"rows": rows, "columns": NUMBERS + CATEGORIES, "way": way, **told}),
                    flush=True,
                )


if __name__ == "__main__":
    main()
