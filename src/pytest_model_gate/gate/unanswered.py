"""Servers that did not answer in this run: they are asked once, and not by every gate again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import pluggy

from ..errors import UnreachableError
from ..redact import redact
from ..spec import SourceContext

#: A registry lives as long as a run does in one process. Each tracking server has errors of its own.
_KNOWN: WeakKeyDictionary[pluggy.PluginManager, dict[str, list[tuple[str, UnreachableError]]]] = (
    WeakKeyDictionary()
)


@contextmanager
def asking_once(registry: pluggy.PluginManager, source: str, context: SourceContext) -> Iterator[None]:
    """Open a source, unless its server did not answer for another one: it would be waited for as long again.

    Raises
    ------
    UnreachableError
        If it does not, or did not, answer.
    """
    known = _KNOWN.setdefault(registry, {}).setdefault(context.tracking_uri, [])
    for first, error in known:
        if source == first:
            raise UnreachableError(error.what, error.remedy, prefixes=error.prefixes)
        if source.startswith(error.prefixes):
            raise UnreachableError(
                f"'{redact(source)}' was not opened, as its server had not answered before: {error.what}",
                error.remedy,
                prefixes=error.prefixes,
            )
    try:
        yield
    except UnreachableError as error:
        known.append((source, error.with_traceback(None)))
        raise
