"""Which model it is: what was asked for, the exact version that it meant, and the digest of its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UnavailableError
from ..wording import did_you_mean

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One immutable version of a model.

    Parameters
    ----------
    source : str
        As written, with secrets removed.
    resolved : str
        The exact version that it meant, with secrets removed.
    digest : str
        ``"sha256:<hex>"`` of its content. Empty where there is none.
    """

    source: str
    resolved: str
    digest: str


def sha256(content: bytes) -> str:
    """Return ``"sha256:<hex>"``: for a file what ``sha256sum`` prints."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_of_files(files: Mapping[str, bytes | Path]) -> str:
    r"""Return the digest of several files: the sha256 of the lines that ``sha256sum`` prints for them.

    By hand, in the folder that holds them::

        find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
    """
    listing = hashlib.sha256()
    for name in sorted(files, key=lambda name: name.encode("utf-8", "surrogateescape")):
        content = files[name]
        if isinstance(content, Path):
            with content.open("rb") as stream:
                hexed = hashlib.file_digest(stream, "sha256").hexdigest()
        else:
            hexed = hashlib.sha256(content).hexdigest()
        listing.update(f"{hexed}  {name}\n".encode("utf-8", "surrogateescape"))
    return f"sha256:{listing.hexdigest()}"


def digest_of_answers(answers: Mapping[str, npt.NDArray[Any] | None]) -> str:
    """Return the digest of predictions, row by row, for a model that has no content of its own.

    Parameters
    ----------
    answers : mapping
        Form -> one prediction for each row; ``None`` where there is none of this form.
    """
    listing = hashlib.sha256()
    for form in sorted(answers):
        array = answers[form]
        if array is None:
            continue
        numbers = array.dtype.kind in "fiub"
        listing.update(f"{form} {'number' if numbers else 'text'} {array.shape}\n".encode())
        if numbers:
            listing.update((array.astype("<f8") + 0.0).tobytes())  # -0.0 is 0.0
        else:
            listing.update("\n".join(map(repr, array.tolist())).encode("utf-8", "surrogateescape"))
    return f"sha256:{listing.hexdigest()}"


def read_once(path: Path, source: str) -> bytes:
    """Return all bytes of a model file; the same bytes are hashed and then loaded."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        folder = path.parent
        siblings = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        raise UnavailableError(
            f"The file '{source}' does not exist.",
            did_you_mean(path.name, siblings, f"It was looked for at {path.as_posix()}."),
        ) from None
    except OSError as error:
        raise UnavailableError(
            f"The file '{source}' cannot be read: {error.strerror or type(error).__name__}.",
            "Check that it is a file, and its permissions.",
        ) from None
