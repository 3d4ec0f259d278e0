"""Check what is in the installed wheel: the package and nothing else, its licence and its commands."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"


def main() -> int:
    """Print every difference between what should be in the wheel and what is; 1 if there is any."""
    wheel = distribution("pytest-model-gate")
    files = {Path(str(file)).as_posix() for file in wheel.files or ()}
    inside = {
        name
        for name in files
        if ".dist-info/" not in name and "__pycache__" not in name and not name.startswith("../")
    }
    wanted = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    problems = [f"missing in the wheel: {name}" for name in sorted(wanted - inside)]
    problems += [f"not from src/: {name}" for name in sorted(inside - wanted)]
    commands = {(entry.group, entry.name) for entry in wheel.entry_points}
    for needed in (("console_scripts", "model-gate"), ("pytest11", "model_gate")):
        if needed not in commands:
            problems.append(f"missing entry point: {needed}")
    if not any(name.endswith("/LICENSE") for name in files):
        problems.append("the licence is missing")
    if wheel.metadata["License-Expression"] != "Apache-2.0":
        problems.append(f"licence is {wheel.metadata['License-Expression']!r}")
    for problem in problems:
        print(problem)
    print(f"wheel: {len(inside)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
