"""The values of metrics that have no closed form: read from ``known_values.json``, which this script writes.

    python tests/error_rates/known_values.py

Each number is the mean over 40 samples of 250,000 rows, 10 million rows in all. Both models of a pair see the
same random numbers, so that the difference of their values is known much better than either.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from class_populations import AREA_GAP, many_class_forms
from query_populations import ROWS as ROWS_OF_QUERY
from query_populations import sampled_queries
from scipy.special import ndtr

from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

FILE = Path(__file__).with_name("known_values.json")
CLASSES = (3, 5)
PREVALENCES = (0.5, 0.1, 0.02)
SAMPLES, ROWS = 40, 250_000

#: Metrics of the probabilities of many classes.
SAMPLED = (
    "average_precision_macro",
    "average_precision_micro",
    "average_precision_weighted",
    "brier_score",
    "log_loss",
    "roc_auc_ovo",
    "roc_auc_ovr",
    "roc_auc_ovr_weighted",
    "top_k_accuracy@2",
)

#: Metrics of queries.
OF_QUERIES = ("mean_average_precision", "mean_reciprocal_rank", "ndcg")


def _key(metric: str, k: int, prevalence: float, area: float, *, worse: bool) -> str:
    return f"{metric} k={k} prevalence={prevalence:.4g} area={area:g} {'worse' if worse else 'reference'}"


@cache
def _known() -> dict[str, float]:
    found: dict[str, float] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def looked_up(metric: str, k: int, prevalence: float, area: float, *, worse: bool) -> float:
    """Return the true value of a metric of probabilities."""
    return _known()[_key(metric, k, prevalence, area, worse=worse)]


def sampled(
    k: int, prevalence: float, area: float, *, samples: int = SAMPLES, metrics: Iterable[str] = SAMPLED
) -> dict[str, float]:
    """Return the values of both models of a pair by simulation."""
    shares = np.array([(1 - prevalence) / (k - 1)] * (k - 1) + [prevalence])
    ends = np.cumsum(shares)
    ends[-1] = 1.0
    rng = np.random.default_rng([k, round(1000 * prevalence), round(1000 * area)])
    found: dict[str, list[float]] = {}
    for _ in range(samples):
        errors = rng.standard_normal((ROWS, k))
        y = np.searchsorted(ends, ndtr(rng.standard_normal(ROWS))).astype(np.intp)
        truth = Truth(values=y, classes=tuple(range(k)))
        for worse, true_area in ((False, area), (True, area - AREA_GAP[area])):
            forms = many_class_forms(y, errors, shares, true_area)
            predicted = Predicted(probability=forms["probability"])
            for name in metrics:
                key = _key(name, k, prevalence, area, worse=worse)
                found.setdefault(key, []).append(resolve(name).value(truth, predicted))
    return {key: float(np.mean(values)) for key, values in found.items()}


def sampled_by_query(
    relevant: float, area: float, *, metrics: Iterable[str] = OF_QUERIES
) -> dict[str, float]:
    """Return the values of both models of a pair that rank queries."""
    rng = np.random.default_rng([ROWS_OF_QUERY, round(1000 * relevant), round(1000 * area)])
    found: dict[str, list[float]] = {}
    for _ in range(SAMPLES):
        for worse, truth, predicted in sampled_queries(rng, ROWS // ROWS_OF_QUERY, relevant, area):
            for name in metrics:
                key = _key(name, ROWS_OF_QUERY, relevant, area, worse=worse)
                found.setdefault(key, []).append(resolve(name).value(truth, predicted))
    return {key: float(np.mean(values)) for key, values in found.items()}


def main() -> None:
    """Write what is missing in the file; delete it to write everything anew."""
    values: dict[str, float] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}

    def missing(metrics: Iterable[str], k: int, prevalence: float, area: float) -> tuple[str, ...]:
        return tuple(name for name in metrics if _key(name, k, prevalence, area, worse=True) not in values)

    for prevalence, area in itertools.product(PREVALENCES, AREA_GAP):
        wanted = missing(OF_QUERIES, ROWS_OF_QUERY, prevalence, area)
        if wanted:
            values |= sampled_by_query(prevalence, area, metrics=wanted)
            _write(values)
    for k, prevalence, area in itertools.product(CLASSES, PREVALENCES, AREA_GAP):
        rare = min(prevalence, 1 / k)
        wanted = missing(SAMPLED, k, rare, area)
        if wanted:
            values |= sampled(k, rare, area, metrics=wanted)
            _write(values)


def _write(values: dict[str, float]) -> None:
    FILE.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(values)} values", flush=True)


if __name__ == "__main__":
    main()
