"""Metrics of how values rank the rows of each query: NDCG, average precision and reciprocal rank.

Every query counts once, however many rows it has. All of them are computed in one pass over the sorted rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import EvaluationError, InvalidError
from .checked import checked, count, undefined
from .levels import Floats, Ints
from .metric import Metric
from .rows import Mask, Predicted, Truth

#: What to do where nothing says which rows belong together; {} is the metric.
UNGROUPED = "{} ranks the rows of each query, and nothing says which rows belong to one query."
NAME_QUERIES = 'Name the column that does, query = "query_id", or pass query=... to compare.'


@dataclass(frozen=True, kw_only=True, eq=False)
class Queries:
    """The rows of every query side by side, the most relevant first.

    Parameters
    ----------
    size : ndarray of int, shape (Q,)
        Rows.
    start : ndarray of int, shape (Q,)
        Position of the first one.
    weight : ndarray, shape (Q,), or None
        Of a query: that of each of its rows.
    relevance : ndarray, shape (n,)
        Of the row at each position.
    query, rank : ndarray of int, shape (n,)
        Of each position; ranks begin at 0.
    relevant : ndarray of int, shape (Q,)
        Rows with any relevance.
    """

    size: Ints
    start: Ints
    weight: Floats | None
    relevance: Floats
    query: Ints
    rank: Ints
    relevant: Ints

    @property
    def counted(self) -> Mask:
        """Which queries have anything to be found; no ranking of the others is better than another."""
        found: Mask = self.relevant > 0
        return found

    @property
    def ranked(self) -> Mask:
        """Which queries have rows of different relevance: one order of them is better than another."""
        found: Mask = self.relevance[self.start] > self.relevance[self.start + self.size - 1]
        return found

    @classmethod
    def of(cls, truth: Truth) -> Queries:
        """Sort the rows by query and relevance."""
        code = truth.queries
        assert code is not None, "checked before"
        size = np.bincount(code)
        start = np.cumsum(size) - size
        query = np.repeat(np.arange(len(size)), size)
        relevance = truth.values[_sorted(code, truth.levels.level, truth.levels.count)]
        return cls(
            size=size,
            start=start,
            weight=None if truth.weight is None else _query_weights(truth.weight, code, len(size)),
            relevance=relevance.astype(np.float64, copy=False),
            query=query,
            rank=np.arange(truth.n) - start[query],
            relevant=np.bincount(query, weights=relevance > 0).astype(np.intp),
        )

    def mean(self, values: Floats) -> float:
        """Return the (weighted) mean over the queries that count."""
        counted = self.counted
        if self.weight is None:
            return float(values[counted].mean())
        weight = self.weight[counted]
        return float((weight * values[counted]).sum() / weight.sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Ties:
    """Runs of rows of one query that a model gives the same value, the highest first.

    Parameters
    ----------
    query : ndarray of int, shape (T,)
        The query of each run.
    begin, end : ndarray of int, shape (T,)
        The ranks that the run takes, from 0; ``end`` is the first one after it.
    gain : ndarray, shape (T,)
        Sum of the relevance of its rows.
    relevant : ndarray of int, shape (T,)
        How many of its rows are relevant.
    """

    query: Ints
    begin: Ints
    end: Ints
    gain: Floats
    relevant: Ints

    @classmethod
    def of(cls, truth: Truth, predicted: Predicted) -> Ties:
        """Sort the rows by query and predicted value."""
        levels, code, queries = predicted.value_levels, truth.queries, truth.shared(Queries.of)
        assert levels is not None, "checked before"
        assert code is not None, "checked before"
        order = _sorted(code, levels.level, levels.count)
        level = levels.level[order]
        first = np.empty(truth.n, dtype=np.bool_)
        np.not_equal(level[1:], level[:-1], out=first[1:])
        first[queries.start] = True  # also the very first row
        at = np.flatnonzero(first)
        size = np.diff(at, append=truth.n)
        query = queries.query[at]
        begin = at - queries.start[query]
        relevance = truth.values[order]
        return cls(
            query=query,
            begin=begin,
            end=begin + size,
            gain=np.add.reduceat(relevance.astype(np.float64, copy=False), at),
            relevant=np.add.reduceat((relevance > 0).astype(np.intp), at),
        )

    def total(self, part: Floats, queries: int) -> Floats:
        """Add up what the runs of each query are worth."""
        return np.bincount(self.query, weights=part, minlength=queries).astype(np.float64, copy=False)


#: The values of all queries from the truth, a model's runs, and the last rank that counts.
OfQueries = Callable[[Queries, Ties, int], Floats]


def ndcg(name: str, k: float | None) -> Metric:
    """Return the mean discounted cumulative gain, as a share of that of the best order (Järvelin 2002).

    Gains are the relevance itself, discounts 1 / log2(rank + 1), and tied rows share the mean of their
    discounts, as in scikit-learn.
    """
    return _by_query(name, k, _ndcg)


def mean_average_precision(name: str, k: float | None) -> Metric:
    """Return the mean over the queries of scikit-learn's average precision.

    Tied rows are found at once. With ``k`` only the first k ranks are looked at, and the best that they
    could hold is 1: the sum of the precisions is divided by k where more rows are relevant.
    """
    return _by_query(name, k, _average_precision)


def mean_reciprocal_rank(name: str, k: float | None) -> Metric:
    """Return the mean of 1 / rank of the first relevant row, 0 where none is among the first k.

    Of tied rows any may come first: their mean over all orders counts (McSherry and Najork 2008).
    """
    return _by_query(name, k, _reciprocal_rank)


def _by_query(name: str, k: float | None, of_queries: OfQueries) -> Metric:
    def by_query(truth: Truth, predicted: Predicted) -> tuple[Floats, Mask]:
        queries = _required(name, truth)
        last = int(queries.size.max()) if k is None else int(k)
        return of_queries(queries, predicted.shared(Ties.of, truth), last), queries.counted

    def value(truth: Truth, predicted: Predicted) -> float:
        values, _ = by_query(truth, predicted)
        return truth.shared(Queries.of).mean(values)

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        values, counted = by_query(truth, predicted)
        queries = truth.shared(Queries.of)
        psi = np.where(counted, values - queries.mean(values), 0.0)
        if queries.weight is not None:
            psi *= queries.weight
        mass = counted.sum() if queries.weight is None else queries.weight[counted].sum()
        # Rows of a query share its influence, so that the sum over them is n / Q times that of the query.
        psi *= truth.n / mass / queries.size
        spread: Floats = psi[truth.queries]
        return spread

    return checked(
        Metric(
            name=name,
            task="regression",
            needs="value",
            higher_is_better=True,
            value=value,
            influence=influence,
            family="query",
            by_query=by_query,
            bounds=(0.0, 1.0),
        )
    )


def _required(name: str, truth: Truth) -> Queries:
    if truth.queries is None:
        raise EvaluationError(UNGROUPED.format(name), NAME_QUERIES)
    negative = int(np.count_nonzero(truth.values < 0))
    if negative:
        raise InvalidError(
            f"{name} needs a target of 0 (irrelevant) or more; {negative:,} of {count(truth.n)} are below 0.",
            "Shift or clip the target.",
        )
    queries = truth.shared(Queries.of)
    if not queries.counted.any():
        found = f"all {count(truth.n)} of {len(queries.size):,} queries have the relevance 0"
        raise undefined(name, "a query with a relevant row", found)
    return queries


def _ndcg(queries: Queries, ties: Ties, last: int) -> Floats:
    longest = int(queries.size.max())
    discount = 1 / np.log2(np.arange(2, longest + 2))
    discount[last:] = 0.0
    upto = np.concatenate(([0.0], np.cumsum(discount)))
    ideal = np.bincount(queries.query, weights=queries.relevance * discount[queries.rank])
    size = ties.end - ties.begin
    # A difference of sums has fewer right digits than the discount of a single row.
    share = np.where(size == 1, discount[ties.begin], (upto[ties.end] - upto[ties.begin]) / size)
    found = ties.total(ties.gain * share, len(queries.size))
    return _quotient(found, ideal)


def _average_precision(queries: Queries, ties: Ties, last: int) -> Floats:
    total = np.cumsum(ties.relevant)
    first = np.flatnonzero(np.diff(ties.query, prepend=-1))
    before = total - ties.relevant
    before -= before[first][ties.query]
    size = ties.end - ties.begin
    # Of a run that the last rank cuts, the share before the cut counts.
    found = ties.relevant * np.clip((last - ties.begin) / size, 0.0, 1.0)
    part = found * (before + found) / np.minimum(ties.end, last)
    return _quotient(ties.total(part, len(queries.size)), np.minimum(queries.relevant, last))


def _reciprocal_rank(queries: Queries, ties: Ties, last: int) -> Floats:
    hit = np.flatnonzero(ties.relevant)
    hit = hit[np.diff(ties.query[hit], prepend=-1) > 0]  # the first run of each query that has any
    part = np.zeros(len(ties.query))
    single = hit[(ties.end[hit] - ties.begin[hit]) == ties.relevant[hit]]
    part[single] = np.where(ties.begin[single] < last, 1 / (ties.begin[single] + 1.0), 0.0)
    mixed = np.setdiff1d(hit, single, assume_unique=True)
    if len(mixed):
        part[mixed] = _mean_reciprocal(ties.begin[mixed], ties.end[mixed], ties.relevant[mixed], last)
    return ties.total(part, len(queries.size))


def _mean_reciprocal(begin: Ints, end: Ints, relevant: Ints, last: int) -> Floats:
    """Return the mean of 1 / rank of the first relevant row over all orders of tied rows."""
    from scipy.special import gammaln

    size = end - begin
    places = size - relevant + 1  # the first relevant row cannot stand further down in its run
    run = np.repeat(np.arange(len(size)), places)
    j = np.arange(len(run)) - np.repeat(np.cumsum(places) - places, places) + 1
    m, t, rank = size[run], relevant[run], begin[run] + j
    # Orders with the first relevant row at place j: C(m - j, t - 1) of C(m, t).
    log = gammaln(m - j + 1) - gammaln(t) - gammaln(m - j - t + 2)
    log -= gammaln(m + 1) - gammaln(t + 1) - gammaln(m - t + 1)
    chance = np.where(rank <= last, np.exp(log) / rank, 0.0)
    return np.bincount(run, weights=chance, minlength=len(size)).astype(np.float64, copy=False)


def _quotient(part: Floats, whole: Floats | Ints) -> Floats:
    found = np.zeros(len(part))
    np.divide(part, whole, out=found, where=whole > 0)
    return found


def _sorted(query: Ints, level: Ints, levels: int) -> Ints:
    """Return the order of the rows by query, then from the highest level down."""
    # One key and not two: numpy's vectorised sort needs no stability where equal keys are equal rows.
    key = query * levels
    key -= level
    order: Ints = np.argsort(key)
    return order


def _query_weights(weight: Floats, query: Ints, queries: int) -> Floats:
    found = np.empty(queries)
    found[query] = weight
    astray = len(np.unique(query[np.abs(weight - found[query]) > 1e-9 * found[query]]))
    if astray:
        raise InvalidError(
            f"The rows of a query must have one weight; in {astray:,} of {queries:,} queries weights differ.",
            "Give all rows of a query one weight.",
        )
    return found
