"""Weights far more unequal than the few rows that tell: undecided, instead of passed far too often."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_model_gate import compare

N = 1_000


def drawn(rng: np.random.Generator, sigma: float, share: float) -> tuple[np.ndarray, ...]:
    y = rng.integers(0, 2, N)
    return y, np.where(rng.random(N) < share, 1 - y, y), rng.lognormal(0, sigma, N)


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
@pytest.mark.parametrize(
    ("sigma", "share"), [(0.5, 0.02), (1.0, 0.02), (1.5, 0.02), (1.5, 0.05), (2.0, 0.05)]
)
def test_a_candidate_at_the_margin_rarely_passes_whatever_the_weights(metric, sigma, share):
    rng = np.random.default_rng(8)
    runs, passed = 150, 0
    for _ in range(runs):
        y, candidate, weight = drawn(rng, sigma, share)
        found = compare(y, candidate, y, metric=metric, max_regression=share, sample_weight=weight)
        passed += found.verdict.value == "pass"
    assert passed <= 0.12 * runs  # four standard errors above 5 %


def test_it_says_what_is_missing_and_swaps():
    y, candidate, weight = drawn(np.random.default_rng(8), 1.5, 0.02)
    found = compare(y, candidate, y, metric="accuracy", max_regression=0.1, sample_weight=weight)
    other = compare(y, y, candidate, metric="accuracy", max_regression=0.1, sample_weight=weight)
    apart = np.count_nonzero(candidate != y)
    skew = np.mean(weight**3) / np.mean(weight**2) ** 1.5
    needed = int(np.ceil((skew / 0.7) ** 2))
    assert found.verdict.value == other.verdict.value == "inconclusive"
    assert found.reason == other.reason
    assert found.reason == (
        f"{apart} rows tell the models apart, and the weights are so unequal that one that was not drawn "
        f"may count for more than these: at least {needed:,} are needed"
    )


@pytest.mark.parametrize("metric", ["mean_absolute_error", "roc_auc"])
def test_metrics_that_count_no_labels_have_guards_of_their_own(metric):
    rng = np.random.default_rng(8)
    y, _, weight = drawn(rng, 1.5, 0.02)
    scores = y + rng.normal(size=(2, N))
    found = compare(y, *scores, metric=metric, max_regression=0.3, sample_weight=weight)
    assert "tell the models apart" not in found.reason
