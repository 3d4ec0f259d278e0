"""How far two areas under the ROC curve are spread, from assumptions: the binormal model.

Scores of both classes are normal with the same spread, and the scores of the two models are correlated
within each class. Every covariance of placements is then a bivariate normal probability minus the product
of its margins, which is Plackett's (1954) integral: nothing has to be simulated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .auc import PairedAuc
from .inference import normal_cdf
from .prospect import Normal

#: Points of the Gauss-Legendre rule; more change no digit that is printed.
_POINTS = 64


@dataclass(frozen=True, slots=True)
class BinormalPair:
    """Two areas on the same rows.

    Parameters
    ----------
    auc : float
        Area of both models, above 0 and below 1.
    correlation : float
        Of the two models' scores within a class, from -1 to 1.
    prevalence : float
        Share of the rows that are positive.
    """

    auc: float
    correlation: float
    prevalence: float

    def at(self, rows: int) -> Normal:
        """Return what so many rows can tell, by the interval that a gate would use.

        DeLong's, and MOVER in small classes and near an area of 1.
        """
        paired = self.paired(rows)
        return Normal(math.sqrt(paired.variance), lambda z: -paired.bounds(normal_cdf(-z))[0])

    def paired(self, rows: int) -> PairedAuc:
        """Return the inference on two equal areas with the variance that so many rows have on average."""
        m = max(1.0, rows * self.prevalence)
        n = max(1.0, rows - m)
        one, both = self._variance(m, n, 1.0), self._variance(m, n, self.correlation)
        return PairedAuc(
            self.auc, self.auc, m, n, variance=max(0.0, 2 * (one - both)), correlation=both / one
        )

    def _variance(self, m: float, n: float, correlation: float) -> float:
        """Return the covariance of the areas of two models whose scores have this correlation."""
        h = NormalDist().inv_cdf(self.auc)
        # A positive compared with two negatives shares half of each comparison's variance; so does a
        # negative with two positives.
        one_row, same_pair = _plackett(h, correlation / 2), _plackett(h, correlation)
        return ((m + n - 2) * one_row + same_pair) / (m * n)


def _plackett(h: float, r: float) -> float:
    """Return ``P(X < h, Y < h) - P(X < h) P(Y < h)`` for standard normals of correlation ``r``.

    With ``t = sin(a)`` the integral of the density over the correlation has no singularity at 1.
    """
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    end = math.asin(r)
    angles = end / 2 * (points + 1)
    values = np.exp(-h * h / (1 + np.sin(angles)))
    return float(end / 2 * np.dot(weights, values)) / (2 * math.pi)
