"""The scripts in tools/ are importable here, and this repository's tracked files can be listed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def clean_environment() -> dict[str, str]:
    """The environment without what an outer pytest or CI says to an inner one."""
    leaks = ("PYTEST", "COV_", "CI", "GITHUB_", "COLUMNS")
    return {key: value for key, value in os.environ.items() if not key.startswith(leaks)}


@pytest.fixture
def run(clean_environment):
    """Run this Python on arguments, and return what happened."""

    def run(*arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd,
            env={**clean_environment, "COLUMNS": "80"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run
