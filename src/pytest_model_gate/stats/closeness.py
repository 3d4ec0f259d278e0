"""How close shares are to a target: bounds that hold at the kink of the distance, where both are on target.

The distance ``|share - target|`` has no derivative at 0, and two well calibrated models are exactly there,
so that an interval made from one slope lets pass twice as many as it promises. But a distance is the larger
of two differences, and a difference of two distances therefore a minimum of maxima of four: of
``candidate - reference`` and ``candidate + reference - 2 target``, each with both signs. Each of these is
smooth and has bounds of its own (Tango's, because both are differences of two paired shares). A bound of
a minimum is the minimum of the bounds. One of a maximum is the maximum of the bounds at half the level,
since either of the two may be wrong (Bonferroni); at the full level where it is known on which side of the
target a share lies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .clopper_pearson import Proportion
from .distances import CERTAIN
from .inference import Inference
from .reach import error_of_width
from .student import Student
from .tango import PairedProportions


@dataclass(frozen=True, slots=True)
class Signed:
    """A smooth quantity, and what is known about it with either sign.

    Parameters
    ----------
    plus, minus : Inference
        On a quantity, and on its negative.
    shift : float
        Added to the quantity.
    """

    plus: Inference
    minus: Inference
    shift: float = 0.0

    def low(self, alpha: float) -> float:
        """Return the lower bound."""
        return self.plus.bounds(alpha)[0] + self.shift

    def high(self, alpha: float) -> float:
        """Return the upper bound."""
        return self.plus.bounds(alpha)[1] + self.shift

    def p_below(self, threshold: float) -> float:
        """Return the p-value against "it is at least ``threshold``"."""
        return self.plus.p_below(threshold - self.shift)

    def sign(self, sign: int) -> Signed:
        """Return the quantity with a sign."""
        return self if sign > 0 else Signed(self.minus, self.plus, -self.shift)


@dataclass(frozen=True, slots=True)
class Closer:
    """How much closer to a target the candidate's share is than the reference's.

    Parameters
    ----------
    gain : float
        Distance of the reference less that of the candidate.
    difference : Signed
        Candidate less reference.
    total : Signed
        Candidate plus reference less twice the target.
    candidate_side, reference_side : {-1, 0, 1}
        On which side of the target their shares lie, 0 where that is not known.
    """

    gain: float
    difference: Signed
    total: Signed
    candidate_side: int = 0
    reference_side: int = 0

    @property
    def method(self) -> str:
        """Name of the method."""
        return f"{self.difference.plus.method}, both signs"

    @property
    def caution(self) -> str:
        """Why the interval may neither let pass nor accuse."""
        return self.difference.plus.caution

    @property
    def standard_error(self) -> float:
        """What the width of the interval corresponds to (never 0)."""
        return error_of_width(self.bounds)

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds; they always contain the gain."""
        d, s = self.difference, self.total
        # The gain is the smaller of max(d, s) and max(-d, -s), and the larger of min(d, -s) and min(-d, s).
        if self.reference_side:
            low = min(d.sign(-self.reference_side).low(alpha), s.sign(self.reference_side).low(alpha))
        else:
            low = min(max(d.sign(t).low(alpha / 2), s.sign(t).low(alpha / 2)) for t in (1, -1))
        if self.candidate_side:
            high = max(d.sign(-self.candidate_side).high(alpha), s.sign(-self.candidate_side).high(alpha))
        else:
            high = max(min(d.sign(t).high(alpha / 2), s.sign(-t).high(alpha / 2)) for t in (1, -1))
        return min(low, self.gain), max(high, self.gain)

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the bounds."""
        if threshold <= self.gain:
            return 1.0
        d, s = self.difference, self.total
        if self.candidate_side:
            side = -self.candidate_side
            return max(d.sign(side).p_below(threshold), s.sign(side).p_below(threshold))
        both = (min(d.sign(t).p_below(threshold), s.sign(-t).p_below(threshold)) for t in (1, -1))
        return min(1.0, 2 * max(both))


@dataclass(frozen=True, slots=True)
class Close:
    """How far within a distance from a target one share is.

    Parameters
    ----------
    gain : float
        The distance that is allowed, less the distance of the share.
    allowed : float
        That distance.
    deviation : Signed
        Share less target.
    """

    gain: float
    allowed: float
    deviation: Signed

    @property
    def method(self) -> str:
        """Name of the method."""
        return f"{self.deviation.plus.method}, both signs"

    @property
    def caution(self) -> str:
        """Why the interval may neither let pass nor accuse."""
        return self.deviation.plus.caution

    @property
    def standard_error(self) -> float:
        """What the width of the interval corresponds to (never 0)."""
        return error_of_width(self.bounds)

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds.

        To be close, the share has to be neither too high nor too low: the lower bound needs no half level.
        """
        d = self.deviation
        low = self.allowed + min(d.low(alpha), d.sign(-1).low(alpha))
        least = max(d.low(alpha / 2), d.sign(-1).low(alpha / 2), 0.0)
        return min(low, self.gain), max(self.allowed - least, self.gain)

    def p_below(self, threshold: float) -> float:
        """Return the p-value that belongs to the upper bound."""
        if threshold <= self.gain:
            return 1.0
        distance = self.allowed - threshold
        if distance < 0:  # no distance is
            return 0.0
        d = self.deviation
        return min(1.0, 2 * min(d.p_below(-distance), d.sign(-1).p_below(-distance)))


def side(deviation: float, error: float) -> int:
    """Return on which side of its target a share lies, 0 where that is not known."""
    return (deviation > 0) - (deviation < 0) if abs(deviation) > CERTAIN * error else 0


def closer_of_counts(n11: int, n10: int, n01: int, n00: int, target: float) -> Closer:
    """Return the inference from counts: of rows that count for both, the candidate, the reference, none."""
    n = n11 + n10 + n01 + n00
    difference = Signed(PairedProportions(n10, n01, n), PairedProportions(n01, n10, n))
    # The reference's share and 1 less the candidate's are two paired shares as well.
    total = Signed(PairedProportions(n11, n00, n), PairedProportions(n00, n11, n), 1 - 2 * target)
    error = math.sqrt(target * (1 - target) / n)
    candidate, reference = (n11 + n10) / n - target, (n11 + n01) / n - target
    return Closer(
        abs(reference) - abs(candidate),
        difference,
        total,
        side(candidate, error),
        side(reference, error),
    )


def close_of_counts(count: int, n: int, target: float, allowed: float) -> Close:
    """Return the inference on one share from its counts, by exact bounds."""
    deviation = Signed(Proportion(count, n, target), Proportion(n - count, n, 1 - target))
    return Close(allowed - abs(count / n - target), allowed, deviation)


def signed(inference: Student) -> Signed:
    """Return both signs of an inference by influence."""
    return Signed(inference, replace(inference, gain=-inference.gain, skew=-inference.skew))
