"""How candidates share one level: exactly, for every history, and against developers who adapt."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_model_gate.stats.clopper_pearson import Proportion
from pytest_model_gate.stats.inference import normal_quantile
from pytest_model_gate.stats.spending import alpha_in_force, share

ALPHA = 0.05
#: Floats that are sums of floats; the sums below are exact.
ROUNDING = Fraction(1, 10**12)


def spent(history: tuple[bool, ...], budget: int | None, spending: str) -> Fraction:
    """Return the level of the use that comes after a history of passes."""
    return Fraction(
        alpha_in_force(ALPHA, number=len(history) + 1, passes=sum(history), budget=budget, spending=spending)
    )


# -- exactly -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [1, 2, 7, 20, 1000])
def test_equal_parts_make_the_whole(budget):
    whole = sum(spent((False,) * used, budget, "equal") for used in range(budget))
    assert abs(whole - Fraction(ALPHA)) < ROUNDING


def test_decreasing_parts_never_make_more_than_the_whole():
    parts = [alpha_in_force(ALPHA, number=number, spending="decreasing") for number in range(1, 100_001)]
    assert all(first > second for first, second in itertools.pairwise(parts))
    # What is left after N of them is between 6 / (pi**2 * (N + 1)) and 6 / (pi**2 * N) of the whole.
    left = 1 - math.fsum(parts) / ALPHA
    assert 6 / math.pi**2 / 100_001 < left < 6 / math.pi**2 / 100_000


def test_decreasing_parts_do_not_depend_on_a_budget():
    with_end = [alpha_in_force(ALPHA, number=n, budget=20, spending="decreasing") for n in range(1, 21)]
    assert with_end == [alpha_in_force(ALPHA, number=n, spending="decreasing") for n in range(1, 21)]


@pytest.mark.parametrize("uses", range(1, 13))
@pytest.mark.parametrize("end", [True, False], ids=["budget", "no end"])
def test_adaptive_parts_of_all_histories_make_no_more_than_the_whole(uses, end):
    """Every candidate that any developer could try after any answers, up to 4,095 of them."""
    budget = uses if end else None
    whole = sum(
        spent(history, budget, "adaptive")
        for length in range(uses)
        for history in itertools.product((False, True), repeat=length)
    )
    weights = sum(
        Fraction(share(n, budget, "adaptive")) * (1 - Fraction(1, 2**n)) for n in range(1, uses + 1)
    )
    assert abs(whole - Fraction(ALPHA) * weights) < ROUNDING
    assert whole < Fraction(ALPHA)


def test_equal_parts_of_all_histories_make_far_more():
    """The negative control: whoever sees passes can reach more candidates than were paid for."""
    whole = sum(
        spent(history, 12, "equal")
        for length in range(12)
        for history in itertools.product((False, True), repeat=length)
    )
    assert whole > 300 * Fraction(ALPHA)


@given(st.lists(st.booleans(), max_size=400), st.sampled_from(["equal", "decreasing", "adaptive"]))
def test_a_path_never_spends_more_than_the_whole(history, spending):
    uses = range(len(history) + 1)
    parts = [
        alpha_in_force(
            ALPHA, number=used + 1, passes=sum(history[:used]), budget=len(uses), spending=spending
        )
        for used in uses
    ]
    assert all(0 <= part <= ALPHA for part in parts)
    assert math.fsum(parts) <= ALPHA * (1 + 1e-12)


def test_so_many_histories_that_no_float_holds_their_number():
    assert alpha_in_force(ALPHA, number=5_000, passes=2_500, budget=10_000, spending="adaptive") == 0.0


# -- against developers --------------------------------------------------------------------------------
#
# The labels of 400 rows are fair coins, which no model can know; those of 200 more can be known. Accuracy has
# the floor 0.5. A candidate that guesses everywhere is exactly at the floor and must not pass, whatever its
# guesses are, so all that a developer can do is to fit the coins of this holdout.

COINS, KNOWABLE, FLOOR = 400, 200, 0.5
ROWS = COINS + KNOWABLE
USES, RUNS = 20, 2_000


@cache
def beats_the_floor(right: int, alpha: float) -> bool:
    """Return whether so many right rows pass, by the exact bound that judges a floor."""
    return Proportion(right, ROWS, FLOOR).bounds(alpha)[0] > 0


class Holdouts:
    """Many holdouts side by side, each with a developer of its own."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self._labels = self.guess()

    def guess(self) -> np.ndarray:
        """Return -1 or 1 for every coin."""
        return self.rng.choice(np.array([-1, 1], dtype=np.int8), size=(RUNS, COINS))

    def passes(self, coins: np.ndarray, alpha: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
        """Return which candidates pass; ``known`` says on how many of the knowable rows each is right."""
        if known is None:
            known = self.rng.binomial(KNOWABLE, 0.5, size=RUNS)
        right = np.count_nonzero(coins == self._labels, axis=1) + known
        return np.array([beats_the_floor(int(r), float(a)) for r, a in zip(right, alpha, strict=True)])


def levels(number: int, passes: np.ndarray, spending: str | None) -> np.ndarray:
    """Return the level of each developer's next use; without a ledger it is the whole one every time."""
    if spending is None:
        return np.full(RUNS, ALPHA)
    by_passes = [
        alpha_in_force(ALPHA, number=number, passes=j, budget=USES, spending=spending) for j in range(number)
    ]
    return np.array(by_passes)[passes]


def try_again_and_again(spending: str | None) -> float:
    """Return how often anything passes, where every candidate is exactly at the floor.

    Each turns a tenth of the guesses of the last one that passed; where none has, it guesses anew.
    """
    holdouts = Holdouts(seed=1)
    base, found = holdouts.guess(), np.zeros(RUNS, dtype=np.intp)
    for number in range(1, USES + 1):
        turned = holdouts.rng.random((RUNS, COINS)) < 0.1
        coins = np.where((found > 0)[:, None], np.where(turned, -base, base), holdouts.guess())
        passed = holdouts.passes(coins, levels(number, found, spending))
        base = np.where(passed[:, None], coins, base)
        found += passed
    return float(np.mean(found > 0))


def vote_for_labels(spending: str | None) -> float:
    """Return how often the last candidate passes, which is exactly at the floor.

    All before are better, and so good that they pass half of the time: then each answer says most about the
    coins. The last one takes for each coin what the answers speak for.
    """
    holdouts = Holdouts(seed=2)
    votes, found = np.zeros((RUNS, COINS), dtype=np.int16), np.zeros(RUNS, dtype=np.intp)
    for number in range(1, USES):
        alpha, coins = levels(number, found, spending), holdouts.guess()
        quantile = np.array([normal_quantile(float(a)) for a in alpha])
        known = np.rint(KNOWABLE / 2 + quantile * math.sqrt(ROWS) / 2).astype(np.intp)
        assert (known > KNOWABLE / 2).all(), "all of these are above the floor"
        passed = holdouts.passes(coins, alpha, np.minimum(known, KNOWABLE))
        votes += np.where(passed[:, None], coins, -coins)
        found += passed
    last = np.where(votes > 0, 1, -1).astype(np.int8)
    return float(np.mean(holdouts.passes(last, levels(USES, found, spending))))


#: The level, and 3.1 standard deviations of what is counted.
AT_MOST = ALPHA + 3.1 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)


@pytest.mark.parametrize("spending", ["equal", "decreasing", "adaptive"])
def test_trying_again_lets_nothing_pass_more_often_than_promised(spending):
    assert try_again_and_again(spending) <= AT_MOST


def test_trying_again_without_a_ledger_does():
    assert try_again_and_again(None) > 0.4


def test_voting_for_labels_fails_where_passes_are_paid_for():
    assert vote_for_labels("adaptive") <= AT_MOST


@pytest.mark.parametrize("spending", [None, "equal"])
def test_voting_for_labels_succeeds_where_they_are_not(spending):
    """Equal parts promise nothing after a pass that somebody saw: that is what "adaptive" is for."""
    assert vote_for_labels(spending) > 0.2
