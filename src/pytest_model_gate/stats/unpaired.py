"""Two models on two different samples: last month's holdout and this month's, for example.

The samples are independent of each other, so nothing cancels and intervals are several times as wide as
those on the same rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import UndefinedMetricError
from .inference import Inference, normal_cdf, normal_quantile
from .reach import p_of_reach
from .roots import crossing
from .student import Student


@dataclass(frozen=True, slots=True)
class UnpairedProportions:
    """Two shares of right rows, each in its own sample: the score interval of Miettinen and Nurminen (1985).

    Parameters
    ----------
    right, n : int
        Right rows and all rows of the candidate's sample.
    reference, rows : int
        Right rows and all rows of the reference's sample.
    """

    right: int
    n: int
    reference: int
    rows: int

    def __post_init__(self) -> None:
        if min(self.n, self.rows) < 1:
            raise UndefinedMetricError("A proportion needs at least 1 row, got 0.", "Judge more rows.")

    @property
    def gain(self) -> float:
        """Difference of the two shares."""
        return self.right / self.n - self.reference / self.rows

    @property
    def standard_error(self) -> float:
        """Of the difference; 0 where both shares are 0 or 1."""
        one, other = self.right / self.n, self.reference / self.rows
        return math.sqrt(one * (1 - one) / self.n + other * (1 - other) / self.rows)

    @property
    def method(self) -> str:
        """Name of the method."""
        return "miettinen-nurminen"

    @property
    def caution(self) -> str:
        """Nothing: the score interval holds for every count."""
        return ""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds: where the score statistic equals the normal quantile."""
        z, gain = normal_quantile(alpha), self.gain
        low = -1.0 if gain <= -1 else -crossing(lambda d: self._score(-d) - z, -gain, 1.0)
        high = 1.0 if gain >= 1 else crossing(lambda d: -self._score(d) - z, gain, 1.0)
        return min(low, gain), max(high, gain)

    def p_below(self, threshold: float) -> float:
        """Return the p-value of the score test against "the difference is at least ``threshold``"."""
        if threshold <= -1:
            return 1.0
        if threshold >= 1:
            return 1.0 if threshold == 1 and self.gain == 1 else 0.0
        return normal_cdf(self._score(threshold))

    def _score(self, d: float) -> float:
        distance = self.gain - d
        one, other = self._restricted(d)
        total = self.n + self.rows
        variance = (one * (1 - one) / self.n + other * (1 - other) / self.rows) * total / (total - 1)
        if variance <= 0:
            return math.copysign(math.inf, distance) if distance else 0.0
        return distance / math.sqrt(variance)

    def _restricted(self, d: float) -> tuple[float, float]:
        """Return the most likely two shares whose difference is ``d``, the root of a cubic."""
        total = self.n + self.rows
        square = ((self.n + 2 * self.rows) * d - total - self.right - self.reference) / total
        linear = ((self.rows * d - total - 2 * self.reference) * d + self.right + self.reference) / total
        constant = self.reference * d * (1 - d) / total
        third = square / 3
        q = third**3 - square * linear / 6 + constant / 2
        p = math.copysign(math.sqrt(max(0.0, third * third - linear / 3)), q)
        angle = math.acos(max(-1.0, min(1.0, q / p**3))) if p else 0.0
        other = 2 * p * math.cos((math.pi + angle) / 3) - third
        other = max(0.0, -d, min(1.0, 1.0 - d, other))
        return min(1.0, max(0.0, other + d)), other


@dataclass(frozen=True, slots=True)
class Mover:
    """The difference of two independent estimates from their own intervals (Zou and Donner 2008).

    Parameters
    ----------
    first, second : Inference
        Of the candidate and of the reference, each against 0.
    weight : float
        Of the reference: as in :class:`~pytest_model_gate.stats.auc.PairedAuc`.
    """

    first: Inference
    second: Inference
    weight: float = 1.0

    @property
    def gain(self) -> float:
        """Difference of the two estimates."""
        return self.first.gain - self.second.gain

    @property
    def standard_error(self) -> float:
        """From those of the two."""
        return math.hypot(self.first.standard_error, self.weight * self.second.standard_error)

    @property
    def method(self) -> str:
        """Name of the method."""
        one, other = self.first.method, self.second.method
        return f"mover ({one})" if one == other else f"mover ({one}, {other})"

    @property
    def caution(self) -> str:
        """What speaks against either."""
        return self.first.caution or self.second.caution

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of the difference."""
        return self.gain - self._reach(alpha, upper=False), self.gain + self._reach(alpha, upper=True)

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the bounds: the level at which they reach the threshold."""
        return p_of_reach(self.gain, lambda z, *, upper: self._reach(normal_cdf(-z), upper=upper), threshold)

    def _reach(self, alpha: float, *, upper: bool) -> float:
        """Return the distance from the difference to its bound; the reference errs the other way."""
        alpha = max(alpha, 1e-300)
        one, other = self.first.bounds(alpha), self.second.bounds(alpha)
        if upper:
            return math.hypot(one[1] - self.first.gain, self.weight * (self.second.gain - other[0]))
        return math.hypot(self.first.gain - one[0], self.weight * (other[1] - self.second.gain))


def welch(first: Student, second: Student, weight: float = 1.0) -> Student:
    """Return the difference of two independent estimates, with Welch's degrees of freedom.

    Parameters
    ----------
    first, second : Student
        Of the candidate and of the reference, each against 0.
    weight : float
        Of the reference: the bounds are those of ``first - weight * second``, shifted back to the
        difference.
    """
    one, other = first.standard_error**2, (weight * second.standard_error) ** 2
    variance = one + other
    if variance == 0:
        df, skew = min(first.df, second.df), 0.0
    else:
        df = variance**2 / (one**2 / first.df + other**2 / second.df)
        # Third moments of independent estimates add up, with the sign of the difference.
        third = first.skew * one**1.5 - math.copysign(second.skew, weight * second.skew) * other**1.5
        skew = third / variance**1.5
    return Student(
        gain=first.gain - second.gain,
        standard_error=math.sqrt(variance),
        df=df,
        method=f"welch ({first.method})" if first.method == second.method else "welch",
        caution=first.caution or second.caution,
        skew=skew,
    )
