"""Verdicts to MLflow: tags on the version, logged model or run; numbers and the report on the run behind it.

The order makes a half-written entry harmless: the verdict is taken back first and set last, so that who asks
for ``model_gate.verdict = pass`` finds it only where everything else has arrived.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, UnavailableError
from ..mlflow_calls import RESOLVE_LIMITS, connected, is_missing
from ..results import TrackerEntry
from ..spec import SourceContext
from .entry import PREFIX, WRITING

if TYPE_CHECKING:
    from mlflow import MlflowClient

_VERSION = re.compile(r"models:/(?P<name>[^/@]+)/(?P<version>\d+)")
_LOGGED = re.compile(r"models:/(?P<id>m-[0-9a-f]{32})")
_RUN = re.compile(r"runs:/(?P<run>[^/]+)/.+")
#: Tag of a model that came from no run: the run that was made for its verdicts.
_OWN_RUN = f"{PREFIX}.run"
#: MLflow refuses longer values of tags.
_TAG = 4_000
#: MLflow takes so many numbers in one call.
_BATCH = 1_000


class MlflowTracker:
    """One MLflow server.

    Parameters
    ----------
    context : SourceContext
        Says where the server is, as for models.
    """

    def __init__(self, context: SourceContext) -> None:
        self._context = context

    def log(self, entry: TrackerEntry) -> str:
        """Write one entry, and return where it is, in words. Writing it again changes nothing.

        Raises
        ------
        ModelGateError
            If the candidate is none of MLflow, or the server did not take all of it.
        """
        forms = (_VERSION, _LOGGED, _RUN)
        found = next(filter(None, (form.fullmatch(entry.candidate) for form in forms)), None)
        if found is None:
            raise ConfigurationError(
                f"'{entry.candidate}' is no model of MLflow, so its verdict cannot be logged there.",
                "Log verdicts of models:/... and runs:/... candidates only.",
            )
        # The first call tells quickly whether the server is there; later ones may take longer.
        with connected(self._context, entry.candidate, RESOLVE_LIMITS) as client:
            place = _place(client, found)
            known = _known(client, place)
        with connected(self._context, entry.candidate) as client:
            place.tag(client, {f"{PREFIX}.verdict": WRITING})
            if not place.run_id:
                place = replace(place, run_id=_new_run(client, place))
                place.tag(client, {_OWN_RUN: place.run_id})
            _log_run(client, place, entry, known)
            place.tag(client, entry.tags)
            place.tag(client, {f"{PREFIX}.verdict": entry.verdict})
        return place.said


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the verdict on one candidate is written.

    Parameters
    ----------
    run_id : str
        The run that the candidate came from, or that was made for its verdicts. Empty: none yet.
    name, version : str
        A version of the registry. Empty: it is none.
    logged : str
        Id of a logged model; of a version: of the one that it was registered from. Empty: none.
    """

    run_id: str
    name: str = ""
    version: str = ""
    logged: str = ""

    @property
    def model(self) -> str:
        """The model in words; empty where only a run is known."""
        if self.version:
            return f"version {self.version} of {self.name}"
        return f"logged model {self.logged}" if self.logged else ""

    @property
    def alone(self) -> str:
        """The id of a logged model that was judged by its own id: its run may have others beside it."""
        return "" if self.version else self.logged

    @property
    def said(self) -> str:
        """The place in words."""
        return f"{self.model} and run {self.run_id}" if self.model else f"run {self.run_id}"

    def tag(self, client: MlflowClient, tags: Mapping[str, str]) -> None:
        """Set tags where a deployment looks for them."""
        tags = {key: value[:_TAG] for key, value in tags.items()}
        if self.version:
            for key, value in tags.items():
                client.set_model_version_tag(self.name, self.version, key, value)
        elif self.logged:
            client.set_logged_model_tags(self.logged, tags)
        else:
            for key, value in tags.items():
                client.set_tag(self.run_id, key, value)


def _place(client: MlflowClient, found: re.Match[str]) -> _Place:
    """Return where a verdict goes.

    Raises
    ------
    UnavailableError
        If the model is there no more.
    """
    if found.re is _RUN:
        return _Place(run_id=found["run"])
    try:
        if found.re is _LOGGED:
            model = client.get_logged_model(found["id"])
            run_id = model.source_run_id or (model.tags or {}).get(_OWN_RUN, "")
            return _Place(run_id=str(run_id), logged=found["id"])
        version = client.get_model_version(found["name"], found["version"])
    except Exception as error:
        if not is_missing(error):
            raise
        what = (
            f"The logged model '{found['id']}' is gone"
            if found.re is _LOGGED
            else f"Version {found['version']} of '{found['name']}' is gone from the registry"
        )
        raise UnavailableError(
            f"{what}: its verdict was not logged.", "Nothing is lost: the local report has it."
        ) from None
    run_id = version.run_id or (version.tags or {}).get(_OWN_RUN, "")
    origin = _LOGGED.fullmatch(str(version.source or ""))
    return _Place(
        run_id=str(run_id),
        name=version.name,
        version=str(version.version),
        logged=origin["id"] if origin else "",
    )


def _known(client: MlflowClient, place: _Place) -> dict[str, float]:
    """Return the numbers that are there."""
    if place.alone:
        found = client.get_logged_model(place.alone).metrics or []
        return {one.key: one.value for one in sorted(found, key=lambda one: one.timestamp)}
    return dict(client.get_run(place.run_id).data.metrics) if place.run_id else {}


def _new_run(client: MlflowClient, place: _Place) -> str:
    """Make a run for the verdicts on a model that was logged without one, next to the model."""
    experiment = client.get_logged_model(place.logged).experiment_id if place.logged else "0"
    name = f"{place.name} {place.version}" if place.version else place.logged
    run = client.create_run(experiment, run_name=f"model gates of {name}")
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def _log_run(client: MlflowClient, place: _Place, entry: TrackerEntry, known: Mapping[str, float]) -> None:
    """Write numbers that are new and the files; a file of the same name is replaced."""
    from mlflow.entities import Metric

    now, model = int(time.time() * 1000), place.alone or None
    new = [
        Metric(key, value, now, 0, model_id=model)
        for key, value in entry.metrics.items()
        if known.get(key) != value
    ]
    for start in range(0, len(new), _BATCH):
        client.log_batch(place.run_id, metrics=new[start : start + _BATCH])
    with tempfile.TemporaryDirectory(prefix="model-gate-") as folder:
        for path, text in entry.files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", errors="backslashreplace")
            # Checkpoints of one run are models of their own: each has its files in a folder.
            below = "/".join(filter(None, (file.parent.relative_to(folder).as_posix(), place.alone)))
            client.log_artifact(place.run_id, str(file), below)
