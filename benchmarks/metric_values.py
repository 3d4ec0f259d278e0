"""Time our metric values and influences for two models beside scikit-learn's values, in the same run.

scikit-learn computes the values only; we compute values and influences (what intervals are made of).
Both sides alternate, medians are compared: read the ratios, the milliseconds belong to the machine.

    python benchmarks/metric_values.py --rows 10000 100000 1000000
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from sklearn import metrics as peer

from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

PEERS: dict[str, tuple[str, Callable[..., float]]] = {
    "accuracy": ("labels", peer.accuracy_score),
    "f1": ("labels", peer.f1_score),
    "roc_auc": ("probability", peer.roc_auc_score),
    "average_precision": ("probability", peer.average_precision_score),
    "log_loss": ("probability", peer.log_loss),
    "brier_score": ("probability", peer.brier_score_loss),
}
SET = "all six"
Work = Callable[[list[str], np.ndarray, list[Predicted]], None]


def draw(rows: int, decimals: int | None) -> tuple[np.ndarray, list[Predicted]]:
    """Draw a truth and two correlated models; few decimals make ties."""
    rng = np.random.default_rng(20240)
    signal = rng.normal(size=rows)
    y = (signal + rng.normal(size=rows) > 1).astype(np.intp)
    models = []
    for noise in (0.5, 0.7):
        p = 1 / (1 + np.exp(1 - signal - noise * rng.normal(size=rows)))
        if decimals is not None:
            p = np.round(p, decimals)
        models.append(Predicted(labels=(p > 0.5).astype(np.intp), probability=p))
    return y, models


def fresh(model: Predicted) -> Predicted:
    """Return the model with nothing worked out yet."""
    return Predicted(labels=model.labels, probability=model.probability)


def ours(names: list[str], y: np.ndarray, models: list[Predicted]) -> None:
    truth = Truth(values=y, classes=(0, 1))
    roles = [fresh(model) for model in models]
    for name in names:
        metric = resolve(name)
        for role in roles:
            metric.value(truth, role)
            metric.influence(truth, role)


def theirs(names: list[str], y: np.ndarray, models: list[Predicted]) -> None:
    for name in names:
        form, function = PEERS[name]
        for model in models:
            function(y, getattr(model, form))


def timed(work: Work, names: list[str], y: np.ndarray, models: list[Predicted]) -> float:
    start = time.perf_counter()
    work(names, y, models)
    return (time.perf_counter() - start) * 1000


def peak_bytes_per_row(y: np.ndarray, models: list[Predicted]) -> float:
    """Return the extra memory at its peak, with every metric's influence dropped once it is there."""
    tracemalloc.start()
    ours(list(PEERS), y, models)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / len(y)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--decimals", type=int, help="round the probabilities, which makes ties")
    arguments = parser.parse_args()
    lines = []
    for rows in arguments.rows:
        y, models = draw(rows, arguments.decimals)
        memory = peak_bytes_per_row(y, models)
        for metric, names in [*((name, [name]) for name in PEERS), (SET, list(PEERS))]:
            pairs = [
                (timed(ours, names, y, models), timed(theirs, names, y, models))
                for _ in range(arguments.repeats + 1)
            ][1:]
            mine, peers = (statistics.median(side) for side in zip(*pairs, strict=True))
            line = {"rows": rows, "metric": metric, "ours_ms": round(mine, 3), "sklearn_ms": round(peers, 3)}
            line["ratio"] = round(mine / peers, 4)
            if metric == SET:
                line["peak_bytes_per_row"] = round(memory, 1)
            lines.append(line)
    print(f"{'rows':>10}  {'metric':<18} {'ours ms':>10} {'sklearn ms':>11} {'ratio':>7} {'bytes/row':>10}")
    for line in lines:
        print(
            f"{line['rows']:>10,}  {line['metric']:<18} {line['ours_ms']:>10.2f} {line['sklearn_ms']:>11.2f} "
            f"{line['ratio']:>7.3f} {line.get('peak_bytes_per_row', ''):>10}"
        )
    for line in lines:
        print(json.dumps(line))


if __name__ == "__main__":
    main()
