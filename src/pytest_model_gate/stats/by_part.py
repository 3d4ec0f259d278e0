"""Independent rows in several parts, such as slices: what inference has to know of each part.

Parts lie one after the other, and ``starts`` says where each begins. Numpy is called as often for all of them
as it is for one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .auc import PairedAuc, paired_auc_of
from .average_precision import correlation_of
from .design import Codes, Floats, Mask
from .tilted import Tilted, nothing_changes


@dataclass(frozen=True, eq=False)
class PartMoments:
    """Moments of the rows of each part, around its mean.

    Parameters
    ----------
    centred : ndarray, shape (n,)
        Each row's distance from the mean of its part.
    means, second, third, fourth : list of float
        The mean of each part, and the sums of the powers of these distances.
    """

    centred: Floats
    means: list[float]
    second: list[float]
    third: list[float]
    fourth: list[float]

    @classmethod
    def of(cls, values: Floats, starts: Codes) -> PartMoments:
        """Return the moments of all parts."""
        sizes = sizes_of(values, starts)
        means = np.add.reduceat(values, starts) / sizes
        centred = values - np.repeat(means, sizes)
        powers = centred * centred
        second = np.add.reduceat(powers, starts)
        third = np.add.reduceat(powers * centred, starts)
        powers *= powers
        fourth = np.add.reduceat(powers, starts)
        return cls(centred, means.tolist(), second.tolist(), third.tolist(), fourth.tolist())


def sizes_of(rows: Floats | Codes | Mask, starts: Codes) -> Codes:
    """Return how many rows each part has."""
    return np.diff(starts, append=len(rows))


def correlations(first: Floats, second: Floats, starts: Codes) -> list[float]:
    """Return the correlation of two influences in each part; 0 where either says nothing."""
    sizes = sizes_of(first, starts)
    first, second = (
        values - np.repeat(np.add.reduceat(values, starts) / sizes, sizes) for values in (first, second)
    )
    sums = (np.add.reduceat(product, starts) for product in (first * first, second * second, first * second))
    return [correlation_of(*each) for each in zip(*(found.tolist() for found in sums), strict=True)]


def paired_aucs(
    values: tuple[list[float], list[float]],
    influence: tuple[Floats, Floats],
    positive: Mask,
    starts: Codes,
    weights: list[float],
) -> list[PairedAuc]:
    """Return the inference on the difference of the areas of each part.

    Parameters
    ----------
    values : tuple of list of float
        The areas of candidate and reference.
    influence : tuple of ndarray, shape (n,)
        Of both models.
    positive : ndarray of bool, shape (n,)
        Which rows are positive.
    starts : ndarray of int
        Where each part begins.
    weights : list of float
        Of the reference's areas, as in :class:`~pytest_model_gate.stats.auc.PairedAuc`.
    """
    of_candidate, of_reference = influence
    sizes = sizes_of(positive, starts)
    contrast = of_candidate - np.repeat(weights, sizes) * of_reference
    sums: list[list[tuple[float, float]]] = []
    for psi in (of_candidate, of_reference, contrast):
        squares = psi * psi
        every = np.add.reduceat(squares, starts)
        squares *= positive
        of_positives = np.add.reduceat(squares, starts)
        sums.append(list(zip(of_positives.tolist(), (every - of_positives).tolist(), strict=True)))
    positives = np.add.reduceat(positive, starts, dtype=np.intp)
    counts = list(zip(positives.tolist(), (sizes - positives).tolist(), strict=True))
    return list(map(paired_auc_of, *values, *sums, counts, weights))


def tilted_scores(gains: Floats, values: Floats, mass: Floats, imaginary: Floats) -> list[Tilted]:
    """Return the tilted score of each part, as :func:`~pytest_model_gate.stats.tilted.tilted` does of one.

    Parameters
    ----------
    gains : ndarray, shape (parts,)
        The estimates.
    values, mass : ndarray, shape (parts, kinds)
        Influence of a row of each kind, and how many there are; each part has two rows or more.
    imaginary : ndarray, shape (parts, imaginary)
        Influence of rows that might have been drawn.
    """
    rows = mass.sum(axis=1)
    centred = values - ((mass * values).sum(axis=1) / rows)[:, None]
    every = np.concatenate((centred, imaginary), axis=1)
    masses = np.concatenate((mass, np.full(imaginary.shape, 0.5)), axis=1)
    squares = (masses * every**2).sum(axis=1)
    seen = masses > 0
    return [
        Tilted(
            gain=gain,
            values=own[kinds],
            mass=own_mass[kinds],
            units=units,
            standard_error=math.sqrt(total / units / (units - 1)),
            caution="" if own[kinds].any() else nothing_changes(units),
        )
        for gain, own, own_mass, kinds, units, total in zip(
            gains.tolist(), every, masses, seen, rows.astype(int).tolist(), squares.tolist(), strict=True
        )
    ]
