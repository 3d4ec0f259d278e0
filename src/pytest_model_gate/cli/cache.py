"""``model-gate cache``: the kept predictions on this machine, and how to be rid of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..errors import UnavailableError
from .adding import add_command

if TYPE_CHECKING:
    from ..models.prediction_store import Store
    from .adding import Subparsers

DESCRIPTION = """\
Show or remove the predictions that gates with cache = true keep, so that a
model is not scored again on the very same rows.

They lie in the folder that MODEL_GATE_CACHE names, and take at most as many
megabytes as MODEL_GATE_CACHE_MEGABYTES says (1000).
"""

EXAMPLES = """\
examples:
  model-gate cache show      where they lie, how many there are, how large
  model-gate cache clear     remove them all: the next run scores every model

exit status:
  0  they were shown or removed
  2  the folder cannot be read or written
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands,
        name,
        run,
        summary="show or remove the kept predictions",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("action", choices=("show", "clear"), help="what to do with them")


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Show the kept predictions, or remove them."""
    from ..gate.memory import store_of_user
    from ..wording import plural

    store = store_of_user()
    try:
        if options.action == "show":
            _show(store)
        else:
            print(f"{plural(store.clear(), 'file')} removed from {store.folder.as_posix()}")
    except OSError as error:
        raise UnavailableError(
            f"The folder {store.folder.as_posix()} cannot be used: {error.strerror or type(error).__name__}.",
            "Check its permissions, or let MODEL_GATE_CACHE name another folder.",
        ) from None
    return 0


def _show(store: Store) -> None:
    from ..wording import plural

    held = store.held()
    print(f"folder     {store.folder.as_posix()}")
    print(f"holds      {plural(len(held), 'file')}, {_size(sum(item.size for item in held))}")
    print(f"at most    {_size(store.most)}")
    if held:
        first, last = (datetime.fromtimestamp(item.used) for item in (held[0], held[-1]))
        print(f"last used  {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}")


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
