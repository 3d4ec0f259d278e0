"""What users import: the names, the signatures, and what importing them costs."""

from __future__ import annotations

import inspect
import json
from importlib.metadata import version

import pytest

import pytest_model_gate


def test_the_names():
    assert pytest_model_gate.__all__ == [
        "Comparison",
        "DriftRecord",
        "GateRecord",
        "GateSpec",
        "Interval",
        "Metric",
        "SliceSearch",
        "Verdict",
        "__version__",
        "compare",
        "compare_unpaired",
        "drift",
        "evaluate",
        "find_slices",
        "hookimpl",
        "make_metric",
    ]


@pytest.mark.parametrize("name", pytest_model_gate.__all__)
def test_every_name_is_there_and_says_what_it_is(name):
    thing = getattr(pytest_model_gate, name)
    if callable(thing) and name != "hookimpl":
        assert inspect.getdoc(thing)


def test_the_version_is_the_distributions():
    assert pytest_model_gate.__version__ == version("pytest-model-gate")


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match=r"^module 'pytest_model_gate' has no attribute 'nonsense'$"):
        pytest_model_gate.nonsense  # noqa: B018 - looking it up is the test


def test_dir_is_the_table_of_contents():
    assert dir(pytest_model_gate) == pytest_model_gate.__all__


def test_the_signature_of_compare():
    parameters = inspect.signature(pytest_model_gate.compare).parameters.values()
    assert [(p.name, p.kind is inspect.Parameter.KEYWORD_ONLY, p.default) for p in parameters] == [
        ("y_true", False, inspect.Parameter.empty),
        ("candidate", False, inspect.Parameter.empty),
        ("production", False, inspect.Parameter.empty),
        ("metric", True, inspect.Parameter.empty),
        ("max_regression", True, 0.0),
        ("alpha", True, 0.05),
        ("sample_weight", True, None),
        ("groups", True, None),
        ("strata", True, None),
        ("query", True, None),
        ("classes", True, None),
        ("pos_label", True, 1),
        ("seed", True, 0),
        ("bootstrap", True, False),
    ]


def test_the_signature_of_evaluate_starts_with_the_spec():
    first, *others = inspect.signature(pytest_model_gate.evaluate).parameters.values()
    assert first.name == "spec"
    assert all(parameter.default is not inspect.Parameter.empty for parameter in others)


def test_the_fields_of_a_comparison():
    assert list(inspect.signature(pytest_model_gate.Comparison).parameters) == [
        "metric",
        "slice",
        "n",
        "candidate",
        "production",
        "difference",
        "gain",
        "interval",
        "standard_error",
        "tolerance",
        "verdict",
        "reason",
        "minimum_detectable",
        "rows_needed",
    ]
    assert list(inspect.signature(pytest_model_gate.Interval).parameters) == [
        "low",
        "high",
        "level",
        "method",
    ]


def test_the_verdicts():
    assert [verdict.value for verdict in pytest_model_gate.Verdict] == [
        "pass",
        "regressed",
        "inconclusive",
        "invalid",
        "error",
    ]


def test_importing_the_package_imports_nothing_of_it(run, tmp_path):
    code = "import sys, json, pytest_model_gate; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(run("-c", code, cwd=tmp_path).stdout)
    assert [name for name in loaded if name.startswith("pytest_model_gate")] == ["pytest_model_gate"]


def test_comparing_arrays_needs_no_pytest_and_none_of_the_slow_libraries(run, tmp_path):
    code = (
        "import sys, json, numpy as np\n"
        "from pytest_model_gate import compare\n"
        "y = np.array([0, 1] * 50)\n"
        "said = compare(y, y, 1 - y, metric='accuracy')\n"
        "print(json.dumps([said.verdict, sorted(sys.modules)]))"
    )
    verdict, loaded = json.loads(run("-c", code, cwd=tmp_path).stdout)
    assert verdict == "pass"
    heavy = {"pytest", "pandera", "sklearn", "mlflow", "pydantic", "scipy.stats"}
    assert heavy.intersection(loaded) == set()
