"""Carry out a promotion, or take one back: the registry is asked again before anything moves."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import UTC, datetime

from ..errors import ConfigurationError, EvaluationError, InvalidError
from ..models.mlflow import identify
from ..spec import SourceContext
from ..tracking.aliases import SETTLE, Move, current, finish, move, previous
from ..tracking.registered import version_of
from .promotion import Promotion

#: Where continuous integration says who started it, and where its log is.
_ACTORS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID", "BUILD_REQUESTEDFOR", "CIRCLE_USERNAME")
_RUNS = ("CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL")


def promote(
    wanted: Promotion,
    *,
    reason: str = "",
    dry_run: bool = False,
    root: str = ".",
    settle: float = SETTLE,
) -> str:
    """Move an alias to a candidate that passed, and return what happened in a sentence.

    Parameters
    ----------
    wanted : Promotion
        From :func:`~pytest_model_gate.gate.promotion.promotion`.
    reason : str
        Why, in the user's words; kept with the version.
    dry_run : bool
        Whether to check everything and move nothing.
    root : str
        Directory that a relative store starts from.
    settle : float
        Seconds between claim and move.

    Raises
    ------
    InvalidError
        If the version's files are not what was judged.
    EvaluationError
        If the alias moved since the gates compared with it, or is being moved.
    ModelGateError
        If the registry cannot be asked.
    """
    model, version, alias = wanted.model, wanted.version, wanted.alias
    context = registry_of(wanted.tracking_uri, root)
    now = current(context, model, alias)
    if now == version:
        if not dry_run:
            finish(context, model, alias, version)
        return f"{model}@{alias} is version {version} already"
    if now != wanted.expected:
        before = f"version {wanted.expected}" if wanted.expected else "no version"
        raise EvaluationError(
            f"{model}@{alias} is {'version ' + now if now else 'not there any more'}, and the gates compared "
            f"with {before}: nothing was promoted.",
            "Run the gates again: they compare with what the alias means now.",
        )
    found = identify(f"models:/{model}/{version}", context).digest
    if found != wanted.digest:
        raise InvalidError(
            f"Version {version} of {model} has other files than those that were judged "
            f"({wanted.digest} passed, {found} is there): nothing was promoted.",
            "Register the new files as a version of their own, and judge that.",
        )
    was = f"version {wanted.expected}" if wanted.expected else "no version"
    if dry_run:
        return f"{model}@{alias} would move from {was} to version {version}"
    wish = Move(
        model=model,
        alias=alias,
        version=version,
        expected=wanted.expected,
        note=_note(reason, gates=", ".join(wanted.gates), data=", ".join(d for _, d in wanted.datasets)),
    )
    move(context, wish, settle=settle)
    return f"{model}@{alias} moved from {was} to version {version}"


def registered_in(root: str) -> Callable[[str, str], tuple[str, str]]:
    """Return what tells as which version a logged model is registered; relative stores start at the root."""
    return lambda model_id, tracking_uri: version_of(registry_of(tracking_uri, root), model_id)


def roll_back(
    model: str,
    alias: str,
    *,
    reason: str = "",
    dry_run: bool = False,
    tracking_uri: str = "",
    root: str = ".",
    settle: float = SETTLE,
) -> str:
    """Point an alias to the version that it had before its last promotion.

    Raises
    ------
    ModelGateError
        If none is known, or the registry cannot be asked.
    """
    context = registry_of(tracking_uri, root)
    now, former = previous(context, model, alias)
    if dry_run:
        return f"{model}@{alias} would move back from version {now} to version {former}"
    wish = Move(
        model=model, alias=alias, version=former, expected=now, note=_note(reason, rollback="yes"), back=True
    )
    move(context, wish, settle=settle)
    return f"{model}@{alias} moved back from version {now} to version {former}"


def registry_of(tracking_uri: str, root: str) -> SourceContext:
    """Return the context of the server that a record names.

    Raises
    ------
    ConfigurationError
        If the address had a secret in it: records keep none.
    """
    if "***" in tracking_uri:
        raise ConfigurationError(
            f"The registry at {tracking_uri} has a password in its address, which records do not keep.",
            "Set MLFLOW_TRACKING_URI (and MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD) instead of the "
            "gate's tracking_uri.",
        )
    return SourceContext(root=root, tracking_uri=tracking_uri)


def _note(reason: str, **more: str) -> dict[str, str]:
    """Return who, when and why."""
    note = {"by": _who(), "when": datetime.now(UTC).isoformat(timespec="seconds"), **more}
    run = next((os.environ[name] for name in _RUNS if os.environ.get(name)), "")
    if os.environ.get("GITHUB_RUN_ID"):
        server, repository = os.environ.get("GITHUB_SERVER_URL", ""), os.environ.get("GITHUB_REPOSITORY", "")
        run = f"{server}/{repository}/actions/runs/{os.environ['GITHUB_RUN_ID']}"
    return {**note, **({"run": run} if run else {}), **({"why": reason} if reason else {})}


def _who() -> str:
    named = next((os.environ[name] for name in _ACTORS if os.environ.get(name)), "")
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for its user
        return "unknown"
