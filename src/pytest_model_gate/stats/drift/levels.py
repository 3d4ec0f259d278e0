"""Counts of levels or bins in two samples: total variation, Cramer's V, Jensen-Shannon and PSI."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..design import Floats
from ..inference import normal_quantile
from ..roots import crossing
from .effect import Effect, quantile, satterthwaite, too_few
from .noncentral import chi2_quantile, noncentral_bounds

Counts = npt.NDArray[np.int64]

#: Random halvings that are averaged.
HALVINGS = 8
#: Expected rows below which the chi-squared distribution is not trusted (Cochran).
EXPECTED = 5.0
#: Random tables of the p-value where that is so.
DRAWS = 1_999
_LN2 = math.log(2)
#: How many times as far apart shares are looked at for an upper bound.
_FURTHEST = 20.0

#: A divergence of two vectors of shares, and its derivatives.
Value = Callable[[Floats, Floats], tuple[float, Floats, Floats]]


@dataclass(frozen=True, eq=False)
class Table:
    """How many rows of the reference and of the current data have each level.

    Parameters
    ----------
    p, q : ndarray of int, shape (K,)
        Reference and current. A level that neither has must not be in it.
    p_blocks, q_blocks : ndarray of int, shape (blocks, K), or None
        The same counts per block, where whole blocks were drawn.
    """

    p: Counts
    q: Counts
    p_blocks: Counts | None = None
    q_blocks: Counts | None = None

    @property
    def m(self) -> int:
        """Rows of the reference."""
        return int(self.p.sum())

    @property
    def n(self) -> int:
        """Rows of the current data."""
        return int(self.q.sum())

    @property
    def blocks(self) -> tuple[int, int] | None:
        """How many blocks each side has."""
        if self.p_blocks is None or self.q_blocks is None:
            return None
        return len(self.p_blocks), len(self.q_blocks)

    def merged(self) -> Table:
        """Return the table with all levels together that have fewer than 5 expected rows on a side."""
        pooled = self.p + self.q
        least = min(self.m, self.n) / (self.m + self.n)
        rare = pooled * least < EXPECTED
        if rare.sum() < 2:
            return self
        together = [np.concatenate([side[~rare], [side[rare].sum()]]) for side in (self.p, self.q)]
        return Table(together[0], together[1])


@dataclass(frozen=True, slots=True)
class Psi:
    """The population stability index, and what it is where nothing has moved.

    Parameters
    ----------
    value : float
        With half a row added to every cell.
    null : float
        Its mean where nothing has moved.
    null_q95 : float
        What it stays below then in 19 of 20 cases.
    bins : int
        Cells.
    """

    value: float
    null: float
    null_q95: float
    bins: int


def psi_of(table: Table) -> Psi:
    """Return the index of a table whose rare levels are merged."""
    p, q = _smoothed(table)
    size, df = 1 / table.m + 1 / table.n, len(p) - 1
    value = float(((q - p) * np.log(q / p)).sum())
    return Psi(value, df * size, size * chi2_quantile(df, 0.05) if df else 0.0, len(p))


def chi2(table: Table) -> float:
    """Return Pearson's statistic of the two rows."""
    m, n = table.m, table.n
    pooled = table.p + table.q
    expected = pooled * (m / (m + n))
    away = table.p - expected
    # The other row is as far away, with n / m times the expected rows.
    return float((away * away / expected).sum()) * (1 + m / n)


def chi2_p(table: Table, *, seed: int = 0) -> float:
    """Return its p-value: of random tables with the same margins where a cell has too few expected rows."""
    df = len(table.p) - 1
    if df < 1:
        return 1.0
    m, n = table.m, table.n
    found = chi2(table)
    pooled = table.p + table.q
    if float(pooled.min()) * min(m, n) / (m + n) >= EXPECTED:
        from scipy.special import chdtrc

        return float(chdtrc(df, found))
    rng = np.random.default_rng(seed)
    expected = pooled * (m / (m + n))
    draws = rng.multivariate_hypergeometric(pooled, m, size=DRAWS, method="marginals")
    drawn = ((draws - expected) ** 2 / expected).sum(axis=1) * (1 + m / n)
    return float(1 + (drawn >= found * (1 - 1e-12)).sum()) / (DRAWS + 1)


def total_variation(table: Table, alpha: float, *, seed: int = 0) -> Effect:
    """Return the share of rows that would have to change their level.

    It is the largest difference of the shares of any set of levels. To accuse, the set comes from one half
    of the rows and the difference from the other; to let pass, the estimate is at least that of the true set.
    """
    m, n = table.m, table.n
    away = table.q / n - table.p / m
    found = float(np.abs(away).sum()) / 2
    error, df = math.sqrt((1 / m + 1 / n) / 4), math.inf
    if table.p_blocks is not None and table.q_blocks is not None:
        chosen = away > 0
        one, df_one = _block_variance(table.p_blocks, chosen)
        other, df_other = _block_variance(table.q_blocks, chosen)
        error = max(error, math.sqrt(one + other))
        df = satterthwaite(one, df_one, other, df_other)
    merged = table.merged()
    return Effect(
        method="tv",
        effect=found,
        low=min(found, _cross_fitted(table, alpha, seed)),
        high=min(1.0, found + quantile(df, alpha) * error),
        p=None if table.blocks else chi2_p(merged, seed=seed),
        raw=found,
        caution=too_few(m, n, blocks=table.blocks),
    )


def cramer_v(table: Table, alpha: float, *, seed: int = 0) -> Effect:
    """Return Cramer's V between the level and the data set that a row is from."""
    merged = table.merged()
    m, n, df = merged.m, merged.n, len(merged.p) - 1
    total = m + n
    found = chi2(merged)

    def squared(p: Floats, q: Floats) -> tuple[float, Floats, Floats]:
        # Of shares: the weights are those of the two samples.
        u, w = m / total, n / total
        mix = u * p + w * q
        value = float((u * (p - mix) ** 2 / mix + w * (q - mix) ** 2 / mix).sum())
        # d/dp of sum of u p^2 / mix + w q^2 / mix - 1
        shared = (u * p * p + w * q * q) / (mix * mix)
        return value, u * (2 * p / mix - shared), w * (2 * q / mix - shared)

    low, high, centre = _divergence(merged, alpha, squared, 1 / total)
    # Rare levels are one for the estimate, but what they hide may not pass.
    high = max(high, _divergence(table, alpha, squared, 1 / total)[1])
    return Effect(
        method="cramer_v",
        effect=math.sqrt(centre),
        low=math.sqrt(low),
        high=min(1.0, math.sqrt(high)),
        p=chi2_p(merged, seed=seed) if df else 1.0,
        raw=math.sqrt(found / total),
        caution=too_few(m, n),
    )


def jensen_shannon(table: Table, alpha: float, *, seed: int = 0) -> Effect:
    """Return the Jensen-Shannon distance: the root of the divergence in bits."""
    merged = table.merged()

    def divergence(p: Floats, q: Floats) -> tuple[float, Floats, Floats]:
        mix = (p + q) / 2
        of_p = 0.5 * np.log2(p / mix, where=p > 0, out=np.zeros_like(p))
        of_q = 0.5 * np.log2(q / mix, where=q > 0, out=np.zeros_like(q))
        return float((p * of_p + q * of_q).sum()), of_p, of_q

    size = (1 / merged.m + 1 / merged.n) / (8 * _LN2)
    low, high, centre = _divergence(merged, alpha, divergence, size)
    high = max(high, _divergence(table, alpha, divergence, size)[1])
    raw, _, _ = divergence(merged.p / merged.m, merged.q / merged.n)
    return Effect(
        method="js",
        effect=math.sqrt(centre),
        low=math.sqrt(low),
        high=min(1.0, math.sqrt(high)),
        p=chi2_p(merged, seed=seed),
        raw=math.sqrt(max(0.0, raw)),
        caution=too_few(merged.m, merged.n),
    )


def stability(table: Table, alpha: float, *, seed: int = 0) -> Effect:
    """Return the population stability index less its mean where nothing has moved."""
    merged = table.merged()
    found = psi_of(merged)

    def index(p: Floats, q: Floats) -> tuple[float, Floats, Floats]:
        ratio = np.log(q / p)
        return float(((q - p) * ratio).sum()), -ratio + 1 - q / p, ratio + 1 - p / q

    low, high, centre = _divergence(
        merged, alpha, index, 1 / merged.m + 1 / merged.n, shares=_smoothed(merged)
    )
    whole = _divergence(table, alpha, index, 1 / table.m + 1 / table.n, shares=_smoothed(table))
    high = max(high, whole[1])
    return Effect(
        method="psi",
        effect=centre,
        low=low,
        high=high,
        p=chi2_p(merged, seed=seed),
        raw=found.value,
        threshold=found.null_q95,
        caution=too_few(merged.m, merged.n),
    )


def _divergence(
    table: Table,
    alpha: float,
    value: Value,
    size: float,
    *,
    shares: tuple[Floats, Floats] | None = None,
) -> tuple[float, float, float]:
    """Return bounds and estimate of a divergence that is ``size`` times a noncentral chi-squared nearby.

    Parameters
    ----------
    value : callable
        ``value(p, q)`` of two vectors of shares returns the divergence and its derivatives.
    size : float
        The divergence over this is chi-squared where nothing has moved.
    shares : tuple of ndarray, optional
        To take in place of the plain ones.
    """
    p, q = (table.p / table.m, table.q / table.n) if shares is None else shares
    df = len(p) - 1
    if df < 1:
        return 0.0, 0.0, 0.0
    found = max(0.0, value(p, q)[0])
    low, high = noncentral_bounds(found / size, df, alpha)
    centre = max(0.0, found - df * size)
    z = normal_quantile(alpha)
    low = max(0.0, min(low * size, centre - z * _at(table, value, 0.0)[1]))
    return low, max(high * size, _highest(table, value, centre, z)), centre


def _at(table: Table, value: Value, further: float) -> tuple[float, float]:
    """Return a divergence and its standard error where the shares are farther apart than they are.

    With a row more in every cell: a cell that happens to be small is no sure thing.
    """
    m, n, cells = table.m, table.n, len(table.p)
    p, q = (table.p + 1) / (m + cells), (table.q + 1) / (n + cells)
    # The smaller sample may be the farther off.
    step = further * (q - p)
    p, q = np.maximum(p - step * n / (m + n), 0.5 / m), np.maximum(q + step * m / (m + n), 0.5 / n)
    p, q = p / p.sum(), q / q.sum()
    found, of_p, of_q = value(p, q)
    return found, math.sqrt(_variance(p, of_p) / m + _variance(q, of_q) / n)


def _highest(table: Table, value: Value, centre: float, z: float) -> float:
    """Return the largest divergence that may have given the estimate, with the spread that it has there."""
    highest = centre + z * _at(table, value, 0.0)[1]
    if centre <= 0:
        return highest

    def excess(further: float) -> float:
        there, error = _at(table, value, further)
        return there - z * error - centre

    if excess(0.0) >= 0 or excess(_FURTHEST) <= 0:
        return highest
    return max(highest, _at(table, value, crossing(excess, 0.0, _FURTHEST))[0])


def _variance(share: Floats, of: Floats) -> float:
    mean = float((share * of).sum())
    return float((share * (of - mean) ** 2).sum())


def _smoothed(table: Table) -> tuple[Floats, Floats]:
    """Return shares with half a row added to every cell of both sides."""
    cells = len(table.p)
    p, q = table.p.astype(np.float64) + 0.5, table.q.astype(np.float64) + 0.5
    return p / (table.m + cells / 2), q / (table.n + cells / 2)


def _cross_fitted(table: Table, alpha: float, seed: int) -> float:
    """Return the lower bound: sets from one half, their shares from the other, averaged over halvings."""
    rng = np.random.default_rng(seed)
    halve = _halve if table.blocks is None else _halve_blocks
    found = [_one_halving(halve(table, rng)) for _ in range(HALVINGS)]
    estimate, variance, df = (float(np.mean(values)) for values in zip(*found, strict=True))
    return max(0.0, estimate - quantile(df if table.blocks else math.inf, alpha) * math.sqrt(variance))


def _halve(table: Table, rng: np.random.Generator) -> tuple[Table, Table]:
    p, q = (rng.multivariate_hypergeometric(side, int(side.sum()) // 2) for side in (table.p, table.q))
    return Table(p, q), Table(table.p - p, table.q - q)


def _halve_blocks(table: Table, rng: np.random.Generator) -> tuple[Table, Table]:
    assert table.p_blocks is not None, "unreachable: a table with blocks"
    assert table.q_blocks is not None, "unreachable: a table with blocks"
    found: list[list[Counts]] = [[], []]
    for side in (table.p_blocks, table.q_blocks):
        order = rng.permutation(len(side))
        half = len(side) // 2
        found[0].append(side[np.sort(order[:half])])
        found[1].append(side[np.sort(order[half:])])
    one, two = (Table(p.sum(axis=0), q.sum(axis=0), p, q) for p, q in found)
    return one, two


def _one_halving(parts: tuple[Table, Table]) -> tuple[float, float, float]:
    total, variance, dfs = 0.0, 0.0, 0.0
    for learn, test in (parts, parts[::-1]):
        if not (learn.m and learn.n and test.m and test.n):
            return 0.0, 0.0, 1.0
        chosen = learn.q / learn.n > learn.p / learn.m
        # Levels that this half has not seen go where it saw more levels only once: there are more of these.
        chosen[learn.p + learn.q == 0] = (learn.q == 1).sum() * learn.m > (learn.p == 1).sum() * learn.n
        p, q = float(test.p[chosen].sum()) / test.m, float(test.q[chosen].sum()) / test.n
        total += (q - p) / 2
        if test.p_blocks is None or test.q_blocks is None:
            # Add one row of each kind: an empty set has an error, too (Agresti and Caffo 2000).
            p, q = (p * test.m + 1) / (test.m + 2), (q * test.n + 1) / (test.n + 2)
            variance += (p * (1 - p) / test.m + q * (1 - q) / test.n) / 4
        else:
            one, df_one = _block_variance(test.p_blocks, chosen)
            other, df_other = _block_variance(test.q_blocks, chosen)
            variance += (one + other) / 4
            dfs += satterthwaite(one, df_one, other, df_other)
    return total, variance, dfs


def _block_variance(counts: Counts, chosen: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the variance of the share of a set of levels over whole blocks, and its degrees of freedom."""
    rows = counts.sum(axis=1)
    inside = counts[:, chosen].sum(axis=1)
    total = int(rows.sum())
    sums = inside - rows * (int(inside.sum()) / total)
    units = len(rows)
    if units < 2:
        return 0.0, 1.0
    return float((sums * sums).sum()) * units / (units - 1) / total**2, units - 1.0
