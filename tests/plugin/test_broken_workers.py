"""Workers that die, and reports that do not travel: a run must not be green without its verdicts."""

from __future__ import annotations

import pytest
from gate_projects import CREDIT, report_of

from pytest_model_gate.report.json import read

DEADLY = """
import os, pytest, signal

@pytest.mark.model_gate("credit")
def test_credit():
    {death}

@pytest.mark.model_gate("worse")
def test_worse(model_gate):
    model_gate.assert_pinned()

def test_plain():
    pass
"""


@pytest.mark.parametrize("death", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_worker_that_dies_in_a_gate(distributed, death):
    distributed.write(test_gates=DEADLY.format(death=death))
    result = distributed.run("--gate-report", "out.json")
    assert result.ret != 0
    report = report_of(result)
    (line,) = [line for line in report if line.startswith("credit")]
    assert line.startswith("credit (test_gates.py::test_credit): not judged: worker 'gw")
    assert "model gates: FAILED (credit NOT JUDGED)" in report
    assert not read(distributed.path / "out.json").complete


def test_a_worker_that_dies_beside_the_gates(distributed):
    """Every gate has its verdict, and the run is still not to be trusted."""
    distributed.write(
        test_gates="""
        import os, pytest

        @pytest.fixture(scope="session", autouse=True)
        def dies(worker_id):
            yield
            if worker_id == "gw0":
                os._exit(0)

        @pytest.mark.model_gate("credit")
        def test_credit():
            pass

        @pytest.mark.model_gate("worse")
        def test_worse(model_gate):
            model_gate.assert_pinned()
        """
    )
    result = distributed.run()
    assert result.ret != 0
    problems = [line for line in report_of(result) if line.startswith("PROBLEM: worker gw0 died: ")]
    assert problems == ["PROBLEM: worker gw0 died: Not properly terminated"]


#: The plain test kills its worker while the worker sends its report; without the plugin, both orders
#: end with "1 passed" and exit status 0.
NUMPY = """
import pathlib, time
import numpy, pytest

@pytest.fixture
def done():
    yield
    pathlib.Path("done").touch()

@pytest.mark.model_gate("credit")
def test_credit(done):
    pass

def test_plain(record_property):
    while {wait} and not pathlib.Path("done").exists():
        time.sleep(0.05)
    record_property("auc", numpy.float64(0.71))
    assert False
"""


@pytest.mark.parametrize("wait", [False, True], ids=["before the verdict", "after the verdict"])
def test_a_report_that_does_not_travel(distributed, wait):
    distributed.gates(CREDIT)
    distributed.write(test_gates=NUMPY.format(wait=wait))
    result = distributed.run("--gate-report", "out.json")
    assert "can't serialize <class 'numpy.float64'>" in result.stdout.str() + result.stderr.str()
    assert result.ret != 0
    written = read(distributed.path / "out.json")
    assert not written.complete
    assert not written.passed
    if wait:  # else pytest-xdist trips over the lost worker itself, and no report is printed
        assert report_of(result)[-3:] == [
            "PROBLEM: pytest broke with an internal error (INTERNALERROR above): results are missing",
            "model gates: FAILED",
            "gate report: out.json",
        ]


def test_numpy_that_a_gate_records_travels_as_a_number(anywhere):
    anywhere.write(
        test_gates="""
        import numpy, pathlib, pytest

        @pytest.mark.model_gate("worse")
        def test_worse(record_property):
            record_property("auc", numpy.float64(0.5))
            record_property("rows", numpy.int64(3))
            record_property("file", pathlib.PurePosixPath("a"))
            record_property("list", [1, "x"])

        @pytest.mark.model_gate("credit")
        def test_credit():
            pass
        """
    )
    result = anywhere.run("--junitxml=out.xml", "-o", "junit_family=xunit1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert report_of(result)[-1] == "model gates: FAILED (worse REGRESSED)"
    written = (anywhere.path / "out.xml").read_text()
    for text in ('"auc" value="0.5"', '"rows" value="3"', '"file" value="a"', '"list" value="[1, \'x\']"'):
        assert f"<property name={text}" in written


def test_an_interrupt_from_the_keyboard(anywhere):
    anywhere.write(
        test_gates="""
        import pytest

        @pytest.mark.model_gate("credit")
        def test_credit():
            raise KeyboardInterrupt

        @pytest.mark.model_gate("worse")
        def test_worse():
            pass
        """
    )
    # In this process, the interrupt would be one of the tests of this repository.
    result = anywhere.run("--gate-report", "out.json", subprocess=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    written = read(anywhere.path / "out.json")
    assert not written.complete
    assert "credit" in {gate.gate for gate in written.not_judged}


@pytest.mark.parametrize("dist", ["loadgroup", "each"])
def test_other_ways_to_distribute(distributed, dist):
    """Groups change the node ids; with "each" a test has as many verdicts as there are workers."""
    distributed.write(
        test_gates="""
        import os, pytest

        gate = "worse" if os.environ.get("PYTEST_XDIST_WORKER") == "gw0" else "credit"

        @pytest.mark.xdist_group("one")
        @pytest.mark.model_gate(gate)
        def test_mine():
            pass

        @pytest.mark.model_gate("credit")
        def test_credit():
            pass

        @pytest.mark.model_gate("worse")
        def test_pinned(model_gate):
            model_gate.assert_pinned()
        """
    )
    result = distributed.run(f"--dist={dist}", "--gate-report", "out.json")
    written = read(distributed.path / "out.json")
    # Some versions of xdist add "@one" to the node id.
    tests = [test.test.partition("::")[2].partition("@")[0] for test in written.tested]
    assert (tests, written.not_judged) == (["test_credit", "test_mine", "test_pinned"], ())
    if dist == "each":
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        assert "model gates: FAILED (worse REGRESSED)" in report_of(result)


def test_a_verdict_that_does_not_travel(distributed):
    """Somebody else's plugin breaks the report of the gate itself, after everything else has ended."""
    distributed.gates(CREDIT)
    distributed.write(
        conftest="""
        import numpy, pathlib, pytest, time

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            if item.name == "test_credit" and call.when == "call":
                while not pathlib.Path("done").exists():
                    time.sleep(0.05)
                report.seconds = numpy.float64(call.duration)
            return report
        """,
        test_gates="""
        import pathlib, pytest

        @pytest.mark.model_gate("credit")
        def test_credit():
            pass

        @pytest.fixture
        def done():
            yield
            pathlib.Path("done").touch()

        def test_plain(done):
            pass
        """,
    )
    result = distributed.run("--gate-report", "out.json")
    assert result.ret != 0
    (lost,) = read(distributed.path / "out.json").not_judged
    assert (lost.test, lost.reason, lost.fails) == (
        "test_gates.py::test_credit",
        "the test started, and no verdict arrived",
        True,
    )
