"""What a run has to have found before an alias may move: every objection by itself."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_model_gate.errors import ConfigurationError, EvaluationError, InvalidError
from pytest_model_gate.gate.promotion import Promotion, promotion
from pytest_model_gate.report import run as runs
from pytest_model_gate.report.run import NotJudged, Run
from pytest_model_gate.results import DatasetRecord, GateRecord, RoleRecord, Verdict
from pytest_model_gate.spec import SourceContext
from pytest_model_gate.tracking.registered import version_of


def role(name: str, source: str, resolved: str, digest: str = "sha256:1") -> RoleRecord:
    return RoleRecord(role=name, source=source, resolved=resolved, digest=digest, kind="sklearn")


CANDIDATE = role("candidate", "models:/credit@challenger", "models:/credit/12")
PRODUCTION = role("production", "models:/credit@champion", "models:/credit/11", "sha256:0")
DATA = DatasetRecord(
    source="h.parquet", resolved="h.parquet", digest="sha256:d", pin="pinned", rows=9, rows_used=9
)
RECORD = GateRecord(
    gate="credit",
    decision="",
    verdict=Verdict.PASS,
    reason="2 lines judged",
    alpha=0.05,
    roles=(CANDIDATE, PRODUCTION),
    dataset=DATA,
    policy="sha256:p",
)


def test_what_may_move() -> None:
    other = replace(RECORD, gate="fairness", policy="sha256:q")
    assert promotion([RECORD, other], "champion") == Promotion(
        model="credit",
        version="12",
        alias="champion",
        expected="11",
        digest="sha256:1",
        gates=("credit", "fairness"),
        datasets=(("h.parquet", "sha256:d"),),
        policies=(("credit", "sha256:p"), ("fairness", "sha256:q")),
        tracking_uri="",
        waived=(),
    )


def test_a_first_release_needs_that_there_is_no_alias() -> None:
    assert promotion([replace(RECORD, roles=(CANDIDATE,))], "champion").expected == ""


@pytest.mark.parametrize(
    ("records", "kind", "message"),
    [
        (
            [],
            ConfigurationError,
            "Nothing is promoted: no gate was judged. Mark a test with @pytest.mark.model_gate.",
        ),
        (
            [RECORD, replace(RECORD, gate="fairness", verdict=Verdict.INCONCLUSIVE, reason="few rows")],
            InvalidError,
            "Nothing is promoted: gate fairness is INCONCLUSIVE: few rows. A candidate ships when every gate that judged it has passed.",
        ),
        (
            [replace(RECORD, roles=(PRODUCTION,), verdict=Verdict.ERROR, reason="no server")],
            InvalidError,
            "Nothing is promoted: gate credit has no candidate: no server. Repair it and run the gates again.",
        ),
        (
            [
                RECORD,
                replace(RECORD, gate="other", roles=(role("candidate", "m.skops", "m.skops"), PRODUCTION)),
            ],
            ConfigurationError,
            "Nothing is promoted: the gates judged 2 candidates: models:/credit/12, m.skops. Promote one model at a time: keep its gates in a folder with a pyproject.toml of its own.",
        ),
        *(
            (
                [replace(RECORD, roles=(role("candidate", source, resolved), PRODUCTION))],
                ConfigurationError,
                f"Nothing is promoted: {source} is held by Weights & Biases, where an alias cannot be moved only if it still means what was compared with. Let the deployment ask for model_gate/verdict (--gate-log wandb), or promote in MLflow.",
            )
            for source, resolved in {
                "wandb:team/credit/scorer:challenger": "wandb:team/credit/scorer:v3",
                "wandb-search:t/c?order=-summary.a": "wandb:t/c/r1#scorer:v3 (best of 7 runs by summary.a)",
                "wandb-offline:run": f"wandb-offline:run#scorer:{'0' * 32} (run credit/r1)",
            }.items()
        ),
        (
            [replace(RECORD, roles=(role("candidate", "m.skops", "m.skops"), PRODUCTION))],
            ConfigurationError,
            'Nothing is promoted: the candidate m.skops is no registered version of a model. Judge a version of the registry: candidate = "models:/name@challenger".',
        ),
        (
            [replace(RECORD, asked="no_regression(roc_auc)")],
            InvalidError,
            "Nothing is promoted: of gate credit only parts were asked; models ship by whole gates. Let its test make no assertion of its own, or call model_gate.assert_passes().",
        ),
        (
            [replace(RECORD, dataset=replace(DATA, pin="pinned now"))],
            InvalidError,
            "Nothing is promoted: the dataset of gate credit is pinned now; nobody had agreed to it. Commit model-gate.lock, and judge without --gate-pin.",
        ),
        (
            [replace(RECORD, dataset=None)],
            InvalidError,
            "Nothing is promoted: the dataset of gate credit is missing; nobody had agreed to it. Commit model-gate.lock, and judge without --gate-pin.",
        ),
        (
            [
                replace(
                    RECORD, roles=(CANDIDATE, role("production", "models:/credit/11", "models:/credit/11"))
                )
            ],
            ConfigurationError,
            'Nothing is promoted: gate credit compared with models:/credit/11, and models:/credit@champion is what would be replaced. Judge against it: production = "models:/credit@champion".',
        ),
        (
            [
                replace(
                    RECORD,
                    roles=(CANDIDATE, role("production", "models:/loans@champion", "models:/loans/11")),
                )
            ],
            ConfigurationError,
            'Nothing is promoted: gate credit compared with models:/loans@champion, and models:/credit@champion is what would be replaced. Judge against it: production = "models:/credit@champion".',
        ),
        (
            [
                RECORD,
                replace(
                    RECORD, gate="late", roles=(CANDIDATE, replace(PRODUCTION, resolved="models:/credit/13"))
                ),
            ],
            EvaluationError,
            "Nothing is promoted: the alias 'champion' moved while the gates ran: they compared with 11, 13. Run them again.",
        ),
        (
            [RECORD, replace(RECORD, gate="far", tracking_uri="http://b.example")],
            ConfigurationError,
            "Nothing is promoted: the gates have several values of tracking_uri: , http://b.example. Promote one model at a time: keep its gates in a folder with a pyproject.toml of its own.",
        ),
    ],
)
def test_what_may_not_move(records: list[GateRecord], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as found:
        promotion(records, "champion")
    assert type(found.value) is kind
    assert f"{found.value.what} {found.value.remedy}" == message


@pytest.mark.parametrize(
    ("run", "objection"),
    [
        (Run(advise=True), "the run only advised (--gate-advise)"),
        (Run(problems=("worker gw0 died",)), "worker gw0 died"),
        (
            Run(not_judged=(NotJudged(gate="late", test="t", reason="deselected", fails=False),)),
            "gate late was not judged: deselected",
        ),
        (Run(complete=False), "the run did not come to its end"),
        (
            Run(tested=(runs.Tested(test="t.py::t", gate="credit", records=(RECORD,), outcome="failed"),)),
            "t.py::t failed",
        ),
    ],
)
def test_a_run_that_is_not_believed(run: Run, objection: str) -> None:
    assert list(run.objections()) == [objection]
    with pytest.raises(InvalidError) as found:
        promotion([RECORD], "champion", objections=tuple(run.objections()))
    assert (
        f"{found.value.what} {found.value.remedy}"
        == f"Nothing is promoted: {objection}. Run all gates to their end."
    )


def test_a_run_without_objections() -> None:
    tested = runs.Tested(test="t.py::t", gate="credit", records=(RECORD,), outcome="passed")
    assert not list(Run(tested=(tested,)).objections())


LOGGED = f"models:/m-{'1' * 32}"


def test_a_logged_model_moves_as_the_version_that_it_is_registered_as() -> None:
    judged = replace(
        RECORD, roles=(role("candidate", LOGGED, LOGGED), PRODUCTION), tracking_uri="sqlite:///x.db"
    )
    asked = []

    def registered(model_id: str, uri: str) -> tuple[str, str]:
        asked.append((model_id, uri))
        return "credit", "12"

    found = promotion([judged], "champion", registered=registered)
    assert (found.model, found.version, found.expected, found.logged) == ("credit", "12", "11", LOGGED)
    assert asked == [("m-" + "1" * 32, "sqlite:///x.db")]
    with pytest.raises(InvalidError, match="gate credit is REGRESSED"):
        promotion([replace(judged, verdict=Verdict.REGRESSED)], "champion", registered=registered)
    assert len(asked) == 1
    with pytest.raises(
        ConfigurationError, match="compared with models:/credit@champion, and models:/loans@champion"
    ):
        promotion([judged], "champion", registered=lambda *_: ("loans", "1"))


def test_a_logged_model_is_registered_as_exactly_one_version(registry, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.uri)  # MLflow looks there for what is registered
    client, context = registry.client(), SourceContext(tracking_uri=registry.uri)
    source = client.get_model_version("credit", "3").source
    model_id = source.removeprefix("models:/")
    assert version_of(context, model_id) == ("credit", "3")

    client.create_registered_model("shadow")
    again = client.get_logged_model(model_id)
    client.create_model_version("shadow", source, run_id=again.source_run_id)
    with pytest.raises(ConfigurationError) as found:
        version_of(context, model_id)
    assert (found.value.what, found.value.remedy) == (
        f"Nothing is promoted: the logged model '{model_id}' is registered as 2 versions: models:/credit/3, models:/shadow/1.",
        'Judge the one that is meant: candidate = "models:/credit/3".',
    )

    loose = client.create_logged_model(again.experiment_id, name="loose").model_id
    with pytest.raises(ConfigurationError) as found:
        version_of(context, loose)
    assert (found.value.what, found.value.remedy) == (
        f"Nothing is promoted: the logged model '{loose}' is no registered version of a model.",
        f'Register it (mlflow.register_model("models:/{loose}", "name")), and run the gates again.',
    )
