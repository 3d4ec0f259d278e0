"""The mean of independent per-row values: the paired t interval, corrected for skewness."""

from __future__ import annotations

import math
import sys

from .design import Floats
from .powers import sums_of_powers
from .student import Student
from .tails import MINIMUM_KNOWN, few_carry, known_df
from .variance import too_few

#: With fewer rows, or groups of rows, a spread of nothing means nothing: what concerns one row in 100 is in
#: none of 300 rows once in 20 samples (the rule of three).
ENOUGH_WITHOUT_SPREAD = 300


def mean_of_rows(
    values: Floats,
    shift: float = 0.0,
    size: float = 0.0,
    *,
    pseudo: float = 0.0,
    needed: float = MINIMUM_KNOWN,
    method: str = "paired t",
) -> Student:
    """Return the inference on the mean of independent values minus ``shift``.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Per-row gains, for two models their differences.
    shift : float
        A fixed value that the mean is compared with.
    size : float
        How large the numbers are that the values are differences of.
    pseudo : float
        Added to the sum of squares: that of values that might have been drawn, but were not. With them
        equal values have a width, too, and the skewness is that of all of them.
    needed : float
        Degrees of freedom that the fourth moment has to leave the variance with.
    method : str
        Name of the method.

    Raises
    ------
    UndefinedMetricError
        For fewer than two rows.
    """
    n = len(values)
    if n < 2:
        raise too_few(n)
    mean = float(values.mean())
    second, third, fourth = sums_of_powers(values, mean)
    moments = mean, second, third, fourth
    return mean_of_moments(n, moments, shift, size, pseudo=pseudo, needed=needed, method=method)


def mean_of_moments(
    n: int,
    moments: tuple[float, float, float, float],
    shift: float = 0.0,
    size: float = 0.0,
    *,
    pseudo: float = 0.0,
    needed: float = MINIMUM_KNOWN,
    method: str = "paired t",
) -> Student:
    """Return the same from the mean of ``n`` values, and sums of powers of their distances from it."""
    mean, second, third, fourth = moments[0], *(power / n for power in moments[1:])
    # Spread that is only rounding error is none.
    if not pseudo and math.sqrt(second) <= 8 * sys.float_info.epsilon * max(abs(mean), abs(size)):
        few = n < ENOUGH_WITHOUT_SPREAD
        return Student(
            mean - shift,
            0.0,
            n - 1,
            method,
            (f"{n} rows that all say the same show no spread" if n > 1 else "one row shows no spread")
            if few
            else "",
        )
    second += pseudo / n
    known = known_df(second * n, fourth * n, n)
    return Student(
        gain=mean - shift,
        standard_error=math.sqrt(second / (n - 1)),
        df=min(n - 1, known),
        method=method,
        caution="" if pseudo else few_carry(known, n, needed=needed),
        # Divided twice: powers of very large and very small numbers end in errors.
        skew=third / second / math.sqrt(second) / math.sqrt(n),
    )
