"""Properties that hold for every metric of the catalogue, whatever the rows: nothing unsound can pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.errors import ModelGateError
from pytest_model_gate.gate.measure import Measured, Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import names, resolve
from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.policy import decide
from pytest_model_gate.results import Verdict
from pytest_model_gate.stats.design import Design

ALPHA = 0.05
NAMES = names()

#: Metrics that a bootstrap stands behind take longer.
EXAMPLES, FEW_EXAMPLES = 40, 8


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of any kind, with what two models say about them."""

    sample: Sample
    candidate: Predicted
    reference: Predicted

    def take(self, rows: Any, weight: Any = None, groups: Any = None) -> Rows:
        """Return rows by position, maybe several times, with other weights and groups."""
        truth, design = self.sample.truth, self.sample.design
        if weight is None and truth.weight is not None:
            weight = truth.weight[rows]
        if groups is None and design.groups is not None:
            groups = design.groups[rows]
        return Rows(
            sample=Sample(
                truth=Truth(
                    values=truth.values[rows],
                    classes=truth.classes,
                    weight=weight,
                    queries=None if truth.queries is None else truth.queries[rows],
                ),
                design=Design(
                    n=len(rows),
                    groups=groups,
                    strata=None if design.strata is None else design.strata[rows],
                ),
            ),
            candidate=self.candidate.subset(rows),
            reference=self.reference.subset(rows),
        )


def measured(metric: Metric, rows: Rows, *, swap: bool = False, relative: float = 0.0) -> Measured | str:
    """Return what the product measures, or the whole text of its refusal: a sentence, and what to do."""
    pair = (rows.reference, rows.candidate) if swap else (rows.candidate, rows.reference)
    try:
        return measure_pair(metric, rows.sample, *pair, relative=relative)
    except ModelGateError as error:
        return refused(error)


def refused(error: ModelGateError) -> str:
    """Return the whole text of a refusal, which is a sentence and says what to do."""
    assert error.what.endswith("."), error.what
    assert error.remedy.endswith((".", "?")), error.remedy
    return str(error)


@st.composite
def any_rows(draw: st.DrawFn, metric: Metric) -> Rows:
    """Few rows, many ties, constant columns, absent classes, extreme weights, groups of one row."""
    n = draw(st.integers(2, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    k = 2 if metric.binary_only else draw(st.integers(2, 4))
    levels = draw(st.sampled_from([1, 2, 5, 1_000_000]))

    def numbers(*shape: int) -> np.ndarray:
        return (1 + rng.integers(levels, size=shape)) / (levels + 1)

    if metric.task == "regression":
        scale = 10.0 ** draw(st.integers(-3, 3))
        values, classes = scale * numbers(n), None
        if metric.family == "query":
            values = rng.integers(0, 3, size=n).astype(np.float64)
        forms = [Predicted(value=scale * numbers(n)) for _ in range(2)]
    else:
        values, classes = rng.integers(draw(st.integers(1, k)), size=n).astype(np.intp), tuple(range(k))
        forms = []
        for _ in range(2):
            probability = numbers(n, k)
            probability /= probability.sum(axis=1, keepdims=True)
            labels = probability.argmax(axis=1).astype(np.intp)
            forms.append(
                Predicted(labels=labels, probability=probability[:, 1].copy() if k == 2 else probability)
            )
    if draw(st.booleans()):  # a good model, and one that differs on a row or two
        good = (
            Predicted(value=np.where(rng.random(n) < 0.9, np.asarray(values, float), forms[0].value))
            if metric.task == "regression"
            else _right(values, forms[0], k)
        )
        forms[draw(st.integers(0, 1))] = good
    weight = {
        "none": None,
        "some": 1.0 + rng.integers(3, size=n),
        "extreme": 10.0 ** rng.integers(-3, 4, size=n),
    }[draw(st.sampled_from(["none", "none", "some", "extreme"]))]
    groups = draw(st.sampled_from(["none", "none", "single", "some", "one"]))
    codes = {
        "none": None,
        "single": np.arange(n),
        "some": np.unique(rng.integers(max(1, n // 2), size=n), return_inverse=True)[1],
        "one": np.zeros(n, dtype=np.intp),
    }[groups]
    strata = None
    if codes is None and draw(st.booleans()):
        strata = np.unique(rng.integers(3, size=n), return_inverse=True)[1]
    queries = None
    if metric.family == "query":
        queries, codes, strata = (
            np.unique(rng.integers(max(1, n // 3), size=n), return_inverse=True)[1],
            None,
            None,
        )
        weight = None if weight is None else weight[queries]
    return Rows(
        sample=Sample(
            truth=Truth(
                values=values,
                classes=classes,
                weight=None if weight is None else weight / weight.mean(),
                queries=queries,
            ),
            design=Design(n=n, groups=codes, strata=strata),
        ),
        candidate=forms[0],
        reference=forms[1],
    )


def _right(values: np.ndarray, other: Predicted, k: int) -> Predicted:
    probability = np.full((len(values), k), 0.1 / k)
    probability[np.arange(len(values)), values] += 0.9
    if k == 2:
        return Predicted(labels=values.copy(), probability=probability[:, 1].copy())
    assert other.labels is not None
    return Predicted(labels=values.copy(), probability=probability)


def bounds(found: Measured) -> tuple[float, float]:
    return found.inference.bounds(ALPHA)


def verdict(found: Measured, required: float) -> Verdict:
    low, high = bounds(found)
    return decide(
        question="regression",
        low=low,
        high=high,
        required=required,
        alpha=ALPHA,
        p_regressed=found.p_below(required),
        identical=found.identical,
        caution=found.caution,
    ).verdict


def examples(name: str) -> int:
    return FEW_EXAMPLES if resolve(name).family == "resampled" else EXAMPLES


def sound(found: Measured, metric: Metric) -> None:
    """Check one measurement: numbers, an interval around its estimate, and a p-value that agrees with it."""
    gain = found.inference.gain
    low, high = bounds(found)
    assert all(math.isfinite(number) for number in (found.candidate, found.reference, gain))
    assert math.isfinite(found.inference.standard_error)
    assert found.inference.standard_error >= 0
    assert low <= gain <= high
    if metric.family != "binned":  # what is left without its noise may be below 0
        assert metric.bounds[0] - 1e-9 <= found.candidate <= metric.bounds[1] + 1e-9
    if not math.isfinite(low):  # nothing is known: then nothing may be decided
        assert found.caution
        return
    wide = max(high - low, 1e-9 * max(abs(low), abs(high)), 1e-300)
    assert 0 <= found.p_below(high) <= 1
    if low == high:  # no width at all: only many rows that all say the same may speak so
        assert found.caution or found.identical
    elif not found.caution:
        assert found.p_below(high + 1e-4 * wide) < ALPHA + 1e-12
        assert found.p_below(high - 1e-4 * wide) >= ALPHA - 1e-12
        assert found.p_below(low) > ALPHA
    assert found.p_below(gain) >= 0.5
    if found.caution:
        assert verdict(found, low - wide) in (Verdict.INCONCLUSIVE, Verdict.PASS)
        assert found.identical or verdict(found, low - wide) is Verdict.INCONCLUSIVE
        assert found.identical or verdict(found, high + wide) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("name", NAMES)
def test_whatever_the_rows_the_answer_is_sound_or_a_sentence(name: str) -> None:
    metric = resolve(name)

    @settings(max_examples=examples(name))
    @given(any_rows(metric), st.sampled_from([0.0, 0.1]))
    def holds(rows: Rows, relative: float) -> None:
        found = measured(metric, rows, relative=0.0 if metric.crosses_zero else relative)
        if isinstance(found, Measured):
            sound(found, metric)
        try:
            floor = measure_floor(metric, rows.sample, rows.candidate, 0.4)
        except ModelGateError as error:
            refused(error)
        else:
            sound(floor, metric)
            assert not floor.identical

    holds()


@pytest.mark.parametrize("name", NAMES)
def test_swapping_and_shuffling_change_nothing_else(name: str) -> None:
    metric = resolve(name)

    @settings(max_examples=examples(name))
    @given(any_rows(metric), st.randoms(use_true_random=False))
    def holds(rows: Rows, random: Any) -> None:
        order = list(range(rows.sample.n))
        random.shuffle(order)
        found, other = measured(metric, rows), measured(metric, rows, swap=True)
        shuffled = measured(metric, rows.take(np.array(order)))
        if isinstance(found, str):
            assert isinstance(shuffled, str)
            assert isinstance(other, str)
            return
        assert isinstance(other, Measured)
        assert isinstance(shuffled, Measured)
        low, high = bounds(found)
        assert bounds(other) == (-high, -low)
        assert (other.candidate, other.reference) == (found.reference, found.candidate)
        assert bool(other.caution) == bool(found.caution)
        assert (shuffled.candidate, shuffled.reference) == (found.candidate, found.reference)
        assert bounds(shuffled) == (low, high)
        assert shuffled.p_below(-0.01) == found.p_below(-0.01)
        assert shuffled.caution == found.caution

    holds()
