"""The holdout ledger in runs of pytest: each candidate counts once, however it is run."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from gate_projects import BOTH, CREDIT, GATES, WITHOUT, report_of

from pytest_model_gate.data.ledger import LEDGER_NAME, Content, parse
from pytest_model_gate.data.ledger_store import FileLedger
from pytest_model_gate.gate.uses import holdout
from pytest_model_gate.report.json import read

COUNTED = f"holdout_budget = 20\n{GATES}"
ONE = f"holdout_budget = 20\n{CREDIT}"

SEVERAL = """
import pytest

@pytest.mark.model_gate("credit")
def test_whole():
    pass

@pytest.mark.model_gate("credit")
def test_parts(model_gate):
    model_gate.assert_pinned()
    model_gate.assert_no_regression("roc_auc")
    model_gate.assert_beats_baseline("roc_auc")

@pytest.mark.model_gate("credit")
def test_passes(model_gate):
    model_gate.assert_passes()

@pytest.mark.model_gate("credit")
@pytest.mark.parametrize("metric", ["roc_auc", "auc"])
def test_metrics(model_gate, metric):
    model_gate.assert_no_regression(metric)

@pytest.mark.model_gate("credit")
def test_models(candidate_model, pinned_dataset, model_gate):
    assert len(pinned_dataset) == 400
    model_gate.assert_at_least("roc_auc", 0.7)
"""


def lines(project):
    """Return the lines about uses; one about the rows of each dataset is beside them."""
    path = project.path / LEDGER_NAME
    entries = parse(path.read_bytes()) if path.exists() else []
    return [entry for entry in entries if not isinstance(entry, Content)]


def uses(project):
    """Return which uses there are: number, gate, and whether it passed."""
    entries = lines(project)
    return [
        (use.first.number, use.first.gate, use.passed)
        for dataset in dict.fromkeys(entry.dataset for entry in entries)
        for use in holdout(entries, dataset).uses
    ]


def test_without_the_key_nothing_is_counted(project):
    project.gates(CREDIT)
    project.write(test_gates=SEVERAL)
    assert project.run().ret == 0
    assert not (project.path / LEDGER_NAME).exists()


def test_many_tests_of_one_gate_count_once(anywhere):
    anywhere.gates(ONE)
    anywhere.write(test_gates=SEVERAL)
    result = anywhere.run("--gate-report", "out.json", "--junitxml=out.xml")
    assert result.ret == 0, result.stdout.str()
    assert uses(anywhere) == [(1, "credit", True)]
    report = report_of(result)
    (told,) = {line for line in report if line.startswith("  holdout")}
    assert told == "  holdout     use 1 of 20 of this holdout   alpha 0.0025 of 0.05, equal"
    assert any("99.5% interval" in line for line in report)
    # And again: the same use, and nothing new to write down.
    before = (anywhere.path / LEDGER_NAME).read_bytes()
    again = anywhere.run()
    assert (again.ret, report_of(again)) == (
        0,
        [line for line in report if not line.startswith("gate report")],
    )
    assert (anywhere.path / LEDGER_NAME).read_bytes() == before
    found = read(anywhere.path / "out.json")
    assert {record.holdout.number for record in found.records() if record.holdout is not None} == {1}
    assert [record.asked for record in found.records() if record.holdout is None] == ["pinned"]
    values = {item.get("value") for item in ET.parse(anywhere.path / "out.xml").iter("property")}
    assert values == {"pass"}


def test_the_report_is_one_block(project):
    project.gates(ONE)
    project.write(test_gates=SEVERAL)
    report = report_of(project.run())
    assert sum(line.startswith("credit: pass") for line in report) == 1
    assert sum(line.startswith("metric ") for line in report) == 1


def test_one_line_says_which_use_it_was(project):
    project.gates(ONE)
    project.write(test_gates=SEVERAL)
    report = project.run("-q", "-k", "whole").stdout.lines
    assert "credit: pass  2 lines judged, use 1 of 20 of this holdout" in report


def test_two_gates_share_the_uses_of_one_dataset(distributed):
    distributed.gates(COUNTED)
    distributed.write(test_gates=BOTH)
    assert distributed.run().ret != 0
    found = uses(distributed)
    assert sorted(number for number, _, _ in found) == [1, 2]
    assert sorted((gate, passed) for _, gate, passed in found) == [("credit", True), ("worse", False)]
    assert distributed.run("--lf", cache=True).ret != 0
    assert len(uses(distributed)) == 2


def test_advice_counts(project):
    project.gates(COUNTED)
    project.write(test_gates=BOTH)
    assert project.run("--gate-advise").ret == 0
    assert len(uses(project)) == 2


def test_a_run_that_only_asks_what_there_is_does_not(project):
    project.gates(COUNTED)
    project.write(test_gates=BOTH)
    for option in ("--collect-only", "--setup-only"):
        project.run(option)
    assert lines(project) == []


def test_a_deselected_gate_does_not(project):
    project.gates(COUNTED)
    project.write(test_gates=BOTH)
    project.run("-k", "credit")
    assert uses(project) == [(1, "credit", True)]


def test_a_dataset_that_is_not_the_pinned_one_spends_nothing(project):
    project.gates(ONE)
    project.write(test_gates=SEVERAL)
    with (project.path / "holdout.csv").open("a") as file:
        file.write("400,1,north\n")
    assert project.run().ret != 0
    assert lines(project) == []


def test_reruns_count_once(project):
    pytest.importorskip("pytest_rerunfailures")
    project.gates(COUNTED)
    project.write(test_gates=BOTH)
    assert project.run("--reruns", "2").ret != 0
    assert len(uses(project)) == 2
    assert len(lines(project)) == 4


def test_the_keywords_of_a_mark(project):
    project.gates(CREDIT)
    project.write(
        test_gates="""
        import pytest

        @pytest.mark.model_gate("credit", spending="decreasing")
        def test_a():
            pass
        """
    )
    result = project.run()
    assert result.ret == 0, result.stdout.str()
    assert "  holdout     use 1 of this holdout         alpha 0.0304 of 0.05, decreasing" in report_of(result)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("holdout_budget = 0", "holdout_budget: must be greater than or equal to 1, got 0."),
        ("holdout_budget = 1.5", "holdout_budget: must be a whole number, got 1.5."),
        ('spending = "most"', "spending: must be 'equal', 'decreasing' or 'adaptive', got 'most'."),
        ('feedback = "none"', "feedback: must be 'full' or 'binary', got 'none'."),
        ("holdout_buget = 20", "unknown key 'holdout_buget'.\n  Did you mean 'holdout_budget'?"),
    ],
)
def test_a_wrong_value_is_a_collection_error(project, key, message):
    project.gates(f"{key}\n{CREDIT}")
    project.write(test_gates=SEVERAL)
    result = project.run()
    assert result.ret == 2
    assert message in result.stdout.str()
    assert "not judged" not in result.stdout.str()  # no test was asked which gate it has


def test_two_runs_at_once(project):
    """Each judges its own candidate, and one that both have."""
    project.gates(f"holdout_budget = 40\n{CREDIT}")
    project.write(test_gates=SEVERAL)
    scores = (project.path / "scores.csv").read_text().splitlines()
    header, rows = scores[0], [line.split(",") for line in scores[1:]]
    for name, shift in (("one", 1e-4), ("two", 2e-4)):
        moved = [f"{i},{min(1.0, float(good) + shift):.6f},{poor}" for i, good, poor in rows]
        (project.path / f"{name}.csv").write_text("\n".join([header, *moved]) + "\n")
    quiet = [argument for name in (*WITHOUT, "cacheprovider", "xdist") for argument in ("-p", f"no:{name}")]
    for candidates in (("one", "two"), ("scores", "scores")):
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "pytest", *quiet, "--gate-candidate", f"predictions:{name}.csv#good"],
                cwd=project.path,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in candidates
        ]
        told = [process.communicate(timeout=120)[0] for process in running]
        assert [process.returncode for process in running] == [0, 0], told
    assert sorted(number for number, _, _ in uses(project)) == [1, 2, 3]
    texts = (project.path / LEDGER_NAME).read_text().splitlines()
    assert len(texts) == len(set(texts))
    assert len(parse("\n".join(texts).encode())) == len(texts)


def test_a_worker_that_dies_while_it_judges_has_used_the_holdout(distributed):
    distributed.gates(COUNTED)
    distributed.write(
        conftest="""
        import os
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_collection_modifyitems():
            from pytest_model_gate.gate import reuse

            def die(*_):
                os._exit(1)

            reuse.Reuse.settle = die
            return (yield)
        """,
        test_gates=BOTH,
    )
    assert distributed.run().ret != 0
    assert [entry.verdict for entry in lines(distributed)] == ["", ""]
    assert len(uses(distributed)) == 2


def test_the_end_of_the_budget(project):
    project.gates(COUNTED.replace("20", "1", 1))
    project.write(test_gates=BOTH)
    result = project.run("--gate-report", "out.json")
    assert result.ret != 0
    assert len(uses(project)) == 1
    out = result.stdout.str()
    assert "holdout.csv: 1 of 1 uses of this holdout are spent." in out
    assert (
        "next: Use a fresh holdout (and pin it), or run "
        "`model-gate ledger --reset holdout.csv --reason '...'`, which is recorded." in out
    )


def test_a_reset_gives_a_new_budget(project):
    from pytest_model_gate.gate.reset import reset

    project.gates(COUNTED.replace("20", "1", 1))
    project.write(test_gates=BOTH)
    project.run("-k", "worse")
    assert "1 of 1 uses of this holdout are spent" in project.run("-k", "credit").stdout.str()
    reset(
        FileLedger(project.path / LEDGER_NAME), "holdout.csv", "the labels were corrected", root=project.path
    )
    result = project.run("-k", "credit")
    assert result.ret == 0
    assert "  holdout     use 1 of 1 of this holdout, after 1 reset   alpha 0.05 of 0.05, equal" in report_of(
        result
    )


def test_a_damaged_ledger_fails_the_run(project):
    project.gates(ONE)
    project.write(test_gates=SEVERAL)
    project.run("-k", "whole")
    with (project.path / LEDGER_NAME).open("a") as file:
        file.write('{"alpha":0.00')
    result = project.run("-k", "whole")
    assert result.ret != 0
    assert f'{LEDGER_NAME} line 4 is no JSON object: {{"alpha":0.00.' in result.stdout.str()


def git(project, *arguments):
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], cwd=project.path, capture_output=True, check=True, timeout=60)


def test_uses_that_no_commit_has_are_said_once(anywhere):
    anywhere.gates(ONE)
    anywhere.write(
        test_gates="""
        import pytest

        @pytest.mark.model_gate("credit")
        def test_a():
            pass
        """
    )

    def told(*options):
        result = anywhere.run(*options)
        return [line for line in result.stdout.lines if "forgotten" in line]

    assert told() == []  # nobody said that this is a project of git
    git(anywhere, "init", "-q")
    every = (
        f"{LEDGER_NAME} has 3 lines that the last commit lacks: commit it, or these uses are forgotten by "
        "everybody else"
    )
    assert told() == [every]
    assert told("-q") == [every]
    git(anywhere, "add", LEDGER_NAME)
    git(anywhere, "commit", "-q", "-m", "uses")
    assert told() == []
    other = ("--gate-candidate", "predictions:scores.csv#poor")
    assert told(*other) == [every.replace("3 lines", "2 lines")]


def test_without_a_ledger_nothing_is_said(project):
    git(project, "init", "-q")
    project.gates(CREDIT)
    project.write(test_gates=SEVERAL)
    assert "forgotten" not in project.run().stdout.str()


def test_a_ledger_that_cannot_be_written_fails_the_run(project):
    project.gates(ONE)
    project.write(test_gates=SEVERAL)
    (project.path / LEDGER_NAME).mkdir()
    result = project.run()
    assert result.ret != 0
    out = result.stdout.str()
    assert f"{LEDGER_NAME} cannot be written: Is a directory." in out
    assert "Uses have to be counted where they are seen: run it where the file can be written." in out
    assert not any(line.startswith("metric ") for line in report_of(result))


BINARY = f'spending = "adaptive"\nfeedback = "binary"\n{COUNTED}'


def test_binary_feedback_shows_no_number_anywhere(distributed):
    distributed.gates(BINARY)
    distributed.write(test_gates=BOTH)
    result = distributed.run("-v", "--gate-report", "out.json", "--junitxml=out.xml")
    assert result.ret != 0
    report = report_of(result)
    assert "credit: pass   approve or decline" in report
    assert "worse: INCONCLUSIVE" in report
    assert '  NOTE: feedback = "binary": the report says pass or not pass, and no numbers' in report
    assert (
        'worse: INCONCLUSIVE  does not pass; with feedback = "binary" no more is said' in result.stdout.str()
    )
    for text in (
        result.stdout.str(),
        (distributed.path / "out.json").read_text(),
        (distributed.path / "out.xml").read_text(),
    ):
        assert "roc_auc" not in text
        assert "interval" not in text
    values = {item.get("value") for item in ET.parse(distributed.path / "out.xml").iter("property")}
    assert values == {"pass", "inconclusive"}
    assert {entry.verdict for entry in lines(distributed)} == {"", "pass", "inconclusive"}


def test_binary_feedback_refuses_assertions_about_parts(project):
    project.gates(f'feedback = "binary"\n{CREDIT}')
    project.write(
        test_gates="""
        import pytest

        @pytest.mark.model_gate("credit")
        def test_a(model_gate):
            model_gate.assert_no_regression("roc_auc")
        """
    )
    result = project.run()
    assert result.ret != 0
    assert "assert_no_regression asks for a part" in result.stdout.str()
