"""Spearman's rank correlation of truth and predicted numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .checked import MORE_ROWS, checked, undefined
from .levels import Floats, Levels, middle
from .metric import Metric
from .rows import Predicted, Truth


def spearman() -> Metric:
    """Return the correlation of the midranks; with weights, of the weighted shares of rows below."""
    return checked(
        Metric(
            name="spearman",
            task="regression",
            needs="value",
            higher_is_better=True,
            value=_value,
            influence=_influence,
            crosses_zero=True,
            bounds=(-1.0, 1.0),
        )
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """One of the two variables: its order and its centred ranks (share below plus half of the ties - 1/2)."""

    levels: Levels
    rank: Floats

    @classmethod
    def of(cls, levels: Levels, truth: Truth) -> _Side:
        mass = levels.mass(truth.weight)
        by_level = middle(mass)
        by_level /= np.sum(mass)
        by_level -= 0.5
        return cls(levels=levels, rank=levels.spread(by_level))

    def share_above(self, other: Floats, truth: Truth) -> Floats:
        """Return, for each row, the sum of a centred variable over the rows above it (half of the ties) / n.

        The sum over all rows is 0, so what lies above is minus what lies below.
        """
        weighted = other if truth.weight is None else other * truth.weight
        by_level = middle(self.levels.mass(weighted))
        by_level /= -truth.n
        return self.levels.spread(by_level)


def _sides(truth: Truth, predicted: Predicted) -> tuple[_Side, _Side]:
    hat = predicted.value_levels
    assert hat is not None, "checked before"
    for what, levels in (("targets", truth.levels), ("predictions", hat)):
        if levels.count < 2:
            remedy = MORE_ROWS if what == "targets" else "Use mean_absolute_error, which exists for them."
            raise undefined("spearman", f"{what} that differ", f"all {truth.n:,} are equal", remedy)
    return _Side.of(truth.levels, truth), _Side.of(hat, truth)


def _moments(u: Floats, v: Floats, truth: Truth) -> tuple[float, float, float]:
    return truth.mean(u * v), truth.mean(u * u), truth.mean(v * v)


def _value(truth: Truth, predicted: Predicted) -> float:
    x, y = _sides(truth, predicted)
    c, uu, vv = _moments(x.rank, y.rank, truth)
    return max(-1.0, min(1.0, c / math.sqrt(uu * vv)))


def _influence(truth: Truth, predicted: Predicted) -> Floats:
    x, y = _sides(truth, predicted)
    u, v = x.rank, y.rank
    c, uu, vv = _moments(u, v, truth)
    root = math.sqrt(uu * vv)
    # A row counts for itself, and moves the rank of every row above it.
    psi = u * v + x.share_above(v, truth) + y.share_above(u, truth)
    psi /= root
    psi -= (c / root / 2 / uu) * (u * u + 2 * x.share_above(u, truth))
    psi -= (c / root / 2 / vv) * (v * v + 2 * y.share_above(v, truth))
    psi -= truth.mean(psi)
    return truth.weigh(psi)
