"""What a marked test can ask of its gate, and how each answer reads."""

from __future__ import annotations

import pytest
from gate_projects import BOTH, CREDIT, report_of, section


def failures_of(result: pytest.RunResult) -> list[str]:
    """Return what the failing tests said: no traceback, so nothing but our text."""
    return [line for line in section(result, "FAILURES") if not line.startswith("__")]


def one_test(body: str, gate: str = "worse", arguments: str = "model_gate") -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"import pytest\n\n@pytest.mark.model_gate({gate!r})\ndef test_a({arguments}):\n{lines}\n"


def test_the_failure_is_the_text_of_the_report(project):
    project.write(test_gates=BOTH)
    result = project.run()
    failure = failures_of(result)
    assert failure[0].startswith("worse: REGRESSED  roc_auc on all: worse than production by more than ")
    assert failure[1].startswith("  REGRESSED roc_auc on all (400 rows), against production 0.")
    assert failure[2].startswith("    worse than production by more than the tolerance: ")
    assert failure[3].startswith("  next (REGRESSED): Do not ship this candidate")
    assert len(failure) == 4
    report = report_of(result)
    assert failure[3] in report
    # The numbers of the sentence are those of the row.
    row = next(line for line in report if line.startswith("roc_auc") and line.endswith("REGRESSED"))
    said = failure[1].replace(",", " ").replace(":", " ").split()
    for cell in row.replace(",", " ").split()[3:-1]:
        assert cell in said
    # No traceback, neither of the test nor of ours.
    assert ".py:" not in "\n".join(failure)


ASSERTIONS = {
    "passes": ("model_gate.assert_passes()", "gate"),
    "no_regression": ("model_gate.assert_no_regression()", "no_regression()"),
    "no_regression of one metric": ("model_gate.assert_no_regression('auc')", "no_regression(roc_auc)"),
    "beats_baseline": ("model_gate.assert_beats_baseline(by=0.9)", "beats_baseline()"),
    "at_least": ("model_gate.assert_at_least('roc_auc', 0.99)", "at_least(roc_auc)"),
}


@pytest.mark.parametrize(("code", "asked"), ASSERTIONS.values(), ids=ASSERTIONS)
def test_an_assertion_that_fails(project, code, asked):
    project.write(test_gates=one_test(code))
    result = project.run("test_gates.py")
    failure = failures_of(result)
    name = "worse" if asked == "gate" else f"worse ({asked})"
    assert failure[0].startswith(f"{name}: REGRESSED  roc_auc on all: ")
    assert any(line.startswith("  next (REGRESSED") for line in failure)
    assert report_of(result)[-1] == "model gates: FAILED (worse REGRESSED)"
    assert result.ret != 0


def test_assertions_that_pass(project):
    project.gates(CREDIT)
    project.write(
        test_gates=one_test(
            "model_gate.assert_pinned()\n"
            "record = model_gate.assert_no_regression('roc_auc', max_regression='2%')\n"
            "assert record.lines[0].tolerance == '2%'\n"
            "model_gate.assert_beats_baseline(by=0.05)\n"
            "model_gate.assert_at_least('roc_auc', 0.6)\n"
            "model_gate.assert_passes()",
            gate="credit",
        )
    )
    result = project.run()
    report = report_of(result)
    assert "  asked       pinned, no_regression(roc_auc), beats_baseline(), at_least(roc_auc), gate" in report
    assert report[-1] == "model gates: passed (credit)"
    assert result.ret == 0


def test_a_schema_that_nobody_gave(project):
    project.write(test_gates=one_test("model_gate.assert_schema()"))
    failure = failures_of(project.run("test_gates.py"))
    assert failure[:3] == [
        "worse (schema): ERROR  schema: gate 'worse' has no schema and no rules to check.",
        "  ERROR schema:",
        "    holdout.csv: gate 'worse' has no schema and no rules to check.",
    ]


def test_an_assertion_that_makes_no_sense(project):
    project.write(test_gates=one_test("model_gate.assert_no_regression(max_regression=-1)"))
    result = project.run("test_gates.py")
    assert failures_of(result) == [
        "worse: max_regression must be a number >= 0 or a percentage such as '1%', got -1.",
        "  Write 0.005 for a step in the metric's own unit, or '1%' for a share of production's value.",
    ]
    assert report_of(result)[-1] == "model gates: FAILED (worse NOT JUDGED)"


def test_one_failing_assertion_of_several(project):
    """What was asked before it is in the report, too."""
    project.write(
        test_gates=one_test(
            "model_gate.assert_pinned()\nmodel_gate.assert_no_regression('roc_auc')\nassert 0"
        )
    )
    result = project.run("test_gates.py")
    assert "  asked       pinned, no_regression(roc_auc)" in report_of(result)


def test_an_assertion_is_enough(project):
    """The gate as a whole regressed, and the test asked only for what it relies on."""
    project.write(test_gates=one_test("model_gate.assert_pinned()"))
    assert project.run("test_gates.py").ret == 0


@pytest.mark.parametrize("arguments", ["", "candidate_model", "pinned_dataset", "model_gate"])
def test_a_test_that_asserts_nothing_is_judged_whole(project, arguments):
    project.write(test_gates=one_test("pass", arguments=arguments))
    result = project.run("test_gates.py")
    assert failures_of(result)[0].startswith("worse: REGRESSED  roc_auc on all: ")


def test_a_body_that_fails_first_keeps_its_own_failure(project):
    project.write(test_gates=one_test("assert 1 == 2", arguments="candidate_model"))
    result = project.run("test_gates.py")
    result.stdout.fnmatch_lines(["E*assert 1 == 2"])
    assert report_of(result) == [
        "worse (test_gates.py::test_a): not judged: the test failed before its gate was judged",
        "credit: not judged: no collected test has it",
        "model gates: FAILED (worse NOT JUDGED)",
    ]


def test_a_body_that_fails_after_an_assertion(project):
    project.gates(CREDIT)
    project.write(test_gates=one_test("model_gate.assert_passes()\nassert 1 == 2", gate="credit"))
    result = project.run()
    result.stdout.fnmatch_lines(["E*assert 1 == 2"])
    assert report_of(result)[0] == "credit: pass   approve or decline"
    assert result.ret != 0


SWALLOWS = {
    "except BaseException": "try:\n    model_gate.assert_passes()\nexcept BaseException:\n    pass",
    "finally": "try:\n    model_gate.assert_passes()\nfinally:\n    return",
    "raises": "with pytest.raises(pytest.fail.Exception):\n    model_gate.assert_passes()",
    "thread": "import threading\nthread = threading.Thread(target=model_gate.assert_passes)\n"
    "thread.start()\nthread.join()",
}


@pytest.mark.parametrize("body", SWALLOWS.values(), ids=SWALLOWS)
@pytest.mark.filterwarnings("ignore")
def test_a_verdict_stands_whatever_the_test_makes_of_it(project, body):
    project.write(test_gates=one_test(body))
    result = project.run("test_gates.py", "-W", "ignore")
    assert result.ret != 0
    failure = failures_of(result)
    assert failure[0].startswith("worse: REGRESSED  roc_auc on all: ")
    assert failure[-1] == "  The test went on after this verdict; a verdict stands all the same."
    assert report_of(result)[-1] == "model gates: FAILED (worse REGRESSED)"


def test_a_rerun_that_asks_another_question(project):
    pytest.importorskip("pytest_rerunfailures")
    project.write(
        test_gates="""
        import pytest

        asked = []

        @pytest.mark.flaky(reruns=2)
        @pytest.mark.model_gate("worse")
        def test_a(model_gate):
            asked.append(1)
            if len(asked) == 1:
                model_gate.assert_passes()
            model_gate.assert_pinned()
        """
    )
    result = project.run("test_gates.py")
    assert result.ret != 0
    assert report_of(result)[-1] == "model gates: FAILED (worse REGRESSED)"


MARKED = """
    import pytest

    def pytest_collection_modifyitems(items):
        for item in items:
            item.add_marker(pytest.mark.model_gate("worse"))
"""


def test_a_mark_that_a_conftest_adds(project):
    project.write(conftest=MARKED, test_gates="def test_a(): pass\n")
    result = project.run("test_gates.py")
    assert result.ret != 0
    assert report_of(result)[-1] == "model gates: FAILED (worse REGRESSED)"


def test_a_mark_that_comes_too_late(project):
    project.write(
        test_gates="import pytest\n\n"
        "def test_a(request):\n    request.node.add_marker(pytest.mark.model_gate('worse'))\n"
    )
    result = project.run("test_gates.py")
    assert result.ret != 0
    assert failures_of(result)[0] == "test_a: NOT JUDGED, the mark model_gate was added while the test ran."


@pytest.mark.parametrize("error", ["Exception", "AssertionError"])
def test_a_verdict_is_not_swallowed_by_accident(project, error):
    project.write(test_gates=one_test(f"try:\n    model_gate.assert_passes()\nexcept {error}:\n    pass"))
    assert project.run("test_gates.py").ret != 0


def test_advice_fails_nothing_and_says_so(project):
    project.write(test_gates=BOTH)
    result = project.run("--gate-advise")
    assert result.ret == 0
    report = report_of(result)
    assert report[0] == "ADVICE ONLY: --gate-advise lets no gate fail this run"
    assert report[-1] == "model gates: ADVICE ONLY (worse REGRESSED)"


def test_models_and_data(project):
    project.gates(CREDIT)
    project.write(
        test_gates=one_test(
            "assert candidate_model.source == 'predictions:scores.csv#good'\n"
            "assert candidate_model.digest.startswith('sha256:')\n"
            "assert production_model.kind == 'predictions'\n"
            "assert list(pinned_dataset.columns) == ['id', 'y', 'region']\n"
            "assert len(candidate_model.predict_proba(pinned_dataset)) == 400\n"
            "pinned_dataset['y'] = 0",
            gate="credit",
            arguments="candidate_model, production_model, pinned_dataset",
        )
        + "\n\n@pytest.mark.model_gate('credit')\ndef test_b(pinned_dataset):\n"
        "    assert pinned_dataset['y'].any()\n"
    )
    result = project.run()
    result.assert_outcomes(passed=2)


def test_a_model_that_there_is_none_of(project):
    project.write(test_gates=one_test("pass", arguments="baseline_model"))
    result = project.run("test_gates.py")
    assert [line for line in section(result, "ERRORS") if not line.startswith("__")] == [
        "worse: gate 'worse' has no baseline model to load: baseline = 'prior'.",
        "  A built-in baseline is computed from the judged rows; name a model source to have one.",
    ]
    assert report_of(result)[-1] == "model gates: FAILED (worse NOT JUDGED)"


def test_a_dataset_that_is_not_the_pinned_one(project):
    (project.path / "holdout.csv").write_text("id,y,region\n1,1,north\n")
    project.write(test_gates=one_test("pass", arguments="pinned_dataset"))
    result = project.run("test_gates.py")
    errors = [line for line in section(result, "ERRORS") if not line.startswith("__")]
    assert errors[0].startswith("worse: pin: holdout.csv is not what model-gate.lock pins: sha256:")
    assert len(errors) == 2


@pytest.mark.parametrize(
    "fixture", ["model_gate", "candidate_model", "production_model", "baseline_model", "pinned_dataset"]
)
def test_a_fixture_of_an_unmarked_test(project, fixture):
    project.write(test_gates=f"def test_a({fixture}): pass\n")
    result = project.run("test_gates.py")
    assert [line for line in section(result, "ERRORS") if not line.startswith("__")] == [
        f"test_a uses the fixture {fixture}, but it is not marked as a gate.",
        '  Add @pytest.mark.model_gate("name of a declared gate"), or @pytest.mark.model_gate'
        "(candidate=..., production=..., dataset=..., target=..., metrics=[...]).",
    ]
    assert result.ret != 0


def test_somebody_elses_fixture_of_our_name(project):
    project.write(
        conftest="import pytest\n\n@pytest.fixture\ndef model_gate():\n    return 3\n",
        test_gates=one_test("pass"),
    )
    assert failures_of(project.run("test_gates.py")) == [
        "unexpected type for the fixture model_gate: 3 must be a ModelGate.",
        "  No other plugin or conftest may define a fixture of that name.",
    ]


def test_async_tests_cannot_be_gates_without_a_plugin_that_runs_them(project):
    code = "import pytest\n\n@pytest.mark.model_gate('worse')\nasync def test_a(): pass\n"
    project.write(test_gates=code)
    result = project.run("test_gates.py")
    result.assert_outcomes(failed=1)
    assert report_of(result)[-1] == "model gates: FAILED (worse NOT JUDGED)"


def test_the_fixtures_are_documented(project):
    lines = project.run("--fixtures").outlines
    for fixture in ("model_gate", "candidate_model", "production_model", "baseline_model", "pinned_dataset"):
        (start,) = [number for number, line in enumerate(lines) if line.startswith(f"{fixture} -- ")]
        assert lines[start + 1].startswith("    ")


SKIPS = {
    "in the body": ("", "pytest.skip('no GPU')"),
    "in a fixture": (", broken", ""),
    "for an import": ("", "pytest.importorskip('nothing_of_that_name')"),
}

FIXTURE = "\n@pytest.fixture\ndef broken():\n    pytest.skip('no GPU')\n"


@pytest.mark.parametrize(("fixture", "body"), SKIPS.values(), ids=SKIPS)
def test_a_gate_that_skips_itself_fails(project, fixture, body):
    project.write(test_gates=one_test(body or "pass", arguments=f"model_gate{fixture}") + FIXTURE)
    result = project.run("test_gates.py")
    assert result.ret != 0
    assert result.parseoutcomes().keys() <= {"failed", "errors"}
    assert "worse: NOT JUDGED, the test skipped itself: " in result.stdout.str()
    assert "A gate that did not run is never a pass." in result.stdout.str()
    assert report_of(result)[-1] == "model gates: FAILED (worse NOT JUDGED)"


def test_a_gate_that_a_conftest_skips_fails(project):
    project.write(
        conftest="import pytest\n\ndef pytest_runtest_setup(item):\n    pytest.skip('not today')\n",
        test_gates=one_test("pass"),
    )
    result = project.run("test_gates.py")
    assert "worse: NOT JUDGED, the test skipped itself: not today" in result.stdout.str()
    assert result.ret != 0


@pytest.mark.parametrize("mark", ["skip(reason='not today')", "skipif(True, reason='not today')"])
def test_a_gate_that_is_skipped_by_a_mark_is_listed(anywhere, mark):
    anywhere.write(test_gates=f"import pytest\npytestmark = pytest.mark.{mark}\n" + one_test("pass"))
    result = anywhere.run("test_gates.py")
    assert result.ret == 0
    assert "worse (test_gates.py::test_a): not judged: skipped (not today)" in report_of(result)
    assert report_of(result)[-1] == "model gates: 2 not judged"


@pytest.mark.parametrize(
    "skip", ["pytest.importorskip('nothing_of_that_name')", "pytest.skip('x', allow_module_level=True)"]
)
def test_a_module_of_gates_that_skips_itself(project, skip):
    project.write(test_gates=f"import pytest\n{skip}\n" + one_test("pass"))
    result = project.run("test_gates.py")
    assert result.ret != 0
    assert "test_gates.py holds model gates and skips itself: " in result.stdout.str()


def test_a_module_without_gates_may_skip_itself(project):
    project.gates("")
    project.write(test_plain="import pytest\npytest.skip('x', allow_module_level=True)\n")
    assert project.run("test_plain.py").ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    "body", ["pytest.xfail('known')", "request.applymarker(pytest.mark.xfail)"], ids=["call", "mark"]
)
def test_a_gate_that_expects_its_failure_while_it_runs(project, body):
    project.write(test_gates=one_test(body, arguments="request"))
    result = project.run("test_gates.py")
    assert result.ret != 0
    assert "worse: NOT JUDGED, the test expects its own failure" in result.stdout.str()
