"""Average precision of few positives, or near 1: score bounds with the variance that two normal classes have.

Rows that are ranked badly are rare where a model is good, and a sample without them shows no spread. The
bounds of one model are the values at which the estimate is just so many standard deviations away, by the
variance of two normal classes whose average precision is that value: the idea of Newcombe's bounds of an area
(2006). Two models are combined with the correlation of their influence (MOVER, Zou and Donner 2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .design import Floats, Mask
from .reach import ends, error_of_width, p_of_reach, together

#: Influence alone is trusted from this many rows of each class on, up to this value.
ENOUGH_ROWS = 100
NEAR_ONE = 0.95

#: How far apart the classes are, in standard deviations, and where their densities are summed.
_APART = np.concatenate((np.linspace(-2.0, 3.0, 26), np.linspace(3.1, 9.0, 60)))
_POINTS = 400

#: All of these distances; every eighth, which tells between which two a bound lies; and so many between.
_EVERY = range(len(_APART) + 1)
_BETWEEN = 8
_COARSE = range(0, len(_APART), _BETWEEN)

_NOTHING_VARIES = 1e-12

#: From this share of positives on, the curve of a value that is no worse than chance bends nowhere.
_UNBENT = 0.01


@dataclass(frozen=True, slots=True)
class Precision:
    """One average precision against a fixed value; the gain is the value minus the floor.

    Parameters
    ----------
    value : float
        The average precision.
    prevalence : float
        Share of the positives.
    rows : float
        Rows; effective ones where they have weights.
    floor : float
        What it is compared with.
    """

    value: float
    prevalence: float
    rows: float
    floor: float = 0.0

    @property
    def gain(self) -> float:
        """Value minus floor."""
        return self.value - self.floor

    @property
    def standard_error(self) -> float:
        """What the width of the interval corresponds to."""
        return error_of_width(self.bounds)

    @property
    def method(self) -> str:
        """Name of the method."""
        return "binormal score"

    @property
    def caution(self) -> str:
        """Nothing."""
        return ""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of value minus floor."""
        return ends(self.gain, self.reach, alpha)

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the bounds: the level at which they reach the threshold."""
        return p_of_reach(self.gain, self.reach, threshold)

    def reach(self, z: float, *, upper: bool) -> float:
        """Return the distance from the value to the bound ``z`` standard deviations away."""
        return _reach(self, z, upper)

    def away(self, rows: range) -> tuple[Floats, Floats]:
        """Return values, and how many of their standard deviations each of them lies below this value."""
        values, deviations = _curve(self.prevalence, rows)
        return values, (self.value - values) * math.sqrt(self.rows) / deviations


@dataclass(frozen=True, slots=True)
class PairedPrecision:
    """Two average precisions on the same rows.

    Parameters
    ----------
    candidate, reference : Precision
        Of the two models, without floors.
    correlation : float
        Of their influence.
    weight : float
        Of the reference: ``1 - r`` where the tolerance is the share ``r`` of the reference. The bounds stay
        bounds of the difference.
    """

    candidate: Precision
    reference: Precision
    correlation: float
    weight: float = 1.0

    @property
    def gain(self) -> float:
        """Difference of the two values."""
        return self.candidate.value - self.reference.value

    @property
    def standard_error(self) -> float:
        """What the width of the interval corresponds to."""
        return error_of_width(self.bounds)

    @property
    def method(self) -> str:
        """Name of the method."""
        return "mover (binormal)"

    @property
    def caution(self) -> str:
        """Nothing."""
        return ""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of the difference."""
        return ends(self.gain, self.reach, alpha)

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the bounds: the level at which they reach the threshold."""
        return p_of_reach(self.gain, self.reach, threshold)

    def reach(self, z: float, *, upper: bool) -> float:
        """Return the distance from the difference to its bound."""
        own = self.candidate.reach(z, upper=upper)
        other = self.weight * self.reference.reach(z, upper=not upper)
        return together(own, other, self.correlation)


def correlation(first: Floats, second: Floats) -> float:
    """Return the correlation of two influences; 0 where either says nothing."""
    first, second = first - first.mean(), second - second.mean()
    # Sums and no dot products: those of BLAS depend on its threads in the last digits.
    pairs = ((first, first), (second, second), (first, second))
    return correlation_of(*(float((one * other).sum()) for one, other in pairs))


def correlation_of(first: float, second: float, both: float) -> float:
    """Return the same from sums of squares and of products."""
    if not first * second > 0:
        return 0.0
    return max(-1.0, min(1.0, both / math.sqrt(first * second)))


@lru_cache(maxsize=256)
def _reach(model: Precision, z: float, upper: bool) -> float:
    unbent = model.value >= model.prevalence >= _UNBENT
    values, away = model.away(_around(model, z, upper) if unbent else _EVERY)
    # The furthest value that is no further away than z: where the distances bend back, the outer one.
    if upper:
        return max(0.0, float(np.interp(z, np.maximum.accumulate(-away), values)) - model.value)
    lower = np.maximum.accumulate(away[::-1])
    return max(0.0, model.value - float(np.interp(z, lower, values[::-1])))


def _around(model: Precision, z: float, upper: bool) -> range:
    """Return a few distances of the classes around the bound: two points of a curve are read, not all 87.

    The curve of a round prevalence, which models of many slices share, tells where to look first. Whether
    the bound is there, the model's own curve tells.
    """
    alike = Precision(model.value, float(f"{model.prevalence:.1g}"), model.rows)
    rows = _between_coarse(alike, z, upper)
    _, away = model.away(rows)
    inside = _nearer(away[[0, -1]], z, upper)
    return rows if inside[0] and not inside[1] else _between_coarse(model, z, upper)


def _between_coarse(model: Precision, z: float, upper: bool) -> range:
    _, away = model.away(_COARSE)
    nearer = int(np.count_nonzero(_nearer(away, z, upper)))
    start = _BETWEEN * min(max(nearer - 1, 0), len(_COARSE) - 1)
    return range(start, min(start + _BETWEEN + 1, len(_EVERY)))


def _nearer(away: Floats, z: float, upper: bool) -> Mask:
    return -away <= z if upper else away >= z


@lru_cache(maxsize=1024)
def _curve(prevalence: float, rows: range) -> tuple[Floats, Floats]:
    """Return the values of normal classes ever further apart, and the standard deviation of one row.

    The influence is that of :func:`~pytest_model_gate.metrics.ranking.average_precision_influence`, with
    densities in place of rows: one row of the tables for each distance of the classes.
    """
    of_positive, of_negative, above_positive, above_negative = (
        table[rows.start : rows.stop : rows.step] for table in _densities()
    )
    precision = prevalence * above_positive
    named = (1 - prevalence) * above_negative
    named += precision
    np.maximum(named, 1e-300, out=named)
    precision /= named
    values = (of_positive * precision).sum(axis=1)
    found = np.divide(of_positive, named, out=named)
    lost = found * precision
    found -= lost
    lost, found = _below(lost), _below(found)
    precision -= values[:, None]
    precision /= prevalence
    found += precision
    variance = prevalence * _mean_square(found, of_positive)
    variance += (1 - prevalence) * _mean_square(lost, of_negative)
    deviations = np.maximum(np.sqrt(variance), _NOTHING_VARIES)  # where all rows are positive
    if rows.stop > len(_APART):
        # Beyond the furthest classes lies 1, where nothing varies any more either.
        return np.append(values, 1.0), np.append(deviations, _NOTHING_VARIES)
    return values, deviations


@lru_cache(maxsize=1)
def _densities() -> tuple[Floats, Floats, Floats, Floats]:
    """Return the mass of each class at each point and above it, at every distance of the classes."""
    apart = _APART[:, None]
    least, greatest = np.minimum(apart, 0.0) - 8.0, np.maximum(apart, 0.0) + 8.0
    points = least + (greatest - least) * np.linspace(0, 1, _POINTS)
    positive, negative = (np.exp(-np.square(points - at) / 2) for at in (apart, 0.0))
    positive /= positive.sum(axis=1, keepdims=True)
    negative /= negative.sum(axis=1, keepdims=True)
    return positive, negative, _above(positive), _above(negative)


def _above(mass: Floats) -> Floats:
    """Return the mass above each point; half of what lies at it counts."""
    above: Floats = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1] - mass / 2
    return above


def _below(mass: Floats) -> Floats:
    """Return the mass below each point, and half of what lies at it; the mass itself is used up."""
    below: Floats = np.cumsum(mass, axis=1)
    mass /= 2
    below -= mass
    return below


def _mean_square(values: Floats, mass: Floats) -> Floats:
    """Return the mean square of some values, which are used up."""
    values *= values
    values *= mass
    found: Floats = values.sum(axis=1)
    return found
