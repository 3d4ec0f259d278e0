"""Correlations of truth and predicted numbers: Pearson's, and Spearman's of their ranks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..blocks import blocks
from .checked import MORE_ROWS, checked, undefined
from .levels import Floats, Levels, middle
from .metric import Metric
from .rows import ROUNDING, Predicted, Truth


def spearman() -> Metric:
    """Return the correlation of the midranks; with weights, of the weighted shares of rows below."""
    return _correlation("spearman", _value, _influence)


def pearson() -> Metric:
    """Return the linear correlation."""
    return _correlation(
        "pearson",
        lambda truth, predicted: predicted.shared(_linear, truth)[0],
        lambda truth, predicted: predicted.shared(_linear, truth)[1],
    )


def _correlation(
    name: str,
    value: Callable[[Truth, Predicted], float],
    influence: Callable[[Truth, Predicted], Floats],
) -> Metric:
    return checked(
        Metric(
            name=name,
            task="regression",
            needs="value",
            higher_is_better=True,
            value=value,
            influence=influence,
            crosses_zero=True,
            bounds=(-1.0, 1.0),
        )
    )


def _target(truth: Truth) -> Floats:
    """Return the standardised target, once for all models."""
    return _standard(truth, truth.values, "targets")


def _linear(truth: Truth, predicted: Predicted) -> tuple[float, Floats]:
    """Return value and influence together: ``u v - rho / 2 (u**2 + v**2)``, of standardised variables."""
    assert predicted.value is not None, "checked before"
    u, psi = truth.shared(_target), _standard(truth, predicted.value, "predictions")
    rho = truth.mean_by_block(lambda rows: u[rows] * psi[rows])
    for rows in blocks(truth.n):  # the mean is 0, because those of the squares are 1
        of_target, block = u[rows], psi[rows]
        both = of_target * block
        block *= block
        block += of_target * of_target
        block *= -rho / 2
        block += both
    truth.weigh(psi)
    psi.flags.writeable = False  # it is kept, and handed to whoever asks
    return float(np.clip(rho, -1.0, 1.0)), psi  # min and max would lose a NaN


def _standard(truth: Truth, values: npt.NDArray[np.floating], what: str) -> Floats:
    """Return a variable with mean 0 and mean square 1."""
    mean, square = truth.spread_by_block(lambda rows: np.asarray(values[rows], dtype=np.float64))
    size = math.sqrt(square)
    # What is equal can be a rounding away from its mean. NaN is found elsewhere.
    differ = not size <= ROUNDING * abs(mean) or bool(values.min() < values.max())
    if not differ or size == 0:
        remedy = MORE_ROWS if what == "targets" else "Use mean_absolute_error, which exists for them."
        found = "they differ too little for a variance" if differ else f"all {truth.n:,} are equal"
        raise undefined("pearson", f"{what} that differ", found, remedy)
    standard = np.empty(len(values))
    for rows in blocks(len(values)):
        block = np.subtract(values[rows], mean, out=standard[rows], dtype=np.float64)
        block /= size
    return standard


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """One of the two variables: its order and its centred ranks (share below plus half of the ties - 1/2)."""

    levels: Levels
    rank: Floats

    @classmethod
    def of(cls, levels: Levels, truth: Truth) -> _Side:
        mass = levels.mass(truth.weight)
        by_level = middle(mass)
        by_level /= float(np.sum(mass))
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
