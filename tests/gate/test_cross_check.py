"""A second opinion by the bootstrap: scores sorted once, kinds of rows counted, close to what is printed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pytest_model_gate import compare
from pytest_model_gate.gate.measure import Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.bootstrap_draws import Draws
from pytest_model_gate.stats.design import Design

N = 400


def scored(seed: int = 0, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.random(N) < 0.35).astype(np.intp)
    first, second = (rng.normal(size=N) + 1.2 * y for _ in range(2))
    return (y, np.round(first, 1), np.round(second, 1)) if ties else (y, first, second)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_sorting_once_gives_what_sorting_every_time_does(name: str, ties: bool) -> None:
    y, score, _ = scored(ties=ties)
    truth, predicted = Truth(values=y, classes=(0, 1)), Predicted(score=score)
    metric = resolve(name)
    weights = Draws.of(Design(n=N)).multiplicities(np.random.default_rng(1), 60)
    weights[0] *= 1 - y  # no positives
    assert metric.resampler is not None
    found = metric.resampler(truth, predicted)(weights)

    assert np.isnan(found[0])
    for value, weight in zip(found[1:], weights[1:], strict=True):
        drawn = weight > 0
        again = metric.value(replace(truth, weight=weight).subset(drawn), predicted.subset(drawn))
        assert value == pytest.approx(again, rel=1e-12)


def labels(seed: int = 0, k: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, N)
    first, second = (np.where(rng.random(N) < 0.8, y, rng.integers(0, k, N)) for _ in range(2))
    return y, first, second


@pytest.mark.parametrize(("name", "k"), [("f1", 2), ("matthews_corrcoef", 2), ("f1_macro", 3)])
def test_kinds_of_rows_say_what_the_rows_say(name: str, k: int) -> None:
    y, first, second = labels(k=k)
    sample = Sample(truth=Truth(values=y, classes=tuple(range(k))), design=Design(n=N))
    metric = replace(resolve(name), family="resampled")

    def forced(truth: Truth, predicted: Predicted) -> Any:
        """The same values from all rows."""

        def of_weights(weights: np.ndarray) -> np.ndarray:
            found = []
            for weight in weights:
                drawn = weight > 0
                found.append(
                    metric.value(replace(truth, weight=weight).subset(drawn), predicted.subset(drawn))
                )
            return np.array(found)

        return of_weights

    rows = replace(metric, resampler=forced, resamples=1_500)
    pair = Predicted(labels=first), Predicted(labels=second)
    by_kinds = measure_pair(metric, sample, *pair).inference
    by_rows = measure_pair(rows, sample, *pair).inference
    width = by_kinds.bounds(0.05)[1] - by_kinds.bounds(0.05)[0]

    assert by_kinds.method == "percentile and t bootstrap (4,999 resamples, seed 0)"
    assert by_kinds.bounds(0.05) == pytest.approx(by_rows.bounds(0.05), abs=0.06 * width)
    low, high = by_kinds.bounds(0.05)
    assert measure_pair(metric, sample, *pair[::-1]).inference.bounds(0.05) == (-high, -low)
    floor = measure_floor(metric, sample, pair[0], 0.5).inference
    assert floor.bounds(0.05)[0] < floor.gain < floor.bounds(0.05)[1]


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_second_opinion_on_a_ranking_is_close(name: str) -> None:
    y, first, second = scored()
    own, other = (
        compare(y, first, second, metric=name, max_regression=0.05, bootstrap=bootstrap)
        for bootstrap in (False, True)
    )
    width = own.interval.high - own.interval.low

    assert other.interval.method == "percentile and t bootstrap (4,999 resamples, seed 0)"
    assert (other.candidate, other.production, other.gain) == (own.candidate, own.production, own.gain)
    assert other.interval.low == pytest.approx(own.interval.low, abs=0.1 * width)
    assert other.interval.high == pytest.approx(own.interval.high, abs=0.1 * width)


@pytest.mark.parametrize("name", ["accuracy", "f1", "balanced_accuracy", "precision"])
def test_a_second_opinion_on_labels_is_close(name: str) -> None:
    y, first, second = labels(3)
    own, other = (
        compare(y, first, second, metric=name, max_regression=0.05, bootstrap=bootstrap)
        for bootstrap in (False, True)
    )
    width = own.interval.high - own.interval.low

    assert other.interval.low == pytest.approx(own.interval.low, abs=0.1 * width)
    assert other.interval.high == pytest.approx(own.interval.high, abs=0.1 * width)


def test_a_second_opinion_in_groups_draws_groups() -> None:
    rng = np.random.default_rng(7)
    groups = np.arange(N) // 10
    y = rng.normal(size=N)
    shared = rng.normal(size=N // 10)[groups]
    first, second = y + shared + 0.3 * rng.normal(size=N), y + 0.9 * shared
    own, other, rows = (
        compare(y, first, second, metric="mae", groups=given, bootstrap=bootstrap)
        for given, bootstrap in ((groups, False), (groups, True), (None, True))
    )

    assert other.standard_error == pytest.approx(own.standard_error, rel=0.1)
    assert rows.standard_error < 0.8 * other.standard_error
