"""How unlikely counts of classes are, were the shares exactly these: by enumeration, or by chi-squared."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .design import Floats

#: More outcomes are not enumerated: this many take a tenth of a second. Two classes have one for each row and
#: one more, three classes of 2,000 rows as many as this.
MOST_OUTCOMES = 2_000_000

#: Outcomes that are equally likely differ in their last digits (R's binom.test takes the same).
_EQUAL = 1e-7


def p_of_shares(counts: Sequence[int], shares: Sequence[float]) -> tuple[float, str]:
    """Return the p-value of "the shares are exactly these", and the name of the test.

    Exact: the probability of all outcomes that are at most as likely as this one, which for two classes is
    the two-sided binomial test. Where outcomes are too many to look at, Pearson's chi-squared.

    Parameters
    ----------
    counts : sequence of int
        Rows of each class; at least one in all.
    shares : sequence of float
        What they are compared with; they add up to 1.

    Examples
    --------
    >>> p, name = p_of_shares([1, 9], [0.5, 0.5])
    >>> round(p, 8), name
    (0.02148438, 'exact binomial')
    """
    if any(count and not share for count, share in zip(counts, shares, strict=True)):
        return 0.0, "exact"
    kept = [(count, share) for count, share in zip(counts, shares, strict=True) if share]
    observed, expected = [count for count, _ in kept], np.array([share for _, share in kept])
    n, k = sum(observed), len(kept)
    if k == 1:
        return 1.0, "exact"
    if math.comb(n + k - 1, k - 1) <= MOST_OUTCOMES:
        return _exact(observed, expected), "exact binomial" if k == 2 else "exact multinomial"
    from scipy.special import gammaincc

    statistic = float(np.sum((np.array(observed) - n * expected) ** 2 / (n * expected)))
    return float(gammaincc((k - 1) / 2, statistic / 2)), "chi-squared"


def _exact(observed: Sequence[int], shares: Floats) -> float:
    n = sum(observed)
    factorials = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n + 1)))))

    def term(count: np.ndarray | int, cell: int) -> Floats:
        return np.asarray(count * math.log(shares[cell]) - factorials[count], dtype=np.float64)

    own = factorials[n] + float(sum(float(term(count, cell)) for cell, count in enumerate(observed)))
    # One cell after the other: what is left to distribute, and the logarithm so far.
    left, logs = np.array([n]), np.array([factorials[n]])
    for cell in range(len(observed) - 1):
        sizes = left + 1
        starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
        here = np.arange(int(sizes.sum())) - starts
        logs = np.repeat(logs, sizes) + term(here, cell)
        left = np.repeat(left, sizes) - here
    logs = logs + term(left, len(observed) - 1)
    return min(1.0, float(np.sort(np.exp(logs[logs <= own + math.log1p(_EQUAL)])).sum()))
