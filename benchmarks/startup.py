"""What the plugin costs a suite that has no gates: one empty test, with it and without.

    python benchmarks/startup.py --runs 30

The commands take turns, so that a busy moment of the machine hits all. Readings are printed as JSON lines,
then a table. Target: at most 8 ms more than with ``-p no:model_gate``. Nothing fails here: time is no test.
Processor time is read too, as it tells more than the clock on a machine that does other things meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

TARGET_MS = 8.0

#: No other plugin, so that the difference is ours alone.
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
WITHOUT, WITH = ("-p", "no:model_gate"), ("-p", "pytest_model_gate.plugin")
DECLARED = ("-c", "gates/pyproject.toml")  # which pytest reads too: hence a base of its own
CASES = {
    "without": (*PYTEST, *WITHOUT),
    "with": (*PYTEST, *WITH),
    "without, gates declared": (*PYTEST, *WITHOUT, *DECLARED),
    "with, gates declared": (*PYTEST, *WITH, *DECLARED),
}
GATES = """\
[tool.pytest.ini_options]
[tool.model_gate.gates.credit]
candidate = "models:/credit@challenger"
production = "models:/credit@champion"
dataset = "data/holdout.parquet"
target = "default"
metrics = ["roc_auc"]
"""


@dataclass(frozen=True)
class Reading:
    """One run of pytest, in milliseconds."""

    wall: float
    processor: float


def main() -> None:
    """Measure, and print JSON lines and a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=30, help="readings of each case (default: 30)")
    runs = parser.parse_args().runs
    readings: dict[str, list[Reading]] = {case: [] for case in CASES}
    with tempfile.TemporaryDirectory() as place:
        project = Path(place)
        (project / "test_empty.py").write_text("def test_empty():\n    pass\n")
        (project / "gates").mkdir()
        (project / "gates" / "pyproject.toml").write_text(GATES)
        for case in CASES:  # once for the bytecode and the disk cache
            read(case, project)
        for number in range(runs):
            # Forwards, then backwards: none always runs behind the same neighbour.
            order = list(CASES) if number % 2 else list(reversed(CASES))
            for case in order:
                readings[case].append(read(case, project))
    table(readings)


def read(case: str, project: Path) -> Reading:
    """Run one pytest, and return how long it took."""
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *CASES[case], "test_empty.py"],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    taken, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or "1 passed" not in done.stdout:
        raise SystemExit(f"{case}: pytest failed\n{done.stdout}{done.stderr}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Reading(wall=taken * 1000, processor=processor * 1000)


def table(readings: dict[str, list[Reading]]) -> None:
    """Print what was read, and what it says."""
    for case, values in readings.items():
        for kind in ("wall", "processor"):
            numbers = [round(getattr(value, kind), 2) for value in values]
            print(json.dumps({"benchmark": "startup", "case": case, "time": kind, "ms": numbers}))
    runs = len(readings["without"])
    print(f"\nPython {platform.python_version()}, pytest {version('pytest')}, {runs} readings of each\n")
    print(f"| {'medians, in ms':23} | wall | over 'without' | processor | over 'without' |")
    print("|---|---|---|---|---|")
    for case, values in readings.items():
        base, cells = readings[case if case.startswith("without") else case.replace("with", "without")], []
        for kind in ("wall", "processor"):
            mine, other = ([getattr(value, kind) for value in group] for group in (values, base))
            extra = statistics.median(a - b for a, b in zip(mine, other, strict=True))
            cells += [f"{statistics.median(mine):.1f}", f"{extra:+.1f}"]
        print(f"| {case:23} | {' | '.join(cells)} |")
    print(f"\nTarget: at most +{TARGET_MS:g} ms of wall time, as the median of the pairs.")


if __name__ == "__main__":
    main()
