"""The area under the ROC curve: DeLong's interval, and MOVER where DeLong's breaks down.

DeLong's variance is the variance of the influence with the two classes as strata (DeLong, DeLong and
Clarke-Pearson 1988): each row's placement is its influence times its class's share. Near an area of 1 and
in small classes it is too small by far, so one-model intervals of Newcombe (2006, method 5) are combined
with DeLong's correlation (MOVER, Zou and Donner 2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .design import Codes, Floats
from .inference import normal_cdf, normal_quantile
from .reach import ends, error_of_width, p_of_reach, together
from .roots import crossing

#: DeLong's interval is trusted from this many rows of each class on, up to this area.
ENOUGH_ROWS = 50
NEAR_ONE = 0.95

#: Variances of areas below this are none.
_ROUNDING = 1e-26


@dataclass(frozen=True, slots=True)
class PairedAuc:
    """Two areas on the same rows.

    Parameters
    ----------
    candidate, reference : float
        The two areas.
    positives, negatives : float
        Rows of each class; effective ones where they have weights.
    variance : float
        DeLong's, of ``candidate - weight * reference``.
    correlation : float
        DeLong's, of the two areas.
    weight : float
        Of the reference: ``1 - r`` where the tolerance is the share ``r`` of the reference, which is an
        estimate itself. The bounds stay bounds of the difference.
    """

    candidate: float
    reference: float
    positives: float
    negatives: float
    variance: float
    correlation: float
    weight: float = 1.0

    @property
    def gain(self) -> float:
        """Difference of the areas."""
        return self.candidate - self.reference

    @property
    def trusts_delong(self) -> bool:
        """Whether both classes are large enough and both areas far enough from the ends."""
        areas = (self.candidate, self.reference)
        return (
            min(self.positives, self.negatives) >= ENOUGH_ROWS
            and max(areas) <= NEAR_ONE
            and min(areas) >= 1 - NEAR_ONE
        )

    @property
    def standard_error(self) -> float:
        """DeLong's, or what the width of the MOVER interval corresponds to (never 0)."""
        if self.trusts_delong:
            return math.sqrt(self.variance)
        return error_of_width(self.bounds)

    @property
    def method(self) -> str:
        """Name of the method."""
        return "delong" if self.trusts_delong else "mover"

    @property
    def caution(self) -> str:
        """Nothing: MOVER is conservative in small classes."""
        return ""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of the difference."""
        return ends(self.gain, self._reach, alpha)

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the bounds: the level at which they reach the threshold."""
        if not self.trusts_delong:
            return p_of_reach(self.gain, self._reach, threshold)
        distance = threshold - self.gain
        if self.variance == 0:
            return 1.0 if distance <= 0 else 0.0
        return normal_cdf(-distance / math.sqrt(self.variance))

    def _reach(self, z: float, *, upper: bool) -> float:
        """Return the distance from the difference to its bound."""
        if self.trusts_delong:
            return z * math.sqrt(self.variance)
        up, down = (self.candidate, self.reference) if upper else (self.reference, self.candidate)
        above = one_model(up, self.positives, self.negatives, z)[1] - up
        below = down - one_model(down, self.positives, self.negatives, z)[0]
        if upper:
            below *= self.weight
        else:
            above *= self.weight
        return together(above, below, self.correlation)


@dataclass(frozen=True, slots=True)
class Auc:
    """One area against a fixed value; the gain is the area minus the floor."""

    area: float
    positives: float
    negatives: float
    floor: float = 0.0

    @property
    def gain(self) -> float:
        """Area minus floor."""
        return self.area - self.floor

    @property
    def standard_error(self) -> float:
        """What the width of the interval corresponds to (never 0)."""
        return error_of_width(self.bounds)

    @property
    def method(self) -> str:
        """Name of the method."""
        return "newcombe"

    @property
    def caution(self) -> str:
        """Nothing: the score interval holds in small classes too."""
        return ""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of area minus floor."""
        low, high = one_model(self.area, self.positives, self.negatives, normal_quantile(alpha))
        return low - self.floor, high - self.floor

    def p_below(self, threshold: float) -> float:
        """Return the p-value of the score test against "the gain is at least ``threshold``"."""
        area = self.floor + threshold
        if area <= 0:
            return 1.0
        if area >= 1:
            return 1.0 if area == 1 and self.area == 1 else 0.0
        spread = math.sqrt(_variance(area, self.positives, self.negatives))
        return normal_cdf((self.area - area) / spread)


def paired_auc(
    candidate: float,
    reference: float,
    of_candidate: Floats,
    of_reference: Floats,
    positive: Codes,
    *,
    weight: float = 1.0,
) -> PairedAuc:
    """Return the inference on the difference of two areas.

    Parameters
    ----------
    candidate, reference : float
        The two areas.
    of_candidate, of_reference : ndarray, shape (n,)
        Influence of the rows: ``(placement - area) / share of the row's class``.
    positive : ndarray of int
        The rows that are positive.
    weight : float
        As in :class:`PairedAuc`.
    """

    def squares(values: Floats) -> tuple[float, float]:
        # Sums and no dot products: those of BLAS depend on its threads in the last digits.
        squares = values * values
        of_positives = float(squares[positive].sum())
        return of_positives, float(squares.sum()) - of_positives

    first, second = squares(of_candidate), squares(of_reference)
    difference = squares(of_candidate - weight * of_reference)
    counts = len(positive), len(of_candidate) - len(positive)
    return paired_auc_of(candidate, reference, first, second, difference, counts, weight)


def paired_auc_of(
    candidate: float,
    reference: float,
    of_candidate: tuple[float, float],
    of_reference: tuple[float, float],
    of_difference: tuple[float, float],
    counts: tuple[int, int],
    weight: float = 1.0,
) -> PairedAuc:
    """Return the inference on the difference of two areas from sums over the rows of each class.

    Parameters
    ----------
    candidate, reference, weight
        As in :class:`PairedAuc`.
    of_candidate, of_reference, of_difference : tuple of float
        Sums of squared influence over positives and over negatives, of each area and of
        ``candidate - weight * reference``.
    counts : tuple of int
        Positives and negatives.
    """
    positives, negatives = counts
    n = positives + negatives

    def variance(squares: tuple[float, float]) -> float:
        return (_factor(positives) * squares[0] + _factor(negatives) * squares[1]) / n**2

    first, second = variance(of_candidate), weight**2 * variance(of_reference)
    difference = variance(of_difference)
    # With one row in a class nothing is known about how the two models err together on that class.
    # A model that ranks nothing has no variance but rounding errors, and what errs with those is not known.
    known = min(positives, negatives) > 1 and min(first, second) > _ROUNDING
    rho = (first + second - difference) / (2 * math.sqrt(first * second)) if known else 0.0
    rho = min(1.0, max(-1.0, rho))
    return PairedAuc(candidate, reference, positives, negatives, difference, rho, weight)


def one_model(area: float, positives: float, negatives: float, z: float) -> tuple[float, float]:
    """Return Newcombe's (2006, method 5) score bounds of one area."""
    low = _lower(area, positives, negatives, z)
    return low, 1.0 - _lower(1.0 - area, positives, negatives, z)


def _lower(area: float, positives: float, negatives: float, z: float) -> float:
    if area <= 0 or z <= 0:
        return max(area, 0.0)

    def excess(theta: float) -> float:
        return z * math.sqrt(_variance(theta, positives, negatives)) - (area - theta)

    return crossing(excess, 0.0, area)


def _variance(theta: float, m: float, n: float) -> float:
    """Return the variance of an area that is truly ``theta`` (Hanley and McNeil, with Newcombe's means)."""
    shape = (1 - theta) / (2 - theta) + theta / (1 + theta)
    return theta * (1 - theta) * (1 + ((m + n) / 2 - 1) * shape) / (m * n)


def _factor(count: int) -> float:
    return count / (count - 1) if count > 1 else 1.0
