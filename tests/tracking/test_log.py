"""What a tracker is told: on real stores, twice without a difference, and not at all where it is down."""
# ruff: noqa: E501 - whole messages stay on one line

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from records import line_of, record_of

from pytest_model_gate.errors import ModelGateError
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.gate.verdict_log import Logged, log_verdicts
from pytest_model_gate.results import (
    GateRecord,
    TrackerEntry,
    Verdict,
)
from pytest_model_gate.spec import SourceContext
from pytest_model_gate.tracking.entry import entries
from pytest_model_gate.tracking.mlflow import MlflowTracker
from pytest_model_gate.tracking.registered import version_of

LINE = line_of("ndcg@10")


def record(uri: str = "", gate: str = "credit", candidate: str = "models:/credit/2", **more) -> GateRecord:
    pair = ("models:/credit@challenger", candidate), ("models:/credit@champion", "models:/credit/1")
    return record_of("sklearn", *pair, LINE, **{"gate": gate, "tracking_uri": uri, **more})


def log(records: list[GateRecord], registry=None) -> Logged:
    texts = {one.gate: f"report of {one.gate}\n" for one in records}
    return log_verdicts(records, texts, tracker="mlflow", registry=registry or build_registry())


def test_what_is_told_of_a_candidate() -> None:
    bad = record(gate="fairness (north)", verdict=Verdict.REGRESSED, roles=record().roles[:1], policy="")
    (entry,) = entries([record(), bad], {"credit": "text", "fairness (north)": "more"})
    assert entry == TrackerEntry(
        candidate="models:/credit/2",
        digest="sha256:c",
        verdict="regressed",
        tags={
            "model_gate.gates": "credit, fairness (north)",
            "model_gate.digest": "sha256:c",
            "model_gate.credit.verdict": "pass",
            "model_gate.credit.dataset": "h.parquet sha256:d pinned",
            "model_gate.credit.production": "models:/credit/1 sha256:b",
            "model_gate.credit.policy": "sha256:p",
            "model_gate.fairness__north_.verdict": "regressed",
            "model_gate.fairness__north_.dataset": "h.parquet sha256:d pinned",
            "model_gate.fairness__north_.production": "none",
        },
        metrics={
            f"model_gate/{gate}/ndcg_at_10/{name}": value
            for gate in ("credit", "fairness__north_")
            for name, value in (
                ("candidate", 0.6), ("reference", 0.5), ("gain", 0.1), ("gain_low", 0.05), ("gain_high", 0.15),
            )
        },
        files=entry.files,
    )  # fmt: skip
    assert sorted(entry.files) == [
        "model_gate/credit.json", "model_gate/credit.txt",
        "model_gate/fairness__north_.json", "model_gate/fairness__north_.txt",
    ]  # fmt: skip
    assert json.loads(entry.files["model_gate/credit.json"])[0]["lines"][1]["slice"] == "region=north"


def test_writing_twice_changes_nothing(registry) -> None:
    client = registry.client()
    first = log([record(registry.uri)])
    run_id = client.get_model_version("credit", "2").run_id
    assert first == Logged(done=(f"pass -> version 2 of credit and run {run_id}",))

    def state() -> tuple[object, ...]:
        run = client.get_run(run_id)
        history = client.get_metric_history(run_id, "model_gate/credit/ndcg_at_10/gain")
        files = [file.path for file in client.list_artifacts(run_id, "model_gate")]
        return (
            client.get_model_version("credit", "2").tags,
            run.data.metrics,
            len(history),
            files,
            run.info.status,
        )

    before = state()
    assert before[0]["model_gate.verdict"] == "pass"
    assert before[1]["model_gate/credit/ndcg_at_10/gain_low"] == 0.05
    assert before[2:4] == (1, ["model_gate/credit.json", "model_gate/credit.txt"])
    assert log([record(registry.uri)]) == first
    assert state() == before


def test_a_later_failure_takes_the_pass_back(registry) -> None:
    log([record(registry.uri)])
    log([record(registry.uri, verdict=Verdict.REGRESSED)])
    tags = registry.client().get_model_version("credit", "2").tags
    assert (tags["model_gate.verdict"], tags["model_gate.credit.verdict"]) == ("regressed", "regressed")


def test_a_candidate_that_could_not_be_opened_keeps_no_pass(registry) -> None:
    log([record(registry.uri)])
    failed = record(
        registry.uri, unopened="models:/credit/2", verdict=Verdict.ERROR, roles=record().roles[1:], lines=()
    )
    (entry,) = entries([failed], {"credit": "text"})
    assert (entry.candidate, entry.digest, entry.verdict) == ("models:/credit/2", "", "error")
    assert "model_gate.digest" not in entry.tags
    run_id = registry.client().get_model_version("credit", "2").run_id
    assert log([failed]) == Logged(done=(f"error -> version 2 of credit and run {run_id}",))
    tags = registry.client().get_model_version("credit", "2").tags
    assert (tags["model_gate.verdict"], tags["model_gate.credit.verdict"]) == ("error", "error")

    # Another gate of the run opened it: there is one verdict, in whatever order they come.
    other = record(registry.uri, gate="fairness")
    for records in ([failed, other], [other, failed]):
        (entry,) = entries(records, {"credit": "", "fairness": ""})
        assert (entry.verdict, entry.digest) == ("error", "sha256:c")
        assert entry.tags["model_gate.fairness.verdict"] == "pass"
        assert entry.tags["model_gate.credit.verdict"] == "error"


@pytest.mark.parametrize(
    "gone", ["models:/credit@challenger", "mlflow-search:e?order_by=metrics.a ASC", "m.skops"]
)
def test_a_candidate_whose_version_nobody_knows(registry, gone: str) -> None:
    log([record(registry.uri)])
    failed = record(registry.uri, unopened=gone, verdict=Verdict.ERROR, roles=())
    assert log([failed]) == Logged(
        failed=(
            f"gate credit: its candidate {gone} could not be opened, so there is no place to log it: "
            "run the gate again when it can",
        )
    )
    assert registry.client().get_model_version("credit", "2").tags["model_gate.verdict"] == "pass"
    assert log([record(registry.uri, asked="schema", roles=(), lines=())]) == Logged()


def test_a_verdict_that_is_half_written_is_no_pass(registry, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    log([record(registry.uri)])

    def broken(*_: object) -> None:
        raise OSError("the line was cut")

    monkeypatch.setattr(MlflowClient, "log_artifact", broken)
    logged = log([record(registry.uri, gate="other")])
    assert not logged.done
    assert "the line was cut" in logged.failed[0]
    tags = registry.client().get_model_version("credit", "2").tags
    assert tags["model_gate.verdict"] == "being written"
    monkeypatch.undo()
    assert log([record(registry.uri, gate="other")]).done
    assert registry.client().get_model_version("credit", "2").tags["model_gate.verdict"] == "pass"


def test_a_candidate_of_a_run(registry) -> None:
    client = registry.client()
    run_id = client.get_model_version("credit", "3").run_id
    logged = log([record(registry.uri, candidate=f"runs:/{run_id}/m")])
    assert logged == Logged(done=(f"pass -> run {run_id}",))
    assert client.get_run(run_id).data.tags["model_gate.verdict"] == "pass"


def test_a_version_without_a_run_gets_one(registry) -> None:
    client = registry.client()
    registry.register("loose", in_runs=False)
    judged = record(registry.uri, candidate="models:/loose/2")
    first = log([judged])
    run_id = client.get_model_version("loose", "2").tags["model_gate.run"]
    assert first == Logged(done=(f"pass -> version 2 of loose and run {run_id}",))
    assert log([judged]) == first
    run = client.get_run(run_id)
    assert (run.info.run_name, run.info.status) == ("model gates of loose 2", "FINISHED")
    assert run.data.metrics["model_gate/credit/ndcg_at_10/gain"] == 0.1


def logged_ids(registry, name: str) -> list[str]:
    versions = registry.client().search_model_versions(f"name = '{name}'")
    return [
        each.source.removeprefix("models:/") for each in sorted(versions, key=lambda each: int(each.version))
    ]


def check_logged_model(registry, name: str) -> None:
    """Log verdicts of a model by its own id, twice, and of another one of the same run."""
    client, model_id = registry.client(), logged_ids(registry, name)[2]
    run_id = client.get_logged_model(model_id).source_run_id
    judged = record(registry.uri, candidate=f"models:/{model_id}")
    told = Logged(done=(f"pass -> logged model {model_id} and run {run_id}",))
    key, files = "model_gate/credit/ndcg_at_10/gain", f"model_gate/{model_id}"

    def state() -> tuple[object, ...]:
        model = client.get_logged_model(model_id)
        paths = [file.path for file in client.list_artifacts(run_id, files)]
        numbers = {metric.key: metric.value for metric in model.metrics}
        return model.tags, numbers, len(model.metrics), paths, client.get_run(run_id).data.metrics[key]

    assert log([judged]) == told
    before = state()
    tags = {name: value for name, value in before[0].items() if name.startswith("model_gate.")}
    assert tags == {
        "model_gate.verdict": "pass",
        "model_gate.gates": "credit",
        "model_gate.digest": "sha256:c",
        "model_gate.credit.verdict": "pass",
        "model_gate.credit.dataset": "h.parquet sha256:d pinned",
        "model_gate.credit.production": "models:/credit/1 sha256:b",
        "model_gate.credit.policy": "sha256:p",
    }
    assert (before[1][key], before[2]) == (0.1, 5)
    assert before[3:] == ([f"{files}/credit.json", f"{files}/credit.txt"], 0.1)
    assert log([judged]) == told
    assert state() == before

    # Another checkpoint of the same run, with the same numbers: it has its own.
    other = client.create_logged_model(
        client.get_run(run_id).info.experiment_id, name="step-2", source_run_id=run_id
    ).model_id
    assert log([record(registry.uri, candidate=f"models:/{other}")]).done
    assert {metric.key for metric in client.get_logged_model(other).metrics} == set(before[1])
    assert state() == before

    log([record(registry.uri, candidate=f"models:/{model_id}", verdict=Verdict.REGRESSED)])
    assert client.get_logged_model(model_id).tags["model_gate.verdict"] == "regressed"
    assert client.get_logged_model(other).tags["model_gate.verdict"] == "pass"
    assert "model_gate.verdict" not in client.get_model_version(name, "3").tags


def test_a_logged_model(registry) -> None:
    check_logged_model(registry, "credit")


def test_a_logged_model_without_a_run_gets_one(registry) -> None:
    client = registry.client()
    registry.register("single", in_runs=False)
    model_id = logged_ids(registry, "single")[0]
    judged = record(registry.uri, candidate=f"models:/{model_id}")
    first = log([judged])
    model = client.get_logged_model(model_id)
    run_id = model.tags["model_gate.run"]
    assert first == Logged(done=(f"pass -> logged model {model_id} and run {run_id}",))
    assert log([judged]) == first
    run = client.get_run(run_id)
    assert (run.info.run_name, run.info.status) == (f"model gates of {model_id}", "FINISHED")
    assert run.info.experiment_id == model.experiment_id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidate": f"models:/m-{'0' * 32}"}, f"models:/m-{'0' * 32}: The logged model 'm-{'0' * 32}' is gone: its verdict was not logged. Nothing is lost: the local report has it."),
        ({"candidate": "models:/credit/9"}, "models:/credit/9: Version 9 of 'credit' is gone from the registry: its verdict was not logged. Nothing is lost: the local report has it."),
        ({"candidate": "model.skops"}, "model.skops: 'model.skops' is no model of MLflow, so its verdict cannot be logged there. Log verdicts of models:/... and runs:/... candidates only."),
        ({"roles": ()}, "gate credit: its candidate could not be opened, so there is no place to log it: run the gate again when it can"),
        ({"tracking_uri": "http://***@mlflow.example"}, "models:/credit/2: The registry at http://***@mlflow.example has a password in its address, which records do not keep. Set MLFLOW_TRACKING_URI (and MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD) instead of the gate's tracking_uri."),
    ],
)  # fmt: skip
def test_what_cannot_be_logged(registry, change: dict[str, object], message: str) -> None:
    logged = log([record(**{"uri": registry.uri, **change})])
    assert [" ".join(text.split()) for text in logged.failed] == [message]
    assert not logged.done


def test_a_dead_server_is_said(unused_port: int) -> None:
    logged = log([record(f"http://127.0.0.1:{unused_port}")])
    assert not logged.done
    assert logged.failed[0].startswith(
        f"models:/credit/2: The MLflow server http://127.0.0.1:{unused_port} cannot be reached, so "
    )


def test_a_tracker_of_ones_own() -> None:
    from pytest_model_gate import hookimpl

    class Notes:
        def __init__(self) -> None:
            self.seen: list[TrackerEntry] = []

        def log(self, entry: TrackerEntry) -> str:
            self.seen.append(entry)
            if entry.verdict != "pass":
                raise RuntimeError("no room for s3://key:secret@bucket")
            return "the notebook"

    class Extension:
        notes = Notes()

        @hookimpl
        def model_gate_tracker(self, name: str, context: SourceContext) -> Notes | None:
            return self.notes if name == "notes" else None

    registry = build_registry([Extension()])
    other = record(candidate="models:/credit/3", verdict=Verdict.INVALID)
    logged = log_verdicts([record(), other], {"credit": ""}, tracker="notes", registry=registry)
    assert logged.done == ("pass -> the notebook",)
    assert logged.failed == ("models:/credit/3: RuntimeError: no room for s3://***@bucket",)
    assert [entry.candidate for entry in Extension.notes.seen] == ["models:/credit/2", "models:/credit/3"]


def test_a_tracker_that_nobody_has() -> None:
    logged = log_verdicts([record()], {"credit": ""}, tracker="mlflw", registry=build_registry())
    assert logged.failed == ("models:/credit/2: No tracker is called 'mlflw'. Did you mean 'mlflow'?",)


@pytest.mark.mlflow_server
def test_a_server(named: Callable[[str], object]) -> None:
    registry = named("logged")
    logged = log([record(registry.uri, candidate="models:/logged/2")])
    assert not logged.failed
    version = registry.client().get_model_version("logged", "2")
    assert version.tags["model_gate.verdict"] == "pass"
    paths = [file.path for file in registry.client().list_artifacts(version.run_id, "model_gate")]
    assert paths == ["model_gate/credit.json", "model_gate/credit.txt"]
    check_logged_model(registry, "logged")
    its = logged_ids(registry, "logged")[2]
    assert version_of(SourceContext(tracking_uri=registry.uri), its) == ("logged", "3")


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelGateError, match="There is no MLflow store at sqlite:///"):
        MlflowTracker(SourceContext(root=str(tmp_path), tracking_uri="sqlite:///no.db")).log(
            next(entries([record()], {"credit": ""}))
        )
