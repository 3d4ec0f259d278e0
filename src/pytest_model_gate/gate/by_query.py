"""Rows in queries: the query is what was drawn, so it is the unit of the design and of the interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import InvalidError, UndefinedMetricError
from ..metrics.metric import Metric
from ..metrics.queries import Queries
from ..metrics.rows import Floats, Ints, Predicted, Truth
from ..stats.design import Codes, Design
from ..stats.influence import from_influence
from ..stats.mean import mean_of_rows
from ..stats.student import Student
from ..stats.variance import MINIMUM_GROUPS
from .sample import Sample

#: Added to the sum of squares: that of three queries on which the models differ by all that they can. Most
#: queries are the same for two similar models, and then a few rare ones decide. Where none was drawn, the
#: bound at 5 % is 3 / Q from 0: the rule of three.
IMAGINARY_QUERIES = 3.0


def design_of(n: int, queries: Codes | None, groups: Codes | None, strata: Codes | None) -> Design:
    """Return the design of rows that may belong to queries.

    Rows of a query are not independent of each other, so the queries are the groups where none are given.

    Raises
    ------
    InvalidError
        If a query lies in several groups or strata.
    """
    if queries is None:
        return Design(n=n, groups=groups, strata=strata)
    _refuse_torn(queries, groups, "group")
    _refuse_torn(queries, strata, "stratum")
    if groups is None and int(queries.max()) + 1 < n:  # else every row is a query of its own
        groups = queries
    return Design(n=n, groups=groups, strata=strata)


def torn(queries: Codes, units: Codes) -> int:
    """Return how many queries have rows in several units."""
    found = np.empty(int(queries.max()) + 1, dtype=np.intp)
    found[queries] = units
    return len(np.unique(queries[found[queries] != units]))


def queries_pair(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, weight: float
) -> tuple[float, float, Student]:
    """Return the values of two models and the inference on the gain.

    Parameters
    ----------
    weight : float
        Of the reference in what is bounded: below 1 where a share of its value is tolerated.
    """
    assert metric.by_query is not None, "chosen for metrics that have it"
    first, counted = metric.by_query(sample.truth, candidate)
    second, _ = metric.by_query(sample.truth, reference)
    _require_an_order(metric, sample)
    drawn = _Drawn(sample, counted)
    values = drawn.mean(first), drawn.mean(second)
    # What a relative tolerance adds to each query is taken off the mean again: the gain stays the gain.
    gains = metric.sign * (first - weight * second)
    shift = metric.sign * (1 - weight) * values[1]
    return *values, drawn.inference(gains, shift, values, "paired t over queries")


def queries_one(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> tuple[float, Student]:
    """Return the value of one model and the inference on how far it is on the right side of a floor."""
    assert metric.by_query is not None, "chosen for metrics that have it"
    values, counted = metric.by_query(sample.truth, candidate)
    _require_an_order(metric, sample)
    drawn = _Drawn(sample, counted)
    value = drawn.mean(values)
    gains, shift = metric.sign * values, metric.sign * floor
    return value, drawn.inference(gains, shift, (value,), "t over queries")


def queries_in(sample: Sample) -> int:
    """Return how many queries there are."""
    return len(sample.truth.shared(Queries.of).size)


def _require_an_order(metric: Metric, sample: Sample) -> None:
    """Refuse rows of which no order is better than another: there every model has the value 1.

    The usual cause is a column that names rows, and not queries.
    """
    queries = sample.truth.shared(Queries.of)
    if not queries.ranked.any():
        single = "has one row" if len(queries.size) == sample.n else "has rows of one relevance only"
        raise UndefinedMetricError(
            f"{metric.name} needs a query whose rows differ in relevance; each of the {len(queries.size):,} "
            f"queries {single}.",
            "Check that query names what rows are ranked within; where this is a slice, raise its min_rows.",
        )


class _Drawn:
    """The queries that count: their weights, and the groups and strata that they were drawn in."""

    def __init__(self, sample: Sample, counted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        queries, design, weight = sample.truth.queries, sample.design, sample.truth.weight
        assert queries is not None, "the metric exists"
        row = np.empty(len(counted), dtype=np.intp)
        row[queries] = np.arange(sample.n)  # any row of each query
        groups = None if design.groups is None else design.groups[row]
        if groups is not None and int(groups.max()) + 1 == len(groups):
            groups = None  # the queries themselves: they are independent
        strata = None if design.strata is None else design.strata[row]
        self._counted = counted
        self._design = Design(n=len(counted), groups=groups, strata=strata).subset(counted)
        self._weight = None if weight is None else weight[row][counted]

    def mean(self, values: Floats) -> float:
        """Return the (weighted) mean over the queries that count."""
        found = values[self._counted]
        if self._weight is None:
            return float(found.mean())
        return float((self._weight * found).sum() / self._weight.sum())

    def inference(self, gains: Floats, shift: float, values: tuple[float, ...], method: str) -> Student:
        """Return the inference on the mean gain less ``shift``."""
        n = self._design.n
        if n < 2:
            raise UndefinedMetricError(
                f"An interval needs at least 2 queries with a relevant row, got {n}.",
                "Judge more queries, or set min_rows for slices.",
            )
        found = gains[self._counted]
        if self._weight is None and self._design.independent:
            size = max(map(abs, values))
            inference = mean_of_rows(found, shift, size=size, pseudo=IMAGINARY_QUERIES, method=method)
        else:
            gain = self.mean(gains) - shift
            psi = found - self.mean(gains)
            if self._weight is not None:
                psi *= self._weight / self._weight.mean()
            inference = from_influence(
                gain, psi, self._design, pseudo=IMAGINARY_QUERIES, method="influence over queries"
            )
        if inference.caution or n >= MINIMUM_GROUPS:
            return inference
        return replace(
            inference,
            caution=f"{n} queries with a relevant row are too few to tell how queries differ, at least "
            f"{MINIMUM_GROUPS} are needed",
        )


def query_notes(truth: Truth, slices: dict[str, Ints]) -> tuple[str, ...]:
    """Return what a reader should know about the queries of a gate.

    Parameters
    ----------
    truth : Truth
        The judged rows.
    slices : dict
        What slices are called -> the level of each row.
    """
    queries = truth.queries
    assert queries is not None, "asked for rows in queries"
    count = int(queries.max()) + 1
    found = []
    empty = count - len(np.unique(queries[truth.values > 0]))
    if empty:
        found.append(
            f"{empty:,} of {count:,} queries have no relevant row: they do not count, as no ranking of their "
            "rows is better than another"
        )
    for name, levels in slices.items():
        cut = torn(queries, levels)
        if cut:
            found.append(
                f"slices by {name} cut {cut:,} of {count:,} queries: there only the rows of the slice are "
                "ranked against each other"
            )
    return tuple(found)


def _refuse_torn(queries: Codes, units: Codes | None, what: str) -> None:
    if units is None:
        return
    astray = torn(queries, units)
    if astray:
        plural = {"group": "groups", "stratum": "strata"}[what]
        raise InvalidError(
            f"Each query must lie within one {what}, but {astray:,} of {int(queries.max()) + 1:,} lie in "
            "several.",
            f"Name {plural} that whole queries belong to, or leave the {plural} out.",
        )
