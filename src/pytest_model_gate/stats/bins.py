"""The sum of absolute deviations in bins: its standard error, and what its estimate may be off by.

No estimate of ``|rho|`` is unbiased near 0, so a normal interval around any of them passes models at the
margin far too often, exactly where they are as far off as the rows can just show. The estimate here (that of
:mod:`pytest_model_gate.metrics.reliability`) has a bias in closed form: with the standard errors ``s``
(assumed) and ``sigma`` (real) and ``tau^2 = s^2 + sigma^2`` it is

    -2 rho Phi(-rho / tau) + 2 (sigma^2 - s^2) / tau phi(rho / tau).

The interval allows for the worst of it, bin by bin (a bias-aware interval, Armstrong and Kolesar 2018).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .design import Codes, Design, Floats
from .influence import from_influence
from .reach import READ_AT
from .student import Student
from .variance import variance_of_mean

#: Where ``2 u Phi(-u)`` is largest: it is 0.34 there.
_WORST = 0.7517915

#: Standard errors that a deviation may be closer to 0 than it looks.
_CLOSER = 3.0

#: With fewer bins that say anything, their errors do not average out to a normal one.
MINIMUM_BINS = 4

#: Slopes for the variance: errors of two models' bins average out better than those of one.
_OF_ONE = 4.0
_OF_TWO = 3.0

#: With fewer groups, many bins go wrong together too often.
MINIMUM_GROUPS = 20

_ROOT_TWO_PI = 2.5066282746310002


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One model's deviations.

    Parameters
    ----------
    bin : ndarray of int, shape (n,)
        Of each row.
    residual : ndarray, shape (n,)
        Truth minus confidence, weighted.
    deviation : ndarray, shape (M,)
        Sum of the residuals of each bin, divided by n.
    noise : ndarray, shape (M,)
        The standard error of the deviation that its estimated size assumes.
    """

    bin: Codes
    residual: Floats
    deviation: Floats
    noise: Floats

    def influence(self, steepness: float) -> Floats:
        """Return the influence of each row on the estimated sum, for its variance.

        Parameters
        ----------
        steepness : float
            4 is the slope of the estimate itself, with which the variance is too large near 0 (Poincare's
            inequality: the mean square of the slope is more than the variance); 0 is that of a known sign,
            with which it is too small.
        """
        from scipy.special import ndtr

        x = _quotient(self.deviation, self.noise)
        slope = 2 * ndtr(x) - 1 + steepness * x * _density(x)
        found: Floats = slope[self.bin] * self.residual
        return found

    @property
    def telling(self) -> float:
        """How many equally noisy bins would say as much (Kish)."""
        squares = float((self.noise * self.noise).sum())
        return float(self.noise.sum()) ** 2 / squares if squares > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Allowing:
    """An inference that allows for a bias of its estimate.

    Parameters
    ----------
    inner : Student
        Without the bias.
    below, above : float
        How much lower and higher than its mean the true gain may be.
    """

    inner: Student
    below: float
    above: float

    @property
    def gain(self) -> float:
        """The estimate."""
        return self.inner.gain

    @property
    def standard_error(self) -> float:
        """Read off the interval, because the bias shrinks with the rows as the error does."""
        low, high = self.bounds(READ_AT)
        least, most = self.inner.bounds(READ_AT)
        return self.inner.standard_error * (high - low) / (most - least) if most > least else 0.0

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.inner.method

    @property
    def caution(self) -> str:
        """Why the interval may neither let pass nor accuse."""
        return self.inner.caution

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds; they always contain the gain."""
        low, high = self.inner.bounds(alpha)
        return low - self.below, high + self.above

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "the gain is at least ``threshold``"."""
        return self.inner.p_below(threshold - self.above)


def from_bins(gain: float, candidate: Side, reference: Side | None, design: Design) -> Allowing:
    """Return the inference on how much less far away the candidate is.

    Parameters
    ----------
    gain : float
        The estimate: of the reference (or a ceiling) minus that of the candidate.
    candidate : Side
        Its deviations.
    reference : Side or None
        The other model's; ``None`` where the candidate is compared with a ceiling.
    design : Design
        How the rows were drawn.
    """
    steepness = _OF_ONE if reference is None else _OF_TWO
    psi = -candidate.influence(steepness)
    mine = _off(candidate, design)
    below, above = mine.down, mine.up
    if reference is not None:
        psi += reference.influence(steepness)
        other = _off(reference, design)
        below, above = mine.down + other.up, mine.up + other.down
        if design.independent:
            # The biases of two models that say nearly the same nearly cancel.
            apart = _apart(candidate, reference, mine, other)
            below, above = np.minimum(below, apart), np.minimum(above, apart)
    inner = from_influence(gain, psi, design, method="bins, allowing for bias")
    telling = min(side.telling for side in (candidate, reference) if side is not None)
    caution = inner.caution or _caution(telling, design)
    return Allowing(replace(inner, caution=caution), float(below.sum()), float(above.sum()))


def _caution(telling: float, design: Design) -> str:
    if telling < MINIMUM_BINS:
        told = f"{telling:.1f}".removesuffix(".0")
        bins = "1 bin" if told == "1" else f"{told} bins"
        return f"nearly all rows lie in {bins}, and an interval needs {MINIMUM_BINS} or more"
    if design.groups is not None and design.units < MINIMUM_GROUPS:
        return (
            f"{design.units} groups are too few for an interval of bins, at least {MINIMUM_GROUPS} are needed"
        )
    return ""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Off:
    """By how much the estimate of each bin may be too small and too large on average.

    ``tau`` and ``most`` are the scale of the bias and the most that it is too large, wherever the deviation.
    """

    down: Floats
    up: Floats
    tau: Floats
    most: Floats


def _off(side: Side, design: Design) -> _Off:
    from scipy.special import ndtr

    assumed = side.noise
    real = np.maximum(assumed, _errors(side, design))
    tau = np.sqrt(assumed * assumed + real * real)
    least = np.maximum(0.0, _quotient(np.abs(side.deviation) - _CLOSER * real, tau))
    worst = np.maximum(least, _WORST)
    most = 2 / _ROOT_TWO_PI * _quotient(real * real - assumed * assumed, tau, known=0.0)
    return _Off(
        down=2 * worst * ndtr(-worst) * tau, up=most * np.exp(-0.5 * least * least), tau=tau, most=most
    )


def _errors(side: Side, design: Design) -> Floats:
    """Return the standard error of each deviation under a design."""
    if design.independent:
        return np.sqrt(_squares(side.bin, side.residual, len(side.deviation))) / len(side.bin)
    found = np.zeros(len(side.deviation))
    for at in np.flatnonzero(np.bincount(side.bin, minlength=len(found))):
        inside = np.where(side.bin == at, side.residual, 0.0)
        found[at] = math.sqrt(variance_of_mean(inside, design).variance)
    return found


def _apart(one: Side, two: Side, off: _Off, other: _Off) -> Floats:
    """Return how far apart the biases of the two models may be in each bin, with independent rows.

    They change at most 1.5 times as fast as the deviation, so the models' deviations must be apart, too.
    """
    bins, n = len(one.deviation), len(one.bin)
    same = one.bin == two.bin
    paired = _squares(one.bin[same], one.residual[same] - two.residual[same], bins)
    alone = _squares(one.bin[~same], one.residual[~same], bins)
    # Sums in this order: swapping the models must not change the last digit.
    squares = paired + (alone + _squares(two.bin[~same], two.residual[~same], bins))
    apart: Floats = 1.5 * (np.abs(one.deviation - two.deviation) + _CLOSER * np.sqrt(squares) / n)
    apart += 0.34 * np.abs(off.tau - other.tau) + np.abs(off.most - other.most)
    return apart


def _squares(at: Codes, residual: Floats, bins: int) -> Floats:
    return np.bincount(at, weights=residual * residual, minlength=bins).astype(np.float64, copy=False)


def _quotient(part: Floats, whole: Floats, known: float | None = None) -> Floats:
    out = np.sign(part) * 40.0 if known is None else np.full(len(part), known)
    return np.divide(part, whole, out=out, where=whole > 0)


def _density(x: Floats) -> Floats:
    density: Floats = np.exp(-0.5 * x * x) / _ROOT_TWO_PI
    return density
