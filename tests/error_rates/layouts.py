"""How the rows of a simulated holdout hang together: plain, weighted, stratified, in groups, with copies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pytest_model_gate.gate.measure import Sample
from pytest_model_gate.metrics.rows import Truth
from pytest_model_gate.stats.design import Design

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

#: Coefficient of variation of the weights.
WEIGHT_CV = 0.5

#: Share of the latent variance that rows of one group have in common: of the target and of every error.
ICC = 0.3

NAMES = ("plain", "weights", "strata", "groups10", "groups50", "copies")


@dataclass(frozen=True)
class Layout:
    """One way to draw ``n`` rows.

    ``strata`` fixes the number of rows in each class (or each quarter of a numeric target); ``groups10`` and
    ``groups50`` are so many groups of equal size; in ``copies`` every row is there twice and is grouped by
    what it is a copy of.
    """

    name: str
    n: int

    @cached_property
    def groups(self) -> Ints | None:
        """Group codes, or ``None``."""
        if self.name == "copies":
            return np.arange(self.n) // 2
        if self.name.startswith("groups"):
            count = int(self.name.removeprefix("groups"))
            return np.arange(self.n) * count // self.n
        return None

    @property
    def stratified(self) -> bool:
        """Whether the target's strata have fixed sizes."""
        return self.name == "strata"

    @property
    def units(self) -> float:
        """How many independent rows there are, at most."""
        if self.groups is not None:
            return float(self.groups[-1] + 1)
        return self.n / (1 + WEIGHT_CV**2) if self.name == "weights" else float(self.n)

    def normals(self, rng: np.random.Generator, repetitions: int, *each: int) -> Floats:
        """Return standard normal numbers, shape (repetitions, n, *each), dependent within groups."""
        if self.name == "copies":
            return np.repeat(rng.standard_normal((repetitions, self.n // 2, *each)), 2, axis=1)
        own = rng.standard_normal((repetitions, self.n, *each))
        if self.groups is None:
            return own
        shared = rng.standard_normal((repetitions, int(self.groups[-1]) + 1, *each))
        own *= math.sqrt(1 - ICC)
        own += math.sqrt(ICC) * shared[:, self.groups]
        return own

    def weights(self, rng: np.random.Generator, repetitions: int) -> Floats | None:
        """Return log-normal weights with mean 1, shape (repetitions, n), or ``None``."""
        if self.name != "weights":
            return None
        spread = math.sqrt(math.log1p(WEIGHT_CV**2))
        weights = np.exp(spread * rng.standard_normal((repetitions, self.n)))
        return weights / weights.mean(axis=1, keepdims=True)

    def sample(
        self, values: npt.NDArray[np.generic], classes: int | None, weight: Floats | None, strata: Ints | None
    ) -> Sample:
        """Return the judged rows of one repetition."""
        return Sample(
            truth=Truth(
                values=values, classes=None if classes is None else tuple(range(classes)), weight=weight
            ),
            design=Design(n=self.n, groups=self.groups, strata=strata if self.stratified else None),
        )
