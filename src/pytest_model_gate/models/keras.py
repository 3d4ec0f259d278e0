"""Files of Keras: not loaded here, as a network alone knows neither its columns nor its classes."""

from __future__ import annotations

from pathlib import PurePath

from ..errors import ConfigurationError
from ..redact import redact

SUFFIXES = (".keras", ".h5", ".hdf5")


def refuse(source: str) -> None:
    """Say of a file of Keras how it becomes a model; pass over everything else.

    Raises
    ------
    ConfigurationError
        Names the factory to write.
    """
    after_drive = source[2:] if source[1:2] == ":" else source
    if ":" in after_drive or not source.lower().endswith(SUFFIXES):
        return
    name = PurePath(source).name
    raise ConfigurationError(
        f"'{redact(source)}' is a file of Keras: it does not say which columns the network takes and which "
        "classes it tells apart, and may hold code.",
        f"Write a function that returns the model, with keras.saving.load_model('{name}', safe_mode=True), "
        "and name it: python:networks:network. See 'PyTorch and Keras' in docs/how-to/models-from-files.md.",
    )
