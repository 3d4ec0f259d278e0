"""Multiplicities of rows: units of a design drawn again, with replacement, within their strata."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .design import Codes, Design, Floats
from .variance import stratum_of_groups


@dataclass(frozen=True, eq=False)
class Draws:
    """The units that are drawn (rows or groups), and the row that each belongs to.

    Parameters
    ----------
    rows : int
        Rows.
    unit : ndarray of int, shape (rows,), or None
        The unit of each row; ``None``: every row is one.
    first, size : ndarray of int, shape (draws,)
        The stratum of each draw: its first unit in ``order``, and how many units it has.
    order : ndarray of int, shape (units,), or None
        Units by stratum; ``None`` where they already are.
    factor : ndarray, shape (units,)
        What a drawn unit counts, so that the units of each stratum keep their total.
    copies : ndarray, shape (units,), or None
        How many equal rows each unit stands for; ``None``: one.
    """

    rows: int
    unit: Codes | None
    first: Floats
    size: Floats
    order: Codes | None
    factor: Floats
    copies: Floats | None = None

    @classmethod
    def of(cls, design: Design, copies: Floats | None = None) -> Draws:
        """Return how the rows of a design are drawn again."""
        if copies is not None:
            total = float(copies.sum())
            nothing = np.empty(0)
            factor = np.full(len(copies), total / (total - 1))
            return cls(len(copies), None, nothing, nothing, None, factor, copies)
        unit, strata = design.groups, design.strata
        if unit is not None:
            units = int(unit.max()) + 1
            if units == 1:  # nothing is known about other groups; the rows show something
                unit, strata, units = None, None, design.n
            elif strata is not None:
                strata = stratum_of_groups(unit, strata)
        else:
            units = design.n
        if strata is None:
            strata = np.zeros(units, dtype=np.intp)
        strata = _several_each(strata)
        order = np.argsort(strata, kind="stable")
        sizes = np.bincount(strata)
        starts = np.cumsum(sizes) - sizes
        return cls(
            rows=design.n,
            unit=unit,
            first=np.repeat(starts, sizes - 1).astype(np.float64),
            size=np.repeat(sizes, sizes - 1).astype(np.float64),
            order=None if np.array_equal(order, np.arange(units)) else order,
            factor=(sizes / (sizes - 1))[strata],
        )

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.factor)

    def multiplicities(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw ``count`` resamples, shape (count, rows)."""
        if self.copies is not None:
            total = float(self.copies.sum())
            return rng.multinomial(round(total) - 1, self.copies / total, size=count) * self.factor
        # One uniform number per draw, whatever its stratum: the stream does not depend on the chunks.
        drawn = rng.random((count, len(self.first)))
        drawn *= self.size
        np.floor(drawn, out=drawn)
        drawn += self.first
        unit: npt.NDArray[np.intp] = drawn.astype(np.intp)
        if self.order is not None:
            unit = self.order[unit]
        unit += (np.arange(count) * self.units)[:, None]
        counts = np.bincount(unit.ravel(), minlength=count * self.units).reshape(count, self.units)
        return self.of_rows(counts * self.factor)

    @property
    def name(self) -> str:
        """What the units are."""
        return "rows" if self.unit is None else "groups"

    def blocks(self, rng: np.random.Generator, most: int) -> Blocks:
        """Return blocks of units of about the same number; kinds of rows lose one row each."""
        if self.copies is not None:
            return Blocks(self, np.arange(self.units), self.copies)
        count = min(most, self.units)
        block = np.arange(self.units) % count
        if self.units > most:  # by chance, as neighbours in the order of the rows are alike
            block = rng.permutation(block)
        return Blocks(self, block, np.ones(count))

    def of_rows(self, of_units: Floats) -> Floats:
        """Give each row the multiplicity of its unit."""
        return of_units if self.unit is None else of_units[:, self.unit]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Units in blocks that a jackknife leaves out one at a time.

    Parameters
    ----------
    draws : Draws
        The units.
    block : ndarray of int, shape (units,)
        The block of each.
    counts : ndarray, shape (blocks,)
        How often leaving one out says the same.
    """

    draws: Draws
    block: Codes
    counts: Floats

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return len(self.counts)

    def without(self, start: int, stop: int) -> Floats:
        """Return the multiplicities of the rows without these blocks, shape (stop - start, rows)."""
        left_out = np.arange(start, stop)[:, None] == self.block
        copies = self.draws.copies
        whole = np.ones(self.draws.units) if copies is None else copies
        return self.draws.of_rows(whole - left_out)


def _several_each(strata: Codes) -> Codes:
    """Return dense strata of at least two units: those of one are pooled, or go to the smallest other."""
    sizes = np.bincount(strata)
    alone = np.flatnonzero(sizes == 1)
    if not len(alone) or len(sizes) == 1:
        return np.unique(strata, return_inverse=True)[1]
    others = np.flatnonzero(sizes > 1)
    home = alone[0] if len(alone) > 1 else others[np.argmin(sizes[others])]
    merged = np.where(np.isin(strata, alone), home, strata)
    return np.unique(merged, return_inverse=True)[1]
