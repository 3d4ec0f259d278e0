"""Draw the figures of the documents: ``docs/explanation/figures/NAME.svg`` from the ``NAME.json`` beside it.

``python tools/figures.py`` draws what is there; ``--compute NAME …`` computes the data of some figures again
before (``--compute all``: of every one, a minute; ``--compute grid``: of those that show what the grid of
error rates found); ``--check`` writes nothing and says which files are
not what it would write.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from figure_svg import drawn

FIGURES = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "figures"


def main() -> int:
    """Compute, draw or check; the status is 1 where a file is out of date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--compute", nargs="+", metavar="NAME", default=[], help="compute these again, or all"
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    if arguments.compute:
        compute(arguments.compute)
    stale = []
    for data in sorted(FIGURES.glob("*.json")):
        target = data.with_suffix(".svg")
        text = drawn(data.stem, json.loads(data.read_text(encoding="utf-8")))
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        stale.append(target.name)
        if not arguments.check:
            target.write_text(text, encoding="utf-8")
    print(f"{'out of date' if arguments.check else 'written'}: {', '.join(stale) or 'nothing'}")
    return int(arguments.check and bool(stale))


def compute(names: list[str]) -> None:
    """Write the data of some figures."""
    from figure_classes import OF_CLASSES
    from figure_drift import OF_DRIFT
    from figure_exact import EXACT
    from figure_grid import of_grid
    from figure_numbers import OF_NUMBERS

    known: dict[str, Callable[[], Any]] = {**EXACT, **OF_CLASSES, **OF_NUMBERS, **OF_DRIFT}
    grid = of_grid()
    known |= {name: partial(grid.__getitem__, name) for name in grid}
    names = [each for name in names for each in {"all": known, "grid": grid}.get(name, (name,))]
    for name in names:
        if name not in known:
            sys.exit(f"no figure is called {name!r}; known are {', '.join(known)}")
        started = time.process_time()
        text = json.dumps(known[name](), indent=1, ensure_ascii=False)
        text = re.sub(r"\[\s+([^\s,\[\]{}]+),\s+([^\s,\[\]{}]+)\s+\]", r"[\1, \2]", text)  # a point is a line
        (FIGURES / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{name}: {time.process_time() - started:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
