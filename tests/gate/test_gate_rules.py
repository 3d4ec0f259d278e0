"""A gate's own rules, those of its schema file and redaction, through a whole evaluation and its report."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import numpy as np
import pytest

from pytest_model_gate.data_rules import read_rules
from pytest_model_gate.errors import ModelGateError
from pytest_model_gate.report.terminal import block
from pytest_model_gate.results import Verdict
from pytest_model_gate.wire import dumps, loads

SCHEMA = """\
schema_type: dataframe
columns:
  x: {dtype: float64, checks: {less_than: 100}}
rules:
- {rule: rows, at_least: 1000}
- {rule: levels, column: region, allowed: [north, south], severity: warn, why: isles get other offers}
"""


def rules(*tables):
    return read_rules(list(tables))


def test_rules_of_the_file_and_of_the_gate_are_one_check(project):
    (project.root / "s.yaml").write_text(SCHEMA)
    evaluation = project.evaluation(schema="s.yaml", rules=rules({"rule": "conflicting_labels"}))
    record = evaluation.record()
    assert record.verdict is Verdict.PASS
    check = next(check for check in record.checks if check.name == "rules")
    assert check.summary == "ok, 3 rules; 1 warning"
    assert [finding.problem for finding in check.findings] == [
        "Column 'region' must be one of 'north', 'south'; 20 of 2,000 rows (1.00%) break it: 1 new level. Why: isles get other offers"
    ]
    assert record.warnings == 1
    lines = [line.text for line in block(record)]
    assert "  rules       ok, 3 rules; 1 warning" in lines
    assert "  WARNING rules: 1 warning" in lines
    assert loads(dumps(record)) == record
    assert [check.name for check in evaluation.schema().checks] == ["pin", "schema", "rules"]


def test_a_broken_rule_keeps_models_from_being_scored(project):
    evaluation = project.evaluation(rules=rules({"rule": "range", "column": "x", "at_most": 0}))
    record = evaluation.record()
    assert (record.verdict, record.lines) == (Verdict.INVALID, ())
    assert record.reason.startswith("rules: 1 of 1 rule broken: x")
    assert evaluation.schema().verdict is Verdict.INVALID
    with pytest.raises(ModelGateError, match="rules: Column 'x' must be at most 0"):
        evaluation.frame()


def test_rules_alone_are_asked_for_as_the_schema_is(project):
    record = project.evaluation(rules=rules({"rule": "rows", "at_least": 1})).schema()
    assert (record.verdict, [check.name for check in record.checks]) == (Verdict.PASS, ["pin", "rules"])


def test_a_schema_file_that_is_wrong_is_said_once(project):
    (project.root / "s.yaml").write_text("rules:\n- {rule: nuls}\n")
    record = project.evaluation(schema="s.yaml").record()
    assert record.verdict is Verdict.ERROR
    said = [finding.problem for check in record.checks for finding in check.findings]
    assert said == ["The schema file s.yaml: rule 1 is of an unknown kind 'nuls'."]


def test_redacted_findings_show_no_value_and_keep_rows(project):
    frame = project.frame.assign(region=np.where(project.frame.index == 7, "Ada Lovelace", "north"))
    project.write(frame)
    (project.root / "s.yaml").write_text("columns:\n  region: {dtype: str, checks: {isin: [north]}}\n")
    tables = [{"rule": "compare", "left": "region", "operator": "==", "value": "north"}]
    for redact in (False, True):
        record = project.evaluation(
            pin=True, schema="s.yaml", rules=rules(*tables), redact_examples=redact
        ).record()
        assert record.verdict is Verdict.INVALID
        assert ("Lovelace" in dumps(record)) is not redact
        found = [finding for check in record.checks for finding in check.findings]
        assert [(finding.count, finding.rows) for finding in found] == [(1, (7,)), (1, (7,))]


def test_the_gates_own_columns_are_no_features_of_conflicting_labels(project):
    twice = project.frame.iloc[[0, 0]].assign(id=[10_001, 10_002], y=[0, 1])
    project.write(twice)
    record = project.evaluation(pin=True, rules=rules({"rule": "conflicting_labels"})).schema()
    (finding,) = record.checks[-1].findings
    assert finding.count == 2
