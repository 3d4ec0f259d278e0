"""Populations whose metrics are known exactly: two models, and rows drawn from what they say.

Every population is a pair of models with normal latent scores (or errors), so that their quality, their
correlation and the rows' dependence are set one by one, and so that the value of every metric is an integral
that is computed once, without a sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from layouts import Floats, Layout

from pytest_model_gate.gate.measure import Sample
from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.metrics.rows import Predicted

#: Rows times repetitions that are drawn at once.
CHUNK = 400_000

#: Points of a standard normal, and their probabilities: sums over them are integrals, nearly to the last
#: digit.
_STEP = 0.02
POINTS = np.arange(-8.5, 8.5 + _STEP / 2, _STEP)
MASS = np.exp(-(POINTS**2) / 2)
MASS /= MASS.sum()


@dataclass(frozen=True, eq=False)
class Drawn:
    """One simulated holdout with what two models say, in the forms that metrics read.

    A metric of labels sees a model that gives nothing but labels.
    """

    sample: Sample
    candidate: dict[str, Predicted]
    reference: dict[str, Predicted]


class Population(Protocol):
    """A pair of models on an endless supply of rows."""

    @property
    def equal(self) -> Population:
        """The same with a candidate that is as good as the reference."""

    def values(self, metric: Metric) -> tuple[float, float]:
        """Return the true values of candidate and reference."""

    def draw(self, rng: np.random.Generator, layout: Layout, repetitions: int) -> Iterator[Drawn]:
        """Draw holdouts."""

    def units(self, layout: Layout) -> float:
        """Return the independent rows of the rarest kind, about."""


def correlated(pair: Floats, correlation: float) -> Floats:
    """Give two independent standard normals in the last axis a correlation, in place."""
    pair[..., 1] *= math.sqrt(1 - correlation**2)
    pair[..., 1] += correlation * pair[..., 0]
    return pair


def chunks(rows: int, repetitions: int) -> Iterator[int]:
    """Return how many repetitions of so many rows are drawn at once, again and again."""
    step = max(1, CHUNK // rows)
    for start in range(0, repetitions, step):
        yield min(step, repetitions - start)
