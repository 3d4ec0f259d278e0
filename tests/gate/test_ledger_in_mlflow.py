"""Gates whose uses are counted in MLflow: the same uses as in the file, and no free one when it cannot be asked."""
# ruff: noqa: E501 - whole messages stay on one line

from __future__ import annotations

import pytest

from pytest_model_gate.cli import main
from pytest_model_gate.data.ledger import LEDGER_NAME, parse
from pytest_model_gate.data.ledger_mlflow import MlflowLedger
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import SourceContext
from systems.relay import relaying

PROD = "predictions:scores.parquet#prod"
BAD = "predictions:scores.parquet#bad"


@pytest.fixture
def keys(store_file):
    """Keys of a gate that counts in a store, which has a ledger."""
    uri = f"sqlite:///{store_file.as_posix()}"
    MlflowLedger(SourceContext(tracking_uri=uri)).create(settle=0)
    return {"holdout_budget": 2, "ledger": "mlflow", "tracking_uri": uri}


def held(keys):
    return MlflowLedger(SourceContext(tracking_uri=keys["tracking_uri"])).read()[0]


def test_uses_are_counted_as_in_the_file(project, keys):
    first = project.record(**keys)
    assert (first.verdict, first.holdout.number, first.alpha) == (Verdict.PASS, 1, 0.025)
    assert [type(entry).__name__ for entry in held(keys)] == ["Content", "Use", "Use"]
    again = project.record(**keys)
    assert (again.holdout, again.alpha, len(held(keys))) == (first.holdout, first.alpha, 3)
    second = project.record(candidate=BAD, **keys)
    assert (second.verdict, second.holdout.number) == (Verdict.REGRESSED, 2)
    spent = project.record(candidate=PROD, **keys)
    assert spent.verdict is Verdict.ERROR
    assert spent.reason == "holdout: 2 of 2 uses of this holdout are spent."
    assert project.record(**keys).verdict is Verdict.PASS
    assert not (project.root / LEDGER_NAME).exists()


def test_the_verdict_of_one_that_died_while_it_judged_comes_with_the_next_run(project, keys, monkeypatch):
    def crash(*arguments, **keywords):
        raise RuntimeError("a bug")

    monkeypatch.setattr("pytest_model_gate.gate.evaluate.Together.judge", crash)
    with pytest.raises(RuntimeError):
        project.record(**keys)
    monkeypatch.undo()
    assert [entry.verdict for entry in held(keys)[1:]] == [""]
    assert project.record(**keys).holdout.number == 1
    assert [entry.verdict for entry in held(keys)[1:]] == ["", "pass"]


def test_what_cannot_be_asked_is_no_free_use(project, keys, unused_port):
    uri = f"http://127.0.0.1:{unused_port}"
    record = project.record(**{**keys, "tracking_uri": uri})
    assert record.verdict is Verdict.ERROR
    assert not record.lines
    assert record.reason == (
        f"holdout: The MLflow server {uri} cannot be reached, so 'mlflow:model-gate-ledger' could not be opened."
    )
    record = project.record(**{**keys, "ledger": "mlflow:other"})
    assert record.verdict is Verdict.ERROR
    assert record.reason == (
        f"holdout: There is no ledger mlflow:other on {keys['tracking_uri']}, and one that is not found is not an empty one."
    )


def test_from_the_file_to_mlflow(project, keys, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(project.root)
    budget = {"holdout_budget": 3}
    project.record(**budget)
    uri, keys = keys["tracking_uri"], keys | budget
    move = ["ledger", "--move-to", "mlflow:moved", "--tracking-uri", uri]
    assert main(move) == 0
    assert capsys.readouterr().out == (
        f"mlflow:moved on {uri} was made\n"
        f"3 of 3 lines of {LEDGER_NAME} were copied: leave the file where it is\n"
        'Write ledger = "mlflow:moved" beside holdout_budget.\n'
    )
    keys |= {"ledger": "mlflow:moved"}
    assert project.record(**keys).holdout.number == 1
    assert project.record(candidate=BAD, **keys).holdout.number == 2

    # A branch that does not know of the move goes on in the file.
    assert project.record(candidate=PROD, **budget).holdout.number == 2
    record = project.record(**keys)
    assert record.verdict is Verdict.ERROR
    assert record.reason.startswith(f"holdout: {LEDGER_NAME} has 2 lines that the ledger mlflow:moved lacks:")
    assert main(move) == 0
    assert f"2 of 5 lines of {LEDGER_NAME} were copied" in capsys.readouterr().out
    assert project.record(candidate=PROD, **keys).verdict is Verdict.PASS

    assert main(["ledger", "-v", "--ledger", "mlflow:moved", "--tracking-uri", uri]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        f"mlflow:moved on {uri}: 7 entries, all there and as they were written\ndata.parquet   sha256:"
    )
    assert "  uses     3 of 3 (equal), 0 left; 2 passed\n" in out

    reset = [
        "ledger",
        "--reset",
        "data.parquet",
        "--reason",
        "new labels",
        "--ledger",
        "mlflow:moved",
        "--tracking-uri",
        uri,
    ]
    assert main(reset) == 0
    assert capsys.readouterr().out.endswith("reset 1, uses are counted from 1\nmlflow:moved was written.\n")
    assert project.record(candidate=BAD, metrics=("roc_auc",), **keys).holdout.number == 1
    assert len(parse((project.root / LEDGER_NAME).read_bytes())) == 5


def test_the_command_finds_the_ledgers_of_the_project(project, keys, monkeypatch, capsys):
    monkeypatch.chdir(project.root)
    uri = keys["tracking_uri"]
    settings = f'tracking_uri = "{uri}"\n[gates.one]\nledger = "mlflow"\n[gates.two]\nholdout_budget = 3\n'
    (project.root / "model_gate.toml").write_text(settings)
    project.record(**keys)
    assert main(["ledger"]) == 0
    assert capsys.readouterr().out.startswith(f"mlflow:model-gate-ledger on {uri}: 3 entries")
    project.record(holdout_budget=2)
    # The file's lines are not all in MLflow, which two gates that count apart may want.
    assert main(["ledger", "--ledger", "file"]) == 0
    assert capsys.readouterr().out.startswith("data.parquet")
    assert main(["ledger", "--reset", "data.parquet", "--reason", "why"]) == 2
    assert (
        "The gates count in 2 ledgers: mlflow:model-gate-ledger, model-gate.ledger.jsonl."
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--move-to", "file"], "A ledger moves to MLflow, not back into the file. Write model-gate ledger --move-to mlflow:EXPERIMENT."),
        (["--ledger", "sqlite"], "the command line: ledger: must be file, mlflow or mlflow:EXPERIMENT, got 'sqlite'."),
        (["--move-to", "mlflow: "], "the command line: ledger: must be file, mlflow or mlflow:EXPERIMENT, got 'mlflow: '."),
    ],
)  # fmt: skip
def test_stores_that_cannot_be(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["ledger", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_store_without_anything_to_count(project, keys):
    with pytest.raises(ConfigurationError) as error:
        project.record(ledger="mlflow", tracking_uri=keys["tracking_uri"])
    assert str(error.value) == (
        "gate 'credit': ledger = \"mlflow\" says where uses of the holdout are counted, and none are.\n"
        "  Add holdout_budget = 20."
    )


@pytest.mark.mlflow_server
def test_how_often_a_gate_asks_the_server(project, mlflow_server):
    """As the decision note says it; none of the models is in MLflow, so every request is the ledger's."""
    name = "mlflow:asked-how-often"
    assert MlflowLedger(SourceContext(tracking_uri=mlflow_server[0]), "asked-how-often").create(settle=0)
    with relaying(mlflow_server[0]) as relay:
        keys = {"holdout_budget": 3, "ledger": name, "tracking_uri": relay.uri}
        asked = []
        for changes in ({}, {}, {"candidate": BAD}):
            relay.heal()
            assert project.record(**changes, **keys).lines
            asked.append(len(relay.seen))
    assert asked == [17, 6, 12]  # a dataset that is new to the ledger; the same use again; the next candidate
