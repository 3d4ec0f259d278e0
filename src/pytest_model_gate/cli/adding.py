"""How a command comes into the program: its help keeps its lines, and it says what carries it out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

Run = Callable[[argparse.Namespace, Sequence[str]], int]


def add_command(
    commands: Subparsers,
    name: str,
    run: Run,
    *,
    summary: str,
    description: str,
    examples: str,
    usage: str | None = None,
    takes_pytest_arguments: bool = False,
) -> argparse.ArgumentParser:
    """Add a command, or an action of one, and return its parser.

    Parameters
    ----------
    commands : subparsers
        Those of the program, or of the command.
    name : str
        What a user types.
    run : callable
        Carries it out: the options and what is left for pytest in, the exit status out.
    summary, description, examples : str
        One line for the list, and what its own help begins and ends with.
    usage : str, optional
        In place of what argparse makes of its arguments.
    takes_pytest_arguments : bool
        Whether what it does not know is for pytest, and no error.
    """
    parser = commands.add_parser(
        name,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        help=summary,
        description=description,
        epilog=examples,
        usage=usage,
    )
    parser.set_defaults(run=run, takes_pytest_arguments=takes_pytest_arguments)
    return parser


def add_actions(
    commands: Subparsers, name: str, actions: Sequence[str], *, summary: str, description: str
) -> Subparsers:
    """Add a command that does nothing by itself, and return where its actions are added."""
    parser = commands.add_parser(name, allow_abbrev=False, help=summary, description=description)
    metavar = "{" + ",".join(actions) + "}"
    return parser.add_subparsers(dest="action", title="actions", metavar=metavar, required=True)
