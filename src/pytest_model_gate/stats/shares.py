"""How far the shares of classes are from those that were agreed, with bounds that hold at every size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from .design import Codes, Floats
from .multinomial import p_of_shares

#: With more classes the upper bound is Hoeffding's, because all their subsets are too many to look at.
MOST_ENUMERATED = 12

#: With more classes than this nothing can be said.
MOST_CLASSES = 1000


@dataclass(frozen=True)
class Shares:
    """Counts of classes against expected shares.

    The distance is the total variation: half the sum of the absolute differences, the largest difference
    that any set of classes has, and the share of rows that would have to change their class.

    Parameters
    ----------
    counts : tuple of int
        Rows of each class; at least one row in all.
    expected : tuple of float
        Shares that add up to 1.

    Examples
    --------
    >>> found = Shares((700, 300), (0.8, 0.2))
    >>> round(found.distance, 3), [round(bound, 3) for bound in found.bounds(0.05)]
    (0.1, [0.072, 0.129])
    """

    counts: tuple[int, ...]
    expected: tuple[float, ...]

    @property
    def n(self) -> int:
        """Rows."""
        return sum(self.counts)

    @property
    def distance(self) -> float:
        """The total variation distance of what was counted."""
        return float(max(0.0, sum(max(0.0, float(d)) for d in self._apart)))

    @cached_property
    def test(self) -> tuple[float, str]:
        """The p-value of exactly these shares, and the name of the test: a by-product."""
        return p_of_shares(self.counts, self.expected)

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return bounds of the distance that both hold with probability ``1 - alpha``, for every n.

        The distance is the largest ``p(A) - expected(A)`` over all sets of classes A. Each of the
        ``2^K - 2`` sets has an exact (Clopper-Pearson) lower bound of its share, at its part of alpha.
        """
        k = len(self.counts)
        if k < 2 or k > MOST_CLASSES:
            return (0.0, 0.0) if k < 2 else (0.0, 1.0)
        level = alpha / (2**k - 2)
        # Any set gives a valid lower bound: those that come first where classes are sorted by their excess.
        order = np.argsort(-self._apart, kind="stable")
        counts, expected = np.array(self.counts)[order], np.array(self.expected)[order]
        inside, agreed = np.cumsum(counts)[:-1], np.cumsum(expected)[:-1]
        low = float(np.max(_lower(inside, self.n, level) - agreed))
        if k <= MOST_ENUMERATED:
            sets = np.array(list(product((0, 1), repeat=k))[1:-1])
            upper = 1.0 - _lower(self.n - sets @ np.array(self.counts), self.n, level)
            high = float(np.max(upper - sets @ np.array(self.expected)))
        else:
            high = self.distance + math.sqrt(math.log(1 / level) / (2 * self.n))
        return max(0.0, low), min(1.0, max(high, self.distance))

    @property
    def _apart(self) -> Floats:
        return np.asarray(np.array(self.counts) / self.n - np.array(self.expected), dtype=np.float64)


def _lower(inside: Codes, n: int, level: float) -> Floats:
    """Return exact one-sided lower bounds of shares."""
    from scipy.special import betaincinv

    found = np.zeros(len(inside))
    some = inside > 0
    found[some] = betaincinv(inside[some], n - inside[some] + 1, level)
    return found
