"""``model-gate report``: a written report, as pytest prints it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the report."""
    from ..report.json import read
    from ..report.terminal import render

    found = read(Path(options.file))
    verbosity = int(options.verbose) - int(options.quiet)
    for line in render(found, verbosity=verbosity):
        print(line.text)
    if not found:
        print("no gate was collected in that run")
    if not found.complete:
        print("incomplete: that run ended early, or did not judge every gate")
    return 0
