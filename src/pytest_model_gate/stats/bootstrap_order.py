"""The order in which rows are resampled: by what they hold, so that it does not matter how they came.

Groups and strata have no order of their own either: they are ordered by the rows in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .design import Codes, Design

Column = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Ordered:
    """Rows in the order of their content.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
        The row that comes first, second, …
    design : Design
        Of the rows in that order, groups and strata numbered by their content.
    symmetric : bool
        Whether the rows are the same with the two models swapped.
    """

    order: Codes
    design: Design
    symmetric: bool = False


def by_content(
    shared: Sequence[Column], candidate: Sequence[Column], reference: Sequence[Column], design: Design
) -> Ordered:
    """Return the order of rows; it is the same with the two models swapped.

    Parameters
    ----------
    shared : sequence of ndarray, shape (n,)
        What does not belong to either model: truth and weights.
    candidate, reference : sequence of ndarray, shape (n,)
        What the two models say. No columns where there is one model.
    design : Design
        How the rows were drawn.
    """
    found = _ordered([*shared, *candidate, *reference], design)
    if not candidate:
        return found
    swapped = _ordered([*shared, *reference, *candidate], design)
    # Of the two tables of ordered rows, the one that comes first in the order of its numbers.
    ours = _table(found, [*shared, *candidate, *reference])
    theirs = _table(swapped, [*shared, *reference, *candidate])
    for first, second in zip(ours, theirs, strict=True):
        differ = np.flatnonzero(first != second)
        if len(differ):
            return found if first[differ[0]] < second[differ[0]] else swapped
    return Ordered(found.order, found.design, symmetric=True)


def _table(ordered: Ordered, columns: Sequence[Column]) -> Iterator[Column]:
    for codes in (ordered.design.strata, ordered.design.groups):
        if codes is not None:
            yield codes
    for column in columns:
        yield column[ordered.order]


def _ordered(columns: Sequence[Column], design: Design) -> Ordered:
    rank = _ranks(columns)
    groups, strata = design.groups, design.strata
    of_group = None if groups is None else _by_members(groups, rank)
    of_stratum = None if strata is None else _by_members(strata, rank if of_group is None else of_group)
    # The last key counts most. Groups (and strata) of equal members are kept apart by their own codes:
    # exchanging them changes nothing.
    keys = [key for key in (rank, groups, of_group, strata, of_stratum) if key is not None]
    order = np.lexsort(keys)
    return Ordered(
        order,
        Design(
            n=design.n,
            groups=None if groups is None else _numbered(groups[order]),
            strata=None if strata is None else _numbered(strata[order]),
        ),
    )


def _ranks(columns: Sequence[Column]) -> Codes:
    """Return the rank of each row among the distinct ones, the first column counting most."""
    order = np.lexsort(list(columns)[::-1])
    new = np.zeros(len(order), dtype=np.bool_)
    for column in columns:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.cumsum(new)
    return rank


def _by_members(codes: Codes, rank: Codes) -> Codes:
    """Return, for each row, the rank of its set among all sets; equal members, equal rank."""
    order = np.lexsort((rank, codes))
    ends = np.cumsum(np.bincount(codes))
    members = [part.tobytes() for part in np.split(rank[order].astype(">i8"), ends[:-1])]
    number = {content: place for place, content in enumerate(sorted(set(members)))}
    return np.array([number[content] for content in members], dtype=np.intp)[codes]


def _numbered(codes: Codes) -> Codes:
    """Number codes that lie together by their order."""
    new = np.zeros(len(codes), dtype=np.intp)
    new[1:] = codes[1:] != codes[:-1]
    return np.cumsum(new)
