"""A server that asks who it is: by password and by token, right, wrong, and without the permission."""
# ruff: noqa: E501 - whole messages stay on one line

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from registries import Registry
from test_aliases import wish
from test_log import log, record

from pytest_model_gate.data.ledger import Reset
from pytest_model_gate.data.ledger_mlflow import MlflowLedger
from pytest_model_gate.errors import ModelGateError
from pytest_model_gate.gate.promoting import promote
from pytest_model_gate.gate.promotion import Promotion
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.spec import SourceContext
from systems.mlflow_server import MlflowServer

pytestmark = pytest.mark.mlflow_server

ADMIN = ("admin", "password-of-admin")
VARIABLES = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
SETTINGS = """
[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/users.db
admin_username = admin
authorization_function = token_of_ann:authenticate
"""
#: MLflow knows users and passwords; a token is something that a server is taught.
TOKEN = """
from flask import request
from mlflow.server.auth import authenticate_request_basic_auth
from werkzeug.datastructures import Authorization

def authenticate():
    if request.headers.get("Authorization") == "Bearer token-of-ann":
        return Authorization("basic", {"username": "ann", "password": ""})
    return authenticate_request_basic_auth()
"""
NOT_KNOWN = (
    "it answered 401. Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
)
NOT_ALLOWED = (
    "needs: it answered 403. Loading needs the permission READ; logging verdicts, promoting and counting uses need EDIT. "
    "MLFLOW_TRACKING_USERNAME or MLFLOW_TRACKING_TOKEN say who asks."
)


@dataclass(frozen=True)
class Guarded:
    """A server with the model ``credit``: ann may edit, ben may read, eve may nothing."""

    uri: str
    asked: Promotion


def be(patch: pytest.MonkeyPatch, user: str = "", password: str = "", token: str = "") -> None:
    for name, value in zip(VARIABLES, (user, password, token), strict=True):
        if value:
            patch.setenv(name, value)
        else:
            patch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, rows) -> Iterator[Guarded]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports the whole server
        from mlflow.server.auth.client import AuthServiceClient

    folder = tmp_path_factory.mktemp("guarded")
    (folder / "settings.ini").write_text(SETTINGS.format(folder=folder.as_posix()))
    (folder / "token_of_ann.py").write_text(TOKEN)
    server = MlflowServer(
        folder,
        arguments=("--app-name", "basic-auth"),
        environment={
            "MLFLOW_AUTH_CONFIG_PATH": str(folder / "settings.ini"),
            "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "of these tests",
            "PYTHONPATH": str(folder),
        },
    ).start()
    with pytest.MonkeyPatch.context() as patch:
        be(patch, *ADMIN)
        try:
            registry = Registry(server.uri, rows)
            registry.register("credit")
            MlflowLedger(SourceContext(tracking_uri=server.uri)).create(settle=0)
            users, client = AuthServiceClient(server.uri), registry.client()
            things = [("registered_model", "credit")]
            for name in ("credit", "model-gate-ledger"):
                things.append(("experiment", client.get_experiment_by_name(name).experiment_id))
            for user in ("ann", "ben", "eve"):
                users.create_user(user, f"password-of-{user}")
            for user, permission in (("ann", "EDIT"), ("eve", "DENY")):
                for kind, name in things:
                    users.grant_user_permission(user, kind, name, permission)
            asked = wish(registry)
            be(patch)
            yield Guarded(server.uri, asked)
        finally:
            server.stop()


def attempts(guarded: Guarded, folder: Path) -> dict[str, str]:
    """Try everything that asks the server, and return what was said."""
    context = SourceContext(root=str(folder), tracking_uri=guarded.uri)
    reset = Reset(dataset="d", source="s", period=1, reason="why", date="2030", commit="")
    tries = {
        "load": lambda: model_gate_model("models:/credit@worse", context).resolved,
        "search": lambda: model_gate_model("mlflow-search:credit?order_by=metrics.no DESC", context).resolved,
        "promote": lambda: promote(guarded.asked, settle=0),
        "read": lambda: str(MlflowLedger(context).read()[1]),
        "count": lambda: MlflowLedger(context).change(lambda _: ("counted", [reset])),
    }
    said = {}
    for name, act in tries.items():
        try:
            said[name] = act()
        except ModelGateError as error:
            said[name] = f"{error.what} {error.remedy}"
    logged = log([record(guarded.uri)])
    said["log"] = (*logged.done, *logged.failed)[0]
    return said


def refused(guarded: Guarded, verb: str, why: str, **instead: str) -> dict[str, str]:
    def text(source: str) -> str:
        return f"The MLflow server {guarded.uri} {verb} '{source}'{why}"

    return {
        "load": text("models:/credit@worse"),
        "search": text("mlflow-search:credit?order_by=metrics.no DESC"),
        "promote": text("models:/credit@champion"),
        "read": text("mlflow:model-gate-ledger"),
        "count": text("mlflow:model-gate-ledger"),
        "log": f"models:/credit/2: {text('models:/credit/2')}",
        **instead,
    }


@pytest.mark.parametrize(
    "who", [("ann", "wrong"), ("nobody", "password-of-ann"), ("", "", "token-of-bob"), ()]
)
def test_who_is_not_known(guarded: Guarded, who: tuple[str, ...], monkeypatch, tmp_path: Path) -> None:
    be(monkeypatch, *who)
    assert attempts(guarded, tmp_path) == refused(guarded, "refused to open", f": {NOT_KNOWN}")


def test_who_may_nothing(guarded: Guarded, monkeypatch, tmp_path: Path) -> None:
    be(monkeypatch, "eve", "password-of-eve")
    assert attempts(guarded, tmp_path) == refused(guarded, "forbids what", f" {NOT_ALLOWED}")


def test_who_may_read(guarded: Guarded, monkeypatch, tmp_path: Path) -> None:
    be(monkeypatch, "ben", "password-of-ben")
    said = attempts(guarded, tmp_path)
    assert said.pop("search").startswith(
        f"No finished run of experiment 'credit' at {guarded.uri} has metrics.no."
    )
    expected = refused(guarded, "forbids what", f" {NOT_ALLOWED}", load="models:/credit/3", read="True")
    del expected["search"]
    assert said == expected


@pytest.mark.parametrize("who", [("ann", "password-of-ann"), ("", "", "token-of-ann")])
def test_who_may_write(guarded: Guarded, who: tuple[str, ...], monkeypatch, tmp_path: Path) -> None:
    be(monkeypatch, *who)
    said = attempts(guarded, tmp_path)
    assert said["load"] == "models:/credit/3"
    assert (said["read"], said["count"]) == ("True", "counted")
    assert said["promote"] in (
        "credit@champion moved from version 1 to version 2",
        "credit@champion is version 2 already",
    )
    assert said["log"].startswith("pass -> version 2 of credit and run ")
