"""Who may run code by being loaded: one rule, asked when the digest is known and nothing is loaded yet."""

from __future__ import annotations

import glob
import json
import shlex
from fnmatch import fnmatchcase

from ..errors import InvalidError, UntrustedError
from ..spec import SourceContext
from .identity import Identity


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


def require_trust(identity: Identity, context: SourceContext, why: str) -> None:
    """Let a model pass that runs code when it is loaded, or refuse it.

    Parameters
    ----------
    identity : Identity
        With the digest of the bytes that will be loaded.
    context : SourceContext
        Holds what the user trusts.
    why : str
        What it is about the model that runs code: ``"it is a pickle"``.

    Raises
    ------
    UntrustedError
        If its digest is not pinned and its source matches none of the trusted patterns.
    """
    if check_pin(identity, context) or is_trusted_source(identity.source, context):
        return
    pattern = json.dumps(glob.escape(identity.source), ensure_ascii=False)
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
    mean ``models/../../tmp/x.pkl``.
    """
    if ".." in source.replace("\\", "/").split("/"):
        return False
    return any(fnmatchcase(source, pattern) for pattern in context.trusted_sources)
