"""Verdicts to MLflow: tags on the model version, numbers and the report on the run that it came from.

The order makes a half-written entry harmless: the verdict is taken back first and set last, so that who asks
for ``model_gate.verdict = pass`` finds it only where everything else has arrived.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, UnavailableError
from ..mlflow_calls import RESOLVE_LIMITS, connected, is_missing
from ..results import TrackerEntry
from ..spec import SourceContext
from .entry import PREFIX, WRITING

if TYPE_CHECKING:
    from mlflow import MlflowClient

_VERSION = re.compile(r"models:/(?P<name>[^/@]+)/(?P<version>\d+)")
_RUN = re.compile(r"runs:/(?P<run>[^/]+)/.+")
#: Tag of a version that came from no run: the run that was made for its verdicts.
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
        model, run = _VERSION.fullmatch(entry.candidate), _RUN.fullmatch(entry.candidate)
        if not model and not run:
            raise ConfigurationError(
                f"'{entry.candidate}' is no model of MLflow, so its verdict cannot be logged there.",
                "Log verdicts of models:/... and runs:/... candidates only.",
            )
        # The first call tells quickly whether the server is there; later ones may take longer.
        with connected(self._context, entry.candidate, RESOLVE_LIMITS) as client:
            version = _version(client, model) if model else None
            run_id = _run_of(version) if version is not None else str(run and run["run"])
            known = client.get_run(run_id).data.metrics if run_id else {}
        with connected(self._context, entry.candidate) as client:

            def tag(key: str, value: str) -> None:
                if version is not None:
                    client.set_model_version_tag(version.name, version.version, key, value[:_TAG])
                else:
                    client.set_tag(run_id, key, value[:_TAG])

            tag(f"{PREFIX}.verdict", WRITING)
            if not run_id:
                run_id = _new_run(client, version)
                tag(_OWN_RUN, run_id)
            _log_run(client, run_id, entry, known)
            for key, value in entry.tags.items():
                tag(key, value)
            tag(f"{PREFIX}.verdict", entry.verdict)
        where = f"version {version.version} of {version.name} and " if version is not None else ""
        return f"{where}run {run_id}"


def _run_of(version: Any) -> str:
    """Return the run that a version came from, or the one that was made for its verdicts; or nothing."""
    return str(version.run_id or (version.tags or {}).get(_OWN_RUN, ""))


def _new_run(client: MlflowClient, version: Any) -> str:
    """Make a run for the verdicts on a version that was logged without one, next to the model."""
    logged = re.fullmatch(r"models:/(m-[0-9a-f]+)", str(version.source or ""))
    experiment = client.get_logged_model(logged[1]).experiment_id if logged else "0"
    run = client.create_run(experiment, run_name=f"model gates of {version.name} {version.version}")
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def _version(client: MlflowClient, model: re.Match[str]) -> Any:
    try:
        return client.get_model_version(model["name"], model["version"])
    except Exception as error:
        if not is_missing(error):
            raise
        raise UnavailableError(
            f"Version {model['version']} of '{model['name']}' is gone from the registry: its verdict was "
            "not logged.",
            "Nothing is lost: the local report has it.",
        ) from None


def _log_run(client: MlflowClient, run_id: str, entry: TrackerEntry, known: Mapping[str, float]) -> None:
    """Write numbers that are new and the files; a file of the same name is replaced."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    new = [Metric(key, value, now, 0) for key, value in entry.metrics.items() if known.get(key) != value]
    for start in range(0, len(new), _BATCH):
        client.log_batch(run_id, metrics=new[start : start + _BATCH])
    with tempfile.TemporaryDirectory(prefix="model-gate-") as folder:
        for path, text in entry.files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", errors="backslashreplace")
            client.log_artifact(run_id, str(file), file.parent.relative_to(folder).as_posix())
