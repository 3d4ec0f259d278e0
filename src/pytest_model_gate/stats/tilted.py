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
        last = int(np.flatnonzero(self._scores < z)[-1]) if (self._scores < z).any() else 0
        if last + 1 == len(self._tilts):
            return self.most
        low, high = float(self._tilts[last]), float(self._tilts[last + 1])
        found = crossing(lambda tilt: float(self._score(np.array([tilt]))[0]) - z, low, high)
        return max(0.0, float(self._at(np.array([found]))[0][0]))

    @cached_property
    def _tilts(self) -> Floats:
        """Tilts that are looked at first, ascending; none where no row loses or none wins."""
        least, greatest = float(self.values.min()), float(self.values.max())
        if not least < 0 < greatest:
            return np.empty(0)
        to_winners, to_losers = -1 / greatest, -1 / least
        return np.concatenate((to_winners * (1 - _CLOSE[::-1]), to_losers * (1 - _CLOSE[1:])))

    @cached_property
    def _scores(self) -> Floats:
        # All at once, as far as they fit: each of them alone is too little work for an array.
        size = max(1, _TOGETHER // len(self.values))
        parts = range(0, len(self._tilts), size)
        return np.concatenate([self._score(self._tilts[part : part + size]) for part in parts])

    def _score(self, tilts: Floats) -> Floats:
        """Return how many of their own standard deviations the rows that are tilted so lie below 0."""
        distance, variance = self._at(tilts)
        with np.errstate(divide="ignore", invalid="ignore"):
            score: Floats = distance / np.sqrt(variance / self.rows)
        return np.where(variance <= 0, np.copysign(np.inf, distance), score)

    def _at(self, tilts: Floats) -> tuple[Floats, Floats]:
        """Return for each tilt the distance below 0 and the variance of a row."""
        share = self.mass / (1 + tilts[:, np.newaxis] * self.values)
        share /= _sum(share, axis=1, keepdims=True)
        mean = _sum(share * self.values, axis=1, keepdims=True)
        off = self.values - mean
        off *= off
        off *= share
        return -mean[:, 0], _sum(off, axis=1)


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
