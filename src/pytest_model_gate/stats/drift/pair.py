"""Two samples of numbers, sorted once: what every measure between their distributions is read off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..design import Codes, Floats

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pair:
    """The values of a column in the reference and in the current data, ascending, none missing.

    Parameters
    ----------
    x, y : ndarray, shapes (m,) and (n,)
        Reference and current.
    x_blocks, y_blocks : ndarray of int or None
        Dense codes of the block of each value: whole blocks were drawn. ``None``: single rows were.
    """

    x: Floats
    y: Floats
    x_blocks: Codes | None = None
    y_blocks: Codes | None = None

    @classmethod
    def of(cls, x: Floats, y: Floats, x_blocks: Codes | None = None, y_blocks: Codes | None = None) -> Pair:
        """Sort two samples; blocks whose code no row has must not occur."""
        if x_blocks is None or y_blocks is None:
            return cls(np.sort(x), np.sort(y))
        # Equal values may come in any order, and then nothing that is read off them changes.
        first, second = np.argsort(x), np.argsort(y)
        return cls(x[first], y[second], x_blocks[first], y_blocks[second])

    @property
    def blocks(self) -> tuple[int, int] | None:
        """How many blocks each side has."""
        if self.x_blocks is None or self.y_blocks is None:
            return None
        return _blocks(self.x_blocks), _blocks(self.y_blocks)

    @cached_property
    def of_y(self) -> tuple[Ints, Ints]:
        """How many of ``x`` are below each of ``y``, and how many are not above it."""
        below = np.searchsorted(self.x, self.y, "left")
        # Only values that occur on both sides need a second search.
        shared = np.flatnonzero(self.x[np.minimum(below, len(self.x) - 1)] == self.y)
        upto = below.copy()
        upto[shared] = np.searchsorted(self.x, self.y[shared], "right")
        return below, upto

    @cached_property
    def of_x(self) -> tuple[Ints, Ints]:
        """How many of ``y`` are below each of ``x``, and how many are not above it."""
        below, upto = self.of_y
        m = len(self.x)
        return (
            np.cumsum(np.bincount(upto, minlength=m + 1))[:m],
            np.cumsum(np.bincount(below, minlength=m + 1))[:m],
        )

    @property
    def tied(self) -> bool:
        """Whether any value occurs twice."""
        below, upto = self.of_y
        return bool(
            (self.x[1:] == self.x[:-1]).any() or (self.y[1:] == self.y[:-1]).any() or (below != upto).any()
        )

    def binned(self, bins: int = 10) -> tuple[Ints, Ints]:
        """Count both samples in bins of equal size by the reference: edges are values that occur.

        A value that many rows share is never parted, so there may be fewer bins; a reference with one value
        only has three: below it, the value, above it.
        """
        x = self.x
        above = np.searchsorted(x, x[0], "right")
        if above == len(x):
            edges = np.array([x[0], np.nextafter(x[0], np.inf)])
        else:
            places = [len(x) * part // bins for part in range(1, bins)]
            edges = np.unique(np.maximum(x[places], x[above]))

        def counts(values: Floats) -> Ints:
            ends = np.searchsorted(values, edges, "left")
            return np.diff(np.concatenate([[0], ends, [len(values)]])).astype(np.int64)

        return counts(self.x), counts(self.y)


def _blocks(codes: Codes) -> int:
    return int(codes.max()) + 1 if len(codes) else 0
