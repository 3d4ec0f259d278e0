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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .design import Codes, Floats
from .roots import crossing, crossings, first_reach
from .variance import too_few

#: Where the curve of the score is looked at first: ever closer to the ends of the tilt. Few kinds with large
#: masses can bend it; many single rows do not, and are looked at less often.
_CLOSE = np.concatenate((np.linspace(1.0, 0.1, 7), np.geomspace(0.1, 1e-9, 13)[1:]))
_CLOSE_OF_MANY = np.array([1.0, 0.8, 0.5, 0.2, 0.05, 1e-3, 1e-9])
_MANY = 64
_NOWHERE = np.empty(0)

#: So many numbers are tilted at once.
_AT_ONCE = 1 << 15

#: The rounding error of a score, in deviations of a unit.
_ROUNDING = 1e-15


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
        if alpha not in self._bounds:
            settle([self], alpha)
        return self._bounds[alpha]

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the bounds: the level at which they reach the threshold."""
        from scipy.special import stdtr

        distance = threshold - self.gain
        if distance <= 0:
            # Nothing is accused here, and how far away that is nobody asks: the plain value will do.
            plain = -distance / self.standard_error if self.standard_error else math.inf
            return 1.0 - float(stdtr(self.df, -plain))
        return float(stdtr(self.df, -self._away(distance / self._size)))

    @cached_property
    def _bounds(self) -> dict[float, tuple[float, float]]:
        """Those that are known, by their level."""
        return {}

    @cached_property
    def _size(self) -> float:
        """The largest influence: in its unit nothing overflows or vanishes."""
        return max(-self._extremes[0], self._extremes[1]) or 1.0

    @cached_property
    def _extremes(self) -> tuple[float, float]:
        return float(self.values.min()), float(self.values.max())

    @cached_property
    def _close(self) -> Floats:
        """How close to their ends tilts are looked at; nothing where no unit loses or none wins."""
        if not self._extremes[0] < 0 < self._extremes[1]:
            return _NOWHERE
        return _CLOSE_OF_MANY if len(self.values) > _MANY else _CLOSE

    def _away(self, distance: float) -> float:
        """Return the standard deviations at which the upper bound is at this distance."""
        if not len(self._close):
            return math.inf
        curve = _Curves.of([self])
        tilts, scores = -curve.tilts[::-1, 0], -curve.scores[::-1, 0]
        # The mean rises with this tilt; what falls again by a rounding does not.
        distances = np.maximum.accumulate(curve.means[::-1, 0])
        if distance >= distances[-1]:
            return math.inf
        at = int(np.searchsorted(distances, distance))
        if at == 0:
            return 0.0
        low, high = float(tilts[at - 1]), float(tilts[at])
        tilt = crossing(lambda tilt: float(curve.at(np.array([-tilt]))[0][0]) - distance, low, high)
        mean, variance = curve.at(np.array([-tilt]))
        z = float(curve.score(mean, variance)[0])
        # Where the curve of the score falls further on, it is reached there.
        return z if z <= scores[at:].min() else first_reach(lambda z: float(curve.reach(z)[1, 0]), distance)


def settle(estimates: Sequence[Tilted], alpha: float) -> None:
    """Find the bounds of many estimates at once.

    They are what each would find by itself, to the last bit. The numbers are few for each of them, and
    numpy is called as often as for one.
    """
    from scipy.special import stdtrit

    for alike in _blocks([each for each in estimates if alpha not in each._bounds]):
        reach = np.zeros((2, len(alike)))
        if len(alike[0]._close):
            reach = _Curves.of(alike).reach(-stdtrit(np.array([each.df for each in alike]), alpha))
        for each, (down, up) in zip(alike, reach.T.tolist(), strict=True):
            each._bounds[alpha] = each.gain - each._size * down, each.gain + each._size * up


def _blocks(estimates: Sequence[Tilted]) -> Iterator[list[Tilted]]:
    """Yield estimates that are looked at in the same places, as many as fit into fast memory."""
    for close in (_NOWHERE, _CLOSE, _CLOSE_OF_MANY):
        block: list[Tilted] = []
        kinds = 0
        for each in estimates:
            if each._close is close:
                if block and kinds + len(each.values) > _AT_ONCE:
                    yield block
                    block, kinds = [], 0
                block.append(each)
                kinds += len(each.values)
        if block:
            yield block


@dataclass(frozen=True, eq=False)
class _Curves:
    """How far from 0 the means of several estimates' values can be: below it with the tilt, above against it.

    Parameters
    ----------
    values, mass : ndarray, shape (kinds,)
        Of all kinds of units, estimate after estimate.
    sizes : ndarray of int, shape (estimates,)
        How many kinds each estimate has.
    scale : ndarray, shape (estimates,)
        By how much its deviations are larger than those of a unit.
    close : ndarray
        How close to their ends tilts are looked at.
    """

    values: Floats
    mass: Floats
    sizes: Codes
    scale: Floats
    close: Floats

    @classmethod
    def of(cls, estimates: Sequence[Tilted]) -> _Curves:
        """Return the curves of estimates that are looked at in the same places."""
        return cls(
            values=np.concatenate([each.values / each._size for each in estimates]),
            mass=np.concatenate([each.mass for each in estimates]),
            sizes=np.array([len(each.values) for each in estimates]),
            scale=np.array([math.sqrt(each.units / each.inflation) for each in estimates]),
            close=estimates[0]._close,
        )

    def reach(self, z: Floats | float) -> Floats:
        """Return how far below and above 0 is less than ``z`` deviations away, shape (2, estimates)."""
        # Above 0 everything is as it is below, mirrored.
        tilts, scores = (np.stack((curve, -curve[::-1]), axis=1) for curve in (self.tilts, self.scores))
        sign = np.array([[-1.0], [1.0]])
        # The curve nearly always rises. Where it doesn't, the last place where it is below z counts.
        nearer = scores < z
        last = np.where(nearer.any(axis=0), len(tilts) - 1 - nearer[::-1].argmax(axis=0), 0)
        around = np.stack((last, last + 1))[:, None].clip(max=len(tilts) - 1)
        ends, at_ends = (np.take_along_axis(curve[None], around, axis=1)[:, 0] for curve in (tilts, scores))

        def beyond(tilt: Floats) -> Floats:
            mean, variance = self.at(-sign * tilt)
            return self.score(sign * mean, variance) - z

        enough = _ROUNDING * np.maximum(self.scale, 10 * z)
        found = crossings(beyond, (ends[0], ends[1]), (at_ends[0] - z, at_ends[1] - z), enough)
        reach = sign * self.at(-sign * found)[0]
        return np.maximum(0.0, np.where(last + 1 == len(tilts), self._ends, reach))

    @cached_property
    def tilts(self) -> Floats:
        """Tilts that are looked at first, ascending, shape (tilts, estimates)."""
        to_losers, to_winners = 1 / self._ends
        inner = (1 - self.close)[:, None]
        return np.concatenate((-to_winners * inner[::-1], to_losers * inner[1:]))

    @cached_property
    def means(self) -> Floats:
        """Means of the values at these tilts."""
        return self._curve[0]

    @cached_property
    def scores(self) -> Floats:
        """How many standard deviations these are below 0."""
        return self.score(-self._curve[0], self._curve[1])

    @cached_property
    def _ends(self) -> Floats:
        """How far below and above 0 the values are."""
        least, greatest = (end.reduceat(self.values, self._starts) for end in (np.minimum, np.maximum))
        return np.stack((-least, greatest))

    @cached_property
    def _curve(self) -> tuple[Floats, Floats]:
        """Means and variances at the tilts that are looked at first.

        The weights tell the mean, and the mean the variance, because the masses are the weights and their
        tilted values: exact enough to see where the score is below something, and half the work.
        """
        step = max(1, _AT_ONCE // len(self.values))
        tilts = self.tilts
        weights = np.concatenate(
            [self._sums(self._shares(tilts[start : start + step])) for start in range(0, len(tilts), step)]
        )
        tilts = np.where(tilts == 0, 1.0, tilts)
        first = (self._sums(self.mass) - weights) / tilts
        second = (self._sums(self.mass * self.values) - first) / tilts
        means = first / weights
        variances = second / weights - means * means
        middle = len(self.close) - 1
        means[middle], variances[middle] = self.at(self.tilts[middle])
        return means, variances

    def score(self, distance: Floats, variance: Floats) -> Floats:
        """Return how many of their own standard deviations some means are away."""
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = self.scale * distance / np.sqrt(variance)
        return np.where(variance > 0, scores, np.copysign(math.inf, distance))

    def at(self, tilts: Floats) -> tuple[Floats, Floats]:
        """Return the means and variances of units that are tilted so, in the shape of the tilts."""
        share = self._shares(tilts)
        total = self._sums(share)
        share *= self.values
        mean: Floats = self._sums(share) / total
        share *= self.values
        # Where a score is z, the squared mean is z * z / units of the variance: nothing cancels.
        return mean, self._sums(share) / total - mean * mean

    def _shares(self, tilts: Floats) -> Floats:
        """Return what is left of each mass. In place: new memory costs more than the arithmetic."""
        shares = self._each(tilts)
        shares *= self.values
        shares += 1
        return np.divide(self.mass, shares, out=shares)

    @cached_property
    def _starts(self) -> Codes:
        return np.cumsum(self.sizes) - self.sizes

    def _each(self, numbers: Floats) -> Floats:
        """Give each kind the number of its estimate."""
        return np.repeat(numbers, self.sizes, axis=-1)

    def _sums(self, numbers: Floats) -> Floats:
        return np.add.reduceat(numbers, self._starts, axis=-1)


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
    caution = "" if every.any() else nothing_changes(rows)
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


def nothing_changes(rows: int) -> str:
    """Return the caution of an estimate that no kind of row moves."""
    return f"no row that could be drawn changes the gain of these {rows:,} rows"
