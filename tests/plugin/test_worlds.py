"""The same project without pytest-xdist, with ``-n0`` and with ``-n2``: the same verdicts and reports."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from gate_projects import BOTH, CREDIT, Project, report_of

from pytest_model_gate.report.json import read

#: Gates before and after tests that are none, each gate in two tests.
SEVERAL = (
    BOTH
    + """
def test_plain():
    pass

@pytest.mark.model_gate("credit")
def test_one_question(model_gate):
    model_gate.assert_no_regression("roc_auc")
"""
)


def test_the_report_is_the_same_everywhere(make_project):
    found = []
    for world in ("plain", "n0", "n2"):
        project = make_project(world)
        project.write(test_gates=SEVERAL)
        result = project.run("--gate-report", "out.json")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.assert_outcomes(passed=3, failed=1)
        found.append((report_of(result), json.loads((project.path / "out.json").read_text())))
    assert found[0] == found[1] == found[2]
    report, written = found[0]
    assert [line for line in report if line.startswith(("credit", "worse", "model"))] == [
        "credit: pass   approve or decline",
        "worse: REGRESSED",
        "model gates: FAILED (worse REGRESSED)",
    ]
    assert (written["complete"], written["passed"]) == (True, False)


def test_a_run_that_passes(anywhere):
    anywhere.gates(CREDIT)
    anywhere.write(test_gates='import pytest\n\n@pytest.mark.model_gate("credit")\ndef test_a(): pass\n')
    result = anywhere.run("-W", "error", "--strict-markers", "--strict-config")
    assert result.ret == 0
    assert report_of(result)[-1] == "model gates: passed (credit)"


def test_junit_has_the_verdicts(anywhere):
    anywhere.write(test_gates=BOTH)
    assert anywhere.run("--junitxml=out.xml").ret != 0
    cases = {case.get("name"): case for case in ET.parse(anywhere.path / "out.xml").iter("testcase")}
    properties = {
        name: [(p.get("name"), p.get("value")) for p in case.iter("property")] for name, case in cases.items()
    }
    assert properties == {
        "test_credit": [("model_gate_credit", "pass")],
        "test_worse": [("model_gate_worse", "regressed")],
    }
    failure = cases["test_worse"].find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("Failed: worse: REGRESSED")


def test_selecting_with_k(anywhere):
    anywhere.write(test_gates=BOTH)
    result = anywhere.run("-k", "credit", "--gate-report", "out.json")
    assert result.ret == 0
    assert report_of(result)[-3:] == [
        "worse (test_gates.py::test_worse): not judged: deselected",
        "model gates: passed (credit), 1 not judged",
        "gate report: out.json",
    ]
    assert not read(anywhere.path / "out.json").complete


def test_stopping_at_the_first_failure(anywhere):
    """The gates that were not reached are listed; xdist may have run them before it stopped."""
    worse = BOTH.replace("credit", "x").replace("worse", "credit").replace("x", "worse")
    anywhere.write(test_a=worse.replace("test_", "test_first_"), test_b=BOTH)
    result = anywhere.run("-x", "--gate-report", "out.json")
    assert result.ret != 0
    report = report_of(result)
    assert "worse: REGRESSED" in report
    if anywhere.world != "n2":
        assert "credit (test_b.py::test_credit): not judged: the run ended before this test" in report
        assert not read(anywhere.path / "out.json").complete


def test_collecting_only(anywhere):
    anywhere.write(test_gates=BOTH)
    result = anywhere.run("--collect-only", "--gate-report", "out.json")
    assert result.ret == 0
    assert report_of(result) == []
    assert not (anywhere.path / "out.json").exists()


def test_the_last_failed(anywhere):
    anywhere.write(test_gates=BOTH)
    assert anywhere.run(cache=True).ret != 0
    result = anywhere.run("--lf", cache=True)
    assert result.ret != 0
    assert report_of(result)[-2:] == [
        "credit: not judged: no collected test has it",
        "model gates: FAILED (worse REGRESSED)",
    ]


def test_quiet_is_one_line_for_each_gate(anywhere):
    anywhere.write(test_gates=BOTH)
    lines = anywhere.run("-q").outlines
    start = lines.index("credit: pass  2 lines judged")
    assert lines[start + 1].startswith(
        "worse: REGRESSED  roc_auc on all: worse than production by more than "
    )
    assert lines[start + 2] == "model gates: FAILED (worse REGRESSED)"
    assert not any(" model gates " in line for line in lines)


def test_verbose_has_the_details(anywhere):
    anywhere.write(test_gates=BOTH)
    report = report_of(anywhere.run("-v"))
    text = "\n".join(report)
    assert "std. error" in text
    assert "delong" in text
    assert "  versions    pytest-model-gate " in text
    assert "  test        test_gates.py::test_worse" in report
    (candidate,) = [line for line in report if line.startswith("  candidate   predictions:scores.csv#good")]
    assert len(candidate.partition("sha256:")[2].split()[0]) == 64


OPENINGS = """
import pytest

def load():
    import pandas
    with open("openings.txt", "a") as file:
        file.write("opened\\n")
    return pandas.read_csv("holdout.csv")
"""


def test_one_evaluation_serves_all_tests_of_a_gate(make_project):
    project: Project = make_project("plain")
    project.gates(CREDIT.replace('"holdout.csv"', '"python:openings:load"'))
    project.write(
        openings=OPENINGS,
        test_gates="""
        import pytest

        pytestmark = pytest.mark.model_gate("credit")

        @pytest.mark.parametrize("number", range(3))
        def test_whole(number):
            pass

        def test_single(model_gate):
            model_gate.assert_no_regression("roc_auc")

        def test_data(pinned_dataset, candidate_model):
            assert len(pinned_dataset) == 400
        """,
    )
    result = project.run("--gate-pin")
    assert result.ret == 0, result.stdout.str()
    result.assert_outcomes(passed=5)
    assert (project.path / "openings.txt").read_text().splitlines() == ["opened"]


def test_gates_that_differ_by_parameter(anywhere):
    anywhere.gates(CREDIT)
    anywhere.write(
        test_gates="""
        import pytest

        @pytest.mark.parametrize(
            "alpha",
            [pytest.param(a, marks=pytest.mark.model_gate("credit", alpha=a)) for a in (0.01, 0.1)],
        )
        def test_credit(alpha):
            pass
        """
    )
    result = anywhere.run("--gate-report", "out.json")
    assert result.ret == 0
    records = {record.alpha for record in read(anywhere.path / "out.json").records()}
    assert records == {0.01, 0.1}
