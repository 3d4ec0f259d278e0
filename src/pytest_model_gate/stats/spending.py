"""How the candidates that one holdout judges share one error rate: pure rules. Standard library only.

A level ``alpha`` is promised for the holdout as a whole: the probability that *any* candidate passes that
should not. Candidate ``i`` is judged at a part of it.

``equal``
    ``alpha / K`` for each of ``K`` uses.
``decreasing``
    ``alpha * 6 / (pi**2 * i**2)``: no end, and the first uses are the cheap ones.
``adaptive``
    ``alpha * w_i * v_j / C(i - 1, j)`` after ``j`` passes among the ``i - 1`` earlier uses, with ``w_i`` as
    above and ``v_j = 2 ** -(j + 1)``. What a developer knows who sees only pass or not pass is one of the
    ``C(i - 1, j)`` histories with ``j`` passes, so the sum over all that can happen is still ``alpha``.
"""

from __future__ import annotations

import math

from ..spec import Spending

#: More histories than this leave no level that a float could hold.
_MOST = 10**300


def share(number: int, budget: int | None = None, spending: Spending = "equal") -> float:
    """Return the part of the level that is set aside for one use, whatever the earlier ones found.

    Parameters
    ----------
    number : int
        Which use it is, from 1.
    budget : int or None
        How many uses there are in all; ``None``: no end.
    spending : {"equal", "decreasing", "adaptive"}
        The rule.

    Examples
    --------
    >>> share(7, budget=20)
    0.05
    >>> round(share(1, spending="decreasing"), 3)
    0.608
    """
    if budget is None or spending == "decreasing":
        return 6 / (math.pi * number) ** 2
    return 1 / budget


def alpha_in_force(
    alpha: float, *, number: int, passes: int = 0, budget: int | None = None, spending: Spending = "equal"
) -> float:
    """Return the one-sided level at which one use is judged.

    Parameters
    ----------
    alpha : float
        What all uses share.
    number, budget, spending
        As for :func:`share`.
    passes : int
        How many of the earlier uses passed; only ``"adaptive"`` asks.

    Examples
    --------
    >>> alpha_in_force(0.05, number=7, budget=20)
    0.0025
    >>> alpha_in_force(0.05, number=3, passes=1, budget=20, spending="adaptive")
    0.0003125
    """
    if budget is None or spending == "decreasing":
        spent = alpha * share(number, budget, spending)
    else:  # alpha * (1 / 20) has noise in its last digit, which a ledger would show
        spent = alpha / budget
    if spending != "adaptive":
        return spent
    histories = math.comb(number - 1, passes) << (passes + 1)  # times 1 / v_j
    return 0.0 if histories > _MOST else spent / histories
