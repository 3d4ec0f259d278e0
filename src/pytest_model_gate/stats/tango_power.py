"""The exact power of Tango's test: how likely two paired proportions pass a margin.

The discordant rows are binomial, and so are those of them that speak for the candidate. For each number of
discordant rows there is a least number of these that passes, so the power is one sum, without a normal
approximation and without simulation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .inference import normal_quantile

Array = npt.NDArray[Any]

#: Numbers of discordant rows so many standard deviations away from their mean are left out.
_FURTHEST = 9.0


@dataclass(frozen=True, slots=True)
class PairedProspect:
    """Two proportions on the same rows.

    Parameters
    ----------
    n : int
        Rows.
    discordance : float
        Share of the rows on which only one of the two models is right.
    """

    n: int
    discordance: float

    def power(self, margin: float, alpha: float, gain: float = 0.0) -> float:
        """Return how likely Tango's lower bound is above minus the margin, for this true gain.

        Examples
        --------
        >>> round(PairedProspect(2_000, 0.05).power(0.01, 0.05), 3)
        0.631
        """
        from scipy.special import betainc, gammaln, xlog1py, xlogy

        if margin <= -1 or self.n < 1:
            return 0.0
        if margin >= 1:
            return 1.0
        z, n = normal_quantile(alpha), self.n
        q = min(1.0, max(self.discordance, abs(gain)))
        share = (q + gain) / (2 * q) if q > 0 else 0.5
        mean, spread = n * q, _FURTHEST * np.sqrt(n * q * (1 - q)) + 3 * _FURTHEST
        first, last = max(0, int(mean - spread)), min(n, int(mean + spread))
        discordant = np.arange(first, last + 1, dtype=np.float64)
        log_mass = (
            gammaln(n + 1.0)
            - gammaln(discordant + 1)
            - gammaln(n - discordant + 1)
            + xlogy(discordant, q)
            + xlog1py(n - discordant, -q)
        )
        least = _least_passing(discordant, n, margin, z)
        # P(X >= k) by the incomplete beta function; none passes where more are needed than there are.
        needed = np.clip(least, 1, np.maximum(discordant, 1))
        tail = betainc(needed, np.maximum(discordant - needed, 0) + 1, share)
        tail = np.where(least <= 0, 1.0, np.where(least > discordant, 0.0, tail))
        mass = np.exp(log_mass - log_mass.max())  # its logarithm has lost digits where there are many rows
        return float(np.sum(mass * tail) / np.sum(mass))


def _least_passing(discordant: Array, n: int, margin: float, z: float) -> Array:
    """Return, for each number of discordant rows, how many of them have to speak for the candidate.

    More than there are where none passes. The score grows with them, so bisection finds them.
    """
    low, high = np.full_like(discordant, -1.0), discordant + 1
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        passes = _passes(middle, discordant - middle, n, margin, z)
        open_ = high - low > 1
        high = np.where(open_ & passes, middle, high)
        low = np.where(open_ & ~passes, middle, low)
    return high


def _passes(n10: Array, n01: Array, n: int, margin: float, z: float) -> npt.NDArray[np.bool_]:
    """Whether Tango's score against "the gain is minus the margin" is above the quantile."""
    if margin < 0:
        # The score of "the gain is d" with d > 0, by the formula as it stands.
        first, second, d, sign = n10, n01, -margin, 1.0
    else:
        first, second, d, sign = n01, n10, margin, -1.0
    a = 2.0 * n
    b = -first - second + (2 * n - first + second) * d
    c = -second * d * (1 - d)
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        nuisance = np.where(b <= 0, (root - b) / (2 * a), -2 * c / (b + root))
        nuisance = np.where(np.isfinite(nuisance), nuisance, 0.0)
        distance = sign * (first - second - n * d)
        spread = np.sqrt(n * (2 * nuisance + d * (1 - d)))
        score = np.where(spread > 0, distance / spread, np.where(distance > 0, np.inf, 0.0))
    passed: npt.NDArray[np.bool_] = score > z
    return passed
