"""Models that W&B holds, on a server or in an offline run: one version, opened by what is in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, UnavailableError
from ..redact import redact
from ..spec import SourceContext
from ..wandb_calls import PREFIX, artifact, asking, client, download
from ..wording import shorten, some
from . import wandb_offline
from .files import SUFFIXES, load_bytes
from .identity import Identity, digest_of_files, sha256
from .mlmodel import model_in
from .private import opened_in_private
from .trust import check_pin
from .wandb_find import find
from .wandb_search import PREFIX as SEARCH
from .wandb_search import read_search

if TYPE_CHECKING:
    from ..hooks import ModelProtocol

#: How sources begin that are opened here.
PREFIXES = (PREFIX, SEARCH, wandb_offline.PREFIX)

_MODELS = ("model",)
#: What a table becomes that a run logs, and what people call an artifact of predictions.
_PREDICTIONS = ("predictions", "prediction", "run_table")


@dataclass(frozen=True, slots=True)
class _Copied:
    """An artifact in a folder: its exact address, which of its files is meant, and how another is named."""

    resolved: str
    file: str
    example: str


def open_wandb(source: str, context: SourceContext) -> ModelProtocol:
    """Load a model from an artifact.

    An alias is asked for once; what it meant then is what is downloaded and recorded, also if it is moved
    meanwhile. The files are compared with the artifact's manifest. The digest is ours, over all that is
    opened: of a file what it is on disk, of a folder with a file ``MLmodel`` what it is in MLflow.
    """

    def open_in(folder: Path) -> tuple[ModelProtocol, bool]:
        identity, path, content = _identified(source, context, folder)
        check_pin(identity, context)
        if content is not None:
            return load_bytes(identity, content, path.suffix.lower(), context), False
        return model_in(identity, path, context)

    return opened_in_private(open_in)


@contextmanager
def downloaded(source: str, context: SourceContext) -> Iterator[tuple[Identity, Path, bytes | None]]:
    """Download a model for a while: which one it is, where it lies, and its bytes if it is one file."""
    with tempfile.TemporaryDirectory(prefix="model-gate-") as folder:
        yield _identified(source, context, Path(folder))


def predictions_of(source: str, context: SourceContext, suffixes: tuple[str, ...]) -> tuple[str, str, bytes]:
    """Return the exact address of a file of predictions that is in an artifact, its name and its bytes."""
    with tempfile.TemporaryDirectory(prefix="model-gate-") as folder:
        copied = _copy(source, context, Path(folder), _PREDICTIONS)
        path = _meant(redact(source), Path(folder), copied, suffixes, "table of predictions")
        return copied.resolved, path.name, path.read_bytes()


def _identified(source: str, context: SourceContext, folder: Path) -> tuple[Identity, Path, bytes | None]:
    shown = redact(source)
    copied = _copy(source, context, folder, _MODELS)
    path = _meant(shown, folder, copied, SUFFIXES, "model")
    if path.is_file():
        content = path.read_bytes()
        return Identity(source=shown, resolved=copied.resolved, digest=sha256(content)), path, content
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    return Identity(source=shown, resolved=copied.resolved, digest=digest_of_files(files)), path, None


def _copy(source: str, context: SourceContext, folder: Path, kinds: tuple[str, ...]) -> _Copied:
    shown = redact(source)
    if source.startswith(wandb_offline.PREFIX):
        staged = wandb_offline.copy(source, context.root, folder, kinds)
        return _Copied(staged.resolved, staged.file, staged.example)
    if source.startswith(SEARCH):
        read_search(source)  # what is wrong with it needs no server
    with asking(shown):
        api = client()
        found = find(api, source, shown, kinds)
        held = artifact(api, found.path, found.version, shown)
        download(held, f"{found.path}:{found.version}", folder)
    return _Copied(found.resolved, found.file, found.example)


def _meant(shown: str, folder: Path, copied: _Copied, suffixes: tuple[str, ...], noun: str) -> Path:
    """Return the file that is meant, or the folder of an MLflow model."""
    file = copied.file
    folders = noun == "model"
    held = sorted(item.relative_to(folder).as_posix() for item in folder.rglob("*") if item.is_file())
    if file and file not in held and not any(name.startswith(f"{file}/") for name in held):
        raise UnavailableError(
            f"'{shown}': the artifact holds no {shorten(file)}.", f"It holds: {some(held)}."
        )
    path = folder / file
    if not file and len(held) == 1 and held[0] != "MLmodel":
        path = folder / held[0]
    if folders and path.is_dir() and (path / "MLmodel").is_file():
        return path
    if path.is_file() and path.name.lower().endswith(suffixes):
        return path
    fitting = [
        name for name in held if name.lower().endswith(suffixes) or (folders and name.endswith("/MLmodel"))
    ]
    if path.is_dir() and fitting:
        one = fitting[0].removesuffix("/MLmodel")
        raise ConfigurationError(
            f"'{shown}' holds {len(held)} files{', and no file MLmodel' if folders else ''}: {some(held)}.",
            f"Say which one is the {noun}, for example {copied.example}{one}.",
        )
    raise ConfigurationError(
        f"'{shown}' holds no {noun} that can be opened here: {some(held)}.",
        f"Log {'a folder with a file MLmodel, or ' if folders else ''}one file that ends in "
        f"{', '.join(suffixes)}.",
    )
