"""A holdout that is pinned anew keeps its count, a ledger keeps its lines, and a holdout its level."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pytest_model_gate.data.committed import committed
from pytest_model_gate.data.ledger import LEDGER_NAME, Content, Use, parse, render, same_holdout
from pytest_model_gate.data.ledger_store import FileLedger
from pytest_model_gate.gate.known_rows import content_of
from pytest_model_gate.gate.reset import reset
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import Tolerance

BAD = "predictions:scores.parquet#bad"
LOOSE = {"max_regression": {"*": Tolerance(0.02)}}
ONE, TWO = {"holdout_budget": 1, **LOOSE}, {"holdout_budget": 2, **LOOSE}


def entries(project):
    path = project.root / LEDGER_NAME
    return parse(path.read_bytes()) if path.exists() else []


def digest_of(project):
    return project.evaluation()._inputs.dataset.digest


def short(digest):
    return digest[:19]


def fresh(project, seed=1):
    rng = np.random.default_rng(seed)
    frame = project.frame.sample(frac=1, random_state=seed, ignore_index=True)
    return frame.assign(x=rng.normal(size=len(frame)), id=frame["id"] + 10_000)


# -- rows that were judged before --------------------------------------------------------------------------


def changes():
    """Return ways in which a holdout gets other bytes, and how many of its rows were known then."""
    return {
        "another order": (lambda frame: frame.sample(frac=1, random_state=1), 1.0),
        "another order, numbered anew": (
            lambda frame: frame.sample(frac=1, random_state=1).assign(id=range(len(frame))),
            1.0,
        ),
        "fewer rows": (lambda frame: frame[200:], 1.0),
        "labels corrected": (lambda frame: frame.assign(y=frame["y"].where(frame["id"] > 100, 0)), 0.97),
    }


@pytest.mark.parametrize("change", changes())
def test_other_bytes_of_the_same_rows_go_on_with_its_count(project, change):
    project.record(**ONE)
    first = digest_of(project)
    act, known = changes()[change]
    project.write(act(project.frame))
    assert digest_of(project) != first
    record = project.record(candidate=BAD, **ONE)
    assert record.verdict is Verdict.ERROR
    content = content_of(entries(project), digest_of(project))
    assert list(content.shared) == [first]
    assert content.shared[first] == pytest.approx(known, abs=0.05)
    share = int(content.shared[first] * 100)
    assert record.reason == (
        f"holdout: 1 of 1 uses of this holdout are spent: {share}% of its rows are those of data.parquet "
        f"({short(first)})."
    )


def test_a_use_of_known_rows_says_so(project):
    project.record(**TWO)
    first = digest_of(project)
    project.write(project.frame.sample(frac=1, random_state=1))
    record = project.record(candidate=BAD, **TWO)
    assert record.holdout.number == 2
    assert record.notes[-1] == (
        f"the holdout was used before: 100% of its rows are those of data.parquet ({short(first)})"
    )
    again = project.record(**TWO)  # the first candidate on the same rows in another order
    assert again.holdout.number == 1


def test_another_format_and_one_more_column(project):
    project.record(**TWO)
    shuffled = project.frame.sample(frac=1, random_state=1).assign(exported="2030-01-01")
    shuffled[["exported", "y", "z", "id", "region", "x"]].to_csv(project.root / "copy.csv", index=False)
    record = project.record(candidate=BAD, dataset="copy.csv", **TWO)
    assert record.holdout.number == 2
    # And back again: both names are one holdout.
    third = project.record(candidate="predictions:scores.parquet#prod", **TWO)
    assert third.reason.startswith("holdout: 2 of 2 uses of this holdout are spent: 100% of its rows are ")


def test_a_column_less_where_no_model_reads_it(project):
    project.module(
        "linear",
        "import numpy as np\n"
        "class Model:\n"
        "    feature_names_in_ = np.array(['x', 'z'])\n"
        "    classes_ = np.array([0, 1])\n"
        "    def __init__(self, weight): self.weight = weight\n"
        "    def predict(self, frame): return (self.predict_proba(frame)[:, 1] > 0.5).astype(int)\n"
        "    def predict_proba(self, frame):\n"
        "        p = np.asarray(1 / (1 + np.exp(-frame['x'] - self.weight * frame['z'])))\n"
        "        return np.column_stack([1 - p, p])\n"
        "def good(): return Model(1.0)\n"
        "def poor(): return Model(0.2)\n",
    )
    keys = {"production": "python:linear:good", "trusted_sources": ("*",), **TWO}
    record = project.record(candidate="python:linear:good", **keys)
    assert record.holdout.number == 1, record.reason
    frame = project.frame.drop(columns="region").sample(frac=1, random_state=1)
    frame[["id", "x", "z", "y"]].to_parquet(project.root / "data.parquet")
    assert project.record(candidate="python:linear:poor", **keys).holdout.number == 2


def test_fresh_rows_begin_at_one(project):
    project.record(**ONE)
    project.write(fresh(project))
    record = project.record(**ONE)
    assert record.holdout.number == 1
    assert not any("used before" in note for note in record.notes)


def test_rows_that_are_all_alike_are_told_by_their_content(project):
    """Two classes and three regions are in every sample; with the key they are the same rows or not."""

    def write(frame):
        frame[["id", "y", "region"]].to_parquet(project.root / "data.parquet")
        project.write_scores(frame)

    write(project.frame)
    project.record(**TWO)
    (content,) = (entry for entry in entries(project) if isinstance(entry, Content))
    assert content.sketches == []
    write(project.frame.sample(frac=1, random_state=1))
    assert project.record(candidate=BAD, **TWO).holdout.number == 2
    write(fresh(project))
    assert project.record(candidate=BAD, **TWO).holdout.number == 1


def test_the_rows_are_written_down_once(project):
    project.record(**TWO)
    project.record(candidate=BAD, **TWO)
    found = [type(entry) for entry in entries(project)]
    assert found == [Content, Use, Use, Use, Use]


def test_a_ledger_from_before_rows_were_known(project):
    project.record(**TWO)
    path = project.root / LEDGER_NAME
    path.write_text("".join(f"{render(entry)}\n" for entry in entries(project) if isinstance(entry, Use)))
    assert project.record(**TWO).holdout.number == 1
    assert sum(isinstance(entry, Content) for entry in entries(project)) == 1
    project.write(project.frame.sample(frac=1, random_state=1))
    assert project.record(candidate=BAD, **TWO).holdout.number == 2


def test_a_reset_is_of_all_that_share_the_rows(project):
    project.record(**ONE)
    project.frame.sample(frac=1, random_state=1)[["id", "x", "z", "y", "region"]].to_csv(
        project.root / "copy.csv", index=False
    )
    keys = {"candidate": BAD, "dataset": "copy.csv", **ONE}
    spent = project.record(**keys)
    (finding,) = spent.checks[-1].findings
    assert "model-gate ledger --reset copy.csv --reason" in finding.remedy
    assert (
        reset(
            FileLedger(project.root / LEDGER_NAME), "copy.csv", "labels corrected", root=project.root
        ).period
        == 1
    )
    assert (project.record(**keys).holdout.number, project.record(**keys).holdout.period) == (1, 1)
    assert project.record(candidate="predictions:scores.parquet#prod", **ONE).verdict is Verdict.ERROR


def content(dataset, **changes):
    values = {"source": "d.parquet", "rows": 10, "digest": "", "sketches": [], "shared": {}, "commit": ""}
    return Content(**{**values, "dataset": dataset, "date": "2030-01-01T00:00:00Z", **changes})


def test_what_is_one_holdout_with_what():
    """In a window that moves on, each part knows its neighbours only."""
    window = [content("a"), content("b", shared={"a": 0.6}), content("c", shared={"b": 0.6})]
    for order in (window, window[::-1]):
        assert same_holdout(order, "a") == {"a": 1.0, "b": 0.6}
        assert same_holdout(order, "b") == {"a": 0.6, "b": 1.0, "c": 0.6}
        assert same_holdout(order, "c") == {"b": 0.6, "c": 1.0}
    # Two branches have met the same rows, and neither knew of the other.
    branches = [content("a", digest="sha256:r"), content("b", digest="sha256:r"), content("c")]
    assert same_holdout(branches, "a") == {"a": 1.0, "b": 1.0}
    assert same_holdout(branches, "c") == {"c": 1.0}


# -- a level that is raised ----------------------------------------------------------------------------------


def test_a_level_cannot_be_raised(project):
    first = project.record(holdout_budget=20, **LOOSE)
    record = project.record(holdout_budget=20, alpha=0.2, **LOOSE)
    assert record.verdict is Verdict.ERROR
    day = entries(project)[-1].date[:10]
    assert record.reason == (
        "holdout: gate 'credit' has alpha = 0.2, and this holdout has been used at 0.05 since "
        f"{day}: a level that is raised after answers were seen keeps no promise."
    )
    (finding,) = record.checks[-1].findings
    assert finding.remedy == (
        "Set the earlier alpha, use a fresh holdout (and pin it), or run "
        "`model-gate ledger --reset data.parquet --reason '...'`, which is recorded."
    )
    assert project.record(holdout_budget=20, **LOOSE).lines == first.lines
    # A smaller one costs a use, and promises more.
    assert project.record(holdout_budget=20, alpha=0.01, **LOOSE).holdout.number == 2
    reset(FileLedger(project.root / LEDGER_NAME), "data.parquet", "why not", root=project.root)
    assert project.record(holdout_budget=20, alpha=0.2, **LOOSE).holdout.level == 0.2


# -- metrics that are tried on the side ----------------------------------------------------------------------


def test_an_assertion_about_another_metric_is_refused(project):
    evaluation = project.evaluation(holdout_budget=20, **LOOSE)
    for record, name in (
        (evaluation.no_regression("accuracy"), "no_regression"),
        (evaluation.beats_baseline("accuracy"), "beats_baseline"),
        (evaluation.at_least("accuracy", 0.5), "at_least"),
    ):
        assert record.verdict is Verdict.ERROR
        assert record.reason == (
            f"assertion: assert_{name} asks about accuracy, which gate 'credit' does not list: where uses of "
            "a holdout are counted, a metric that is tried on the side would be free."
        )
        assert record.checks[-1].findings[0].remedy == "Add accuracy to its metrics."
    assert entries(project) == []
    assert evaluation.no_regression("auc").holdout.number == 1  # another name of roc_auc
    assert project.evaluation(**LOOSE).no_regression("accuracy").verdict is Verdict.PASS


# -- a ledger that lost lines --------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, check=True, timeout=60)


@pytest.fixture
def repository(project):
    """A committed ledger with one use."""
    git(project.root, "init", "-q")
    project.record(**TWO)
    git(project.root, "add", LEDGER_NAME)
    git(project.root, "commit", "-q", "-m", "one use")
    return project


@pytest.mark.parametrize("how", ["deleted", "emptied", "cut"])
def test_lines_of_the_last_commit_that_are_gone(repository, how):
    path = repository.root / LEDGER_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes(b"".join(lines[:1]) if how == "cut" else b"")
    lost = 2 if how == "cut" else 3
    record = repository.record(candidate=BAD, **TWO)
    assert record.verdict is Verdict.ERROR
    assert record.reason == (
        f"holdout: {LEDGER_NAME} lacks {lost} lines of the last commit: uses that were counted would be free "
        "again."
    )
    (finding,) = record.checks[-1].findings
    assert finding.remedy == (
        f"Run `git show HEAD:./{LEDGER_NAME} >> {LEDGER_NAME}`; lines that are there twice count once."
    )
    command = finding.remedy.partition("`")[2].partition("`")[0]
    subprocess.run(command, shell=True, cwd=repository.root, check=True, timeout=60)
    assert repository.record(candidate=BAD, **TWO).holdout.number == 2


def test_what_editors_do_to_committed_lines_loses_none(repository):
    path = repository.root / LEDGER_NAME
    path.write_bytes(b"\r\n".join(reversed(path.read_bytes().splitlines())))
    assert repository.record(candidate=BAD, **TWO).holdout.number == 2


def test_what_git_says_of_a_file(tmp_path):
    folder = tmp_path / "repository" / "models"
    folder.mkdir(parents=True)
    path = folder / "ledger"
    path.write_text("one\n")
    assert committed(path) is None  # no checkout
    git(tmp_path / "repository", "init", "-q")
    assert committed(path) == b""  # no commit
    git(folder, "commit", "-q", "--allow-empty", "-m", "none")
    assert committed(path) == b""  # not in it
    git(folder, "add", "ledger")
    git(folder, "commit", "-q", "-m", "one")
    path.write_text("one\ntwo\n")
    assert committed(path) == b"one\n"
    path.unlink()
    assert committed(path) == b"one\n"
    (tmp_path / "repository" / ".git" / "HEAD").write_text("broken")
    assert committed(path) is None


def test_without_git_nothing_is_said(repository, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    path = repository.root / LEDGER_NAME
    assert committed(path) is None
    path.unlink()
    assert repository.record(candidate=BAD, **TWO).holdout.number == 1
