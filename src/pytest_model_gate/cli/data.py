"""``model-gate data``: look at a dataset as a gate sees it, and at what is pinned."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .adding import add_actions, add_command

if TYPE_CHECKING:
    from .adding import Subparsers

DESCRIPTION = "Look at datasets as gates see them. Nothing is written and nothing is judged."

SHOW = """\
Show a dataset: which exact version a source means, its digest, whether that is
what model-gate.lock pins, and each column with its type and a few numbers.
Without SOURCE: what model-gate.lock pins.
"""

SHOW_EXAMPLES = """\
examples:
  model-gate data show                              the pins
  model-gate data show data/holdout.parquet         a file, a folder or 'a/glob-*.parquet'
  model-gate data show dvc:data/holdout.parquet@v2  any source that a gate can name

exit status:
  0  it was shown
  2  it cannot be opened
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    actions = add_actions(
        commands, name, ("show",), summary="look at a dataset, or at the pins", description=DESCRIPTION
    )
    show = add_command(
        actions,
        "show",
        run,
        summary="show a dataset, or what is pinned",
        description=SHOW,
        examples=SHOW_EXAMPLES,
    )
    show.add_argument("source", nargs="?", metavar="SOURCE", help="a dataset source, as a gate names it")


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Show one dataset, or all pins."""
    from ..data.lock import lock_path, read_lock

    if options.source is not None:
        print(_one(options.source))
        return 0
    from .data_text import pin_text

    lock = read_lock(lock_path(""))
    if not lock.datasets:
        print("No dataset is pinned here: there is no model-gate.lock with one. Run model-gate pin.")
    for pin in lock.datasets:
        print(pin_text(pin))
    return 0


def _one(source: str) -> str:
    from datetime import date

    from ..gate.pinning import look_at
    from .data_text import show_text

    return show_text(*look_at(source, today=date.today()))
