"""KS: the same digits in every order of the rows, halves that keep groups together, and classes too small."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_model_gate.gate.crossfit import row_halves
from pytest_model_gate.gate.measure import Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design

KS = resolve("ks_statistic")
N = 400


def drawn(design):
    rng = np.random.default_rng(9)
    y = (np.arange(N) % 4 == 0).astype(np.intp)
    common = rng.normal(size=N)
    # Rounded: ties within and between the classes.
    scores = [np.round(y + common + 0.5 * rng.normal(size=N), 1) for _ in range(2)]
    weight = rng.gamma(4.0, size=N) if "weights" in design else None
    groups = np.arange(N) // 8 if "groups" in design else None
    return y, scores, weight, groups


def arranged(order, design):
    y, scores, weight, groups = drawn(design)
    weight = None if weight is None else weight[order] / weight.mean()
    groups = None if groups is None else groups[order]
    sample = Sample(
        truth=Truth(values=y[order], classes=("no", "yes"), weight=weight), design=Design(n=N, groups=groups)
    )
    return sample, *(Predicted(score=score[order]) for score in scores)


@pytest.mark.parametrize("design", ["plain", "weights", "groups", "weights and groups"])
def test_the_order_of_the_rows_changes_no_digit(design):
    rng = np.random.default_rng(1)
    found = []
    for order in (np.arange(N), rng.permutation(N), rng.permutation(N)):
        sample, candidate, reference = arranged(order, design)
        pair = measure_pair(KS, sample, candidate, reference)
        floor = measure_floor(KS, sample, candidate, 0.3)
        found.append((pair.candidate, pair.inference.bounds(0.05), floor.inference.bounds(0.05)))

    assert found[0] == found[1] == found[2]
    assert found[0][1][0] < found[0][1][1]


def test_half_of_the_groups_are_in_a_half():
    sample, candidate, _ = arranged(np.arange(N), "groups")
    halves = row_halves(KS, sample, candidate)

    assert halves is not None
    assert len(halves) == 4
    for half in halves:
        by_group = half.reshape(-1, 8)
        assert np.all(by_group == by_group[:, :1])
        assert 10 < by_group[:, 0].sum() < 40
    assert not np.array_equal(halves[0], halves[1])


def test_rows_that_are_drawn_plainly_need_no_halves_of_rows():
    sample, candidate, _ = arranged(np.arange(N), "plain")

    assert row_halves(KS, sample, candidate) is None


def test_a_model_that_ranks_the_wrong_way_round_is_as_far_apart():
    sample, candidate, reference = arranged(np.arange(N), "plain")
    turned = [Predicted(score=-each.score) for each in (candidate, reference)]

    right, wrong = measure_pair(KS, sample, candidate, reference), measure_pair(KS, sample, *turned)

    assert (right.candidate, right.reference) == (wrong.candidate, wrong.reference)


def test_fewer_than_50_rows_of_a_class_are_inconclusive():
    sample, candidate, reference = arranged(np.arange(N), "plain")
    few = np.where(np.cumsum(sample.truth.values) <= 49, sample.truth.values, 0)
    small = Sample(truth=Truth(values=few, classes=("no", "yes")), design=sample.design)

    found = measure_pair(KS, small, candidate, reference)

    assert found.caution == (
        "49 rows of class 'yes' are too few for an interval of ks_statistic, at least 50 are needed"
    )
    assert found.p_below(1.0) == 1.0
