"""The exceptions of pytest-model-gate: one class per kind of cause, standard library only.

::

    ModelGateError
    ├── ConfigurationError   what was asked for makes no sense; no gate can run
    ├── InvalidError         the data or a model breaks its contract   -> verdict ``invalid``
    │   └── UntrustedError       a model would run code, and nobody said that it may
    └── EvaluationError      something could not be evaluated          -> verdict ``error``
        ├── UnavailableError     a server, file or package is not there
        │   └── UnreachableError     a server does not answer: other questions to it would wait as long
        └── UndefinedMetricError the metric does not exist on these rows
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ModelGateError(Exception):
    """What went wrong, and what to do about it.

    Parameters
    ----------
    what : str
        One sentence: what was needed and what came.
    remedy : str, optional
        One sentence: what the user does next.
    """

    #: The exact version of a model that could not be opened, where a source had found out which one is meant.
    resolved: str = ""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n  {self.remedy}" if self.remedy else self.what


class ConfigurationError(ModelGateError):
    """The marker, a configuration file or the command line asks for something that makes no sense."""


class InvalidError(ModelGateError):
    """The data or a model breaks its contract: the gate's verdict is ``invalid``."""


class UntrustedError(InvalidError):
    """A model would run code when loaded, and nobody said that it may.

    Parameters
    ----------
    what, remedy : str
        As for every error.
    digest : str
        Of the very bytes that were not loaded.
    """

    def __init__(self, what: str, remedy: str = "", *, digest: str) -> None:
        super().__init__(what, remedy)
        self.digest = digest


class EvaluationError(ModelGateError):
    """Something could not be evaluated: the gate's verdict is ``error``."""


class UnavailableError(EvaluationError):
    """A server, a file, a registry entry or an optional package is not there."""


class UnreachableError(UnavailableError):
    """A server does not answer.

    Parameters
    ----------
    what, remedy : str
        As for every error.
    prefixes : tuple of str
        Sources that begin so would ask the same server, and wait as long for nothing.
    """

    def __init__(self, what: str, remedy: str = "", *, prefixes: tuple[str, ...]) -> None:
        super().__init__(what, remedy)
        self.prefixes = prefixes


class UndefinedMetricError(EvaluationError):
    """The metric has no value on these rows (an absent class, a constant target, too few rows)."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence that suggests the nearest known name, or lists the known ones.

    Examples
    --------
    >>> did_you_mean("acuracy", ["accuracy", "roc_auc"])
    "Did you mean 'accuracy'?"
    >>> did_you_mean("xyz", ["accuracy", "roc_auc"])
    'Known: accuracy, roc_auc.'
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}."
