"""Rows that a condition takes: the paper's numbers, the tighter ones, and what each of them promises."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.stats.conditions.bounds import (
    ROWS,
    Mistake,
    bennett,
    binomial,
    chernoff,
    hoeffding,
    split,
)
from pytest_model_gate.stats.conditions.grammar import parse
from pytest_model_gate.stats.conditions.rows import basic_rows, demand, log_delta_of

# -- the paper -----------------------------------------------------------------------------------------
# Renggli et al., Continuous Integration of Machine Learning Models with ease.ml/ci, SysML 2019. The text
# names 46K, 63K and 156K for one variable at 0.01, 6,279 and 156,955 for n > 0.8, 44,268 and 58K for n - o,
# 29K, 67K and 2,188 with Bennett's inequality. The grid is its formula.


@pytest.mark.parametrize(
    ("condition", "reliability", "adaptivity", "steps", "rows"),
    [
        ("n > 0.8 +/- 0.01", 0.9999, "none", 1, 46_052),
        ("n > 0.8 +/- 0.01", 0.9999, "none", 32, 63_381),
        ("n > 0.8 +/- 0.01", 0.9999, "full", 32, 156_956),
        ("n > 0.8 +/- 0.05", 0.9999, "full", 32, 6_279),
        ("n > 0.8 +/- 0.1", 0.99, "none", 32, 404),
        ("n > 0.8 +/- 0.1", 0.99, "firstChange", 32, 404),
        ("n > 0.8 +/- 0.1", 0.99, "full", 32, 1_340),
        ("d < 0.2 +/- 0.05", 0.99, "none", 32, 1_615),
        ("d < 0.2 +/- 0.05", 0.99, "full", 32, 5_358),
        ("n > 0.8 +/- 0.01", 0.99, "none", 32, 40_355),
        ("n > 0.8 +/- 0.01", 0.99, "full", 32, 133_930),
        ("n > 0.8 +/- 0.025", 0.999, "none", 32, 8_299),
        ("n > 0.8 +/- 0.025", 0.999, "full", 32, 23_271),
        ("n - o > 0.1 +/- 0.1", 0.99, "none", 32, 1_753),
        ("n - o > 0.1 +/- 0.1", 0.99, "full", 32, 5_496),  # what the public implementation prints, too
        ("n - o > 0.02 +/- 0.01", 0.9999, "none", 32, 267_385),
        ("n - o > 0.02 +/- 0.01", 0.9999, "full", 32, 641_684),
        ("n - o > 0.02 +/- 0.02", 0.998, "none", 7, 44_269),
        ("n - o > 0.02 +/- 0.02", 0.998, "full", 7, 58_799),
    ],
)
def test_the_basic_estimator_of_the_paper(condition, reliability, adaptivity, steps, rows) -> None:
    assert basic_rows(parse(condition), log_delta_of(reliability, adaptivity, steps)) == rows


def test_bennetts_inequality_gives_the_numbers_of_the_paper() -> None:
    # Two-sided, and half of delta for the filter: delta / 4.
    quarter = math.log(0.0001 / 4)
    one, independent, adaptive = (
        bennett(0.1, 0.01, quarter - histories) for histories in (0, math.log(32), 32 * math.log(2))
    )

    assert math.floor(0.1 * one) == 2_188
    assert (math.ceil(independent), math.ceil(adaptive)) == (29_048, 67_706)


# -- the split of the tolerance ------------------------------------------------------------------------


def test_the_tolerance_is_split_by_the_weights() -> None:
    rows, tolerances = split([1.0, 1.1], 0.01, math.log(0.0001))

    assert sum(tolerances) == pytest.approx(0.01)
    assert tolerances == pytest.approx((0.01 / 2.1, 0.01 * 1.1 / 2.1), rel=4e-3)
    # With half of delta for each variable: the sum of the weights squared.
    assert rows == pytest.approx(2.1**2 * math.log(2 / 0.0001) / (2 * 0.01**2), rel=1e-3)
    assert rows < 2.1**2 * math.log(2 / 0.0001) / (2 * 0.01**2)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(weights=st.lists(st.floats(0.05, 5), min_size=2, max_size=3), log_delta=st.floats(-60, -2))
def test_no_other_split_of_tolerance_and_delta_needs_fewer_rows(
    weights: list[float], log_delta: float
) -> None:
    tolerance = 0.05
    rows, tolerances = split(weights, tolerance, log_delta)
    rng = np.random.default_rng(0)

    deltas = [-2 * rows * (e / w) ** 2 for e, w in zip(tolerances, weights, strict=True)]
    assert sum(map(math.exp, deltas)) == pytest.approx(math.exp(log_delta), rel=1e-6)
    for share in rng.dirichlet(np.ones(len(weights)), size=200):
        for part in rng.dirichlet(np.ones(len(weights)), size=3):
            other = max(
                hoeffding(w, tolerance * s, log_delta + math.log(p))
                for w, s, p in zip(weights, share, part, strict=True)
            )
            assert other >= rows * (1 - 1e-9)


# -- the bounds are bounds -----------------------------------------------------------------------------

CLAUSES = ["n > 0.8 +/- 0.05", "d < 0.1 +/- 0.03", "n - o > 0.02 +/- 0.05", "n - 1.1 * o + d > 0 +/- 0.1"]


@pytest.mark.parametrize("text", CLAUSES)
@pytest.mark.parametrize("mode", ["fp-free", "fn-free"])
def test_the_tighter_bounds_are_never_larger(text: str, mode) -> None:
    mistake, log_delta = Mistake.of(parse(text).clauses[0], mode), math.log(0.001)
    values, tolerance = [float(value) for value in mistake.values], float(mistake.tolerance)

    together = hoeffding(max(values) - min(values), tolerance, log_delta)
    worst = chernoff(mistake, log_delta)
    assert worst <= together * (1 + 1e-9)
    assert together <= split([float(w) for w in mistake.used], tolerance, log_delta)[0] * (1 + 1e-9)
    if mistake.difference is not None:
        for changed in (1.0, 0.3, 0.1):
            assert chernoff(mistake, log_delta, most_changed=changed) <= bennett(
                changed, tolerance, log_delta
            )
    exact = binomial(mistake, log_delta, most=math.ceil(worst))
    assert exact is None if len(mistake.used) > 1 else exact <= worst


@pytest.mark.parametrize("mode", ["fp-free", "fn-free"])
@pytest.mark.parametrize(
    "text", ["n > 0.8 +/- 0.05", "n > 0.95 +/- 0.02", "d < 0.1 +/- 0.03", "2 * d < 0.3 +/- 0.1"]
)
def test_the_exact_tail_keeps_the_promise_and_one_row_less_breaks_it(text: str, mode) -> None:
    clause = parse(text).clauses[0]
    mistake = Mistake.of(clause, mode)
    delta = 0.001
    rows = binomial(mistake, math.log(delta), most=5_000)
    assert rows is not None
    weight = max(clause.weights)
    share, level = clause.constant / weight, (clause.constant + clause.tolerance) / weight
    below = (clause.compares == "<") is (mode == "fp-free")
    if below:
        level = (clause.constant - clause.tolerance) / weight

    def wrong(n: int) -> float:
        counts = range(n + 1)
        accepted = [k for k in counts if (Fraction(k, n) < level if below else Fraction(k, n) > level)]
        return float(binom.pmf(accepted, n, float(share)).sum())

    assert wrong(rows - 1) > delta
    assert max(wrong(n) for n in range(rows, rows + 60)) <= delta


def _worst_exponent(mistake: Mistake, most_changed: float, draws: int) -> float:
    """Return Chernoff's exponent for the worst of many random shares of the kinds of rows."""
    rng = np.random.default_rng(2)
    values = np.array([float(value) for value in mistake.values])
    changed = np.array([row[2] for row in ROWS])
    worst, level = math.inf, float(mistake.truth + mistake.tolerance)
    for _ in range(draws):
        shares = rng.dirichlet(np.full(5, 0.4))
        if shares @ values > float(mistake.truth) or shares @ changed > most_changed:
            continue
        found = minimize_scalar(
            lambda s, p=shares: math.log(p @ np.exp(s * values)) - s * level,
            bounds=(0, 200),
            method="bounded",
        )
        worst = min(worst, -found.fun)
    return worst


@pytest.mark.parametrize(
    ("text", "changed"), [("n - o > 0.02 +/- 0.05", 0.3), ("n - 1.1 * o + d > 0 +/- 0.1", 0.6)]
)
def test_no_shares_of_rows_are_worse_than_the_corners(text: str, changed: float) -> None:
    mistake = Mistake.of(parse(text).clauses[0], "fp-free")
    rate = 1 / chernoff(mistake, -1e6, most_changed=changed) * 1e6

    found = _worst_exponent(mistake, changed, 4_000)
    assert math.isfinite(found)
    assert found >= rate * (1 - 1e-6)


def test_with_no_changed_prediction_a_difference_is_never_wrong() -> None:
    mistake = Mistake.of(parse("n - o > 0.02 +/- 0.01").clauses[0], "fp-free")

    assert chernoff(mistake, math.log(0.0001), most_changed=0.0) == 1.0
    assert (
        chernoff(Mistake.of(parse("n - o > -0.02 +/- 0.01").clauses[0], "fp-free"), -9.0, most_changed=0.0)
        == 1.0
    )


# -- what a condition takes ----------------------------------------------------------------------------


def test_a_limit_on_changed_predictions_makes_the_other_clause_cheap() -> None:
    both = demand(parse("n - o > 0.02 +/- 0.01 /\\ d < 0.1 +/- 0.01"), reliability=0.9999, steps=32)
    alone = demand(parse("n - o > 0.02 +/- 0.01"), reliability=0.9999, steps=32)

    # fp-free: each clause has all of delta, and d < 0.1 holds where the other one matters.
    assert (both.labelled, both.unlabelled, both.labels) == (25_384, 17_924, 2_539)
    assert both.labelled < 29_048 < alone.labelled < alone.paper == 267_385
    assert [part.method for part in both.clauses] == ["chernoff", "exact binomial"]
    assert (both.changed, both.expected, alone.changed, alone.labels) == (0.1, None, None, None)


def test_an_expected_share_of_changes_is_checked_without_labels() -> None:
    found = demand(
        parse("n - o > 0.02 +/- 0.01"), reliability=0.9999, adaptivity="full", steps=32, discordance=0.1
    )

    assert found.clauses[-1].clause == "d < 0.12 +/- 0.02"
    assert (found.changed, found.expected) == (0.12, 0.1)
    assert found.unlabelled == found.clauses[-1].rows
    assert found.labelled == found.clauses[0].rows < 80_000


def test_clauses_share_delta_only_where_any_of_them_can_reject() -> None:
    condition = parse("n > 0.8 +/- 0.05 /\\ o > 0.8 +/- 0.02")
    strict, lenient = (demand(condition, reliability=0.99, mode=mode) for mode in ("fp-free", "fn-free"))

    assert [part.delta for part in strict.clauses] == pytest.approx([0.01, 0.01])
    assert sum(part.delta for part in lenient.clauses) == pytest.approx(0.01)
    # Nearly all of it goes to the clause that takes the most rows.
    assert lenient.clauses[1].delta == pytest.approx(0.01, rel=1e-3)


def test_a_new_set_for_each_step_is_compared() -> None:
    found = demand(parse("n > 0.8 +/- 0.05"), reliability=0.99, adaptivity="full", steps=32)
    one = demand(parse("n > 0.8 +/- 0.05"), reliability=0.99, adaptivity="none", steps=32)

    assert found.fresh == 32 * one.labelled == one.fresh
    assert one.labelled < found.labelled < found.fresh


def test_a_thousand_adaptive_steps_are_no_trouble_for_the_arithmetic() -> None:
    found = demand(parse("n - o > 0.02 +/- 0.05"), reliability=0.999, adaptivity="full", steps=5_000)

    assert found.log_delta == pytest.approx(math.log(0.001) - 5_000 * math.log(2))
    assert found.labelled > 5_000 * math.log(2) * 4 / (2 * 0.05**2) * 0.98


@pytest.mark.parametrize(
    ("text", "mode", "wanted"),
    [
        ("n > 0.99 +/- 0.01", "fp-free", "true"),
        ("n > 0.01 +/- 0.01", "fn-free", "false"),
        ("d < 0.01 +/- 0.01", "fp-free", "true"),
        ("n - o > 1 +/- 0.1", "fp-free", "true"),
        ("d < 1.2 +/- 0.1", "fp-free", "true"),
    ],
)
def test_a_condition_that_decides_nothing_is_refused(text: str, mode, wanted: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        demand(parse(text), reliability=0.99, mode=mode)

    assert str(caught.value) == (
        f"'{text}' decides nothing: no rows could ever make it {wanted}.\n"
        "  The left side, the constant and the tolerance have to leave room for both answers."
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"reliability": 1.0},
            "The reliability must be at least 0.5 and below 1, got 1.\n"
            "  It is how likely all answers are right: 0.999 for example.",
        ),
        (
            {"reliability": 0.99, "steps": 0},
            "At least 1 step is needed, got 0.\n  A step is one model that is judged on these rows.",
        ),
        (
            {"reliability": 0.99, "discordance": 1.5},
            "The discordance must be at least 0 and below 1, got 1.5.\n"
            "  It is the share of rows on which the two models differ, 0.1 for example.",
        ),
    ],
)
def test_wrong_numbers_are_refused(keys, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        demand(parse("n - o > 0.02 +/- 0.05"), **keys)

    assert str(caught.value) == message
