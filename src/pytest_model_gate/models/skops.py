"""``.skops`` files: loaded when they hold nothing but types of our own list, whatever they say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any
from zipfile import BadZipFile

from ..errors import InvalidError, ModelGateError, UnavailableError
from ..spec import SourceContext
from ..wording import one_line, plural, shorten
from .identity import Identity
from .packages import missing_package, needed
from .skops_trust import TRUSTED
from .tree_bounds import check_trees
from .trust import require_trust

#: Older versions had holes in their own audit (CVE-2025-54412, CVE-2025-54413 and others after them).
_OLDEST = (0, 16)


def load(identity: Identity, content: bytes, context: SourceContext) -> Any:
    """Return the object in a ``.skops`` file.

    Raises
    ------
    InvalidError
        If it holds other types than the listed ones and isn't trusted, or is broken.
    """
    with _explained(identity.source):
        unlisted = _unlisted(identity, content)
        if unlisted:
            require_trust(identity, context, _why(unlisted))
        from skops.io import loads

        found = loads(content, trusted=sorted(TRUSTED | set(unlisted)))
    check_trees(found, identity.source)
    return found


def why_untrusted(identity: Identity, content: bytes) -> str:
    """Return why a ``.skops`` file may run code, by the names of its types; empty: it may not."""
    with _explained(identity.source):
        unlisted = _unlisted(identity, content)
        if not content:
            raise ValueError("the file is empty")
    return _why(unlisted) if unlisted else ""


def _unlisted(identity: Identity, content: bytes) -> list[str]:
    """Return the types of a file that are on no list; nothing is made of it."""
    needed("skops", identity.source, extra="skops")
    _check_version(identity.source)
    from skops.io import get_untrusted_types

    return sorted(set(get_untrusted_types(data=content)) - TRUSTED) if content else []


def _why(unlisted: list[str]) -> str:
    names = ", ".join(shorten(name, 100) for name in unlisted[:3])
    more = f" and {plural(len(unlisted) - 3, 'other type')}" if len(unlisted) > 3 else ""
    return f"it holds {names}{more}, which may run code"


@contextmanager
def _explained(source: str) -> Iterator[None]:
    """Let errors of reading become sentences."""
    try:
        yield
    except ModelGateError:
        raise
    except ImportError as error:
        raise missing_package(error.name or "an unknown package", source) from None
    except (BadZipFile, KeyError, ValueError, EOFError, OSError) as error:
        raise InvalidError(
            f"'{source}' is not a whole skops file: {one_line(error, 120)}.",
            "Write it again with skops.io.dump(model, 'model.skops').",
        ) from None
    except Exception as error:  # noqa: BLE001 - building the object runs other libraries' code
        raise InvalidError(
            f"'{source}' cannot be built from its file: {one_line(error, 120)}.",
            "Write it again with the versions of scikit-learn and skops that run the gate.",
        ) from None


def _check_version(source: str) -> None:
    installed = version("skops")
    if tuple(int(part) for part in installed.split(".")[:2]) < _OLDEST:
        raise UnavailableError(
            f"'{source}' needs skops 0.16 or newer: version {installed} can be made to run code.",
            "Install it: pip install 'skops>=0.16'",
        )
