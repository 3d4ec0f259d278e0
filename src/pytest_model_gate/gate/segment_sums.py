"""Sums over the rows of many segments at once, and what they say about each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..metrics.rows import Floats, Ints, Mask
from .segments import Segment

Codes = npt.NDArray[np.integer[Any]]

#: A segment's own spread counts as if so many rows with the spread of all were added to it.
_PRIOR_ROWS = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """The rows that segments are found on, in an order of their content: sums of floats depend on it.

    Parameters
    ----------
    index : ndarray of int, shape (n,)
        Which rows.
    parts : mapping
        Metric -> weight times part of each of them; below 0 is worse than tolerated.
    weight : ndarray, shape (n,), or None
        Of these rows.
    least : int
        Rows that have to be inside of a segment, and outside of it.
    minor : ndarray of bool, shape (n,), or None
        The rows of the rarest class, where metrics need some.
    least_minor : int
        So many of these have to be inside.
    """

    index: Ints
    parts: dict[str, Floats]
    weight: Floats | None = None
    least: int = 1
    minor: Mask | None = None
    least_minor: int = 0

    def without(self, segment: Segment) -> Rows:
        """Return the rows outside of a segment."""
        kept = ~segment.holds(self.index)
        return Rows(
            index=self.index[kept],
            parts={metric: values[kept] for metric, values in self.parts.items()},
            weight=None if self.weight is None else self.weight[kept],
            least=self.least,
            minor=None if self.minor is None else self.minor[kept],
            least_minor=self.least_minor,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over the rows of each cell, or of each segment: rows, weights, parts, squares of parts."""

    n: Floats
    weight: Floats
    minor: Floats | None
    sums: dict[str, Floats]
    squares: dict[str, Floats]

    @classmethod
    def count(cls, rows: Rows, codes: Codes, cells: int, inside: Mask | None = None) -> Sums:
        """Add up the rows of each cell, or those of them that are inside."""

        def add(values: Floats | None) -> Floats:
            if values is not None and inside is not None:
                values = values[inside]
            return np.bincount(chosen, weights=values, minlength=cells).astype(np.float64)

        chosen = (codes if inside is None else codes[inside]).astype(np.intp, copy=False)
        n = add(None)
        return cls(
            n=n,
            weight=n if rows.weight is None else add(rows.weight),
            minor=None if rows.minor is None else add(rows.minor.astype(np.float64)),
            sums={metric: add(values) for metric, values in rows.parts.items()},
            squares={metric: add(values * values) for metric, values in rows.parts.items()},
        )

    def _mapped(self, work: Callable[[Floats], Floats]) -> Sums:
        return Sums(
            n=work(self.n),
            weight=work(self.weight),
            minor=None if self.minor is None else work(self.minor),
            sums={metric: work(values) for metric, values in self.sums.items()},
            squares={metric: work(values) for metric, values in self.squares.items()},
        )

    def within(self, holds: Floats) -> Sums:
        """Return the sums of ranges of cells."""
        return self._mapped(lambda cells: holds @ cells)

    def crossed(self, one: Floats, other: Floats) -> Sums:
        """Return the sums of pairs of ranges, row by row."""
        return self._mapped(lambda cells: (one @ cells.reshape(one.shape[1], -1) @ other.T).ravel())

    def _chosen(self, rows: Rows, totals: Sums) -> Mask:
        # Sums of counts are exact, whatever BLAS does; half a row forgives nothing.
        enough = (self.n >= rows.least - 0.5) & (totals.n - self.n >= rows.least - 0.5)
        return enough if self.minor is None else enough & (self.minor >= rows.least_minor - 0.5)

    def eligible(self, rows: Rows, totals: Sums) -> int:
        """Return how many are large enough."""
        return int(np.count_nonzero(self._chosen(rows, totals)))

    def worst(
        self, rows: Rows, totals: Sums, wanted: int, cost: Floats, only: str | None = None
    ) -> Iterator[tuple[str, float, int]]:
        """Yield metric, score after cost and place of the worst ones, those of every metric for themselves.

        Only what is worse than tolerated, and worse than the other rows, is yielded.
        """
        for metric in self.sums if only is None else (only,):
            z = self.scores(metric, rows, totals)
            scores = np.where(z > 0, z * z / 2 - cost, -np.inf)
            places = np.argsort(-scores, kind="stable")[:wanted]
            yield from (
                (metric, float(scores[place]), int(place)) for place in places if np.isfinite(scores[place])
            )

    def scores(self, metric: str, rows: Rows, totals: Sums) -> Floats:
        """Return the score of each in one metric; minus infinity for those that are too small."""
        return np.where(self._chosen(rows, totals), self._score(metric, totals), -np.inf)

    def _score(self, metric: str, totals: Sums) -> Floats:
        """Return how many standard errors each is below the tolerance, and below all other rows.

        The lesser of both: where the whole candidate is worse, a segment like all others is no finding.
        """
        sums, squares, total = self.sums[metric], self.squares[metric], totals.sums[metric]
        with np.errstate(all="ignore"):
            spread = _spread(total, totals.squares[metric], totals.weight) / totals.n
            mean = sums / self.weight
            rest_weight = totals.weight - self.weight
            rest = (total - sums) / rest_weight
            own = _variance(self.n, sums, squares, self.weight, spread)
            other = _variance(
                totals.n - self.n, total - sums, totals.squares[metric] - squares, rest_weight, spread
            )
            z: Floats = np.minimum(-mean / np.sqrt(own), (rest - mean) / np.sqrt(own + other))
        z[~np.isfinite(z)] = -np.inf
        return z


def _spread(sums: Floats, squares: Floats, weight: Floats) -> Floats:
    found: Floats = np.maximum(squares - sums * sums / weight, 0.0)
    return found


def _variance(n: Floats, sums: Floats, squares: Floats, weight: Floats, spread: Floats) -> Floats:
    """Return the variance of a mean, its spread drawn towards that of all rows."""
    own: Floats = (_spread(sums, squares, weight) + _PRIOR_ROWS * spread) / (n + _PRIOR_ROWS)
    return own * n / (weight * weight)


def ranges(ends: Ints, cells: int) -> Floats:
    """Return which cells each range holds, as a matrix."""
    place = np.arange(cells)
    low, high = ends.T[:, :, None]
    found: Floats = ((place >= low) & (place <= high)).astype(np.float64)
    return found
