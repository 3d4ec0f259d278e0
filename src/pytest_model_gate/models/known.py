"""A model whose predictions are known: what it is stands beside them; it is loaded when it is asked more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..spec import SourceContext
from .identity import Identity

if TYPE_CHECKING:
    import pandas as pd

    from ..hooks import ModelProtocol
    from .prediction_file import Kept
    from .scoring import Scored

Load = Callable[[], "ModelProtocol"]


class KnownModel:
    """A model of which is known what it says about every judged row; these very bytes said it before.

    Parameters
    ----------
    identity : Identity
        Source, version and digest.
    kept : Kept
        What was kept of it.
    load : callable
        Loads it from the bytes that the digest is of.
    """

    #: Whether what is known of it was used: else it was scored after all.
    used = True
    #: Other attributes are the live model's; this one is asked of every model.
    scored_on = ""

    def __init__(self, identity: Identity, kept: Kept, load: Load) -> None:
        self.source = identity.source
        self.resolved = identity.resolved
        self.digest = identity.digest
        self.kind = kept.kind
        self.columns = kept.columns
        self.classes = kept.classes
        self.types: Mapping[str, str] = kept.types
        self.said = kept.said
        self.kept = kept
        self._load = load

    @property
    def scored(self) -> Scored:
        """What it said."""
        return self.kept.scored

    @cached_property
    def live(self) -> ModelProtocol:
        """The model itself, loaded the first time."""
        return self._load()

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return what the model says about other rows."""
        return self.live.predict(frame, want)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.live, name)


def unknown(model: ModelProtocol) -> ModelProtocol:
    """Return the model itself, where what is known of it is not to be used."""
    if not isinstance(model, KnownModel):
        return model
    model.used = False
    return model.live


def known_or_loaded(
    identity: Identity, how: str, context: SourceContext, load: Load, *, fixed: Callable[[], bool]
) -> ModelProtocol:
    """Return the model, loaded now, or only known where its predictions were kept.

    Parameters
    ----------
    identity : Identity
        With the digest of the bytes that ``load`` reads. It has been compared with its pin.
    how : str
        The way in which these bytes are loaded.
    context : SourceContext
        Remembers, or doesn't.
    load : callable
        Loads it, or refuses to.
    fixed : callable
        Returns whether the bytes and the installed packages alone determine what it predicts: no code of
        the project, no server. Asked after ``load``.
    """
    if context.recall is None:
        return load()
    model: ModelProtocol = context.recall(identity, how, load, fixed)
    return model
