"""The best run of a project of W&B as a model: which one, of how many, and what is said where there is none."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import json

import pytest
import skops.io
from sklearn.dummy import DummyClassifier

from pytest_model_gate.errors import ConfigurationError, EvaluationError, ModelGateError, UnavailableError
from pytest_model_gate.gate.notes import notes
from pytest_model_gate.models import wandb_search
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.models.wandb_search import Search, read_search
from pytest_model_gate.spec import GateSpec, SourceContext
from systems.wandb_standin import Collection, Run, wandb_standin

__all__ = ["wandb_standin"]

pytestmark = pytest.mark.wandb_standin

SOURCE = "wandb-search:team/credit?order=-summary.val_auc"
MODEL = skops.io.dumps(DummyClassifier().fit([[0], [1]], [0, 1]))


class Project:
    """Runs of the stand-in, each with a model of its own name and version."""

    def __init__(self, server):
        self.server = server
        self.url = server.url
        self.days = 0

    def run(self, name, *, models=("scorer",), state="finished", config=None, created=None, **summary):
        self.days += 1
        self.server.runs[name] = Run(
            summary=json.dumps(summary),
            config=json.dumps({key: {"value": value} for key, value in (config or {}).items()}),
            state=state,
            created=created or f"2026-01-{self.days:02}T00:00:00Z",
        )
        for model in models:
            held = self.server.collections.setdefault(model, Collection("model"))
            held.add({"model.skops": MODEL}, run=name)


@pytest.fixture
def project(wandb_standin):
    return Project(wandb_standin)


def opened(source=SOURCE):
    return model_gate_model(source, SourceContext())


def said(source=SOURCE, kind=ModelGateError):
    with pytest.raises(kind) as error:
        opened(source)
    assert type(error.value) is kind
    return str(error.value)


def test_the_best_finished_run_that_logged_a_model(project):
    project.run("r1", val_auc=0.7, loss=0.1)
    project.run("r2", val_auc=0.9, loss=0.3)
    project.run("r3", val_auc=0.95, state="running")
    project.run("r4", val_auc=0.99, state="crashed")
    project.run("r5", val_auc=0.98, models=())
    project.run("r6", loss=0.01)
    model = opened()
    assert model.resolved == "wandb:team/credit/r2#scorer:v1 (best of 3 runs by summary.val_auc)"
    assert model.source == SOURCE
    least = "wandb-search:team/credit?order=+summary_metrics.loss"
    assert opened(least).resolved == "wandb:team/credit/r6#scorer:v4 (best of 3 runs by summary.loss)"
    spec = GateSpec(
        name="g",
        candidate=SOURCE,
        dataset="h.csv",
        target="y",
        production="none",
        metrics=("accuracy",),
        baseline="prior",
    )
    assert notes(spec, {"candidate": model})[0] == (
        "candidate is the best of 3 runs by summary.val_auc: the metric that chose it is optimistic (winner's curse); "
        "what counts is this holdout"
    )


def test_filters_pages_and_ties(project):
    project.server.most_per_page = 2
    for number in range(1, 6):
        project.run(f"r{number}", val_auc=0.9, config={"depth": number})
    project.run("early", val_auc=0.9, created="2025-01-01T00:00:00Z")
    assert opened().resolved == "wandb:team/credit/early#scorer:v5 (best of 6 runs by summary.val_auc)"
    deep = SOURCE + '&filters={"config.depth": {"$gt": 3}}'
    assert opened(deep).resolved == "wandb:team/credit/r4#scorer:v3 (best of 2 runs by summary.val_auc)"
    one = SOURCE + '&filters={"config.depth": 2, "summary_metrics.val_auc": 0.9}'
    assert opened(one).resolved == "wandb:team/credit/r2#scorer:v1 (best of 1 run by summary.val_auc)"
    none = SOURCE + '&filters={"config.depth": 9}'
    assert said(none, UnavailableError) == (
        f"No finished run of team/credit at {project.url} fits the filters '{{\"config.depth\": 9}}'.\n"
        "  Only runs with the state finished are chosen from; check the filters."
    )


def test_numbers_that_are_none(project):
    project.run("r1", val_auc="NaN")
    project.run("r2", val_auc=float("inf"))
    project.run("r3", val_auc=True)
    assert said(kind=UnavailableError) == (
        f"summary.val_auc is no finite number in every finished run of team/credit at {project.url} that has it (3 runs).\n"
        "  Choose by another number, or train again."
    )
    project.run("r4", val_auc={"max": 0.8}, **{"val.auc": 0.7})
    nested, dotted = (
        f"wandb-search:team/credit?order=-summary.{name}" for name in ("val_auc.max", "val.auc")
    )
    assert opened(nested).resolved.endswith("(best of 1 run by summary.val_auc.max)")
    assert opened(dotted).resolved.endswith("(best of 1 run by summary.val.auc)")
    assert said("wandb-search:team/credit?order=-summary.val_acu", UnavailableError) == (
        f"No finished run of team/credit at {project.url} has summary.val_acu.\n  Did you mean 'val_auc'?"
    )
    assert said("wandb-search:team/credit?order=-summary.x", UnavailableError) == (
        f"No finished run of team/credit at {project.url} has summary.x.\n  They have: val.auc, val_auc."
    )


def test_which_of_its_models(project):
    project.run("r1", val_auc=0.9, models=("scorer", "ranker"))
    project.run("r2", val_auc=0.8)
    assert said(kind=ConfigurationError) == (
        "The run team/credit/r1 logged 2 artifacts of type 'model': ranker, scorer.\n"
        f"  Say which one, for example {SOURCE}&model=ranker."
    )
    found = opened(SOURCE + "&model=ranker")
    assert found.resolved == "wandb:team/credit/r1#ranker:v0 (best of 2 runs by summary.val_auc)"
    assert said(SOURCE + "&model=other", UnavailableError) == (
        f"None of the 2 finished runs with summary.val_auc of team/credit at {project.url} logged an artifact 'other'.\n"
        "  Log it in the run that logs the number: run.log_artifact(..., type='model')."
    )


def test_no_run_and_no_model_and_no_project_and_too_many(project, monkeypatch):
    assert said(kind=UnavailableError) == (
        f"No finished run of team/credit at {project.url} is there.\n"
        "  Only runs with the state finished are chosen from: train one."
    )
    for name in ("r1", "r2"):
        project.run(name, val_auc=0.9, models=())
    assert said(kind=UnavailableError) == (
        f"None of the 2 finished runs with summary.val_auc of team/credit at {project.url} logged an artifact of type model.\n"
        "  Log it in the run that logs the number: run.log_artifact(..., type='model')."
    )
    monkeypatch.setattr(wandb_search, "_MOST_ASKED", 1)
    assert said(kind=UnavailableError).startswith(
        "None of the best 1 of the 2 finished runs with summary.val_auc of "
    )
    assert said("wandb-search:team/other?order=-summary.val_auc", UnavailableError) == (
        f"There is no project team/other at {project.url}.\n  Check entity and project, and that WANDB_API_KEY may read it."
    )
    monkeypatch.setattr(wandb_search, "MOST_RUNS", 1)
    assert said(kind=EvaluationError) == (
        f"More than 1 finished runs of team/credit at {project.url} would be chosen from.\n"
        '  Narrow the search by filters, for example &filters={"tags": "release"}.'
    )


_FORM = "Write wandb-search:entity/project?order=-summary.val_auc, with &filters=... for some of its runs."


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("wandb-search:", f"'wandb-search:' names no project.\n  {_FORM}"),
        (
            "wandb-search:credit?order=-summary.a",
            f"'wandb-search:credit?order=-summary.a' names no project.\n  {_FORM}",
        ),
        (
            "wandb-search:t/c",
            f"'wandb-search:t/c' does not say by which number of the summary a run is the best.\n  {_FORM}",
        ),
        (
            "wandb-search:t/c?order=val_auc",
            f"'wandb-search:t/c?order=val_auc' has order = 'val_auc', which is not + or - and one number of the summary.\n  {_FORM}",
        ),
        (
            "wandb-search:t/c?order=-summary.a&filter={}",
            "'wandb-search:t/c?order=-summary.a&filter={}' has an unknown part 'filter'.\n"
            "  Did you mean 'filters'? Within a filter write \"&\" as %26.",
        ),
        (
            "wandb-search:t/c?order=-summary.a&order=-summary.b",
            "'wandb-search:t/c?order=-summary.a&order=-summary.b' has order twice.\n"
            '  Join filters by {"$and": [...]}.',
        ),
        (
            "wandb-search:t/c?order=-summary.a&filters={a}",
            "The filters '{a}' are no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1).\n"
            '  Write them as the client of W&B takes them: {"config.depth": 4}.',
        ),
        (
            "wandb-search:t/c?order=-summary.a&filters=4",
            "The filters '4' are no object of JSON.\n"
            '  Write them as the client of W&B takes them: {"config.depth": 4}.',
        ),
    ],
)
def test_what_cannot_be_searched_for_needs_no_server(source, message):
    assert said(source, ConfigurationError) == message


def test_names_are_unquoted():
    assert read_search("wandb-search:t/c?order=-summary.a%26b&model=m") == Search("t/c", "", "a&b", True, "m")
