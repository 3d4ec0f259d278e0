"""Whether a pickle is told by its bytes: all that it names is of numeric libraries, as they are installed.

A pickle names code that lies elsewhere. Where that is the project's own, the same bytes predict otherwise
after an edit, so nothing that such a model said may be kept.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from ..importing import importable
from .scan import modules_in

#: Distributions whose version says what their code does: releases, not somebody's working copy.
_LIBRARIES = frozenset(
    {
        "catboost",
        "joblib",
        "lightgbm",
        "numpy",
        "pandas",
        "scipy",
        "sklearn",
        "statsmodels",
        "xgboost",
    }
)
#: Of Python itself: what holds data, and what pickles are put together with.
_PYTHON = frozenset(
    {
        "_codecs",
        "builtins",
        "collections",
        "copyreg",
        "copy_reg",
        "datetime",
        "decimal",
        "functools",
        "operator",
    }
)


def told_by_bytes(pickles: Iterable[bytes], root: str) -> bool:
    """Return whether the code behind these pickles is fixed by the versions of installed libraries.

    Parameters
    ----------
    pickles : iterable of bytes
        Whole files, perhaps compressed. Nothing that they name is imported.
    root : str
        The project, whose own modules might have such names.
    """
    tops: set[str] = set()
    for content in pickles:
        named = modules_in(content)
        if named is None:
            return False
        tops |= {name.partition(".")[0] for name in named}
    if not tops <= _LIBRARIES | _PYTHON:
        return False
    with importable(root):
        return all(map(_is_installed, tops & _LIBRARIES))


def _is_installed(top: str) -> bool:
    """Whether a library is where installers put it: no working copy, and no module of the project."""
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return False
    if spec is None or spec.origin is None:
        return False
    places = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return any(Path(spec.origin).resolve().is_relative_to(place) for place in places)
