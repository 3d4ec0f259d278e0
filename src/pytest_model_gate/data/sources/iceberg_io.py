"""Which metadata file a catalog reads when it loads a table. Its errors do not say."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

_IMPLEMENTATION = "py-io-impl"
_NOTED, _OWN = "model-gate.noted", "model-gate.py-io-impl"


class NotingFileIO:
    """Opens files for a catalog as it would itself, and notes where they are; nothing can be written.

    Parameters
    ----------
    properties : Mapping
        Of the catalog. pyiceberg makes this object from them, as it makes each of its own kinds.
    """

    def __init__(self, properties: Any) -> None:
        self.properties = properties
        self._noted: list[str] = properties[_NOTED]
        own = (_IMPLEMENTATION, _NOTED, _OWN)
        self._rest = {name: value for name, value in properties.items() if name not in own}
        if _OWN in properties:
            self._rest[_IMPLEMENTATION] = properties[_OWN]

    def new_input(self, location: str) -> Any:
        """Open a file to read."""
        from pyiceberg.io import load_file_io

        self._noted.append(location)
        return load_file_io(self._rest, location).new_input(location)


def metadata_file(catalog: Any, table: str) -> str:
    """Return where the metadata is that a catalog cannot load; empty where it reads none, as REST ones.

    Parameters
    ----------
    catalog : pyiceberg.catalog.Catalog
        It is of no use afterwards.
    table : str
        Namespace and name.
    """
    noted: list[str] = []
    if _IMPLEMENTATION in catalog.properties:
        catalog.properties[_OWN] = catalog.properties[_IMPLEMENTATION]
    catalog.properties[_IMPLEMENTATION] = f"{__name__}.{NotingFileIO.__name__}"
    catalog.properties[_NOTED] = noted
    with suppress(Exception):  # the error is known already, and only its place is looked for
        catalog.load_table(table)
    return noted[-1] if noted else ""
