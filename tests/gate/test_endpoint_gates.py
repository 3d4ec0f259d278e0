"""Gates on models that are served elsewhere: what a record keeps of them, and what may not pass."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pytest_model_gate.cli import main
from pytest_model_gate.errors import ConfigurationError, EvaluationError
from pytest_model_gate.gate.candidates import evaluation_of
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.pinning import trust_model
from pytest_model_gate.gate.promotion import promotion
from pytest_model_gate.models.identity import digest_of_answers
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import OperationLimit, Operations


def probability(asked, slope=2.0):
    pairs = zip(asked.column("x"), asked.column("z"), strict=True)
    return [1 / (1 + math.exp(-slope * (x + z))) for x, z in pairs]


def answer(slope=2.0):
    return lambda asked: asked.reply(200, {"predictions": probability(asked, slope)})


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_ROWS", "100")
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_RETRIES", "0")


@pytest.fixture
def source(scripted):
    scripted.answer = answer()
    return f"{scripted.url}/invocations"


def role(record, name):
    return next(each for each in record.roles if each.role == name)


def failing(record):
    return [(check.name, check.findings[0].problem) for check in record.checks if check.fails]


def test_a_record_keeps_the_digest_of_the_answers(project, source, scripted, scripted_too, monkeypatch):
    scripted_too.answer = answer(2.001)
    keys = {"candidate": source, "production": f"{scripted_too.url}/invocations"}
    record = project.record(**keys)
    assert record.verdict is Verdict.PASS, record.reason
    candidate, production = role(record, "candidate"), role(record, "production")
    assert (candidate.kind, candidate.source, candidate.resolved) == ("endpoint", source, source)
    said = 1 / (1 + np.exp(-2.0 * (project.frame["x"] + project.frame["z"])))
    exact = [
        1 / (1 + math.exp(-2.0 * (x + z)))
        for x, z in zip(project.frame["x"], project.frame["z"], strict=True)
    ]
    np.testing.assert_allclose(said, exact)
    assert candidate.digest == digest_of_answers({"probability": np.array(exact)})
    assert production.digest != candidate.digest
    unknown = "its digest is of the answers that it gave, and its server names no version of the model"
    assert record.notes[:2] == (
        f"the candidate is an endpoint: {unknown}",
        f"the production is an endpoint: {unknown}",
    )
    # Neither the requests nor their order are seen in what is kept.
    for rows, at_once in (("7", "8"), ("100000", "1")):
        monkeypatch.setenv("MODEL_GATE_ENDPOINT_ROWS", rows)
        monkeypatch.setenv("MODEL_GATE_ENDPOINT_CONCURRENCY", at_once)
        again = project.record(pin=False, **keys)
        assert (again.roles, again.lines) == (record.roles, record.lines)


def test_a_version_that_the_server_names(project, scripted):
    scripted.about = lambda asked: asked.reply(200, {"name": "credit", "versions": ["3", "4"], "inputs": []})

    def infer(asked):
        said = probability(asked)
        outputs = [{"name": "p", "datatype": "FP64", "shape": [len(said)], "data": said}]
        asked.reply(200, {"model_name": "credit", "model_version": "4", "outputs": outputs})

    scripted.answer = infer
    record = project.record(candidate=f"{scripted.url}/v2/models/credit")
    assert record.verdict is Verdict.PASS, record.reason
    assert role(record, "candidate").resolved == f"{scripted.url}/v2/models/credit/versions/4"
    assert record.notes[0] == "the candidate is an endpoint: its digest is of the answers that it gave"
    # No version of a registry: what passed cannot be what an alias would point to.
    with pytest.raises(ConfigurationError) as caught:
        promotion([record], "champion")
    assert str(caught.value) == (
        f"Nothing is promoted: the candidate {scripted.url}/v2/models/credit is no registered version of a "
        'model.\n  Judge a version of the registry: candidate = "models:/name@challenger".'
    )


def test_a_model_that_is_swapped_while_it_is_judged(project, source, scripted):
    """Without a version nobody says so; the rows that are asked again do."""
    calls = iter(range(10_000))
    requests = math.ceil(len(project.frame) / 100)

    def swapped(asked):
        asked.reply(200, {"predictions": probability(asked, 2.0 if next(calls) < requests // 2 else 1.9)})

    scripted.answer = swapped
    record = project.record(candidate=source)
    assert record.verdict is Verdict.INVALID
    ((name, problem),) = failing(record)
    assert name == "contract"
    assert problem.startswith("the candidate predicts a row otherwise in another batch or order of rows: ")


def test_predictions_that_are_none(project, source, scripted):
    scripted.answer = lambda asked: asked.reply(200, {"predictions": [None, *probability(asked)[1:]]})
    record = project.record(candidate=source)
    assert record.verdict is Verdict.INVALID
    ((name, problem),) = failing(record)
    requests, rows = math.ceil(len(project.frame) / 100), len(project.frame)
    assert name == "candidate"
    assert problem == f"gave a probability that is not a finite number in {requests} of {rows:,} rows"


def test_a_dead_server_is_an_error_of_both_roles_and_waited_for_once(project, scripted, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_TIMEOUT", "0.3")
    scripted.about = lambda asked: scripted.over.wait(5)
    sources = {name: f"{scripted.url}/{name}/invocations" for name in ("candidate", "production")}
    record = project.record(**sources)
    assert record.verdict is Verdict.ERROR
    problem = f"The server {scripted.url} of '{sources['candidate']}' did not answer within 0.3 seconds."
    assert failing(record) == [("candidate", problem), ("production", problem)]
    assert {asked.path for asked in scripted.seen} == {"/candidate/version"}


def test_what_a_served_model_costs(project, source):
    costs = Operations(
        latency_per_row=OperationLimit(max=1.0),
        memory=OperationLimit(max=1e9),
        artifact_size=OperationLimit(max=1e9),
        batch=50,
    )
    record = project.record(candidate=source, production="python:gate_rows:missing", operations=costs)
    assert record.verdict is Verdict.ERROR  # the production is none: nothing is measured
    record = project.record(
        pin=False, candidate=source, production="none", operations=costs, baseline="prior"
    )
    found = {item.name: item for item in record.operations}
    assert found["latency_per_row"].verdict is Verdict.PASS
    assert found["latency_per_row"].candidate > 0
    assert found["memory"].reason == "nothing was measured: the candidate is served elsewhere"
    assert found["artifact_size"].reason == (
        f"nothing was measured: '{source}' has no files whose size could be told"
    )


def test_several_endpoints_on_one_holdout(project, source, scripted_too):
    scripted_too.answer = answer(1.5)
    other = f"{scripted_too.url}/invocations"
    spec = replace(project.spec, candidate=source, candidates=(source, other))
    record = evaluation_of(checked(spec, project.registry), project.registry, pin=True).record()
    assert record.leaderboard is not None
    chosen = role(record, "candidate")
    alone = project.record(pin=False, candidate=chosen.source)
    assert role(alone, "candidate").digest == chosen.digest != ""


# -------------------------------------------------------------------------------------------- the shell


def test_verify_says_what_answers(scripted, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    source = f"{scripted.url}/invocations"
    rest = "runs code  no\ntrust      needs none: it runs elsewhere; a gate sends it rows\n"
    digest = "digest     none: it is served elsewhere; a gate records the digest of its answers\n"
    assert main(["verify", source]) == 0
    assert capsys.readouterr().out == (
        f"source     {source}\n{digest}"
        f"format     endpoint, /invocations (its server does not say what it is)\n{rest}"
    )
    scripted.about = lambda asked: asked.reply(200, b"3.17.2")
    assert main(["verify", source]) == 0
    assert capsys.readouterr().out == (
        f"source     {source}\nversion    {source} (MLflow 3.17.2)\n{digest}"
        f"format     endpoint, /invocations (MLflow 3.17.2)\n{rest}"
    )
    scripted.about = lambda asked: asked.reply(
        200,
        {"name": "mlserver", "version": "1.7.1"}
        if asked.path == "/v2"
        else {"name": "credit", "versions": ["3"], "platform": "sklearn", "inputs": []},
    )
    assert main(["verify", f"{scripted.url}/v2/models/credit"]) == 0
    assert capsys.readouterr().out == (
        f"source     {scripted.url}/v2/models/credit\nversion    {scripted.url}/v2/models/credit/versions/3\n"
        f"{digest}format     endpoint, Open Inference Protocol (mlserver 1.7.1, sklearn)\n{rest}"
    )
    assert scripted.asked == []  # no row was sent


def test_verify_of_a_server_that_is_not_there(unused_port, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["verify", f"http://127.0.0.1:{unused_port}/invocations"]) == 2
    assert "cannot be reached: it refuses connections." in capsys.readouterr().err


def test_score_writes_what_an_endpoint_says(source, scripted, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = pd.DataFrame({"id": range(250), "x": np.linspace(-1, 1, 250), "z": 0.0, "y": 0})
    rows.to_parquet("rows.parquet", index=False)
    arguments = [source, "rows.parquet", "-o", "s.parquet", "--key", "id", "--without", "y"]
    assert main(["score", *arguments]) == 0
    out = capsys.readouterr().out
    assert f"model      {source} (no digest)\n" in out
    written = pq.read_table("s.parquet").to_pandas()
    np.testing.assert_array_equal(written["prediction"], [1 / (1 + math.exp(-2.0 * x)) for x in rows["x"]])
    assert {tuple(asked.body["dataframe_split"]["columns"]) for asked in scripted.asked} == {("x", "z")}


def test_an_endpoint_cannot_be_pinned(project, source):
    with pytest.raises(EvaluationError) as caught:
        trust_model(project.spec, project.registry, source)
    assert str(caught.value) == (
        f"{source} is served elsewhere, and has no content that could be pinned.\n"
        "  It needs no pin, as nothing of it runs here; name its version in the source: "
        ".../v2/models/NAME/versions/3"
    )
