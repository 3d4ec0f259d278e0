"""Verdicts as offline runs of Weights & Biases: files of the client's own, which ``wandb sync`` sends.

A run of its own holds them: a second offline run under the candidate's id would, once synced, replace what
its training has in its summary. The same candidate, judged by the same gates, has the same run, so that a
later verdict replaces an earlier one on the server, whichever was synced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EvaluationError, ModelGateError
from ..results import TrackerEntry
from ..waiting import download_seconds
from ..wandb_calls import asking
from ..wandb_file import read_run
from ..wording import one_line
from .entry import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

_OFFLINE = re.compile(r".*\(run (?:(?P<entity>[^/()]+)/)?(?P<project>[^/()]+)/[^/()]+\)(?:#.+)?")
#: In a run's folder when all of it is written, with the digest of what was to be written.
_DONE = "model-gate.done"


def log_offline(entry: TrackerEntry, said: Mapping[str, Any]) -> str:
    """Write one entry as an offline run, and return where it is, in words. Writing it again changes nothing.

    Parameters
    ----------
    entry : TrackerEntry
        Of a candidate of W&B.
    said : Mapping[str, Any]
        Its tags and numbers by the names that W&B gets; the verdict is written last.
    """
    entity, project = _project_of(entry.candidate)
    content = json.dumps([entry.verdict, dict(said), dict(entry.files)], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    identity = json.dumps([entry.candidate, entry.digest, entry.tags.get(f"{PREFIX}.gates", "")])
    name = f"model-gate-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    with asking(entry.candidate):
        import wandb

        # As the environment says it now: the client read it when it was imported.
        root = os.environ.get("WANDB_DIR") or "."
        try:
            _check(Path(root))
            before = sorted(Path(wandb.Settings(root_dir=root).wandb_dir).glob(f"offline-run-*-{name}"))
            if before and _is_done(before[-1], digest):
                return _where(before[-1])
            _wait_for_another_second(before)
            folder = _write(entry, said, root, entity, project, name)
            _wait_until_whole(folder / f"run-{name}.wandb", entry.candidate)
            (folder / _DONE).write_text(digest, encoding="utf-8")
        except OSError as error:
            raise EvaluationError(
                f"The verdict of '{entry.candidate}' could not be written below {Path(root).as_posix()}: "
                f"{one_line(error)}.",
                "Set WANDB_DIR to a folder that can be written. Nothing is lost: the local report has it.",
            ) from None
    return _where(folder)


def _project_of(candidate: str) -> tuple[str | None, str]:
    offline = _OFFLINE.fullmatch(candidate) if "wandb-offline:" in candidate else None
    if offline:
        return offline["entity"], offline["project"]
    entity, project = candidate.removeprefix("predictions:").removeprefix("wandb:").split("/")[:2]
    return entity, project


def _check(root: Path) -> None:
    """Refuse a folder that cannot be written: the client would take another one, for temporary files."""
    root.mkdir(parents=True, exist_ok=True)
    if not os.access(root, os.W_OK):
        raise PermissionError(13, "Permission denied", str(root))


def _is_done(folder: Path, digest: str) -> bool:
    try:
        return (folder / _DONE).read_text(encoding="utf-8") == digest
    except OSError:
        return False


def _wait_for_another_second(before: list[Path]) -> None:
    """The client names a folder after the second: another one of the same run would fall into the same."""
    while before and before[-1].name.split("-")[2] >= time.strftime("%Y%m%d_%H%M%S"):
        time.sleep(0.05)


def _wait_until_whole(log: Path, shown: str) -> None:
    """Wait for the client's own process, which writes on after a run was finished."""
    end = time.monotonic() + download_seconds()
    while True:
        try:
            read_run(log, shown)
            return
        except ModelGateError as error:
            if time.monotonic() > end:
                raise EvaluationError(
                    f"The verdict of '{shown}' was not written whole: {error.what}",
                    "Nothing is lost: the local report has it. Run: model-gate log REPORT --tracker wandb.",
                ) from None
        time.sleep(0.02)


def _write(
    entry: TrackerEntry, said: Mapping[str, Any], root: str, entity: str | None, project: str, name: str
) -> Path:
    import wandb

    run = wandb.init(
        mode="offline",
        entity=entity,
        project=project,
        id=name,
        name=f"model gates: {entry.candidate.partition(' ')[0]}"[:120],
        job_type="model-gate",
        dir=root,
        reinit="create_new",  # a training may have a run open in this very process
        config={"candidate": entry.candidate, "digest": entry.digest},
        settings=wandb.Settings(
            silent=True,
            symlink=False,  # wandb/latest-run stays what it is: the training's, which may be the candidate
            console="off",
            disable_git=True,
            save_code=False,
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
        ),
    )
    try:
        files = Path(run.dir)
        for path, text in entry.files.items():
            target = files / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", errors="backslashreplace")
            run.save(str(target), base_path=str(files), policy="now")
        run.summary.update(dict(said))
        run.summary[f"{PREFIX}/verdict"] = entry.verdict
    finally:
        run.finish()
    return Path(run.settings.sync_dir)


def _where(folder: Path) -> str:
    return f"offline run {folder.as_posix()} (to send it: wandb sync {folder.as_posix()})"
