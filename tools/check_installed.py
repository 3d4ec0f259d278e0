"""Check that the tests are going to run against the installed wheel, with the pytest that was asked for."""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.metadata import version
from pathlib import Path


def main() -> int:
    """Say what is installed where; 1 if it is not what the environment promises."""
    spec = importlib.util.find_spec("pytest_model_gate")
    if spec is None or spec.origin is None:
        print("pytest_model_gate is not installed")
        return 1
    home, prefix = Path(spec.origin).resolve().parent, Path(sys.prefix).resolve()
    print(f"pytest-model-gate {version('pytest-model-gate')} in {home}, pytest {version('pytest')}")
    if not home.is_relative_to(prefix) or home.parent.name == "src":
        print(f"it is not the installed wheel: {prefix} was expected")
        return 1
    expected = os.environ.get("EXPECT_PYTEST", "")
    if not f"{version('pytest')}.".startswith(f"{expected}." if expected else ""):
        print(f"pytest {expected} was expected")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
