"""``mlflow-dataset:run-id/name``: the dataset that a run of MLflow says it used, opened where it lies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from ...errors import ConfigurationError, EvaluationError, InvalidError, ModelGateError, UnavailableError
from ...hooks import DatasetProtocol, version_of
from ...mlflow_calls import RESOLVE_LIMITS, calling, check_store, explain, is_missing, server_of
from ...redact import redact
from ...spec import SourceContext
from ...wording import did_you_mean, shorten, some
from .mlflow_digest import mlflow_digest

PREFIX = "mlflow-dataset:"
_SOURCE = re.compile(r"(?P<run>[^/@]+)/(?P<name>[^@]+)(?:@(?P<digest>[^@]+))?")
#: Kinds of sources that MLflow records without saying where the rows lie.
_NO_PLACE = {
    "code": "MLflow recorded only which program made it",
    "hugging_face": "MLflow recorded only its name on a hub, where it may change",
    "mlflow_evaluation_dataset": "its rows lie in the tracking server",
    "spark": "it is a table of a Spark session",
}


def open_source(source: str, context: SourceContext) -> DatasetProtocol:
    """Open what lies where a run read its dataset from.

    All of it is hashed here, because MLflow's digest knows only the first 10,000 rows. Where that one can be
    made again and is another, what lies there is not what the run used.
    """
    shown = redact(source)
    found = _SOURCE.fullmatch(source.removeprefix(PREFIX))
    if not found:
        raise ConfigurationError(
            f"'{shown}' names no dataset of a run.",
            "Write mlflow-dataset:run-id/name, or mlflow-dataset:run-id/name@digest where the run used "
            "several of that name.",
        )
    recorded = _recorded(shown, found["run"], found["name"], found["digest"], context)
    inner = _place(shown, recorded)
    agreed = context.pinned_versions.get(shown)
    pinned = MappingProxyType({redact(inner): agreed} if agreed else {})
    from .builtin import model_gate_dataset

    try:
        dataset: DatasetProtocol | None = model_gate_dataset(inner, replace(context, pinned_versions=pinned))
    except ModelGateError as error:
        error.what = f"'{shown}' was read from {redact(inner)}: {error.what}"
        raise
    if dataset is None:
        raise EvaluationError(
            f"'{shown}' was read from {redact(inner)}, which no dataset source knows.",
            "Copy it to where it can be read, and name that as the dataset.",
        )
    said = _compare(shown, inner, recorded, dataset)
    where = f"{dataset.resolved} version {version_of(dataset)}" if version_of(dataset) else dataset.resolved
    dataset.source = shown
    dataset.resolved = f"{redact(where)} (input of run {found['run']}, {said})"
    return dataset


def _recorded(shown: str, run_id: str, name: str, digest: str | None, context: SourceContext) -> Any:
    """Return what MLflow knows of the dataset."""
    try:
        with calling(RESOLVE_LIMITS):
            server = server_of(context)
            server = replace(server, registry=server.tracking)
            check_store(server)
            from mlflow import MlflowClient

            client = MlflowClient(tracking_uri=server.tracking, registry_uri=server.registry)
            try:
                run = client.get_run(run_id)
            except Exception as error:
                if not is_missing(error):
                    raise
                raise UnavailableError(
                    f"There is no run '{shorten(run_id)}' at {server.shown}.",
                    f"Check the id, and that {server.setting} is the right one.",
                ) from None
    except ModelGateError:
        raise
    except Exception as error:  # noqa: BLE001 - MLflow lets errors of requests, SQLAlchemy and others through
        raise explain(error, shown, server) from None
    if run.info.lifecycle_stage == "deleted":
        raise UnavailableError(
            f"The run '{run_id}' at {server.shown} was deleted.",
            f"Restore it (mlflow runs restore --run-id {run_id}), or name another run.",
        )
    inputs = [item.dataset for item in (run.inputs.dataset_inputs if run.inputs else ())]
    named = {item.digest: item for item in inputs if item.name == name}
    if not named:
        names = sorted({item.name for item in inputs})
        raise UnavailableError(
            f"The run '{run_id}' at {server.shown} has no dataset '{shorten(name)}'.",
            did_you_mean(name, names, f"It has: {some(names)}." if names else "It logged none (log_input)."),
        )
    if digest is not None and digest not in named:
        raise UnavailableError(
            f"The run '{run_id}' at {server.shown} has no dataset '{shorten(name)}' with the digest "
            f"{shorten(digest)}.",
            f"It has: {some(sorted(named))}.",
        )
    if digest is None and len(named) > 1:
        raise ConfigurationError(
            f"The run '{run_id}' used {len(named)} datasets named '{shorten(name)}'.",
            f"Say which one: {', '.join(f'{shown}@{one}' for one in sorted(named))}.",
        )
    return named[digest or next(iter(named))]


def _place(shown: str, recorded: Any) -> str:
    """Return the dataset source for what MLflow calls the source."""
    held = _parsed(recorded.source)
    kind = str(recorded.source_type)
    if kind == "delta_table" and held.get("path"):
        version = held.get("delta_table_version")
        return f"delta:{_path(str(held['path']))}" + (f"@{version}" if version is not None else "")
    address = held.get("uri") or held.get("url")
    if kind in _NO_PLACE or not address:
        why = _NO_PLACE.get(kind, f"its source is of the kind '{shorten(kind)}'")
        raise EvaluationError(
            f"'{shown}' cannot be opened: {why}.",
            "Log it with a source that can be read again: mlflow.data.from_pandas(frame, source=path).",
        )
    return _path(str(address))


def _path(address: str) -> str:
    """Return a path for what is a file of this machine."""
    return unquote(urlsplit(address).path) if address.startswith("file:") else address


def _parsed(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _compare(shown: str, inner: str, recorded: Any, dataset: DatasetProtocol) -> str:
    """Return what there is to say of MLflow's own digest, or raise where it is another."""
    profile = _parsed(recorded.profile)
    lies_there = f"'{shown}' is not what the run used: what lies at {redact(inner)} has"
    remedy = (
        "Somebody changed it, or the run changed the rows after it had read them. If what lies there is "
        "meant, name it itself as the dataset."
    )
    rows = profile.get("num_rows")
    if isinstance(rows, int) and rows != dataset.rows:
        raise InvalidError(f"{lies_there} {dataset.rows:,} rows, and the run used {rows:,}.", remedy)
    # Other kinds of datasets have other digests; only a pandas frame's can be made again.
    if "num_elements" not in profile or not re.fullmatch("[0-9a-f]{8}", str(recorded.digest)):
        return f"MLflow's digest {shorten(str(recorded.digest))} not comparable"
    own = mlflow_digest(dataset)
    if own != recorded.digest:
        raise InvalidError(
            f"{lies_there} MLflow's digest {own}, and the run's was {recorded.digest}.",
            remedy,
        )
    return f"MLflow's digest {own} agrees"
