"""Influence values in, interval out: the method for everything smooth, under every sampling design."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .design import Codes, Design, Floats
from .group_skew import FEW_GROUPS, skew_from_rows
from .inference import Inference
from .student import Student
from .tails import MINIMUM_KNOWN, few_carry, known_df, moments
from .tilted import Tilted
from .variance import Units, too_few, variance_of_mean
from .wider import Wider

#: Of more units the bounds of the tilted score are those of Student's t.
TILTED_UP_TO = 2_000

#: A group that has all of what is known shows nothing of how groups differ.
_MOST_SHARE = 1 - 1e-6

_NOTHING = np.empty(0)


def from_influence(
    gain: float,
    influence: Floats,
    design: Design,
    *,
    pseudo: float = 0.0,
    imaginary: Floats = _NOTHING,
    df: int | None = None,
    kinds: Codes | None = None,
    needed: float = MINIMUM_KNOWN,
    method: str = "influence",
) -> Student:
    """Return the inference on an estimate from its influence, one number per row.

    Groups that differ in size, or of which only a few have what the estimate is about, say less than as many
    equal ones. Their variance and its degrees of freedom are those of Bell and McCaffrey (2002) for a mean
    (CR2): each group's total counts for more by the share that the group has in it. Where groups are few,
    Hall's correction for the skewness that their rows tell of widens the bounds.

    Parameters
    ----------
    gain : float
        The estimate.
    influence : ndarray, shape (n,)
        Mean zero; weights included.
    design : Design
        How the rows were drawn.
    pseudo : float
        Added to the sum of squares, in the variance only: that of values that might have been drawn.
    imaginary : ndarray
        Influence of rows that might have been drawn, but were not: half a row of each is added to the
        variance (the half-pseudo-row rule of confusion-matrix metrics).
    df : int, optional
        Degrees of freedom, where fewer rows than all carry the variance.
    kinds : ndarray of int codes, shape (n,), optional
        What kind of row each is (its class), where kinds move the estimate differently.
    needed : float
        Degrees of freedom that the fourth moment of the rows has to leave the variance with.
    method : str
        Name of the method.
    """
    return _Spread.of(influence, design, pseudo, imaginary, kinds, needed).student(gain, df, method)


def of_rows(gain: float, second: float, fourth: float, n: int, *, df: int | None, needed: float) -> Student:
    """Return the same of ``n`` independent rows, from sums of powers of their influence around its mean."""
    known = known_df(second, fourth, n)
    caution = few_carry(known, n, needed=needed)
    return _Spread(second / n / (n - 1), min(float(n - 1), known), caution).student(gain, df, "influence")


def tilted_too(
    plain: Student, influence: Floats, design: Design, *, imaginary: Floats = _NOTHING
) -> Inference:
    """Return an inference from influence, widened where the tilted score of its units reaches further.

    Parameters
    ----------
    plain : Student
        By :func:`from_influence`, or of the same influence in another way.
    influence, design, imaginary
        As for :func:`from_influence`.
    """
    if design.units > TILTED_UP_TO:
        return plain
    units = Units.of(influence, design)
    count = len(units.values)
    squares = float((units.values * units.values).sum())
    if count > TILTED_UP_TO or not squares or not plain.standard_error:
        return plain
    # A mean over the units, each as far from it as its total moves the estimate.
    scale = count / units.n
    effect = design_effect(influence, design)
    every = np.concatenate((units.values, effect * imaginary)) * scale
    mass = np.concatenate((np.ones(count), np.full(len(imaginary), 0.5)))
    own = float((mass * every**2).sum()) / count**2
    score = Tilted(
        gain=plain.gain,
        values=every,
        mass=mass,
        units=count,
        standard_error=plain.standard_error,
        df=plain.df,
        inflation=plain.standard_error**2 / own,
    )
    return Wider(plain, score)


def rows_tilted_too(plain: Student, centred: Floats, squares: float) -> Inference:
    """Return the same of independent rows, from their influence around its mean and its sum of squares."""
    n = len(centred)
    if n > TILTED_UP_TO or not squares or not plain.standard_error:
        return plain
    score = Tilted(
        gain=plain.gain,
        values=centred,
        mass=np.ones(n),
        units=n,
        standard_error=plain.standard_error,
        df=plain.df,
        inflation=plain.standard_error**2 / (squares / n**2),
    )
    return Wider(plain, score)


@dataclass(frozen=True, slots=True)
class _Spread:
    """A variance, how well it is known, and why it may not be trusted."""

    variance: float
    df: float
    caution: str
    skew: float = 0.0

    @classmethod
    def of(
        cls,
        influence: Floats,
        design: Design,
        pseudo: float,
        imaginary: Floats,
        kinds: Codes | None,
        needed: float,
    ) -> _Spread:
        if len(influence) < 2:
            raise too_few(len(influence))
        n, mean = len(influence), float(influence.mean())
        if design.independent:  # rows, whose distances from their mean need no array of their own
            count, of_groups = n, None
            second, fourth = moments(influence, mean)
        else:
            units = Units.of(influence, design)
            count, of_groups = len(units.values), units.values if units.name == "groups" else None
            second, fourth = moments(units.values)
        spread = variance_of_mean(influence, design, second)
        variance, df = spread.variance, float(spread.df)
        if of_groups is not None:
            shares = group_shares(influence, design.groups, kinds)
            if design.strata is None:
                variance = float((of_groups**2 / (1 - shares)).sum()) / n**2
                df = min(df, bell_mccaffrey(shares))
            else:
                df = max(1.0, min(df, 1 / float((shares * shares).sum()) - (count - spread.df)))
        effect = design_effect(influence, design)
        half = effect**2 * imaginary * imaginary
        added = effect**2 * pseudo + float(half.sum()) / 2
        known = known_df(second + added, fourth + float((half * half).sum()) / 2, count)
        caution = spread.caution
        if not caution and not added:
            if of_groups is None:
                caution = few_carry(known, count, "rows", needed=needed)
            else:
                caution = few_carry(known, count, "groups", needed=MINIMUM_KNOWN)
                if not caution:  # a group's total hides what its rows show of their tail
                    caution = few_carry(known_df(*moments(influence, mean), n), n, needed=needed)
        skew, known = 0.0, min(df, known)
        if of_groups is not None and df + 1 < FEW_GROUPS:
            # Hall's transformation is flat at one place, where the last digits of what it reads are blown up:
            # those depend on the order of the rows.
            skew, known = round(skew_from_rows(influence, effect, df + 1), 9), round(known, 9)
        # A total of units has their third moments; with a weight or a group it is still this one number.
        return cls(variance + added / n / (n - 1), known, caution, skew)

    def student(self, gain: float, df: int | None, method: str) -> Student:
        return Student(
            gain=gain,
            standard_error=math.sqrt(self.variance),
            df=self.df if df is None else min(df, self.df),
            method=method,
            caution=self.caution,
            skew=self.skew,
        )


def group_shares(influence: Floats, groups: Codes | None, kinds: Codes | None = None) -> Floats:
    """Return the share that each group has in what is known.

    A group brings the typical squared influence of its rows, which is the mean over all rows of their kind:
    so no single outlier makes its group count for all.
    """
    assert groups is not None, "asked for groups"
    size: Floats
    if kinds is None:
        size = np.bincount(groups).astype(np.float64)
    else:
        rows = np.maximum(np.bincount(kinds), 1)
        typical = np.bincount(kinds, weights=influence * influence) / rows
        size = np.bincount(groups, weights=typical[kinds]).astype(np.float64, copy=False)
    total = float(size.sum())
    return np.minimum(size / total, _MOST_SHARE) if total > 0 else np.full(len(size), 1 / len(size))


def bell_mccaffrey(shares: Floats) -> float:
    """Return the degrees of freedom of the CR2 variance of a mean over groups with these shares.

    Satterthwaite's, under independent rows of one variance: ``G - 1`` for ``G`` equal groups.

    Examples
    --------
    >>> round(bell_mccaffrey(np.full(10, 0.1)), 9)
    9.0
    """
    crossed = shares * shares / (1 - shares)
    return 1 / float((shares * shares).sum() + crossed.sum() ** 2 - (crossed * crossed).sum())


def design_effect(influence: Floats, design: Design) -> float:
    """Return how many rows of groups say as much as one independent row, at least 1.

    Rows that were not drawn count as rows among as many independent ones: data where every row is there
    twice, grouped by what it is a copy of, must say what the single rows say.
    """
    if design.groups is None:
        return 1.0
    plain = variance_of_mean(influence, Design(n=design.n)).variance
    return max(1.0, variance_of_mean(influence, design).variance / plain) if plain > 0 else 1.0
