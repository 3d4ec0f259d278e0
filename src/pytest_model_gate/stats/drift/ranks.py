"""The area under the curve that tells current from reference rows: how often a current value is larger.

It is the Mann-Whitney statistic. Its variance is DeLong's (1988), from the placements of each side, with two
imaginary rows added to each side in the variance only: one at the smallest and one at the largest value
(what Agresti and Caffo 2000 do for shares). With whole blocks it is the sum over the placements of each
block, with Student's t. In small samples Newcombe's (2006) score bounds count where they are wider. The
effect is ``|area - 1/2|``.
"""

from __future__ import annotations

import math

import numpy as np

from ..auc import ENOUGH_ROWS, NEAR_ONE, one_model
from ..design import Codes, Floats
from ..inference import normal_quantile
from .effect import Effect, folded_low, quantile, satterthwaite, tail, too_few
from .pair import Pair


def area_effect(pair: Pair, alpha: float) -> Effect:
    """Return how far the area is from one half."""
    m, n = len(pair.x), len(pair.y)
    area, error, df = area_and_error(pair)
    distance = area - 0.5
    folded = 0.5 + abs(distance)
    error_low = error_high = error
    if min(m, n) < ENOUGH_ROWS or folded > NEAR_ONE:
        z = normal_quantile(alpha)
        low, high = one_model(folded, n, m, z)
        error_low, error_high = max(error, (folded - low) / z), max(error, (high - folded) / z)
    caution = too_few(m, n, blocks=pair.blocks)
    error = max(error_low, error)
    p = 1.0 if distance == 0 else 0.0 if error == 0 else min(1.0, 2 * tail(df, -abs(distance) / error))
    return Effect(
        method="auc",
        effect=abs(distance),
        low=folded_low(distance, error_low, df, alpha),
        high=min(0.5, abs(distance) + max(quantile(df, alpha) * error_high, _unseen(pair, alpha))),
        p=p,
        raw=area,
        caution=caution,
    )


def _unseen(pair: Pair, alpha: float) -> float:
    """Return what a value may move the area by that no row happens to have: shares have a width at 0, too."""
    rows = min(len(pair.x), len(pair.y))
    square = normal_quantile(alpha) ** 2
    return 0.5 * square / (rows + square)


def area_and_error(pair: Pair) -> tuple[float, float, float]:
    """Return the area, its standard error and the degrees of freedom of that."""
    m, n = len(pair.x), len(pair.y)
    below, upto = pair.of_y
    of_y = (below + upto) / (2 * m)
    below, upto = pair.of_x
    of_x = 1 - (below + upto) / (2 * n)
    area = float(of_y.mean())
    return area, *_spread(of_x - area, of_y - area, pair, area)


def _spread(of_x: Floats, of_y: Floats, pair: Pair, area: float) -> tuple[float, float]:
    """Return the standard error of the mean placement, with its degrees of freedom."""
    one, df_one = side_variance(of_x, pair.x_blocks)
    other, df_other = side_variance(of_y, pair.y_blocks)
    if pair.blocks is None:
        one += _imaginary(pair, pair.y, 1 - area) / len(of_x) ** 2
        other += _imaginary(pair, pair.x, area) / len(of_y) ** 2
    if pair.blocks is None and min(len(of_x), len(of_y)) >= ENOUGH_ROWS:
        return math.sqrt(one + other), math.inf
    return math.sqrt(one + other), satterthwaite(one, df_one, other, df_other)


def _imaginary(pair: Pair, others: Floats, mean: float) -> float:
    """Return the squares of a row at either end of all values: its place among ``others``, less the mean."""
    ends = np.array([min(pair.x[0], pair.y[0]), max(pair.x[-1], pair.y[-1])])
    places = np.searchsorted(others, ends, "left") + np.searchsorted(others, ends, "right")
    return float(((places / (2 * len(others)) - mean) ** 2).sum())


def side_variance(centred: Floats, blocks: Codes | None) -> tuple[float, float]:
    """Return the variance of the mean of one side's values (mean 0), and its degrees of freedom."""
    n = len(centred)
    sums = centred if blocks is None else np.bincount(blocks, weights=centred)
    units = len(sums)
    if units < 2:
        return 0.0, 1.0
    return float((sums * sums).sum()) * units / (units - 1) / n**2, units - 1.0
