"""Two models that rank the rows of queries: the query is what is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from layouts import Floats, Layout
from populations import Drawn, chunks, correlated
from scipy.special import ndtri

from pytest_model_gate.gate.by_query import design_of
from pytest_model_gate.gate.measure import Sample
from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.metrics.rows import Predicted, Truth

#: Rows of each query.
ROWS = 10

#: How far a step of relevance moves a score, by the reference's quality, and how much less it does for the
#: candidate that is worse.
STEPS = {0.7: 0.7, 0.9: 1.8, 0.99: 3.3}
LESS = 0.85

#: Queries are not equally hard: spread of the steps on the log scale.
_SPREAD = 0.3


@dataclass(frozen=True)
class Queries:
    """Two models whose scores are normal around a multiple of the relevance, which is 0, 1 or 2.

    ``relevant`` is the share of rows with any relevance, a third of which have 2. The layout's rows are
    queries.
    """

    relevant: float
    correlation: float
    area: float
    worse: float

    @classmethod
    def with_gap(cls, relevant: float, correlation: float, quality: float) -> Queries:
        """Return a pair whose candidate is worse by the usual factor."""
        return cls(relevant, correlation, quality, LESS)

    @property
    def equal(self) -> Queries:
        return replace(self, worse=1.0)

    def units(self, layout: Layout) -> float:
        return layout.units * (1 - (1 - self.relevant) ** ROWS)

    def values(self, metric: Metric) -> tuple[float, float]:
        from known_values import looked_up

        candidate, reference = (
            looked_up(metric.name, ROWS, self.relevant, self.area, worse=worse)
            for worse in (self.worse != 1, False)
        )
        return candidate, reference

    def draw(self, rng: np.random.Generator, layout: Layout, repetitions: int) -> Iterator[Drawn]:
        queries = np.repeat(np.arange(layout.n), ROWS)
        groups = None if layout.groups is None else layout.groups[queries]
        design = design_of(len(queries), queries, groups, None)
        for size in chunks(ROWS * layout.n, repetitions):
            relevance = relevances(layout.normals(rng, size, ROWS), self.relevant)
            ease = np.exp(_SPREAD * layout.normals(rng, size))[..., None]
            errors = correlated(layout.normals(rng, size, ROWS, 2), self.correlation)
            weights = layout.weights(rng, size)
            candidate, reference = (
                scores(relevance, ease, errors[..., index], STEPS[self.area] * factor)
                for index, factor in enumerate((self.worse, 1.0))
            )
            for index in range(size):
                truth = Truth(
                    values=relevance[index].ravel(),
                    weight=None if weights is None else weights[index][queries],
                    queries=queries,
                )
                yield Drawn(
                    Sample(truth=truth, design=design),
                    {"value": Predicted(value=candidate[index].ravel())},
                    {"value": Predicted(value=reference[index].ravel())},
                )


def relevances(normals: Floats, share: float) -> Floats:
    """Return 0, 1 or 2 for each row."""
    return (normals > ndtri(1 - share)).astype(np.float64) + (normals > ndtri(1 - share / 3))


def scores(relevance: Floats, ease: Floats, errors: Floats, step: float) -> Floats:
    """Return what a model says."""
    return np.asarray(step * ease * relevance + errors)


def sampled_queries(
    rng: np.random.Generator, queries: int, relevant: float, area: float
) -> Iterator[tuple[bool, Truth, Predicted]]:
    """Return a large sample for both models of a pair; ``True`` is the one that is worse."""
    relevance = relevances(rng.standard_normal((queries, ROWS)), relevant)
    ease = np.exp(_SPREAD * rng.standard_normal(queries))[:, None]
    errors = rng.standard_normal((queries, ROWS))
    codes: npt.NDArray[np.intp] = np.repeat(np.arange(queries), ROWS)
    truth = Truth(values=relevance.ravel(), queries=codes)
    for worse in (False, True):
        step = STEPS[area] * (LESS if worse else 1.0)
        yield worse, truth, Predicted(value=scores(relevance, ease, errors, step).ravel())
