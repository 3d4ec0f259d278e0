"""The marker: what it means on functions, classes, modules and parameters, and every wrong use of it."""

from __future__ import annotations

import pytest
from gate_projects import CREDIT, errors_of, report_of

USE = (
    "  Write @pytest.mark.model_gate('name') or @pytest.mark.model_gate(candidate=..., production=..., ...)."
)

WRONG = {
    "two positional arguments": (
        "@pytest.mark.model_gate('credit', 'worse')\ndef test_a(): pass",
        ["model_gate takes one name, got 2 positional arguments: 'credit', 'worse'.", USE],
    ),
    "a name that is no string": (
        "@pytest.mark.model_gate(3)\ndef test_a(): pass",
        ["model_gate takes the name of a gate, a string, got int 3.", USE],
    ),
    "two gates": (
        "pytestmark = pytest.mark.model_gate('worse')\n@pytest.mark.model_gate('credit')\ndef test_a(): pass",
        [
            "one test has two gates: model_gate('worse') and model_gate('credit').",
            "  Write one test for each gate.",
        ],
    ),
    "marks on one test that contradict": (
        "@pytest.mark.model_gate('credit', alpha=0.1)\n@pytest.mark.model_gate(alpha=0.2)\n"
        "def test_a(): pass",
        ["two model_gate marks on test_a give 'alpha': 0.2 and 0.1.", "  Keep one of them."],
    ),
    "an unknown gate": (
        "@pytest.mark.model_gate('cerdit')\ndef test_a(): pass",
        [
            "model_gate('cerdit'): no such gate in model_gate.toml.",
            "  Did you mean 'credit'? Gates are tables such as [gates.cerdit].",
        ],
    ),
    "an unknown key": (
        "@pytest.mark.model_gate('credit', metric='roc_auc')\ndef test_a(): pass",
        ["model_gate marker of credit: unknown key 'metric'.", "  Did you mean 'metrics'?"],
    ),
    "an unknown key of a parameter": (
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.model_gate('credit', metric=1))])\n"
        "def test_a(x): pass",
        ["model_gate marker of credit: unknown key 'metric'.", "  Did you mean 'metrics'?"],
    ),
    "a gate that lacks something": (
        "@pytest.mark.model_gate(candidate='a.skops')\ndef test_a(): pass",
        [
            "gate 'test_a' lacks production.",
            '  A gate needs candidate, production ("none" for a first release), dataset, target and metrics.',
        ],
    ),
    "an expected failure": (
        "@pytest.mark.xfail\n@pytest.mark.model_gate('credit')\ndef test_a(): pass",
        [
            "a model gate cannot be marked xfail: a regression that is expected is still shipped.",
            "  Use a waiver, with an owner and a date: [[tool.model_gate.waivers]].",
        ],
    ),
    "a method of unittest": (
        "import unittest\n@pytest.mark.model_gate('credit')\nclass TestCredit(unittest.TestCase):\n"
        "    def test_a(self): pass",
        [
            "TestCredit is a unittest.TestCase, and pytest does not let a plugin judge its tests.",
            "  Write the gate as a function, or as a class without a base class.",
        ],
    ),
}


@pytest.mark.parametrize("arguments", [(), ("--collect-only",)], ids=["run", "collect-only"])
@pytest.mark.parametrize(("code", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_mark(project, code, message, arguments):
    project.gates(CREDIT)
    project.write(test_gates=f"import pytest\n{code}\n")
    result = project.run(*arguments)
    assert errors_of(result) == message
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in result.stdout.str()


def test_a_wrong_mark_is_said_once_by_all_workers(distributed):
    distributed.write(test_gates="import pytest\n@pytest.mark.model_gate('cerdit')\ndef test_a(): pass\n")
    result = distributed.run()
    assert errors_of(result)[0] == "model_gate('cerdit'): no such gate in model_gate.toml."
    assert len(errors_of(result)) == 2
    assert result.ret != 0
    # The test has not run without its gate.
    assert result.parseoutcomes() == {"errors": 1}


def test_an_unknown_metric_is_a_collection_error(project):
    project.gates(CREDIT)
    code = "@pytest.mark.model_gate('credit', metrics=['roc_auk'])\ndef test_a(): pass\n"
    project.write(test_gates=f"import pytest\n{code}")
    result = project.run("--collect-only")
    assert "Did you mean 'roc_auc'?" in "\n".join(errors_of(result))


def test_a_wrong_file_is_a_collection_error(project):
    project.gates("[gates.credit]\ncandidat = 'x'\n")
    project.write(test_gates="import pytest\n@pytest.mark.model_gate('credit')\ndef test_a(): pass\n")
    assert errors_of(project.run()) == [
        "model_gate.toml [gates.credit]: unknown key 'candidat'.",
        "  Did you mean 'candidate'?",
    ]


WHERE = {
    "function": "@pytest.mark.model_gate('credit')\ndef test_a(): pass",
    "class": "@pytest.mark.model_gate('credit')\nclass TestA:\n    def test_a(self): pass",
    "module": "pytestmark = pytest.mark.model_gate('credit')\ndef test_a(): pass",
    "parameter": "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.model_gate('credit'))])\n"
    "def test_a(x): pass",
    "bare, the only declared gate": "@pytest.mark.model_gate\ndef test_a(): pass",
}


@pytest.mark.parametrize("code", WHERE.values(), ids=WHERE)
def test_a_mark_counts_wherever_it_is(project, code):
    project.gates(CREDIT)
    project.write(test_gates=f"import pytest\n{code}\n")
    result = project.run("--strict-markers")
    assert report_of(result)[-1] == "model gates: passed (credit)"
    assert result.ret == 0


GATE = "candidate='predictions:scores.csv#good', production='predictions:scores.csv#poor'"

NAMES = {
    "the function": (f"@pytest.mark.model_gate({GATE})\ndef test_a(): pass", ["test_a"]),
    "the function, whatever its parameters": (
        f"@pytest.mark.model_gate({GATE})\n@pytest.mark.parametrize('x', [1, 2])\ndef test_a(x): pass",
        ["test_a"],
    ),
    "the parameter": (
        f"@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.model_gate({GATE}))])\n"
        "def test_a(x): pass",
        ["test_a[1]"],
    ),
    "the class": (
        f"@pytest.mark.model_gate({GATE})\n"
        "class TestA:\n    def test_a(self): pass\n    def test_b(self): pass",
        ["TestA"],
    ),
    "the module": (f"pytestmark = pytest.mark.model_gate({GATE})\ndef test_a(): pass", ["test_gates.py"]),
    "the innermost": (
        f"pytestmark = pytest.mark.model_gate({GATE})\n"
        "@pytest.mark.model_gate(alpha=0.01)\nclass TestA:\n    def test_a(self): pass\n"
        "def test_b(): pass",
        ["TestA", "test_gates.py"],
    ),
}


@pytest.mark.parametrize(("code", "names"), NAMES.values(), ids=NAMES)
def test_a_gate_without_a_name_is_called_after_the_holder_of_its_mark(project, code, names):
    project.gates(CREDIT.partition("[gates.credit]")[0])
    project.write(test_gates=f"import pytest\n{code}\n")
    result = project.run("-q")
    assert [line.partition(":")[0] for line in result.outlines if ": pass " in line] == names
    assert result.ret == 0


def test_an_inner_mark_goes_before_an_outer_one(project):
    project.gates(CREDIT)
    project.write(
        test_gates="""
        import pytest

        pytestmark = pytest.mark.model_gate("credit", alpha=0.1, metrics=["log_loss"])

        @pytest.mark.model_gate(alpha=0.2)
        class TestOne:
            @pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.model_gate(alpha=0.4))])
            @pytest.mark.model_gate(alpha=0.3)
            def test_a(self, model_gate, x):
                assert model_gate.spec.alpha == {1: 0.3, 2: 0.4}[x]
                assert model_gate.spec.metrics == ("log_loss",)

            def test_b(self, model_gate):
                assert model_gate.spec.alpha == 0.2

        def test_c(model_gate):
            assert model_gate.spec.alpha == 0.1
        """
    )
    project.run().assert_outcomes(passed=4)


def test_the_marker_is_documented(project):
    result = project.run("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.model_gate(name=None, /, [*], candidate, *"])


def test_a_declared_gate_without_a_test(project):
    project.write(test_gates="import pytest\n@pytest.mark.model_gate('credit')\ndef test_a(): pass\n")
    result = project.run()
    assert errors_of(result) == [
        "model_gate.toml [gates]: no collected test has the gate worse, "
        "and a gate that never runs passes nothing.",
        "  Mark a test with @pytest.mark.model_gate('worse'), or remove the table.",
    ]
    assert result.ret != 0
    assert report_of(result)[-1] == "model gates: FAILED (credit NOT JUDGED)"


@pytest.mark.parametrize("arguments", [("test_gates.py",), ("-k", "test_a"), ("-m", "model_gate")])
def test_a_declared_gate_without_a_test_is_only_listed_where_the_user_chose(project, arguments):
    project.write(test_gates="import pytest\n@pytest.mark.model_gate('credit')\ndef test_a(): pass\n")
    result = project.run(*arguments)
    assert report_of(result)[-2:] == [
        "worse: not judged: no collected test has it",
        "model gates: passed (credit), 1 not judged",
    ]
    assert result.ret == 0


def test_no_gate_has_a_test(project):
    """Nothing was collected, and that is no way to pass either."""
    result = project.run()
    assert "no collected test has the gates credit, worse" in result.stdout.str()
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def test_a_waiver_of_no_gate(project):
    waiver = "[[waivers]]\ngate='cerdit'\nmetric='m'\nreason='r'\nowner='o'\nexpires=2030-01-31\n"
    project.gates(CREDIT + waiver)
    project.write(test_gates="import pytest\n@pytest.mark.model_gate('credit')\ndef test_a(): pass\n")
    assert errors_of(project.run()) == [
        "model_gate.toml [waivers]: no collected test has the gate cerdit.",
        "  Correct the name, or remove the waiver.",
    ]


def test_a_module_that_breaks_is_the_only_error(project):
    """Its gates are not said to be missing as well."""
    project.write(test_gates="import nothing_of_that_name\n")
    result = project.run()
    assert result.parseoutcomes() == {"errors": 1}
