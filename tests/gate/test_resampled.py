"""Metrics without influence: any value under weights gets a bootstrap interval, whatever the design."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pytest_model_gate import compare
from pytest_model_gate.errors import ConfigurationError, UndefinedMetricError
from pytest_model_gate.gate.measure import Sample, measure_floor, measure_pair
from pytest_model_gate.hooks import hookimpl
from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.bootstrap import Resampling
from pytest_model_gate.stats.design import Design

N = 240


def median_error(truth: Truth, predicted: Predicted) -> float:
    """Return the weighted median of the absolute errors."""
    assert predicted.value is not None
    errors = np.abs(truth.values - predicted.value)
    order = np.argsort(errors)
    weight = np.ones(truth.n) if truth.weight is None else truth.weight
    reached = np.cumsum(weight[order]) / weight.sum()
    return float(errors[order][np.searchsorted(reached, 0.5 - 1e-12)])


def many_medians(truth: Truth, predicted: Predicted) -> Any:
    assert predicted.value is not None
    errors = np.abs(truth.values - predicted.value)
    order = np.argsort(errors)
    ordered = errors[order]

    def of_weights(weights: np.ndarray) -> np.ndarray:
        reached = np.cumsum(weights[:, order], axis=1)
        reached /= reached[:, -1:]
        return ordered[(reached < 0.5 - 1e-12).sum(axis=1)]

    return of_weights


SLOW = Metric(
    name="median_absolute_error",
    task="regression",
    needs="value",
    higher_is_better=False,
    value=median_error,
    family="resampled",
    bounds=(0.0, float("inf")),
)
FAST = replace(SLOW, resampler=many_medians)

DESIGNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "weights": {"weight": True},
    "groups": {"groups": np.arange(N) // 6},
    "strata": {"strata": np.arange(N) // 80},
    "all": {"weight": True, "groups": np.arange(N) // 6, "strata": np.arange(N) // 60},
}


def rows(design: str = "plain", seed: int = 0) -> tuple[Sample, Predicted, Predicted]:
    rng = np.random.default_rng(11)
    y = rng.normal(size=N)
    first, second = (Predicted(value=y + scale * rng.standard_t(4, size=N)) for scale in (0.5, 0.55))
    given = dict(DESIGNS[design])
    weight = rng.integers(1, 4, N).astype(float) if given.pop("weight", False) else None
    truth = Truth(values=y, weight=None if weight is None else weight / weight.mean())
    return Sample(truth=truth, design=Design(n=N, **given), resampling=Resampling(seed=seed)), first, second


def shuffled(sample: Sample, *predicted: Predicted) -> tuple[Any, ...]:
    """Return the rows in another order, groups and strata called by other numbers."""
    rng = np.random.default_rng(5)
    order = rng.permutation(sample.n)
    design, weight = sample.design, sample.truth.weight

    def renamed(codes: Any) -> Any:
        return None if codes is None else rng.permutation(int(codes.max()) + 1)[codes[order]]

    truth = Truth(values=sample.truth.values[order], weight=None if weight is None else weight[order])
    other = Design(n=sample.n, groups=renamed(design.groups), strata=renamed(design.strata))
    return replace(sample, truth=truth, design=other), *(
        Predicted(value=each.value[order]) for each in predicted
    )


@pytest.mark.parametrize("metric", [SLOW, FAST], ids=["slow", "fast"])
@pytest.mark.parametrize("design", DESIGNS)
def test_order_does_not_matter_and_swapping_mirrors(design: str, metric: Metric) -> None:
    sample, first, second = rows(design)
    found = measure_pair(metric, sample, first, second).inference
    again = measure_pair(metric, *shuffled(sample, first, second)).inference
    mirrored = measure_pair(metric, *shuffled(sample, second, first)).inference
    low, high = found.bounds(0.05)

    assert again.bounds(0.05) == (low, high)
    assert again.standard_error == found.standard_error
    assert again.p_below(0.02) == found.p_below(0.02)
    assert mirrored.bounds(0.05) == (-high, -low)
    assert low < found.gain < high
    assert found.caution == ""


@pytest.mark.parametrize("design", DESIGNS)
def test_the_fast_form_says_what_the_value_says(design: str) -> None:
    sample, first, second = rows(design)
    slow, fast = (measure_pair(metric, sample, first, second).inference for metric in (SLOW, FAST))

    assert slow.method == "percentile and t bootstrap (1,999 resamples, seed 0)"
    assert fast.method == "percentile and t bootstrap (4,999 resamples, seed 0)"
    width = np.subtract(*fast.bounds(0.05)[::-1])
    assert slow.bounds(0.05) == pytest.approx(fast.bounds(0.05), abs=0.05 * width)


def test_a_seed_is_named_and_changes_only_the_noise() -> None:
    found, other = (measure_pair(FAST, *rows(seed=seed)).inference for seed in (0, 17))

    assert other.method == "percentile and t bootstrap (4,999 resamples, seed 17)"
    width = np.subtract(*found.bounds(0.05)[::-1])
    assert other.bounds(0.05) != found.bounds(0.05)
    assert other.bounds(0.05) == pytest.approx(found.bounds(0.05), abs=0.05 * width)


def test_a_floor_is_a_ceiling_for_losses() -> None:
    sample, first, _ = rows()
    found = measure_floor(FAST, sample, first, 0.5)
    low, high = found.inference.bounds(0.05)

    assert found.inference.gain == pytest.approx(0.5 - found.candidate)
    assert low < found.inference.gain < high
    assert measure_floor(FAST, *shuffled(sample, first), 0.5).inference.bounds(0.05) == (low, high)


def test_a_share_as_tolerance_is_noise_of_its_own() -> None:
    sample, first, second = rows()
    plain = measure_pair(FAST, sample, first, second).inference
    shared = measure_pair(FAST, sample, first, second, relative=0.3).inference

    assert shared.gain == plain.gain
    assert measure_pair(FAST, sample, first, second, relative=1e-9).inference.bounds(0.05) == pytest.approx(
        plain.bounds(0.05), abs=1e-6
    )
    # 1.3 * production - candidate varies more than their difference.
    assert shared.standard_error > 1.05 * plain.standard_error


def test_compare_takes_a_seed() -> None:
    sample, first, second = rows()
    made = [
        compare(sample.truth.values, first.value, second.value, metric=FAST, max_regression=0.1, seed=seed)
        for seed in (3, 3, 4)
    ]
    assert made[0] == made[1]
    assert made[0].interval.method == "percentile and t bootstrap (4,999 resamples, seed 3)"
    assert made[0].interval != made[2].interval


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0"])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        compare([0.0, 1.0], [0.0, 1.0], [0.0, 1.0], metric="mean_absolute_error", seed=seed)
    assert str(caught.value) == (
        f"seed must be a whole number of at least 0, got {seed!r}.\n  Usual is seed = 0."
    )


def test_there_is_no_influence_to_ask_for() -> None:
    sample, first, _ = rows()
    with pytest.raises(UndefinedMetricError, match="no influence function"):
        SLOW.influence(sample.truth, first)


def test_the_seed_of_a_gate_is_in_its_record(project: Any) -> None:
    class Plugin:
        @hookimpl
        def model_gate_metrics(self) -> list[Metric]:
            classification = replace(
                SLOW,
                name="median_distance",
                task="classification",
                needs="score",
                value=lambda truth, predicted: median_error(truth, Predicted(value=predicted.ranking)),
                resampler=lambda truth, predicted: many_medians(truth, Predicted(value=predicted.ranking)),
            )
            return [classification]

    project.registry.register(Plugin())
    record = project.record(metrics=("median_distance",), seed=42, baseline="")
    again = project.record(metrics=("median_distance",), seed=42, baseline="")

    (line,) = record.lines
    assert line.interval is not None
    assert line.interval.method == "percentile and t bootstrap (4,999 resamples, seed 42)"
    assert again.lines == record.lines
