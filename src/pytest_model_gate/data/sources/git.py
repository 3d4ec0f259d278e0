"""What a git repository holds at a commit: asked of git itself, with a limit of time."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import EvaluationError, UnavailableError
from ...redact import redact
from ...wording import shorten

#: git reads its own files, unless the clone is partial and it has to ask a server.
_SECONDS = 15
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
#: What would let git look elsewhere than where we say.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository, by the top of its work tree.

    Parameters
    ----------
    top : Path
        The folder that git shows names from.
    source : str
        What the user wrote; errors name it.
    """

    top: Path
    source: str

    @classmethod
    def around(cls, place: Path, source: str) -> Repository:
        """Return the repository that a folder is in.

        Raises
        ------
        UnavailableError
            If it is in none.
        """
        done = _run(("rev-parse", "--show-toplevel"), place, source)
        if done.returncode:
            said = _said(done)
            if "not a git repository" in said:
                raise UnavailableError(
                    f"'{source}' cannot be opened: {place.as_posix()} is in no git repository.",
                    "Run the gate in a checkout: DVC keeps what it knows in git.",
                )
            raise _failed(source, said)
        return cls(Path(os.fsdecode(done.stdout.rstrip(b"\n"))), source)

    def commit(self, name: str) -> str:
        """Return the commit that a branch, a tag or a (short) commit means; empty where there is none.

        In CI, often nothing but the branch of the origin is there: it counts where no other has the name.
        """
        for asked in (name, f"refs/remotes/origin/{name}"):
            done = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{asked}^{{commit}}")
            found = done.stdout.decode("ascii", "replace").strip()
            if done.returncode == 0 and _COMMIT.fullmatch(found):
                return found
        return ""

    def names(self) -> list[str]:
        """Return the branches and tags."""
        done = self._git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags")
        return done.stdout.decode("utf-8", "replace").split()

    def is_shallow(self) -> bool:
        """Whether older commits are not there."""
        return self._git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def files(self, commit: str) -> list[str]:
        """Return the names of all files at a commit; with no commit, of the work tree (but ignored ones)."""
        if commit:
            done = self._git("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        else:
            done = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        if done.returncode:
            raise _failed(self.source, _said(done))
        return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]

    def read(self, commit: str, names: Iterable[str]) -> dict[str, bytes]:
        """Return name -> content of files that are there; with no commit, of the work tree."""
        names = list(names)
        if not commit:
            paths = {name: self.top / name for name in names}
            return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
        asked = "".join(f"{commit}:{name}\n" for name in names if "\n" not in name)
        done = _run(("cat-file", "--batch"), self.top, self.source, os.fsencode(asked))
        if done.returncode:
            raise _failed(self.source, _said(done))
        found, at = {}, 0
        for name in (name for name in names if "\n" not in name):
            line, _, _ = done.stdout[at:].partition(b"\n")
            at += len(line) + 1
            if line.endswith(b" missing"):
                continue
            size = int(line.rpartition(b" ")[2])
            found[name] = done.stdout[at : at + size]
            at += size + 1
        return found

    def _git(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return _run(arguments, self.top, self.source)


def _run(
    arguments: tuple[str, ...], place: Path, source: str, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=place,
            env=environment,
            input=given,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise UnavailableError(
            f"'{source}' needs the program git, which is not on the PATH.", "Install git."
        ) from None
    except subprocess.TimeoutExpired:
        raise UnavailableError(
            f"'{source}' could not be opened: git {arguments[0]} did not end within {_SECONDS} seconds.",
            "A partial clone asks its server: run git fetch, then the gate again.",
        ) from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return shorten(redact(lines[0].removeprefix("fatal: ")), 160) if lines else f"exit {done.returncode}"


def _failed(source: str, said: str) -> EvaluationError:
    # Usual in containers of CI, where the checkout is another user's.
    foreign = "dubious ownership" in said
    remedy = "Run: git config --global --add safe.directory '*'." if foreign else "Repair the repository."
    return EvaluationError(f"'{source}' cannot be opened: git says: {said}.", remedy)
