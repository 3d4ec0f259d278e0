"""Bounds that hold however often one looks, for labels that trickle in.

A fixed-n interval that is looked at every day accuses a good model sooner or later. The two sequences here
may be looked at after every row and acted upon at any moment: the chance that the bound is *ever* on the
wrong side is at most ``alpha``. The price is a bound that is 1.5 to 2 times as far away.

Rows come in the order of their arrival, and what is known of a row may not decide whether an earlier one
counts. Both tell of the mean over the rows so far, which may move with time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import InvalidError, UndefinedMetricError
from .design import Floats
from .inference import normal_cdf
from .roots import crossing

#: The level at which a sequence is narrowest; others are valid too.
TUNED_AT = 0.05

#: With fewer rows the estimated variance is too rough for a bound that is looked at after every row.
MINIMUM_ROWS = 100

#: So skewed may the mean be (the skewness of a row divided by the root of n).
MOST_SKEW = 0.2

#: No bet may lose more than this share of what it stakes.
_STAKE = 0.5


@dataclass(frozen=True, slots=True)
class AsymptoticSequence:
    """The mean of rows of any range: an asymptotic confidence sequence.

    The mixture of Robbins (1970) over positive drifts, one-sided, with the estimated variance in place of
    the true one (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, "Time-uniform central limit theory
    and asymptotic confidence sequences"). Everything but the estimation of the variance is exact.

    Parameters
    ----------
    n : int
        Rows so far.
    gain : float
        Their mean.
    deviation : float
        Standard deviation of a row.
    planned : int
        The number of rows at which the bounds are to be narrowest; chosen before the first look.
    skew : float
        Skewness of a row.
    """

    n: int
    gain: float
    deviation: float
    planned: int
    skew: float = 0.0

    @property
    def standard_error(self) -> float:
        """Of the mean, as if the number of rows had been fixed."""
        return self.deviation / math.sqrt(self.n)

    @property
    def method(self) -> str:
        """Name of the method."""
        return "asymptotic confidence sequence"

    @property
    def caution(self) -> str:
        """Why the bounds may not be used yet."""
        if self.deviation == 0:
            return f"{self.n:,} rows that all say the same show no spread"
        needed = max(MINIMUM_ROWS, math.ceil((self.skew / MOST_SKEW) ** 2))
        if self.n >= needed:
            return ""
        tails = " of such heavy tails" if needed > MINIMUM_ROWS else ""
        return (
            f"{self.n:,} rows{tails} are too few for a bound that may be looked at any time, "
            f"at least {needed:,} are needed"
        )

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of the mean, each valid at every look."""
        reach = self._boundary(alpha) * self.deviation / self.n
        return self.gain - reach, self.gain + reach

    def p_below(self, threshold: float) -> float:
        """Return the anytime p-value against "the mean is at least ``threshold``"."""
        distance = self.n * (threshold - self.gain)
        if distance <= 0 or self.deviation == 0:
            return 0.0 if distance > 0 else 1.0
        return math.exp(-max(0.0, self._log_evidence(distance / self.deviation)))

    def _boundary(self, alpha: float) -> float:
        """Return the sum of standardised rows that is reached with probability ``alpha`` at most, ever."""
        wanted = -math.log(alpha)
        # The two-sided mixture at twice the level is beyond: its evidence is less than half of this one's.
        spread = self.n + 1 / self._drift
        high = math.sqrt(2 * spread * (wanted + math.log1p(self.n * self._drift) / 2)) + 1.0
        return crossing(lambda total: self._log_evidence(total) - wanted, 0.0, high)

    def _log_evidence(self, total: float) -> float:
        """Return the log of the mixture martingale at a sum of standardised rows."""
        spread = 1 + self._drift * self.n
        scaled = total * math.sqrt(self._drift / spread)
        return math.log(2) - math.log(spread) / 2 + scaled * scaled / 2 + math.log(normal_cdf(scaled))

    @property
    def _drift(self) -> float:
        """Return the variance of the mixed drifts that makes the bound narrowest at the planned rows."""
        twice = -2 * math.log(2 * TUNED_AT)
        return (twice + math.log(twice + 1)) / self.planned


@dataclass(frozen=True, eq=False)
class BettingSequence:
    """The mean of bounded rows: a confidence sequence by betting, valid for every number of rows.

    A gambler bets on each row before it is seen that the mean is above (below) a value. Under that value
    the capital grows ``1 / alpha``-fold with probability ``alpha`` at most, ever (Ville). The bound is the
    value up to which the capital did grow (Waudby-Smith and Ramdas 2024, "Estimating means of bounded
    random variables by betting"; predictable plug-in bets).

    Parameters
    ----------
    values : ndarray, shape (n,)
        Rows in the order of arrival.
    least, most : float
        The range that every row is in by construction: -1 and 1 for a difference of two right-or-wrong
        rows.
    planned : int
        The number of rows at which the bounds are to be narrowest; chosen before the first look.

    Raises
    ------
    InvalidError
        For a value outside the range, or none.
    UndefinedMetricError
        For no rows.
    """

    values: Floats
    least: float
    most: float
    planned: int

    def __post_init__(self) -> None:
        if not len(self.values):
            raise UndefinedMetricError("A mean needs at least 1 row, got 0.", "Wait for more labels.")
        outside = int(np.count_nonzero(~((self.values >= self.least) & (self.values <= self.most))))
        if outside:
            raise InvalidError(
                f"Rows must lie between {self.least:g} and {self.most:g}, but {outside:,} of "
                f"{len(self.values):,} do not.",
                "Name the range that every row is in by construction.",
            )

    @property
    def n(self) -> int:
        """Rows so far."""
        return len(self.values)

    @cached_property
    def gain(self) -> float:
        """The mean of the rows so far."""
        return float(self.values.mean())

    @cached_property
    def standard_error(self) -> float:
        """Of the mean, as if the number of rows had been fixed."""
        return float(self.values.std()) / math.sqrt(max(1, self.n - 1))

    @property
    def method(self) -> str:
        """Name of the method."""
        return "betting confidence sequence"

    @property
    def caution(self) -> str:
        """Nothing: the bounds hold for every number of rows."""
        return ""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of the mean, each valid at every look."""
        wanted, reach = -math.log(alpha), self.most - self.least
        low = _lower(self._shares, self._bets, wanted)
        high = 1.0 - _lower(1.0 - self._shares, self._bets, wanted)
        return min(self.least + reach * low, self.gain), max(self.least + reach * high, self.gain)

    def p_below(self, threshold: float) -> float:
        """Return the anytime p-value against "the mean is at least ``threshold``"."""
        share = (threshold - self.least) / (self.most - self.least)
        if threshold <= self.gain or share <= 0:
            return 1.0
        if share > 1:
            return 0.0
        return math.exp(-max(0.0, _log_capital(1.0 - self._shares, self._bets, 1.0 - share)))

    @cached_property
    def _shares(self) -> Floats:
        return np.asarray((self.values - self.least) / (self.most - self.least), dtype=np.float64)

    @cached_property
    def _bets(self) -> Floats:
        """Return how much is staked on each row, from the rows before it alone.

        Both sides stake the same, because the variance of a share and of its complement is one.
        """
        shares = self._shares
        count = np.arange(1, self.n + 1)
        mean = (0.5 + np.cumsum(shares)) / (count + 1)
        variance = (0.25 + np.cumsum(np.square(shares - mean))) / (count + 1)
        before = np.concatenate(([0.25], variance[:-1]))
        # Past the planned rows a bet goes on shrinking, else the bound would stop to narrow.
        horizon = np.maximum(self.planned, count)
        stakes: Floats = np.sqrt(2 * -math.log(TUNED_AT) / (before * horizon))
        return stakes


def asymptotic_sequence(values: Floats, planned: int) -> AsymptoticSequence:
    """Return the sequence of the mean of per-row gains, at the moment of its last row.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Independent rows (of groups: one number per group), in any order.
    planned : int
        As in :class:`AsymptoticSequence`.

    Raises
    ------
    UndefinedMetricError
        For fewer than two rows.

    Examples
    --------
    >>> rows = np.tile([0.0, 1.0], 500)
    >>> low, high = asymptotic_sequence(rows, planned=1_000).bounds(0.05)
    >>> round(low, 3), round(high, 3)
    (0.46, 0.54)
    """
    if len(values) < 2:
        raise UndefinedMetricError(
            f"A sequence needs at least 2 rows, got {len(values)}.", "Wait for more labels."
        )
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    third = float(np.mean((values - mean) ** 3))
    skew = third / deviation**3 if deviation > 0 else 0.0
    return AsymptoticSequence(len(values), mean, deviation, planned, skew)


def _lower(shares: Floats, bets: Floats, wanted: float) -> float:
    """Return the greatest mean that the capital speaks against, 0 where there is none."""
    top = float(shares.mean())
    if top <= 0 or _log_capital(shares, bets, 0.0) < wanted:
        return 0.0
    # The capital falls in the mean that is bet against: every factor does.
    return crossing(lambda mean: wanted - _log_capital(shares, bets, mean), 0.0, top)


def _log_capital(shares: Floats, bets: Floats, mean: float) -> float:
    """Return the log of what one who bets on more than ``mean`` has after the last row."""
    stakes = bets if mean <= 0 else np.minimum(bets, _STAKE / mean)
    return float(np.log1p(stakes * (shares - mean)).sum())
