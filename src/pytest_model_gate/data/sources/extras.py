"""What is said where a source needs a package that is not installed."""

from __future__ import annotations

from ...errors import UnavailableError


def missing_package(source: str, package: str, extra: str) -> UnavailableError:
    """Return the error for an optional package of a source that isn't there.

    Parameters
    ----------
    source : str
        What the user wrote, without secrets.
    package : str
        What could not be imported.
    extra : str
        The extra of this distribution that brings it.
    """
    return UnavailableError(
        f"'{source}' needs the package {package}.", f"Run: pip install 'pytest-model-gate[{extra}]'."
    )
