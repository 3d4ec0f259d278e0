"""Progress of what takes long: in a terminal, now and then; never in a log file or a worker."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pytest_model_gate.plugin.progress import Lines, terminal_progress

SLOW = """
import time
import numpy as np
from pytest_model_gate import make_metric

@make_metric(needs="score", higher_is_better=False, bounds=(0, 1), resamples=600)
def slow(y_true, y_pred, sample_weight=None):
    time.sleep(0.006)
    return float(np.average(np.abs(y_true - y_pred), weights=sample_weight))
"""

TEST = """
import pytest

@pytest.mark.model_gate(
    candidate="predictions:rows.csv#a", production="predictions:rows.csv#b", dataset="rows.csv",
    target="y", key="id", metrics=["python:slow_metric:slow"], max_regression=0.5, baseline="",
)
def test_gate():
    pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = (f"{i},{i % 2},{rng.random():.3f},{rng.random():.3f}" for i in range(200))
    (tmp_path / "rows.csv").write_text("id,y,a,b\n" + "\n".join(lines) + "\n")
    (tmp_path / "slow_metric.py").write_text(SLOW)
    (tmp_path / "test_gate.py").write_text(TEST)
    return tmp_path


COMMAND = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--gate-pin"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.slow
def test_a_person_at_a_terminal_sees_how_far_it_is(project):
    leader, follower = pty.openpty()
    run = subprocess.Popen(COMMAND, cwd=project, stdout=follower, stderr=follower, stdin=follower)
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(leader)
    assert run.wait() == 0, seen.decode()
    assert b"test_gate: slow on all, resamples: " in seen, seen.decode()
    assert b" of 600" in seen


def test_a_log_file_stays_quiet(project):
    (project / "slow_metric.py").write_text(SLOW.replace("time.sleep(0.006)", "pass"))
    run = subprocess.run(COMMAND, cwd=project, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert "resamples: " not in run.stdout


class Reporter:
    isatty, verbosity = True, 0

    def __init__(self) -> None:
        self.lines: list[str] = []

    def ensure_newline(self) -> None:
        pass

    def write_line(self, text: str) -> None:
        self.lines.append(text)


class Config:
    def __init__(self, reporter: Reporter | None) -> None:
        self.pluginmanager = self
        self.reporter = reporter

    def get_plugin(self, name: str) -> Reporter | None:
        return self.reporter if name == "terminalreporter" else None


def test_lines_come_after_two_seconds_and_every_five():
    now = 0.0
    reporter = Reporter()
    tell = Lines(Config(reporter), reporter, clock=lambda: now)  # type: ignore[arg-type]
    for second in range(12):
        now = float(second)
        tell("a", second * 100, 1_100)
    assert reporter.lines == ["a: 200 of 1,100", "a: 700 of 1,100"]


def test_nobody_looks_at_a_worker_or_a_quiet_run():
    reporter = Reporter()
    assert isinstance(terminal_progress(Config(reporter)), Lines)  # type: ignore[arg-type]
    reporter.verbosity = -1
    assert terminal_progress(Config(reporter)) is None  # type: ignore[arg-type]
    worker = Config(Reporter())
    worker.workerinput = {}  # type: ignore[attr-defined]
    assert terminal_progress(worker) is None  # type: ignore[arg-type]
    assert terminal_progress(Config(None)) is None  # type: ignore[arg-type]
