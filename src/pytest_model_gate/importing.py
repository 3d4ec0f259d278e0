"""Import an object that a user names as ``package.module:name``, from the project's root or sys.path."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import ConfigurationError, EvaluationError, UnavailableError
from .wording import did_you_mean, one_line, some

_PACKAGE = Path(__file__).parent


@contextmanager
def importable(root: str) -> Iterator[None]:
    """Let modules under ``root`` be imported, after everything that ``sys.path`` already offers.

    Last and not first: a file ``types.py`` in somebody's project must not replace the standard library.
    """
    entry = str(Path(root).absolute())
    if entry in sys.path:
        yield
        return
    sys.path.append(entry)
    # A module that was written since Python last looked (a generated one, say) must be found, too.
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


def import_object(path: str, root: str, *, source: str, form: str = "package.module:name") -> Any:
    """Import ``package.module:name`` (``name`` may have dots).

    Parameters
    ----------
    path : str
        What to import.
    root : str
        Directory whose modules can be imported, too.
    source : str
        What the user wrote; errors name it.
    form : str
        How it is written, with an example where that helps.

    Raises
    ------
    ConfigurationError
        If the text names nothing that can be imported.
    UnavailableError
        If there is no such module, something that it imports, or no such name in it.
    EvaluationError
        If the import itself fails.
    """
    module_name, colon, attribute = path.partition(":")
    names = attribute.split(".")
    if not colon or not all(part.isidentifier() for part in [*module_name.split("."), *names]):
        raise ConfigurationError(
            f"'{source}' does not name a Python object.",
            f"Write {form}.",
        )
    with importable(root):
        module = _import_module(module_name, root, source)
    found: Any = module
    for depth, name in enumerate(names):
        try:
            found = getattr(found, name)
        except AttributeError:
            owner = ".".join([module_name, *names[:depth]])
            public = (
                [known for known in vars(found) if not known.startswith("_")]
                if hasattr(found, "__dict__")
                else []
            )
            raise UnavailableError(
                f"'{source}' cannot be loaded: {owner} has no '{name}'.",
                did_you_mean(name, public, f"It has: {some(sorted(public)) or 'nothing public'}."),
            ) from None
    return found


def _import_module(name: str, root: str, source: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(missing + "."):
            raise UnavailableError(
                f"'{source}' cannot be loaded: there is no module '{missing}'.",
                f"Modules are looked for on sys.path and in {Path(root).absolute().as_posix()}.",
            ) from None
        raise UnavailableError(
            f"'{source}' cannot be loaded: {name} imports '{missing}', which is not installed.",
            "Install what it imports into the environment that runs the gate.",
        ) from error
    except (Exception, SystemExit) as error:
        raise EvaluationError(
            f"'{source}' cannot be loaded: importing {name} failed with {one_line(error)}{where(error)}.",
            f'Run python -c "import {name}" to see the whole traceback.',
        ) from error


def where(error: BaseException) -> str:
    """Return `` (data.py, line 12)`` for the user's innermost frame of an exception, or nothing."""
    if isinstance(error, SyntaxError):
        return ""  # its text says it
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen")
        and frame.filename != importlib.__file__
        and not Path(frame.filename).is_relative_to(_PACKAGE)
    ]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
