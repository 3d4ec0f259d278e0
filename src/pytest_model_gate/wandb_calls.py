"""Calls into Weights & Biases with limits and without its chatter; its errors as plain sentences."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import EvaluationError, InvalidError, ModelGateError, UnavailableError, UnreachableError
from .redact import redact
from .waiting import VARIABLE, seconds
from .wording import first_line, shorten

if TYPE_CHECKING:
    from wandb import Api, Artifact
    from wandb.apis.public import Run

#: In front of every source that W&B holds.
PREFIX = "wandb:"

_QUIET = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
_NO_KEY = re.compile(r"No (?:API key|authentication) configured", re.IGNORECASE)
_KEY = re.compile(r"api_key|API key|not configured|wandb login", re.IGNORECASE)
_REFUSED = re.compile(r"\b(401|403)\b|unauthorized|permission denied|not logged in", re.IGNORECASE)
#: W&B answers in JSON, also where it refuses.
_PAGE = re.compile(r"<!DOCTYPE html|<html", re.IGNORECASE)
_SILENT = re.compile(r"busy|timed? ?out|Connection|connect:|unreachable|no such host", re.IGNORECASE)


def server() -> str:
    """Return the address of the server that is meant, without secrets."""
    return redact(_address())


def _address() -> str:
    """Return where the client goes: what the environment says, or its own settings and default."""
    import wandb

    return os.environ.get("WANDB_BASE_URL") or str(wandb.setup().settings.base_url)


@contextmanager
def asking(shown: str) -> Iterator[None]:
    """Call the client without its chatter, and say plainly what it calls all sorts of things.

    Parameters
    ----------
    shown : str
        What it is asked about; errors name it.
    """
    try:
        import wandb  # noqa: F401 - asked for here, so that its absence is told apart
    except ImportError:
        raise UnavailableError(
            f"'{shown}' needs the package wandb.", "Run: pip install 'pytest-model-gate[wandb]'."
        ) from None
    # The client retries a dead server for hours where it is not told otherwise.
    limits = {"WANDB__GRAPHQL_RETRY_MAX": "1", "WANDB__FILE_TRANSFER_RETRY_MAX": "1"}
    added = {name: value for name, value in {**_QUIET, **limits}.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    except ModelGateError:
        raise
    except Exception as error:  # noqa: BLE001 - the client lets errors of requests and of its service through
        raise _explained(error, shown) from None
    finally:
        for name in added:
            os.environ.pop(name, None)


def client() -> Api:
    """Return a client with bounded patience."""
    import wandb

    return wandb.Api(timeout=max(1, round(seconds())))


def artifact(api: Api, path: str, name: str, shown: str) -> Artifact:
    """Return one version of an artifact.

    Parameters
    ----------
    api : wandb.Api
        Who is asked.
    path : str
        ``entity/project/artifact``.
    name : str
        An alias, or a version (``v3``).
    shown : str
        The source that means it.

    Raises
    ------
    UnavailableError
        If there is none.
    """
    from wandb.errors import CommError

    try:
        return api.artifact(f"{path}:{name}")
    except CommError as error:
        if "not found" not in str(error):
            raise
        raise UnavailableError(
            f"There is no artifact {path}:{name} at {server()}, so '{shown}' could not be opened.",
            "Check entity, project, name and alias; a version that was pinned may have been deleted.",
        ) from None


def run(api: Api, path: str, shown: str) -> Run:
    """Return a run.

    Parameters
    ----------
    api : wandb.Api
        Who is asked.
    path : str
        ``entity/project/run-id``.
    shown : str
        The source that means it.

    Raises
    ------
    UnavailableError
        If there is none.
    """
    try:
        return api.run(path)
    except Exception as error:
        if "Could not find run" not in str(error):
            raise
        raise UnavailableError(
            f"There is no run {path} at {server()}, so '{shown}' could not be opened.",
            "Check entity, project and the run's id: the last part of its address, not its name. "
            "An artifact needs its alias: :latest.",
        ) from None


def download(found: Artifact, name: str, place: Path) -> None:
    """Download every file, and compare each with the manifest, which the client itself does not do.

    Raises
    ------
    InvalidError
        If the bytes are not those that the manifest speaks of.
    """
    found.download(root=str(place), skip_cache=True)
    try:
        found.verify(root=str(place))
    except ValueError as error:
        raise InvalidError(
            f"The artifact {name} came damaged: {shorten(first_line(error), 120)}.",
            "Its manifest says another digest than its bytes have: log it again.",
        ) from None


def _explained(error: Exception, shown: str) -> ModelGateError:
    text = str(error)
    if _NO_KEY.search(text):
        return UnavailableError(
            f"There is no API key for the W&B server {server()}, so '{shown}' could not be opened.",
            "Set WANDB_API_KEY to a key that may read the project, or run: wandb login.",
        )
    down = not _listens()
    # Of a server that is down, the client says that the credentials are wrong.
    silent = isinstance(error, TimeoutError) or (_SILENT.search(text) and not _REFUSED.search(text))
    if down or silent:
        what = "cannot be reached" if down else f"did not answer within {max(1, round(seconds()))} seconds"
        return UnreachableError(
            f"The W&B server {server()} {what}, so '{shown}' could not be opened.",
            f"Start it, or correct WANDB_BASE_URL. {VARIABLE} sets how many seconds to wait.",
            prefixes=(PREFIX, "wandb-search:", f"predictions:{PREFIX}", "predictions:wandb-search:"),
        )
    if _PAGE.search(text):
        return UnavailableError(
            f"{server()} answered with a web page and not as W&B does, so '{shown}' could not be opened.",
            "Correct WANDB_BASE_URL: another kind of server listens there.",
        )
    if _REFUSED.search(text) or _KEY.search(text) or type(error).__name__ == "AuthenticationError":
        return UnavailableError(
            f"The W&B server {server()} refused to open '{shown}'.",
            "Set WANDB_API_KEY to a key that may read the project, or run: wandb login.",
        )
    return EvaluationError(
        f"The W&B server {server()} could not open '{shown}': {type(error).__name__}: "
        f"{shorten(first_line(error), 140)}.",
        "Check the source and WANDB_BASE_URL.",
    )


def _listens() -> bool:
    address = urlsplit(_address())
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        with socket.create_connection((address.hostname or "", port), timeout=seconds()):
            return True
    except OSError:
        return False
