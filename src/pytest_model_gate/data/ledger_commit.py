"""The ledger beside the one of the last commit: lines that were lost, and lines that nobody else has yet."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigurationError
from .committed import committed
from .ledger import missing_lines


def check_complete(content: bytes, path: Path) -> None:
    """Refuse a ledger that has lost lines of the last commit: lines are only ever appended.

    Parameters
    ----------
    content : bytes
        The ledger's.
    path : Path
        Where it lies.

    Raises
    ------
    ConfigurationError
        Says how to bring them back; lines that are there twice count once.
    """
    last = committed(path)
    lost = missing_lines(content, last) if last else 0
    if lost:
        raise ConfigurationError(
            f"{path.name} lacks {lost} line{'s' * (lost != 1)} of the last commit: uses that were counted "
            "would be free again.",
            f"Run `git show HEAD:./{path.name} >> {path.name}`; lines that are there twice count once.",
        )


def uncommitted(content: bytes, path: Path) -> str:
    """Return how many lines no commit has, and what to do; empty where all are there, or git cannot say."""
    last = committed(path)
    more = 0 if last is None else missing_lines(last, content)
    if not more:
        return ""
    lines = f"{more} line{'s' * (more != 1)} that the last commit lacks"
    return f"{path.name} has {lines}: commit it, or these uses are forgotten by everybody else"
