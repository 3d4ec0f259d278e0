"""Which Iceberg catalog was asked, and what pyiceberg's errors mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ...errors import EvaluationError, InvalidError, ModelGateError, UnavailableError, UnreachableError
from ...redact import redact
from ...waiting import VARIABLE
from ...wording import first_line, one_line, shorten

_SETTING = "its entry in .pyiceberg.yaml or PYICEBERG_CATALOG__{name}__..."
_REFUSED = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|InvalidAccessKey|SignatureDoesNotMatch"
    r"|AccessDenied|HTTP status 40[13]|HTTP response code 40[13]|Forbidden|Unauthorized|access key|signature",
    re.IGNORECASE,
)
_DOWN = re.compile(
    r"NETWORK_CONNECTION|Connection refused|Max retries exceeded|Name or service|Could not connect|timed out"
    r"|curlCode: (?:6|7|28)|REQUEST_TIMEOUT",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"does not exist|(?<!magic bytes )not found|No such file|NO_SUCH_KEY|Path does not exist", re.IGNORECASE
)
#: What a server that is no catalog answers with.
_PAGE = re.compile(r"unexpected JSON Payload|<!DOCTYPE html|<html|JSONDecodeError", re.IGNORECASE)

#: What the parsers say of these files when they are damaged helps nobody.
_KINDS = {"json": "it is not the JSON of a table's metadata", "avro": "it is not a manifest of Iceberg"}
_ANEW = (
    "No snapshot can be read without it: restore it from a copy, or register the table with an earlier "
    "metadata file."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Where a table is looked for.

    Parameters
    ----------
    source : str
        What the user wrote, without secrets.
    name : str
        The catalog, as pyiceberg's own configuration calls it.
    table : str
        The table with its namespace.
    """

    source: str
    name: str
    table: str

    @property
    def setting(self) -> str:
        """What the user changes to change the server."""
        return _SETTING.format(name=self.name.upper())


def check_file(place: Catalog, uri: str) -> None:
    """Refuse a catalog in a SQLite file that is not there: asking for it would make an empty one.

    Raises
    ------
    UnavailableError
        If it is not there.
    """
    if not uri.startswith("sqlite"):
        return
    path = unquote(uri.partition("://")[2].partition("?")[0].removeprefix("/"))
    # file: is a form of SQLite's own, which says itself whether it may be made.
    if path in ("", ":memory:") or path.startswith("file:"):
        return
    there = Path(path).is_file()
    if there and Path(path).stat().st_size:
        return
    raise UnavailableError(
        f"The Iceberg catalog '{place.name}' should be in {redact(path)}, which "
        f"{'is empty' if there else 'does not exist'}, so '{place.source}' could not be opened.",
        f"Correct {place.setting} Relative paths start from the folder that the command is run in.",
    )


@contextmanager
def explaining(place: Catalog, files: Sequence[str] = ()) -> Iterator[None]:
    """Turn what pyiceberg raises into sentences about a table, or about the last of the files it read."""
    try:
        yield
    except ModelGateError:
        raise
    except Exception as error:  # noqa: BLE001 - catalogs let errors of requests, SQLAlchemy and pyarrow through
        raise _explained(error, place, files[-1] if files else "") from None


def _explained(error: Exception, place: Catalog, file: str) -> ModelGateError:
    text = f"{type(error).__name__}: {error}"
    name = shorten(redact(file.removeprefix("file://")), 200)
    if isinstance(error, TimeoutError) or _DOWN.search(text):
        what = "did not answer in time" if isinstance(error, TimeoutError) else "cannot be reached"
        server = f"The storage of the Iceberg catalog '{place.name}'" if file else ""
        return UnreachableError(
            f"{server or _server(place)} {what}, so '{place.source}' could not be opened.",
            f"Start it, or correct {place.setting} {VARIABLE} sets how many seconds to wait.",
            prefixes=(f"iceberg:{place.name}.",),
        )
    if isinstance(error, ValueError) and "URI missing" in text:
        return UnavailableError(
            f"pyiceberg knows no catalog '{place.name}', so '{place.source}' could not be opened.",
            f"Describe it in .pyiceberg.yaml, or set PYICEBERG_CATALOG__{place.name.upper()}__URI.",
        )
    if _REFUSED.search(text):
        return UnavailableError(
            f"The Iceberg catalog '{place.name}' or its storage refused to open '{place.source}'.",
            f"Check the keys or tokens in {place.setting}",
        )
    if _PAGE.search(text) and not file:
        return UnavailableError(
            f"{_server(place)} did not answer as a catalog does, so '{place.source}' could not be opened.",
            f"Another kind of server may listen there: correct {place.setting}",
        )
    if file and (isinstance(error, FileNotFoundError) or _ABSENT.search(text)):
        return UnavailableError(
            f"'{place.source}' can no longer be read: its file {name} is gone.",
            _ANEW
            if file.endswith(".json")
            else "Expiring snapshots and removing orphan files do this: pin another snapshot, "
            "and keep it by a tag.",
        )
    if file:
        kind = file.rpartition(".")[2]
        return InvalidError(
            f"'{place.source}': its file {name} cannot be read: {_KINDS.get(kind) or one_line(error)}.",
            _ANEW
            if kind == "json"
            else "It may be damaged: restore it from a copy, or pin another snapshot.",
        )
    return EvaluationError(
        f"{_server(place)} could not open '{place.source}': {shorten(first_line(_cause(error)), 160)}.",
        f"Check {place.setting}",
    )


def _cause(error: Exception) -> BaseException:
    """Return what a database's driver said, where SQLAlchemy repeats it among much else."""
    cause = getattr(error, "orig", None)
    return cause if isinstance(cause, BaseException) else error


def _server(place: Catalog) -> str:
    try:
        from pyiceberg.utils.config import Config

        uri = (Config().get_catalog_config(place.name) or {}).get("uri", "")
    except Exception:  # noqa: BLE001 - an address makes the message better, and is no reason for another one
        uri = ""
    return f"The Iceberg catalog '{place.name}'" + (f" at {redact(str(uri))}" if uri else "")
