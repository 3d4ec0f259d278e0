"""What a run says between collecting and judging: hopeless tolerances, as lines and never as warnings."""

from __future__ import annotations

import pytest
from gate_projects import CREDIT

GATE = CREDIT.replace('metrics = ["roc_auc"]', 'metrics = ["accuracy"]\nmax_regression = 0.005')
ONE = 'import pytest\n\n@pytest.mark.model_gate("credit")\ndef test_a(): pass\n'
SAID = (
    "gate credit can hardly pass unless the candidate is better: accuracy within 0.005 takes at least 540 "
    "rows, and 400 are pinned. See model-gate plan."
)


@pytest.fixture
def hopeless(project):
    project.gates(GATE)
    project.write(test_gates=ONE)
    return project


def test_it_stands_below_the_number_of_tests(hopeless) -> None:
    lines = hopeless.run().outlines

    assert lines[lines.index("collected 1 item") + 1] == SAID


def test_it_is_said_without_running_anything(hopeless) -> None:
    result = hopeless.run("--collect-only", "-q")

    assert SAID in result.outlines
    assert result.ret == 0


def test_a_project_that_makes_errors_of_warnings_is_not_failed_by_it(hopeless) -> None:
    result = hopeless.run("-W", "error")

    assert SAID in result.outlines
    # The candidate is better, so it passes all the same.
    assert result.ret == 0


def test_a_gate_with_enough_rows_is_not_spoken_of(hopeless) -> None:
    hopeless.gates(GATE.replace("0.005", "0.05"))

    assert "gate credit" not in hopeless.run().stdout.str()


def test_a_gate_that_does_not_run_is_not_spoken_of(hopeless) -> None:
    assert "can hardly pass" not in hopeless.run("-k", "nothing").stdout.str()


def test_several_tests_of_one_gate_say_it_once(hopeless) -> None:
    hopeless.write(test_more=ONE)

    assert hopeless.run("--collect-only").outlines.count(SAID) == 1


def test_workers_leave_it_to_the_lines_of_the_verdict(distributed) -> None:
    distributed.gates(GATE)
    distributed.write(test_gates=ONE)

    result = distributed.run()
    assert "can hardly pass" not in result.stdout.str()
    assert result.ret == 0
