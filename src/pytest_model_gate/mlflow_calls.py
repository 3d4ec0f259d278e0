"""Calls into MLflow with limits and without its chatter; its errors as plain sentences."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import EvaluationError, ModelGateError, UnavailableError, UnreachableError
from .redact import redact
from .spec import SourceContext
from .wording import first_line, shorten

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: The first call to a server tells whether it is there: two tries, so at most about ten seconds.
RESOLVE_LIMITS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "4",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
#: A server that has just answered may take longer until the first byte of a large file comes.
DOWNLOAD_LIMITS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
_QUIET = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
#: Files on S3 come from boto, which would wait a minute for each of five connections.
_STORAGE = {"AWS_MAX_ATTEMPTS": "2", "AWS_DEFAULTS_MODE": "standard"}
_LOGGERS = ("mlflow", "alembic", "urllib3")
_UNREACHABLE = re.compile(
    r"Max retries exceeded|failed with exception|timed? ?out|Connection (?:refused|aborted|reset)"
    r"|Name or service|failed with timeout",
    re.IGNORECASE,
)
_KEY_REFUSED = re.compile(
    r"SignatureDoesNotMatch|request signature we calculated|InvalidAccessKeyId|AWS Access Key Id you provided"
    r"|AccessDenied|Access Denied|Unable to locate credentials|ExpiredToken|token has expired"
)
_NO_STORAGE = re.compile(r"Could not connect to the endpoint URL|[Tt]imeout on endpoint URL")
_ENDPOINT = re.compile(r"endpoint URL: [\"'](?P<server>\w+://[^/\"']+)")
_STATUS = re.compile(r"error code (\d{3})|(\d{3}) (?:Client|Server) Error|too many (\d{3}) error responses")


@dataclass(frozen=True, slots=True)
class Server:
    """Where MLflow keeps models, and who said so.

    Parameters
    ----------
    tracking, registry : str
        The two URIs.
    setting : str
        What the user changes to change them.
    """

    tracking: str
    registry: str
    setting: str

    @property
    def shown(self) -> str:
        """The registry's URI without secrets."""
        return redact(self.registry)


def server_of(context: SourceContext) -> Server:
    """Return the server that a gate means: its own ``tracking_uri``, else what MLflow itself would use."""
    import mlflow

    if context.tracking_uri:
        uri = _absolute(context.tracking_uri, context.root)
        registry = os.environ.get("MLFLOW_REGISTRY_URI")
        return Server(uri, registry or uri, "the gate's tracking_uri")
    setting = "MLFLOW_TRACKING_URI" if os.environ.get("MLFLOW_TRACKING_URI") else "the gate's tracking_uri"
    return Server(mlflow.get_tracking_uri(), mlflow.get_registry_uri(), setting)


def _absolute(uri: str, root: str) -> str:
    """Return ``sqlite:///mlflow.db`` with its relative path taken from the project's root."""
    found = re.fullmatch(r"(sqlite(?:\+\w+)?):///(?!/)([^?]+)(\?.*)?", uri)
    if not found or re.match(r"[A-Za-z]:", found[2]):
        return uri
    path = Path(root, found[2]).absolute().as_posix()
    return f"{found[1]}:///{path}{found[3] or ''}"


def check_store(server: Server) -> None:
    """Refuse a SQLite store that isn't there: MLflow would create an empty one and find nothing in it."""
    for uri in dict.fromkeys((server.registry, server.tracking)):
        found = re.fullmatch(r"sqlite(?:\+\w+)?:///([^?]+)(?:\?.*)?", uri)
        if found and found[1] != ":memory:" and not Path(found[1]).is_file():
            raise UnavailableError(
                f"There is no MLflow store at {redact(uri)}.",
                f"Set {server.setting} to where the models are registered.",
            )


#: MLflow answers in JSON, also where it refuses.
_PAGE = re.compile(r"<!DOCTYPE html|<html", re.IGNORECASE)


@contextmanager
def calling(limits: Mapping[str, str]) -> Iterator[None]:
    """Call MLflow with these limits (where the user has set none) and without its chatter."""
    added = {
        name: value for name, value in {**limits, **_QUIET, **_STORAGE}.items() if name not in os.environ
    }
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    os.environ.update(added)
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        # Recorded, too: in places MLflow puts a filter of its own in front of ours.
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def connected(
    context: SourceContext,
    subject: str,
    limits: Mapping[str, str] = DOWNLOAD_LIMITS,
    *,
    registry: bool = True,
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
    registry : bool
        Whether it is asked about registered models; else runs are all that matters.
    """
    with calling(limits):
        server = server_of(context)
        if not registry:
            server = replace(server, registry=server.tracking)
        check_store(server)
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=server.tracking, registry_uri=server.registry)
        try:
            yield client
        except ModelGateError:
            raise
        except Exception as error:  # noqa: BLE001 - MLflow lets errors of requests, SQLAlchemy and others through
            raise explain(error, subject, server) from None


def is_missing(error: Exception) -> bool:
    """Return whether MLflow says that something does not exist."""
    text = str(error)
    if _PAGE.search(text):
        return False  # another kind of server knows no path of MLflow
    # A missing alias is INVALID_PARAMETER_VALUE; only its text tells it from a malformed request.
    return (
        getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST"
        or "not found" in text
        or _status(text) == "404"
    )


def _status(text: str) -> str:
    """Return the HTTP status that an error is about, or nothing."""
    found = _STATUS.search(text)
    return next((group for group in found.groups() if group), "") if found else ""


def explain(error: Exception, source: str, server: Server) -> ModelGateError:
    """Return the error to raise for one of MLflow that isn't about a missing thing."""
    text = str(error)
    code = _status(text)
    if _KEY_REFUSED.search(text):
        return UnavailableError(
            f"The storage in which MLflow at {server.shown} has its files refused what '{source}' needs: its "
            "key is wrong or may not do that.",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE), and MLFLOW_S3_ENDPOINT_URL to "
            "the server that knows them.",
        )
    if _NO_STORAGE.search(text):
        found = _ENDPOINT.search(text)
        where = redact(found["server"]) if found else "in which they lie"
        return UnavailableError(
            f"The storage {where} cannot be reached, in which MLflow at {server.shown} has the files of "
            f"'{source}'.",
            "Start it, or correct MLFLOW_S3_ENDPOINT_URL.",
        )
    if code == "401":
        return UnavailableError(
            f"The MLflow server {server.shown} refused to open '{source}': it answered 401.",
            "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
        )
    if code == "403":
        return UnavailableError(
            f"The MLflow server {server.shown} forbids what '{source}' needs: it answered 403.",
            "Loading needs the permission READ; logging verdicts, promoting and counting uses need EDIT. "
            "MLFLOW_TRACKING_USERNAME or MLFLOW_TRACKING_TOKEN say who asks.",
        )
    if code.startswith("5"):
        return UnavailableError(
            f"The MLflow server {server.shown} failed with {code} while it was asked for '{source}'.",
            "Look at the server's log, and run the gate again.",
        )
    if server.registry.startswith(("http:", "https:")) and _UNREACHABLE.search(text):
        timeout = os.environ.get("MLFLOW_HTTP_REQUEST_TIMEOUT", RESOLVE_LIMITS["MLFLOW_HTTP_REQUEST_TIMEOUT"])
        silent = re.search("timed? ?out|timeout", text, re.IGNORECASE)
        what = f"did not answer within {timeout} seconds" if silent else "cannot be reached"
        return UnreachableError(
            f"The MLflow server {server.shown} {what}, so '{source}' could not be opened.",
            f"Start it, or correct {server.setting}. "
            "MLFLOW_HTTP_REQUEST_TIMEOUT and MLFLOW_HTTP_REQUEST_MAX_RETRIES set how long to wait.",
            prefixes=("models:", "runs:", "mlflow-search:", "mlflow-dataset:"),
        )
    if code == "404":
        return EvaluationError(
            f"{server.shown} does not answer as an MLflow server does, so '{source}' could not be opened.",
            f"Check {server.setting}.",
        )
    return EvaluationError(
        f"MLflow at {server.shown} could not open '{source}': {shorten(first_line(error), 160)}.",
        f"Check {server.setting} and the source.",
    )
