"""Which Iceberg catalog was asked, and what pyiceberg's errors mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...errors import EvaluationError, InvalidError, ModelGateError, UnavailableError, UnreachableError
from ...redact import redact
from ...waiting import VARIABLE
from ...wording import one_line, shorten

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
_ABSENT = re.compile(r"does not exist|not found|No such file|NO_SUCH_KEY|Path does not exist", re.IGNORECASE)


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


@contextmanager
def explaining(place: Catalog, file: str = "") -> Iterator[None]:
    """Turn what pyiceberg raises into sentences about a table, or about one of its files."""
    try:
        yield
    except ModelGateError:
        raise
    except Exception as error:  # noqa: BLE001 - catalogs let errors of requests, SQLAlchemy and pyarrow through
        raise _explained(error, place, file) from None


def _explained(error: Exception, place: Catalog, file: str) -> ModelGateError:
    text = f"{type(error).__name__}: {error}"
    name = shorten(redact(file), 160)
    if isinstance(error, TimeoutError) or _DOWN.search(text):
        what = "did not answer in time" if isinstance(error, TimeoutError) else "cannot be reached"
        server = f"The storage of the Iceberg catalog '{place.name}'" if file else None
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
    if isinstance(error, FileNotFoundError) or _ABSENT.search(text):
        return UnavailableError(
            f"'{place.source}' can no longer be read: its file {name} is gone."
            if file
            else f"'{place.source}' can no longer be read: a file of its metadata is gone.",
            "Expiring snapshots and removing orphan files do this: pin another snapshot, "
            "and keep it by a tag.",
        )
    said = one_line(error)
    if file:
        return InvalidError(
            f"'{place.source}': its file {name} cannot be read: {said}.",
            "It may be damaged: restore it from a copy, or pin another snapshot.",
        )
    return EvaluationError(
        f"The Iceberg catalog '{place.name}' could not open '{place.source}': {said}.",
        f"Check {place.setting}",
    )


def _server(place: Catalog) -> str:
    try:
        from pyiceberg.utils.config import Config

        uri = (Config().get_catalog_config(place.name) or {}).get("uri", "")
    except Exception:  # noqa: BLE001 - an address makes the message better, and is no reason for another one
        uri = ""
    return f"The Iceberg catalog '{place.name}'" + (f" at {redact(str(uri))}" if uri else "")
