"""A finding that only warns fails nothing, is counted, and is printed whatever the verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_model_gate.policy import check_verdict, gate_verdict
from pytest_model_gate.report.terminal import block, failure_text
from pytest_model_gate.results import Check, Finding, GateRecord, Verdict
from pytest_model_gate.wire import dumps, loads

FAILS = Finding(subject="age", problem="Column 'age' must be at least 0.", count=2, rows=(3, 7), rule="range")
WARNS = replace(FAILS, severity="warn", subject="income", problem="Column 'income' must be at least 0.")


@pytest.mark.parametrize(
    ("findings", "unknown", "verdict"),
    [
        ((), (), Verdict.PASS),
        ((WARNS,), (), Verdict.PASS),
        ((WARNS,), (WARNS,), Verdict.PASS),
        ((FAILS, WARNS), (), Verdict.INVALID),
        ((WARNS,), (FAILS,), Verdict.ERROR),
        ((FAILS,), (FAILS,), Verdict.INVALID),
    ],
)
def test_the_verdict_of_a_check(findings, unknown, verdict):
    assert check_verdict(findings, unknown=unknown) is verdict


def record(*findings):
    check = Check(name="rules", verdict=check_verdict(findings), summary="ok, 2 rules", findings=findings)
    verdict, reason = gate_verdict((check,), (), only_checks=True)
    return GateRecord(gate="credit", decision="", verdict=verdict, reason=reason, alpha=0.05, checks=(check,))


def test_a_warning_is_printed_where_the_check_passes():
    found = record(WARNS)
    assert (found.verdict, found.warnings) == (Verdict.PASS, 1)
    assert [line.text for line in block(found)] == [
        "credit: pass",
        "  rules       ok, 2 rules",
        "  WARNING rules: 1 warning",
        "    Column 'income' must be at least 0. (2; rows 3, 7)",
    ]
    assert "1 warning about the data" in failure_text(found)


def test_a_warning_is_not_lost_where_the_check_fails():
    found = record(WARNS, FAILS)
    assert [line.text for line in block(found)][1:] == [
        "  INVALID rules: ok, 2 rules",
        "    Column 'age' must be at least 0. (2; rows 3, 7)",
        "  WARNING rules: 1 warning",
        "    Column 'income' must be at least 0. (2; rows 3, 7)",
    ]


def test_severity_crosses_process_borders():
    found = record(WARNS, FAILS)
    assert loads(dumps(found)) == found
