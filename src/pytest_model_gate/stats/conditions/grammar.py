r"""The language: ``n - o > 0.02 +/- 0.01 /\ d < 0.1 +/- 0.01`` in, exact clauses out.

``n`` is the new model's share of right rows, ``o`` the old one's, ``d`` the share of rows on which their
predictions differ. Numbers are kept as fractions, so that no comparison depends on the last bit of a float.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ...errors import ConfigurationError
from ...wording import shorten

VARIABLES = ("n", "o", "d")
EXAMPLE = r"Write for example 'n - o > 0.02 +/- 0.01 /\ d < 0.1 +/- 0.01'."

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\+/-|\u00b1|/\\|\u2227|[-+*<>]))"
)
_SAME = {"\u00b1": "+/-", "\u2227": "/\\", "and": "/\\"}


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison: a weighted sum of the three variables with a constant, and a tolerance.

    Parameters
    ----------
    weights : tuple of Fraction
        Of ``n``, ``o`` and ``d``.
    compares : {">", "<"}
        Which side of the constant is asked for.
    constant, tolerance : Fraction
        The tolerance is above 0.
    """

    weights: tuple[Fraction, Fraction, Fraction]
    compares: Literal[">", "<"]
    constant: Fraction
    tolerance: Fraction

    @property
    def needs_labels(self) -> bool:
        """Whether the truth has to be known; how often predictions differ is known without."""
        return bool(self.weights[0] or self.weights[1])

    def __str__(self) -> str:
        return f"{_sum(self.weights)} {self.compares} {_number(self.constant)} +/- {_number(self.tolerance)}"


@dataclass(frozen=True, slots=True)
class Condition:
    """Clauses that all have to hold."""

    clauses: tuple[Clause, ...]

    def __str__(self) -> str:
        return " /\\ ".join(map(str, self.clauses))


def parse(text: str) -> Condition:
    r"""Read a condition.

    Sums are read from left to right, and a factor may stand before or behind its variable.

    Raises
    ------
    ConfigurationError
        Says which part could not be read.

    Examples
    --------
    >>> print(parse("n - 1.1 * o > 0.01 +/- 0.01 /\\ d < 0.1 +/- 0.01"))
    n - 1.1 * o > 0.01 +/- 0.01 /\ d < 0.1 +/- 0.01
    """
    tokens = list(_tokens(text))
    clauses: list[Clause] = []
    while True:
        end = tokens.index("/\\") if "/\\" in tokens else len(tokens)
        clauses.append(_clause(tokens[:end], text))
        if end == len(tokens):
            return Condition(tuple(clauses))
        tokens = tokens[end + 1 :]


def _tokens(text: str) -> Iterator[str]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unreadable(text, f"'{shorten(text[position:].strip(), 20)}' is no part of the language")
        token = found[0].strip()
        token = _SAME.get(token, token)
        if found["name"] and token not in (*VARIABLES, "/\\"):
            raise _unreadable(text, f"there is no variable {shorten(token, 20)!r}, only n, o and d")
        yield token
        position = found.end()


def _clause(tokens: Sequence[str], text: str) -> Clause:
    compares = [token for token in tokens if token in "<>"]
    if len(compares) != 1 or tokens.count("+/-") != 1:
        raise _unreadable(text, "each clause needs one > or <, and one tolerance behind +/-")
    at, behind = tokens.index(compares[0]), tokens.index("+/-")
    if behind < at:
        raise _unreadable(text, "the tolerance +/- stands behind the constant")
    weights = _weights(tokens[:at], text)
    constant = _constant(tokens[at + 1 : behind], text, f"behind {compares[0]}")
    tolerance = _constant(tokens[behind + 1 :], text, "behind +/-")
    if tolerance <= 0:
        raise _unreadable(text, "a tolerance has to be above 0: no number of rows knows a value exactly")
    return Clause(weights, ">" if compares[0] == ">" else "<", constant, tolerance)


def _weights(tokens: Sequence[str], text: str) -> tuple[Fraction, Fraction, Fraction]:
    """Read a sum of variables with factors."""
    found = dict.fromkeys(VARIABLES, Fraction(0))
    for sign, term in _terms(tokens):
        factors, names = list(term[::2]), [token for token in term[::2] if token in VARIABLES]
        if len(term) % 2 == 0 or any(token != "*" for token in term[1::2]) or len(names) != 1:
            raise _unreadable(text, f"'{' '.join(term)}' is no variable and no variable times a number")
        factors.remove(names[0])
        found[names[0]] += sign * math.prod(_constant([factor], text, "as a factor") for factor in factors)
    if not any(found.values()):
        raise _unreadable(text, "the left side is 0 whatever is measured")
    return found["n"], found["o"], found["d"]


def _terms(tokens: Sequence[str]) -> Iterator[tuple[Fraction, list[str]]]:
    """Split a sum at its signs."""
    sign, term = Fraction(1), list[str]()
    for number, token in enumerate(tokens):
        if token in ("+", "-"):
            if number:
                yield sign, term
            sign, term = Fraction(1 if token == "+" else -1), []
        else:
            term.append(token)
    yield sign, term


def _constant(tokens: Sequence[str], text: str, where: str) -> Fraction:
    sign = 1
    if tokens and tokens[0] in ("+", "-"):
        sign, tokens = (1 if tokens[0] == "+" else -1), tokens[1:]
    if len(tokens) != 1 or (not tokens[0][-1:].isdigit() and not tokens[0].endswith(".")):
        raise _unreadable(text, f"one number is needed {where}, got {' '.join(tokens) or 'nothing'!r}")
    return sign * Fraction(tokens[0].rstrip("."))


def _unreadable(text: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"The condition '{shorten(text, 80)}' cannot be read: {why}.", EXAMPLE)


def _sum(weights: Sequence[Fraction]) -> str:
    said = ""
    for name, weight in zip(VARIABLES, weights, strict=True):
        if weight:
            sign = "-" if weight < 0 else "+"
            factor = "" if abs(weight) == 1 else f"{_number(abs(weight))} * "
            said += f" {sign} {factor}{name}" if said else f"{'-' if weight < 0 else ''}{factor}{name}"
    return said


def _number(value: Fraction) -> str:
    return f"{float(value):.12g}"
