"""Small projects with gates, and what a run of them printed."""

from __future__ import annotations

import pytest

ROWS = 400

#: ``credit`` passes: its candidate sees what production does not. ``worse`` is the other way round.
GATES = """
target = "y"
key = "id"
dataset = "holdout.csv"
baseline = "prior"
metrics = ["roc_auc"]

[gates.credit]
decision = "approve or decline"
candidate = "predictions:scores.csv#good"
production = "predictions:scores.csv#poor"

[gates.worse]
candidate = "predictions:scores.csv#poor"
production = "predictions:scores.csv#good"
"""

#: Only the gate that passes.
CREDIT = GATES.partition("[gates.worse]")[0]

BOTH = """
import pytest

@pytest.mark.model_gate("credit")
def test_credit():
    pass

@pytest.mark.model_gate("worse")
def test_worse():
    pass
"""

#: Plugins of others that cost a second per run (hypothesis imports itself at the end of every run).
WITHOUT = ("hypothesispytest", "typeguard", "anyio", "randomly")

WORLDS = {"plain": ("-p", "no:xdist"), "n0": ("-n0",), "n2": ("-n2",)}


class Project:
    """A project below a temporary folder, and how it is run."""

    def __init__(self, pytester: pytest.Pytester, world: str) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.world = world

    def write(self, **files: str) -> None:
        """Write Python files."""
        self.pytester.makepyfile(**files)

    def gates(self, text: str) -> None:
        """Write the configuration."""
        (self.path / "model_gate.toml").write_text(text)

    def run(self, *arguments: str, cache: bool = False, subprocess: bool = False) -> pytest.RunResult:
        """Run pytest as the world says: in this process if that is possible, or with two workers."""
        for name in WITHOUT if cache else (*WITHOUT, "cacheprovider"):
            arguments = (*arguments, "-p", f"no:{name}")
        if subprocess or self.world == "n2":
            return self.pytester.runpytest_subprocess(*WORLDS[self.world], *arguments)
        return self.pytester.runpytest_inprocess(*WORLDS[self.world], *arguments)


def section(result: pytest.RunResult, title: str) -> list[str]:
    """Return the lines of a run below a title, up to the next one."""
    lines = result.outlines
    starts = [number for number, line in enumerate(lines) if line.strip("=") == f" {title} "]
    if not starts:
        return []
    below = lines[starts[-1] + 1 :]
    return below[: next((n for n, line in enumerate(below) if line.startswith("==")), len(below))]


def report_of(result: pytest.RunResult) -> list[str]:
    """Return the report of the gates."""
    return section(result, "model gates")


def errors_of(result: pytest.RunResult) -> list[str]:
    """Return the collection errors: their lines without the titles."""
    return [line for line in section(result, "ERRORS") if not line.startswith("__")]
