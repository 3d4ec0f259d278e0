"""What pytest loads at every start: options, the marker, the fixtures. Standard library and pytest only.

Everything else is imported when a marked test is collected, so that a run without gates pays a few
milliseconds at most. State lives in ``config.stash`` and in plugins that are unregistered at the end:
runs of pytest inside of pytest don't see each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pandas as pd

    from ..gate.role_model import RoleModel
    from .fixture import ModelGate

MARKER = (
    "model_gate(name=None, /, *, candidate, production, baseline, dataset, target, metrics, ...): "
    "fail this test if the candidate model is worse than production. 'name' is a gate declared in "
    "[tool.model_gate.gates.NAME]; the keywords are the keys of such a table and go before it. A marked "
    "test that makes no gate assertion itself is judged as a whole gate after its body has passed."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; nothing is computed here, because every start of pytest comes through."""
    # House rules for help texts, as in pytest and xdist: start with a capital letter; a single phrase
    # ends without a period, several end with periods.
    group = parser.getgroup("model gate")
    for role in ("candidate", "production", "baseline"):
        group.addoption(
            f"--gate-{role}",
            action="append",
            default=[],
            metavar="[NAME=]SRC",
            help=f"Source of the {role} model, in place of the marker's or the file's. "
            "NAME is the gate, where several are collected. Repeatable.",
        )
    group.addoption(
        "--gate-dataset",
        action="append",
        default=[],
        metavar="[NAME=]SRC",
        help="Source of the dataset, in place of the marker's or the file's. "
        "NAME is the gate, where several are collected. Repeatable.",
    )
    group.addoption(
        "--gate-report",
        action="append",
        default=[],
        metavar="PATH",
        help="Write what the gates found to PATH. The suffix chooses the format: .json, or one that an "
        "extension renders. Repeatable.",
    )
    group.addoption(
        "--gate-pin",
        action="store_true",
        default=False,
        help="Pin the datasets as they are now in model-gate.lock, then judge",
    )
    group.addoption(
        "--gate-advise",
        action="store_true",
        default=False,
        help="Judge and report, but let no gate fail the run",
    )
    group.addoption(
        "--gate-cache",
        action="store_true",
        default=None,
        help="Keep predictions, and take them from there when the same model meets the same rows again",
    )
    group.addoption(
        "--gate-no-cache",
        action="store_false",
        dest="gate_cache",
        help="Score every model now, whatever the gates say",
    )
    group.addoption(
        "--gate-log",
        default=None,
        metavar="TRACKER",
        help="Write the verdicts to the candidates' versions and runs in TRACKER (mlflow, or one that an "
        "extension adds)",
    )
    group.addoption(
        "--gate-promote",
        default=None,
        metavar="ALIAS",
        help="If every gate was judged and passes, let ALIAS of MLflow's registry point to the candidate",
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let conftest files extend the gates."""
    from . import hookspec

    pluginmanager.add_hookspecs(hookspec)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the plugins of this run."""
    config.addinivalue_line("markers", MARKER)
    from . import session

    session.start(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    from . import session

    session.stop(config)


@pytest.fixture
def model_gate(request: pytest.FixtureRequest) -> ModelGate:
    """Ask single questions of the gate that this test is marked with.

    Each assertion fails with the verdict, the numbers and the next step:

        @pytest.mark.model_gate("credit")
        def test_credit(model_gate):
            model_gate.assert_pinned()
            model_gate.assert_schema()
            model_gate.assert_no_regression("roc_auc", max_regression=0.005)
            model_gate.assert_beats_baseline("roc_auc", by=0.02)
            model_gate.assert_at_least("roc_auc", 0.85)

    assert_passes() judges the whole gate, which is also what happens to a marked test that makes
    no such assertion. What was scored once is kept for all tests of the gate.
    """
    from .fixture import ModelGate, gate_of

    return ModelGate(gate_of(request))


@pytest.fixture
def candidate_model(request: pytest.FixtureRequest) -> RoleModel:
    """The loaded candidate model of this test's gate: the one that wants to ship.

    It has .predict(frame) and .predict_proba(frame), which take the model's columns out of a whole
    frame, and .columns, .classes, .source, .resolved (the exact version), .digest and .kind. Loaded once
    for all tests of the gate:

        @pytest.mark.model_gate("credit")
        def test_more_income_is_never_worse(candidate_model, pinned_dataset):
            richer = pinned_dataset.assign(income=pinned_dataset["income"] + 1000)
            before, after = map(candidate_model.predict_proba, (pinned_dataset, richer))
            assert (after[:, 1] <= before[:, 1]).all()
    """
    from .fixture import model_of

    return model_of(request, "candidate")


@pytest.fixture
def production_model(request: pytest.FixtureRequest) -> RoleModel:
    """The loaded production model of this test's gate: the one that serves today.

    As candidate_model. A gate with production="none" (a first release) has no such model.
    """
    from .fixture import model_of

    return model_of(request, "production")


@pytest.fixture
def baseline_model(request: pytest.FixtureRequest) -> RoleModel:
    """The loaded baseline model of this test's gate: the simple one that has to be beaten.

    As candidate_model. The built-in baselines (prior, mean, ...) are computed, not loaded.
    """
    from .fixture import model_of

    return model_of(request, "baseline")


@pytest.fixture
def pinned_dataset(request: pytest.FixtureRequest) -> pd.DataFrame:
    """The dataset of this test's gate as a pandas frame, checked against its pin and its schema.

    Every test gets a copy of its own:

        @pytest.mark.model_gate("credit")
        def test_no_customer_twice(pinned_dataset):
            assert pinned_dataset["customer"].is_unique
    """
    from .fixture import dataset_of

    return dataset_of(request)
