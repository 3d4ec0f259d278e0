"""Columns that name rows, as numbers of rows and keys do: no two rows would be the same by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .plans import Plan, holds
from .values import Bits, bits_of

if TYPE_CHECKING:
    import pandas as pd

#: With fewer rows a column of other values in every row may be a feature.
ENOUGH = 200


def identifiers(
    frames: Iterable[pd.DataFrame], names: Sequence[str], declared: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the columns of whole numbers or text that hold another value in each of many rows.

    Parameters
    ----------
    frames : iterable of DataFrame
        All rows.
    names : sequence of str
        The columns to look at.
    declared : mapping
        Their types.
    """
    kept: dict[str, list[Bits]] = {}
    rows = 0
    for number, frame in enumerate(frames):
        rows += len(frame)
        for name in names:
            if number and name not in kept:
                continue
            held = holds(frame[name], declared.get(name, ""))
            bits = bits_of(frame[name], Plan(name, held.kind, held.bits))
            if held.kind in ("int", "text") and len(np.unique(bits)) == len(bits):
                kept.setdefault(name, []).append(bits)
            else:
                kept.pop(name, None)
    if rows < ENOUGH:
        return ()
    return tuple(
        name for name in names if name in kept and len(np.unique(np.concatenate(kept[name]))) == rows
    )
