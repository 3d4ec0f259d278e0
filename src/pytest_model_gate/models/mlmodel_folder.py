"""A folder on disk that MLflow wrote (``save_model``): copied, hashed, then loaded as one from a server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ..errors import UnavailableError
from ..spec import SourceContext
from .identity import Identity, digest_of_files
from .private import opened_in_private
from .trust import check_pin

if TYPE_CHECKING:
    from ..hooks import ModelProtocol

#: Written into a copy by a download; it is no part of the model.
NOT_CONTENT = "registered_model_meta"


def is_model_folder(source: str, context: SourceContext) -> bool:
    """Return whether a source is a local folder with a file ``MLmodel``."""
    after_drive = source[2:] if source[1:2] == ":" else source
    return bool(source) and ":" not in after_drive and Path(context.root, source, "MLmodel").is_file()


def open_folder(source: str, context: SourceContext) -> ModelProtocol:
    """Load the model in a folder; its digest is the one that it has on a server."""
    from .mlmodel import model_in

    def open_in(private: Path) -> tuple[ModelProtocol, bool]:
        identity, path = _copy(source, context, private)
        check_pin(identity, context)
        return model_in(identity, path, context)

    return opened_in_private(open_in)


@contextmanager
def copied(source: str, context: SourceContext) -> Iterator[tuple[Identity, Path]]:
    """Copy a model for a while, and return which one it is and where its files lie; nothing is loaded."""
    with tempfile.TemporaryDirectory(prefix="model-gate-") as private:
        yield _copy(source, context, Path(private))


def model_files(folder: Path) -> dict[str, Path]:
    """Return the files of a model by their names within its folder."""
    found = {
        file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()
    }
    found.pop(NOT_CONTENT, None)
    return found


def _copy(source: str, context: SourceContext, private: Path) -> tuple[Identity, Path]:
    path = private / "model"
    try:
        shutil.copytree(Path(context.root, source), path)
    except OSError as error:  # of one file, or a shutil.Error with a list of them
        listed = error.args[0] if isinstance(error, shutil.Error) else ()
        reason = f"its file '{PurePath(listed[0][0]).name}' is not to be had" if listed else error.strerror
        raise UnavailableError(
            f"The folder '{source}' cannot be read: {reason}.", "Check its files, and their permissions."
        ) from None
    digest = digest_of_files(dict(model_files(path)))
    return Identity(source=source, resolved=PurePath(source).as_posix(), digest=digest), path
