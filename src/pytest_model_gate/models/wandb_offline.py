"""``wandb-offline:``: what an offline run of W&B logged, copied from where the client staged it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from ..errors import ConfigurationError, InvalidError, UnavailableError
from ..redact import redact
from ..wandb_file import Entry, Logged, OfflineRun, read_run
from ..wording import did_you_mean, plural, shorten, some

PREFIX = "wandb-offline:"

_SOURCE = re.compile(
    r"(?P<folder>[^#]+)(?:#(?P<name>[^/:#]+)(?::(?P<digest>[0-9a-f]{32}))?(?:/(?P<file>[^#]+))?)?"
)


@dataclass(frozen=True, slots=True)
class Copied:
    """An artifact that was copied: its exact address, and which of its files is meant."""

    resolved: str
    file: str
    example: str


def copy(source: str, root: str, place: Path, kinds: tuple[str, ...]) -> Copied:
    """Copy the files of an artifact of an offline run, and compare each with what the client noted.

    Parameters
    ----------
    source : str
        ``wandb-offline:folder#artifact``, with ``:digest`` behind it for one of several of this name, and
        ``/file`` for one of its files.
    root : str
        Directory that the folder starts from.
    place : Path
        Where to.
    kinds : tuple of str
        Types of artifacts that are meant where none is named.

    Raises
    ------
    ModelGateError
        If the folder, the artifact or one of its files is not there or not whole.
    """
    shown = redact(source)
    meant = _SOURCE.fullmatch(source.removeprefix(PREFIX))
    if not meant:
        raise ConfigurationError(
            f"'{shown}' names no offline run.",
            "Write wandb-offline:wandb/offline-run-20260101_120000-abcd1234, with #artifact behind it where "
            "it logged several.",
        )
    log = _log_of(Path(root, meant["folder"]), shown)
    run = read_run(log, shown)
    folder = PurePosixPath(Path(meant["folder"]).as_posix())
    if Path(root, folder).is_symlink():  # latest-run
        folder = folder.with_name(Path(root, folder).resolve().name)
    found = _chosen(run, meant["name"] or "", meant["digest"] or "", shown, kinds)
    for entry in found.entries:
        _copy_entry(entry, found, place, shown)
    address = f"{PREFIX}{folder}#{found.name}:{found.digest}"
    file = meant["file"] or ""
    return Copied(f"{address}{'/' + file if file else ''} (run {run.path})", file, f"{address}/")


def _log_of(path: Path, shown: str) -> Path:
    """Return the file ``run-ID.wandb`` of a run's folder."""
    if path.is_file() and path.suffix == ".wandb":
        return path
    found = sorted(path.glob("run-*.wandb")) if path.is_dir() else []
    if len(found) == 1:
        return found[0]
    if not path.is_dir():
        known = (
            sorted(each.name for each in path.parent.glob("offline-run-*")) if path.parent.is_dir() else []
        )
        raise UnavailableError(
            f"There is no offline run at {path.as_posix()}, so '{shown}' could not be opened.",
            did_you_mean(
                path.name, known, f"There are: {some(known)}." if known else "Check WANDB_DIR and the path."
            ),
        )
    raise InvalidError(
        f"'{shown}' is no folder of one run of W&B: it holds {plural(len(found), 'file')} run-*.wandb.",
        "Name the folder offline-run-... that wandb.init() made.",
    )


def _chosen(run: OfflineRun, name: str, digest: str, shown: str, kinds: tuple[str, ...]) -> Logged:
    """Return the artifact that is meant: the last one of a name that the run logged."""
    known = {one.name: one.kind for one in run.artifacts}
    # The client names the artifact of a table after the run and the table.
    table = f"run-{run.path.rpartition('/')[2]}-{name}"
    if name:
        names = [each for each in (name, table) if each in known][:1]
    else:
        names = [each for each, kind in known.items() if kind in kinds]
    if not names:
        what = f"no artifact '{shorten(name)}'" if name else f"no artifact of type '{kinds[0]}'"
        raise UnavailableError(
            f"The offline run {run.path} logged {what}, so '{shown}' could not be opened.",
            did_you_mean(name or kinds[0], sorted(known), f"It logged: {some(sorted(known))}.")
            if known
            else "It logged no artifact: call run.log_artifact(..., type='model') in training.",
        )
    if len(names) > 1:
        raise ConfigurationError(
            f"The offline run {run.path} logged {len(names)} artifacts of type '{kinds[0]}': "
            f"{some(sorted(names))}.",
            f"Say which one, for example {shown}#{min(names)}.",
        )
    found = [one for one in run.artifacts if one.name == names[0] and digest in ("", one.digest)]
    if not found:
        raise UnavailableError(
            f"The offline run {run.path} logged no '{names[0]}' with the digest {digest}.",
            f"It logged: {some(one.digest for one in run.artifacts if one.name == names[0])}.",
        )
    return found[-1]


def _copy_entry(entry: Entry, found: Logged, place: Path, shown: str) -> None:
    path = PurePosixPath(entry.path)
    if (
        path.is_absolute()
        or not path.parts
        or ".." in path.parts
        or any(letter in entry.path for letter in "\\\0")
        or PureWindowsPath(entry.path).drive
    ):
        raise InvalidError(
            f"The artifact '{found.name}' has a file {shorten(entry.path)!r}, which leads out of its folder.",
            "Find out who wrote it, and log it again.",
        )
    if entry.elsewhere or not entry.staged:
        raise InvalidError(
            f"The artifact '{found.name}' only refers to "
            f"{shorten(redact(entry.elsewhere) or entry.path, 120)}, which is not in the run.",
            "Log the file itself: artifact.add_file(...).",
        )
    try:
        content = Path(entry.staged).read_bytes()
    except OSError:
        raise UnavailableError(
            f"The file {shorten(entry.path, 120)} of the artifact '{found.name}' is not where the client "
            f"staged it: {entry.staged}, so '{shown}' could not be opened.",
            "Once a run is synced the server has it: wandb:entity/project/run-id. On another machine, copy "
            "WANDB_DATA_DIR with the run, to the same path.",
        ) from None
    if base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode() != entry.md5:
        raise InvalidError(
            f"The file {shorten(entry.path, 120)} of the artifact '{found.name}' is damaged at "
            f"{entry.staged}: its md5 is not the one that the run noted.",
            "Log the artifact again.",
        )
    target = place / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
