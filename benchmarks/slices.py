"""What twenty slices cost: the gate without them, and with them, for several sets of metrics.

Run it from the root of the repository::

    python benchmarks/slices.py                   # a JSON line per size and set of metrics
    python benchmarks/slices.py --sizes 10000     # quick

``gate`` is a whole gate in this process: it opens and digests a Parquet file and a file of predictions, and
ends with a record. ``judging`` is its last part alone, from encoded rows to judged lines; it has no files
to hide behind. Both are measured alternately without and with slices, each time on data of their own, in
processor time of one thread: set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from metric_intervals import NAMES, data

from pytest_model_gate.gate.evaluate import Evaluation
from pytest_model_gate.gate.lines import judge, plan
from pytest_model_gate.gate.measure import Sample, measure_pair
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.gate.rows import Judged
from pytest_model_gate.gate.slices import cut, slice_rows
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.spec import GateSpec, SliceSpec
from pytest_model_gate.stats.design import Design

SLICES = 20
BY = SliceSpec(by="slice")


def spec(names: tuple[str, ...], slices: tuple[SliceSpec, ...], root: str = ".") -> GateSpec:
    """Return the gate that is measured."""
    return GateSpec(
        name="credit",
        candidate="predictions:scores.parquet#candidate",
        production="predictions:scores.parquet#production",
        dataset="data.parquet",
        target="y",
        metrics=names,
        slices=slices,
        key="id",
        root=root,
    )


def rows(n: int, seed: int) -> tuple[np.ndarray, list[np.ndarray], pd.DataFrame]:
    """Return truth, probabilities, and the column that cuts the rows into slices of different sizes."""
    y, probabilities = data(n, seed)
    codes = np.random.default_rng(seed).integers(0, SLICES, n)
    return (
        y,
        probabilities,
        pd.DataFrame({"slice": pd.Categorical.from_codes(codes, list(map(str, range(20))))}),
    )


def judging(n: int, seed: int, names: tuple[str, ...], slices: tuple[SliceSpec, ...]) -> float:
    """Return the seconds from encoded rows to judged lines."""
    y, probabilities, frame = rows(n, seed)
    gate, metrics = spec(names, slices), {name: resolve(name) for name in names}
    truth = Truth(values=y, classes=(0, 1))
    said = {
        role: Predicted(labels=(p >= 0.5).astype(np.intp), probability=p)
        for role, p in zip(("candidate", "production"), probabilities, strict=True)
    }
    start = time.process_time()
    cuts = tuple(cut(item, frame) for item in slices)
    judged = Judged(
        sample=Sample(truth=truth, design=Design(n=n)),
        predicted=said,
        slices=slice_rows(cuts, truth, metrics),
        cuts=cuts,
    )
    asks, _ = plan(gate, metrics, judged.slices, n=n, has_production=True)

    def measured(ask):
        sample, predicted = judged.on(ask.where)
        return measure_pair(
            metrics[ask.metric],
            sample,
            predicted["candidate"],
            predicted["production"],
            relative=ask.relative,
        )

    lines = judge(asks, metrics, measured, alpha=gate.alpha)
    took = time.process_time() - start
    assert len(lines) == len(names) * (1 + SLICES * len(slices))
    return took


def gate(n: int, seed: int, names: tuple[str, ...], slices: tuple[SliceSpec, ...]) -> float:
    """Return the seconds of a whole gate in this process, from files to a record."""
    y, probabilities, frame = rows(n, seed)
    with tempfile.TemporaryDirectory() as folder:
        ids = np.arange(n)
        frame.assign(id=ids, y=y, x=probabilities[0]).to_parquet(Path(folder) / "data.parquet")
        scores = dict(zip(("candidate", "production"), probabilities, strict=True))
        pd.DataFrame({"id": ids, **scores}).to_parquet(Path(folder) / "scores.parquet")
        registry = build_registry()
        start = time.process_time()
        record = Evaluation(checked(spec(names, slices, folder), registry), registry, pin=True).record()
        took = time.process_time() - start
    assert len(record.lines) == len(names) * (1 + SLICES * len(slices)), record.reason
    return took


def measure(n: int, names: tuple[str, ...], repetitions: int) -> dict[str, object]:
    """Return median processor times without and with slices, measured alternately."""
    found: dict[str, object] = {"n": n, "slices": SLICES, "metrics": "+".join(names)}
    for work in (judging, gate):
        work(1_000, 0, names, (BY,))  # imports and first calls are not what is measured
        times: dict[bool, list[float]] = {False: [], True: []}
        for seed in range(1, repetitions + 1):
            for sliced, taken in times.items():
                taken.append(work(n, seed, names, (BY,) if sliced else ()))
        without, with_ = (statistics.median(times[sliced]) for sliced in (False, True))
        found |= {
            f"{work.__name__}_ms": round(1e3 * without, 2),
            f"{work.__name__}_with_slices_ms": round(1e3 * with_, 2),
            f"{work.__name__}_ratio": round(with_ / without, 2),
        }
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--single", action="store_true", help="each metric by itself as well")
    options = parser.parse_args()
    print(json.dumps({"numpy": np.__version__, "pandas": pd.__version__}))
    for n in options.sizes:
        for names in (NAMES, *(((name,) for name in NAMES) if options.single else ())):
            print(json.dumps(measure(n, names, options.repetitions)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
