"""Few kinds of rows: the score interval of a smooth estimate, with the variance that its bound would have.

Wald's interval takes the variance of what was drawn also at its ends. Where the rows on which a candidate
loses are rare, a sample without them is likely, and makes the interval too short just when the estimate is
too good. Here the rows are re-weighted until their influence says that the gain is at the bound, by the
weights of largest likelihood, ``mass / (1 + s * influence)`` (empirical likelihood, Owen 1988), and the
variance is that of the re-weighted rows. For two proportions this is Tango's score interval (1998).

Rows that might have been drawn, but were not, take part with half a row of mass each: without them no
weights reach a bound beyond what was seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .design import Floats
from .inference import normal_cdf, normal_quantile
from .roots import crossing, first_reach
from .variance import too_few

#: Numbers of one array that is worked on at once.
_TOGETHER = 1 << 16
#: Influence closer to 0 is none: its inverse is no number.
_LEAST = 1e-300
#: So many kinds of rows at most are added one by one.
_FEW = 64
#: Without the checks of ``ndarray.sum``, which cost more than to add a dozen numbers.
_sum = np.add.reduce

#: Where the curve of the score is looked at: from half-way to the ends of the tilt, ever closer to them.
_CLOSE = np.concatenate((np.linspace(1.0, 0.1, 19), np.geomspace(0.1, 1e-9, 33)[1:]))


@dataclass(frozen=True, eq=False)
class Tilted:
    """An estimated gain, and the influence of every kind of row.

    Parameters
    ----------
    gain : float
        The estimate.
    values : ndarray, shape (kinds,)
        Influence of a row of each kind: its mean over the rows that were drawn is 0.
    mass : ndarray, shape (kinds,)
        Rows of each kind; half a row for kinds that were not drawn.
    rows : int
        Rows that were drawn.
    method : str
        Name of the method.
    caution : str
        Why the interval may neither let pass nor accuse. Empty: it may.
    """

    gain: float
    values: Floats
    mass: Floats
    rows: int
    method: str = "tilted score"
    caution: str = ""

    @cached_property
    def standard_error(self) -> float:
        """Of the gain, imaginary rows included."""
        return math.sqrt(float((self.mass * self.values**2).sum()) / self.rows / (self.rows - 1))

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds: the furthest gains that the score test does not reject."""
        z = normal_quantile(alpha)
        down, up = self._sides
        return self.gain - down.reach(z), self.gain + up.reach(z)

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the bounds: the level at which they reach the threshold."""
        distance = threshold - self.gain
        down, up = self._sides
        if distance <= 0:
            return 1.0 - normal_cdf(-first_reach(down.reach, -distance))
        return 0.0 if distance > up.most else normal_cdf(-first_reach(up.reach, distance))

    @cached_property
    def _sides(self) -> tuple[_Side, _Side]:
        return _Side(self.values, self.mass, self.rows), _Side(-self.values, self.mass, self.rows)


@dataclass(frozen=True, eq=False)
class _Side:
    """How far below 0 the mean of the values can be; the upper side has negated values."""

    values: Floats
    mass: Floats
    rows: int

    @property
    def most(self) -> float:
        """Return the distance that no re-weighted rows exceed."""
        return max(0.0, -float(self.values.min()))

    def reach(self, z: float) -> float:
        """Return the largest distance that is less than ``z`` standard deviations away."""
        if not self._tilts.size:
            return 0.0
        # The curve nearly always rises. Where it doesn't, the last place where it is below z counts.
        below = np.flatnonzero(self._scores < z)
        last = int(below[-1]) if len(below) else 0
        if last + 1 == len(self._tilts):
            return self.most
        low, high = float(self._tilts[last]), float(self._tilts[last + 1])
        at = self._at_one if len(self.values) <= _FEW else self._at_many
        return max(0.0, at(crossing(lambda tilt: _score(*at(tilt), self.rows) - z, low, high))[0])

    @cached_property
    def _tilts(self) -> Floats:
        """Tilts that are looked at first, ascending; none where no row loses or none wins."""
        least, greatest = float(self.values.min()), float(self.values.max())
        if not (least < -_LEAST and greatest > _LEAST):
            return np.empty(0)
        to_winners, to_losers = -1 / greatest, -1 / least
        return np.concatenate((to_winners * (1 - _CLOSE[::-1]), to_losers * (1 - _CLOSE[1:])))

    @cached_property
    def _scores(self) -> Floats:
        # All at once, as far as they fit: each of them alone is too little work for an array.
        size = max(1, _TOGETHER // len(self.values))
        parts = range(0, len(self._tilts), size)
        found = [self._at(self._tilts[part : part + size]) for part in parts]
        distance, variance = (np.concatenate(each) for each in zip(*found, strict=True))
        with np.errstate(divide="ignore", invalid="ignore"):  # as in _score
            scores = distance / np.sqrt(variance / self.rows)
        return np.where(variance > 0, scores, np.copysign(np.inf, distance))

    def _at_one(self, tilt: float) -> tuple[float, float]:
        """Return the same for one tilt, one kind of row after the other: of a few that is faster."""
        values, masses = self._kinds
        shares = [mass / (1 + tilt * value) for value, mass in zip(values, masses, strict=True)]
        total, moment, squares = sum(shares), 0.0, 0.0
        for share, value in zip(shares, values, strict=True):
            moment += share * value
        mean = moment / total
        for share, value in zip(shares, values, strict=True):
            squares += share * (value - mean) ** 2
        return -mean, squares / total

    def _at_many(self, tilt: float) -> tuple[float, float]:
        distance, variance = self._at(np.array([tilt]))
        return float(distance[0]), float(variance[0])

    @cached_property
    def _kinds(self) -> tuple[list[float], list[float]]:
        return self.values.tolist(), self.mass.tolist()

    def _at(self, tilts: Floats) -> tuple[Floats, Floats]:
        """Return for each tilt the distance below 0 and the variance of a row."""
        share = self.mass / (1 + tilts[:, np.newaxis] * self.values)
        share /= _sum(share, axis=1, keepdims=True)
        mean = _sum(share * self.values, axis=1, keepdims=True)
        off = self.values - mean
        off *= off
        off *= share
        return -mean[:, 0], _sum(off, axis=1)


def _score(distance: float, variance: float, rows: int) -> float:
    """Return how many of their own standard deviations the rows that are tilted so lie below 0."""
    return distance / math.sqrt(variance / rows) if variance > 0 else math.copysign(math.inf, distance)


def tilted(
    gain: float, values: Floats, mass: Floats, imaginary: Floats, *, method: str = "tilted score"
) -> Tilted:
    """Return the inference on an estimate from the influence of the kinds of rows.

    Parameters
    ----------
    gain : float
        The estimate.
    values, mass : ndarray, shape (kinds,)
        Influence of a row of each kind, and how many there are; kinds of no rows are left out.
    imaginary : ndarray
        Influence of rows that might have been drawn.
    method : str
        Name of the method.

    Raises
    ------
    UndefinedMetricError
        For fewer than two rows.
    """
    rows = int(mass.sum())
    if rows < 2:
        raise too_few(rows)
    seen = mass > 0
    values, mass = values[seen], mass[seen]
    centred = values - float((mass * values).sum()) / rows
    every = np.concatenate((centred, imaginary))
    caution = "" if every.any() else f"no row that could be drawn changes the gain of these {rows:,} rows"
    return Tilted(
        gain=gain,
        values=every,
        mass=np.concatenate((mass, np.full(len(imaginary), 0.5))),
        rows=rows,
        method=method,
        caution=caution,
    )
