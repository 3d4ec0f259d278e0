"""What every method of this room answers with: an estimate that can be asked for bounds."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Protocol

_NORMAL = NormalDist()
_ROOT2 = math.sqrt(2)


class Inference(Protocol):
    """An estimated gain (oriented so that larger is better) and its uncertainty.

    ``gain`` and ``standard_error`` are in the metric's unit. ``method`` names what was used.
    ``caution`` says why the interval may neither let pass nor accuse (too few groups, …); empty: it may.

    Two promises hold for every implementation and are tested for each of them: the interval contains
    the gain, and ``p_below(t) < alpha`` exactly where the upper bound at ``alpha`` is below ``t``.
    """

    @property
    def gain(self) -> float: ...  # noqa: D102
    @property
    def standard_error(self) -> float: ...  # noqa: D102
    @property
    def method(self) -> str: ...  # noqa: D102
    @property
    def caution(self) -> str: ...  # noqa: D102

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the two one-sided ``1 - alpha`` bounds of the gain: lower, upper."""

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "the gain is at least ``threshold``" (small: it is below)."""


@lru_cache(maxsize=64)
def normal_quantile(alpha: float) -> float:
    """Return ``z`` with ``P(Z > z) = alpha``."""
    # By the lower tail: 1 - alpha would lose the digits of a small alpha.
    return -_NORMAL.inv_cdf(alpha)


def normal_cdf(z: float) -> float:
    """Return ``P(Z < z)``."""
    # NormalDist.cdf is 0 from -8.3 on: it subtracts from 1.
    return 0.5 * math.erfc(-z / _ROOT2)
