"""Many accusations at once, corrected for how they hang together: Westfall and Young's step-down max-T.

Lines that share rows or metrics say nearly the same, and Bonferroni's and Holm's methods count them as if
each were a chance of its own. Here the joint distribution of all lines under the null hypothesis is that of
the multiplier bootstrap: the influence of every row, times a random number with mean 0 and variance 1 that
all lines share. With normal multipliers the bootstrapped lines are, given the data, exactly normal with the
correlation of their influences. So nothing is resampled: the correlation takes one pass over the rows, and
the draws cost the same for a thousand rows and for a million.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UndefinedMetricError
from .design import Codes, Design, Floats
from .inference import normal_quantile
from .variance import stratum_of_groups

#: Draws from the joint distribution: a p-value of 0.05 is then known to 0.0015.
DRAWS = 20_000

#: Rows of the dense piece of the matrix "units x lines" that exists at a time.
_BLOCK = 8192

#: Above this share of filled cells a block is multiplied as a dense matrix.
_DENSE = 0.04

#: What is added to the variances, so that lines that say the same have a Cholesky factor.
_RIDGE = 1e-6

#: Correlations keep so many decimals: far more than matter, and none that depends on the order of the rows.
_DECIMALS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What each independent unit (row or group) adds to one line, centred, with a sum of squares of 1.

    Parameters
    ----------
    units : ndarray of int, shape (m,)
        Positions of the units among all units, ascending.
    values : ndarray, shape (m,)
        Their parts; the product of two lines' parts, summed, is the lines' correlation.
    """

    units: npt.NDArray[np.integer[Any]]
    values: npt.NDArray[np.float32]


def scores(influence: Floats, design: Design, rows: Codes | None = None) -> Scores | None:
    """Return the parts of one line.

    Parameters
    ----------
    influence : ndarray, shape (m,)
        Influence contrast of the line on its own rows, weights included.
    design : Design
        How all rows were drawn.
    rows : ndarray of int, shape (m,), optional
        Which rows these are, ascending; all by default.

    Returns
    -------
    Scores or None
        ``None`` where the influence has no spread: then nothing is known about how the line varies.
    """
    units: npt.NDArray[Any] = np.arange(design.n) if rows is None else rows
    if len(units) < 2:
        return None
    values, strata = influence, None if design.strata is None else design.strata[units]
    if design.groups is not None:
        units, position = np.unique(design.groups[units], return_inverse=True)
        values = np.bincount(position, weights=influence).astype(np.float64, copy=False)
        if strata is not None:
            strata = stratum_of_groups(position, strata)
        if len(units) < 2:
            return None
    centred = _centred(values, strata)
    size = float(np.sqrt(np.sum(centred * centred)))
    # What is left of a constant after centring is rounding error.
    if size <= 1e-12 * float(np.sqrt(np.sum(values * values))):
        return None
    return Scores(units.astype(np.int32, copy=False), (centred / size).astype(np.float32))


def _centred(values: Floats, strata: Codes | None) -> Floats:
    """Return values around their mean, within strata; squared they sum up to the variance of the total."""
    n = len(values)
    if strata is None:
        found: Floats = (values - values.mean()) * np.sqrt(n / (n - 1))
        return found
    dense = np.unique(strata, return_inverse=True)[1]
    sizes = np.bincount(dense)
    means = np.bincount(dense, weights=values) / sizes
    alone = sizes == 1
    means[alone] = values.mean()
    factor = np.where(alone, 1.0, np.sqrt(sizes / np.maximum(sizes - 1, 1)))
    return np.asarray((values - means[dense]) * factor[dense], dtype=np.float64)


def correlation(lines: Sequence[Scores]) -> Floats:
    """Return the correlation matrix of the lines, a block of units at a time.

    Examples
    --------
    >>> one = scores(np.array([1.0, -1.0, 2.0, -2.0]), Design(n=4))
    >>> correlation([one, one]).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    from scipy.sparse import csc_array

    k = len(lines)
    found = np.zeros((k, k))
    last = max((int(line.units[-1]) for line in lines), default=-1) + 1
    for start in range(0, last, _BLOCK):
        stop = min(start + _BLOCK, last)
        cuts = [np.searchsorted(line.units, (start, stop)) for line in lines]
        ends = np.cumsum([0, *(high - low for low, high in cuts)])
        parts = [
            (line.units[low:high], line.values[low:high])
            for line, (low, high) in zip(lines, cuts, strict=True)
        ]
        block = csc_array(
            (
                np.concatenate([values for _, values in parts]).astype(np.float64),
                np.concatenate([units for units, _ in parts]) - start,
                ends,
            ),
            shape=(stop - start, k),
        )
        if ends[-1] > _DENSE * (stop - start) * k:
            block = block.toarray()
            found += block.T @ block
        else:
            found += (block.T @ block).toarray()
    np.fill_diagonal(found, 1.0)
    rounded: Floats = np.clip(found, -1.0, 1.0).round(_DECIMALS)
    return rounded


def max_t(
    p_values: Sequence[float],
    lines: Sequence[Scores | None],
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> tuple[float, ...]:
    """Return p-values adjusted for all lines together, in the order given.

    Every line keeps its own p-value, from its own method with its own guards; only the joint distribution
    comes from the influences. A line without one counts as in Holm's method, next to the maximum over the
    others, which is a union bound. An adjusted p-value is never below the line's own and, up to the draws,
    never above Holm's, which is taken where it is smaller.

    Parameters
    ----------
    p_values : sequence of float
        Each line's own, one-sided.
    lines : sequence of Scores or None
        In the same order; ``None`` for a line without influence.
    seed : int
        Of the draws. With the same lines in the same order the answer is the same.
    draws : int
        How many.
    """
    k = len(p_values)
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    step = _holm_steps(p, order)
    known = [index for index in order if lines[index] is not None]
    if len(known) > 1:
        reached = _reached([lines[index] for index in known], p[known], seed=seed, draws=draws)
        # At each step of the descent: those among the remaining lines that have, and have not, influence.
        with_influence = np.array([lines[index] is not None for index in order])
        rank = np.cumsum(with_influence) - with_influence
        rest = np.cumsum(~with_influence[::-1])[::-1]
        for place in np.flatnonzero(with_influence):
            joint = reached[rank[place]] + rest[place] * p[order[place]]
            step[place] = min(step[place], joint)
    adjusted = np.empty(k)
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, step))
    return tuple(float(value) for value in np.maximum(adjusted, p))


def _holm_steps(p: Floats, order: npt.NDArray[np.intp]) -> Floats:
    found: Floats = np.arange(len(p), 0, -1) * p[order]
    return found


def _reached(found: Sequence[Scores | None], p: Floats, *, seed: int, draws: int) -> Floats:
    """Return, for lines by rising p-value, how often the maximum of it and the later ones reaches its own."""
    lines = [line for line in found if line is not None]
    # By the tail, which keeps the digits of small p-values; a p-value of 1 can never be reached from below.
    least = float(np.finfo(float).tiny)
    z = np.array([normal_quantile(min(max(value, least), 1 - 1e-16)) for value in p])
    k = len(lines)
    factor = _factor(correlation(lines))
    rng = np.random.Generator(np.random.PCG64(seed))
    count = np.zeros(k)
    size = max(1, min(draws, (1 << 21) // k))
    for start in range(0, draws, size):
        drawn = rng.standard_normal((min(size, draws - start), k)) @ factor.T
        later = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
        count += (later >= z).sum(axis=0)
    reached: Floats = (1 + count) / (1 + draws)
    return reached


def _factor(matrix: Floats) -> Floats:
    """Return a Cholesky factor; unlike eigenvectors it moves little where the matrix moves little."""
    ridge = _RIDGE
    while ridge < 1:
        try:
            factor = np.linalg.cholesky(matrix + ridge * np.eye(len(matrix)))
        except np.linalg.LinAlgError:
            ridge *= 10
        else:
            return np.asarray(factor / math.sqrt(1 + ridge), dtype=np.float64)
    raise UndefinedMetricError("The correlation of the lines is no correlation matrix.")
