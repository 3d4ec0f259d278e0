"""The variance of a mean of influence values under each sampling design, with its degrees of freedom.

Finite-sample factors are ``n / (n - 1)``, ``G / (G - 1)`` for groups (CR1) and ``n_h / (n_h - 1)`` within
strata, as in survey software.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InvalidError, UndefinedMetricError
from .design import Codes, Design, Floats
from .powers import sums_of_powers

#: With fewer independent units the variance of group totals is a guess.
MINIMUM_GROUPS = 5


@dataclass(frozen=True, slots=True)
class Spread:
    """A variance, the degrees of freedom behind it, and why it may not be trusted."""

    variance: float
    df: int
    caution: str = ""


@dataclass(frozen=True, eq=False)
class Units:
    """What each independent unit (a row, or a group) adds to an estimate, centred within its stratum.

    Parameters
    ----------
    values : ndarray, shape (units,)
        Sums of influence.
    n : int
        Rows: the estimate moves by ``values / n``.
    name : str
        ``"rows"`` or ``"groups"``.
    """

    values: Floats
    n: int
    name: str

    @classmethod
    def of(cls, values: Floats, design: Design) -> Units:
        """Return the units of a design; a single group falls back on its rows."""
        strata, name = design.strata, "rows"
        found = values
        if design.groups is not None:
            totals = np.bincount(design.groups, weights=values).astype(np.float64, copy=False)
            if len(totals) > 1:
                found, name = totals, "groups"
                strata = None if strata is None else stratum_of_groups(design.groups, strata)
        if strata is None or len(strata) != len(found):
            return cls(found - found.mean(), len(values), name)
        return cls(found - _means(found, strata)[strata], len(values), name)


def variance_of_mean(values: Floats, design: Design, squares: float | None = None) -> Spread:
    """Return the variance of the mean of ``values``, one number per row.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Influence values, weights included.
    design : Design
        How the rows were drawn.
    squares : float, optional
        The sum of squares around the mean, where it is known.

    Raises
    ------
    UndefinedMetricError
        For fewer than two rows.
    InvalidError
        If a group lies in several strata.
    """
    n = len(values)
    if n < 2:
        raise too_few(n)
    if design.groups is None:
        if design.strata is None:
            squares = _squares(values) if squares is None else squares
            return Spread(squares / n / (n - 1), n - 1)
        return _within(values, design.strata, n, units="rows")
    groups = design.groups
    totals: Floats = np.bincount(groups, weights=values).astype(np.float64, copy=False)
    if len(totals) == 1:
        # Nothing is known about how groups differ. What the rows alone say is shown, and not trusted.
        return Spread(
            _squares(values) / n / (n - 1),
            n - 1,
            "all rows belong to one group, so nothing is known about other groups",
        )
    if design.strata is None:
        count = len(totals)
        found = Spread(_squares(totals) * count / (count - 1) / n**2, count - 1)
    else:
        found = _within(totals, stratum_of_groups(groups, design.strata), n, units="groups")
    if found.caution or len(totals) >= MINIMUM_GROUPS:
        return found
    return Spread(
        found.variance,
        found.df,
        f"{len(totals)} groups are too few to tell how groups differ, at least {MINIMUM_GROUPS} are needed",
    )


def too_few(n: int) -> UndefinedMetricError:
    """Return the error of fewer than two rows."""
    return UndefinedMetricError(
        f"An interval needs at least 2 rows, got {n}.", "Judge more rows, or set min_rows for slices."
    )


def _squares(values: Floats) -> float:
    """Return the sum of squares around the mean."""
    return sums_of_powers(values, float(values.mean()), (2,))[0]


def _within(values: Floats, strata: Codes, n: int, *, units: str) -> Spread:
    """Return the variance of ``sum(values) / n`` from the differences within strata."""
    sizes = np.bincount(strata)
    means = _means(values, strata)
    alone = sizes == 1
    squares = np.bincount(strata, weights=(values - means[strata]) ** 2)
    factor = np.where(alone, 1.0, sizes / np.maximum(sizes - 1, 1))
    df = len(values) - len(sizes)
    caution = ""
    if df < MINIMUM_GROUPS - 1:
        caution = f"{len(values)} {units} in {len(sizes)} strata are too few to tell how {units} differ"
    return Spread(float((squares * factor).sum()) / n**2, max(df, 1), caution)


def _means(values: Floats, strata: Codes) -> Floats:
    """Return the mean of each stratum.

    A stratum of one unit shows no spread of its own. It is centred at the mean of all, which can only make
    the variance larger (the "adjust" rule of survey software).
    """
    sizes = np.bincount(strata)
    means: Floats = np.bincount(strata, weights=values) / sizes
    means[sizes == 1] = values.mean()
    return means


def stratum_of_groups(groups: Codes, strata: Codes) -> Codes:
    """Return each group's stratum."""
    found = np.empty(int(groups.max()) + 1, dtype=np.intp)
    found[groups] = strata
    astray = np.unique(groups[found[groups] != strata])
    if len(astray):
        raise InvalidError(
            f"Each group must lie within one stratum, but {len(astray):,} of {len(found):,} lie in several.",
            "Name strata that whole groups belong to, or leave the strata out.",
        )
    return found
