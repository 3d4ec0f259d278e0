"""How likely a clause is answered wrongly with so many rows: the bounds, from the paper's to the tightest.

Every bound is for one direction, because a mode promises one direction only. What can go wrong is written
in one way: the mean of something per row exceeds a threshold that it does not exceed in truth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from .answer import Mode
from .grammar import Clause

Array = npt.NDArray[Any]

#: Every kind of row, as (new right, old right, predictions differ): of two different predictions at most one
#: is right, and both right means that they do not differ.
ROWS = ((0, 0, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1))

#: Where the exponent of Chernoff's bound is looked for, in units of range over tolerance.
_FURTHEST = 60.0

#: Below this a determinant or a share is 0.
_SINGULAR = 1e-12

#: Beyond so many rows, or so small a probability, the exact tail is not summed: Chernoff's bound is close.
MOST_EXACT = 2_000_000
_SMALLEST = -600.0


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mean of ``weights`` per row is found above ``truth + tolerance``, and in truth is at most ``truth``.

    Parameters
    ----------
    weights : tuple of Fraction
        Of new right, old right, predictions differ.
    truth, tolerance : Fraction
        The largest mean for which the answer is wrong, and how far above it the mistake begins.
    """

    weights: tuple[Fraction, Fraction, Fraction]
    truth: Fraction
    tolerance: Fraction

    @classmethod
    def of(cls, clause: Clause, mode: Mode) -> Mistake:
        """Return the mistake that a mode must not make: a wrong "true", or a wrong "false"."""
        mirrored = (clause.compares == "<") is (mode == "fp-free")
        sign = -1 if mirrored else 1
        n, o, d = clause.weights
        return cls((sign * n, sign * o, sign * d), sign * clause.constant, clause.tolerance)

    @property
    def values(self) -> tuple[Fraction, ...]:
        """What each kind of row counts."""
        return tuple(
            sum((weight * share for weight, share in zip(self.weights, row, strict=True)), Fraction(0))
            for row in ROWS
        )

    @property
    def possible(self) -> bool:
        """Whether some rows could lead to it at all."""
        return min(self.values) <= self.truth and self.truth + self.tolerance < max(self.values)

    @property
    def used(self) -> tuple[Fraction, ...]:
        """The sizes of the weights that are not 0."""
        return tuple(abs(weight) for weight in self.weights if weight)

    @property
    def difference(self) -> Fraction | None:
        """The factor of ``n - o``, where the clause asks about nothing else."""
        n, o, d = self.weights
        return abs(n) if n == -o and n and not d else None


def hoeffding(width: float, tolerance: float, log_delta: float) -> float:
    """Return the rows with which a mean is at most ``tolerance`` too large, except with ``delta``.

    Hoeffding's inequality for one direction: there is no factor of 2 in front of the exponential.

    Parameters
    ----------
    width : float
        Of the range of what is averaged.
    tolerance : float
        Above 0.
    log_delta : float
        Natural logarithm of the probability of a mistake.

    Examples
    --------
    >>> import math
    >>> math.ceil(hoeffding(1.0, 0.01, math.log(0.0001)))
    46052
    """
    return -(width**2) * log_delta / (2 * tolerance**2)


def bennett(second_moment: float, tolerance: float, log_delta: float, largest: float = 1.0) -> float:
    """Return the same by Bennett's inequality, where the mean square of a row is known to be small.

    ``n p h(e / p)`` with ``h(u) = (1 + u) log(1 + u) - u``, for values of at most ``largest``; for one
    direction, as above.

    Examples
    --------
    >>> import math
    >>> math.ceil(bennett(0.1, 0.01, math.log(0.0001 / 4 / 32)))  # 29K in the paper, two-sided, half of delta
    29048
    """
    u = largest * tolerance / second_moment
    return -log_delta * largest**2 / (second_moment * ((1 + u) * math.log1p(u) - u))


def split(weights: Sequence[float], tolerance: float, log_delta: float) -> tuple[float, tuple[float, ...]]:
    """Return the rows where each variable is bounded by itself, and the tolerance of each, split at best.

    ``max_i n_i`` with ``n_i`` from Hoeffding's inequality at ``(e_i, delta_i)``, where the tolerances add up
    to the whole and so do the probabilities. At the best split all ``n_i`` are equal and

        n = (sum_i w_i sqrt(log(1 / delta_i)))^2 / (2 e^2)

    Parameters
    ----------
    weights : sequence of float
        Sizes of the variables' weights.
    tolerance, log_delta : float
        Of the clause.
    """
    logs = _shares_of_delta(weights, log_delta)
    reach = [weight * math.sqrt(-log) for weight, log in zip(weights, logs, strict=True)]
    tolerances = tuple(tolerance * part / sum(reach) for part in reach)
    return sum(reach) ** 2 / (2 * tolerance**2), tolerances


def _shares_of_delta(weights: Sequence[float], log_delta: float) -> list[float]:
    """Return the logarithm of each variable's probability, such that the reaches add up to the least.

    The derivative of ``w sqrt(log(1 / x))`` is ``-w / (2 x sqrt(log(1 / x)))``: it is equal for all at the
    best shares, which a few rounds of ``x = w / sqrt(log(1 / x))``, made to sum to 1, find.
    """
    shares = [weight / sum(weights) for weight in weights]
    for _ in range(50):
        parts = [
            weight / math.sqrt(-(log_delta + math.log(share)))
            for weight, share in zip(weights, shares, strict=True)
        ]
        shares = [part / sum(parts) for part in parts]
    return [log_delta + math.log(share) for share in shares]


def chernoff(mistake: Mistake, log_delta: float, *, most_changed: float = 1.0) -> float:
    """Return the rows by Chernoff's bound for the worst rows that are possible.

    ``P(mean >= t) <= inf_s exp(-n (s t - log E exp(s X)))``. The expectation is linear in the shares of the
    kinds of rows, so over all shares with the mean at the threshold and at most ``most_changed`` changed
    predictions it is largest at a corner, and there are few. It is never larger than Hoeffding's or
    Bennett's for the same row.

    Parameters
    ----------
    mistake : Mistake
        A possible one.
    log_delta : float
        Natural logarithm of the probability of a mistake.
    most_changed : float
        Share of rows on which the two models are known to differ at most.
    """
    values = np.array([float(value) for value in mistake.values])
    corners = _corners(mistake, values, most_changed)
    if not len(corners):  # with so few changed predictions the wrong answer cannot be near
        return 1.0
    level, width = float(mistake.truth + mistake.tolerance), float(values.max() - values.min())

    def exponent(s: float) -> float:
        top = float((s * values).max())
        mass = float((corners @ np.exp(s * values - top)).max())
        return s * level - top - math.log(mass) if mass > 0 else math.inf

    rate = _largest(exponent, _FURTHEST * width / float(mistake.tolerance))
    return max(1.0, -log_delta / rate)


def _corners(mistake: Mistake, values: Array, most_changed: float) -> Array:
    """Return the corner points of the shares of the kinds of rows, one a line.

    The shares add up to 1, their mean is at most the truth, and those of changed rows add up to at most
    ``most_changed``; the two slacks are a sixth and a seventh share.
    """
    changed = [float(row[2]) for row in ROWS]
    matrix = np.array([[1.0] * 5 + [0.0, 0.0], [*values, 1.0, 0.0], [*changed, 0.0, 1.0]])
    right = np.array([1.0, float(mistake.truth), most_changed])
    found = []
    for chosen in map(list, combinations(range(7), 3)):
        part = matrix[:, chosen]
        if abs(np.linalg.det(part)) < _SINGULAR:
            continue
        shares = np.zeros(7)
        shares[chosen] = np.linalg.solve(part, right)
        if shares.min() >= -_SINGULAR:
            found.append(np.maximum(shares[:5], 0.0))
    return np.array(found)


def _largest(function: Any, most: float) -> float:
    """Return the largest value of a concave function between 0 and ``most`` (golden section)."""
    golden = (math.sqrt(5) - 1) / 2
    low, high = 0.0, most
    for _ in range(200):
        first, second = high - golden * (high - low), low + golden * (high - low)
        if function(first) < function(second):
            low = first
        else:
            high = second
    return float(function((low + high) / 2))


def binomial(mistake: Mistake, log_delta: float, *, most: int) -> int | None:
    """Return the least rows from which on the exact binomial tail keeps the promise, for one variable.

    The tail grows with the true share, so the worst truth is the threshold itself: nothing is approximated.

    Parameters
    ----------
    mistake : Mistake
        About one variable; ``None`` is returned for more.
    log_delta : float
        Natural logarithm of the probability of a mistake.
    most : int
        Rows that are enough by another bound, and so are all larger numbers.
    """
    from scipy.special import betainc

    if len(mistake.used) != 1 or most > MOST_EXACT or log_delta < _SMALLEST:
        return None
    weight = next(weight for weight in mistake.weights if weight)
    level, share = (mistake.truth + mistake.tolerance) / weight, mistake.truth / weight
    if max(level.numerator, level.denominator) > 10**9:
        return None
    rows = np.arange(1, most + 1, dtype=np.int64)
    product = rows * level.numerator
    if weight > 0:  # more than rows * level are right
        beyond = product // level.denominator
    else:  # fewer than rows * level are right: more than rows - rows * level are wrong
        beyond, share = rows - -(-product // level.denominator), 1 - share
    # P(X > k) by the incomplete beta function; k is below the number of rows, as the mistake is possible.
    tail = betainc(beyond + 1.0, rows - beyond, float(share))
    broken = np.flatnonzero(tail > math.exp(log_delta))
    return int(broken[-1]) + 2 if len(broken) else 1
