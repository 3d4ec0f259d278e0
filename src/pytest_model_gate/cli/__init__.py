"""The shell side: ``model-gate``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

PROGRAM = "model-gate"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of ``model-gate`` and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; those of this process by default.

    Returns
    -------
    int
        0: all is well. 1: something is not as it should be. 2: the command could not be carried out.
    """
    from ..errors import ModelGateError, did_you_mean
    from .parser import COMMANDS, make_parser

    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and not given[0].startswith("-") and given[0] not in COMMANDS:
        return _fail(f"{given[0]!r} is no command. {did_you_mean(given[0], COMMANDS)}")
    parser = make_parser()
    options, rest = parser.parse_known_args(given)
    if options.command is None:
        print(parser.format_help(), file=sys.stderr, end="")
        return 2
    if rest and not options.takes_pytest_arguments:
        return _fail(
            f"{options.command} takes no argument {rest[0]!r}. See {PROGRAM} {options.command} --help."
        )
    try:
        return int(options.run(options, rest))
    except ModelGateError as error:
        return _fail(str(error))


def _fail(text: str) -> int:
    print(f"{PROGRAM}: error: {text}", file=sys.stderr)
    return 2
