"""Other plugins, switches of pytest, and runs inside of runs."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from gate_projects import BOTH, CREDIT, report_of

from pytest_model_gate.report.json import read

ONE = 'import pytest\n\n@pytest.mark.model_gate("credit")\ndef test_a(): pass\n'

#: It would pass at its second attempt, if it were judged a second time.
CHANGING = """
import pathlib, pytest

@pytest.fixture
def better():
    yield
    pathlib.Path("scores.csv").write_text(pathlib.Path("better.csv").read_text())

@pytest.mark.model_gate("worse")
{mark}
def test_worse(better):
    pass
"""


@pytest.mark.parametrize(
    ("mark", "arguments"),
    [("", ("--reruns", "2")), ("@pytest.mark.flaky(reruns=2)", ())],
    ids=["option", "mark"],
)
def test_a_rerun_does_not_judge_again(anywhere, mark, arguments):
    pytest.importorskip("pytest_rerunfailures")
    scores = (anywhere.path / "scores.csv").read_text()
    (anywhere.path / "better.csv").write_text(scores.replace("good,poor", "poor,good"))
    anywhere.write(test_gates=CHANGING.format(mark=mark))
    result = anywhere.run(*arguments, "test_gates.py", "--gate-report", "out.json")
    assert result.ret != 0
    assert result.parseoutcomes() == {"failed": 1, "rerun": 2}
    report = report_of(result)
    assert (
        "  test_gates.py::test_worse ran 3 times; the gate was judged once, and its first verdict stands"
        in report
    )
    assert "model gates: FAILED (worse REGRESSED)" in report
    (test,) = read(anywhere.path / "out.json").tested
    assert (test.attempts, len(test.records)) == (3, 1)


def test_a_rerun_of_a_test_that_fails_by_itself(project):
    pytest.importorskip("pytest_rerunfailures")
    project.gates(CREDIT)
    project.write(
        test_gates="""
        import pytest

        attempts = []

        @pytest.mark.model_gate("credit")
        def test_a(model_gate):
            attempts.append(1)
            model_gate.assert_passes()
            assert len(attempts) == 2
        """
    )
    result = project.run("--reruns", "2", "--junitxml=out.xml")
    assert result.ret == 0
    assert report_of(result)[-1] == "model gates: passed (credit)"
    # rerunfailures makes a case of each attempt, and properties pile up over the attempts.
    cases = ET.parse(project.path / "out.xml").iter("testcase")
    assert [len(list(case.iter("property"))) for case in cases] == [1, 1]


@pytest.mark.parametrize("verdict", ["credit", "worse"])
def test_without_a_terminal(project, verdict):
    project.write(test_gates=ONE.replace("credit", verdict))
    result = project.run("-p", "no:terminal", "test_gates.py", "--gate-report", "out.json")
    assert result.ret == {"credit": pytest.ExitCode.OK, "worse": pytest.ExitCode.TESTS_FAILED}[verdict]
    assert read(project.path / "out.json").tested


def test_without_a_cache(project):
    project.gates(CREDIT)
    project.write(test_gates=ONE)
    assert project.run("-p", "no:cacheprovider").ret == 0


HOOK = """
import pytest

{decorator}
def pytest_model_gate_plugins():
    return []
"""


def test_without_the_plugin_a_marked_test_is_a_test(project):
    project.write(test_gates=ONE)
    # In this process, pytest would remember the mark from the run of this very test.
    result = project.run("-p", "no:model_gate", subprocess=True)
    result.assert_outcomes(passed=1, warnings=1)
    assert report_of(result) == []


def test_without_the_plugin_strict_markers_refuse_the_mark(project):
    project.write(test_gates=ONE)
    result = project.run("-p", "no:model_gate", "--strict-markers", subprocess=True)
    assert "'model_gate' not found in `markers` configuration option" in result.stdout.str()
    assert result.ret != 0


def test_without_the_plugin_an_optional_hook_is_no_error(project):
    project.write(conftest=HOOK.format(decorator="@pytest.hookimpl(optionalhook=True)"), test_gates=ONE)
    assert project.run("-p", "no:model_gate").ret == 0


def test_without_the_plugin_another_hook_is_unknown(project):
    """What the documentation warns of: pytest itself refuses it."""
    project.write(conftest=HOOK.format(decorator=""), test_gates=ONE)
    result = project.run("-p", "no:model_gate", subprocess=True)
    assert result.ret != 0
    assert "unknown hook 'pytest_model_gate_plugins'" in result.stdout.str() + result.stderr.str()


def test_without_the_plugin_its_options_are_unknown(project):
    project.write(test_gates=ONE)
    result = project.run("-p", "no:model_gate", "--gate-advise")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_setup_only_judges_nothing(project):
    project.write(test_gates=BOTH)
    result = project.run("--setup-only")
    assert result.ret == 0
    assert report_of(result) == []


def test_capturing_and_durations_see_the_judging(project):
    project.gates(CREDIT)
    project.write(test_gates=ONE)
    assert project.run("-s", "--durations=1", "-vv").ret == 0


def test_subtests(project):
    if not hasattr(pytest, "Subtests"):
        pytest.skip("this pytest has no subtests")
    project.gates(CREDIT)
    project.write(
        test_gates="""
        import pytest

        @pytest.mark.model_gate("credit")
        def test_a(subtests, model_gate):
            for metric in ("roc_auc", "log_loss"):
                with subtests.test(metric=metric):
                    model_gate.assert_no_regression(metric)
        """
    )
    result = project.run("--gate-report", "out.json")
    assert result.ret == 0
    (test,) = read(project.path / "out.json").tested
    assert [record.asked for record in test.records] == ["no_regression(roc_auc)", "no_regression(log_loss)"]


def test_a_run_inside_of_a_run(project):
    """The inner gate regresses, and neither run sees the gates of the other."""
    project.gates(CREDIT)
    project.write(
        test_gates="""
        import pytest

        pytest_plugins = ["pytester"]

        @pytest.mark.model_gate("credit")
        def test_outer(pytester, model_gate, request):
            root = request.config.rootpath
            for file in ("holdout.csv", "scores.csv", "model-gate.lock"):
                (pytester.path / file).write_bytes((root / file).read_bytes())
            gates = (root / "model_gate.toml").read_text()
            (pytester.path / "model_gate.toml").write_text(
                gates.replace("#good", "#x").replace("#poor", "#good").replace("#x", "#poor")
            )
            pytester.makepyfile(
                'import pytest\\n\\n@pytest.mark.model_gate("credit")\\ndef test_inner(): pass\\n'
            )
            result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
            assert "model gates: FAILED (credit REGRESSED)" in result.outlines
            model_gate.assert_passes()
        """
    )
    result = project.run()
    assert result.ret == 0, result.stdout.str()
    assert report_of(result)[-1] == "model gates: passed (credit)"


def test_nothing_is_left_behind(project):
    project.gates(CREDIT)
    project.write(
        conftest="""
        import pytest

        @pytest.hookimpl(trylast=True)
        def pytest_unconfigure(config):
            names = {name for name, _ in config.pluginmanager.list_name_plugin()}
            print("left:", sorted(name for name in names if name.startswith("model_gate")))
        """,
        test_gates=ONE,
    )
    assert "left: ['model_gate']" in project.run("-s").outlines
