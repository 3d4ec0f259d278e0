"""What every measure of drift answers with: an effect, its bounds, and the p-value as a by-product."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..inference import normal_quantile
from ..roots import crossing

Method = Literal["auc", "ks", "wasserstein", "tv", "cramer_v", "js", "psi"]

#: With fewer values on a side nothing is claimed.
MINIMUM_ROWS = 20

#: With fewer blocks on a side nothing is known about how blocks differ.
MINIMUM_BLOCKS = 5

#: From where on a bound of a folded estimate is that of the estimate: the other side is out of reach.
_UNFOLDED = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How far the current sample is from the reference.

    Parameters
    ----------
    method : str
        Which measure.
    effect : float
        The estimate; what chance alone makes of it is taken off where that is known.
    low, high : float
        One-sided bounds of the true effect.
    p : float or None
        Against "both samples come from one population". ``None``: none is computed.
    raw : float
        The plug-in estimate, as other software prints it.
    threshold : float or None
        What chance alone reaches in 1 of 20 cases, where that may be more than the threshold asked for.
    caution : str
        Why the bounds may neither accuse nor let pass. Empty: they may.
    """

    method: Method
    effect: float
    low: float
    high: float
    p: float | None
    raw: float
    threshold: float | None = None
    caution: str = ""


def folded_low(estimate: float, error: float, df: float, alpha: float) -> float:
    """Return the lower bound of ``|theta|`` from an estimate of ``theta`` with a symmetric error.

    It is where both sides together reach ``alpha``, so that it holds down to 0 and costs nothing further
    away. ``df`` infinite: a normal error.

    Examples
    --------
    >>> round(folded_low(0.3, 0.1, math.inf, 0.05), 4), folded_low(0.1, 0.1, math.inf, 0.05)
    (0.1355, 0.0)
    """
    size = abs(estimate)
    if error <= 0:
        return size
    q = quantile(df, alpha)
    if size / error > _UNFOLDED + q:
        return size - q * error

    def excess(theta: float) -> float:
        return tail(df, (theta - size) / error) + tail(df, (-theta - size) / error) - alpha

    if excess(0.0) >= 0:
        return 0.0
    return max(0.0, crossing(excess, 0.0, size))


def quantile(df: float, alpha: float) -> float:
    """Return the upper quantile of Student's t, or of the normal distribution for infinite ``df``."""
    if math.isinf(df):
        return normal_quantile(alpha)
    from scipy.special import stdtrit

    return -float(stdtrit(df, alpha))


def tail(df: float, t: float) -> float:
    """Return ``P(T < t)``."""
    if math.isinf(df):
        return 0.5 * math.erfc(-t / math.sqrt(2))
    from scipy.special import stdtr

    return float(stdtr(df, t))


def satterthwaite(one: float, df_one: float, other: float, df_other: float) -> float:
    """Return Welch's degrees of freedom of the sum of two variances."""
    below = one**2 / df_one + other**2 / df_other
    return (one + other) ** 2 / below if below > 0 else math.inf


def too_few(reference: int, current: int, *, blocks: tuple[int, int] | None = None) -> str:
    """Return the caution where a side is too small. Empty: none is."""
    if min(reference, current) < MINIMUM_ROWS:
        side = "reference" if reference < current else "current"
        return (
            f"{min(reference, current):,} values in the {side} data are too few, "
            f"at least {MINIMUM_ROWS} are needed"
        )
    if blocks is not None and min(blocks) < MINIMUM_BLOCKS:
        side = "reference" if blocks[0] < blocks[1] else "current"
        return (
            f"{min(blocks):,} blocks in the {side} data are too few to tell how blocks differ, "
            f"at least {MINIMUM_BLOCKS} are needed"
        )
    return ""
