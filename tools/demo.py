"""Run the flight example from raw data to verdicts, and check that every one is the verdict it should be.

    python tools/demo.py              # what `tox run -e demo` runs
    python tools/demo.py --fast       # without the second round under pytest-xdist

Standard library only; the rest happens in the commands that it prints and runs, in ``examples/flights``.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "flights"


@dataclass(frozen=True)
class Step:
    """One command of the demo, and what has to come of it."""

    title: str
    command: tuple[str, ...]
    succeeds: bool = True
    says: tuple[str, ...] = ()
    says_not: tuple[str, ...] = ()


PYTEST = ("-m", "pytest", "-p", "no:cacheprovider")
DEGRADED = ("--gate-candidate", "models:/flight-delay@degraded")
BROKEN = ("--gate-dataset", "data/holdout_broken.csv")

MAKE = (
    Step("Make the data", ("prepare.py",), says=("data/holdout_2013.csv: 109,619 rows",)),
    Step("Train and register three models", ("train.py",), says=("models:/flight-delay@degraded",)),
)

GATES = (
    Step(
        "The challenger knows the weather: it may ship",
        PYTEST,
        says=(
            "flights: pass",
            "roc_auc   all",
            "log_loss  all",
            "inconclusive, does not fail",
            "not judged: carrier=HA 99 rows < 500",
            "3 passed",
        ),
        says_not=("REGRESSED", "INVALID", "ERROR"),
    ),
    Step(
        "A candidate that learned from the wrong hours: it regressed, so it may not ship",
        (*PYTEST, *DEGRADED),
        succeeds=False,
        says=(
            "flights: REGRESSED",
            "models:/flight-delay@degraded",
            "REGRESSED roc_auc on all (109,619 rows), against production",
            "worse than production by more than the tolerance",
            "Do not ship this candidate",
        ),
        says_not=("INTERNALERROR", "INVALID"),
    ),
    Step(
        "Data in which some hours are -1: the schema refuses them, so nothing may ship on them",
        (*PYTEST, *BROKEN),
        succeeds=False,
        says=(
            "flights: INVALID",
            "INVALID schema: 1 problem: hour",
            "Column 'hour' must be at least 0; 1,912 of 109,619 rows (1.74%) break it.",
            "Correct the data where it is made",
        ),
        says_not=("INTERNALERROR", "Traceback", "REGRESSED"),
    ),
)


def main() -> int:
    """Run all steps; 1 if any did not do what it should."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fast", action="store_true", help="skip the second round, under pytest-xdist")
    fast = parser.parse_args().fast
    print(f"In {EXAMPLE.relative_to(EXAMPLE.parents[1]).as_posix()}:")
    failures: list[str] = []
    for step in MAKE:
        run(step, failures, show=True)
    outputs = [run(step, failures, show=True) for step in GATES]
    if not fast and find_spec("xdist") is not None:
        print("\nThe same on two worker processes, where every report has to be the same to the letter:")
        for step, alone in zip(GATES, outputs, strict=True):
            together = run(replace(step, command=(*step.command, "-n", "2")), failures, show=False)
            if not report(alone) or report(alone) != report(together):
                failures.append(f"another report under -n 2: {step.title}")
                print(report(together))
    print()
    for failure in failures:
        print(f"NOT AS PROMISED: {failure}")
    print("the demo failed" if failures else "one candidate may ship, two may not: all as promised")
    return 1 if failures else 0


def run(step: Step, failures: list[str], *, show: bool) -> str:
    """Run one step, print it, add what is not as promised to ``failures``, and return what it said."""
    shown = " ".join(shlex.quote(part) for part in step.command).removeprefix("-m ")
    shown = shown.replace(" -p no:cacheprovider", "")
    shown = shown if shown.startswith("pytest") else f"python {shown}"
    print(f"\n--- {step.title}\n$ {shown}", flush=True)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *step.command],
        cwd=EXAMPLE,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=600,
        check=False,
    )
    problems = []
    if (done.returncode == 0) is not step.succeeds:
        wanted = "0" if step.succeeds else "another status than 0"
        problems.append(f"$ {shown} ended with {done.returncode}, {wanted} was promised")
    problems += [f"$ {shown} does not say {text!r}" for text in step.says if text not in done.stdout]
    problems += [f"$ {shown} says {text!r}" for text in step.says_not if text in done.stdout]
    if show or problems:
        print(done.stdout.rstrip())
    print(f"(exit status {done.returncode}, {time.perf_counter() - started:.1f} s)", flush=True)
    failures += problems
    return done.stdout


def report(output: str) -> str:
    """Return the section that pytest prints under the title "model gates"."""
    lines = output.splitlines()
    start = next(
        (number for number, line in enumerate(lines) if line.strip("= ") == "model gates"), len(lines)
    )
    rest = lines[start + 1 :]
    end = next((number for number, line in enumerate(rest) if line.startswith("====")), len(rest))
    return "\n".join(rest[:end])


def environment() -> dict[str, str]:
    """Return the environment without what a pytest or a CI around us would say to the inner runs."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV_"))}
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true"}


if __name__ == "__main__":
    raise SystemExit(main())
