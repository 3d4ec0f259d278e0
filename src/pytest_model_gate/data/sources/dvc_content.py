"""Fetch the content that DVC recorded a hash of, and prove that it is that content. DVC itself does not.

In the order in which DVC looks: its cache on this machine, then the remote. What has another hash than was
recorded is not used; if the cache is damaged, the remote is asked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ...errors import InvalidError, ModelGateError, UnavailableError
from ...redact import redact
from .dvc_outs import LEGACY
from .dvc_remotes import Closed, Folder, Remote, S3Remote
from .remote import write_pieces
from .s3_errors import MissingObjectError

_PIECE = 1 << 20
_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"
_LOOKED_AT = 512


@dataclass(frozen=True, slots=True)
class Content:
    """Content with a known hash.

    Parameters
    ----------
    shown : str
        What it is, for errors: ``data/holdout.parquet``.
    md5, kind : str
        As in ``Out``.
    places : tuple of Remote
        Where it may lie, in this order.
    source : str
        What the user wrote.
    """

    shown: str
    md5: str
    kind: str
    places: tuple[Remote, ...]
    source: str

    def download(self, target: Path) -> str:
        """Write it to a new file and return the sha256 of its bytes in hex.

        Raises
        ------
        UnavailableError
            If it is nowhere.
        InvalidError
            If it is nowhere as it was recorded.
        """
        damaged: InvalidError | None = None
        for place in self.places:
            try:
                hexed = self._from(place, target)
            except FileNotFoundError:
                continue
            found = _md5(target, self.kind, self.md5)
            if found == self.md5.removesuffix(".dir"):
                return hexed
            target.unlink()
            damaged = InvalidError(
                f"{self.shown} is damaged in {_named(place)}: its md5 is {found}, and DVC recorded "
                f"{self.md5.removesuffix('.dir')}.",
                f"Delete {_address(place, self)} and push it again from where it is whole: dvc push.",
            )
        raise damaged or self._nowhere()

    def _from(self, place: Remote, target: Path) -> str:
        """Write what a place holds; ``FileNotFoundError`` where it holds nothing of that hash."""
        if isinstance(place, Closed):
            raise FileNotFoundError
        if isinstance(place, S3Remote):
            try:
                return place.bucket.download(place.bucket.look(place.key(self.md5, self.kind)), target)
            except MissingObjectError:
                raise FileNotFoundError from None
        path = place.path(self.md5, self.kind)
        try:
            with path.open("rb") as stream:
                return write_pieces(iter(lambda: stream.read(_PIECE), b""), target)
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError from None
        except ModelGateError:
            raise
        except OSError as error:
            raise UnavailableError(
                f"{self.shown} cannot be read from {_named(place)}: {error.strerror or error}.",
                f"Check {path.as_posix()}.",
            ) from None

    def _nowhere(self) -> UnavailableError:
        closed = next((place for place in self.places if isinstance(place, Closed)), None)
        if closed:
            return UnavailableError(
                f"{self.shown} (md5 {self.md5}) is not in the DVC cache, and the remote '{closed.name}' "
                f"{closed.why}.",
                "Let DVC put it into the cache first: dvc fetch --all-commits, or dvc fetch at that commit.",
            )
        gone = next((place for place in self.places if isinstance(place, Folder) and place.remote), None)
        if gone and not gone.root.is_dir():
            name = gone.name.removeprefix("the remote ").strip("'")
            return UnavailableError(
                f"{self.shown} (md5 {self.md5}) is not in the DVC cache, and the folder of {_named(gone)} is "
                "not there.",
                f"Mount it, or correct its address: dvc remote modify {name} url PATH. If nothing was pushed "
                "there yet: dvc push.",
            )
        looked = " nor in ".join(_named(place) for place in self.places)
        remedy = (
            "Fetch it where it is (dvc fetch), or push it from where it was added (dvc push)."
            if len(self.places) > 1
            else "There is no default remote to ask: dvc remote default NAME, or fetch it (dvc fetch)."
        )
        return UnavailableError(f"{self.shown} (md5 {self.md5}) is not in {looked}.", remedy)


def _named(place: Remote) -> str:
    if isinstance(place, S3Remote):
        return f"the remote '{place.name}' (s3://{place.bucket.name}/{place.prefix})"
    if isinstance(place, Folder):
        return f"{place.name} ({redact(place.root.as_posix())})"
    return f"the remote '{place.name}'"


def _address(place: Remote, content: Content) -> str:
    if isinstance(place, S3Remote):
        return f"s3://{place.bucket.name}/{place.key(content.md5, content.kind)}"
    if isinstance(place, Folder):
        return place.path(content.md5, content.kind).as_posix()
    return place.name


def _md5(path: Path, kind: str, wanted: str) -> str:
    """Return the md5 of a file as DVC takes it."""
    with path.open("rb") as stream:
        plain = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if kind != LEGACY or plain == wanted.removesuffix(".dir"):
        return plain
    unix = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        # As DVC does it: piece by piece of a megabyte, each looked at by itself.
        while piece := stream.read(_PIECE):
            unix.update(piece.replace(b"\r\n", b"\n") if _is_text(piece[:_LOOKED_AT]) else piece)
    return unix.hexdigest()


def _is_text(start: bytes) -> bool:
    """Whether DVC 2 took something for text, by how it begins."""
    return b"\0" not in start and len(start.translate(None, _TEXT)) <= 0.3 * len(start)
