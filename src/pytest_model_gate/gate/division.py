"""The rows divided by their content: in which part a row is doesn't depend on where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.mixing import avalanche
from ..metrics.rows import Ints, Predicted, Truth
from ..stats.design import Codes
from .sample import Sample

Hashes = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.integer[Any]]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


#: Of three rows (or groups) so many find, and the others test. To be tested at all a segment has to stand out
#: among thousands, and to be proven only among the few that are tested: finding takes more rows.
_FINDING, _OF = 2, 3


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Rows in an order that only their content makes, those that find and those that test, in that order.

    Rows that are equal in everything stand in any order; exchanging them changes nothing.
    """

    order: Ints
    finding: Ints
    testing: Ints


def divide(sample: Sample, features: Iterable[Integers], said: Iterable[Predicted], *, seed: int) -> Division:
    """Divide the rows two to one: alike within each class and stratum, and never through a group.

    Parameters
    ----------
    sample : Sample
        Truth and design.
    features : iterable of ndarray
        Codes of the columns.
    said : iterable of Predicted
        What the models say: last resort between rows that are alike in everything else.
    seed : int
        Another seed divides otherwise.
    """
    content = _content(sample.truth, features, said, seed)
    design, truth = sample.design, sample.truth
    # Rows of a query are ranked against each other, so they stay together as the rows of a group do.
    together = truth.queries if design.groups is None else design.groups
    unit: Codes = np.arange(sample.n) if together is None else together
    of_unit = content if together is None else _summed(content, unit)
    layers: list[npt.NDArray[Any]] = [of_unit]
    if truth.classes is not None:
        layers.append(_unit_class(truth, unit, len(of_unit), grouped=together is not None))
    if design.strata is not None:
        # Strata are numbered by where they first occur; their content is not.
        stratum = np.empty(len(of_unit), dtype=np.intp)
        stratum[unit] = design.strata
        layers.append(_summed(content, design.strata)[stratum])
    ranked = np.lexsort(layers)
    finds = np.empty(len(of_unit), dtype=np.bool_)
    finds[ranked] = np.arange(len(ranked)) % _OF < _FINDING
    order = np.lexsort((content, of_unit[unit]))
    chosen = finds[unit][order]
    return Division(order, order[chosen], order[~chosen])


def _unit_class(truth: Truth, unit: Codes, units: int, *, grouped: bool) -> Ints:
    """Return the class of each unit; of a group the rarest class that it has a row of."""
    assert truth.classes is not None, "unreachable: asked for classes only"
    codes = truth.values.astype(np.intp)
    if not grouped:
        return codes
    sizes = np.bincount(codes, minlength=len(truth.classes))
    rarity = np.empty(len(sizes), dtype=np.intp)
    rarity[np.argsort(sizes, kind="stable")] = np.arange(len(sizes))
    rarest = np.full(units, len(sizes), dtype=np.intp)
    np.minimum.at(rarest, unit, rarity[codes])
    return rarest


def _content(truth: Truth, features: Iterable[Integers], said: Iterable[Predicted], seed: int) -> Hashes:
    found = np.full(truth.n, seed, dtype=np.uint64)
    columns: list[npt.NDArray[Any] | None] = [truth.values, truth.weight, *features]
    for predicted in said:
        columns += [predicted.labels, predicted.probability, predicted.score, predicted.value]
    for column in columns:
        if column is None:
            continue
        for values in column.T if column.ndim == 2 else (column,):
            # Zero has two signs.
            bits = (values.astype(np.float64) + 0.0).view(np.uint64)
            found = avalanche(found * _GOLDEN + bits)
    return found


def _summed(content: Hashes, codes: Codes) -> Hashes:
    """Return a hash of each group from those of its rows, in whatever order they come."""
    found = np.zeros(int(codes.max()) + 1, dtype=np.uint64)
    np.add.at(found, codes, avalanche(content.copy()))
    return avalanche(found)
