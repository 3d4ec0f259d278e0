"""Counts in the smallest type that holds them: at the edge of each rule nothing overflows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.levels import Levels, at_or_above, count_type, middle
from pytest_model_gate.metrics.ranking import Ranks, auc, auc_influence, average_precision_of
from pytest_model_gate.metrics.rows import Predicted, Truth

MOST = 2**31 - 1


def test_the_rule_changes_where_a_count_no_longer_fits() -> None:
    assert count_type(0) is np.int32
    assert count_type(MOST) is np.int32
    assert count_type(MOST + 1) is np.intp
    assert np.array(MOST, dtype=count_type(MOST)) == MOST


@pytest.mark.parametrize("ties", [False, True])
def test_counts_of_levels_are_small_and_weights_are_not(ties: bool) -> None:
    column = np.random.default_rng(1).normal(size=500)
    levels = Levels.of(np.round(column, 1) if ties else column)
    rows = np.arange(0, 500, 3)
    for some in (None, rows):
        assert levels.mass(None, some).dtype == np.int32
        assert levels.mass(np.ones(500), some).dtype == np.float64
        assert np.array_equal(levels.mass(None, some), levels.mass(np.ones(500), some))


def _ranks(positive: list[int], negative: list[int]) -> Ranks:
    """Return ranks of so many rows that no test could hold them: only their counts are there."""
    levels = Levels(level=np.arange(len(positive)), count=len(positive))
    counts = (np.array(each, dtype=np.int32) for each in (positive, negative))
    return Ranks(levels=levels, positive=next(counts), negative=next(counts))


def test_sums_of_counts_at_the_edge() -> None:
    mass = np.array([MOST - 3, 1, 2], dtype=np.int32)
    assert middle(mass).tolist() == [(MOST - 3) / 2, MOST - 3 + 0.5, MOST - 1]
    assert at_or_above(mass).tolist() == [MOST, 3, 2]
    assert at_or_above(mass, out=mass).tolist() == [MOST, 3, 2]
    assert mass.dtype == np.int32


def test_areas_and_precisions_of_as_many_rows_as_fit() -> None:
    positive, negative = [10**9, 7, 5], [2**31 - 1 - 10**9 - 112, 60, 40]
    ranks = _ranks(positive, negative)
    assert sum(positive) + sum(negative) == MOST
    beaten = below = 0
    for hits, misses in zip(positive, negative, strict=True):
        beaten += hits * (2 * below + misses)
        below += misses
    exact = Fraction(beaten, 2 * sum(positive) * sum(negative))
    assert auc(ranks) == pytest.approx(float(exact), rel=1e-14)
    precision = Fraction(0)
    for at in range(3):
        share = Fraction(sum(positive[at:]), sum(positive[at:]) + sum(negative[at:]))
        precision += positive[at] * share / sum(positive)
    assert average_precision_of(ranks) == pytest.approx(float(precision), rel=1e-14)
    # The mean influence of all rows is 0: each of the three levels stands for its counts.
    at_level = np.arange(3)
    of_positive = auc_influence(ranks, at_level)
    of_negative = auc_influence(ranks, at_level[:0])
    total = sum(Fraction(float(psi)) * hits for psi, hits in zip(of_positive, positive, strict=True))
    total += sum(Fraction(float(psi)) * misses for psi, misses in zip(of_negative, negative, strict=True))
    assert float(total) / MOST == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 11, 12, 181, 182])
def test_cells_are_counted_right_where_their_type_changes(classes: int) -> None:
    """121, 144, 32,761 and 33,124 cells: one and two bytes hold 128 and 32,768."""
    rng = np.random.default_rng(classes)
    y = np.concatenate((np.arange(classes), rng.integers(0, classes, 3000)))
    said = np.concatenate((np.arange(classes), rng.integers(0, classes, 3000)))
    metric, truth = resolve("cohen_kappa"), Truth(values=y, classes=tuple(range(classes)))
    predicted = Predicted(labels=said)
    psi = metric.influence(truth, predicted)
    matrix = confusion_matrix(y, said, labels=np.arange(classes))
    assert metric.cell_influence is not None
    assert np.array_equal(psi, metric.cell_influence(matrix.astype(float))[y, said])
