"""``iceberg:catalog.namespace.table@snapshot``: one snapshot of an Iceberg table, read through pyiceberg."""

from __future__ import annotations

import re
from contextlib import suppress
from importlib import import_module
from typing import Any

from ...errors import ConfigurationError, InvalidError, UnavailableError
from ...hooks import DatasetProtocol
from ...redact import redact
from ...spec import SourceContext
from ...waiting import seconds, within
from ...wording import did_you_mean
from .extras import missing_package
from .iceberg_errors import Catalog, check_file, explaining
from .stream import StreamDataset

PREFIX = "iceberg:"
_SOURCE = re.compile(r"(?P<catalog>[^.@/]+)\.(?P<table>[^@/]+\.[^@./]+)(?:@(?P<at>[^@]+))?")
_PINNED = re.compile(r"(?P<snapshot>\d+) of (?P<table>\S+)")
#: How many times the limit a catalog and its storage have to give the table's metadata.
_QUESTIONS = 2


def open_source(source: str, context: SourceContext) -> DatasetProtocol:
    """Open one snapshot of an Iceberg table.

    A tag, a branch or no name at all means what it means now when it is pinned, and the pinned snapshot
    from then on. The pin is the snapshot with the id of the table: names can be given to other tables.
    """
    shown = redact(source)
    found = _SOURCE.fullmatch(source.removeprefix(PREFIX))
    if not found:
        raise ConfigurationError(
            f"'{shown}' names no Iceberg table.",
            "Write iceberg:catalog.namespace.table@snapshot; the snapshot is an id, a tag or a branch, or is "
            "left out.",
        )
    try:
        import pyiceberg.table  # noqa: F401 - asked for here, so that its absence is told apart
    except ImportError:
        raise missing_package(shown, "pyiceberg", "iceberg") from None
    place = Catalog(source=shown, name=found["catalog"], table=found["table"])
    table = _load(place)
    agreed = _PINNED.fullmatch(context.pinned_versions.get(shown, ""))
    identity = str(table.metadata.table_uuid)
    if agreed and agreed["table"] != identity:
        raise InvalidError(
            f"'{shown}' is another table than the one that was pinned: {agreed['table']} is pinned, "
            f"{identity} goes by the name now.",
            "Give the name back to the old table, or run `model-gate pin` if the new one is meant.",
        )
    snapshot = _snapshot(table, int(agreed["snapshot"]) if agreed else found["at"], place)
    from .iceberg_rows import IcebergRows

    rows = IcebergRows(table, snapshot, place)
    return StreamDataset(
        shown,
        f"{PREFIX}{place.name}.{place.table}@{snapshot} (table {identity})",
        rows.schema,
        rows.scan,
        version=f"{snapshot} of {identity}",
    )


def _load(place: Catalog) -> Any:
    from pyiceberg.catalog import load_catalog
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError, RESTError
    from pyiceberg.utils.config import Config

    noted: list[str] = []
    with explaining(place):
        # Asked for anew: pyiceberg itself looks at the environment only when it is imported.
        described = Config().get_catalog_config(place.name) or {}
        uri = str(described.get("uri", ""))
        check_file(place, uri)
    _import_parts(str(described.get("type") or ("sql" if uri.startswith(("sqlite", "postgres")) else "rest")))

    def load() -> Any:
        # A catalog in a database would make its tables where they are missing: nothing is written here.
        catalog = load_catalog(place.name, **{"init_catalog_tables": "false", **described})
        for name in ("s3.connect-timeout", "s3.request-timeout"):
            catalog.properties.setdefault(name, str(seconds()))
        try:
            return catalog.load_table(place.table)
        except (NoSuchTableError, NoSuchNamespaceError):
            namespace, _, name = place.table.rpartition(".")
            try:
                others = [item[-1] for item in catalog.list_tables(namespace)]
            except NoSuchNamespaceError:
                others = []
            raise UnavailableError(
                f"There is no Iceberg table {place.table} in the catalog '{place.name}'.",
                did_you_mean(name, others, "Check the name, and the catalog in .pyiceberg.yaml."),
            ) from None
        except RESTError:
            raise
        except Exception:
            from .iceberg_io import metadata_file

            noted.append(metadata_file(catalog, place.table))
            raise

    with explaining(place, noted):
        return within(_QUESTIONS * seconds(), load)


def _import_parts(kind: str) -> None:
    """Import what a catalog of this kind would import while it is asked: the limit is one for servers."""
    for name in ("pyiceberg.io.pyarrow", f"pyiceberg.catalog.{kind}"):
        with suppress(ImportError):  # whoever needs it says so
            import_module(name)


def _snapshot(table: Any, asked: int | str | None, place: Catalog) -> int:
    """Return the id of the snapshot that is meant."""
    if asked is None:
        current = table.current_snapshot()
        if current is None:
            raise UnavailableError(
                f"The Iceberg table {place.table} has no snapshot: nothing was written to it yet.",
                "Write rows to it, or name another table.",
            )
        return int(current.snapshot_id)
    if isinstance(asked, str) and not asked.isdecimal():
        refs = table.refs()
        if asked not in refs:
            raise UnavailableError(
                f"The Iceberg table {place.table} has no tag or branch '{asked}'.",
                did_you_mean(asked, refs, f"It has: {', '.join(sorted(refs)) or 'none'}."),
            )
        return int(refs[asked].snapshot_id)
    if table.snapshot_by_id(int(asked)) is None:
        current = table.current_snapshot()
        newest = f" (the current one is {current.snapshot_id})" if current else ""
        raise UnavailableError(
            f"The Iceberg table {place.table} has no snapshot {asked}{newest}: it has expired, or never was.",
            "Pin a newer one. A tag keeps a snapshot from expiring.",
        )
    return int(asked)
