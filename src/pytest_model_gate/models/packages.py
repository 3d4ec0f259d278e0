"""Libraries of models: imported or how to get them, and whose an object is without importing any."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import EvaluationError, ModelGateError, UnavailableError
from ..wording import one_line


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


def missing_code(error: AttributeError | ImportError, source: str) -> ModelGateError:
    """Return the error for code that a pickle names and that isn't there, or not in this version."""
    if isinstance(error, ModuleNotFoundError):
        return missing_package(error.name or "an unknown package", source)
    return EvaluationError(
        f"'{source}' needs code that is not there: {one_line(error)}.",
        "Run the gate with the code and the package versions that the model was trained with.",
    )


def is_of(found: Any, package: str, name: str) -> bool:
    """Whether an object's class is, or derives from, this class of a package that need not be installed."""
    return any(
        made.__module__.partition(".")[0] == package and made.__name__ == name for made in type(found).__mro__
    )
