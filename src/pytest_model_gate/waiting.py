"""How long a server may be silent before we give up on it, and how many seconds that was."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from .errors import ConfigurationError

T = TypeVar("T")

#: Environment variable that says how many seconds a server may be silent.
VARIABLE = "MODEL_GATE_TIMEOUT"
#: Twice this, as every question is asked twice, is what a dead server costs: less than 15 seconds.
_SECONDS = 5.0
#: A server that has just answered may take longer until the next bytes of a large file come.
_DOWNLOAD_FACTOR = 5


def seconds() -> float:
    """Return how long a server may be silent when it is asked something."""
    return seconds_of(VARIABLE, _SECONDS, example=30)


def seconds_of(variable: str, default: float, *, example: int) -> float:
    """Return the seconds that an environment variable says, or the default.

    Raises
    ------
    ConfigurationError
        If it says no number above 0; names ``example`` as one.
    """
    said = os.environ.get(variable)
    if not said:
        return default
    try:
        number = float(said)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigurationError(
            f"{variable} must be a number of seconds above 0, got {said!r}.",
            f"Write for example {variable}={example}, or unset it.",
        )
    return number


def download_seconds() -> float:
    """Return how long it may be silent between two pieces of a file."""
    return seconds() * _DOWNLOAD_FACTOR


def shown_seconds() -> str:
    """Return the limit as a message says it.

    Examples
    --------
    >>> shown_seconds()
    '5 seconds'
    """
    return f"{seconds():g} seconds"


def within(limit: float, call: Callable[[], T]) -> T:
    """Return what a call returns, or raise ``TimeoutError`` when it takes longer than ``limit`` seconds.

    For libraries that know no limit of their own: the call then goes on in a thread that ends with it, or
    with the process.
    """
    found: list[Any] = []

    def run() -> None:
        try:
            found.extend((True, call()))
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
            found.extend((False, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit)
    if len(found) < 2:
        raise TimeoutError
    if not found[0]:
        raise found[1]
    answer: T = found[1]
    return answer
