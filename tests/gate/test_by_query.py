"""The query is the unit: its intervals, its designs, its level; and gates that rank by query."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, sqrt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pytest_model_gate import Verdict, compare
from pytest_model_gate.errors import ConfigurationError, InvalidError, UndefinedMetricError
from pytest_model_gate.gate.by_query import IMAGINARY_QUERIES
from pytest_model_gate.gate.evaluate import Evaluation
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.gate.unpaired import compare_unpaired
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.spec import GateSpec, SliceSpec, Tolerance
from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.influence import from_influence
from pytest_model_gate.stats.mean import mean_of_rows
from pytest_model_gate.wording import roughly

NAMES = ("ndcg@10", "mean_average_precision", "mean_reciprocal_rank")


def drawn(queries=200, seed=0, noise=0.5, shared=1.0):
    """Return query, relevance and the values of candidate and production."""
    rng = np.random.default_rng(seed)
    query = np.repeat(np.arange(queries), rng.integers(2, 12, queries))
    n = len(query)
    relevance = rng.choice(4, p=[0.6, 0.2, 0.15, 0.05], size=n).astype(float)
    relevance[np.unique(query, return_index=True)[1]] += 1  # every query has something to find
    production = relevance + shared * rng.normal(size=n)
    return query, relevance, production + noise * rng.normal(size=n), production


def per_query(name, query, relevance, value):
    return resolve(name).by_query(Truth(values=relevance, queries=query), Predicted(value=value))[0]


# -- the interval ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_groups_of_rows_are_the_paired_t_test_over_queries(name):
    query, relevance, candidate, production = drawn()
    truth, metric = Truth(values=relevance, queries=query), resolve(name)
    first, second = (per_query(name, query, relevance, value) for value in (candidate, production))
    psi = metric.influence(truth, Predicted(value=candidate)) - metric.influence(
        truth, Predicted(value=production)
    )
    found = from_influence(first.mean() - second.mean(), psi, Design(n=len(query), groups=query))
    test = stats.ttest_rel(first, second)
    # Queries of more rows count for a little more in CR2, and few queries that differ are known less well.
    assert found.gain / found.standard_error == pytest.approx(test.statistic, rel=1e-3)
    assert 30 < found.df < test.df


@pytest.mark.parametrize("name", NAMES)
def test_the_interval_is_the_skewness_corrected_one_with_imaginary_queries(name):
    query, relevance, candidate, production = drawn()
    gains = per_query(name, query, relevance, candidate) - per_query(name, query, relevance, production)
    expected = mean_of_rows(gains, pseudo=IMAGINARY_QUERIES)
    found = compare(relevance, candidate, production, metric=name, query=query, max_regression=0.1)
    assert (found.interval.low, found.interval.high) == pytest.approx(expected.bounds(0.05), rel=1e-9)
    assert found.interval.method == "paired t over queries"
    squares = np.sum((gains - gains.mean()) ** 2) + 3
    assert found.standard_error == pytest.approx(sqrt(squares / 200 / 199), rel=1e-9)
    # Names and order of queries and rows change nothing.
    order = np.random.default_rng(1).permutation(len(query))
    again = compare(
        relevance[order],
        candidate[order],
        production[order],
        metric=name,
        query=[f"q{(7 * q) % 200}" for q in query[order]],
        max_regression=0.1,
    )
    assert again == found
    mirrored = compare(relevance, production, candidate, metric=name, query=query, max_regression=0.1)
    assert (mirrored.interval.low, mirrored.interval.high) == (-found.interval.high, -found.interval.low)


def test_no_difference_in_any_query_is_the_rule_of_three():
    """At 5 % nothing seen in Q queries leaves about 3 / Q of the worst kind."""
    query, relevance, _, production = drawn(queries=300)
    found = compare(relevance, production * 2, production, metric="mrr", query=query, max_regression=0.02)
    assert found.gain == 0
    assert 2.7 / 300 < -found.interval.low < 3 / 300
    assert found.verdict is Verdict.PASS


def test_queries_with_nothing_to_find_neither_help_nor_hurt():
    query, relevance, candidate, production = drawn(queries=60)
    found = compare(relevance, candidate, production, metric="ndcg", query=query, max_regression=0.05)
    more = np.arange(600) // 6
    padded = compare(
        np.append(relevance, np.zeros(600)),
        np.append(candidate, np.arange(600.0)),
        np.append(production, np.arange(600.0)),
        metric="ndcg",
        query=np.append(query, 1000 + more),
        max_regression=0.05,
    )
    assert padded.interval == found.interval
    assert (padded.candidate, padded.verdict) == (found.candidate, found.verdict)


def test_few_queries_are_a_caution():
    query, relevance, candidate, production = drawn(queries=4)
    found = compare(relevance, candidate, production, metric="ndcg", query=query, max_regression=0.99)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == (
        "4 queries with a relevant row are too few to tell how queries differ, at least 5 are needed"
    )


def test_a_relative_tolerance_is_a_contrast_over_queries():
    query, relevance, candidate, production = drawn()
    found = compare(relevance, candidate, production, metric="ndcg", query=query, max_regression="5%")
    first, second = (per_query("ndcg", query, relevance, value) for value in (candidate, production))
    contrast = mean_of_rows(first - 0.95 * second, pseudo=3.0)
    assert found.interval.low + found.tolerance == pytest.approx(contrast.bounds(0.05)[0], rel=1e-8)


# -- designs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_those_of_queries(name):
    query, relevance, candidate, production = drawn()
    weight = 1.0 + np.arange(200) % 4
    found = compare(
        relevance,
        candidate,
        production,
        metric=name,
        query=query,
        sample_weight=weight[query],
        max_regression=0.1,
    )
    first, second = (per_query(name, query, relevance, value) for value in (candidate, production))
    gains, scaled = first - second, weight / weight.mean()
    gain = np.average(gains, weights=weight)
    assert found.gain == pytest.approx(gain, rel=1e-10)
    psi = scaled * (gains - gain)
    squares = np.sum((psi - psi.mean()) ** 2) + 3
    assert found.standard_error == pytest.approx(sqrt(squares / 200 / 199), rel=1e-9)
    assert found.interval.method == "influence over queries"


def test_groups_of_queries_are_wider_and_have_their_own_degrees_of_freedom():
    rng = np.random.default_rng(5)
    query, relevance, _, production = drawn(noise=0)
    # A group's queries go wrong together.
    candidate = production + np.repeat(rng.normal(size=20), 10)[query] * rng.normal(size=len(query))
    alone = compare(relevance, candidate, production, metric="ndcg", query=query)
    grouped = compare(relevance, candidate, production, metric="ndcg", query=query, groups=query // 10)
    assert grouped.gain == alone.gain
    gains = per_query("ndcg", query, relevance, candidate) - per_query("ndcg", query, relevance, production)
    totals = np.bincount(np.arange(200) // 10, weights=gains - gains.mean())
    variance = 20 / 19 * np.sum((totals - totals.mean()) ** 2) / 200**2
    # An imaginary query counts for as many queries as one of a group does.
    effect = max(1.0, variance / (np.sum((gains - gains.mean()) ** 2) / 200 / 199))
    assert effect > 1.5
    assert grouped.standard_error == pytest.approx(sqrt(variance + 3 * effect**2 / 200 / 199), rel=1e-6)
    half = (grouped.interval.high - grouped.interval.low) / 2 / grouped.standard_error
    # 20 groups are few: skewed queries, which may have much in common, widen the bounds a little.
    assert 1 <= half / stats.t.ppf(0.95, 19) < 1.1


def test_queries_are_the_groups_of_metrics_of_rows():
    query, relevance, candidate, production = drawn()
    found = compare(relevance, candidate, production, metric="mse", query=query, max_regression=0.1)
    grouped = compare(relevance, candidate, production, metric="mse", groups=query, max_regression=0.1)
    assert found == grouped
    single = np.arange(len(query))
    assert compare(relevance, candidate, production, metric="mse", query=single) == compare(
        relevance, candidate, production, metric="mse"
    )


def test_two_samples_of_queries_are_compared_too():
    one, two = drawn(seed=1), drawn(seed=2)
    found = compare_unpaired(
        one[1], one[3], two[1], two[3], metric="ndcg", query=(one[0], two[0]), max_regression=0.1
    )
    assert found.verdict is Verdict.PASS
    assert found.candidate == pytest.approx(per_query("ndcg", one[0], one[1], one[3]).mean(), rel=1e-10)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (
            {"query": None},
            ConfigurationError,
            "ndcg ranks the rows of each query, and nothing says which rows belong to one query.\n"
            "  Pass query=... (in the shell --query), which holds the query of each row.",
        ),
        (
            {"groups": True},
            InvalidError,
            "Each query must lie within one group, but 200 of 200 lie in several.\n"
            "  Name groups that whole queries belong to, or leave the groups out.",
        ),
        (
            {"strata": True},
            InvalidError,
            "Each query must lie within one stratum, but 200 of 200 lie in several.\n"
            "  Name strata that whole queries belong to, or leave the strata out.",
        ),
        (
            {"sample_weight": True},
            InvalidError,
            "The rows of a query must have one weight; in 200 of 200 queries weights differ.\n"
            "  Give all rows of a query one weight.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(given, error, text):
    query, relevance, candidate, production = drawn()
    within = np.arange(len(query)) - np.searchsorted(query, query)
    arguments = {"query": query} | {
        key: 1 + within % 2 if value is True else value for key, value in given.items()
    }
    with pytest.raises(error) as caught:
        compare(relevance, candidate, production, metric="ndcg", **arguments)
    assert str(caught.value) == text


# -- the level ----------------------------------------------------------------------------------------------


def missed(population, queries, draws=4000, pseudo=IMAGINARY_QUERIES):
    """Return how often a truth at the margin passes and is accused: by us, and by the plain t interval."""
    rng, truth, found = np.random.default_rng(8), population.mean(), np.zeros(4)
    plain = stats.t.ppf(0.95, queries - 1)
    for gains in rng.choice(population, size=(draws, queries)):
        low, high = mean_of_rows(gains, pseudo=pseudo).bounds(0.05)
        half = plain * gains.std(ddof=1) / sqrt(queries)
        found += low > truth, high < truth, gains.mean() - half > truth, gains.mean() + half < truth
    return found / draws


MOST = 0.05 + 4 * sqrt(0.05 * 0.95 / 4000)


@pytest.fixture(scope="module")
def populations():
    """Return differences of many queries: models that differ everywhere, here and there, and rarely."""
    found = {}
    for label, noise, shared in (("everywhere", 1.0, 1.0), ("here and there", 0.1, 1.0)):
        query, relevance, candidate, production = drawn(20_000, seed=6, noise=noise, shared=shared)
        for name in NAMES:
            found[label, name] = per_query(name, query, relevance, candidate) - per_query(
                name, query, relevance, production
            )
    rare = np.zeros(20_000)
    rare[:400] = -1.0
    found["rarely", "worst"] = rare
    rare = rare.copy()
    rare[-200:] = 1.0
    found["rarely", "both ways"] = rare
    return found


@pytest.mark.parametrize("queries", [5, 20, 60])
@pytest.mark.parametrize(
    "which",
    [
        *(("everywhere", name) for name in NAMES),
        *(("here and there", name) for name in NAMES),
        ("rarely", "worst"),
        ("rarely", "both ways"),
    ],
)
def test_it_keeps_its_level(which, queries, populations):
    found = missed(populations[which], queries, draws=1500)
    assert (found[:2] <= 0.05 + 4 * sqrt(0.05 * 0.95 / 1500)).all(), found


def test_the_plain_t_interval_over_queries_is_caught(populations):
    found = missed(populations["rarely", "worst"], 60, draws=1500)
    assert found[2] > 0.25  # nothing seen in 60 queries, and no width
    assert found[0] <= 0.05


def test_rows_taken_for_independent_are_caught():
    """Many rows of few queries: the mean squared error of queries that are wrong as a whole."""
    rng, wrong, right, query = np.random.default_rng(9), 0, 0, np.arange(400) // 20
    for _ in range(300):
        y = rng.normal(size=400)
        c, p = (y + 0.7 * rng.normal(size=20)[query] + 0.3 * rng.normal(size=400) for _ in range(2))
        wrong += compare(y, c, p, metric="mse").interval.low > 0
        right += compare(y, c, p, metric="mse", query=query).interval.low > 0
    assert right / 300 <= 0.05 + 4 * sqrt(0.05 * 0.95 / 300)
    assert wrong / 300 > 0.15


# -- gates --------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path):
    query, relevance, candidate, production = drawn(120)
    n = len(query)
    frame = pd.DataFrame(
        {
            "id": np.arange(n),
            "query_id": [f"q{q}" for q in query],
            "clicked": np.where(query < 6, 0.0, relevance),
            "brand": np.where(np.arange(n) % 2, "own", "other"),
            "country": np.where(query % 2, "se", "de"),
        }
    )
    frame.to_parquet(tmp_path / "data.parquet")
    frame[["id"]].assign(cand=candidate, prod=production).to_parquet(tmp_path / "scores.parquet")
    return GateSpec(
        name="search",
        candidate="predictions:scores.parquet#cand",
        production="predictions:scores.parquet#prod",
        baseline="mean",
        dataset="data.parquet",
        target="clicked",
        query="query_id",
        metrics=("ndcg@10", "mrr"),
        max_regression={"*": Tolerance(0.1)},
        key="id",
        root=str(tmp_path),
    )


def record(spec):
    registry = build_registry()
    return Evaluation(checked(spec, registry), registry, pin=True).record()


def test_a_gate_ranks_by_query_and_says_what_does_not_count(shop):
    found = record(shop)
    assert found.verdict is Verdict.PASS
    assert [(line.question, line.metric) for line in found.lines] == [
        ("regression", "ndcg@10"),
        ("regression", "mean_reciprocal_rank"),
        ("baseline", "ndcg@10"),
        ("baseline", "mean_reciprocal_rank"),
    ]
    assert found.lines[0].interval.method == "paired t over queries"
    assert (
        "6 of 120 queries have no relevant row: they do not count, as no ranking of their rows is better "
        "than another"
    ) in found.notes


def test_slices_that_cut_queries_rank_their_own_rows_and_say_so(shop):
    found = record(replace(shop, slices=(SliceSpec(by="brand"), SliceSpec(by="country"))))
    assert [note for note in found.notes if "cut" in note] == [
        "slices by brand cut 120 of 120 queries: there only the rows of the slice are ranked against each "
        "other"
    ]
    lines = {(line.metric, line.slice): line for line in found.lines if line.question == "regression"}
    frame = pd.read_parquet(f"{shop.root}/data.parquet").merge(
        pd.read_parquet(f"{shop.root}/scores.parquet"), on="id"
    )
    for column, value in (("brand", "own"), ("country", "se")):
        part = frame[frame[column] == value]
        codes = pd.factorize(part["query_id"])[0]
        truth = Truth(values=part["clicked"].to_numpy(), queries=codes)
        expected = resolve("ndcg@10").value(truth, Predicted(value=part["cand"].to_numpy()))
        assert lines["ndcg@10", f"{column}={value}"].candidate == pytest.approx(expected, rel=1e-10)


def test_a_ranking_metric_without_queries_is_a_mistake_of_the_gate(shop):
    with pytest.raises(ConfigurationError) as caught:
        checked(replace(shop, query=""), build_registry())
    assert str(caught.value) == (
        "gate 'search': ndcg@10 ranks the rows of each query, and nothing says which rows belong to one "
        "query.\n"
        '  Name the column that does: query = "query_id".'
    )


def test_rows_without_a_query_are_a_finding(shop):
    path = f"{shop.root}/data.parquet"
    frame = pd.read_parquet(path)
    frame.loc[3, "query_id"] = None
    frame.to_parquet(path)
    found = record(shop)
    assert found.verdict is Verdict.INVALID
    problem = next(check for check in found.checks if check.fails).findings[0]
    assert problem.subject == "query_id"
    assert "(query)" in problem.problem


@pytest.mark.parametrize("name", ["ndcg@10", "mean_average_precision", "mean_reciprocal_rank"])
@pytest.mark.parametrize(
    ("query", "relevance", "why"),
    [
        (np.arange(40), np.arange(40) % 2, "each of the 40 queries has one row."),
        (
            np.arange(40) // 4,
            np.arange(40) // 4 % 2,
            "each of the 10 queries has rows of one relevance only.",
        ),
    ],
)
def test_where_no_order_is_better_nothing_passes(name, query, relevance, why):
    scores = np.random.default_rng(0).random((2, 40))
    with pytest.raises(UndefinedMetricError) as caught:
        compare(relevance, *scores, metric=name, query=query, max_regression=0.5)
    assert str(caught.value) == (
        f"{name} needs a query whose rows differ in relevance; {why}\n"
        "  Check that query names what rows are ranked within; where this is a slice, raise its min_rows."
    )


def test_an_undecided_line_speaks_of_queries():
    query, relevance, candidate, production = drawn(120)
    found = compare(relevance, candidate, production, metric="ndcg@10", query=query, max_regression=0.001)
    rows, needed = len(query), found.rows_needed
    assert needed is not None
    more = roughly(ceil(needed * 120 / rows))
    assert found.reason == (
        f"120 queries resolve {found.minimum_detectable:.2g}; about {more} queries needed"
    )
