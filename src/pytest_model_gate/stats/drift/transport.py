"""How far the values moved on average (Wasserstein-1), in standard deviations of the reference.

It is the largest difference of means over all functions with slopes of at most 1. The estimate takes the
best function for these very rows and is therefore too large on average. To accuse, the function comes from
one half of the rows and the difference from the other half: no function claims more than there is. To let
pass, the estimate is at least what the true best function says, and no such function varies more than the
values do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..design import Codes, Floats
from ..tails import few_carry, known_df, moments
from .effect import Effect, quantile, satterthwaite, too_few
from .pair import Pair
from .ranks import side_variance

#: Random halvings that are averaged, so that no single one decides; one is enough work for many rows.
HALVINGS = 8
MANY_ROWS = 100_000

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Pooled:
    """All values ascending, with the side of each and the gap to the next one."""

    gaps: Floats
    of_x: Codes
    of_y: Codes

    @classmethod
    def of(cls, pair: Pair) -> _Pooled:
        values = np.concatenate([pair.x, pair.y])
        # Two ascending runs: a merge.
        order = np.argsort(values, kind="stable")
        place = np.empty(len(values), dtype=np.intp)
        place[order] = np.arange(len(values))
        return cls(np.diff(values[order]), place[: len(pair.x)], place[len(pair.x) :])

    def difference(self, in_x: Mask | None = None, in_y: Mask | None = None) -> Floats:
        """Return the two distribution functions' difference on each gap, of some rows of each side."""
        step = np.zeros(len(self.gaps) + 1)
        x = self.of_x if in_x is None else self.of_x[in_x]
        y = self.of_y if in_y is None else self.of_y[in_y]
        step[x] += 1 / len(x)
        step[y] -= 1 / len(y)
        return np.cumsum(step[:-1])

    def potential(self, difference: Floats) -> Floats:
        """Return the best function at every value: its slope is the sign of the difference."""
        # What rounding leaves of 0 is no slope.
        slope = np.where(np.abs(difference) > 1e-12, np.sign(difference), 0.0)
        return np.concatenate([[0.0], np.cumsum(slope * self.gaps)])


def transport_effect(pair: Pair, alpha: float, p: float | None, *, seed: int = 0) -> Effect:
    """Return the distance over the reference's standard deviation.

    Parameters
    ----------
    pair : Pair
        Finite values.
    alpha : float
        One-sided level.
    p : float or None
        Of another test of the same hypothesis: this distance has none of its own.
    seed : int
        Of the halvings.
    """
    m, n = len(pair.x), len(pair.y)
    centred = pair.x - pair.x.mean()
    deviation = math.sqrt(float((centred * centred).sum()) / max(1, m - 1))
    pooled = _Pooled.of(pair)
    distance = float((np.abs(pooled.difference()) * pooled.gaps).sum())
    caution = too_few(m, n, blocks=pair.blocks)
    if deviation == 0:
        if distance == 0:
            return Effect(method="wasserstein", effect=0, low=0, high=0, p=p, raw=0, caution=caution)
        caution = "all values of the reference are the same, so nothing tells how large a step is"
        return Effect(
            method="wasserstein", effect=distance, low=0, high=distance, p=p, raw=distance, caution=caution
        )
    found = distance / deviation
    # Per row of the reference: how it moves the standard deviation.
    scale = 0.5 * ((centred / deviation) ** 2 - 1)
    low = _low(pair, pooled, deviation, scale, alpha, seed)
    one, df_one = side_variance(centred / deviation + found * np.abs(scale - scale.mean()), pair.x_blocks)
    rest = pair.y - pair.y.mean()
    other, df_other = side_variance(rest / deviation, pair.y_blocks)
    reach = quantile(satterthwaite(one, df_one, other, df_other), alpha) * math.sqrt(one + other)
    if not caution:
        known = min(known_df(*moments(centred), m), known_df(*moments(rest), n))
        caution = few_carry(known, min(m, n))
    return Effect(
        method="wasserstein",
        effect=found,
        low=min(low, found),
        high=found + reach,
        p=p,
        raw=found,
        caution=caution,
    )


def _low(pair: Pair, pooled: _Pooled, deviation: float, scale: Floats, alpha: float, seed: int) -> float:
    """Return the lower bound by cross-fitting, averaged over random halvings."""
    rng = np.random.default_rng(seed)
    rounds = HALVINGS if len(pair.x) + len(pair.y) <= MANY_ROWS else 1
    found = [_cross_fitted(pair, pooled, deviation, scale, rng) for _ in range(rounds)]
    estimate = float(np.mean([estimate for estimate, _, _ in found]))
    # An average of equally good estimates is not worse than one of them.
    variance = float(np.mean([variance for _, variance, _ in found]))
    df = float(np.mean([df for _, _, df in found]))
    return max(0.0, estimate - quantile(df, alpha) * math.sqrt(variance))


def _cross_fitted(
    pair: Pair, pooled: _Pooled, deviation: float, scale: Floats, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return estimate, variance and degrees of freedom of one halving."""
    in_x, in_y = halves(len(pair.x), pair.x_blocks, rng), halves(len(pair.y), pair.y_blocks, rng)
    total, variance, dfs = 0.0, 0.0, []
    for first_x, first_y in ((in_x, in_y), (~in_x, ~in_y)):
        learnt = pooled.potential(pooled.difference(first_x, first_y)) / deviation
        x, y = learnt[pooled.of_x[~first_x]], learnt[pooled.of_y[~first_y]]
        mean = float(y.mean()) - float(x.mean())
        total += mean / 2
        centred = x.mean() - x - mean * (scale[~first_x] - scale[~first_x].mean())
        one, df_one = side_variance(centred, _dense(pair.x_blocks, ~first_x))
        other, df_other = side_variance(y - y.mean(), _dense(pair.y_blocks, ~first_y))
        variance += (one + other) / 4
        dfs.append(satterthwaite(one, df_one, other, df_other))
    # The two halves' variances are independent: their degrees of freedom add up.
    return total, variance, sum(dfs)


def halves(n: int, blocks: Codes | None, rng: np.random.Generator) -> Mask:
    """Return a random half of the rows, or of the blocks."""
    units = n if blocks is None else int(blocks.max()) + 1
    chosen = np.zeros(units, dtype=np.bool_)
    chosen[rng.permutation(units)[: units // 2]] = True
    return chosen if blocks is None else chosen[blocks]


def _dense(blocks: Codes | None, rows: Mask) -> Codes | None:
    if blocks is None:
        return None
    codes: Codes = np.unique(blocks[rows], return_inverse=True)[1]
    return codes
