"""How many digits of floats must agree before rows that agree are more than chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .hashes import row_hashes
from .plans import Plan
from .values import Bits, bits_of

if TYPE_CHECKING:
    import pandas as pd

#: So many rows tell it: which ones of more is told by their content.
ENOUGH = 100_000
#: So many rows that agree by chance are none.
NONE = 0.01
#: More digits no float has.
_MOST = 15


def digits_that_tell(
    frames: Iterable[pd.DataFrame], columns: Sequence[Plan], near: int, *, rows: int, training_rows: int
) -> tuple[int, float] | None:
    """Return how many digits tell rows apart that have nothing to do with each other, and what chance gives.

    Two things are asked of so many digits. Were the columns independent, less than a hundredth of a row
    would agree by chance. And the last digit parts no two rows of the holdout: pairs that agree by chance
    part with nearly every further digit, also where columns depend on each other, while copies of one thing
    agree until their noise begins.

    Parameters
    ----------
    frames : iterable of DataFrame
        The rows of the holdout.
    columns : sequence of Plan
        What makes two rows the same.
    near : int
        So many digits at least.
    rows, training_rows : int
        How many rows of the holdout are sought among how many.
    """
    sample = _sample(frames, columns, rows)
    n = len(sample)
    if n < 2:
        return near, 0.0
    exact = [bits_of(sample[item.name], item) for item in columns]
    apart = [_agree(bits) for bits in exact]
    same = _pairs(row_hashes(sample, columns))
    agreeing = _pairs(row_hashes(sample, columns, grid=(max(1, near - 1), False))) - same
    for digits in range(near, _MOST + 1):
        before, agreeing = agreeing, _pairs(row_hashes(sample, columns, grid=(digits, False))) - same
        close = [
            _agree(bits_of(sample[item.name], item, grid=(digits, False)))
            if item.kind == "float"
            else exactly
            for item, exactly in zip(columns, apart, strict=True)
        ]
        # Twice, because rows are sought on two grids.
        chance = 2.0 * rows * training_rows * max(0.0, float(np.prod(close) - np.prod(apart)))
        if chance <= NONE and before == agreeing:
            return digits, chance
    return None


def _sample(frames: Iterable[pd.DataFrame], columns: Sequence[Plan], rows: int) -> pd.DataFrame:
    import pandas as pd

    limit = np.uint64(min(2**64 - 1, int(min(1.0, ENOUGH / max(1, rows)) * 2**64)))
    names = [item.name for item in columns]
    kept = [frame.loc[row_hashes(frame, columns) <= limit, names] for frame in frames]
    return kept[0] if len(kept) == 1 else pd.concat(kept, ignore_index=True)


def _pairs(values: npt.NDArray[np.uint64]) -> int:
    """Return how many pairs of rows agree."""
    counts = np.unique(values, return_counts=True)[1]
    return int((counts * (counts - 1) // 2).sum())


def _agree(values: Bits) -> float:
    """Return the share of pairs of rows that agree."""
    n = len(values)
    return _pairs(values) / (n * (n - 1) / 2)
