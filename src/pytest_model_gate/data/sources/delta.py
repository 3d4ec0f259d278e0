"""``delta:path@version``: one version of a Delta table, its rows in the order of its files' names."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, InvalidError, UnavailableError
from ...hooks import DatasetProtocol
from ...redact import redact
from ...spec import SourceContext
from ...waiting import seconds
from ..pins import PIN_COMMAND
from .delta_errors import explaining
from .delta_place import Place, s3_endpoint
from .extras import missing_package
from .stream import StreamDataset

PREFIX = "delta:"
_FORM = "Write delta:path@7 for version 7, or delta:path for the newest one."
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PINNED = re.compile(r"(?P<number>\d+) of (?P<table>\S+)")


#: How much longer a server may take that has just answered.
_READING = 12

#: What a table may ask of its readers. Anything else could mean rows that are not what they seem.
_FEATURES = frozenset(
    {
        *("columnMapping", "deletionVectors", "timestampNtz", "typeWidening", "typeWidening-preview"),
        *("v2Checkpoint", "vacuumProtocolCheck", "variantType", "variantType-preview"),
    }
)


def open_source(source: str, context: SourceContext) -> DatasetProtocol:
    """Open one version of a Delta table.

    Without a version, the newest one is opened, or the one that is pinned. The pin is the number of the
    version with the id of the table: a table that was deleted and made anew begins to count at 0 again.
    """
    shown = redact(source)
    path, asked = _parse(source.removeprefix(PREFIX), shown)
    try:
        import deltalake  # noqa: F401 - asked for here, so that its absence is told apart from its errors
    except ImportError:
        raise missing_package(shown, "deltalake", "delta") from None
    place = _place(path, shown, context.root)
    agreed = _PINNED.fullmatch(context.pinned_versions.get(shown, ""))
    number = asked if asked is not None else int(agreed["number"]) if agreed else None
    place = replace(place, version=number)
    table = _load(place, pinned=bool(agreed) and asked is None)
    identity = table.metadata().id
    if agreed and agreed["table"] != identity:
        raise InvalidError(
            f"'{shown}' is another table than the one that was pinned: it was made anew under the same path "
            f"({agreed['table']} is pinned, {identity} is there).",
            "Bring the old table back, or run `model-gate pin` if the new one is meant.",
        )
    from .delta_rows import DeltaRows

    rows = DeltaRows(table, place)
    return StreamDataset(
        shown,
        f"{PREFIX}{place.shown}@{table.version()} (table {identity})",
        rows.schema,
        rows.scan,
        version=f"{table.version()} of {identity}",
    )


def _parse(text: str, shown: str) -> tuple[str, int | None]:
    """Return the path and the version; an ``@`` further up belongs to the path."""
    head, slash, last = text.rpartition("/")
    name, at, version = last.rpartition("@")
    if not at or _SCHEME.fullmatch(head + slash):
        name, version = last, ""
    if (at and name != last and not version.isdecimal()) or not head + slash + name:
        raise ConfigurationError(f"'{shown}' names no version of a Delta table.", _FORM)
    return head + slash + name, int(version) if version else None


def _place(path: str, shown: str, root: str) -> Place:
    if not _SCHEME.match(path):
        where = Path(os.path.normpath(Path(root).absolute() / path))
        return Place(source=shown, shown=path, uri=str(where), folder=where, asking=None, reading=None)
    options = {}
    endpoint = s3_endpoint() if path.startswith("s3") else ""
    if endpoint:
        options["endpoint"] = endpoint
    if endpoint.startswith("http://"):
        # Whoever writes http:// has said that it may be that.
        options["allow_http"] = "true"
    return Place(
        source=shown,
        shown=redact(path),
        uri=path,
        folder=None,
        asking={**options, **_limits(seconds())},
        # A server that has just answered may take longer: whole files come in one answer.
        reading={**options, **_limits(seconds() * _READING)},
    )


def _limits(limit: float) -> dict[str, str]:
    """Let deltalake ask twice, each time so long."""
    one = f"{round(limit * 1000)}ms"
    return {"timeout": one, "connect_timeout": one, "max_retries": "1", "retry_timeout": one}


def _load(place: Place, *, pinned: bool) -> Any:
    from deltalake import DeltaTable

    number = place.version
    with explaining(place):
        if not DeltaTable.is_deltatable(place.uri, storage_options=place.asking):
            raise UnavailableError(
                f"There is no Delta table at {place.shown}.",
                "Check the path: a table has a folder _delta_log."
                + (f" Relative paths start from {_root(place)}." if place.folder else ""),
            )
        try:
            table = DeltaTable(place.uri, version=number, storage_options=place.reading)
        except Exception as error:
            if number is None or not _is_about_versions(error):
                raise
            try:
                newest = DeltaTable(place.uri, storage_options=place.reading).version()
            except Exception:  # noqa: BLE001 - the log itself is at fault, and the first error knows where
                raise error from None
            if newest == number:
                raise
            raise _no_version(place, number, newest, pinned=pinned) from None
        _check_features(table, place)
    return table


def _root(place: Place) -> str:
    assert place.folder is not None
    text = place.folder.as_posix()
    return text.removesuffix(place.shown).rstrip("/") or text


def _is_about_versions(error: Exception) -> bool:
    return re.search(r"LogSegment|log segment|No table metadata|version", str(error)) is not None


def _no_version(place: Place, number: int, newest: int, *, pinned: bool) -> UnavailableError:
    if number > newest and pinned:
        return UnavailableError(
            f"Version {number} of the Delta table at {place.shown} is pinned, and no longer there: the "
            f"newest is {newest}.",
            f"Restore the end of its log (_delta_log/{number:020d}.json) from a copy of the table, or run "
            f"{PIN_COMMAND} if version {newest} is meant.",
        )
    if number > newest:
        return UnavailableError(
            f"The Delta table at {place.shown} has no version {number}: its newest is {newest}.",
            "Check the number, or pin a version that is there.",
        )
    return UnavailableError(
        f"Version {number} of the Delta table at {place.shown} can no longer be opened: its log was "
        f"cleaned up (the newest version is {newest}).",
        "Pin a newer version, and let delta.logRetentionDuration keep pinned ones for as long as they count.",
    )


def _check_features(table: Any, place: Place) -> None:
    protocol = table.protocol()
    unknown = sorted(set(protocol.reader_features or ()) - _FEATURES)
    if unknown:
        raise UnavailableError(
            f"The Delta table at {place.shown} needs readers that know {', '.join(unknown)}.",
            "Write the dataset as a table without it, or as Parquet.",
        )
