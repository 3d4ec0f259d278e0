"""Verdicts to MLflow: tags on the model version, numbers and the report on the run that it came from.

The order makes a half-written entry harmless: the verdict is taken back first and set last, so that who asks
for ``model_gate.verdict = pass`` finds it only where everything else has arrived.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, ModelGateError, UnavailableError
from ..mlflow_calls import (
    DOWNLOAD_LIMITS,
    RESOLVE_LIMITS,
    calling,
    check_store,
    explain,
    is_missing,
    server_of,
)
from ..results import TrackerEntry
from ..spec import SourceContext
from .entry import PREFIX, WRITING

if TYPE_CHECKING:
    from mlflow import MlflowClient

_VERSION = re.compile(r"models:/(?P<name>[^/@]+)/(?P<version>\d+)")
_RUN = re.compile(r"runs:/(?P<run>[^/]+)/.+")
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
            run_id = str(_version(client, model).run_id or "") if model else run and run["run"]
            known = client.get_run(run_id).data.metrics if run_id else {}
        with connected(self._context, entry.candidate) as client:

            def tag(key: str, value: str) -> None:
                if model:
                    client.set_model_version_tag(model["name"], model["version"], key, value[:_TAG])
                else:
                    client.set_tag(run_id, key, value[:_TAG])

            tag(f"{PREFIX}.verdict", WRITING)
            if run_id:
                _log_run(client, run_id, entry, known)
            for key, value in entry.tags.items():
                tag(key, value)
            tag(f"{PREFIX}.verdict", entry.verdict)
        if not model:
            return f"run {run_id}"
        return f"version {model['version']} of {model['name']}" + (
            f" and run {run_id}" if run_id else " (it has no run: only its tags were written)"
        )


@contextmanager
def connected(
    context: SourceContext, subject: str, limits: Mapping[str, str] = DOWNLOAD_LIMITS
) -> Iterator[MlflowClient]:
    """Yield a client with bounded patience, and turn what MLflow raises into plain sentences.

    Parameters
    ----------
    context : SourceContext
        Says where the server is.
    subject : str
        What it is asked about; errors name it.
    limits : Mapping[str, str]
        How long to wait, and how often to try again.
    """
    with calling(limits):
        server = server_of(context)
        check_store(server)
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=server.tracking, registry_uri=server.registry)
        try:
            yield client
        except ModelGateError:
            raise
        except Exception as error:  # noqa: BLE001 - MLflow lets errors of requests, SQLAlchemy and others through
            raise explain(error, subject, server) from None


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
