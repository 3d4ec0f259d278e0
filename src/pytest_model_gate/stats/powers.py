"""Sums of powers around a mean, without an array of the distances."""

from __future__ import annotations

import numpy as np

from ..blocks import BLOCK, blocks
from .design import Floats


def sums_of_powers(values: Floats, centre: float, powers: tuple[int, ...] = (2, 3, 4)) -> tuple[float, ...]:
    """Return sums of powers of the distances from a centre.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Numbers.
    centre : float
        Their mean.
    powers : tuple of int
        Which ones of 2, 3 and 4, ascending.

    Examples
    --------
    >>> sums_of_powers(np.array([1.0, 2.0, 6.0]), 3.0)
    (14.0, 18.0, 98.0)
    """
    sums = []
    distances, squares = np.empty((2, min(BLOCK, len(values))))
    for rows in blocks(len(values)):
        block = values[rows]
        distance, square = distances[: len(block)], squares[: len(block)]
        np.subtract(block, centre, out=distance)
        np.multiply(distance, distance, out=square)
        of_block = []
        for power in powers:
            if power == 3:
                np.multiply(distance, square, out=distance)
            elif power == 4:
                np.multiply(square, square, out=square)
            # Sums and no dot products: those of BLAS depend on its threads in the last digits.
            of_block.append(np.add.reduce(distance if power == 3 else square))
        sums.append(of_block)
    return tuple(float(each) for each in np.array(sums).reshape(len(sums), len(powers)).sum(axis=0))
