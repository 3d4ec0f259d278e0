"""A metric that does not exist on a slice: the terminal, the JSON report and JUnit say the same of it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

from gate_projects import CREDIT, report_of

TEST = """
import pytest

@pytest.mark.model_gate("credit")
def test_credit():
    pass
"""
REASON = "roc_auc needs both classes; these {} rows have none of class {}."


def properties(path):
    (case,) = ET.parse(path).iter("testcase")
    return {item.get("name"): item.get("value") for item in case.iter("property")}


def test_an_undefined_line_that_only_warns(anywhere):
    anywhere.write(test_gates=TEST)
    anywhere.gates(CREDIT + 'slices = [{ by = "y", on_undefined = "warn" }]\n')
    result = anywhere.run("--junitxml=out.xml", "--gate-report", "out.json")
    assert result.ret == 0

    (record,) = json.loads((anywhere.path / "out.json").read_text())["records"]
    undefined = [line for line in record["lines"] if line["undefined"]]
    assert record["verdict"] == "pass"
    assert [(line["slice"], line["verdict"], line["on_undefined"]) for line in undefined] == [
        ("y=0", "error", "warn"),
        ("y=1", "error", "warn"),
    ]
    reasons = [REASON.format(line["n"], other) for line, other in zip(undefined, (1, 0), strict=True)]
    assert [line["reason"] for line in undefined] == reasons
    table = [text for text in report_of(result) if text.startswith("roc_auc   y=")]
    assert [text.partition("undefined, ")[2] for text in table] == [
        f"does not fail: {why}" for why in reasons
    ]
    told = "; ".join(
        f"roc_auc on {line['slice']}: undefined, does not fail: {line['reason']}" for line in undefined
    )
    assert properties(anywhere.path / "out.xml") == {
        "model_gate_credit": "pass",
        "model_gate_credit_forgiven": told,
    }


def test_an_undefined_line_that_fails(anywhere):
    anywhere.write(test_gates=TEST)
    anywhere.gates(CREDIT + 'slices = ["y"]\n')
    result = anywhere.run("--junitxml=out.xml", "--gate-report", "out.json")
    assert result.ret == 1

    (record,) = json.loads((anywhere.path / "out.json").read_text())["records"]
    reason = next(line for line in record["lines"] if line["undefined"])["reason"]
    assert record["verdict"] == "error"
    assert any(text.endswith(f"ERROR: {reason}") for text in report_of(result))
    assert properties(anywhere.path / "out.xml") == {"model_gate_credit": "error"}
    (case,) = ET.parse(anywhere.path / "out.xml").iter("testcase")
    assert reason in (case.find("failure").text or "")
