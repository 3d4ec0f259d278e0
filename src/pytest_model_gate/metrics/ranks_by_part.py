"""How scores rank two classes in each of several parts of the rows, such as slices, worked out at once.

The formulas are those of :mod:`~pytest_model_gate.metrics.ranking`, where they are explained; numpy is called
as often for all parts as it is there for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from .levels import Floats, Ints
from .metric import OfParts
from .rows import Predicted, Truth

Number = TypeVar("Number", np.intp, np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class PartRanks:
    """How two classes share the levels of a score, part after part.

    Parameters
    ----------
    level : ndarray of int, shape (n,)
        Of each row, counted through all parts.
    starts, sizes : ndarray of int, shape (parts,)
        The first level of each part, and how many it has.
    positive, negative : ndarray of int, shape (levels,)
        Rows of each class on each level, lowest score of a part first.
    """

    level: Ints
    starts: Ints
    sizes: Ints
    positive: Ints
    negative: Ints

    @classmethod
    def of(cls, truth: Truth, predicted: Predicted) -> PartRanks:
        """Sort the scores of each part."""
        scores, parts = predicted.ranking, truth.starts
        assert scores is not None, "asked only where there are scores"
        assert parts is not None, "asked only of parts"
        ends = (*parts[1:].tolist(), truth.n)
        order = np.concatenate(
            [np.argsort(scores[start:end]) + start for start, end in zip(parts.tolist(), ends, strict=True)]
        )
        ordered = scores[order]
        first = np.empty(truth.n, dtype=np.bool_)
        np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
        first[parts] = True
        level = np.empty(truth.n, dtype=np.intp)
        level[order] = np.cumsum(first) - 1
        sizes = np.add.reduceat(first, parts, dtype=np.intp)
        every = np.diff(np.flatnonzero(first), append=truth.n)
        positive = np.bincount(level[truth.positives], minlength=len(every))
        return cls(
            level=level,
            starts=np.cumsum(sizes) - sizes,
            sizes=sizes,
            positive=positive,
            negative=every - positive,
        )

    @cached_property
    def positives(self) -> Ints:
        """Positive rows of each part."""
        return self.sums(self.positive)

    @cached_property
    def negatives(self) -> Ints:
        """Negative rows of each part."""
        return self.sums(self.negative)

    @cached_property
    def hits(self) -> Ints:
        """Positive rows at or above each level."""
        return self._at_or_above(self.positive, self.positives)

    @cached_property
    def every(self) -> Ints:
        """Rows at or above each level."""
        return self._at_or_above(self.positive + self.negative, self.positives + self.negatives)

    def sums(self, numbers: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """Add up the numbers of each part."""
        found: npt.NDArray[Number] = np.add.reduceat(numbers, self.starts)
        return found

    def each(self, numbers: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """Give each level the number of its part."""
        return np.repeat(numbers, self.sizes)

    def middle(self, mass: Ints) -> Floats:
        """Return the rows below each level plus half of its own."""
        below = np.cumsum(mass) - self.each(self._before(mass))
        below *= 2
        below -= mass
        return np.asarray(below * 0.5, dtype=np.float64)

    def climb(self, numbers: Floats) -> Floats:
        """Add up from the lowest level of each part on, one after the other as for a part alone."""
        found = np.empty_like(numbers)
        for start, size in zip(self.starts.tolist(), self.sizes.tolist(), strict=True):
            numbers[start : start + size].cumsum(out=found[start : start + size])
        return found

    def _before(self, mass: Ints) -> Ints:
        totals = self.sums(mass)
        return np.cumsum(totals) - totals

    def _at_or_above(self, mass: Ints, totals: Ints) -> Ints:
        # Whole numbers: what is left of a total is exact.
        found: Ints = self.each(np.cumsum(totals)) - np.cumsum(mass) + mass
        return found


def auc_of_parts(truth: Truth, predicted: Predicted) -> OfParts:
    """Return the AUC of each part, and the influence of each row on that of its part."""
    ranks = predicted.shared(PartRanks.of, truth)
    pos, neg = ranks.positives, ranks.negatives
    n = pos + neg
    won = ranks.middle(ranks.negative)
    value = ranks.sums(won * ranks.positive) / (pos * neg)
    lost = ranks.middle(ranks.positive)
    lost *= ranks.each(-n / (pos * neg))
    lost += ranks.each((1 - value) * n / neg)
    psi = lost[ranks.level]
    won *= ranks.each(n / (pos * neg))
    won -= ranks.each(value * n / pos)
    psi[truth.positives] = won[ranks.level[truth.positives]]
    return OfParts(values=value, influence=psi)


def average_precision_of_parts(truth: Truth, predicted: Predicted) -> OfParts:
    """Return the average precision of each part, its influence, and by how much it flatters."""
    ranks = predicted.shared(PartRanks.of, truth)
    pos = ranks.positives
    n = pos + ranks.negatives
    precision = ranks.hits / ranks.every
    value = ranks.sums(precision * ranks.positive) / pos
    gain = ranks.positive / ranks.every
    lost = ranks.climb(gain * precision)
    gain = ranks.climb(gain)
    gain += precision
    gain -= ranks.each(value)
    gain *= ranks.each(n / pos)
    lost *= ranks.each(-n / pos)
    psi = lost[ranks.level]
    psi[truth.positives] += gain[ranks.level[truth.positives]]
    return OfParts(values=value, influence=psi, flattery=_own_hits(ranks))


def _own_hits(ranks: PartRanks) -> Floats:
    at = np.flatnonzero(ranks.positive)
    # Where the levels with positives of each part begin, among all of these.
    starts = np.searchsorted(at, ranks.starts)
    mass, hits, every = ranks.positive[at], ranks.hits[at], ranks.every[at]
    others = every - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        without = np.where(others > 0, (hits - 1) / others, np.nan)
    last = np.append(starts[1:], len(at)) - 1
    alone = last[np.isnan(without[last])]
    below = np.where(np.isin(alone, starts), 0.0, without[alone - 1])
    without[alone] = below
    missed = np.add.reduceat(mass * (hits / every - without), starts)
    found: Floats = missed / np.add.reduceat(mass, starts)
    return found
