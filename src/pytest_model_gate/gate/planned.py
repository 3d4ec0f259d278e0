"""What a plan says about one question: the numbers, worked out from what some rows can tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import ConfigurationError
from ..spec import GateSpec
from ..stats.prospect import Prospect, detectable, rows_for
from ..stats.spending import alpha_in_force

#: The powers that are always shown.
POWERS = (0.8, 0.9)

#: Where a metric has no range, no margin beyond so many standard errors is looked for.
_FARTHEST = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a user wants to know.

    Parameters
    ----------
    power : float
        How often a candidate has to pass.
    alpha : float or None
        One-sided level; ``None``: the gate's, or 0.05.
    gain : float
        The true gain of the candidate that is planned for.
    """

    power: float = 0.8
    alpha: float | None = None
    gain: float = 0.0

    def __post_init__(self) -> None:
        if not 0.5 <= self.power < 1:
            raise ConfigurationError(
                f"power must be at least 0.5 and below 1, got {self.power:g}.",
                "It is how often a candidate that is good enough passes; usual are 0.8 and 0.9.",
            )
        if self.alpha is not None and not 0 < self.alpha < 0.5:
            raise ConfigurationError(
                f"alpha must be between 0 and 0.5, got {self.alpha:g}.", "Usual is 0.05."
            )
        if not math.isfinite(self.gain):
            raise ConfigurationError(
                f"gain must be a finite number, got {self.gain:g}.",
                "Give how much better the candidate is in truth, below 0 if it is worse.",
            )

    @property
    def powers(self) -> tuple[float, ...]:
        """The powers that are shown, ascending."""
        return tuple(sorted({*POWERS, self.power}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What some rows can tell about one metric, and how many rows a tolerance takes.

    Parameters
    ----------
    metric, slice : str
        What is planned, and for which rows.
    rows : int or None
        That there are. ``None``: nobody said.
    standard_error : float or None
        Of the gain on these rows.
    alpha : float
        One-sided level.
    margin : float or None
        The tolerance, in the metric's unit.
    tolerance : str
        As it was written.
    gain : float
        The assumed true gain.
    detectable : tuple of (float, float)
        Power, and the margin that an equal candidate stays within with this power on these rows.
    rows_needed : tuple of (float, int or None)
        Power, and the rows with which a candidate of the assumed gain passes the margin with it. ``None``
        where no number of rows is enough.
    power_if_equal, power_with_gain : float or None
        How often a candidate passes the margin on these rows that is as good as production in truth, and one
        of the assumed gain.
    design_effect : float or None
        How many rows of the groups say as much as one independent row.
    reference : float or None
        Production's value, where a pilot tells it.
    caution : str
        Why there are no numbers. Empty: there are.
    method : str
        How power was worked out.
    """

    metric: str
    slice: str
    rows: int | None
    standard_error: float | None
    alpha: float
    margin: float | None
    tolerance: str
    gain: float
    detectable: tuple[tuple[float, float], ...] = ()
    rows_needed: tuple[tuple[float, int | None], ...] = ()
    power_if_equal: float | None = None
    power_with_gain: float | None = None
    design_effect: float | None = None
    reference: float | None = None
    caution: str = ""
    method: str = ""

    def needed(self, power: float) -> int | None:
        """Return the rows for one power."""
        return dict(self.rows_needed).get(power)


def work_out(
    at: Callable[[int], Prospect],
    *,
    metric: str,
    slice: str,  # noqa: A002 - the word for it
    rows: int | None,
    margin: float | None,
    tolerance: str,
    alpha: float,
    wish: Wish,
    standard_error: float | None = None,
    bounds: Sequence[float] = (-math.inf, math.inf),
    design_effect: float | None = None,
    reference: float | None = None,
    method: str = "normal",
) -> Planned:
    """Work out a plan.

    Parameters
    ----------
    at : callable
        ``at(rows)``: what so many rows can tell.
    bounds : sequence of float
        Least and greatest value of the metric: no margin is larger than their distance.
    metric, slice, rows, margin, tolerance, alpha, standard_error, design_effect, reference, method
        As in :class:`Planned`.
    wish : Wish
        Power and gain.
    """
    here = None if rows is None else at(rows)
    most = bounds[1] - bounds[0]
    if not math.isfinite(most):
        most = _FARTHEST * (standard_error or 1.0)
    return Planned(
        metric=metric,
        slice=slice,
        rows=rows,
        standard_error=standard_error,
        alpha=alpha,
        margin=margin,
        tolerance=tolerance,
        gain=wish.gain,
        detectable=()
        if here is None
        else tuple((power, detectable(here, alpha, power, most=most)) for power in wish.powers),
        rows_needed=()
        if margin is None
        else tuple((power, rows_for(at, margin, alpha, power, gain=wish.gain)) for power in wish.powers),
        power_if_equal=None if here is None or margin is None else here.power(margin, alpha),
        power_with_gain=(
            None if here is None or margin is None or not wish.gain else here.power(margin, alpha, wish.gain)
        ),
        design_effect=design_effect,
        reference=reference,
        method=method,
    )


def level(spec: GateSpec, wish: Wish) -> float:
    """Return the one-sided level that is planned for: what a first use of the holdout is judged at."""
    if wish.alpha is not None:
        return wish.alpha
    if not spec.counts_uses:
        return spec.alpha
    budget = spec.holdout_budget
    return alpha_in_force(spec.alpha, number=1, budget=budget, spending=spec.spending or "equal")


def rounded_up(rows: int, digits: int = 2) -> int:
    """Return a number of rows with so many significant digits, never fewer rows than that.

    Examples
    --------
    >>> rounded_up(40_355), rounded_up(40_355, 3), rounded_up(7)
    (41000, 40400, 7)
    """
    step: int = 10 ** max(0, len(str(rows)) - digits)
    return -(-rows // step) * step
