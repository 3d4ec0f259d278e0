"""Six classification metrics of two models with all intervals, against scikit-learn's own value calls.

Run it from the root of the repository::

    python benchmarks/metric_intervals.py                   # a JSON line per size
    python benchmarks/metric_intervals.py --sizes 10000     # quick

Both sides work on the same arrays in the same process, alternating, each on data that it has not seen:
our metrics keep what they sorted and counted, so every repetition builds its values anew. The last line says
with which exponent the time of the six together grows.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from sklearn import metrics as peer

from pytest_model_gate.gate.measure import Sample, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design

NAMES = ("accuracy", "f1", "roc_auc", "average_precision", "log_loss", "brier_score")
PEERS: dict[str, tuple[Callable[..., float], bool]] = {
    "accuracy": (peer.accuracy_score, True),
    "f1": (peer.f1_score, True),
    "roc_auc": (peer.roc_auc_score, False),
    "average_precision": (peer.average_precision_score, False),
    "log_loss": (peer.log_loss, False),
    "brier_score": (peer.brier_score_loss, False),
}
ALPHA = 0.05


def data(n: int, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the truth and the probabilities of two correlated models, one row in five positive."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.2).astype(np.intp)
    shared = rng.normal(size=n)
    scores = [1.4 * y + 0.9 * shared + 0.4 * rng.normal(size=n) - 1.5 for _ in range(2)]
    return y, [1 / (1 + np.exp(-score)) for score in scores]


def ours(y: np.ndarray, probabilities: list[np.ndarray], names: tuple[str, ...]) -> None:
    """Measure both models and their differences, with bounds and p-values."""
    sample = Sample(truth=Truth(values=y, classes=(0, 1)), design=Design(n=len(y)))
    candidate, production = (
        Predicted(labels=(p >= 0.5).astype(np.intp), probability=p) for p in probabilities
    )
    for name in names:
        inference = measure_pair(resolve(name), sample, candidate, production).inference
        inference.bounds(ALPHA)
        inference.p_below(-0.01)


def theirs(y: np.ndarray, probabilities: list[np.ndarray], names: tuple[str, ...]) -> None:
    """Compute the values alone, with scikit-learn."""
    for p in probabilities:
        labels = (p >= 0.5).astype(np.intp)
        for name in names:
            function, of_labels = PEERS[name]
            function(y, labels if of_labels else p)


def seconds(work: Callable[..., None], *arguments: object) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def peak_bytes_per_row(n: int, names: tuple[str, ...]) -> float:
    """Return the most memory that ours take beside truth and probabilities; labels are among it."""
    arguments = (*data(n, 0), names)
    tracemalloc.start()
    ours(*arguments)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / n


def growth(lines: list[dict[str, Any]], side: str) -> float:
    """Return the exponent with which the time grows with the rows, from the fewest to the most."""
    first, last = lines[0], lines[-1]
    return round(math.log(last[side] / first[side]) / math.log(last["n"] / first["n"]), 3)


def measure(n: int, names: tuple[str, ...], repetitions: int) -> dict[str, Any]:
    """Return median times of both sides, measured alternately on fresh data."""
    for work in (ours, theirs):  # imports and first calls are not what is measured
        work(*data(1_000, 0), names)
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for seed in range(repetitions):
        arguments = (*data(n, seed + 1), names)
        # Who comes second finds the rows in the cache and memory that is there already: each is it in turn.
        for side, work in (("ours", ours), ("theirs", theirs))[:: 1 if seed % 2 else -1]:
            times[side].append(seconds(work, *arguments))
    mine, other = (statistics.median(times[side]) for side in ("ours", "theirs"))
    return {
        "n": n,
        "metrics": "+".join(names),
        "ours_ms": round(1e3 * mine, 2),
        "sklearn_values_ms": round(1e3 * other, 2),
        "ratio": round(mine / other, 3),
        "peak_bytes_per_row": round(peak_bytes_per_row(n, names), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repetitions", type=int, default=8)
    parser.add_argument("--single", action="store_true", help="each metric by itself as well")
    options = parser.parse_args()
    print(json.dumps({"numpy": np.__version__, "scikit-learn": sklearn.__version__}))
    of_set = []
    for n in options.sizes:
        for names in (NAMES, *(((name,) for name in NAMES) if options.single else ())):
            line = measure(n, names, options.repetitions)
            print(json.dumps(line), flush=True)
            if names == NAMES:
                of_set.append(line)
    if len(of_set) > 1:
        sides = {side: growth(of_set, side) for side in ("ours_ms", "sklearn_values_ms")}
        print(json.dumps({"growth_exponent": sides, "from": of_set[0]["n"], "to": of_set[-1]["n"]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
