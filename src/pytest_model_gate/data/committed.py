"""What the last commit has of a file, as git says it: nothing is written, and no hook or filter runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

#: Seconds that git may take.
PATIENCE = 10.0


def committed(path: Path) -> bytes | None:
    """Return the content of a file at ``HEAD``: empty where it isn't there, ``None`` where git cannot say.

    That is so outside of a checkout, without git, and where git refuses a folder of somebody else.
    """
    folder = path.parent.resolve()
    if not any((place / ".git").exists() for place in (folder, *folder.parents)):
        return None
    status, content = _git(folder, "cat-file", "blob", f"HEAD:./{path.name}")
    if status == 0:
        return content
    # 0: there is a commit, without the file. 1: there is none yet.
    status, _ = _git(folder, "rev-parse", "--quiet", "--verify", "HEAD")
    return b"" if status in (0, 1) else None


def _git(folder: Path, *arguments: str) -> tuple[int, bytes]:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.SubprocessError):
        return -1, b""
    return done.returncode, done.stdout
