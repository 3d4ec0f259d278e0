"""The best run of an experiment as a model: which one, of how many, and what is said where there is none."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pytest_model_gate.data.ledger import LEDGER_NAME, Use, parse
from pytest_model_gate.errors import ConfigurationError, EvaluationError, ModelGateError, UnavailableError
from pytest_model_gate.gate.evaluate import evaluate
from pytest_model_gate.gate.notes import notes
from pytest_model_gate.models import mlflow_search
from pytest_model_gate.models.mlflow_search import Search, read_search
from pytest_model_gate.spec import GateSpec

pytestmark = pytest.mark.mlflow_server


@dataclass
class Experiment:
    """An experiment of a real server, run by run."""

    uri: str
    name: str
    id: str
    model: Any

    def client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def run(self, *, models: tuple[str, ...] = ("model",), status: str = "FINISHED", **metrics: float) -> str:
        import mlflow

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlflow.set_tracking_uri(self.uri)
            try:
                with mlflow.start_run(experiment_id=self.id) as run:
                    mlflow.log_param("depth", len(metrics))
                    for name, value in metrics.items():
                        mlflow.log_metric(name, value)
                    for name in models:
                        mlflow.sklearn.log_model(self.model, name=name, pip_requirements=["mlflow"])
                if status != "FINISHED":
                    self.client().set_terminated(run.info.run_id, status)
            finally:
                mlflow.set_tracking_uri(None)
        return str(run.info.run_id)


@pytest.fixture
def experiment(server_store: Any, request: pytest.FixtureRequest) -> Experiment:
    from mlflow import MlflowClient

    name = f"search/{request.node.name}"
    id_ = MlflowClient(tracking_uri=server_store.uri).create_experiment(name)
    return Experiment(server_store.uri, name, id_, server_store.models["linear"])


@pytest.fixture
def refused(experiment: Experiment, load: Callable[..., Any]) -> Callable[..., str]:
    """Open a source that cannot be opened, and return the error with its address made one word."""

    def said(rest: str, kind: type[ModelGateError], name: str = "") -> str:
        with pytest.raises(kind) as caught:
            load(f"mlflow-search:{name or experiment.name}{rest}", tracking_uri=experiment.uri)
        text = f"{caught.value.what} | {caught.value.remedy}"
        return text.replace(experiment.uri, "URI").replace(experiment.name, "NAME")

    return said


def test_the_best_of_those_that_can_be_chosen(experiment, load, data):
    experiment.run(val_auc=0.7)
    best = experiment.run(val_auc=0.9, val_loss=0.5)
    experiment.run(val_auc=0.9)  # as good, and later
    experiment.run(val_auc=0.99, status="FAILED")
    experiment.run(val_auc=0.99, models=())
    experiment.run(val_auc=float("nan"))
    experiment.run(val_auc=float("inf"))
    experiment.run(val_loss=0.1)
    source = f"mlflow-search:{experiment.name}?order_by=metrics.val_auc DESC"
    model = load(source, tracking_uri=experiment.uri)
    assert model.source == source
    assert model.resolved == f"runs:/{best}/model (best of 3 runs by metrics.val_auc)"
    assert model.digest == load(f"runs:/{best}/model", tracking_uri=experiment.uri).digest
    expected = experiment.model.predict_proba(data.numbers)
    np.testing.assert_array_equal(model.predict(data.numbers, "probability"), expected)
    gate = GateSpec(
        name="g", candidate=source, production="none", dataset="d", target="y", metrics=("roc_auc",)
    )
    assert notes(gate, {"candidate": model})[0] == (
        "candidate is the best of 3 runs by metrics.val_auc: the metric that chose it is optimistic "
        "(winner's curse); what counts is this holdout"
    )


def test_the_smallest_within_a_filter(experiment, load):
    experiment.run(val_loss=0.1)
    best = experiment.run(val_loss=0.3, val_auc=0.8)
    source = f"mlflow-search:{experiment.name}?filter=params.depth = '2'&order_by=metrics.val_loss asc"
    model = load(source, tracking_uri=experiment.uri)
    assert model.resolved == f"runs:/{best}/model (best of 1 run by metrics.val_loss)"


def test_one_of_several_models(experiment, load, refused):
    run = experiment.run(val_auc=0.8, models=("first", "second"))
    order = "?order_by=metrics.val_auc DESC"
    assert refused(order, ConfigurationError) == (
        f"The best run, {run}, has 2 models: first, second. | Say which one: &model=first."
    )
    assert refused(f"{order}&model=secnd", UnavailableError) == (
        f"The best run, {run}, has no model 'secnd'. | Did you mean 'second'?"
    )
    model = load(f"mlflow-search:{experiment.name}{order}&model=second", tracking_uri=experiment.uri)
    assert model.resolved == f"runs:/{run}/second (best of 1 run by metrics.val_auc)"


def test_models_that_were_files_of_a_run(experiment, load, tmp_path):
    """As MLflow 2 logged them: files below the run, and a tag that says where."""
    import mlflow

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(experiment.model, str(tmp_path / "old"), pip_requirements=["mlflow"])
    run = experiment.run(val_auc=0.6, models=())
    experiment.client().log_artifacts(run, str(tmp_path / "old"), "old/model")
    noted = json.dumps([{"artifact_path": "old/model", "run_id": run}])
    experiment.client().set_tag(run, "mlflow.log-model.history", noted)
    source = f"mlflow-search:{experiment.name}?order_by=metrics.val_auc DESC"
    assert load(source, tracking_uri=experiment.uri).resolved == (
        f"runs:/{run}/old/model (best of 1 run by metrics.val_auc)"
    )


def test_nothing_to_choose_from(experiment, refused):
    order = "?order_by=metrics.val_auc DESC"
    assert refused(order, UnavailableError) == (
        "No finished run of experiment 'NAME' at URI is there. | "
        "Only runs with the status FINISHED are chosen from: train one."
    )
    experiment.run(val_acu=0.5)
    assert refused(order, UnavailableError) == (
        "No finished run of experiment 'NAME' at URI has metrics.val_auc. | Did you mean 'val_acu'?"
    )
    assert refused(f"{order}&filter=params.depth = '7'", UnavailableError) == (
        "No finished run of experiment 'NAME' at URI fits the filter \"params.depth = '7'\". | "
        "Only runs with the status FINISHED are chosen from; check the filter."
    )
    experiment.run(val_auc=float("nan"))
    assert refused(order, UnavailableError) == (
        "metrics.val_auc is NaN or infinite in every finished run of experiment 'NAME' at URI that has it "
        "(1 run). | Choose by another metric, or train again."
    )
    experiment.run(val_auc=0.5, models=())
    assert refused(order, UnavailableError) == (
        "None of the 1 finished run with metrics.val_auc of experiment 'NAME' at URI logged a model. | "
        "Log it in the run that logs the metric: mlflow.sklearn.log_model(model, name='model')."
    )


def test_no_experiment(experiment, refused):
    order = "?order_by=metrics.val_auc DESC"
    assert refused(order, UnavailableError, name=experiment.name[:-1]) == (
        f"There is no experiment '{experiment.name[:-1]}' at URI. | Did you mean 'NAME'?"
    )
    experiment.client().delete_experiment(experiment.id)
    assert refused(order, UnavailableError) == (
        "The experiment 'NAME' was deleted at URI. | "
        f"Restore it: mlflow experiments restore --experiment-id {experiment.id}"
    )


def test_a_filter_that_mlflow_does_not_understand(refused):
    assert refused("?order_by=metrics.a DESC&filter=params.x = 4", ConfigurationError) == (
        "MLflow does not understand the filter 'params.x = 4': Expected a quoted string value for parameter "
        "(e.g. 'my-value'). Got value 4. | "
        "Write it as MLflow does: metrics.val_auc > 0.8 and params.depth = '4'."
    )


def test_a_secret_in_a_filter_is_in_no_message(experiment, refused):
    filter_ = "tags.api_key = 's3cret' and params.x = 4"
    said = refused(f"?order_by=metrics.a DESC&filter={filter_}", ConfigurationError)
    assert "the filter \"tags.api_key = '***' and params.x = 4\"" in said
    assert "s3cret" not in said
    said = refused("?order_by=metrics.a DESC&filter=tags.token = 's3cret'", UnavailableError)
    assert "fits the filter \"tags.token = '***'\"" in said


def test_numbers_of_a_gate_choose_no_candidate(load):
    with pytest.raises(ConfigurationError) as caught:
        load("mlflow-search:credit?order_by=metrics.model_gate/credit/roc_auc/gain DESC")
    assert str(caught.value) == (
        "'mlflow-search:credit?order_by=metrics.model_gate/credit/roc_auc/gain DESC' orders by "
        "'model_gate/credit/roc_auc/gain', which a gate found on its holdout: rows that choose the candidate "
        "cannot judge it any more.\n"
        "  Order by a metric of other rows, such as those that training validates on."
    )


def test_a_search_is_bounded(experiment, refused, monkeypatch):
    for value in (0.1, 0.2, 0.3):
        experiment.run(a=value, models=())
    monkeypatch.setattr(mlflow_search, "_PAGE", 2)
    monkeypatch.setattr(mlflow_search, "MOST_RUNS", 2)
    assert refused("?order_by=metrics.a DESC", EvaluationError) == (
        "More than 2 finished runs of experiment 'NAME' at URI would be chosen from. | "
        "Narrow the search by a filter, for example &filter=attributes.start_time > 1760000000000."
    )
    monkeypatch.setattr(mlflow_search, "MOST_RUNS", 3)
    assert "None of the 3 finished runs" in refused("?order_by=metrics.a DESC", UnavailableError)


def test_a_dead_server(load, unused_port):
    uri = f"http://127.0.0.1:{unused_port}"
    with pytest.raises(UnavailableError, match=re.escape(f"The MLflow server {uri} cannot be reached")):
        load("mlflow-search:credit?order_by=metrics.a DESC", tracking_uri=uri)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("mlflow-search:", "names no experiment"),
        ("mlflow-search:credit", "does not say by which metric a run is the best"),
        (
            "mlflow-search:credit?order_by=val_auc DESC",
            "has order_by = 'val_auc DESC', which is not one metric and ASC or DESC",
        ),
        (
            "mlflow-search:credit?order_by=metrics.val_auc",
            "has order_by = 'metrics.val_auc', which is not one metric and ASC or DESC",
        ),
    ],
)
def test_what_is_no_search(load, source, problem):
    with pytest.raises(ConfigurationError) as caught:
        load(source)
    assert caught.value.what == f"'{source}' {problem}."
    assert caught.value.remedy == (
        "Write mlflow-search:EXPERIMENT?order_by=metrics.val_auc DESC, with &filter=... for some of its runs."
    )


def test_unknown_and_repeated_parts(load):
    with pytest.raises(ConfigurationError) as caught:
        load("mlflow-search:credit?orderby=metrics.a DESC")
    assert caught.value.what == (
        "'mlflow-search:credit?orderby=metrics.a DESC' has an unknown part 'orderby'."
    )
    assert caught.value.remedy == "Did you mean 'order_by'? Within a filter write \"&\" as %26."
    with pytest.raises(ConfigurationError, match=r"has filter twice\."):
        load("mlflow-search:credit?filter=a&filter=b&order_by=metrics.a DESC")


def test_names_with_spaces_and_signs():
    found = read_search("mlflow-search:a%3Fb c?order_by=metrics.`val auc` desc&filter=tags.a = 'x%26y'")
    assert found == Search("a?b c", "tags.a = 'x&y'", "val auc", True, "")


def test_the_best_run_is_judged_and_counted_with_how_many_it_was_chosen_from(experiment, data, tmp_path):
    """A better run is another candidate, and so another use of the holdout."""
    data.numbers.assign(label=data.label).to_parquet(tmp_path / "holdout.parquet")
    spec = GateSpec(
        name="credit",
        candidate=f"mlflow-search:{experiment.name}?order_by=metrics.val_auc DESC",
        production="none",
        baseline="prior",
        dataset="holdout.parquet",
        target="label",
        metrics=("accuracy",),
        holdout_budget=5,
        tracking_uri=experiment.uri,
        root=str(tmp_path),
    )

    def judged(number: int, best: str, among: int) -> None:
        record = evaluate(spec, pin=True)
        chosen = f"best of {among} runs by metrics.val_auc"
        resolved = f"runs:/{best}/model ({chosen})"
        assert record.lines, record.reason
        assert (record.holdout.number, record.holdout.budget) == (number, 5)
        assert record.roles[0].resolved == resolved
        assert (
            f"candidate is the {chosen}: the metric that chose it is optimistic (winner's curse); what "
            "counts is this holdout"
        ) in record.notes
        uses = [entry for entry in parse((tmp_path / LEDGER_NAME).read_bytes()) if isinstance(entry, Use)]
        assert {(use.number, use.model) for use in uses if use.number == number} == {(number, resolved)}

    experiment.run(val_auc=0.7)
    first = experiment.run(val_auc=0.8)
    judged(1, first, 2)
    judged(1, first, 2)
    experiment.model = LogisticRegression().fit(data.numbers[:50], data.label[:50])
    better = experiment.run(val_auc=0.9)
    judged(2, better, 3)
