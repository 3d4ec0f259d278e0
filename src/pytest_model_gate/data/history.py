"""The former content of a file that git keeps: found by its digest, not by a date or a name of a version."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

#: Commits of one file that are looked through, newest first.
LOOKED_AT = 50
_SECONDS = 60


def former_content(path: Path, digest: str) -> tuple[str, bytes] | None:
    """Return the commit and the bytes of a file with this digest.

    Parameters
    ----------
    path : Path
        The file, which need not be there any more.
    digest : str
        ``"sha256:<hex>"`` of its bytes.

    Returns
    -------
    tuple of (str, bytes) or None
        ``None``: no git, no such content among the last 50 commits that changed the file.
    """
    folder = path.parent
    commits = _git(folder, "log", f"--max-count={LOOKED_AT}", "--format=%H", "--", path.name)
    for commit in (commits or b"").decode().split():
        content = _git(folder, "cat-file", "blob", f"{commit}:./{path.name}")
        if content is not None and f"sha256:{hashlib.sha256(content).hexdigest()}" == digest:
            return commit, content
    return None


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Return what git prints, or ``None`` where it cannot: then there is no history to look at."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
