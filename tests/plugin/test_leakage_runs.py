"""Leakage in runs of pytest: in one process and with two workers, by marker, file and assertion."""

from __future__ import annotations

import random

import pytest
from gate_projects import CREDIT, report_of

from pytest_model_gate.gate.pinning import pin_gate
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.report.json import read
from pytest_model_gate.spec import GateSpec

LEAKY = f'leakage = {{ train = "train.csv", key = "id" }}\n{CREDIT}'

GATE = """
import pytest

@pytest.mark.model_gate("credit")
def test_credit():
    pass

@pytest.mark.model_gate("credit")
def test_leakage(model_gate):
    record = model_gate.assert_no_leakage()
    assert record.leakage.training_rows == 900

@pytest.mark.model_gate("credit")
def test_part(model_gate):
    model_gate.assert_no_regression("roc_auc")
"""


def write(project, planted=()):
    """Add a feature to the holdout, and write training data with some of its rows."""
    rng = random.Random(3)
    header, *rows = (project.path / "holdout.csv").read_text().splitlines()
    holdout = [f"{row},{rng.gauss(0, 1):.9f}" for row in rows]
    (project.path / "holdout.csv").write_text("\n".join([f"{header},x", *holdout]) + "\n")
    training = [f"{5000 + i},{i % 2},north,{rng.gauss(0, 1):.9f}" for i in range(900 - len(planted))]
    training += [holdout[i] for i in planted]
    (project.path / "train.csv").write_text("\n".join([f"{header},x", *training]) + "\n")
    spec = GateSpec(
        name="pin",
        candidate="predictions:scores.csv#good",
        production="none",
        baseline="prior",
        dataset="holdout.csv",
        target="y",
        metrics=("roc_auc",),
        root=str(project.path),
    )
    assert not pin_gate(spec, build_registry()).fails


def test_clean_data_pass(anywhere):
    write(anywhere)
    anywhere.gates(LEAKY)
    anywhere.write(test_gates=GATE)
    result = anywhere.run()
    result.assert_outcomes(passed=3)
    lines = report_of(result)
    assert any(line.startswith("  leakage     0 rows   train.csv, 900 rows, not pinned") for line in lines)


def test_leaky_data_fail_every_judgement(anywhere):
    write(anywhere, planted=[3, 9, 200])
    anywhere.gates(LEAKY)
    anywhere.write(test_gates=GATE)
    result = anywhere.run("--gate-report", "report.json")
    result.assert_outcomes(failed=3)
    lines = report_of(result)
    assert "credit: INVALID   approve or decline" in lines
    (line,) = [line for line in lines if line.startswith("  INVALID leakage: ")]
    assert line.endswith(" 3 rows by features, 3 rows by key   train.csv, 900 rows, not pinned")
    start = next(n for n, line in enumerate(lines) if line.startswith("metric"))
    assert lines[start].split() == ["metric", "leaked", "rows", "rows", "production", "candidate", "gain"]
    assert lines[start + 1].split()[:3] == ["roc_auc", "with", "400"]
    assert lines[start + 2].split()[:3] == ["roc_auc", "without", "397"]
    records = [record for record in read(anywhere.path / "report.json").records() if record.asked == "gate"]
    assert records[0].leakage.effects
    assert records[0].lines == ()


def test_a_marker_may_say_it_and_false_turns_it_off(project):
    write(project, planted=[3])
    project.gates(LEAKY)
    project.write(
        test_gates="""
        import pytest

        @pytest.mark.model_gate("credit", leakage="train.csv")
        def test_said_shortly():
            pass

        @pytest.mark.model_gate("credit", leakage={"train": "train.csv", "tolerance": 1, "key": ["id"]})
        def test_tolerated():
            pass

        @pytest.mark.model_gate("credit", leakage=False)
        def test_off():
            pass
        """
    )
    result = project.run("-v")
    result.assert_outcomes(failed=1, passed=2)


def test_without_training_data_the_assertion_is_an_error(project):
    project.gates(CREDIT)
    project.write(
        test_gates="""
        import pytest

        @pytest.mark.model_gate("credit")
        def test_leakage(model_gate):
            model_gate.assert_no_leakage()
        """
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*credit (leakage): ERROR  leakage: gate 'credit' does not say what its models were trained on.*",
            '*next: Give it leakage = "data/train.parquet".*',
        ]
    )


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("leakage = 3", "leakage: must be a source, a table or false, got 3."),
        ("leakage = {}", "the key 'leakage.train' is missing."),
        ('leakage = { train = "t", nearly = 3 }', "unknown key 'leakage.nearly'."),
        (
            'leakage = { train = "t", tolerance = 1.5 }',
            "leakage.tolerance: must be a number of rows such as 5, or a share such as 0.001 or '0.1%', got "
            "1.5.",
        ),
        (
            'leakage = { train = "t", near = 0 }',
            "leakage.near: must be 1 to 15 significant digits, or false, got 0.",
        ),
        (
            'leakage = { train = "t", severity = "stop" }',
            "leakage.severity: must be 'fail' or 'warn', got 'stop'.",
        ),
    ],
)
def test_wrong_keys_are_named(project, key, message):
    project.gates(f"{key}\n{CREDIT}")
    project.write(test_gates=GATE)
    result = project.run()
    assert result.ret != 0
    assert message in result.stdout.str() + result.stderr.str()
