"""One feature against the target: what is perfect is found, and what only has many values is not."""

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from pytest_model_gate.stats.single_feature import area, explains, out_of_fold, separates


def test_the_area_is_scikit_learns():
    rng = np.random.default_rng(1)
    for _ in range(20):
        score, positive = rng.integers(0, 9, 300) / 3, rng.random(300) < 0.3
        assert area(score, positive) == pytest.approx(roc_auc_score(positive, score), abs=1e-12)


def test_every_row_is_scored_by_others_alone():
    levels, target = np.array([0, 0, 0, 1, 2]), np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    found = out_of_fold(levels, target)
    # Levels of one row have no others: the mean of all.
    assert found.tolist() == pytest.approx([0.5, 0.5, 1.0, 0.6, 0.6])


def test_an_identifier_predicts_nothing():
    rng = np.random.default_rng(2)
    positive = rng.random(5000) < 0.3
    found = separates(np.arange(5000), positive, ordered=rng.permutation(5000) * 1.0, alpha=0.05)
    assert found.value < 0.55
    fine = separates(rng.integers(0, 2500, 5000), positive, ordered=None, alpha=0.05)
    assert fine.value < 0.55


@pytest.mark.parametrize("shape", ["level", "threshold", "below", "two-sided"])
def test_what_tells_the_class_is_found(shape):
    rng = np.random.default_rng(3)
    x = rng.normal(size=4000)
    positive = {"level": x > 0.5, "threshold": x > 0.5, "below": x < 0.5, "two-sided": abs(x) > 1}[shape]
    bins = np.searchsorted(np.quantile(x, np.linspace(0, 1, 101)), x)
    levels = positive.astype(int) if shape == "level" else bins
    found = separates(levels, positive, ordered=None if shape == "level" else x, alpha=0.05)
    assert found.value > 0.99
    assert found.low > 0.98
    assert found.low < found.value or found.value == 1.0


def test_few_rows_prove_little_even_where_they_are_perfect():
    positive = np.arange(60) % 2 == 0
    found = separates(positive.astype(int), positive, ordered=None, alpha=0.05)
    assert found.value == 1.0
    assert found.low < 0.96


def test_the_share_that_is_explained():
    rng = np.random.default_rng(4)
    x = rng.normal(size=5000)
    bins = np.searchsorted(np.quantile(x, np.linspace(0, 1, 101)), x)
    half = explains(bins, x + rng.normal(size=5000), alpha=0.05)
    assert half.value == pytest.approx(0.5, abs=0.04)
    assert half.low < half.value
    # The target on another scale: of its values little is explained, of its ranks nearly all.
    copied = explains(bins, np.exp(5 * x), alpha=0.05)
    assert copied.low > 0.99


def test_an_identifier_explains_nothing():
    rng = np.random.default_rng(5)
    found = explains(np.arange(2000), rng.normal(size=2000), alpha=0.05)
    assert found.value < 0.01


def test_the_share_is_scikit_learns_of_the_same_scores():
    rng = np.random.default_rng(6)
    levels = rng.integers(0, 10, 800)
    target = levels + rng.normal(size=800)
    found = explains(levels, target, alpha=0.05)
    ranks = np.argsort(np.argsort(target)) + 1.0
    expected = [r2_score(values, out_of_fold(levels, values)) for values in (target, ranks)]
    assert min(abs(found.value - value) for value in expected) < 1e-12


def test_the_order_of_the_rows_changes_no_digit():
    rng = np.random.default_rng(7)
    levels, target = rng.integers(0, 30, 999), rng.normal(size=999)
    order = rng.permutation(999)
    assert explains(levels, target, alpha=0.05) == explains(levels[order], target[order], alpha=0.05)
    positive = target > 0
    assert separates(levels, positive, ordered=None, alpha=0.05) == separates(
        levels[order], positive[order], ordered=None, alpha=0.05
    )


def test_a_threshold_is_exceeded_by_chance_as_rarely_as_promised():
    """A feature whose area is exactly 0.9: the lower bound is above that in 5 of 100 samples, or fewer."""
    rng = np.random.default_rng(8)
    shift = 1.8123876  # the area of two normals that far apart is 0.9
    above = 0
    for _ in range(400):
        positive = np.arange(600) < 300
        x = rng.normal(size=600) + shift * positive
        bins = np.searchsorted(np.quantile(x, np.linspace(0, 1, 31)), x)
        above += separates(bins, positive, ordered=x, alpha=0.05).low > 0.9
    assert above <= 33  # 20 expected; more than 33 has a probability of 0.002
