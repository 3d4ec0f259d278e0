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
_UNSEEN = 3


def digits_that_tell(
    frames: Iterable[pd.DataFrame], columns: Sequence[Plan], near: int, *, rows: int, training_rows: int
) -> tuple[int, float] | None:
    """Return how many digits tell rows apart that have nothing to do with each other, and what chance gives.

    Less than a hundredth of a row may agree by chance, by two estimates of which the larger counts: as if
    the columns were independent, and by the pairs of rows within the holdout, which part with every further
    digit where they agree by chance, also where columns depend on each other. Copies of one thing do not
    part until their noise begins, so that copies within the holdout hide none.

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

    Returns
    -------
    (int, float) or None
        ``None`` where no number of digits does.
    """
    sample = _sample(frames, columns, rows)
    n = len(sample)
    if n < 2:
        return None
    exact = [_agree(bits_of(sample[item.name], item)) for item in columns]
    # Both grids on which rows are sought, and all pairs of both sides.
    pairs = 2.0 * rows * training_rows
    of_sample = pairs / (n * (n - 1) / 2)
    parting, left = 0, _pairs(row_hashes(sample, [item for item in columns if item.kind != "float"]))
    bound: float | None = None
    rate = 0.0
    for digits in range(1, _MOST + 1):
        if bound is None:
            before, left = left, _pairs(row_hashes(sample, columns, grid=(digits, False)))
            before, parting = parting, before - left
            if not parting:
                # None of the pairs was left to part: of what has a mean of 3, nothing is seen in 1 of 20.
                bound = float(_UNSEEN)
                # From digit to digit the pairs fell at least so much; the first digit parts a little more.
                rate = max(10.0, (before / _UNSEEN) ** 0.75)
        if bound is None:
            continue
        bound /= rate
        if digits < near:
            continue
        close = [
            _agree(bits_of(sample[item.name], item, grid=(digits, False))) if item.kind == "float" else same
            for item, same in zip(columns, exact, strict=True)
        ]
        independent = pairs * max(0.0, float(np.prod(close) - np.prod(exact)))
        chance = max(independent, bound * of_sample)
        if chance <= NONE:
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
