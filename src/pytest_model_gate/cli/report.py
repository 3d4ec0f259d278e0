"""``model-gate report``: a written report, as pytest prints it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from .adding import add_command

if TYPE_CHECKING:
    from .adding import Subparsers

DESCRIPTION = """\
Print a report that `pytest --gate-report FILE.json` wrote, as pytest prints it.
"""

EXAMPLES = """\
examples:
  model-gate report gates.json
  model-gate report -v gates.json    with methods, errors, digests and versions
  model-gate report -q gates.json    one line for each gate

exit status:
  0  the report was printed, whatever its verdict
  2  it cannot be read
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands,
        name,
        run,
        summary="print a report that was written as JSON",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("file", metavar="FILE.json", help="what pytest --gate-report wrote")
    parser.add_argument("-q", "--quiet", action="store_true", help="one line for each gate")
    parser.add_argument("-v", "--verbose", action="store_true", help="everything that the record holds")


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the report."""
    from ..report.json import read
    from ..report.terminal import WIDTH, render

    found = read(Path(options.file))
    verbosity = int(options.verbose) - int(options.quiet)
    for line in render(found, verbosity=verbosity, width=get_terminal_size((WIDTH, 0)).columns):
        print(line.text)
    if not found:
        print("no gate was collected in that run")
    if not found.complete:
        print("incomplete: that run ended early, or did not judge every gate")
    return 0
