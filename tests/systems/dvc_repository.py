"""Repositories that the real git and the real DVC make; no configuration of the user counts in them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

#: DVC has to think of much when it starts, and a busy machine may need its time.
_SECONDS = 120


@dataclass(frozen=True)
class DvcRepository:
    """A work tree.

    Parameters
    ----------
    root : Path
        Its top.
    """

    root: Path

    @classmethod
    def make(cls, root: Path) -> DvcRepository:
        """Make one without any data, whose default remote is the folder ``remote`` beside it."""
        root.mkdir(parents=True)
        made = cls(root)
        made.git("init", "-q", "-b", "main")
        made.dvc("init", "-q")
        made.dvc("remote", "add", "-q", "-d", "store", "../remote")
        return made

    def git(self, *arguments: str) -> str:
        """Run git, and return what it prints."""
        return self._run("git", *arguments)

    def dvc(self, *arguments: str) -> str:
        """Run DVC, and return what it prints."""
        return self._run(sys.executable, "-m", "dvc", *arguments)

    def commit(self, message: str) -> str:
        """Commit everything, and return the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def write(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table, Parquet or CSV by its name."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # DVC links what it tracks to its cache, and lets nobody write to it there.
        path.unlink(missing_ok=True)
        if name.endswith(".parquet"):
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False, lineterminator="\n")

    def _run(self, *command: str) -> str:
        nowhere = str(self.root.parent / "nowhere")
        environment = {
            **os.environ,
            "DVC_NO_ANALYTICS": "1",
            "DVC_GLOBAL_CONFIG_DIR": nowhere,
            "DVC_SYSTEM_CONFIG_DIR": nowhere,
            "DVC_SITE_CACHE_DIR": str(self.root.parent / "site-cache"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }
        done = subprocess.run(
            command,
            cwd=self.root,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout
