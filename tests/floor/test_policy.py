"""The verdict rule keeps its promises: order, corrections, gravity, and nothing passes by absence."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.policy import decide, gate_verdict, holm
from pytest_model_gate.results import Check, Line, Verdict

finite = st.floats(-1, 1, allow_nan=False)


def line(verdict, **kwargs):
    keys = {
        "question": "regression",
        "metric": "roc_auc",
        "slice": "all",
        "n": 10,
        "reference": 0.5,
        "candidate": 0.5,
        "gain": 0.0,
        "interval": None,
        "standard_error": 0.1,
        "required": -0.01,
        "tolerance": "0.01",
        "verdict": verdict,
        "reason": "because",
    }
    return Line(**{**keys, **kwargs})


@pytest.mark.parametrize(
    ("low", "high", "required", "p", "verdict", "warning"),
    [
        (-0.004, 0.01, -0.005, 0.9, Verdict.PASS, ""),
        (-0.004, -0.001, -0.005, 0.9, Verdict.PASS, "worse, within tolerance"),
        (-0.005, 0.01, -0.005, 0.9, Verdict.INCONCLUSIVE, ""),  # the bound has to be above, not at
        (-0.02, -0.006, -0.005, 0.01, Verdict.REGRESSED, ""),
        (-0.02, -0.006, -0.005, 0.06, Verdict.INCONCLUSIVE, ""),  # worse alone, but not after Holm
        (-0.02, 0.02, -0.005, 0.4, Verdict.INCONCLUSIVE, ""),
        (0.0, 0.02, 0.0, 0.9, Verdict.INCONCLUSIVE, ""),
        (0.001, 0.02, 0.0, 0.9, Verdict.PASS, ""),
    ],
)
def test_verdicts(low, high, required, p, verdict, warning):
    found = decide(question="regression", low=low, high=high, required=required, alpha=0.05, p_regressed=p)
    assert (found.verdict, found.warning) == (verdict, warning)


def test_identical_predictions_pass_with_a_note_even_without_tolerance():
    found = decide(
        question="regression", low=0.0, high=0.0, required=0.0, alpha=0.05, p_regressed=1.0, identical=True
    )
    assert found.verdict is Verdict.PASS
    assert found.warning == "predictions identical on all rows"


def test_identical_predictions_do_not_beat_a_baseline():
    found = decide(
        question="baseline", low=0.0, high=0.0, required=0.0, alpha=0.05, p_regressed=1.0, identical=True
    )
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("bad", ["low", "high", "required", "p_regressed"])
def test_a_number_that_is_none_is_never_judged(bad):
    good = {"low": -0.1, "high": 0.1, "required": -0.01, "p_regressed": 0.5}
    with pytest.raises(ValueError, match="cannot decide on"):
        decide(question="regression", alpha=0.05, **{**good, bad: math.nan})


@given(finite, finite, finite, st.floats(0, 1), st.sampled_from(["regression", "baseline", "floor"]))
@settings(derandomize=True)
def test_never_pass_below_and_never_regressed_above(a, b, required, p, question):
    low, high = min(a, b), max(a, b)
    verdict = decide(
        question=question, low=low, high=high, required=required, alpha=0.05, p_regressed=p
    ).verdict
    assert (verdict is Verdict.PASS) == (low > required)
    assert (verdict is Verdict.REGRESSED) == (low <= required and p < 0.05)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(derandomize=True)
def test_holm_is_between_raw_and_bonferroni_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    for raw, new in zip(p_values, adjusted, strict=True):
        assert raw <= new <= min(1.0, raw * len(p_values)) + 1e-12
    for (raw_a, new_a), (raw_b, new_b) in itertools.combinations(zip(p_values, adjusted, strict=True), 2):
        assert (raw_a - raw_b) * (new_a - new_b) >= 0


def test_holm_against_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p_values = [0.001, 0.2, 0.013, 0.04, 0.013, 0.8]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-15)


def test_nothing_judged_is_an_error():
    assert gate_verdict([], [])[0] is Verdict.ERROR
    passed = Check(name="pin", verdict=Verdict.PASS, summary="pinned")
    assert gate_verdict([passed], [])[0] is Verdict.ERROR
    assert gate_verdict([passed], [], only_checks=True) == (Verdict.PASS, "pinned")
    assert gate_verdict([], [], only_checks=True)[0] is Verdict.ERROR


def test_the_gravest_verdict_is_the_gates():
    found = gate_verdict(
        [Check(name="schema", verdict=Verdict.INVALID, summary="broken")],
        [line(Verdict.REGRESSED), line(Verdict.PASS), line(Verdict.INCONCLUSIVE)],
    )
    assert found == (Verdict.INVALID, "schema: broken (and 2 more)")


@pytest.mark.parametrize("choice", ["warn", "pass"])
def test_an_inconclusive_line_can_be_let_through_and_nothing_else(choice):
    assert gate_verdict([], [line(Verdict.INCONCLUSIVE, on_inconclusive=choice)])[0] is Verdict.PASS
    for verdict in (Verdict.REGRESSED, Verdict.ERROR, Verdict.INVALID):
        assert gate_verdict([], [line(verdict, on_inconclusive=choice)])[0] is verdict


def test_a_waived_line_is_counted():
    lines = [line(Verdict.REGRESSED, waiver="waived by kim"), line(Verdict.PASS)]
    assert gate_verdict([], lines) == (Verdict.PASS, "2 lines judged, 1 waived")
