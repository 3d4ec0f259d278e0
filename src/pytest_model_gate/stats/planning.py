"""How small a regression the rows can detect, and how many rows a tolerance needs.

Both take candidate and reference as equal: never "observed power", which only repeats the p-value.
"""

from __future__ import annotations

import math

from .inference import normal_quantile
from .roots import fixed_point
from .tango import restricted

POWER = 0.8


def minimum_detectable(standard_error: float, alpha: float, power: float = POWER) -> float:
    """Return the margin that a candidate equal to the reference stays within with this power.

    Examples
    --------
    >>> round(minimum_detectable(1.0, 0.05), 2)
    2.49
    """
    return _deviations(alpha, power) * standard_error


def rows_needed(
    n: int, standard_error: float, margin: float, alpha: float, power: float = POWER
) -> int | None:
    """Return the rows with which an equal candidate passes ``margin`` with this power.

    ``None`` where the margin is not above 0: no number of rows proves that equal models differ.

    Examples
    --------
    >>> rows_needed(1_000, 0.01, 0.01, 0.05)
    6183
    """
    if margin <= 0:
        return None
    return max(2, math.ceil(n * (_deviations(alpha, power) * standard_error / margin) ** 2))


def margin_without_discordance(n: int, alpha: float) -> float:
    """Return the least margin that ``n`` rows let pass where both models are right on the same rows.

    That is Tango's lower bound, and the least margin for any discordance.

    Examples
    --------
    >>> round(margin_without_discordance(268, 0.05), 4)
    0.01
    """
    z2 = normal_quantile(alpha) ** 2
    return z2 / (n + z2)


def rows_without_discordance(margin: float, alpha: float) -> int | None:
    """Return the rows with which ``margin`` passes where both models are right on the same rows.

    Examples
    --------
    >>> rows_without_discordance(0.01, 0.05)
    268
    """
    if margin <= 0:
        return None
    return max(1, math.floor(normal_quantile(alpha) ** 2 * (1 - margin) / margin) + 1) if margin < 1 else 1


def rows_for_shares(discordance: float, margin: float, alpha: float, power: float = POWER) -> int | None:
    """Return the rows with which Tango's test lets two equal shares pass ``margin`` with this power.

    Few discordant rows make the bound longer than their standard error says: it has the variance that they
    would have at the margin. From the exact power it is at most 2 % too few and up to 40 % too many, the
    latter where less than one discordant row is expected.

    Parameters
    ----------
    discordance : float
        Share of the rows on which only one of the two models is right.
    margin, alpha, power : float
        As for :func:`rows_needed`.

    Examples
    --------
    >>> rows_for_shares(0.0, 0.01, 0.05), rows_for_shares(0.005, 0.01, 0.05)
    (268, 600)
    """
    if margin <= 0:
        return None
    return 1 if margin >= 1 else math.ceil((_reach(discordance, margin, alpha, power) / margin) ** 2)


def margin_for_shares(n: int, discordance: float, alpha: float, power: float = POWER) -> float:
    """Return the margin that two equal shares pass on ``n`` rows with this power.

    Examples
    --------
    >>> round(margin_for_shares(600, 0.005, 0.05), 4)
    0.01
    """
    root = math.sqrt(n)
    start = (_deviations(alpha, power) * math.sqrt(discordance) + normal_quantile(alpha) / root) / root
    return fixed_point(lambda margin: _reach(discordance, margin, alpha, power) / root, start, 0.0, 1.0)


def _reach(discordance: float, margin: float, alpha: float, power: float) -> float:
    """Return how far a margin has to be away, in units of one over the root of the rows."""
    at_margin = 2 * restricted(discordance / 2, discordance / 2, 1.0, margin) + margin * (1 - margin)
    return normal_quantile(alpha) * math.sqrt(at_margin) + normal_quantile(1 - power) * math.sqrt(discordance)


def _deviations(alpha: float, power: float) -> float:
    return normal_quantile(alpha) + normal_quantile(1 - power)
