"""``model-gate ledger``: what it shows of a ledger, and what a reset writes."""

from __future__ import annotations

import subprocess

import pytest

from pytest_model_gate.cli import main
from pytest_model_gate.data.ledger import LEDGER_NAME, Content, Reset, Use, parse, render

NEW, OLD = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32


def use(number, **changes) -> Use:
    values = {
        "dataset": NEW,
        "source": "data/holdout.parquet",
        "rows": 30_000,
        "gate": "credit",
        "model": f"models:/credit/{number}",
        "config": "sha256:c",
        "candidate": f"sha256:{number}",
        "limits": {},
        "number": number,
        "passes": 0,
        "budget": 20,
        "spending": "equal",
        "level": 0.05,
        "alpha": 0.0025,
        "feedback": "full",
        "period": 0,
        "verdict": "",
        "date": f"2030-02-{number:02}T10:00:00Z",
        "commit": "",
    }
    return Use(**{**values, **changes})


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """A project whose holdout has been changed once."""
    path = tmp_path / LEDGER_NAME

    def write(*entries):
        path.write_text("".join(f"{render(entry)}\n" for entry in entries), encoding="utf-8")

    write(
        *(use(n, dataset=OLD, date=f"2030-01-{n:02}T10:00:00Z") for n in range(1, 21)),
        *(entry for n in (1, 2, 3) for entry in (use(n), use(n, verdict="pass" if n == 2 else "regressed"))),
        use(4),
    )
    monkeypatch.chdir(tmp_path)
    return write


def run(capsys, *arguments) -> tuple[int, str]:
    status = main(["ledger", *arguments])
    said = capsys.readouterr()
    return status, said.out + said.err


SHORT = """\
data/holdout.parquet   sha256:abababababab   30,000 rows
  uses     4 of 20 (equal), 16 left; 1 passed
  spent    alpha 0.01 of 0.05
data/holdout.parquet   sha256:cdcdcdcdcdcd   30,000 rows
  uses     20 of 20 (equal), 0 left; 0 passed
  spent    alpha 0.05 of 0.05
"""


def test_it_shows_the_uses_left(ledger, capsys):
    assert run(capsys) == (0, SHORT)


def test_it_is_found_from_a_folder_below(ledger, capsys, tmp_path, monkeypatch):
    (tmp_path / "tests" / "gates").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "tests" / "gates")
    assert run(capsys) == (0, SHORT)


def test_it_lists_every_use(ledger, capsys):
    status, text = run(capsys, "-v")
    assert status == 0
    assert text.splitlines()[3:8] == [
        "  use  date        gate    candidate         alpha   verdict",
        "  1    2030-02-01  credit  models:/credit/1  0.0025  regressed",
        "  2    2030-02-02  credit  models:/credit/2  0.0025  pass",
        "  3    2030-02-03  credit  models:/credit/3  0.0025  regressed",
        "  4    2030-02-04  credit  models:/credit/4  0.0025  (none arrived)",
    ]


def test_a_reset_is_of_the_content_that_was_used_last(ledger, capsys, tmp_path):
    status, text = run(capsys, "--reset", "data/holdout.parquet", "--reason", "  labels were corrected ")
    assert (status, text) == (
        0,
        "data/holdout.parquet sha256:abababababab: reset 1, uses are counted from 1\n"
        "model-gate.ledger.jsonl was written: commit it.\n",
    )
    last = parse((tmp_path / LEDGER_NAME).read_bytes())[-1]
    assert isinstance(last, Reset)
    assert (last.dataset, last.period, last.reason) == (NEW, 1, "labels were corrected")
    day = last.date[:10]
    status, text = run(capsys)
    assert text.splitlines()[:3] == [
        "data/holdout.parquet   sha256:abababababab   30,000 rows",
        "  uses     0 since the last reset",
        f"  reset    {day}: labels were corrected",
    ]
    assert run(capsys, "-v")[1].splitlines()[4] == (
        "  1    2030-02-01  credit  models:/credit/1  0.0025  regressed, before the last reset"
    )
    assert run(capsys, "--reset", NEW, "--reason", "again")[1].startswith(
        "data/holdout.parquet sha256:abababababab: reset 2,"
    )


def test_a_reset_of_an_older_content_by_its_digest(ledger, capsys):
    status, text = run(capsys, "--reset", OLD, "--reason", "why not")
    assert status == 0
    assert text.startswith("data/holdout.parquet sha256:cdcdcdcdcdcd: reset 1,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--reset", "data/holdout.csv", "--reason", "r"),
            "model-gate.ledger.jsonl knows no dataset 'data/holdout.csv'.\n"
            "  Did you mean 'data/holdout.parquet'?",
        ),
        (
            ("--reset", "data/holdout.parquet"),
            "A reset needs a dataset and a reason.\n"
            "  Write model-gate ledger --reset DATASET --reason 'why'.",
        ),
        (
            ("--reset", "data/holdout.parquet", "--reason", " "),
            "A reset needs a dataset and a reason.\n"
            "  Write model-gate ledger --reset DATASET --reason 'why'.",
        ),
        (
            ("--reason", "r"),
            "A reset needs a dataset and a reason.\n"
            "  Write model-gate ledger --reset DATASET --reason 'why'.",
        ),
    ],
)
def test_a_reset_that_cannot_be(ledger, capsys, tmp_path, arguments, message):
    before = (tmp_path / LEDGER_NAME).read_bytes()
    assert run(capsys, *arguments) == (2, f"model-gate: error: {message}\n")
    assert (tmp_path / LEDGER_NAME).read_bytes() == before


def test_branches_that_used_more_than_there_was(ledger, capsys):
    ledger(*(use(n % 20 + 1, candidate=f"sha256:x{n}") for n in range(25)))
    assert run(capsys)[1].splitlines()[1:] == [
        "  uses     25 of 20 (equal), 0 left; 0 passed",
        "  spent    alpha 0.0625 of 0.05: branches have used more than there was",
    ]


def test_no_end(ledger, capsys):
    ledger(use(1, budget=None, spending="decreasing", alpha=0.05 * 6 / 9.869604401089358))
    assert run(capsys)[1].splitlines()[1] == "  uses     1 (decreasing); 0 passed"


def test_there_is_no_ledger(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(capsys) == (
        0,
        "no use of a holdout was counted here: there is no model-gate.ledger.jsonl in this folder or above\n",
    )
    assert run(capsys, "--reset", "d.csv", "--reason", "r") == (
        2,
        "model-gate: error: There is no model-gate.ledger.jsonl in this folder or above.\n"
        "  Run it in the folder of the project.\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_ledger(ledger, capsys, tmp_path):
    (tmp_path / LEDGER_NAME).write_text("=======\n")
    status, text = run(capsys)
    assert status == 2
    assert "model-gate.ledger.jsonl line 1 is a mark of a merge conflict." in text


def content(dataset, **changes):
    values = {"source": "copy.csv", "rows": 30_000, "digest": "", "sketches": [], "shared": {}, "commit": ""}
    return Content(**{**values, "dataset": dataset, "date": "2030-02-01T09:00:00Z", **changes})


def test_datasets_that_share_their_rows(ledger, capsys):
    ledger(
        use(1, dataset=OLD, source="old.csv", date="2030-01-01T00:00:00Z"),
        content(NEW, shared={OLD: 0.989}),
    )
    assert run(capsys, "-v")[1].splitlines() == [
        "copy.csv   sha256:abababababab   30,000 rows",
        "  uses     1 of 20 (equal), 19 left; 0 passed",
        "  spent    alpha 0.0025 of 0.05",
        "  shares   98% of rows with old.csv sha256:cdcdcdcdcdcd: its uses count here",
        "  use  date        gate    candidate         alpha   verdict",
        "  1    2030-01-01  credit  models:/credit/1  0.0025  (none arrived)",
        "old.csv   sha256:cdcdcdcdcdcd   30,000 rows",
        "  uses     1 of 20 (equal), 19 left; 0 passed",
        "  spent    alpha 0.0025 of 0.05",
        "  shares   98% of rows with copy.csv sha256:abababababab: its uses count here",
        "  use  date        gate    candidate         alpha   verdict",
        "  1    2030-01-01  credit  models:/credit/1  0.0025  (none arrived)",
    ]


def test_rows_that_nobody_has_judged(ledger, capsys):
    ledger(content(NEW))
    assert run(capsys)[1].splitlines() == ["copy.csv   sha256:abababababab", "  uses     0"]


def test_what_no_commit_has_and_what_a_commit_had(ledger, capsys, tmp_path):
    def git(*arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, capture_output=True, check=True, timeout=60)

    git("init", "-q")
    assert run(capsys) == (
        0,
        f"{SHORT}{LEDGER_NAME} has 27 lines that the last commit lacks: commit it, or these uses are "
        "forgotten by everybody else\n",
    )
    git("add", LEDGER_NAME)
    git("commit", "-q", "-m", "uses")
    assert run(capsys) == (0, SHORT)
    (tmp_path / LEDGER_NAME).write_text(f"{render(use(1))}\n")
    status, text = run(capsys)
    assert status == 2
    assert f"{LEDGER_NAME} lacks 26 lines of the last commit" in text


def test_names_cannot_write_to_the_terminal(ledger, capsys):
    ledger(use(1, source="\x1b[31mred", model="\x1b[2J"))
    assert "\x1b" not in run(capsys, "-v")[1]
