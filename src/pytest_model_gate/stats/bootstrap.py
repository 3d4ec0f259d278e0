"""The bootstrap: any statistic of re-weighted rows, resampled as the rows were drawn.

Resamples are multiplicities, one number per row, and never copies of rows. Of the ``m`` units of a stratum
``m - 1`` are drawn and count ``m / (m - 1)``-fold, so that the spread of a mean over resamples is its
unbiased variance (Rao and Wu 1988). Bounds are the outer ones of percentiles and of Student's t with the
resamples' standard error. Both are read at Student's levels and not at normal ones (Hesterberg's expanded
percentiles, 2015), with the degrees of freedom that a jackknife finds: few units, or many of which a few
carry the spread, know little about it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import UndefinedMetricError
from .bootstrap_draws import Draws
from .bootstrap_quantiles import LowerTail
from .design import Design, Floats
from .tails import few_carry, known_df
from .variance import Spread, too_few, variance_of_mean

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

#: Blocks of units that the jackknife leaves out one at a time.
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
        Degrees of freedom.
    method : str
        Name of the method.
    caution : str
        Why the interval may neither let pass nor accuse. Empty: it may.
    """

    gain: float
    values: Floats
    undefined: int
    df: float
    method: str
    caution: str = ""

    @cached_property
    def standard_error(self) -> float:
        """Standard deviation over the resamples."""
        return math.sqrt(float(np.square(self.values - self.values.mean()).sum()) / (len(self.values) - 1))

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds; they always contain the gain."""
        from scipy.special import stdtrit

        z = float(stdtrit(self.df, alpha))
        lower, upper = self._tails
        plain = self.standard_error * -z
        low = min(lower.quantile(max(-_FURTHEST, z)), self.gain - plain)
        high = max(-upper.quantile(max(-_FURTHEST, z)), self.gain + plain)
        return low, high

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "the gain is at least ``threshold``"."""
        from scipy.special import stdtr

        distance = self.gain - threshold
        t = distance / self.standard_error if self.standard_error else math.copysign(math.inf, distance)
        if distance == 0:
            t = 0.0 if self.standard_error else math.inf
        z = self._tails[1].z_of(-threshold)
        if z < -_FURTHEST:  # beyond the furthest bound
            z = -math.inf
        # Nothing is accused on the estimate's own side of the threshold, as the bounds contain it.
        return float(stdtr(self.df, max(t, z)))

    @cached_property
    def _tails(self) -> tuple[LowerTail, LowerTail]:
        ordered = np.sort(self.values)
        return LowerTail.of(ordered, self.undefined), LowerTail.of(-ordered[::-1], self.undefined)


def bootstrap(
    gain: float,
    statistic: Statistic,
    design: Design,
    *,
    resampling: Resampling,
    resamples: int = RESAMPLES,
    copies: Floats | None = None,
    symmetric: bool = False,
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
    copies : ndarray, shape (n,), optional
        How many equal rows each one stands for, where rows are drawn independently: resamples of a few kinds
        of rows (confusion cells) are multinomial counts, and cost as much as there are kinds.
    symmetric : bool
        Whether the rows are the same with the two models swapped. The bounds are then symmetric, too.

    Raises
    ------
    UndefinedMetricError
        For fewer than two rows, and where no resample has a value.
    InvalidError
        If a group lies in several strata.
    """
    rows = design.n if copies is None else int(copies.sum())
    spread = variance_of_mean(np.zeros(design.n), design) if copies is None else _independent(rows)
    draws = Draws.of(design, copies)
    values = _resampled(statistic, draws, resampling, resamples)
    defined = values[np.isfinite(values)]
    if len(defined) < 2:
        raise UndefinedMetricError(
            f"The metric exists on {len(defined):,} of {resamples:,} resamples of these {rows:,} rows: "
            "that is too few for an interval.",
            "Judge more rows, or use a metric that exists on fewer rows of a class.",
        )
    known = _known(statistic, draws, resampling)
    undefined = resamples - len(defined)
    caution = spread.caution
    if not caution and undefined > MOST_UNDEFINED * resamples:
        caution = f"the metric does not exist on {undefined:,} of {resamples:,} resamples of these rows"
    elif not caution and defined.min() == defined.max():
        caution = f"{rows:,} rows on which no resample changes the gain show no spread"
    elif not caution:
        caution = few_carry(known, rows if design.groups is None else draws.units, draws.name)
    if symmetric:
        defined = np.concatenate((defined, -defined))
        undefined *= 2
    method = f"percentile and t bootstrap ({resamples:,} resamples, seed {resampling.seed})"
    return Bootstrap(gain, defined, undefined, min(spread.df, known), method, caution)


def one_by_one(statistic: Callable[[Floats], float]) -> Statistic:
    """Return the statistic of a chunk from one of a single resample, multiplicities of shape (n,)."""

    def chunk(multiplicities: Floats) -> Floats:
        return np.array([_value(statistic, each) for each in multiplicities])

    return chunk


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


def _known(statistic: Statistic, draws: Draws, resampling: Resampling) -> float:
    """Return the degrees of freedom by the fourth moment of a jackknife over blocks of units."""
    rng = np.random.default_rng([resampling.seed, _BLOCKS])
    blocks = draws.blocks(rng, _BLOCKS)
    step = max(1, _CHUNK // draws.rows)
    values = np.concatenate(
        [statistic(blocks.without(at, min(at + step, blocks.count))) for at in range(0, blocks.count, step)]
    )
    counts = blocks.counts[np.isfinite(values)]
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return math.inf
    total = float(counts.sum())
    centred = values - float((counts * values).sum()) / total
    second, fourth = (float((counts * centred**power).sum()) for power in (2, 4))
    return known_df(second, fourth, round(total))


def _independent(rows: int) -> Spread:
    if rows < 2:
        raise too_few(rows)
    return Spread(0.0, rows - 1)
