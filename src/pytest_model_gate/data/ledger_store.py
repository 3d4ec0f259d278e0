"""Where a ledger is kept, and the one way to write into it: read everything, decide, append."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from .ledger import Entry
from .ledger_commit import check_complete, uncommitted
from .ledger_file import held

T = TypeVar("T")

#: From all entries to an answer, and what is to be appended for it. It may be asked again, with more entries.
Decide = Callable[[list[Entry]], tuple[T, Sequence[Entry]]]


class Ledger(Protocol):
    """A place that keeps entries, and never forgets one."""

    @property
    def name(self) -> str:
        """What people call it."""

    def read(self) -> tuple[list[Entry], bool]:
        """Return everything that it says, and whether more can be appended."""

    def change(self, decide: Decide[T]) -> T:
        """Append what follows from everything that it says: nobody else writes in between."""


class FileLedger:
    """The ledger of a project, a file that is committed.

    Parameters
    ----------
    path : Path
        Where it lies.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The file's."""
        return self.path.name

    def read(self) -> tuple[list[Entry], bool]:
        """Return everything that it says, and whether more can be appended.

        Raises
        ------
        ConfigurationError
            For a line that cannot be read, and where it lacks lines of the last commit.
        """
        with held(self.path) as file:
            entries, writable, content = file.entries(), file.writable, file.content()
        check_complete(content, self.path)
        return entries, writable

    def change(self, decide: Decide[T]) -> T:
        """Append what follows from everything that it says; when this returns, the disk has it.

        Raises
        ------
        ModelGateError
            If it cannot be read or written.
        """
        with held(self.path) as file:
            found, more = decide(file.entries())
            for entry in more:
                file.append(entry)
        return found

    def uncommitted(self) -> str:
        """Return how many lines no commit has, and what to do; empty where all are there."""
        with held(self.path) as file:
            content = file.content()
        return uncommitted(content, self.path)
