"""How often the gate may be wrong, and when a simulation shows that it is more often.

One-sided errors at the margin have the nominal level 5 %. A method that is right in the limit is a little
off on finitely many rows, so 20 % more is allowed where the place is well behaved and 50 % more where it is
hard. A simulation is noisy too: a place exceeds its allowance where the exact lower bound of its rate does,
at 99.9 % over all places that are tested together.
"""

from __future__ import annotations

import math

from grid import MISCALIBRATED, NUMBERS, POSITIVES, QUANTILES, Place
from scipy.special import betaincinv
from trials import ALPHA, Tally

WELL_BEHAVED, HARD = 1.2 * ALPHA, 1.5 * ALPHA

#: Independent rows of the rarest class, or groups, from which on a place is well behaved.
ENOUGH = 200

#: Level of the test that all places together must not fail by chance.
FAMILY = 0.001


def is_hard(place: Place) -> bool:
    """Whether rows are few, tails are heavy or models are nearly perfect."""
    population = place.population
    if population.units(place.layout) < ENOUGH:
        return True
    if place.world in (NUMBERS, POSITIVES):
        return population.tail != "normal"
    return place.world not in (QUANTILES, MISCALIBRATED) and population.area > 0.95


def allowance(place: Place) -> float:
    """Return the greatest one-sided error rate that is accepted."""
    return HARD if is_hard(place) else WELL_BEHAVED


def lower_bound(wrong: int, repetitions: int, level: float) -> float:
    """Return the exact (Clopper-Pearson) lower bound of a rate."""
    return float(betaincinv(wrong, repetitions - wrong + 1, level)) if wrong else 0.0


def exceeds(wrong: int, repetitions: int, allowed: float, tests: int) -> bool:
    """Whether a simulated rate is certainly above what is allowed, as one of so many tests."""
    return lower_bound(wrong, repetitions, FAMILY / tests) > allowed


def errors(tally: Tally) -> dict[str, int]:
    """Return what must be rare: verdicts that would have been wrong."""
    return {"pass": tally.wrong_pass, "accusation": tally.wrong_accusation}


def monte_carlo_error(rate: float, repetitions: int) -> float:
    """Return the standard error of a simulated rate."""
    return math.sqrt(rate * (1 - rate) / repetitions)
