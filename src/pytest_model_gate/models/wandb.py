"""``wandb:``: an artifact, or what a run logged: one version, downloaded and opened by what is in it."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, UnavailableError
from ..redact import redact
from ..spec import SourceContext
from ..wandb_calls import PREFIX, artifact, asking, client, download, run, server
from ..wording import did_you_mean, shorten, some
from .files import SUFFIXES, load_bytes
from .identity import Identity, digest_of_files, sha256
from .mlmodel import load_folder
from .trust import check_pin

if TYPE_CHECKING:
    from wandb import Api

    from ..hooks import ModelProtocol

_ARTIFACT = re.compile(
    r"(?P<path>[^/:#@]+/[^/:#@]+/[^/:#@]+):(?P<alias>[^/:#]+)(?:#(?P<file>[^#:]+(?:/[^#:]+)*))?"
)
_RUN = re.compile(
    r"(?P<entity>[^/:#@]+)/(?P<project>[^/:#@]+)/(?P<run>[^/:#@]+)(?:#(?P<name>[^/:#]+)(?::(?P<alias>[^/:#]+))?)?"
)


@dataclass(frozen=True, slots=True)
class _Found:
    """One version of an artifact, and which of its files is meant."""

    path: str
    version: str
    resolved: str
    file: str = ""

    def naming(self, file: str) -> str:
        """Return the source that means another file of the same version."""
        return f"{PREFIX}{self.path}:{self.version}#{file}"


def open_wandb(source: str, context: SourceContext) -> ModelProtocol:
    """Load a model from an artifact.

    An alias is asked for once; what it meant then is what is downloaded and recorded, also if it is moved
    meanwhile. The files are compared with the artifact's manifest. The digest is ours, over all that is
    opened: of a file what it is on disk, of a folder with a file ``MLmodel`` what it is in MLflow.
    """
    shown = redact(source)
    # Private (mode 0700): nobody can change between the hash and the load what was hashed.
    folder = Path(tempfile.mkdtemp(prefix="model-gate-"))
    keep = False
    try:
        with asking(shown):
            api = client()
            found = _find(api, source, shown)
            held = artifact(api, found.path, found.version, shown)
            download(held, f"{found.path}:{found.version}", folder)
        path = _meant(shown, folder, found)
        if path.is_file():
            content = path.read_bytes()
            identity = Identity(source=shown, resolved=found.resolved, digest=sha256(content))
            check_pin(identity, context)
            return load_bytes(identity, content, path.suffix.lower(), context)
        files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
        identity = Identity(source=shown, resolved=found.resolved, digest=digest_of_files(files))
        check_pin(identity, context)
        loaded = load_folder(identity, path, context)
        keep = loaded.needs_files
        if keep:
            import weakref

            weakref.finalize(loaded.model, shutil.rmtree, folder, ignore_errors=True)
        return loaded.model
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _find(api: Api, source: str, shown: str) -> _Found:
    name = source.removeprefix(PREFIX)
    meant = _ARTIFACT.fullmatch(name)
    if meant:
        version = str(artifact(api, meant["path"], meant["alias"], shown).version)
        file = meant["file"] or ""
        resolved = f"{PREFIX}{meant['path']}:{version}{'#' + file if file else ''}"
        return _Found(meant["path"], version, resolved, file)
    of_run = _RUN.fullmatch(name)
    if not of_run:
        raise ConfigurationError(
            f"'{shown}' names no model of W&B.",
            "Write wandb:entity/project/artifact:alias (or :v3), with #path behind it where it holds several "
            "files, or wandb:entity/project/run-id#artifact for what a run logged.",
        )
    return _logged(api, of_run, shown)


def _logged(api: Api, meant: re.Match[str], shown: str) -> _Found:
    """Return the newest version that a run logged: of the artifact with this name, or of its only model."""
    project = f"{meant['entity']}/{meant['project']}"
    logged = [
        (str(one.name).partition(":")[0], str(one.type), str(one.version))
        for one in run(api, f"{project}/{meant['run']}", shown).logged_artifacts()
    ]
    kinds = {name: kind for name, kind, _ in logged}
    if meant["name"]:
        names = [meant["name"]] if meant["name"] in kinds else []
    else:
        names = [name for name, kind in kinds.items() if kind == "model"]
    if not names:
        what = f"no artifact '{meant['name']}'" if meant["name"] else "no artifact of type 'model'"
        raise UnavailableError(
            f"The run {project}/{meant['run']} logged {what}, so '{shown}' could not be opened.",
            did_you_mean(meant["name"] or "model", sorted(kinds), f"It logged: {some(sorted(kinds))}.")
            if kinds
            else f"It logged nothing to {server()}: call run.log_artifact(..., type='model') in training.",
        )
    if len(names) > 1:
        raise ConfigurationError(
            f"The run {project}/{meant['run']} logged {len(names)} models: {some(sorted(names))}.",
            f"Say which one, for example {shown}#{min(names)}.",
        )
    versions = [version for name, _, version in logged if name == names[0]]
    if meant["alias"] and meant["alias"] not in versions:
        raise UnavailableError(
            f"The run {project}/{meant['run']} logged no version {shorten(meant['alias'])} of '{names[0]}'.",
            f"It logged: {some(sorted(versions))}.",
        )
    version = meant["alias"] or max(versions, key=lambda text: int(text[1:]))
    return _Found(f"{project}/{names[0]}", version, f"{PREFIX}{project}/{meant['run']}#{names[0]}:{version}")


def _meant(shown: str, folder: Path, found: _Found) -> Path:
    """Return the model file or the folder of an MLflow model."""
    file = found.file
    held = sorted(item.relative_to(folder).as_posix() for item in folder.rglob("*") if item.is_file())
    if file and file not in held and not any(name.startswith(f"{file}/") for name in held):
        raise UnavailableError(
            f"'{shown}': the artifact holds no {shorten(file)}.", f"It holds: {some(held)}."
        )
    path = folder / file
    if not file and len(held) == 1 and held[0] != "MLmodel":
        path = folder / held[0]
    if path.is_dir() and (path / "MLmodel").is_file():
        return path
    if path.is_file() and path.name.lower().endswith(SUFFIXES):
        return path
    models = [name for name in held if name.lower().endswith(SUFFIXES) or name.endswith("/MLmodel")]
    if path.is_dir() and models:
        one = models[0].removesuffix("/MLmodel")
        raise ConfigurationError(
            f"'{shown}' holds {len(held)} files, and no file MLmodel: {some(held)}.",
            f"Say which one is the model, for example {found.naming(one)}.",
        )
    raise ConfigurationError(
        f"'{shown}' holds no model that can be opened here: {some(held)}.",
        f"Log a folder with a file MLmodel, or one file that ends in {', '.join(SUFFIXES)}.",
    )
