"""P-values of many columns together (Benjamini and Hochberg 1995)."""

from __future__ import annotations

from collections.abc import Sequence


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return adjusted p-values: of those below q, a share of at most q is false on average.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    (0.03, 0.04, 0.04)
    """
    count = len(p_values)
    order = sorted(range(count), key=p_values.__getitem__, reverse=True)
    adjusted = [1.0] * count
    running = 1.0
    for rank, index in enumerate(order):
        running = min(running, p_values[index] * count / (count - rank))
        adjusted[index] = running
    return tuple(adjusted)
