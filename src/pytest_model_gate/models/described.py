"""What a loaded model says of itself, whatever it was loaded from."""

from __future__ import annotations

from dataclasses import dataclass

from .identity import Identity


@dataclass(frozen=True, eq=False, kw_only=True)
class Described:
    """What models of all kinds have; which classes they know is told by each in its own way.

    Parameters
    ----------
    identity : Identity
        Which one it is.
    kind : str
        What loaded it.
    columns : tuple of str, or None
        What it takes, in its order; ``None`` where it names none.
    said : str
        What a scanner has against it, although it is trusted.
    """

    identity: Identity
    kind: str
    columns: tuple[str, ...] | None
    said: str = ""

    @property
    def source(self) -> str:
        """As written, with secrets removed."""
        return self.identity.source

    @property
    def resolved(self) -> str:
        """The exact version that it meant."""
        return self.identity.resolved

    @property
    def digest(self) -> str:
        """Of its content; empty where there is none."""
        return self.identity.digest
