"""``https://``, ``gs://``, ``az://`` and whatever else fsspec opens: a file, a folder or a glob of Parquet.

Nothing here has versions: the digest alone tells that somebody has replaced a file. It is fetched each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from ...errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    ModelGateError,
    UnavailableError,
    UnreachableError,
)
from ...hooks import DatasetProtocol
from ...redact import redact
from ...spec import SourceContext
from ...waiting import VARIABLE, download_seconds, seconds, shown_seconds, within
from ...wording import first_line, shorten, some
from .extras import missing_package
from .files import open_files
from .local import format_of, unknown_suffix
from .patterns import MAGIC, chosen, start_of
from .remote import RemoteFile, RemoteFiles, open_remote, write_pieces

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
#: What fsspec knows and is no place where a dataset lies: other protocols around it, or this very process.
_NO_PLACE = frozenset(
    [
        "memory",
        "data",
        "dir",
        "reference",
        "generic",
        "cached",
        "blockcache",
        "filecache",
        "simplecache",
        "async_wrapper",
        "dirfs",
        "zip",
        "tar",
        "libarchive",
    ]
)
#: Told without fsspec, so that somebody who lacks it is told that.
_USUAL = frozenset(
    ["http", "https", "gs", "gcs", "az", "abfs", "abfss", "adl", "hdfs", "webhdfs", "ftp", "sftp"]
)
#: One address is one file; they have no folders that could be listed reliably.
_SINGLE = ("http", "https")
_PIECE = 1 << 20
#: Where fsspec and the packages behind it take credentials from.
_NETRC = "Write user and password of the server into ~/.netrc (or the file that NETRC names)."
_GOOGLE = "Set GOOGLE_APPLICATION_CREDENTIALS, or run: gcloud auth application-default login."
_AZURE = "Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY."
_CREDENTIALS = {
    **dict.fromkeys(("http", "https"), _NETRC),
    **dict.fromkeys(("gs", "gcs"), _GOOGLE),
    **dict.fromkeys(("az", "abfs", "abfss"), _AZURE),
}


def knows(source: str) -> bool:
    """Whether a source is an address of a kind that fsspec opens."""
    found = _SCHEME.match(source)
    if not found:
        return False
    try:
        from fsspec.registry import known_implementations, registry
    except ImportError:
        return found[1].lower() in _USUAL
    return found[1].lower() in known_implementations or found[1].lower() in registry


def open_source(source: str, context: SourceContext) -> DatasetProtocol:
    """Open what an address means.

    Parameters
    ----------
    source : str
        ``scheme://...``; credentials come from where fsspec and the packages behind it take them.
    context : SourceContext
        Its ``root`` counts for ``file://`` only: nothing here has versions.
    """
    scheme = source.partition(":")[0].lower()
    shown = redact(source)
    if scheme in ("s3a", "s3n"):
        raise ConfigurationError(f"'{shown}' is written as Hadoop writes it.", f"Write s3://{shown[6:]}.")
    if scheme in _NO_PLACE:
        raise ConfigurationError(
            f"'{shown}' names nothing that would be there in another process.",
            "Name a file, or write python:package.module:load for data that a function makes.",
        )
    store = _Store(source, shown, scheme)
    path = store.path
    if scheme in ("file", "local"):
        return open_files(path, context.root)
    name = unquote(PurePosixPath(urlsplit(source).path if scheme in _SINGLE else path).name)
    if scheme in _SINGLE or not (MAGIC.search(path) or path.endswith("/") or store.is_folder()):
        kind = format_of(name)
        if kind is None:
            raise unknown_suffix(shown, name)
        files = (store.file(path, name),)
        return open_remote(
            RemoteFiles(
                source=shown,
                resolved=f"{shown}, of which there are no versions",
                format=kind,
                files=files,
                single=True,
            )
        )
    start, keys = chosen(store.names(start_of(path)), path)
    if not keys:
        held = [key.removeprefix(start) for key in store.names(start)]
        raise UnavailableError(
            f"{shown} holds no Parquet files.",
            f"There are: {some(held)}. Name one file, or a folder with *.parquet in it."
            if held
            else "Nothing lies there: check the address.",
        )
    count = "1 file" if len(keys) == 1 else f"{len(keys):,} files"
    return open_remote(
        RemoteFiles(
            source=shown,
            resolved=f"{shown} ({count}, of which there are no versions)",
            format="parquet",
            files=tuple(store.file(key, key.removeprefix(start)) for key in keys),
            single=False,
        )
    )


class _Store:
    """One file system of fsspec, with limits on how long it may be silent."""

    def __init__(self, source: str, shown: str, scheme: str) -> None:
        try:
            import fsspec
        except ImportError:
            raise missing_package(shown, "fsspec", "fsspec") from None
        self._shown, self._scheme = shown, scheme
        options: dict[str, Any] = {"skip_instance_cache": True}
        if scheme in _SINGLE:
            # Proxies are then those of the environment, as for everything else.
            options["client_kwargs"] = {"timeout": _http_timeout(shown), "trust_env": True}
        try:
            # Importing has no limit; looking for credentials, which may ask a server, has one.
            fsspec.get_filesystem_class(scheme)
            found = within(2 * seconds(), lambda: fsspec.core.url_to_fs(source, **options))
            self._fs, self.path = found
        except ImportError as error:
            raise UnavailableError(
                f"'{shown}' cannot be opened: {first_line(error)}.",
                "Install the package that it names into the environment that runs the gate.",
            ) from None
        except Exception as error:  # noqa: BLE001 - as below
            raise self._explained(error) from None

    def is_folder(self) -> bool:
        """Whether the path is a folder."""
        return bool(self._ask(lambda: self._fs.isdir(self.path)))

    def names(self, prefix: str) -> list[str]:
        """Return all paths below a folder."""
        return [str(name) for name in self._ask(lambda: self._fs.find(prefix.rstrip("/")))]

    def file(self, path: str, name: str) -> RemoteFile:
        """Return one file to fetch."""
        return RemoteFile(name, "url", (), partial(self._download, path))

    def _download(self, path: str, target: Path) -> str:
        before = self._state(path)
        with self._ask(lambda: self._fs.open(path, "rb")) as stream:
            hexed = write_pieces(self._pieces(stream), target)
        if _is_page(target):
            raise UnavailableError(
                f"'{self._shown}' is a web page, and not the file that its name promises.",
                "The server may want somebody to log in there: check the address and the credentials.",
            )
        if self._state(path) != before or before[0] not in (None, target.stat().st_size):
            raise InvalidError(
                f"'{self._shown}' changed while it was being read.",
                "Run the gate again when nothing writes to it.",
            )
        return hexed

    def _pieces(self, stream: IO[bytes]) -> Iterator[bytes]:
        # The limit is one between pieces, not one for the whole file.
        while piece := self._ask(lambda: stream.read(_PIECE), download_seconds()):
            yield piece

    def _state(self, path: str) -> tuple[Any, ...]:
        """Return what tells one content of a file from the next, as far as this file system says."""
        self._fs.invalidate_cache()
        said = self._ask(lambda: self._fs.info(path))
        marks = ("ETag", "etag", "mtime", "last_modified", "LastModified", "generation", "md5Hash", "ino")
        return (said.get("size"), *(str(said.get(mark, "")) for mark in marks))

    def _ask(self, call: Callable[[], Any], limit: float = 0.0) -> Any:
        try:
            # Twice the limit: many of them ask twice.
            return within(limit or 2 * seconds(), call)
        except ModelGateError:
            raise
        except Exception as error:  # noqa: BLE001 - each file system has exceptions of its own
            raise self._explained(error) from None

    def _explained(self, error: BaseException) -> ModelGateError:
        """Return the error to raise for one of a file system."""
        if isinstance(error, FileNotFoundError):
            # fsspec says so of every answer over HTTP that it did not like, and keeps the reason.
            if error.__cause__ is None or isinstance(error.__cause__, FileNotFoundError):
                return UnavailableError(f"'{self._shown}' does not exist.", "Check the address.")
            error = error.__cause__
        status = getattr(error, "status", None) or getattr(error, "code", None)
        if status == 404:
            return UnavailableError(f"'{self._shown}' does not exist.", "Check the address.")
        if isinstance(error, PermissionError) or status in (401, 403):
            answered = f" with {status}" if status else ""
            return UnavailableError(
                f"'{self._shown}' was refused{answered}.",
                _CREDENTIALS.get(
                    self._scheme,
                    f"Give the credentials in the way that fsspec's {self._scheme}:// takes them.",
                ),
            )
        if status == 410:
            return UnavailableError(
                f"'{self._shown}' was deleted: the server says that it is gone for good (410).",
                "Restore it, or name another file.",
            )
        if status == 429:
            return UnavailableError(
                f"'{self._shown}' could not be opened: the server was asked too often (429).",
                "Wait a while, and run the gate again.",
            )
        if isinstance(status, int) and status >= 500:
            return UnavailableError(
                f"'{self._shown}' could not be opened: the server failed with {status}.",
                "Run the gate again.",
            )
        if isinstance(error, TimeoutError):
            return self._unreachable(f"did not answer within {shown_seconds()}")
        if isinstance(error, OSError) and not status:
            return self._unreachable(f"cannot be reached ({shorten(_reason(error), 100)})")
        return EvaluationError(
            f"'{self._shown}' could not be opened: {type(error).__name__}: {shorten(first_line(error), 99)}.",
            "Check the address and the credentials.",
        )

    def _unreachable(self, what: str) -> UnreachableError:
        host = urlsplit(self._shown).netloc.rpartition("@")[2]
        server = f"The server {self._scheme}://{host}"
        return UnreachableError(
            f"{server} {what}, so '{self._shown}' could not be opened.",
            f"Check the address and the network. {VARIABLE} sets how many seconds to wait.",
            prefixes=(f"{self._scheme}://{host}/",),
        )


def _is_page(path: Path) -> bool:
    """Whether what came is HTML: what servers answer with that know no better status."""
    with path.open("rb") as stream:
        start = stream.read(200).lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))


def _reason(error: BaseException) -> str:
    """Return why nobody answered; aiohttp puts the reason behind the address, in brackets."""
    said = first_line(error if isinstance(error, Exception) else Exception(str(error)))
    return said.rpartition(" [")[2].removesuffix("]") if "Cannot connect" in said else said


def _http_timeout(shown: str) -> Any:
    try:
        from aiohttp import ClientTimeout
    except ImportError:
        raise missing_package(shown, "aiohttp", "fsspec") from None
    return ClientTimeout(total=None, sock_connect=seconds(), sock_read=download_seconds())
