"""Further metrics of two models, each with its interval, against the values alone by scikit-learn and scipy.

Run it from the root of the repository::

    python benchmarks/more_metrics.py                   # a JSON line per metric and size
    python benchmarks/more_metrics.py --sizes 10000     # quick
    python benchmarks/more_metrics.py --write           # and the table in docs/explanation

Both sides work on the same arrays in the same process, alternating, each on data that it has not seen.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from scipy import stats
from sklearn import metrics as peer

from pytest_model_gate.gate.measure import Sample, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design

PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "performance.md"

Data = tuple[np.ndarray, list[np.ndarray]]


def numbers(n: int, seed: int) -> Data:
    """Return a positive target and two models of it."""
    rng = np.random.default_rng(seed)
    mean = rng.gamma(2.0, size=n) + 0.5
    y = rng.gamma(4.0, size=n) / 4 * mean
    return y, [mean * np.exp(0.2 * rng.normal(size=n)) for _ in range(2)]


def scores(n: int, seed: int) -> Data:
    """Return two classes and two correlated models."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.2).astype(np.intp)
    shared = rng.normal(size=n)
    found = [1.4 * y + 0.9 * shared + 0.4 * rng.normal(size=n) - 1.5 for _ in range(2)]
    return y, [1 / (1 + np.exp(-score)) for score in found]


def columns(n: int, seed: int, k: int = 5) -> Data:
    """Return five classes and the probabilities of two models."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    found = []
    for _ in range(2):
        weight = rng.gamma(1.0, size=(n, k)) + np.eye(k)[y]
        found.append(weight / weight.sum(axis=1, keepdims=True))
    return y, found


def labels(n: int, seed: int) -> Data:
    """Return five grades and two models that are mostly right or one grade off."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 5, n)
    return y, [np.clip(y + rng.choice(3, n, p=[0.15, 0.7, 0.15]) - 1, 0, 4) for _ in range(2)]


def two_labels(n: int, seed: int) -> Data:
    """Return two classes and the labels of two models."""
    y, found = scores(n, seed)
    return y, [(p >= 0.3).astype(np.intp) for p in found]


def ks(y: np.ndarray, score: np.ndarray) -> float:
    """Return the largest distance of the ROC curve from the diagonal, which scikit-learn has no name for."""
    false, true, _ = peer.roc_curve(y, score, drop_intermediate=False)
    return float(np.max(np.abs(true - false)))


def average_precision(average: str, y: np.ndarray, p: np.ndarray) -> float:
    """Return the average precision of one-hot classes."""
    return float(peer.average_precision_score(np.eye(p.shape[1], dtype=int)[y], p, average=average))


def coverage(y: np.ndarray, p: np.ndarray) -> float:
    """Return the distance of the coverage from 0.9."""
    return abs(float(np.mean(y <= p)) - 0.9)


CASES: dict[str, tuple[Callable[[int, int], Data], Callable[..., float]]] = {
    "negative_predictive_value": (two_labels, partial(peer.precision_score, pos_label=0)),
    "cohen_kappa_linear": (labels, partial(peer.cohen_kappa_score, weights="linear")),
    "cohen_kappa_quadratic": (labels, partial(peer.cohen_kappa_score, weights="quadratic")),
    "top_k_accuracy@2": (columns, partial(peer.top_k_accuracy_score, k=2)),
    "average_precision_weighted": (columns, partial(average_precision, "weighted")),
    "average_precision_micro": (columns, partial(average_precision, "micro")),
    "gini": (scores, lambda y, p: 2 * peer.roc_auc_score(y, p) - 1),
    "ks_statistic": (scores, ks),
    "mean_absolute_error": (numbers, peer.mean_absolute_error),
    "mean_squared_error": (numbers, peer.mean_squared_error),
    "root_mean_squared_error": (numbers, peer.root_mean_squared_error),
    "mean_absolute_percentage_error": (numbers, peer.mean_absolute_percentage_error),
    "r2": (numbers, peer.r2_score),
    "mean_pinball_loss@0.9": (numbers, partial(peer.mean_pinball_loss, alpha=0.9)),
    "mean_poisson_deviance": (numbers, peer.mean_poisson_deviance),
    "mean_gamma_deviance": (numbers, peer.mean_gamma_deviance),
    "mean_tweedie_deviance@1.5": (numbers, partial(peer.mean_tweedie_deviance, power=1.5)),
    "mean_squared_log_error": (numbers, peer.mean_squared_log_error),
    "root_mean_squared_log_error": (numbers, peer.root_mean_squared_log_error),
    "explained_variance": (numbers, peer.explained_variance_score),
    "pearson": (numbers, lambda y, p: float(stats.pearsonr(y, p).statistic)),
    "quantile_coverage_error@0.9": (numbers, coverage),
    "max_error": (numbers, peer.max_error),
}


def ours(name: str, y: np.ndarray, said: list[np.ndarray]) -> None:
    """Measure both models and their difference, with bounds and a p-value."""
    metric = resolve(name)
    classes = None if metric.task == "regression" else tuple(range(int(y.max()) + 1))
    form = {"label": "labels", "value": "value"}.get(metric.needs, "probability")
    sample = Sample(truth=Truth(values=y, classes=classes), design=Design(n=len(y)))
    candidate, production = (Predicted(**{form: each}) for each in said)
    inference = measure_pair(metric, sample, candidate, production).inference
    inference.bounds(0.05)
    inference.p_below(-0.01)


def theirs(name: str, y: np.ndarray, said: list[np.ndarray]) -> None:
    """Compute the two values alone."""
    for each in said:
        CASES[name][1](y, each)


def measure(name: str, n: int, repetitions: int) -> dict[str, Any]:
    """Return median times of both sides, measured alternately on fresh data."""
    make = CASES[name][0]
    for work in (ours, theirs):  # imports and first calls are not what is measured
        work(name, *make(1_000, 0))
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for seed in range(repetitions):
        data = make(n, seed + 1)
        # Who comes second finds the rows in the cache and memory that is there already: each is it in turn.
        for side, work in (("ours", ours), ("theirs", theirs))[:: 1 if seed % 2 else -1]:
            times[side].append(seconds(work, name, data))
    mine, other = (statistics.median(times[side]) for side in ("ours", "theirs"))
    return {
        "n": n,
        "metric": name,
        "ours_ms": round(1e3 * mine, 2),
        "values_ms": round(1e3 * other, 2),
        "ratio": round(mine / other, 3),
    }


def alone(name: str, n: int) -> dict[str, Any]:
    """Return the time of ours, once."""
    make = CASES[name][0]
    ours(name, *make(1_000, 0))
    return {"n": n, "metric": name, "ours_ms": round(1e3 * seconds(ours, name, make(n, 1)), 2)}


def seconds(work: Callable[..., None], name: str, data: Data) -> float:
    """Return the processor time of one call, which what else runs on a machine disturbs least."""
    start = time.process_time()
    work(name, *data)
    return time.process_time() - start


def table(lines: list[dict[str, Any]]) -> str:
    """Return the lines as a Markdown table, a row for each metric."""
    sizes = sorted({line["n"] for line in lines})
    found = {(line["metric"], line["n"]): line for line in lines}
    rows = [f"| metric | {' | '.join(f'{n:,} rows' for n in sizes)} |", "|---" * (len(sizes) + 1) + "|"]
    for name in dict.fromkeys(line["metric"] for line in lines):
        cells = [f"`{name}`"]
        for n in sizes:
            line = found.get((name, n))
            if line is None:
                cells.append("not run")
            elif "ratio" in line:
                cells.append(f"{_duration(line['ours_ms'])}, {line['ratio']:.2f}")
            else:
                cells.append(_duration(line["ours_ms"]))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _duration(milliseconds: float) -> str:
    return f"{milliseconds / 1e3:.1f} s" if milliseconds >= 1_000 else f"{milliseconds:.3g} ms"


def write(lines: list[dict[str, Any]]) -> None:
    """Replace the table of the page."""
    begin, end = "<!-- begin more_metrics -->", "<!-- end more_metrics -->"
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    PAGE.write_text(f"{head}{begin}\n\n{table(lines)}\n\n{end}{tail}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--alone", type=int, nargs="*", default=[], help="sizes for ours alone, once")
    parser.add_argument("--repetitions", type=int, default=8)
    parser.add_argument("--metrics", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--write", action="store_true", help="replace the table in the documents")
    options = parser.parse_args()
    print(json.dumps({"numpy": np.__version__, "scikit-learn": sklearn.__version__}))
    lines = []
    for n in (*options.sizes, *options.alone):
        for name in options.metrics:
            line = alone(name, n) if n in options.alone else measure(name, n, options.repetitions)
            lines.append(line)
            print(json.dumps(line), flush=True)
    if options.write:
        write(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
