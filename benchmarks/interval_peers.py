"""One interval of a difference of two models: ours, and what else could be used for it, in the same run.

Run it from the root of the repository::

    python benchmarks/interval_peers.py                      # a JSON line per metric and size
    python benchmarks/interval_peers.py --sizes 10000        # quick
    python benchmarks/interval_peers.py --write              # and the table in docs/explanation

Beside ours are scikit-learn's two value calls (no interval at all), scipy's paired bootstrap of the
difference, confidenceinterval (one model at a time, so two calls and no difference) and MLstatkit's DeLong
test. All work on the same arrays, alternating; ours are built anew each time, because metrics keep what they
sorted. A bootstrap of 1,000 resamples is timed with 20 and scaled: its costs are linear. A peer that would
take longer than the limit is left out, and the line says so.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import confidenceinterval
import numpy as np
import scipy
import sklearn
from MLstatkit import Delong_test
from scipy.stats import bootstrap
from sklearn import metrics as peer

from pytest_model_gate.gate.measure import Sample, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design

ALPHA = 0.05
RESAMPLES, TIMED = 1_000, 20
PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "performance.md"

Arrays = tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]
VALUES: dict[str, tuple[Callable[..., float], bool]] = {
    "accuracy": (peer.accuracy_score, True),
    "f1": (peer.f1_score, True),
    "roc_auc": (peer.roc_auc_score, False),
    "average_precision": (peer.average_precision_score, False),
    "log_loss": (peer.log_loss, False),
    "brier_score": (peer.brier_score_loss, False),
}
#: What confidenceinterval has a closed form for.
ONE_MODEL: dict[str, Callable[..., Any]] = {
    "accuracy": confidenceinterval.accuracy_score,
    "f1": confidenceinterval.f1_score,
    "roc_auc": confidenceinterval.roc_auc_score,
}


def data(n: int, seed: int) -> Arrays:
    """Return the truth, probabilities and labels of two correlated models, one row in five positive."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.2).astype(np.intp)
    shared = rng.normal(size=n)
    probabilities = [
        1 / (1 + np.exp(-(1.4 * y + 0.9 * shared + 0.4 * rng.normal(size=n) - 1.5))) for _ in range(2)
    ]
    return y, probabilities, [(p >= 0.5).astype(np.intp) for p in probabilities]


def ours(name: str, arrays: Arrays) -> None:
    y, probabilities, labels = arrays
    sample = Sample(truth=Truth(values=y, classes=(0, 1)), design=Design(n=len(y)))
    pair = [Predicted(labels=label, probability=p) for label, p in zip(labels, probabilities, strict=True)]
    inference = measure_pair(resolve(name), sample, *pair).inference
    inference.bounds(ALPHA)
    inference.p_below(-0.01)


def sklearn_values(name: str, arrays: Arrays) -> None:
    function, of_labels = VALUES[name]
    for said in arrays[2 if of_labels else 1]:
        function(arrays[0], said)


def scipy_bootstrap(name: str, arrays: Arrays) -> None:
    function, of_labels = VALUES[name]

    def gain(y: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
        return function(y, one) - function(y, other)

    bootstrap(
        (arrays[0], *arrays[2 if of_labels else 1]),
        gain,
        n_resamples=TIMED,
        paired=True,
        vectorized=False,
        method="percentile",
        confidence_level=1 - 2 * ALPHA,
        rng=0,
    )


def confidence_interval(name: str, arrays: Arrays) -> None:
    keywords = {"average": "binary"} if name == "f1" else {}
    for said in arrays[2 if VALUES[name][1] else 1]:
        ONE_MODEL[name](arrays[0], said, confidence_level=1 - 2 * ALPHA, **keywords)


def mlstatkit(_: str, arrays: Arrays) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        Delong_test(arrays[0], *arrays[1])


PEERS: dict[str, tuple[Callable[[str, Arrays], None], Callable[[str], bool], float]] = {
    "ours": (ours, lambda _: True, 1.0),
    "sklearn_values": (sklearn_values, lambda _: True, 1.0),
    "scipy_bootstrap": (scipy_bootstrap, lambda _: True, RESAMPLES / TIMED),
    "confidenceinterval": (confidence_interval, ONE_MODEL.__contains__, 1.0),
    "mlstatkit": (mlstatkit, lambda name: name == "roc_auc", 1.0),
}


def measure(
    name: str, n: int, repetitions: int, limit: float, alone: bool, slow: set[tuple[str, str]]
) -> dict[str, Any]:
    """Return median milliseconds of each, measured alternately on fresh data."""
    times: dict[str, list[float]] = {}
    for seed in range(repetitions):
        arrays = data(n, seed + 1)
        for who, (work, has, factor) in PEERS.items():
            if not has(name) or (who, name) in slow or (alone and who != "ours"):
                continue
            start = time.perf_counter()
            work(name, arrays)
            times.setdefault(who, []).append(1e3 * factor * (time.perf_counter() - start))
            # The next size is ten times as large: what would take longer than the limit is not started.
            if seed == 0 and 10 * times[who][0] / factor > 1e3 * limit and who != "ours":
                slow.add((who, name))
    found = {who: round(statistics.median(each), 3) for who, each in times.items()}
    line: dict[str, Any] = {"n": n, "metric": name, **{f"{who}_ms": value for who, value in found.items()}}
    left = [who for who, (_, has, _) in PEERS.items() if has(name) and who not in found]
    if left:
        line["left_out"] = left
    if "sklearn_values" in found:
        line["ratio"] = round(found["ours"] / found["sklearn_values"], 3)
    return line


def table(lines: list[dict[str, Any]]) -> str:
    """Return the lines as a Markdown table."""
    heads = (
        "rows",
        "metric",
        "ours",
        "scikit-learn, two values",
        "scipy bootstrap",
        "confidenceinterval",
        "MLstatkit",
    )
    rows = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for line in lines:
        cells = [f"{line['n']:,}", f"`{line['metric']}`"]
        for who, (_, has, _) in PEERS.items():
            value = line.get(f"{who}_ms")
            cells.append(_duration(value) if value is not None else "not run" if has(line["metric"]) else "")
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _duration(milliseconds: float) -> str:
    if milliseconds >= 60_000:
        return f"{milliseconds / 60_000:.1f} min"
    return f"{milliseconds / 1e3:.1f} s" if milliseconds >= 1_000 else f"{milliseconds:.3g} ms"


def write(lines: list[dict[str, Any]]) -> None:
    """Replace the table of the page."""
    begin, end = "<!-- begin interval_peers -->", "<!-- end interval_peers -->"
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    PAGE.write_text(f"{head}{begin}\n\n{table(lines)}\n\n{end}{tail}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--alone", type=int, nargs="*", default=[10_000_000], help="sizes for ours alone")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that one call of a peer may take")
    parser.add_argument("--write", action="store_true", help="replace the table in the documents")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    print(
        json.dumps({"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__})
    )
    lines = []
    for name in VALUES:
        slow: set[tuple[str, str]] = set()
        measure(
            name, 1_000, 1, options.limit, False, slow
        )  # imports and first calls are not what is measured
        for n in options.sizes:
            lines.append(measure(name, n, options.repetitions, options.limit, False, slow))
            print(json.dumps(lines[-1]), flush=True)
        for n in options.alone:
            lines.append(measure(name, n, 1, options.limit, True, slow))
            print(json.dumps(lines[-1]), flush=True)
    if options.write:
        write(sorted(lines, key=lambda line: line["n"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
