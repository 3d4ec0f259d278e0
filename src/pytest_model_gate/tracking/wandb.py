"""Verdicts to Weights & Biases: on the artifact and on the run that logged it.

The order makes a half-written entry harmless: the verdict is taken back first and set last, in one change
with everything else, so that who asks for ``model_gate/verdict`` finds ``pass`` only where all has arrived.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, UnavailableError, UnreachableError
from ..results import TrackerEntry
from ..waiting import download_seconds, within
from ..wandb_calls import artifact, asking, client, run, server
from .entry import PREFIX, WRITING

if TYPE_CHECKING:
    from wandb import Artifact
    from wandb.apis.public import Run

#: Behind the version may stand a file or columns of predictions, and how a search chose it.
_CANDIDATE = re.compile(
    r"(?:predictions:)?wandb:(?P<project>[^/:#@]+/[^/:#@]+)/"
    r"(?:(?P<run>[^/:#@]+)#(?P<logged>[^/:#]+):(?P<number>v\d+)|(?P<name>[^/:#@]+):(?P<version>v\d+))"
    r"(?:#.+| \(.+\))?"
)
_OFFLINE = re.compile(r"(?:predictions:)?wandb-offline:.+ \(run .+\)")
#: W&B takes so many keys of an artifact's metadata; numbers therefore go to the run.
_KEYS = 100
_VERDICT = f"{PREFIX}/verdict"


class WandbTracker:
    """One server of W&B."""

    def log(self, entry: TrackerEntry) -> str:
        """Write one entry, and return where it is, in words. Writing it again changes nothing.

        Raises
        ------
        ModelGateError
            If the candidate is none of W&B, or the server did not take all of it.
        """
        found = _CANDIDATE.fullmatch(entry.candidate)
        offline = _OFFLINE.match(entry.candidate)
        if not found and not offline:
            raise ConfigurationError(
                f"'{entry.candidate}' is no model of W&B, so its verdict cannot be logged there.",
                "Log verdicts of wandb:... candidates only.",
            )
        mode = os.environ.get("WANDB_MODE", "online")
        if mode in ("offline", "dryrun"):
            from .wandb_offline import log_offline

            tags = {_key(name): value for name, value in entry.tags.items()}
            return log_offline(entry, {**tags, **entry.metrics})
        if mode == "disabled":
            raise ConfigurationError(
                f"WANDB_MODE is '{mode}', so the verdict of '{entry.candidate}' was not logged.",
                "Unset it, or set it to offline, and run: model-gate log REPORT --tracker wandb.",
            )
        if not found:
            raise ConfigurationError(
                f"'{entry.candidate}' is of an offline run, which no server knows, so its verdict was not "
                "logged.",
                "Set WANDB_MODE=offline to write it as an offline run, too, and run: "
                "model-gate log REPORT --tracker wandb.",
            )
        path = f"{found['project']}/{found['name'] or found['logged']}"
        version = found["version"] or found["number"]
        its_run = found["run"] and f"{found['project']}/{found['run']}"
        try:
            with asking(entry.candidate):
                # The client knows no limit for an upload.
                return within(download_seconds(), lambda: _online(entry, path, version, its_run))
        except UnreachableError as error:
            raise UnreachableError(
                error.what,
                f"{error.remedy} Nothing is lost: the local report has it. Later run: model-gate log REPORT "
                "--tracker wandb; with WANDB_MODE=offline it goes into files that wandb sync sends.",
                prefixes=error.prefixes,
            ) from None


def _online(entry: TrackerEntry, path: str, version: str, run_path: str | None) -> str:
    api = client()
    held = artifact(api, path, version, entry.candidate)
    logged_by = held.logged_by() if run_path is None else None
    run_path = run_path or (logged_by and "/".join(logged_by.path))
    its_run = run(api, run_path, entry.candidate) if run_path else None
    tags = {_key(name): value for name, value in entry.tags.items()}
    if len({*held.metadata, *tags, _VERDICT}) > _KEYS:
        # The gates' own lines stand in the run; what a deployment asks for stays.
        tags = {name: value for name, value in tags.items() if name.count("/") == 1}
    _tell_artifact(held, {_VERDICT: WRITING})
    where = f"artifact {path}:{version}"
    if its_run is not None:
        its_run.summary.update({_VERDICT: WRITING})
        _upload(its_run, entry.files)
        all_tags = {_key(name): value for name, value in entry.tags.items()}
        its_run.summary.update({**all_tags, **entry.metrics, _VERDICT: entry.verdict})
        its_run.load(force=True)
        _kept(its_run.summary_metrics, entry, f"the run {run_path}")
        where += f" and run {run_path}"
    else:
        where += " (no run logged it: numbers and reports are only in the local report)"
    _tell_artifact(held, {**tags, _VERDICT: entry.verdict})
    _kept(artifact(api, path, version, entry.candidate).metadata, entry, f"the artifact {path}:{version}")
    return where


def _tell_artifact(held: Artifact, said: Mapping[str, str]) -> None:
    held.metadata.update(said)
    held.save()


def _kept(found: Mapping[str, Any], entry: TrackerEntry, where: str) -> None:
    """Look whether a server kept what it was told: of a linked artifact the client only warns."""
    if found.get(_VERDICT) != entry.verdict:
        raise UnavailableError(
            f"The W&B server {server()} did not keep the verdict on {where}: it has "
            f"{str(found.get(_VERDICT) or 'none')!r}.",
            "Use a key that may write there. Nothing is lost: the local report has it.",
        )


def _upload(its_run: Run, files: Mapping[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="model-gate-") as folder:
        for path in _written(Path(folder), files):
            its_run.upload_file(str(path), root=folder)


def _written(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write texts below a folder."""
    paths = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        paths.append(path)
    return paths


def _key(name: str) -> str:
    """Return a tag's name as W&B groups and filters it: a dot there means a nested value.

    Examples
    --------
    >>> _key("model_gate.credit.v2.verdict"), _key("model_gate.digest")
    ('model_gate/credit.v2/verdict', 'model_gate/digest')
    """
    start, _, rest = name.partition(".")
    gate, dot, last = rest.rpartition(".")
    return f"{start}/{gate}/{last}" if dot else f"{start}/{rest}"
