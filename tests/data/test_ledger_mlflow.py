"""The ledger in MLflow: every entry once, in one order, whoever writes at once and whatever breaks meanwhile."""
# ruff: noqa: E501 - whole messages stay on one line

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from pytest_model_gate.data.ledger import LEDGER_NAME, Content, Entry, Reset, Use, render
from pytest_model_gate.data.ledger_mlflow import MlflowLedger
from pytest_model_gate.errors import ConfigurationError, ModelGateError
from pytest_model_gate.spec import SourceContext
from systems.relay import relaying

HERE = str(Path(__file__).parent)
FREE = "uses that were counted would be free again"
RESET = Reset(
    dataset="sha256:d",
    source="h.parquet",
    period=1,
    reason="März \U0001f600\ud800\u2028",
    date="2030",
    commit="",
)


def use(number: int, **changes: object) -> Use:
    values = {
        "dataset": "sha256:d", "source": "h.parquet", "rows": 30, "gate": "credit", "model": "m", "config": "c",
        "candidate": f"sha256:{number}", "limits": {"regression roc_auc": "all: 0.005"}, "number": number,
        "passes": 0, "budget": 20, "spending": "equal", "level": 0.05, "alpha": 0.0025, "feedback": "full",
        "period": 0, "verdict": "", "date": "2030-01-31T10:00:00Z", "commit": "",
    }  # fmt: skip
    return Use(**{**values, **changes})  # type: ignore[arg-type]


def append(ledger: MlflowLedger, *entries: Entry) -> None:
    ledger.change(lambda _: (None, list(entries)))


def texts(ledger: MlflowLedger) -> list[str]:
    return [render(entry) for entry in ledger.read()[0]]


def says(ledger: MlflowLedger) -> str:
    with pytest.raises(ModelGateError) as error:
        ledger.read()
    return f"{error.value.what} {error.value.remedy}"


class Store:
    """A ledger in a SQLite file, which somebody may reach into."""

    def __init__(self, path: Path) -> None:
        self.path, self.uri = path, f"sqlite:///{path.as_posix()}"
        self.context = SourceContext(root=str(path.parent), tracking_uri=self.uri)
        self.ledger = MlflowLedger(self.context, file=path.parent / LEDGER_NAME)

    def sql(self, command: str, *values: object) -> int:
        with sqlite3.connect(self.path) as base:
            return base.execute(command, values).rowcount

    def client(self):
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    @property
    def experiment(self):
        return self.client().get_experiment_by_name("model-gate-ledger")

    @property
    def run(self) -> str:
        return self.experiment.tags["model_gate.ledger"]


@pytest.fixture
def store(store_file: Path) -> Store:
    return Store(store_file)


@pytest.fixture
def filled(store: Store) -> Store:
    assert store.ledger.create(settle=0)
    for number in (1, 2, 3):
        append(store.ledger, use(number))
    return store


def test_what_is_written_comes_back(store: Store) -> None:
    assert store.ledger.create(settle=0)
    assert store.ledger.read() == ([], True)
    long = Content(
        dataset="sha256:d", source="h.parquet", rows=30, digest="sha256:x", shared={"sha256:e": 1.0}, date="2030", commit="",
        sketches=[{"columns": [f"column {number}" for number in range(2000)], "distinct": 0, "words": ""}],
    )  # fmt: skip
    written = [use(1), long, RESET, use(2, source="größer \u2028", limits={"a": "ü" * 9000})]
    append(store.ledger, *written)
    found, _ = store.ledger.read()
    assert [entry.line for entry in found] == [1, 2, 3, 4]
    expected = [render(entry).encode("utf-8", "backslashreplace").decode() for entry in written]
    assert texts(store.ledger)[:1] + texts(store.ledger)[3:] == expected[:1] + expected[3:]
    assert [json.loads(text) for text in texts(store.ledger)] == [json.loads(text) for text in expected]
    assert store.experiment.tags["model_gate.ledger.entries"] == "4"


def test_it_is_made_once(filled: Store) -> None:
    assert not filled.ledger.create(settle=0)
    assert len(filled.ledger.read()[0]) == 3


def test_somebody_makes_it_in_the_same_moment(store: Store) -> None:
    other = MlflowLedger(store.context)

    class Slow(MlflowLedger):
        def _made(self, client):
            experiment = super()._made(client)
            assert other.create(settle=0)
            append(other, use(1))
            return experiment

    assert not Slow(store.context).create(settle=0)
    assert [entry.number for entry in store.ledger.read()[0]] == [1]


@pytest.mark.mlflow_server
def test_two_who_make_it_at_once(mlflow_server) -> None:
    context = SourceContext(tracking_uri=mlflow_server[0])
    barrier = Barrier(2)

    def make(number: int) -> bool:
        ledger = MlflowLedger(context, "made-at-once")
        barrier.wait()
        made = ledger.create(settle=1)
        append(ledger, use(number))
        return made

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(make, (1, 2))) == [False, True]
    assert {entry.number for entry in MlflowLedger(context, "made-at-once").read()[0]} == {1, 2}


def test_a_ledger_that_is_not_there_is_not_an_empty_one(store: Store) -> None:
    message = (
        f"There is no ledger mlflow:model-gate-ledger on {store.uri}, and one that is not found is not an empty one. "
        "If there never was one, run: model-gate ledger --move-to mlflow:model-gate-ledger. "
        "Else correct the gate's keys ledger and tracking_uri."
    )
    assert says(store.ledger) == message
    store.client().create_experiment("model-gate-ledger")
    assert says(store.ledger) == message


def test_a_run_that_was_deleted_is_missed_and_comes_back(filled: Store) -> None:
    run = filled.run
    filled.client().delete_run(run)
    message = f"The run of the ledger mlflow:model-gate-ledger was deleted: {FREE}. Bring it back: mlflow runs restore --run-id {run}."
    assert says(filled.ledger) == message
    with pytest.raises(ConfigurationError, match="was deleted"):
        append(filled.ledger, use(4))
    with pytest.raises(ConfigurationError, match="was deleted"):
        filled.ledger.create(settle=0)
    filled.client().restore_run(run)
    append(filled.ledger, use(4))
    assert len(filled.ledger.read()[0]) == 4


def test_an_experiment_that_was_deleted_is_missed_and_comes_back(filled: Store) -> None:
    number = filled.experiment.experiment_id
    filled.client().delete_experiment(number)
    message = f"The experiment of the ledger mlflow:model-gate-ledger was deleted: {FREE}. Bring it back: mlflow experiments restore --experiment-id {number}."
    assert says(filled.ledger) == message
    with pytest.raises(ConfigurationError, match="was deleted"):
        filled.ledger.create(settle=0)
    filled.client().restore_experiment(number)
    assert len(filled.ledger.read()[0]) == 3


def test_a_run_that_is_gone_for_good(filled: Store) -> None:
    run = filled.run
    for table in ("params", "tags", "runs"):
        assert filled.sql(f"DELETE FROM {table} WHERE run_uuid = ?", run)
    message = (
        f"The run {run} of the ledger mlflow:model-gate-ledger is gone for good: {FREE}. "
        "Bring the server's database back from its backup, or begin with a fresh holdout and another experiment."
    )
    assert says(filled.ledger) == message
    with pytest.raises(ConfigurationError, match="gone for good"):
        filled.ledger.create(settle=0)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("DELETE FROM params WHERE key = 'entry.000002'", f"The ledger mlflow:model-gate-ledger lacks entry 2 of at least 3: {FREE}."),
        ("DELETE FROM params WHERE key = 'entry.000003'", f"The ledger mlflow:model-gate-ledger lacks entry 3 of at least 3: {FREE}."),
        ("DELETE FROM params WHERE key LIKE 'entry.%'", f"The ledger mlflow:model-gate-ledger lacks entry 1 of at least 3: {FREE}."),
        ("DELETE FROM params WHERE key = 'format'", f"The ledger mlflow:model-gate-ledger lacks its beginning: {FREE}."),
        ("UPDATE params SET value = replace(value, '0.0025', '0.025') WHERE key = 'entry.000002'", "Entry 2 of the ledger mlflow:model-gate-ledger is not what was written."),
    ],
)  # fmt: skip
def test_what_somebody_did_to_the_database_is_seen(filled: Store, command: str, message: str) -> None:
    assert filled.sql(command)
    assert says(filled.ledger) == f"{message} Bring the server's database back from its backup."
    with pytest.raises(ConfigurationError):
        append(filled.ledger, use(4))


def test_a_piece_of_a_long_entry_that_was_changed(filled: Store) -> None:
    append(filled.ledger, use(4, limits={"a": "x" * 9000}))
    assert filled.sql("UPDATE params SET value = replace(value, 'xx', 'xy') WHERE key LIKE 'piece.%.2'") == 1
    assert says(filled.ledger).startswith(
        "Entry 4 of the ledger mlflow:model-gate-ledger is not what was written."
    )


def test_nothing_changes_what_is_written(filled: Store) -> None:
    """What the whole design rests on: a server takes a parameter once."""
    with pytest.raises(Exception, match="Changing param values is not allowed"):
        filled.client().log_param(filled.run, "entry.000002", "other")


def test_lines_of_the_file_that_are_not_there(filled: Store) -> None:
    file = filled.path.parent / LEDGER_NAME
    file.write_text("".join(f"{render(use(number))}\n" for number in (1, 2)))
    assert len(filled.ledger.read()[0]) == 3
    file.write_text("".join(f"{render(use(number))}\n" for number in (1, 7, 8)))
    assert says(filled.ledger) == (
        f"{LEDGER_NAME} has 2 lines that the ledger mlflow:model-gate-ledger lacks: {FREE}. "
        "Run: model-gate ledger --move-to mlflow:model-gate-ledger"
    )


def test_a_dead_server_is_no_empty_ledger(unused_port: int) -> None:
    uri = f"http://127.0.0.1:{unused_port}"
    assert says(MlflowLedger(SourceContext(tracking_uri=uri))) == (
        f"The MLflow server {uri} cannot be reached, so 'mlflow:model-gate-ledger' could not be opened. Start it, or correct the gate's tracking_uri. "
        "MLFLOW_HTTP_REQUEST_TIMEOUT and MLFLOW_HTTP_REQUEST_MAX_RETRIES set how long to wait."
    )


#: Four of these begin at the same time, each with the number that follows from what it read.
COUNT = """
import sys, time
from pathlib import Path
folder = Path(sys.argv[2])
sys.path[:0] = [sys.argv[3], str(Path(sys.argv[3]).parent)]
from test_ledger_mlflow import use
from pytest_model_gate.data import ledger_mlflow
from pytest_model_gate.spec import SourceContext
if sys.argv[4] == "believing":
    looking = ledger_mlflow.MlflowLedger._append
    ledger_mlflow.MlflowLedger._append = lambda *arguments: looking(*arguments) or True
ledger = ledger_mlflow.MlflowLedger(SourceContext(tracking_uri=sys.argv[1]), sys.argv[5])
(folder / f"ready-{sys.argv[6]}").touch()
while len(list(folder.glob("ready-*"))) < 4:
    time.sleep(0.01)
for _ in range(6):
    print(ledger.change(lambda entries: (len(entries) + 1, [use(len(entries) + 1, model=sys.argv[6])])))
"""


def four_at_once(uri: str, folder: Path, how: str, experiment: str) -> list[int]:
    command = [sys.executable, "-c", COUNT, uri, str(folder), HERE, how, experiment]
    running = [
        subprocess.Popen([*command, str(place)], stdout=subprocess.PIPE, text=True) for place in range(4)
    ]
    found = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4
    return sorted(int(number) for text in found for number in text.split())


@pytest.mark.mlflow_server
def test_processes_that_write_at_once_get_a_number_each(mlflow_server, tmp_path: Path) -> None:
    ledger = MlflowLedger(SourceContext(tracking_uri=mlflow_server[0]), "at-once")
    assert ledger.create(settle=0)
    assert four_at_once(mlflow_server[0], tmp_path, "looking", "at-once") == list(range(1, 25))
    found, _ = ledger.read()
    assert [entry.number for entry in found] == list(range(1, 25))
    assert len({entry.model for entry in found}) == 4


@pytest.mark.mlflow_server
def test_who_does_not_look_counts_twice(mlflow_server, tmp_path: Path) -> None:
    """The negative control: where nothing is refused, several get the same number."""
    MlflowLedger(SourceContext(tracking_uri=mlflow_server[0]), "believing").create(settle=0)
    found = four_at_once(mlflow_server[0], tmp_path, "believing", "believing")
    assert len(set(found)) < 24


@pytest.mark.mlflow_server
@pytest.mark.parametrize("when", ["before", "after"])
def test_wherever_the_line_breaks_an_entry_is_there_once(
    mlflow_server, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every request in turn: whoever was told an answer has an entry, and the next try adds no second."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    name = f"breaks-{when}"
    straight = MlflowLedger(SourceContext(tracking_uri=mlflow_server[0]), name)
    assert straight.create(settle=0)
    with relaying(mlflow_server[0]) as relay:
        broken = MlflowLedger(SourceContext(tracking_uri=relay.uri), name)

        def once(ledger: MlflowLedger, entry: Use) -> None:
            ledger.change(
                lambda entries: (None, [] if any(found[:-1] == entry[:-1] for found in entries) else [entry])
            )

        at, told = 0, 0
        while True:
            relay.heal()
            relay.rule = lambda method, path, number, at=at: "pass" if number < at else when
            entry = use(at, limits={"a": "x" * 9000})
            try:
                once(broken, entry)
                told += 1
                assert any(found[:-1] == entry[:-1] for found in straight.read()[0])
            except ModelGateError:
                pass
            done = not relay.broken
            relay.heal()
            once(broken, entry)
            assert [found.number for found in straight.read()[0]] == list(range(at + 1))
            if done:
                break
            at += 1
        assert at >= 7
        assert told >= 1


@pytest.mark.mlflow_server
def test_a_process_that_dies_between_two_entries(mlflow_server, tmp_path: Path) -> None:
    context = SourceContext(tracking_uri=mlflow_server[0])
    ledger = MlflowLedger(context, "dies")
    assert ledger.create(settle=0)
    script = f"""
import os, sys
sys.path[:0] = [{HERE!r}, {str(Path(HERE).parent)!r}]
from test_ledger_mlflow import use
from mlflow import MlflowClient
from pytest_model_gate.data.ledger_mlflow import MlflowLedger
from pytest_model_gate.spec import SourceContext
log, count = MlflowClient.log_param, []
def dying(self, *arguments):
    log(self, *arguments)
    count.append(1)
    if len(count) == 2:
        os.kill(os.getpid(), 9)
MlflowClient.log_param = dying
MlflowLedger(SourceContext(tracking_uri={mlflow_server[0]!r}), "dies").change(lambda _: (None, [use(1), use(2), use(3)]))
"""
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=120).returncode == -9
    append(ledger, use(9))
    assert [entry.number for entry in ledger.read()[0]] == [1, 2, 9]
