"""Models of MLflow: resolve a name or a search to one version, copy its files, load from the copy."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, EvaluationError, ModelGateError, UnavailableError
from ..mlflow_calls import (
    DOWNLOAD_LIMITS,
    RESOLVE_LIMITS,
    Server,
    calling,
    check_store,
    explain,
    is_missing,
    server_of,
)
from ..redact import redact
from ..spec import SourceContext
from ..wording import did_you_mean, shorten, some_values
from .identity import Identity, digest_of_files
from .mlflow_search import PREFIX, best_run, read_search
from .mlmodel import model_in
from .mlmodel_folder import model_files
from .private import opened_in_private
from .trust import check_pin

if TYPE_CHECKING:
    from ..hooks import ModelProtocol

_MODEL = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")
_LOGGED = re.compile(r"models:/(?P<id>m-[0-9a-f]{32})")
_RUN = re.compile(r"runs:/(?P<run>[^/]+)/(?P<path>[^/].*)")


@dataclass(frozen=True, slots=True)
class _Found:
    """Where one version of a model lies."""

    source: str
    resolved: str
    location: str
    below: str
    server: Server


def open_mlflow(source: str, context: SourceContext) -> ModelProtocol:
    """Load a registered model or a model of a run.

    An alias is asked for once; what it meant then is what is downloaded and recorded, also if it is
    moved meanwhile. The digest is over all files of the model (see ``identity.digest_of_files``).
    """

    def open_in(folder: Path) -> tuple[ModelProtocol, bool]:
        found = _find(source, context)
        try:
            identity, path = _copy(found, folder)
            check_pin(identity, context)
            return model_in(identity, path, context)
        except ModelGateError as error:
            error.resolved = found.resolved  # the verdict is about this version, though it did not open
            raise

    return opened_in_private(open_in)


def identify(source: str, context: SourceContext) -> Identity:
    """Return which model a source means, with the digest of its files; nothing is loaded."""
    with downloaded(source, context) as (identity, _):
        return identity


@contextmanager
def downloaded(source: str, context: SourceContext) -> Iterator[tuple[Identity, Path]]:
    """Download a model for a while, and return which one it is and where its files lie; nothing is loaded."""
    with tempfile.TemporaryDirectory(prefix="model-gate-") as folder:
        yield _copy(_find(source, context), Path(folder))


def _find(source: str, context: SourceContext) -> _Found:
    model, run, logged = _MODEL.fullmatch(source), _RUN.fullmatch(source), _LOGGED.fullmatch(source)
    searched = source.startswith(PREFIX)
    if searched:
        read_search(source)  # what is wrong with it needs no server
    elif not model and not run and not logged:
        raise ConfigurationError(
            f"'{redact(source)}' is no MLflow model.",
            "Write models:/name@alias, models:/name/3, models:/m-<id> or runs:/run-id/path.",
        )
    try:
        with calling(RESOLVE_LIMITS):
            server = server_of(context)
            if not model:
                server = replace(server, registry=server.tracking)  # a run and its models are no matter of it
            check_store(server)
            from mlflow import MlflowClient

            client = MlflowClient(tracking_uri=server.tracking, registry_uri=server.registry)
            if model:
                version = model["version"] or _version_of_alias(client, model["name"], model["alias"], server)
                location = _location_of_version(client, model["name"], version, server)
                return _Found(source, f"models:/{model['name']}/{version}", location, "", server)
            if searched:
                best = best_run(client, source, server)
                location, below = _location_in_run(client, best.run, best.model, server)
                return _Found(source, best.resolved, location, below, server)
            if logged:
                return _Found(source, source, _location_of_logged(client, logged["id"], server), "", server)
            assert run is not None
            location, below = _location_in_run(client, run["run"], run["path"], server)
            return _Found(source, source, location, below, server)
    except ModelGateError:
        raise
    except Exception as error:  # noqa: BLE001 - MLflow lets errors of requests, SQLAlchemy and others through
        raise explain(error, source, server) from None


def _copy(found: _Found, folder: Path) -> tuple[Identity, Path]:
    """Download a model, and return which one it is and where its files lie."""
    path = _download(found.source, found.resolved, found.location, found.below, folder, found.server)
    if path.is_file():
        path = path.parent
    digest = digest_of_files(dict(model_files(path)))
    return Identity(source=found.source, resolved=found.resolved, digest=digest), path


def _download(source: str, resolved: str, location: str, below: str, folder: Path, server: Server) -> Path:
    try:
        with calling(DOWNLOAD_LIMITS):
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            repository = get_artifact_repository(
                location, tracking_uri=server.tracking, registry_uri=server.registry
            )
            path = Path(repository.download_artifacts(below, str(folder)))
    except Exception as error:  # noqa: BLE001 - every artifact store has its own errors
        if is_missing(error) or isinstance(error, FileNotFoundError):
            raise _no_files(source, resolved, location, below) from None
        raise explain(error, source, server) from None
    if not any(file.is_file() for file in (path.rglob("*") if path.is_dir() else [path])):
        raise _no_files(source, resolved, location, below)
    return path


def _no_files(source: str, resolved: str, location: str, below: str) -> UnavailableError:
    what = f"'{source}'" if source == resolved else f"'{source}' ({resolved})"
    where = redact(location.rstrip("/") + ("/" + below if below else ""))
    return UnavailableError(
        f"{what} has no files at {where}.",
        "Check the path after the run's id."
        if source.startswith("runs:")
        else "Its files were deleted or moved after it was registered: register it again.",
    )


def _version_of_alias(client: Any, name: str, alias: str, server: Server) -> str:
    try:
        return str(client.get_model_version_by_alias(name, alias).version)
    except Exception as error:
        if not is_missing(error):
            raise
    aliases = _registered(client, name, server).aliases
    raise UnavailableError(
        f"The model '{name}' has no alias '{alias}' in the registry at {server.shown}.",
        did_you_mean(alias, aliases, f"It has: {', '.join(sorted(aliases)) or 'no alias'}.")
        if aliases
        else "It has no alias at all: set one with "
        f"MlflowClient().set_registered_model_alias({name!r}, {alias!r}, version).",
    )


def _location_of_version(client: Any, name: str, version: str, server: Server) -> str:
    try:
        return str(client.get_model_version_download_uri(name, version))
    except Exception as error:
        if not is_missing(error):
            raise
    _registered(client, name, server)
    versions = sorted(int(found.version) for found in client.search_model_versions(f"name='{name}'"))
    raise UnavailableError(
        f"The model '{name}' has no version {version} in the registry at {server.shown}.",
        f"It has: {some_values(versions)}." if versions else "It has no version at all.",
    )


def _location_of_logged(client: Any, model_id: str, server: Server) -> str:
    """Return where the files of a logged model lie: it has an id of its own, and need not be registered."""
    try:
        found = client.get_logged_model(model_id)
    except Exception as error:
        if not is_missing(error):
            raise
        raise UnavailableError(
            f"There is no logged model '{model_id}' at {redact(server.tracking)}.",
            f"Check the id, and that {server.setting} is the right one.",
        ) from None
    if str(found.status) != "READY":
        raise UnavailableError(
            f"The logged model '{model_id}' is {found.status}, and not READY.",
            "Wait until it is, or log it again.",
        )
    return str(found.artifact_location)


def _registered(client: Any, name: str, server: Server) -> Any:
    try:
        return client.get_registered_model(name)
    except Exception as error:
        if not is_missing(error):
            raise
    names = [found.name for found in client.search_registered_models(max_results=1000)]
    raise UnavailableError(
        f"There is no model '{name}' in the registry at {server.shown}.",
        did_you_mean(name, names, f"Check the name, and that {server.setting} is the right one."),
    )


def _location_in_run(client: Any, run_id: str, path: str, server: Server) -> tuple[str, str]:
    """Return where a model of a run lies: the artifacts of a logged model, or the run's own."""
    try:
        run = client.get_run(run_id)
    except Exception as error:
        if not is_missing(error):
            raise
        raise UnavailableError(
            f"There is no run '{run_id}' at {redact(server.tracking)}.",
            f"Check the id, and that {server.setting} is the right one.",
        ) from None
    name, _, below = path.partition("/")
    if "'" in name:
        raise EvaluationError(
            f"The name {shorten(name)!r} cannot be looked up: it has a quote in it.",
            "Log the model with another name.",
        )
    found = client.search_logged_models(
        experiment_ids=[run.info.experiment_id], filter_string=f"name = '{name}'"
    )
    logged = [one for one in found if one.source_run_id == run_id]
    if logged:
        newest = max(logged, key=lambda one: one.creation_timestamp)
        return str(newest.artifact_location), below
    return str(run.info.artifact_uri), path
