"""Who may run code by being loaded: one rule, asked when the digest is known and nothing is loaded yet."""

from __future__ import annotations

import glob
import json
import re
import shlex
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from ..errors import InvalidError, UntrustedError
from ..spec import SourceContext
from .identity import Identity
from .scan import scan

#: ``..`` as a part of a path, also of one among the words of a command.
_CLIMBS = re.compile(r"""(?:^|[/\\\s='":])\.\.(?:[/\\\s'"]|$)""")
_COMMAND = re.compile(r"exec(?:\+csv)?:")


def check_pin(identity: Identity, context: SourceContext) -> bool:
    """Return whether this very digest is pinned.

    Raises
    ------
    InvalidError
        If another digest is pinned for this source.
    """
    pinned = context.pinned_models.get(identity.source)
    if pinned is None:
        return False
    if pinned != identity.digest:
        raise InvalidError(
            f"'{identity.source}' is not the model that was agreed: model-gate.lock has {pinned}, "
            f"and {identity.resolved} has {identity.digest or 'no digest'}.",
            f"If the change is meant, run: model-gate pin --trust {shlex.quote(identity.source)}",
        )
    return True


def require_trust(
    identity: Identity,
    context: SourceContext,
    why: str,
    pickles: Callable[[], Mapping[str, bytes]] | None = None,
    *,
    by_value: bool = False,
) -> str:
    """Let a model pass that runs code when it is loaded, or refuse it.

    A scanner, where one is installed, has a word on pickles: what a pattern trusts and it doesn't is refused.
    A pin is for these very bytes, and stands.

    Parameters
    ----------
    identity : Identity
        With the digest of the bytes that will be loaded.
    context : SourceContext
        Holds what the user trusts.
    why : str
        What it is about the model that runs code: ``"it is a pickle"``.
    pickles : callable, optional
        Returns the pickles in it by name.
    by_value : bool
        Whether these carry functions by value, see ``scan.scan``.

    Returns
    -------
    str
        What the scanner has against a pinned model. Empty: nothing, or there is none.

    Raises
    ------
    UntrustedError
        If its digest is not pinned and its source matches none of the trusted patterns.
    """
    pinned = check_pin(identity, context)
    if pinned or is_trusted_source(identity.source, context):
        scanned = None if pickles is None else scan(pickles(), by_value=by_value)
        if scanned is None or scanned.clean:
            return ""
        if pinned:
            return str(scanned)
        raise UntrustedError(
            f"'{identity.source}' is among the trusted_sources, but {scanned}.",
            f"{'Find out who wrote it.' if scanned.dangerous else 'Write it again.'} "
            f"If you trust these bytes ({identity.digest}) all the same, run: "
            f"model-gate pin --trust {shlex.quote(identity.source)}",
            digest=identity.digest,
        )
    pattern = json.dumps(glob.escape(identity.source), ensure_ascii=False)
    if not identity.digest:  # a command that names no file: there are no bytes to agree to
        raise UntrustedError(
            f"'{identity.source}' is not trusted: {why}, and names no file that could be pinned.",
            "If you trust whatever it runs, add to [tool.model_gate] in pyproject.toml: "
            f"trusted_sources = [{pattern}]",
            digest="",
        )
    raise UntrustedError(
        f"'{identity.source}' is not trusted: {why}, and loading it would run any code that is in it.",
        f"If you trust these bytes ({identity.digest}), run: "
        f"model-gate pin --trust {shlex.quote(identity.source)} "
        f"(or, if you trust whatever is there, add to [tool.model_gate] in pyproject.toml: "
        f"trusted_sources = [{pattern}])",
        digest=identity.digest,
    )


def is_trusted_source(source: str, context: SourceContext) -> bool:
    """Return whether a source matches one of the trusted patterns.

    ``*`` matches ``/`` too, so a source that climbs with ``..`` matches none: ``models/*`` must not
    mean ``models/../../tmp/x.pkl``. A command is only matched by a pattern that begins as commands do:
    ``*.joblib`` speaks of files, and must not mean ``exec:sh x.joblib``.
    """
    if _CLIMBS.search(source):
        return False
    command = _COMMAND.match(source)
    return any(
        fnmatchcase(source, pattern)
        for pattern in context.trusted_sources
        if command is None or pattern.startswith(command[0])
    )
