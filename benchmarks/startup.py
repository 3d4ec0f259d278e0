"""What the plugin costs a suite that has no gates: one empty test, with it and without.

    python benchmarks/startup.py --runs 30

The commands take turns, so that a busy moment of the machine hits all. Readings are printed as JSON lines,
then a table. Target: at most 8 ms more than with ``-p no:model_gate``. Nothing fails here: time is no test.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

TARGET_MS = 8.0

#: No other plugin, so that the difference is ours alone.
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
CASES = {
    "without": (*PYTEST, "-p", "no:model_gate"),
    "with": (*PYTEST, "-p", "pytest_model_gate.plugin"),
    "with, gates declared": (*PYTEST, "-p", "pytest_model_gate.plugin", "-c", "gates/pyproject.toml"),
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


def main() -> None:
    """Measure, and print JSON lines and a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=30, help="readings of each case (default: 30)")
    runs = parser.parse_args().runs
    readings: dict[str, list[float]] = {case: [] for case in CASES}
    with tempfile.TemporaryDirectory() as place:
        project = Path(place)
        (project / "test_empty.py").write_text("def test_empty():\n    pass\n")
        (project / "gates").mkdir()
        (project / "gates" / "pyproject.toml").write_text(GATES)
        for case, command in CASES.items():  # once for the bytecode and the disk cache
            milliseconds(command, project, case)
        for number in range(runs):
            # Forwards, then backwards: none always runs behind the same neighbour.
            order = list(CASES) if number % 2 else list(reversed(CASES))
            for case in order:
                readings[case].append(milliseconds(CASES[case], project, case))
    table(readings)


def milliseconds(command: tuple[str, ...], project: Path, case: str) -> float:
    """Run one pytest, and return how long it took."""
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command, "test_empty.py"],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    taken = (time.perf_counter() - started) * 1000
    if done.returncode or "1 passed" not in done.stdout:
        raise SystemExit(f"{case}: pytest failed\n{done.stdout}{done.stderr}")
    return taken


def table(readings: dict[str, list[float]]) -> None:
    """Print what was read, and what it says."""
    for case, values in readings.items():
        line = {"benchmark": "startup", "case": case, "unit": "ms", "values": [round(v, 2) for v in values]}
        print(json.dumps(line))
    base = readings["without"]
    print(f"\nPython {platform.python_version()}, pytest {version('pytest')}, {len(base)} readings of each\n")
    print(f"| {'case':22} | median ms | quartiles | over 'without', median of the pairs |")
    print("|---|---|---|---|")
    for case, values in readings.items():
        low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
        extra = statistics.median(value - other for value, other in zip(values, base, strict=True))
        print(f"| {case:22} | {middle:.1f} | {low:.1f} to {high:.1f} | {extra:+.1f} ms |")
    print(f"\nTarget: at most +{TARGET_MS:g} ms.")


if __name__ == "__main__":
    main()
