"""One model gives the same numbers through every route: five models of the flights, in all their forms.

The table of docs/reference/model-routes.md says which route supports which; every cell of it is tried.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flights_serving import serving
from flights_task import FILES, MODELS, Flights, log_to_mlflow, make

from pytest_model_gate.gate.evaluate import Evaluation
from pytest_model_gate.gate.fingerprint import prediction_digest
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.gate.role_model import RoleModel
from pytest_model_gate.results import Line, Verdict
from pytest_model_gate.spec import Contracts, GateSpec, SliceSpec
from systems.wandb_standin import Collection, wandb_standin

__all__ = ["wandb_standin"]

pytestmark = pytest.mark.flights

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "model-routes.md"
HEADS = ("XGBoost", "LightGBM", "CatBoost", "ONNX", "scikit-learn")
REGISTRY = build_registry()


def table() -> dict[str, dict[str, str]]:
    """Return route -> model -> what the page says."""
    lines = re.findall(r"^\| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    assert tuple(cells[0]) == ("route", *HEADS)
    return {row[0]: dict(zip(MODELS, row[1:], strict=True)) for row in cells[1:]}


@dataclass(frozen=True)
class Judged:
    """What a gate says of a candidate, whatever it is called."""

    lines: tuple[Line, ...]
    predictions: str


@dataclass(frozen=True)
class Project:
    """The models, and the gate that judges them."""

    task: Flights
    spec: GateSpec

    def evaluation(self, candidate: str, **keys: Any) -> Evaluation:
        spec = replace(self.spec, candidate=candidate, **keys)
        return Evaluation(checked(spec, REGISTRY), REGISTRY, pin=True)

    def judged(self, candidate: str, **keys: Any) -> Judged:
        evaluation = self.evaluation(candidate, **keys)
        record = evaluation.record()
        assert record.lines, [finding.problem for check in record.checks for finding in check.findings]
        return Judged(record.lines, prediction_digest(evaluation._judged, ["candidate"]))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("flights")
    spec = GateSpec(
        name="flights",
        candidate="",
        production="production.skops",
        baseline="prior",
        dataset="holdout.csv",
        target="late",
        key="flight_id",
        metrics=("roc_auc", "log_loss", "brier_score", "f1"),
        slices=(SliceSpec(by="origin"),),
        root=str(root),
    )
    return Project(make(root), spec)


@pytest.fixture(scope="session")
def reference(project: Project) -> dict[str, Judged]:
    """What a gate says of each model in its library's own file."""
    return {name: project.judged(FILES[name]) for name in MODELS}


@pytest.fixture(scope="session")
def logged(project: Project, mlflow_server: tuple[str, Path]) -> dict[str, dict[str, str]]:
    return log_to_mlflow(mlflow_server[0], project.task)


@pytest.fixture(scope="session")
def served(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(project.task, tmp_path_factory.mktemp("served")) as url:
        yield url


@pytest.fixture
def names(request: pytest.FixtureRequest) -> Callable[[str, str], tuple[str, dict[str, Any]]]:
    """Return what makes a route for a model, and how a gate names it."""
    project: Project = request.getfixturevalue("project")

    def named(route: str, model: str) -> tuple[str, dict[str, Any]]:
        made = ROUTES[route](model, project, request.getfixturevalue)
        return made if isinstance(made, tuple) else (made, {})

    return named


# --------------------------------------------------------------------------------------------- the routes

Get = Callable[[str], Any]


def command(form: str) -> Any:
    # Asked once: that a command says the same again is tried elsewhere, and each start takes a second.
    once = {"contracts": Contracts(determinism=False, row_independence=False)}
    line = f"exec{form}:{shlex.quote(sys.executable)} served.py {{}} {'csv' if form else 'arrow'}"
    return lambda model, project, get: (line.format(model), once)


def from_mlflow(pattern: str) -> Any:
    def source(model: str, project: Project, get: Get) -> tuple[str, dict[str, Any]]:
        ids = get("logged")[model]
        return pattern.format(model=model, **ids), {"tracking_uri": get("mlflow_server")[0]}

    return source


def folder(model: str, project: Project, get: Get) -> str:
    """Return the folder that ``save_model`` wrote."""
    assert get("logged")
    return f"folders/{model}"


def in_wandb(model: str, project: Project, get: Get) -> str:
    standin = get("wandb_standin")
    standin.collections[f"flights-{model}"] = Collection("model")
    content = (project.task.root / FILES[model]).read_bytes()
    standin.collections[f"flights-{model}"].add({FILES[model]: content}, "champion")
    return f"wandb:team/credit/flights-{model}:champion"


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another virtual environment, whose packages are those of this one."""
    path = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(path, with_pip=False)
    python = path / "bin" / "python"
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.check_output(command, text=True).strip())
    import pytest_model_gate

    package = Path(pytest_model_gate.__file__).parents[1]
    (site / "all.pth").write_text(f"{package}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return python


def scored_elsewhere(model: str, project: Project, get: Get) -> str:
    output = f"elsewhere-{model}.parquet"
    done = subprocess.run(
        [
            *(get("elsewhere"), "-m", "pytest_model_gate", "score", FILES[model], "holdout.csv"),
            *("-o", output, "--key", "flight_id", "--classes", "0,1"),
        ],
        cwd=project.task.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = re.search(rf'"(predictions:{output}#\S+)" with key = "flight_id"', done.stdout)
    assert found, done.stdout
    return found[1]


def predictions(suffix: str) -> Any:
    """Write the answer of the model in memory."""

    def source(model: str, project: Project, get: Get) -> str:
        said = project.task.own_answer(model)
        frame = pd.DataFrame({"flight_id": project.task.holdout["flight_id"], "p": said[:, 1]})
        frame = frame.sample(frac=1, random_state=0)
        path = project.task.root / f"{model}-scores{suffix}"
        if suffix == ".parquet":
            frame.to_parquet(path, index=False)
        elif suffix == ".csv":
            frame.to_csv(path, index=False)
        elif suffix == ".feather":
            frame.reset_index(drop=True).to_feather(path)
        else:
            lines = (
                json.dumps({"flight_id": int(key), "p": value}) for key, value in frame.to_numpy().tolist()
            )
            path.write_text("\n".join(lines), encoding="utf-8")
        return f"predictions:{path.name}#p"

    return source


ROUTES: dict[str, Any] = {
    "its own file: `.ubj`, `.txt`, `.cbm`, `.onnx`, `.skops`": lambda model, project, get: FILES[model],
    "XGBoost's `.json`, of an `XGBClassifier`": lambda model, project, get: f"{model}.json",
    "XGBoost's `.json`, of a native `Booster`": lambda model, project, get: f"{model}-booster.json",
    "`.skops`": lambda model, project, get: f"{model}.skops",
    "`.joblib`": lambda model, project, get: f"{model}.joblib",
    "`.pkl`, `.pickle`": lambda model, project, get: f"{model}.pkl",
    "`.pkl` of a native `Booster`": lambda model, project, get: f"{model}-booster.pkl",
    "`python:`, the object itself, or a function for ONNX": lambda model, project, get: (
        f"python:served:{model}_itself"
    ),
    "`python:`, an object of your own with `predict_proba`": lambda model, project, get: (
        f"python:served:{model}_asked"
    ),
    "`exec:`, rows as Arrow": command(""),
    "`exec+csv:`, rows as CSV": command("+csv"),
    "`models:/name@alias`": from_mlflow("models:/flights-{model}@challenger"),
    "`models:/name/1`": from_mlflow("models:/flights-{model}/1"),
    "`models:/m-<id>` of a logged model": from_mlflow("models:/{logged}"),
    "`runs:/<id>/model`": from_mlflow("runs:/{run}/model"),
    "`mlflow-search:`": from_mlflow("mlflow-search:flights-{model}?order_by=metrics.val_auc DESC"),
    "a folder that MLflow wrote": folder,
    "MLflow's `python_function`": from_mlflow("models:/flights-{model}-function/1"),
    "`wandb:`, its own file in an artifact": in_wandb,
    "`http://…/invocations`, served by MLflow": lambda model, project, get: (
        f"{get('served')}/{model}/invocations"
    ),
    "`model-gate score` in another environment": scored_elsewhere,
    "`predictions:`, `.parquet`": predictions(".parquet"),
    "`predictions:`, `.csv`": predictions(".csv"),
    "`predictions:`, `.feather`": predictions(".feather"),
    "`predictions:`, `.jsonl`": predictions(".jsonl"),
}
CALLED = "the fixture `candidate_model`, called by a test"
MARKS = {"MLflow": "mlflow_server", "models:": "mlflow_server", "runs:": "mlflow_server"}
MARKS |= {
    "mlflow-search": "mlflow_server",
    "wandb": "wandb_standin",
    "invocations": "mlflow_serving",
    "exec": "slow",
    "score`": "slow",
}


def cells(*kinds: str) -> list[Any]:
    """Return the routes and models for which the page says one of these, marked by what they start."""
    return [
        pytest.param(
            route, model, marks=[getattr(pytest.mark, mark) for word, mark in MARKS.items() if word in route]
        )
        for route, row in table().items()
        for model, said in row.items()
        if said in kinds and route != CALLED
    ]


# ---------------------------------------------------------------------------------------------- the tests


def test_the_page_names_the_routes_that_are_tried() -> None:
    said = table()
    assert list(said) == [*ROUTES, CALLED]
    assert {cell for row in said.values() for cell in row.values()} == {"yes", "trusted", "no"}
    assert set(said[CALLED].values()) == {"yes"}


@pytest.mark.parametrize("model", MODELS)
def test_the_reference_is_what_the_model_says_in_memory(model, project, reference):
    evaluation = project.evaluation(FILES[model])
    evaluation.record()
    said = evaluation._judged.predicted["candidate"].probability
    np.testing.assert_array_equal(
        said if said.ndim == 1 else said[:, 1], project.task.own_answer(model)[:, 1]
    )
    # All questions, all metrics, all origins; and other numbers than those of any other model.
    assert len(reference[model].lines) == 4 * 4 + 4
    assert {line.verdict for line in reference[model].lines} <= set(Verdict) - {
        Verdict.ERROR,
        Verdict.INVALID,
    }
    assert all(line.interval is not None for line in reference[model].lines)
    assert len({judged.predictions for judged in reference.values()}) == len(MODELS)


@pytest.mark.parametrize(("route", "model"), cells("yes"))
def test_the_same_numbers(route, model, project, reference, names):
    source, keys = names(route, model)
    assert project.judged(source, **keys) == reference[model]


@pytest.mark.parametrize(("route", "model"), cells("trusted"))
def test_the_same_numbers_where_it_is_trusted(route, model, project, reference, names):
    source, keys = names(route, model)
    record = project.evaluation(source, **keys).record()
    assert (record.verdict, record.lines) == (Verdict.INVALID, ())
    (check,) = (check for check in record.checks if check.fails)
    assert check.findings[0].problem.startswith(f"'{source}' is not trusted: ")
    trusted = source.partition(":")[0] + ":*" if source.startswith("exec") else source
    assert project.judged(source, trusted_sources=(trusted,), **keys) == reference[model]


@pytest.mark.parametrize("model", MODELS)
def test_the_same_numbers_from_a_cache(model, project, reference, monkeypatch, tmp_path):
    monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path))
    for from_cache in (False, True):
        record = project.evaluation(FILES[model], cache=True).record()
        assert [role.from_cache for role in record.roles if role.role == "candidate"] == [from_cache]
        assert project.judged(FILES[model], cache=True) == reference[model]


@pytest.mark.parametrize("model", MODELS)
def test_the_fixture_called_by_a_test(model, project):
    evaluation = project.evaluation(FILES[model])
    found = RoleModel.of("candidate", evaluation._inputs.models["candidate"], "classification")
    said = found.predict_proba(project.task.holdout)
    np.testing.assert_array_equal(said[:, 1], project.task.own_answer(model)[:, 1])


def test_an_altered_model_has_other_numbers(project, reference):
    """Otherwise the tests above would show nothing."""
    said = project.task.own_answer("lightgbm")[:, 1].copy()
    said[7] = np.nextafter(said[7], 1)
    frame = pd.DataFrame({"flight_id": project.task.holdout["flight_id"], "p": said})
    frame.to_parquet(project.task.root / "altered.parquet", index=False)
    assert project.judged("predictions:altered.parquet#p").predictions != reference["lightgbm"].predictions


def test_catboost_as_json_is_refused(project):
    project.task.fitted["catboost"].save_model(str(project.task.root / "catboost.json"), format="json")
    record = project.evaluation("catboost.json").record()
    (check,) = (check for check in record.checks if check.fails)
    assert (check.findings[0].problem, check.findings[0].remedy) == (
        "'catboost.json' is a CatBoost model as JSON, whose predictions have other last digits than those of "
        "the model that was saved.",
        "Write it with model.save_model('model.cbm').",
    )
