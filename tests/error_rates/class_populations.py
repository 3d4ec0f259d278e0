"""Two models of classes: their scores are normal within each class, and their probabilities calibrated."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from layouts import Floats, Layout
from populations import MASS, POINTS, Drawn, chunks, correlated
from scipy.special import expit, logit, ndtr, ndtri, softmax

from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.metrics.rows import Predicted, Truth

# -- two classes ---------------------------------------------------------------------------------------

#: How much area the worse candidate loses, by the reference's area.
AREA_GAP = {0.7: 0.03, 0.9: 0.02, 0.99: 0.007}

#: Rows that are labelled positive, per positive row.
RAISED = 1.25


@dataclass(frozen=True)
class TwoClasses:
    """Two models whose scores are normal in each class; probabilities are calibrated.

    A row is labelled positive where its score is among the highest, a quarter more than there are positives.
    """

    prevalence: float
    correlation: float
    area: float
    candidate_area: float

    @classmethod
    def with_gap(cls, prevalence: float, correlation: float, quality: float) -> TwoClasses:
        """Return a pair whose candidate is worse by the usual step."""
        return cls(prevalence, correlation, quality, quality - AREA_GAP[quality])

    @property
    def equal(self) -> TwoClasses:
        return replace(self, candidate_area=self.area)

    def units(self, layout: Layout) -> float:
        rare = layout.units * self.prevalence
        return min(rare, layout.units)

    def values(self, metric: Metric) -> tuple[float, float]:
        return (
            _two_class_value(metric, self.prevalence, self.candidate_area),
            _two_class_value(metric, self.prevalence, self.area),
        )

    def draw(self, rng: np.random.Generator, layout: Layout, repetitions: int) -> Iterator[Drawn]:
        for size in chunks(layout.n, repetitions):
            y = _two_classes(rng, layout, size, self.prevalence)
            errors = correlated(layout.normals(rng, size, 2), self.correlation)
            weights = layout.weights(rng, size)
            candidate, reference = (
                _two_class_forms(y, errors[..., index], self.prevalence, area)
                for index, area in enumerate((self.candidate_area, self.area))
            )
            for index in range(size):
                yield Drawn(
                    layout.sample(y[index], 2, None if weights is None else weights[index], y[index]),
                    _at(candidate, index),
                    _at(reference, index),
                )


def _two_classes(
    rng: np.random.Generator, layout: Layout, size: int, prevalence: float
) -> npt.NDArray[np.intp]:
    if layout.stratified:
        positives = max(1, round(prevalence * layout.n))
        return np.broadcast_to(np.arange(layout.n) < positives, (size, layout.n)).astype(np.intp)
    return (layout.normals(rng, size) > ndtri(1 - prevalence)).astype(np.intp)


def separation(area: float) -> float:
    """Return the distance of two normal classes with this area."""
    return float(math.sqrt(2) * ndtri(area))


@cache
def threshold(prevalence: float, shift: float) -> float:
    """Return the score above which rows are labelled positive: a quarter more than there are positives."""
    low, high = -9.0, 9.0 + shift
    for _ in range(200):
        middle = (low + high) / 2
        above = prevalence * ndtr(shift - middle) + (1 - prevalence) * ndtr(-middle)
        low, high = (middle, high) if above > RAISED * prevalence else (low, middle)
    return (low + high) / 2


def _two_class_forms(
    y: npt.NDArray[np.intp], errors: Floats, prevalence: float, area: float
) -> dict[str, npt.NDArray[Any]]:
    shift = separation(area)
    scores = errors + shift * y
    return {
        "labels": (scores > threshold(prevalence, shift)).astype(np.intp),
        "score": scores,
        "probability": expit(logit(prevalence) + shift * scores - shift**2 / 2),
    }


@cache
def _two_class_value(metric: Metric, prevalence: float, area: float) -> float:
    """Return the metric of the whole population: weighted points take the place of an integral."""
    shift = separation(area)
    if metric.needs == "label":
        # Four cells, exactly.
        above = threshold(prevalence, shift)
        found, raised = float(ndtr(shift - above)), float(ndtr(-above))
        mass = [
            (1 - prevalence) * (1 - raised),
            (1 - prevalence) * raised,
            prevalence * (1 - found),
            prevalence * found,
        ]
        return metric.value(
            Truth(values=np.array([0, 0, 1, 1]), classes=(0, 1), weight=4 * np.array(mass)),
            Predicted(labels=np.array([0, 1, 0, 1])),
        )
    y, scores, mass = _population(prevalence, shift)
    forms = {
        "score": scores,
        "probability": expit(logit(prevalence) + shift * scores - shift**2 / 2),
    }
    return metric.value(Truth(values=y, classes=(0, 1), weight=mass * len(y)), Predicted(**forms))


def _population(prevalence: float, shift: float) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
    """Return points that stand for the population: their class, their score and their mass.

    The same scores for both classes, each with the density of the class: rankings need both on one level.
    """
    points = np.arange(-9.0, 9.0 + shift, 5e-4)
    densities = [np.exp(-((points - at) ** 2) / 2) for at in (0.0, shift)]
    shares = (1 - prevalence, prevalence)
    mass = np.concatenate([share * d / d.sum() for share, d in zip(shares, densities, strict=True)])
    return np.repeat([0, 1], len(points)), np.tile(points, 2), mass


# -- two classes, with probabilities that are off -------------------------------------------------------


#: That of an area of 0.8.
_SEPARATION = separation(0.8)


@dataclass(frozen=True)
class Miscalibrated:
    """Two models of one area whose log-odds are stretched and shifted; 1 and 0 leave them calibrated."""

    prevalence: float
    correlation: float
    stretch: float
    shift: float
    candidate_stretch: float
    candidate_shift: float

    @classmethod
    def with_gap(
        cls, prevalence: float, correlation: float, off: tuple[float, float], further: tuple[float, float]
    ) -> Miscalibrated:
        """Return a pair by stretch and shift of the reference and of the candidate."""
        return cls(prevalence, correlation, *off, *further)

    @property
    def equal(self) -> Miscalibrated:
        return replace(self, candidate_stretch=self.stretch, candidate_shift=self.shift)

    @property
    def _models(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return (self.candidate_stretch, self.candidate_shift), (self.stretch, self.shift)

    def units(self, layout: Layout) -> float:
        return layout.units * self.prevalence

    def values(self, metric: Metric) -> tuple[float, float]:
        candidate, reference = (_off_value(metric, self.prevalence, *model) for model in self._models)
        return candidate, reference

    def draw(self, rng: np.random.Generator, layout: Layout, repetitions: int) -> Iterator[Drawn]:
        for size in chunks(layout.n, repetitions):
            y = _two_classes(rng, layout, size, self.prevalence)
            errors = correlated(layout.normals(rng, size, 2), self.correlation)
            weights = layout.weights(rng, size)
            candidate, reference = (
                _off(errors[..., index] + _SEPARATION * y, self.prevalence, *model)
                for index, model in enumerate(self._models)
            )
            for index in range(size):
                yield Drawn(
                    layout.sample(y[index], 2, None if weights is None else weights[index], y[index]),
                    {"probability": Predicted(probability=candidate[index])},
                    {"probability": Predicted(probability=reference[index])},
                )


def _off(scores: Floats, prevalence: float, stretch: float, shift: float) -> Floats:
    odds = logit(prevalence) + _SEPARATION * scores - _SEPARATION**2 / 2
    return np.asarray(expit(shift + stretch * odds))


@cache
def _off_value(metric: Metric, prevalence: float, stretch: float, shift: float) -> float:
    y, scores, mass = _population(prevalence, _SEPARATION)
    probability = _off(scores, prevalence, stretch, shift)
    if metric.name.startswith("expected_calibration_error"):
        # The metric takes off the noise of a sample; a population has none.
        bins = int(metric.name.split("@")[1])
        at = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], probability)
        return float(np.abs(np.bincount(at, weights=mass * (y - probability), minlength=bins)).sum())
    return metric.value(
        Truth(values=y, classes=(0, 1), weight=mass * len(y)), Predicted(probability=probability)
    )


# -- more classes --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ManyClasses:
    """K normal scores per row, that of the true class shifted; probabilities are calibrated.

    A row's label is the class with the highest score. ``prevalence`` is that of the last class (1 / K where
    it is more than that); the others share the rest.
    """

    k: int
    prevalence: float
    correlation: float
    area: float
    candidate_area: float

    @classmethod
    def with_gap(cls, k: int, prevalence: float, correlation: float, quality: float) -> ManyClasses:
        """Return a pair whose candidate is worse by the usual step."""
        return cls(k, min(prevalence, 1 / k), correlation, quality, quality - AREA_GAP[quality])

    @property
    def equal(self) -> ManyClasses:
        return replace(self, candidate_area=self.area)

    @cached_property
    def shares(self) -> Floats:
        """Share of each class."""
        return np.array([(1 - self.prevalence) / (self.k - 1)] * (self.k - 1) + [self.prevalence])

    def units(self, layout: Layout) -> float:
        return layout.units * min(self.prevalence, 1 / self.k)

    def values(self, metric: Metric) -> tuple[float, float]:
        if metric.needs == "label":
            return self._cells(metric, self.candidate_area), self._cells(metric, self.area)
        from known_values import looked_up

        candidate, reference = (
            looked_up(metric.name, self.k, self.prevalence, self.area, worse=worse)
            for worse in (self.candidate_area != self.area, False)
        )
        return candidate, reference

    def _cells(self, metric: Metric, area: float) -> float:
        right = float(np.sum(MASS * ndtr(POINTS + separation(area)) ** (self.k - 1)))
        mass = np.full((self.k, self.k), (1 - right) / (self.k - 1))
        np.fill_diagonal(mass, right)
        mass *= self.shares[:, None]
        y, labels = np.divmod(np.arange(self.k**2), self.k)
        return metric.value(
            Truth(values=y, classes=tuple(range(self.k)), weight=mass.ravel() * self.k**2),
            Predicted(labels=labels),
        )

    def draw(self, rng: np.random.Generator, layout: Layout, repetitions: int) -> Iterator[Drawn]:
        for size in chunks(layout.n * self.k, repetitions):
            y = self._classes(rng, layout, size)
            errors = correlated(layout.normals(rng, size, self.k, 2), self.correlation)
            weights = layout.weights(rng, size)
            candidate, reference = (
                many_class_forms(y, errors[..., index], self.shares, area)
                for index, area in enumerate((self.candidate_area, self.area))
            )
            for index in range(size):
                yield Drawn(
                    layout.sample(y[index], self.k, None if weights is None else weights[index], y[index]),
                    _at(candidate, index),
                    _at(reference, index),
                )

    def _classes(self, rng: np.random.Generator, layout: Layout, size: int) -> npt.NDArray[np.intp]:
        ends = np.cumsum(self.shares)
        ends[-1] = 1.0
        place = (
            np.broadcast_to((np.arange(layout.n) + 0.5) / layout.n, (size, layout.n))
            if layout.stratified
            else ndtr(layout.normals(rng, size))
        )
        return np.searchsorted(ends, place).astype(np.intp)


def many_class_forms(
    y: npt.NDArray[np.intp], errors: Floats, shares: Floats, area: float
) -> dict[str, npt.NDArray[Any]]:
    """Return labels and probabilities of every class."""
    shift = separation(area)
    scores = errors + shift * (y[..., None] == np.arange(len(shares)))
    return {
        "labels": scores.argmax(axis=-1),
        "probability": softmax(shift * scores + np.log(shares), axis=-1),
    }


# -- parts --


def _at(forms: dict[str, npt.NDArray[Any]], index: int) -> dict[str, Predicted]:
    scored = {form: values[index] for form, values in forms.items() if form != "labels"}
    both = Predicted(**scored)
    return {"label": Predicted(labels=forms["labels"][index]), "score": both, "probability": both}
