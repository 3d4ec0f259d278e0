"""A private folder for the files of one model: nobody changes between hash and load what was hashed."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..hooks import ModelProtocol


def opened_in_private(open_in: Callable[[Path], tuple[ModelProtocol, bool]]) -> ModelProtocol:
    """Open a model from copies of its files, which stay as long as the model where it still reads them.

    Parameters
    ----------
    open_in : callable
        Copies the files into the folder that it is given (mode 0700), hashes them and loads the model;
        returns it, and whether it may still read them.
    """
    folder = Path(tempfile.mkdtemp(prefix="model-gate-"))
    keep = False
    try:
        model, keep = open_in(folder)
        if keep:
            weakref.finalize(model, shutil.rmtree, folder, ignore_errors=True)
        return model
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
