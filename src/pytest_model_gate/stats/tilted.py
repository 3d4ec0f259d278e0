"""The score interval of a smooth estimate: with the variance that rows would have whose gain is at its bound.

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
from .roots import crossing, first_reach
from .variance import too_few

#: Where the curve of the score is looked at first: ever closer to the ends of the tilt. Few kinds with large
#: masses can bend it; many single rows do not, and are looked at less often.
_CLOSE = np.concatenate((np.linspace(1.0, 0.1, 7), np.geomspace(0.1, 1e-9, 13)[1:]))
_CLOSE_OF_MANY = np.array([1.0, 0.8, 0.5, 0.2, 0.05, 1e-3, 1e-9])
_MANY = 64

#: So many numbers are tilted at once.
_AT_ONCE = 1 << 18


@dataclass(frozen=True, eq=False)
class Tilted:
    """An estimated gain, and the influence of every kind of unit (of row, where rows are drawn).

    Parameters
    ----------
    gain : float
        The estimate.
    values : ndarray, shape (kinds,)
        Influence of a unit of each kind: its mean over the units that were drawn is 0.
    mass : ndarray, shape (kinds,)
        Units of each kind; half a unit for kinds that were not drawn.
    units : int
        Units that were drawn.
    standard_error : float
        Of the gain, imaginary units included.
    df : float
        Degrees of freedom of the variance; infinite for shares, whose variance follows from themselves.
    inflation : float
        By how much the variance of the gain is larger than that of a mean over the units.
    method : str
        Name of the method.
    caution : str
        Why the interval may neither let pass nor accuse. Empty: it may.
    """

    gain: float
    values: Floats
    mass: Floats
    units: int
    standard_error: float
    df: float = math.inf
    inflation: float = 1.0
    method: str = "tilted score"
    caution: str = ""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds: the furthest gains that the score test does not reject."""
        from scipy.special import stdtrit

        z = -float(stdtrit(self.df, alpha))
        down, up = self._sides
        return self.gain - self._size * down.reach(z), self.gain + self._size * up.reach(z)

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the bounds: the level at which they reach the threshold."""
        from scipy.special import stdtr

        distance = threshold - self.gain
        if distance <= 0:
            # Nothing is accused here, and how far away that is nobody asks: the plain value will do.
            plain = -distance / self.standard_error if self.standard_error else math.inf
            return 1.0 - float(stdtr(self.df, -plain))
        return float(stdtr(self.df, -self._sides[1].away(distance / self._size)))

    @cached_property
    def _size(self) -> float:
        """The largest influence: in its unit nothing overflows or vanishes."""
        return float(np.abs(self.values).max()) or 1.0

    @cached_property
    def _sides(self) -> tuple[_Side, _Side]:
        scale = math.sqrt(self.units / self.inflation)
        values = self.values / self._size
        return _Side(values, self.mass, scale), _Side(-values, self.mass, scale)


@dataclass(frozen=True, eq=False)
class _Side:
    """How far below 0 the mean of the values can be; the upper side has negated values."""

    values: Floats
    mass: Floats
    scale: float

    def reach(self, z: float) -> float:
        """Return the largest distance that is less than ``z`` standard deviations away."""
        if not self._tilts.size:
            return 0.0
        # The curve nearly always rises. Where it doesn't, the last place where it is below z counts.
        nearer = np.flatnonzero(self._scores < z)
        last = int(nearer[-1]) if len(nearer) else 0
        if last + 1 == len(self._tilts):
            return max(0.0, -float(self.values.min()))
        low, high = float(self._tilts[last]), float(self._tilts[last + 1])
        return max(0.0, self._at(crossing(lambda tilt: self._score(tilt) - z, low, high))[0])

    def away(self, distance: float) -> float:
        """Return the standard deviations at which the reach is this distance."""
        if not self._tilts.size or distance >= self._distances[-1]:
            return math.inf if distance > 0 else 0.0
        at = int(np.searchsorted(self._distances, distance))
        if at == 0:
            return 0.0
        low, high = float(self._tilts[at - 1]), float(self._tilts[at])
        z = self._score(crossing(lambda tilt: self._at(tilt)[0] - distance, low, high))
        # Where the curve of the score falls further on, it is reached there.
        return z if z <= self._scores[at:].min() else first_reach(self.reach, distance)

    @cached_property
    def _tilts(self) -> Floats:
        """Tilts that are looked at first, ascending; none where no unit loses or none wins."""
        least, greatest = float(self.values.min()), float(self.values.max())
        if not least < 0 < greatest:
            return np.empty(0)
        to_winners, to_losers = -1 / greatest, -1 / least
        close = _CLOSE_OF_MANY if len(self.values) > _MANY else _CLOSE
        return np.concatenate((to_winners * (1 - close[::-1]), to_losers * (1 - close[1:])))

    @cached_property
    def _curve(self) -> tuple[Floats, Floats]:
        """Distances and variances at these tilts."""
        tilts = self._tilts
        step = max(1, _AT_ONCE // len(self.values))
        parts = [self._many(tilts[start : start + step]) for start in range(0, len(tilts), step)]
        distances, variances = (np.concatenate(column) for column in zip(*parts, strict=True))
        # The mean falls with the tilt; what rises again by a rounding does not.
        return np.maximum.accumulate(distances), variances

    def _many(self, tilts: Floats) -> tuple[Floats, Floats]:
        share = self.mass / (1 + tilts[:, None] * self.values)
        share /= share.sum(axis=1, keepdims=True)
        means = (share * self.values).sum(axis=1, keepdims=True)
        share *= np.square(self.values - means)
        return -means[:, 0], share.sum(axis=1)

    @property
    def _distances(self) -> Floats:
        return self._curve[0]

    @cached_property
    def _scores(self) -> Floats:
        distances, variances = self._curve
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = self.scale * distances / np.sqrt(variances)
        return np.where(variances > 0, scores, np.copysign(math.inf, distances))

    def _score(self, tilt: float) -> float:
        """Return how many of their own standard deviations the units that are tilted so lie below 0."""
        distance, variance = self._at(tilt)
        if variance <= 0:
            return math.copysign(math.inf, distance)
        return self.scale * distance / math.sqrt(variance)

    def _at(self, tilt: float) -> tuple[float, float]:
        """Return the distance below 0 and the variance of a unit."""
        share = self.mass / (1 + tilt * self.values)
        share /= share.sum()
        mean = float((share * self.values).sum())
        return -mean, float((share * (self.values - mean) ** 2).sum())


def tilted(
    gain: float, values: Floats, mass: Floats, imaginary: Floats, *, method: str = "tilted score"
) -> Tilted:
    """Return the inference on an estimate from the influence of the kinds of rows, such as confusion cells.

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
    masses = np.concatenate((mass, np.full(len(imaginary), 0.5)))
    return Tilted(
        gain=gain,
        values=every,
        mass=masses,
        units=rows,
        standard_error=math.sqrt(float((masses * every**2).sum()) / rows / (rows - 1)),
        method=method,
        caution=caution,
    )
