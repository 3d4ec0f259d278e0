"""The bootstrap: any statistic of re-weighted rows, resampled as the rows were drawn.

Resamples are multiplicities, one number per row, and never copies of rows. Of the ``m`` units of a stratum
``m - 1`` are drawn and count ``m / (m - 1)``-fold, so that the spread of a mean over resamples is its
unbiased variance (Rao and Wu 1988). Quantiles are read at Student's levels and not at normal ones
(Hesterberg's expanded percentiles, 2015), because few units know little about their own spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import UndefinedMetricError
from .bootstrap_draws import Draws
from .bootstrap_quantiles import LowerTail, bias
from .design import Design, Floats
from .variance import variance_of_mean

#: Values of a chunk of resamples, given their multiplicities of shape (resamples, n); NaN where undefined.
Statistic = Callable[[Floats], Floats]

#: Simulation error of a 5 % bound: 0.3 points of its level. Four times as many would halve it.
RESAMPLES = 4_999
#: For statistics that cost a pass over the rows each: 0.5 points.
RESAMPLES_IF_SLOW = 1_999

#: Share of resamples without a value from which an interval is not trusted any more.
MOST_UNDEFINED = 0.01

#: Share of resamples with exactly the value of the rows from which an interval is not trusted any more: a
#: single row is in none of 37 % of them. Extremes hang on one row, as does a gain with one row to speak of.
MOST_UNCHANGED = 1 / 3

#: Numbers in a chunk of multiplicities (8 MB), and resamples in it, so that progress shows.
_CHUNK = 1 << 20
_AT_ONCE = 256

#: No normal tail is looked at beyond this many standard deviations.
_FURTHEST = 38.0

#: Blocks of units that the jackknife leaves out one at a time, where there is no influence.
_BLOCKS = 200


@dataclass(frozen=True, slots=True)
class Resampling:
    """How often, from which seed, and whom to tell about progress.

    Parameters
    ----------
    seed : int
        Of the random numbers. It is in the method of every inference.
    progress : callable or None
        ``progress(done, of)`` after each chunk of resamples.
    """

    seed: int = 0
    progress: Callable[[int, int], None] | None = None


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """A gain, and its values on resamples.

    Every number of a swapped comparison is exactly the negative: both bounds are made by one function,
    the upper one from negated values.

    Parameters
    ----------
    gain : float
        On the rows themselves.
    values : ndarray
        On the resamples on which it exists, in any order.
    undefined : int
        Resamples on which it does not exist. They count as the lowest values for the lower bound and as the
        highest for the upper one: they can only widen the interval.
    df : float
        Degrees of freedom: independent units less strata.
    method : str
        Name of the method.
    acceleration : float or None
        Of BCa (Efron 1987), the skewness of the influence; ``None`` for percentiles.
    caution : str
        Why the interval may neither let pass nor accuse. Empty: it may.
    """

    gain: float
    values: Floats
    undefined: int
    df: float
    method: str
    acceleration: float | None = None
    caution: str = ""

    @cached_property
    def standard_error(self) -> float:
        """Standard deviation over the resamples."""
        return math.sqrt(float(np.square(self.values - self.values.mean()).sum()) / (len(self.values) - 1))

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds; they always contain the gain."""
        lower, upper = self._tails
        low = lower.quantile(self._z(alpha, upper=False))
        high = -upper.quantile(self._z(alpha, upper=True))
        return min(low, self.gain), max(high, self.gain)

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "the gain is at least ``threshold``"."""
        p = self._alpha(self._tails[1].z_of(-threshold))
        # On the estimate's own side of the threshold nothing is accused, as the bounds contain it.
        return max(p, 0.5) if self.gain >= threshold else p

    @cached_property
    def _tails(self) -> tuple[LowerTail, LowerTail]:
        ordered = np.sort(self.values)
        return LowerTail.of(ordered, self.undefined), LowerTail.of(-ordered[::-1], self.undefined)

    @cached_property
    def _bias(self) -> float:
        return 0.0 if self.acceleration is None else bias(self.values, self.gain)

    def _z(self, alpha: float, *, upper: bool) -> float:
        """Return which normal quantile of the (negated) values is the bound."""
        from scipy.special import stdtrit

        side = -1 if upper else 1
        bias, acceleration = side * self._bias, side * (self.acceleration or 0.0)
        x = bias + float(stdtrit(self.df, alpha))
        stretch = 1 - acceleration * x
        z = bias + x / stretch if stretch > 0 else math.copysign(_FURTHEST, x)
        return max(-_FURTHEST, min(_FURTHEST, z))

    def _alpha(self, z: float) -> float:
        """Return the level whose upper bound is this normal quantile of the negated values."""
        from scipy.special import stdtr

        bias, acceleration = -self._bias, -(self.acceleration or 0.0)
        y = z - bias
        shrink = 1 + acceleration * y
        if abs(z) > _FURTHEST or shrink <= 0:
            return 1.0 if y > 0 else 0.0
        return float(stdtr(self.df, y / shrink - bias))


def bootstrap(
    gain: float,
    statistic: Statistic,
    design: Design,
    *,
    resampling: Resampling,
    resamples: int = RESAMPLES,
    accelerated: bool = False,
    influence: Floats | None = None,
    symmetric: bool = False,
    name: str = "",
) -> Bootstrap:
    """Resample the units of a design and return the inference.

    Draws follow the order of the rows: whoever calls has brought them into an order of their content (see
    :mod:`.bootstrap_order`), so that it does not matter in which order they came.

    Parameters
    ----------
    gain : float
        The statistic of the rows themselves, oriented so that larger is better.
    statistic : callable
        Maps multiplicities of shape (b, n) to b values; only the ratios of multiplicities may matter. NaN
        where it does not exist. :func:`one_by_one` makes it from a function of one resample.
    design : Design
        How the rows were drawn: rows, groups, strata, or groups within strata are drawn again.
    resampling : Resampling
        Seed and progress.
    resamples : int
        How many.
    accelerated : bool
        Whether the bounds are BCa's instead of percentiles.
    influence : ndarray, shape (n,), optional
        For the acceleration; without it a jackknife over at most 200 blocks of units estimates it.
    symmetric : bool
        Whether the rows are the same with the two models swapped. The bounds are then symmetric, too.
    name : str
        What is named before "bootstrap" in the method.

    Raises
    ------
    UndefinedMetricError
        For fewer than two rows, and where no resample has a value.
    InvalidError
        If a group lies in several strata.
    """
    spread = variance_of_mean(np.zeros(design.n), design)
    draws = Draws.of(design)
    values = _resampled(statistic, draws, resampling, resamples)
    defined = values[np.isfinite(values)]
    if len(defined) < 2:
        raise UndefinedMetricError(
            f"The metric exists on {len(defined):,} of {resamples:,} resamples of these {design.n:,} rows: "
            "that is too few for an interval.",
            "Judge more rows, or use a metric that exists on fewer rows of a class.",
        )
    acceleration = None
    if accelerated:
        totals = _jackknife(statistic, draws, resampling) if influence is None else draws.totals(influence)
        acceleration = 0.0 if symmetric else skewness_of_sum(totals)
    kinds = "bca" if accelerated else "percentile"
    method = f"{name or kinds} bootstrap ({resamples:,} resamples, seed {resampling.seed})"
    undefined = resamples - len(defined)
    caution = spread.caution
    if not caution and undefined > MOST_UNDEFINED * resamples:
        caution = f"the metric does not exist on {undefined:,} of {resamples:,} resamples of these rows"
    elif not caution and defined.min() == defined.max():
        caution = f"{design.n:,} rows on which no resample changes the gain show no spread"
    elif not caution and (unchanged := _unchanged(defined)) > MOST_UNCHANGED * len(defined):
        caution = f"{unchanged:,} of {resamples:,} resamples have one and the same gain: it hangs on few rows"
    if symmetric:
        defined = np.concatenate((defined, -defined))
        undefined *= 2
    return Bootstrap(gain, defined, undefined, spread.df, method, acceleration, caution)


def _unchanged(values: Floats) -> int:
    """Return how many resamples have the commonest value."""
    return int(np.unique(values, return_counts=True)[1].max())


def one_by_one(statistic: Callable[[Floats], float]) -> Statistic:
    """Return the statistic of a chunk from one of a single resample, multiplicities of shape (n,)."""

    def chunk(multiplicities: Floats) -> Floats:
        return np.array([_value(statistic, each) for each in multiplicities])

    return chunk


def skewness_of_sum(totals: Floats) -> float:
    """Return BCa's acceleration: a sixth of the skewness of the sum of these independent influences."""
    squares = totals * totals
    second = float(squares.sum())
    squares *= totals
    third = float(squares.sum())
    # Sums that overflow or vanish say nothing about the shape.
    acceleration = third / (6 * second**1.5) if second > 0 else 0.0
    return acceleration if math.isfinite(acceleration) else 0.0


def _value(statistic: Callable[[Floats], float], multiplicity: Floats) -> float:
    try:
        return statistic(multiplicity)
    except (UndefinedMetricError, ValueError, ArithmeticError):
        # It exists on the rows themselves, so it is this resample that lacks something.
        return math.nan


def _resampled(statistic: Statistic, draws: Draws, resampling: Resampling, resamples: int) -> Floats:
    rng = np.random.default_rng(resampling.seed)
    values = np.empty(resamples)
    step = max(1, min(_AT_ONCE, _CHUNK // draws.rows))
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        values[start:stop] = statistic(draws.multiplicities(rng, stop - start))
        if resampling.progress is not None:
            resampling.progress(stop, resamples)
    return values


def _jackknife(statistic: Statistic, draws: Draws, resampling: Resampling) -> Floats:
    """Return the influence of blocks of units: how the statistic falls when a block is left out."""
    rng = np.random.default_rng([resampling.seed, _BLOCKS])
    without = draws.without_blocks(rng, _BLOCKS)
    step = max(1, _CHUNK // draws.rows)
    values = np.concatenate(
        [
            statistic(without(np.arange(at, min(at + step, draws.blocks(_BLOCKS)))))
            for at in range(0, draws.blocks(_BLOCKS), step)
        ]
    )
    values = values[np.isfinite(values)]
    influence: Floats = values.mean() - values if len(values) else values
    return influence
