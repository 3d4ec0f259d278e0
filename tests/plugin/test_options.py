"""The command line: sources, reports, pins, and every wrong use with its message."""

from __future__ import annotations

import json

import pytest
from gate_projects import BOTH, CREDIT, errors_of, report_of

from pytest_model_gate.report.json import read

ONE = 'import pytest\n\n@pytest.mark.model_gate("credit")\ndef test_a(): pass\n'


def test_help(project):
    lines = project.run("--help").outlines
    start = lines.index("model gate:")
    options = [line.split()[0] for line in lines[start + 1 :] if line.startswith("  --gate-")]
    assert options == [
        "--gate-candidate=[NAME=]SRC",
        "--gate-production=[NAME=]SRC",
        "--gate-baseline=[NAME=]SRC",
        "--gate-dataset=[NAME=]SRC",
        "--gate-report=PATH",
        "--gate-pin",
        "--gate-advise",
        "--gate-cache",
        "--gate-no-cache",
        "--gate-log=TRACKER",
        "--gate-promote=ALIAS",
    ]


def test_a_source_replaces_the_one_in_the_file(anywhere):
    anywhere.gates(CREDIT)
    anywhere.write(test_gates=ONE)
    result = anywhere.run("--gate-candidate", "predictions:scores.csv#poor", "--gate-baseline=mean")
    report = report_of(result)
    assert "  candidate   predictions:scores.csv#poor   sha256:" in "\n".join(report)
    assert "  NOTE: candidate and production are the same model" in "\n".join(report)


def test_a_source_for_one_of_several_gates(project):
    project.write(test_gates=BOTH)
    result = project.run(
        "--gate-candidate=worse=predictions:scores.csv#good",
        "--gate-production=worse=predictions:scores.csv#poor",
    )
    assert report_of(result)[-1] == "model gates: passed (credit, worse)"
    assert result.ret == 0


WRONG = {
    "no name": (
        "--gate-candidate=a.skops",
        "--gate-candidate a.skops names no gate, and 2 are collected: credit, worse.",
        "  Write --gate-candidate credit=a.skops, or select one gate with -k.",
    ),
    "a wrong name": (
        "--gate-dataset=cerdit=a.csv",
        "--gate-dataset cerdit=a.csv: no gate is called 'cerdit'.",
        "  Did you mean 'credit'?",
    ),
}


@pytest.mark.parametrize(("option", "what", "remedy"), WRONG.values(), ids=WRONG)
def test_a_source_that_fits_none_or_several(anywhere, option, what, remedy):
    anywhere.write(test_gates=BOTH + "\ndef test_plain(): pass\n")
    result = anywhere.run(option)
    assert errors_of(result) == [what, remedy]
    assert result.ret != 0
    assert report_of(result)[-1] == "model gates: FAILED (credit NOT JUDGED, worse NOT JUDGED)"


def test_a_source_without_a_name_fits_the_one_gate_that_is_selected(project):
    project.write(test_gates=BOTH)
    result = project.run("--gate-candidate=predictions:scores.csv#good", "-k", "credit")
    assert result.ret == 0


def test_a_source_where_there_is_no_gate(project):
    project.gates("")
    project.write(test_plain="def test_plain(): pass\n")
    result = project.run("--gate-candidate=a.skops")
    assert errors_of(result) == [
        "--gate-candidate a.skops: no gate was collected.",
        "  Mark a test with @pytest.mark.model_gate.",
    ]
    # A part of the tests only: asked to judge a candidate, the run would judge nothing.
    assert project.run("--gate-candidate=a.skops", "test_plain.py").ret != 0


def test_the_last_source_counts(project):
    project.gates(CREDIT)
    project.write(test_gates="import pytest\n\n@pytest.mark.model_gate('credit')\ndef test_a(): pass\n")
    result = project.run(
        "test_gates.py", "--gate-candidate=gone.skops", "--gate-candidate=predictions:scores.csv#good"
    )
    assert "predictions:scores.csv#good" in result.stdout.str()
    assert "gone.skops" not in "\n".join(report_of(result))


def test_a_declared_gate_that_a_path_leaves_out_is_listed(project):
    project.write(test_plain="def test_plain(): pass\n")
    result = project.run("test_plain.py")
    assert result.ret == 0
    assert any("not judged: no collected test has it" in line for line in report_of(result))


@pytest.mark.parametrize("option", ["--fixtures", "--fixtures-per-test"])
def test_a_question_about_fixtures_judges_nothing(project, option):
    project.write(test_gates=BOTH)
    assert "model gates:" not in project.run(option).stdout.str()


@pytest.mark.parametrize("suffix", [".txt", ""])
def test_a_report_in_a_format_that_nobody_renders(anywhere, suffix):
    anywhere.write(test_gates=BOTH)
    result = anywhere.run("--gate-report", f"out{suffix}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        f"ERROR: --gate-report out{suffix}: no report format has the suffix {suffix!r}. "
        "Known: .json, and what extensions render with the hook model_gate_report."
    )


CSV = """
import pytest
from pytest_model_gate import hookimpl

class Table:
    @hookimpl
    def model_gate_report(self, suffix, records):
        if suffix == ".csv":
            return "\\n".join(f"{record.gate},{record.verdict}" for record in records)

@pytest.hookimpl(optionalhook=True)
def pytest_model_gate_plugins():
    return [Table()]
"""


def test_a_report_that_an_extension_renders(anywhere):
    anywhere.write(conftest=CSV, test_gates=BOTH)
    result = anywhere.run("--gate-report", "deep/out.csv", "--gate-report", "out.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert (anywhere.path / "deep/out.csv").read_text() == "credit,pass\nworse,regressed"
    assert report_of(result)[-2:] == ["gate report: deep/out.csv", "gate report: out.json"]
    assert not list(anywhere.path.glob("deep/.*"))


def test_what_a_json_report_holds(project):
    project.write(test_gates=BOTH)
    project.run("--gate-report", "out.json", "-k", "worse")
    document = json.loads((project.path / "out.json").read_text())
    assert list(document) == [
        "schema_version",
        "complete",
        "passed",
        "advise",
        "records",
        "tests",
        "not_judged",
        "problems",
    ]
    assert [record["gate"] for record in document["records"]] == ["worse"]
    assert document["tests"] == [
        {
            "test": "test_gates.py::test_worse",
            "gate": "worse",
            "outcome": "failed",
            "attempts": 1,
            "records": [0],
        }
    ]
    assert document["not_judged"] == [
        {"gate": "credit", "test": "test_gates.py::test_credit", "reason": "deselected", "fails": False}
    ]
    assert (document["complete"], document["passed"], document["problems"]) == (False, False, [])


def test_a_report_that_cannot_be_written_fails_the_run(project):
    project.gates(CREDIT)
    project.write(test_gates=ONE)
    (project.path / "out.json").mkdir()
    result = project.run("--gate-report", "out.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    report = report_of(result)
    assert report[-2].startswith("PROBLEM: out.json: the report could not be written: ")
    assert report[-1] == "model gates: FAILED"


def test_a_complete_report_is_not_replaced_without_a_word(project):
    project.write(test_gates=BOTH)
    project.run("--gate-report", "out.json")
    assert read(project.path / "out.json").complete
    result = project.run("--gate-report", "out.json", "-k", "credit")
    assert "out.json: a complete report was replaced by this incomplete one" in report_of(result)


def test_a_report_of_no_gates(project):
    project.gates("")
    project.write(test_plain="def test_plain(): pass\n")
    assert project.run("--gate-report", "out.json").ret == 0
    assert not read(project.path / "out.json")


def test_pinning(project):
    (project.path / "model-gate.lock").unlink()
    project.gates(CREDIT)
    project.write(test_gates=ONE)
    unpinned = project.run()
    assert unpinned.ret != 0
    assert "credit: INVALID   approve or decline" in report_of(unpinned)
    pinned = project.run("--gate-pin")
    assert pinned.ret == 0
    assert any(line.endswith("pinned now") for line in report_of(pinned))
    assert project.run().ret == 0


def test_pinning_by_several_workers(distributed):
    distributed.write(test_gates=BOTH)
    result = distributed.run("--gate-pin")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: --gate-pin writes one file, model-gate.lock, and several workers would write it at once: "
        "add -n0, or run model-gate pin."
    )


METRIC = """
import pytest
from pytest_model_gate import hookimpl

class Source:
    @hookimpl
    def model_gate_model(self, source, context):
        if source == "folder:":
            from pytest_model_gate.models.predictions import open_predictions
            return open_predictions("predictions:scores.csv#good", context)

def pytest_model_gate_plugins(config):
    assert config.rootpath.is_dir()
    return [Source()]
"""


def test_a_folder_has_extensions_of_its_own(project):
    """A conftest adds a source for the tests below it, and for no others."""
    project.gates(CREDIT.replace("predictions:scores.csv#good", "folder:"))
    for name in ("with_source", "without"):
        (project.path / name).mkdir()
        (project.path / name / f"test_{name}.py").write_text(ONE)
    (project.path / "with_source" / "conftest.py").write_text(METRIC)
    result = project.run("--gate-report", "out.json")
    verdicts = {
        test.test: [record.verdict.value for record in test.records]
        for test in read(project.path / "out.json").tested
    }
    assert verdicts == {
        "with_source/test_with_source.py::test_a": ["pass"],
        "without/test_without.py::test_a": ["error"],
    }
    assert "No model source knows 'folder:'." in result.stdout.str()


@pytest.mark.parametrize("plugin", ["'nothing_of_that_name'", "broken"])
def test_an_extension_that_cannot_be_loaded(project, plugin):
    code = (
        "from pytest_model_gate import hookimpl\n\nclass Broken:\n    @hookimpl\n"
        "    def model_gate_nothing(self): pass\n\nbroken = Broken()\n\n"
        f"def pytest_model_gate_plugins():\n    return [{plugin}]\n"
    )
    project.gates(CREDIT)
    project.write(conftest=code, test_gates=ONE)
    result = project.run()
    assert errors_of(result)[0].startswith("The extension ")
    assert result.ret != 0


def test_an_extension_that_breaks_while_it_renders(project):
    code = CSV.replace('return "\\n"', 'return records[99] and "\\n"')
    assert code != CSV
    project.gates(CREDIT)
    project.write(
        conftest=code.replace('if suffix == ".csv":', 'if suffix == ".csv" and records:'), test_gates=ONE
    )
    # It does not even know its own suffix when there are no records.
    assert project.run("--gate-report", "out.csv").ret == pytest.ExitCode.USAGE_ERROR
    project.write(conftest=code.replace("return records", "return not records or records"))
    result = project.run("--gate-report", "out.csv")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert report_of(result)[-2:] == [
        "PROBLEM: out.csv: the report could not be written: IndexError('tuple index out of range')",
        "model gates: FAILED",
    ]


MISTAKEN = """
import pytest
from pytest_model_gate import hookimpl

class Model:
    source = resolved = "mine:"
    digest, kind, columns, classes = 3, "mine", None, (0, 1)

    def predict(self, frame, want):
        return None

class Source:
    @hookimpl
    def model_gate_model(self, source, context):
        return Model() if source == "mine:" else None

def pytest_model_gate_plugins():
    return [Source()]
"""


def test_a_mistake_in_an_extension_is_no_verdict(anywhere):
    anywhere.gates(CREDIT.replace("predictions:scores.csv#good", "mine:"))
    anywhere.write(conftest=MISTAKEN, test_gates=ONE)
    result = anywhere.run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    said = result.stdout.str()
    assert "INTERNALERROR" not in said
    assert report_of(result)[-1].startswith("model gates: FAILED (credit ")
    assert "Traceback" not in said
