"""Import a library that a model needs, or say how to get it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import UnavailableError


def needed(module: str, source: str, *, extra: str = "") -> Any:
    """Import a library.

    Parameters
    ----------
    module : str
        What to import.
    source : str
        The model that needs it; the error names it.
    extra : str
        The extra of this distribution that brings it, if there is one.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise missing_package(error.name or module, source, extra=extra) from None


def missing_package(module: str, source: str, *, extra: str = "") -> UnavailableError:
    """Return the error for a package that a model needs and that isn't there."""
    package = module.partition(".")[0]
    target = f"'pytest-model-gate[{extra}]'" if extra else package
    return UnavailableError(
        f"'{source}' needs the package '{package}', which is not installed.",
        f"Install it into the environment that runs the gate: pip install {target}",
    )
