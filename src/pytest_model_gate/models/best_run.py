"""What searches for the best run of a tracker share: how they are written, and which run is the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote

from ..errors import ConfigurationError
from ..redact import redact
from ..wording import did_you_mean, plural, shorten

#: What begins like one of these is the best of several runs: a gate says so beside its verdict.
PREFIXES = ("mlflow-search:", "wandb-search:")

#: A search over more runs than these says little about the best, and takes minutes.
MOST_RUNS = 5_000

#: What trackers store for an infinity.
_LARGEST = 1.7976931348623157e308

T = TypeVar("T")


def parts(source: str, known: Sequence[str], twice: str) -> tuple[str, dict[str, str]]:
    """Split ``prefix:SUBJECT?name=value&name=value`` into its subject and what is given.

    Parameters
    ----------
    source : str
        As a gate names it.
    known : sequence of str
        The names that may be given.
    twice : str
        What to do instead of giving one twice.

    Raises
    ------
    ConfigurationError
        If something else is given, or something twice.
    """
    subject, _, query = source.partition(":")[2].partition("?")
    given: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name not in known:
            near = did_you_mean(name, known, f"Known: {', '.join(known)}.")
            raise ConfigurationError(
                f"'{redact(source)}' has an unknown part {shorten(name)!r}.",
                f'{near} Within a filter write "&" as %26.',
            )
        if name in given:
            raise ConfigurationError(f"'{redact(source)}' has {name} twice.", twice)
        given[name] = unquote(value).strip()
    return unquote(subject), given


def with_number(runs: Iterable[T], number: Callable[[T], Any]) -> list[tuple[float, T]]:
    """Return the runs that have a finite number, each with it."""
    numbers = [(number(run), run) for run in runs]
    return [
        (float(value), run)
        for value, run in numbers
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) < _LARGEST
    ]


def best_first(
    found: Iterable[tuple[float, T]], age: Callable[[T], tuple[Any, ...]], *, largest: bool
) -> list[T]:
    """Return runs in an order of our own: trackers put what is no number in different places.

    Of equal runs the earliest comes first, so that asking again finds the same one.
    """
    sign = -1.0 if largest else 1.0
    return [run for _, run in sorted(found, key=lambda each: (sign * each[0], *age(each[1])))]


def chosen(among: int, number: str) -> str:
    """Return what stands behind the address of a model that a search found.

    Examples
    --------
    >>> chosen(7, "metrics.val_auc")
    '(best of 7 runs by metrics.val_auc)'
    """
    return f"(best of {plural(among, 'run')} by {number})"
