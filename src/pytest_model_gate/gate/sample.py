"""The judged rows: what happened, and how they were drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..metrics.rows import Floats, Rows, Truth
from ..stats.bootstrap import Resampling
from ..stats.design import Design
from ..stats.variance import MINIMUM_GROUPS
from ..wording import plural

if TYPE_CHECKING:
    from .at_a_time import Place

_DEFAULT = Resampling()

#: Weights that leave less than two rows, but for rounding, leave nothing to compare.
TWO = 2 - 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Truth and sampling design of the same rows, and how they are drawn again where that is needed.

    ``place`` says where these rows are among others that are measured at once; ``None``: they are alone.
    """

    truth: Truth
    design: Design
    resampling: Resampling = _DEFAULT
    place: Place | None = None

    @property
    def n(self) -> int:
        """Rows."""
        return self.truth.n

    @property
    def simple(self) -> bool:
        """Whether the rows are a plain random sample without weights."""
        return self.truth.weight is None and self.design.independent

    @cached_property
    def effective(self) -> float:
        """How many equally weighted rows would say as much (Kish)."""
        return effective_size(self.truth.weight, self.n)

    @cached_property
    def class_sizes(self) -> tuple[float, ...]:
        """How many equally weighted rows of each class would say as much; empty for regression."""
        truth = self.truth
        if truth.classes is None:
            return ()
        k = len(truth.classes)
        if truth.weight is None:
            return tuple(float(size) for size in np.bincount(truth.values, minlength=k))
        total = np.bincount(truth.values, weights=truth.weight, minlength=k)
        squares = np.bincount(truth.values, weights=truth.weight**2, minlength=k)
        return tuple(float(t * t / s) if s > 0 else 0.0 for t, s in zip(total, squares, strict=True))

    @property
    def caution(self) -> str:
        """Why no interval of these rows may be trusted. Empty: it may."""
        least = MINIMUM_GROUPS if self.n >= MINIMUM_GROUPS else TWO
        if self.truth.weight is not None and self.effective < least <= self.n:
            told = f"{self.effective:.1f}".removesuffix(".0")
            return (
                f"the weights of {self.n:,} rows are so unequal that they say as much as "
                f"{told} row{'s' * (told != '1')}"
            )
        return ""

    def few_of_class(self, metric: str, needed: int) -> str:
        """Return why the rarest class has too few rows for a metric. Empty: it has enough."""
        classes, sizes = self.truth.classes, self.class_sizes
        if not classes or min(sizes) >= needed:
            return ""
        code = sizes.index(min(sizes))
        size = int(np.count_nonzero(self.truth.values == code))
        return (
            f"{plural(size, 'row')} of class {classes[code]!r} "
            f"{'is' if size == 1 else 'are'} too few for an interval of {metric}, "
            f"at least {needed} are needed"
        )

    def telling(self, progress: Callable[[int, int], None]) -> Sample:
        """Return the same rows, whose resampling tells how far it is."""
        return replace(self, resampling=replace(self.resampling, progress=progress))

    def subset(self, rows: Rows, *, place: Place | None = None) -> Sample:
        """Return some rows."""
        return Sample(
            truth=self.truth.subset(rows),
            design=self.design.subset(rows),
            resampling=self.resampling,
            place=place,
        )


def effective_size(weight: Floats | None, n: int) -> float:
    """Return Kish's effective sample size."""
    if weight is None:
        return float(n)
    return float(weight.sum() ** 2 / (weight * weight).sum())
