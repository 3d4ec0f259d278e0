"""The shell command has two spellings, and both are one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SPELLINGS = [
    [str(Path(sys.executable).parent / "model-gate")],
    [sys.executable, "-m", "pytest_model_gate"],
]


@pytest.fixture(params=SPELLINGS, ids=["model-gate", "python -m pytest_model_gate"])
def shell(request, tmp_path, clean_environment):
    """Run one spelling on arguments."""

    def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*request.param, *arguments],
            cwd=tmp_path,
            env={**clean_environment, "COLUMNS": "80"},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return shell


def test_help(shell, root):
    done = shell("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: model-gate ")
    assert done.stdout.rstrip() in (root / "docs/reference/command-line.md").read_text(encoding="utf-8")


def test_version(shell):
    from importlib.metadata import version

    done = shell("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"model-gate {version('pytest-model-gate')}")


def test_a_wrong_command_is_refused_without_a_traceback(shell):
    done = shell("nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_command_shows_how_to_use_it(shell):
    done = shell()
    assert done.returncode == 2
    assert "usage: model-gate " in done.stdout + done.stderr
