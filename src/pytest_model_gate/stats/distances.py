"""How far two estimates are from where they should be: the difference of two absolute values.

``|a| - |b|`` has a kink where either is 0, which is where both models are right, and no normal interval holds
there. Its bounds are projected from half-planes instead. ``|a| - |b| < d`` is claimed where ``s a - t b < d``
is, for both signs ``s`` and some sign ``t``: the two claims about ``s`` must both hold, so that they need no
correction (Berger 1982), and ``t`` may be chosen where the level is halved (Bonferroni).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .reach import READ_AT

#: Standard errors from 0, or from a target, at which the side of an estimate is known: it is wrong in 3 of
#: 10 million samples.
CERTAIN = 5.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A signed deviation from what is right, and its standard error (0: it is known)."""

    value: float
    standard_error: float

    @property
    def signs(self) -> tuple[int, ...]:
        """The signs that the true deviation may have."""
        if abs(self.value) > CERTAIN * self.standard_error:
            return (1,) if self.value > 0 else (-1,)
        return (1, -1)


@dataclass(frozen=True, slots=True)
class Distances:
    """The gain of being less far away than the reference.

    Parameters
    ----------
    candidate, reference : Estimate
        Signed deviations; a ceiling is a reference without a standard error.
    of_difference, of_sum : float
        Standard errors of their difference and of their sum.
    df : float
        Degrees of freedom of the standard errors.
    method : str
        Name of the method.
    caution : str
        Why the interval may neither let pass nor accuse. Empty: it may.
    """

    candidate: Estimate
    reference: Estimate
    of_difference: float
    of_sum: float
    df: float
    method: str = "projection"
    caution: str = ""

    @property
    def gain(self) -> float:
        """How much less far away the candidate is."""
        return abs(self.reference.value) - abs(self.candidate.value)

    @property
    def standard_error(self) -> float:
        """Read off the interval: nothing else says how wide it is near the kink."""
        low, high = self.bounds(READ_AT)
        return (high - low) / 2 / self._quantile(READ_AT)

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds; they always contain the gain."""
        return -self._most(self.candidate, self.reference, alpha), self._most(
            self.reference, self.candidate, alpha
        )

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "the gain is at least ``threshold``"."""
        from scipy.special import stdtr

        # The gain is |reference| - |candidate|: both signs of the reference have to be refuted.
        def refuted(sign: int) -> float:
            tails = []
            for other in self.candidate.signs:
                distance = threshold - sign * self.reference.value + other * self.candidate.value
                error = self._error(sign, other)
                t = distance / error if error else math.copysign(math.inf, distance) if distance else 0.0
                tails.append(float(stdtr(self.df, -t)))
            return min(1.0, len(tails) * min(tails))

        p = max(refuted(1), refuted(-1))
        # On the estimate's own side of the threshold nothing is accused, as the bounds contain it.
        return max(p, 0.5) if self.gain >= threshold else min(p, 0.5)

    def _most(self, first: Estimate, second: Estimate, alpha: float) -> float:
        """Return the upper bound of ``|first| - |second|``."""
        q = self._quantile(alpha / len(second.signs))
        bounds = (
            min(s * first.value - t * second.value + q * self._error(s, t) for t in second.signs)
            for s in (1, -1)
        )
        return max(*bounds, abs(first.value) - abs(second.value))

    def _error(self, first: int, second: int) -> float:
        return self.of_difference if first == second else self.of_sum

    def _quantile(self, alpha: float) -> float:
        from scipy.special import stdtrit

        return -float(stdtrit(self.df, alpha))
