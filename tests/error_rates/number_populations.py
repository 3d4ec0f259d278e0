"""Two models of numbers: their errors are independent of the target, with tails of three kinds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from layouts import Floats, Layout
from populations import MASS, POINTS, Drawn, chunks, correlated
from scipy.special import gammaincinv, log_ndtr, ndtr, ndtri, stdtrit

from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.metrics.rows import Predicted, Truth

# -- numbers -------------------------------------------------------------------------------------------

TAILS = ("normal", "t5", "exp2")

#: How much larger the errors of the worse candidate are.
WORSE = 1.1

#: Mean of the target: far enough from 0 for percentages.
LEVEL = 20.0


@dataclass(frozen=True)
class Numbers:
    """Two regressors whose errors don't depend on the target; ``explained`` is the reference's R2.

    ``exp2`` errors are squared exponentials with a random sign.
    """

    tail: str
    correlation: float
    explained: float
    worse: float

    @classmethod
    def with_gap(cls, tail: str, correlation: float, explained: float) -> Numbers:
        """Return a pair whose candidate is worse by the usual factor."""
        return cls(tail, correlation, explained, WORSE)

    @property
    def equal(self) -> Numbers:
        return replace(self, worse=1.0)

    @property
    def scale(self) -> float:
        """Of the reference's errors."""
        return math.sqrt(1 - self.explained)

    def units(self, layout: Layout) -> float:
        return layout.units

    def values(self, metric: Metric) -> tuple[float, float]:
        return (
            _number_value(metric, self.tail, self.scale * self.worse),
            _number_value(metric, self.tail, self.scale),
        )

    def draw(self, rng: np.random.Generator, layout: Layout, repetitions: int) -> Iterator[Drawn]:
        for size in chunks(layout.n, repetitions):
            y = LEVEL + self._target(rng, layout, size)
            errors = tailed(correlated(layout.normals(rng, size, 2), self.correlation), self.tail)
            weights = layout.weights(rng, size)
            strata = np.arange(layout.n) * 4 // layout.n
            candidate = y + self.scale * self.worse * errors[..., 0]
            reference = y + self.scale * errors[..., 1]
            for index in range(size):
                yield Drawn(
                    layout.sample(y[index], None, None if weights is None else weights[index], strata),
                    {"value": Predicted(value=candidate[index])},
                    {"value": Predicted(value=reference[index])},
                )

    def _target(self, rng: np.random.Generator, layout: Layout, size: int) -> Floats:
        if layout.stratified:  # so many rows of each quarter
            quarter = np.arange(layout.n) * 4 // layout.n
            return np.asarray(ndtri((quarter + rng.random((size, layout.n))) / 4))
        return layout.normals(rng, size)


def tailed(normals: Floats, tail: str) -> Floats:
    """Turn standard normals into errors of mean 0 and variance 1 with another tail."""
    if tail == "normal":
        return normals
    if tail == "t5":
        # By the lower tail on both sides, which keeps its digits.
        return np.asarray(-np.sign(normals) * stdtrit(5, ndtr(-np.abs(normals))) / math.sqrt(5 / 3))
    exponential = -(math.log(2) + log_ndtr(-np.abs(normals)))
    return np.asarray(np.sign(normals) * exponential**2 / math.sqrt(24))


@cache
def _number_value(metric: Metric, tail: str, scale: float) -> float:
    points, mass = POINTS[::2], MASS[::2] / MASS[::2].sum()
    y, z = np.meshgrid(points, points, indexing="ij")
    weight = np.outer(mass, mass).ravel()
    errors = scale * tailed(z.ravel(), tail)
    return metric.value(
        Truth(values=LEVEL + y.ravel(), weight=weight * len(weight)),
        Predicted(value=LEVEL + y.ravel() + errors),
    )


# -- positive numbers ----------------------------------------------------------------------------------

#: Shape of the gamma noise around what is expected: the smaller, the more rows are next to nothing.
SHAPES = {"normal": 20.0, "t5": 2.0, "exp2": 0.5}

#: Spread of the reference's errors on the log scale, by its quality.
SPREADS = {0.3: 0.8, 0.7: 0.4, 0.95: 0.15}


@dataclass(frozen=True)
class Positives:
    """Positive targets and predictions: gamma noise around an expectation that the models miss by a factor.

    The factor is log-normal with mean 1. ``tail`` names the noise as it names errors elsewhere.
    """

    tail: str
    correlation: float
    explained: float
    worse: float

    @classmethod
    def with_gap(cls, tail: str, correlation: float, explained: float) -> Positives:
        """Return a pair whose candidate is worse by the usual factor."""
        return cls(tail, correlation, explained, 2 * WORSE - 1)

    @property
    def equal(self) -> Positives:
        return replace(self, worse=1.0)

    @property
    def spread(self) -> float:
        """Of the reference's errors."""
        return SPREADS[self.explained]

    def units(self, layout: Layout) -> float:
        return layout.units

    def values(self, metric: Metric) -> tuple[float, float]:
        shape = SHAPES[self.tail]
        return (
            _positive_value(metric, shape, self.spread * self.worse),
            _positive_value(metric, shape, self.spread),
        )

    def draw(self, rng: np.random.Generator, layout: Layout, repetitions: int) -> Iterator[Drawn]:
        shape = SHAPES[self.tail]
        quarter = np.arange(layout.n) * 4 // layout.n
        for size in chunks(layout.n, repetitions):
            level = (
                ndtri((quarter + rng.random((size, layout.n))) / 4)
                if layout.stratified
                else layout.normals(rng, size)
            )
            expected = np.exp(_LEVEL_SPREAD * level)
            y = expected * noise(layout.normals(rng, size), shape)
            errors = correlated(layout.normals(rng, size, 2), self.correlation)
            weights = layout.weights(rng, size)
            candidate = expected * missed(errors[..., 0], self.spread * self.worse)
            reference = expected * missed(errors[..., 1], self.spread)
            for index in range(size):
                yield Drawn(
                    layout.sample(y[index], None, None if weights is None else weights[index], quarter),
                    {"value": Predicted(value=candidate[index])},
                    {"value": Predicted(value=reference[index])},
                )


#: Spread of the expectations on the log scale.
_LEVEL_SPREAD = 0.5


def noise(normals: Floats, shape: float) -> Floats:
    """Turn standard normals into gamma noise with mean 1, as far into the tails as a float can tell."""
    place = np.clip(ndtr(normals), 1e-15, 1 - 1e-15)
    return np.asarray(np.maximum(gammaincinv(shape, place) / shape, 1e-12))


def missed(errors: Floats, spread: float) -> Floats:
    """Return the factor by which a model misses the expectation."""
    return np.asarray(np.exp(spread * errors - spread**2 / 2))


@cache
def _positive_value(metric: Metric, shape: float, spread: float) -> float:
    grids = [(POINTS[::step], MASS[::step] / MASS[::step].sum()) for step in (20, 5, 15)]
    level, gamma, error = np.meshgrid(*(points for points, _ in grids), indexing="ij")
    weight = np.einsum("i,j,k->ijk", *(mass for _, mass in grids)).ravel()
    expected = np.exp(_LEVEL_SPREAD * level.ravel())
    return metric.value(
        Truth(values=expected * noise(gamma.ravel(), shape), weight=weight * len(weight)),
        Predicted(value=expected * missed(error.ravel(), spread)),
    )


# -- quantiles -----------------------------------------------------------------------------------------

#: What a model promises that so many rows lie below its prediction.
PROMISED = 0.9


@dataclass(frozen=True)
class Quantiles:
    """Two models of a quantile, each with a share of rows below its predictions.

    ``covered`` is the reference's share; the candidate's is ``candidate_covered``.
    """

    covered: float
    correlation: float
    candidate_covered: float

    @classmethod
    def with_gap(cls, off: float, correlation: float, gap: float) -> Quantiles:
        """Return a pair: the reference is ``off`` below what was promised, the candidate ``gap`` more."""
        return cls(PROMISED - off, correlation, PROMISED - off - gap)

    @property
    def equal(self) -> Quantiles:
        return replace(self, candidate_covered=self.covered)

    def units(self, layout: Layout) -> float:
        return layout.units * (1 - PROMISED)

    def values(self, metric: Metric) -> tuple[float, float]:
        return _share_value(metric, self.candidate_covered), _share_value(metric, self.covered)

    def draw(self, rng: np.random.Generator, layout: Layout, repetitions: int) -> Iterator[Drawn]:
        quarter = np.arange(layout.n) * 4 // layout.n
        for size in chunks(layout.n, repetitions):
            y = layout.normals(rng, size)
            errors = correlated(layout.normals(rng, size, 2), self.correlation)
            weights = layout.weights(rng, size)
            candidate = y + ndtri(self.candidate_covered) - errors[..., 0]
            reference = y + ndtri(self.covered) - errors[..., 1]
            for index in range(size):
                yield Drawn(
                    layout.sample(y[index], None, None if weights is None else weights[index], quarter),
                    {"value": Predicted(value=candidate[index])},
                    {"value": Predicted(value=reference[index])},
                )


def _share_value(metric: Metric, share: float) -> float:
    truth = Truth(values=np.zeros(2), weight=2 * np.array([share, 1 - share]))
    return metric.value(truth, Predicted(value=np.array([1.0, -1.0])))
