"""The classifier two-sample test: how well scores of unseen rows tell current from reference rows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..design import Floats
from ..inference import normal_cdf, normal_quantile
from .pair import Pair
from .ranks import area_and_error


@dataclass(frozen=True, slots=True)
class ToldApart:
    """The area under the curve of a classifier, with one-sided bounds; p is against one half."""

    area: float
    low: float
    high: float
    p: float


def told_apart(parts: Iterable[tuple[Floats, Floats]], alpha: float) -> ToldApart:
    """Return the mean area of several parts of the rows, each scored by a model that did not see it.

    Parameters
    ----------
    parts : iterable of (ndarray, ndarray)
        Scores of the reference and of the current rows.
    alpha : float
        One-sided level.
    """
    found = [area_and_error(Pair.of(reference, current)) for reference, current in parts]
    area = math.fsum(area for area, _, _ in found) / len(found)
    error = math.sqrt(math.fsum(error * error for _, error, _ in found)) / len(found)
    z = normal_quantile(alpha)
    p = normal_cdf(-(area - 0.5) / error) if error else float(area <= 0.5)
    return ToldApart(area, max(0.0, area - z * error), min(1.0, area + z * error), p)
