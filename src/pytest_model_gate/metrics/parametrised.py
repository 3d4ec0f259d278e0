"""Metrics that differ by one number: how ``stem@parameter`` is read, checked and spelled."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..errors import ConfigurationError
from .metric import Metric

#: Nine digits are more classes or ranks than anybody has; signs, points and exponents are for numbers only.
_WHOLE = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:e[+-]?[0-9]{1,2})?")


@dataclass(frozen=True, kw_only=True)
class Parametrised:
    """One family of metrics, and which parameters it takes.

    Parameters
    ----------
    make : callable
        ``make(name, parameter) -> Metric``, whose name is ``name``. The parameter was checked; it is
        ``None`` only with ``alone="none"``.
    kind : {int, float}
        Of the parameter.
    parameter : str
        What the parameter is called in messages: ``"k"``.
    range : str
        Which are allowed, in words that follow "must be": ``"a whole number from 1 on"``.
    allowed : callable
        The same as a condition.
    shown : int or float
        A typical one, for lists of names and for examples.
    alone : int, float, "needed" or "none"
        What the stem without a parameter means: this parameter; nothing, which is an error; or a metric
        that has none.
    """

    make: Callable[[str, float | None], Metric]
    kind: type[int] | type[float]
    parameter: str
    range: str
    allowed: Callable[[float], bool]
    shown: float
    alone: float | Literal["needed", "none"] = "needed"

    def example(self, stem: str) -> str:
        """Return a typical name."""
        return f"{stem}@{spelled(self.shown)}"

    def metric(self, stem: str, text: str | None) -> Metric:
        """Return the metric of this stem and this parameter as typed; ``None``: the stem alone.

        Raises
        ------
        ConfigurationError
            For a parameter that is no number or out of range, and for one that is missing.
        """
        if text is not None:
            parameter = self._read(stem, text)
        elif self.alone == "none":
            return self.make(stem, None)
        elif self.alone == "needed":
            raise ConfigurationError(
                f"{stem} needs its {self.parameter}: {self.range}.",
                f"Write for example {self.example(stem)}.",
            )
        else:
            parameter = self.alone
        return self.make(f"{stem}@{spelled(parameter)}", parameter)

    def _read(self, stem: str, text: str) -> float:
        pattern = _WHOLE if self.kind is int else _NUMBER
        parameter = self.kind(text) if pattern.fullmatch(text) else None
        if parameter is None or not self.allowed(parameter):
            raise ConfigurationError(
                f"{self.parameter} of {stem} must be {self.range}, got {text!r}.",
                f"Write for example {self.example(stem)}.",
            )
        return parameter + 0  # -0.0 becomes 0.0


def spelled(parameter: float) -> str:
    """Write a parameter in the one way that names have it.

    Examples
    --------
    >>> spelled(5), spelled(0.90), spelled(2.0)
    ('5', '0.9', '2')
    """
    return repr(parameter).removesuffix(".0")
