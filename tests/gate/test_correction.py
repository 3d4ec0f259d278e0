"""max-T in a whole gate: lines that hang together cost less, and no line is accused against its own test."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from pytest_model_gate.policy import holm
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import SliceSpec, Tolerance

SLICES = (SliceSpec(by="region"),)
METRICS = ("roc_auc", "log_loss", "brier_score", "accuracy", "f1")


def own_p(line) -> float:
    """Return a line's own p-value, by the normal distribution: close enough to tell Holm's answer."""
    return NormalDist().cdf((line.gain - line.required) / line.standard_error)


def verdicts(record):
    return {(line.question, line.metric, line.slice): line.verdict for line in record.lines}


@pytest.fixture
def between(project):
    """A tolerance that five correlated metrics exceed by 2.3 to 2.6 standard errors: p is about 0.01."""
    candidate = "predictions:scores.parquet#bad"
    lines = project.record(candidate=candidate, metrics=METRICS, baseline="").lines
    limits = {line.metric: Tolerance(-line.gain - 2.45 * line.standard_error) for line in lines}
    assert all(limit.value > 0 for limit in limits.values())
    return {"candidate": candidate, "metrics": METRICS, "baseline": "", "max_regression": limits}


def test_lines_that_say_the_same_are_accused_together(project, between):
    by_holm, by_max_t = (project.record(correction=name, **between) for name in ("holm", "max-t"))
    assert (by_holm.correction, by_max_t.correction) == ("holm", "max-t")
    # p is 0.007 for each: 5 p = 0.036 < 0.05 would do; with floors that never fail beside them it does not.
    floors = {"roc_auc": 0.01, "accuracy": 0.01, "f1": 0.01, "log_loss": 50.0, "brier_score": 1.9}
    more = [project.record(correction=name, floors=floors, **between) for name in ("holm", "max-t")]
    accused = [
        sum(line.verdict is Verdict.REGRESSED for line in record.lines if line.question == "regression")
        for record in more
    ]
    assert accused[0] == 0
    assert accused[1] >= 3


def test_floors_and_baselines_are_in_the_family(project, between):
    """The maximum is over all lines that can accuse: the more of them, the less is accused."""
    few = project.record(correction="max-t", **between)
    many = project.record(correction="max-t", **{**between, "slices": SLICES, "baseline": "prior"})
    assert sum(v is Verdict.REGRESSED for v in verdicts(few).values()) > 0
    for key, verdict in verdicts(few).items():
        if verdicts(many)[key] is Verdict.REGRESSED:
            assert verdict is Verdict.REGRESSED


def test_nothing_is_accused_that_its_own_test_does_not_accuse(project, between):
    """Each line's own p-value is the least that any correction gives."""
    loose = {name: Tolerance(limit.value * 1.05) for name, limit in between["max_regression"].items()}
    record = project.record(correction="max-t", slices=SLICES, **{**between, "max_regression": loose})
    for line in record.lines:
        if line.verdict is Verdict.REGRESSED:
            assert line.interval.high < line.required


def test_what_holm_accuses_max_t_accuses(project):
    keys = {"candidate": "predictions:scores.parquet#bad", "metrics": METRICS, "slices": SLICES}
    by_holm, by_max_t = (project.record(correction=name, **keys) for name in ("holm", "max-t"))
    assert Verdict.REGRESSED in verdicts(by_holm).values()
    for key, verdict in verdicts(by_holm).items():
        if verdict is Verdict.REGRESSED:
            assert verdicts(by_max_t)[key] is Verdict.REGRESSED


def test_the_order_of_rows_metrics_and_slices_changes_no_verdict(project, between):
    keys = {**between, "slices": (SliceSpec(by="region"),), "correction": "max-t", "baseline": "prior"}
    first = project.record(**keys)
    again = project.record(**{**keys, "metrics": METRICS[::-1]})
    assert verdicts(again) == verdicts(first)
    project.write(project.frame.sample(frac=1, random_state=1))
    assert project.record(**keys).lines == first.lines


@pytest.mark.parametrize("design", ["groups", "strata", "sample_weight"])
def test_every_design_has_a_joint_distribution(project, design):
    values = {
        "groups": np.arange(2000) // 4,
        "strata": np.arange(2000) % 4,
        "sample_weight": np.linspace(0.5, 2, 2000),
    }[design]
    project.frame.drop(columns=["cand", "prod", "bad"]).assign(extra=values).to_parquet(
        project.root / "data.parquet"
    )
    keys = {"candidate": "predictions:scores.parquet#bad", "slices": SLICES, design: "extra"}
    by_holm, by_max_t = (project.record(correction=name, **keys) for name in ("holm", "max-t"))
    strip = [
        [replace(line, reason="", remedy="", verdict=Verdict.PASS) for line in r.lines]
        for r in (by_holm, by_max_t)
    ]
    assert len(strip[0]) == len(strip[1])
    for key, verdict in verdicts(by_holm).items():
        if verdict is Verdict.REGRESSED:
            assert verdicts(by_max_t)[key] is Verdict.REGRESSED


def test_holm_of_the_same_lines_is_what_the_gate_says_by_default(project, between):
    record = project.record(**between)
    adjusted = holm([own_p(line) for line in record.lines])
    for line, p in zip(record.lines, adjusted, strict=True):
        if not 0.03 < p < 0.08:  # near the level the line's own distribution decides, not the normal one
            assert (line.verdict is Verdict.REGRESSED) == (p < 0.05)


def test_metrics_that_cannot_tell_how_they_hang_together_are_corrected_by_holm_and_that_is_said(project):
    record = project.record(correction="max-t", metrics=("roc_auc", "expected_calibration_error"))
    assert record.correction == "max-t, Holm for expected_calibration_error@15"
