"""What is different between two versions of a dataset: rows that came, went or changed, and where.

Rows are compared by a 64-bit hash of their values; two different rows look the same once in about 10^19
pairs. A pin never rests on it: it says in words what a changed digest has found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..hooks import DatasetProtocol
from .mixing import Words
from .rules.row_keys import row_keys

if TYPE_CHECKING:
    import pandas as pd

#: In so many changed rows it is looked up which columns changed.
LOOKED_UP = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """How the rows of two versions differ.

    Parameters
    ----------
    key : str
        Column that told which row is which. Empty: whole rows were compared, so that a changed row is one
        removed and one added.
    added, removed, changed, same : int
        Rows.
    columns : tuple of (str, int)
        In how many of the looked-up rows a column changed, most first.
    looked_up : int
        Changed rows in which that was looked up.
    compared : tuple of str
        Columns that were compared: those of the same name and type in both.
    why_no_key : str
        Why the key could not be used. Empty: it was, or none was given.
    """

    key: str
    added: int
    removed: int
    changed: int
    same: int
    columns: tuple[tuple[str, int], ...] = ()
    looked_up: int = 0
    compared: tuple[str, ...] = ()
    why_no_key: str = ""


def row_changes(old: DatasetProtocol, new: DatasetProtocol, key: str = "") -> RowChanges:
    """Compare the rows of two versions of a dataset.

    Parameters
    ----------
    old, new : DatasetProtocol
        The versions; each is read once, and once more where rows with a key changed.
    key : str
        Column that tells which row is which. Empty: none.

    Returns
    -------
    RowChanges
        Their order plays no part.
    """
    kinds = dict(new.columns)
    both = tuple(name for name, kind in old.columns if kinds.get(name) == kind)
    if not key:
        return _whole_rows(old, new, both)
    if key not in both:
        where = "is not in both versions with the same type"
        return _whole_rows(old, new, both, f"the key '{key}' {where}")
    before, after = (_hashed(version, both, key) for version in (old, new))
    for keys, _ in (before, after):
        if len(np.unique(keys)) != len(keys):
            return _whole_rows(old, new, both, f"the key '{key}' occurs more than once")
    shared, at_old, at_new = np.intersect1d(before[0], after[0], assume_unique=True, return_indices=True)
    changed = shared[before[1][at_old] != after[1][at_new]]
    picked = changed[:LOOKED_UP]
    return RowChanges(
        key=key,
        added=len(after[0]) - len(shared),
        removed=len(before[0]) - len(shared),
        changed=len(changed),
        same=len(shared) - len(changed),
        columns=_by_column(old, new, both, key, picked) if len(picked) else (),
        looked_up=len(picked),
        compared=both,
    )


def _whole_rows(
    old: DatasetProtocol, new: DatasetProtocol, both: Sequence[str], why_no_key: str = ""
) -> RowChanges:
    before, after = (_hashed(version, both)[1] for version in (old, new))
    values, inverse = np.unique(np.concatenate((before, after)), return_inverse=True)
    count_old = np.bincount(inverse[: len(before)], minlength=len(values))
    count_new = np.bincount(inverse[len(before) :], minlength=len(values))
    return RowChanges(
        key="",
        added=int(np.maximum(count_new - count_old, 0).sum()),
        removed=int(np.maximum(count_old - count_new, 0).sum()),
        changed=0,
        same=int(np.minimum(count_old, count_new).sum()),
        compared=tuple(both),
        why_no_key=why_no_key,
    )


def _by_column(
    old: DatasetProtocol, new: DatasetProtocol, both: Sequence[str], key: str, picked: Words
) -> tuple[tuple[str, int], ...]:
    """Count the columns that differ in these rows."""
    names = [name for name in both if name != key]
    before, after = (_picked(version, names, key, picked) for version in (old, new))
    counts = [(name, int((before[name] != after[name]).sum())) for name in names]
    return tuple(sorted(((n, c) for n, c in counts if c), key=lambda item: (-item[1], names.index(item[0]))))


def _picked(version: DatasetProtocol, names: Sequence[str], key: str, picked: Words) -> dict[str, Words]:
    """Return the hash of every value of these rows, in the order of the hashed keys."""
    keys: list[Words] = []
    parts: dict[str, list[Words]] = {name: [] for name in names}
    for frame in version.batches([key, *names]):
        hashed = _hash(frame[[key]])
        wanted = np.isin(hashed, picked, kind="sort")  # the table of numpy 2.0 ends at 63 bits
        keys.append(hashed[wanted])
        rows = frame[wanted]
        for name in names:
            parts[name].append(_hash(rows[[name]]))
    order = np.argsort(np.concatenate(keys))
    return {name: np.concatenate(hashes)[order] for name, hashes in parts.items()}


def _hashed(version: DatasetProtocol, names: Sequence[str], key: str = "") -> tuple[Words, Words]:
    """Return one hash per row: of its key (of nothing, where there is none), and of all of it."""
    keys: list[Words] = []
    rows: list[Words] = []
    for frame in version.batches(list(names)):
        rows.append(_hash(frame[list(names)]))
        if key:
            keys.append(_hash(frame[[key]]))
    none: Words = np.empty(0, np.uint64)
    return np.concatenate(keys) if keys else none, np.concatenate(rows) if rows else none


def _hash(frame: pd.DataFrame) -> Words:
    """Return one word per row, the same for equal values."""
    return row_keys(frame, list(frame.columns), 0)
