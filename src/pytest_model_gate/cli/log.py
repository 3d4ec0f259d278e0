"""``model-gate log``: write the verdicts of a report to a tracker, for example when it is there again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .adding import add_command

if TYPE_CHECKING:
    from .adding import Subparsers

DESCRIPTION = """\
Write the verdicts of a report to the candidates' versions and runs in a tracker.

`pytest --gate-log mlflow` does it at the end of a run. This command does it
later, or again: writing the same verdicts twice changes nothing.
"""

EXAMPLES = """\
examples:
  pytest --gate-report gates.json          judge
  model-gate log gates.json                tell MLflow

exit status:
  0  every verdict was written
  1  some could not be written
  2  the report cannot be read, or there is no such tracker
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands, name, run, summary="write verdicts to a tracker", description=DESCRIPTION, examples=EXAMPLES
    )
    parser.add_argument("report", metavar="REPORT", help="what pytest --gate-report wrote (.json)")
    parser.add_argument(
        "--tracker", default="mlflow", metavar="NAME", help="which tracker (default: %(default)s)"
    )


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Write, and say where."""
    from ..gate.registry import build_registry, open_tracker
    from ..gate.verdict_log import log_verdicts
    from ..report import json as json_report
    from ..report.by_gate import by_gate
    from ..report.escape import plain
    from ..spec import SourceContext

    registry = build_registry()
    open_tracker(registry, options.tracker, SourceContext())
    records = tuple(json_report.read(Path(options.report)).records())
    logged = log_verdicts(records, by_gate(records), tracker=options.tracker, registry=registry)
    for text in logged.done:
        print(f"logged      {plain(text)}")
    for text in logged.failed:
        print(f"NOT LOGGED  {plain(text)}")
    if not records:
        print(f"{options.report} holds no verdict.")
    return int(bool(logged.failed))
