"""Rankings by query, against scikit-learn's loops, all orders of tied rows, and their own symmetries."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from pytest_model_gate.errors import EvaluationError, InvalidError, UndefinedMetricError
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

QUICK = settings(max_examples=20, deadline=None, derandomize=True)
STEMS = ("ndcg", "mean_average_precision", "mean_reciprocal_rank")
NAMES = tuple(name for stem in STEMS for name in (stem, f"{stem}@1", f"{stem}@3", f"{stem}@40"))


@st.composite
def ranked(draw, largest=6, weighted=True):
    """Queries of a few rows with relevance 0 to 3 and values that tie; one query has a relevant row."""
    sizes = draw(st.lists(st.integers(1, largest), min_size=1, max_size=8).filter(lambda s: sum(s) > 1))
    n = sum(sizes)
    relevance = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n).filter(any))
    value = np.array(draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n))) / 2
    queries = np.repeat(np.arange(len(sizes)), sizes)
    weight = None
    if weighted and draw(st.booleans()):
        by_query = draw(st.lists(st.integers(1, 9), min_size=len(sizes), max_size=len(sizes)))
        weight = np.array(by_query, dtype=np.float64)[queries]
        weight /= weight.mean()
    order = np.array(draw(st.permutations(range(n))))
    truth = Truth(
        values=np.array(relevance, dtype=np.float64)[order],
        queries=queries[order],
        weight=None if weight is None else weight[order],
    )
    return truth, Predicted(value=value[order])


def peer(name: str, relevance: np.ndarray, value: np.ndarray) -> float:
    """Return the value of one query, by other people's code or by trying every order of tied rows."""
    stem, _, cut = name.partition("@")
    k = int(cut) if cut else len(value)
    if not relevance.any():
        return np.nan
    if len(value) == 1:
        return 1.0
    if stem == "ndcg":
        return ndcg_score([relevance], [value], k=k)
    if stem == "mean_average_precision":
        return average_precision_at(relevance > 0, value, k)
    found = []
    for order in permutations(range(len(value))):
        shuffled = np.array(order)
        ranks = shuffled[np.argsort(-value[shuffled], kind="stable")]
        first = np.flatnonzero(relevance[ranks] > 0)[0] + 1
        found.append(1 / first if first <= k else 0.0)
    return float(np.mean(found))


def average_precision_at(relevant: np.ndarray, value: np.ndarray, k: int) -> float:
    """Return scikit-learn's average precision, or one loop over its thresholds where ranks are cut off."""
    if k >= len(value):
        return average_precision_score(relevant, value)
    total, found, rank = 0.0, 0.0, 0
    for threshold in sorted(set(value.tolist()), reverse=True):
        tied = relevant[value == threshold]
        taken = min(len(tied), max(0, k - rank))
        hits = tied.sum() * taken / len(tied)
        if taken:
            total += hits * (found + hits) / (rank + taken)
        found, rank = found + hits, rank + len(tied)
    return total / min(k, relevant.sum())


def values_by_loop(name, truth, predicted):
    codes = range(int(truth.queries.max()) + 1)
    return np.array(
        [peer(name, truth.values[truth.queries == q], predicted.value[truth.queries == q]) for q in codes]
    )


@pytest.mark.parametrize("name", NAMES)
@given(data=ranked())
@QUICK
def test_values_are_the_mean_of_the_queries_by_other_peoples_code(name, data):
    truth, predicted = data
    metric, expected = resolve(name), values_by_loop(name, truth, predicted)
    found, counted = metric.by_query(truth, predicted)
    assert (counted == ~np.isnan(expected)).all()
    np.testing.assert_allclose(found[counted], expected[counted], rtol=1e-12, atol=1e-14)

    weight = np.ones(truth.n) if truth.weight is None else truth.weight
    by_query = np.array([weight[truth.queries == q][0] for q in range(len(found))])
    mean = np.average(expected[counted], weights=by_query[counted])
    assert metric.value(truth, predicted) == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
@given(data=ranked(), seed=st.integers(0, 9))
@QUICK
def test_order_names_and_scale_do_not_matter(name, data, seed):
    truth, predicted = data
    metric = resolve(name)
    value = metric.value(truth, predicted)
    assert 0 <= value <= 1 + 1e-12

    rng = np.random.default_rng(seed)
    order, renamed = rng.permutation(truth.n), rng.permutation(int(truth.queries.max()) + 1)
    shuffled = Truth(
        values=truth.values[order],
        queries=renamed[truth.queries[order]],
        weight=None if truth.weight is None else truth.weight[order],
    )
    assert metric.value(shuffled, predicted.subset(order)) == pytest.approx(value, rel=1e-13)
    assert metric.value(truth, Predicted(value=np.exp(predicted.value))) == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(
        metric.influence(shuffled, predicted.subset(order)),
        metric.influence(truth, predicted)[order],
        atol=1e-12 * truth.n,
    )


@pytest.mark.parametrize("name", NAMES)
@given(data=ranked())
@QUICK
def test_every_query_twice_with_half_the_weight_is_the_same(name, data):
    truth, predicted = data
    metric, queries = resolve(name), int(truth.queries.max()) + 1
    twice = Truth(
        values=np.tile(truth.values, 2),
        queries=np.concatenate((truth.queries, truth.queries + queries)),
        weight=None if truth.weight is None else np.tile(truth.weight, 2),
    )
    again = Predicted(value=np.tile(predicted.value, 2))
    assert metric.value(twice, again) == pytest.approx(metric.value(truth, predicted), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
@given(data=ranked())
@QUICK
def test_influence_is_the_derivative_by_the_weight_of_a_query(name, data):
    truth, predicted = data
    metric, psi = resolve(name), resolve(name).influence(*data)
    assert psi.shape == (truth.n,)
    assert abs(psi.sum()) <= 1e-10 * truth.n
    weight = np.ones(truth.n) if truth.weight is None else truth.weight
    for query in range(int(truth.queries.max()) + 1):
        rows, step = truth.queries == query, 1e-5

        def moved(h, rows=rows):
            w = weight * np.where(rows, 1 + h, 1.0)
            return metric.value(Truth(values=truth.values, queries=truth.queries, weight=w), predicted)

        slope = truth.n * (moved(step) - moved(-step)) / (2 * step)
        assert psi[rows].sum() == pytest.approx(slope, abs=1e-6 * truth.n)
        assert np.ptp(psi[rows]) <= 1e-12 * truth.n  # rows of a query share it


@pytest.mark.parametrize("stem", STEMS)
def test_the_best_order_has_1_and_a_constant_the_mean_over_all_orders(stem):
    relevance = np.array([0.0, 2, 0, 1, 0, 0, 3, 0])
    truth = Truth(values=relevance, queries=np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    for name in (stem, f"{stem}@1", f"{stem}@2"):
        assert resolve(name).value(truth, Predicted(value=relevance)) == pytest.approx(1)
    constant = resolve(stem).value(truth, Predicted(value=np.zeros(8)))
    harmonic = (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4
    two_of_four = 6 / 12 * 1 + 4 / 12 / 2 + 2 / 12 / 3
    expected = {
        "mean_reciprocal_rank": (two_of_four + harmonic) / 2,
        "mean_average_precision": (2 / 4 + 1 / 4) / 2,
        "ndcg": (ndcg_score([relevance[:4]], [[0] * 4]) + ndcg_score([relevance[4:]], [[0] * 4])) / 2,
    }
    assert constant == pytest.approx(expected[stem], rel=1e-13)


def test_a_large_tie_keeps_its_digits():
    n, relevant = 4000, 3
    truth = Truth(values=(np.arange(n) < relevant).astype(np.float64), queries=np.zeros(n, dtype=np.intp))
    found = resolve("mean_reciprocal_rank").value(truth, Predicted(value=np.zeros(n)))
    # P(no relevant row among the first j), exactly enough by products.
    j = np.arange(1, n - relevant + 2)
    left = np.cumprod(np.concatenate(([1.0], (n - relevant - j[:-1] + 1) / (n - j[:-1] + 1))))
    assert found == pytest.approx(np.sum(left * relevant / (n - j + 1) / j), rel=1e-10)


def test_a_slice_keeps_its_queries_and_ranks_only_its_own_rows():
    truth = Truth(values=np.array([1.0, 0, 0, 1, 0, 2]), queries=np.array([0, 0, 1, 1, 3, 3]) // 1)
    value = Predicted(value=np.array([1.0, 2, 1, 2, 3, 1]))
    mask = np.array([True, False, False, True, True, True])
    part = truth.subset(mask)
    assert part.queries.tolist() == [0, 1, 2, 2]
    assert resolve("mrr").value(part, value.subset(mask)) == pytest.approx((1 + 1 + 1 / 2) / 3)


TIES = Predicted(value=np.zeros(4))
PAIRS = np.array([0, 0, 1, 1])


@pytest.mark.parametrize(
    ("truth", "error", "text"),
    [
        (
            Truth(values=np.ones(4)),
            EvaluationError,
            "ndcg ranks the rows of each query, and nothing says which rows belong to one query.\n"
            '  Name the column that does, query = "query_id", or pass query=... to compare.',
        ),
        (
            Truth(values=np.array([1.0, 0, -1, 0]), queries=PAIRS),
            InvalidError,
            "ndcg needs a target of 0 (irrelevant) or more; 1 of 4 rows are below 0.\n"
            "  Shift or clip the target.",
        ),
        (
            Truth(values=np.zeros(4), queries=PAIRS),
            UndefinedMetricError,
            "ndcg needs a query with a relevant row; all 4 rows of 2 queries have the relevance 0.\n"
            "  Check how the rows were selected; where this is a slice, raise its min_rows.",
        ),
        (
            Truth(values=np.ones(4), queries=PAIRS, weight=np.array([0.5, 1.5, 1, 1])),
            InvalidError,
            "The rows of a query must have one weight; in 1 of 2 queries weights differ.\n"
            "  Give all rows of a query one weight.",
        ),
    ],
)
def test_what_it_needs_is_said(truth, error, text):
    for ask in (resolve("ndcg").value, resolve("ndcg").influence, resolve("ndcg").by_query):
        with pytest.raises(error) as caught:
            ask(truth, TIES)
        assert type(caught.value) is error
        assert str(caught.value) == text
