"""What the lines of a ledger mean for one holdout: which uses there were, and what they have spent. Pure.

A use is known by its content: the holdout, what the models say, what is asked. Numbers and dates in the
lines are what was true when they were written; two branches may both have written a use 7.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..data.ledger import LEDGER_NAME, Entry, Reset, Use, of_dataset
from ..errors import ConfigurationError
from ..results import Verdict
from ..spec import Spending
from ..stats.spending import alpha_in_force, share

#: Parts of a level are sums of floats: twenty twentieths are 1 and a few units of the last digit.
ROUNDING = 1e-9

#: Seven standard errors. No formula of this package knows the tails beyond.
SMALLEST = 1e-12


@dataclass(frozen=True, slots=True)
class Counted:
    """All lines about one candidate that was asked one thing: they count once.

    Parameters
    ----------
    lines : tuple of Use
        From the earliest; the first one's level is in force whenever the candidate is judged again.
    """

    lines: tuple[Use, ...]

    @property
    def first(self) -> Use:
        """The line that spent something."""
        return self.lines[0]

    @property
    def limits(self) -> dict[str, str]:
        """Everything that was asked, with its limit."""
        return {question: limit for line in self.lines for question, limit in line.limits.items()}

    @property
    def passed(self) -> bool:
        """Whether anybody saw it pass."""
        return any(line.verdict == Verdict.PASS for line in self.lines)

    @property
    def share(self) -> float:
        """The part of the level that is set aside for it: the largest, where branches judged it at two."""
        return max(share(line.number, line.budget, line.spending) for line in self.lines)

    @property
    def alpha(self) -> float:
        """The level that it has spent."""
        return max(line.alpha for line in self.lines)

    def fits(self, limits: Mapping[str, str]) -> bool:
        """Whether nothing is asked with another limit than before."""
        known = self.limits
        return all(known.get(question, limit) == limit for question, limit in limits.items())

    def knows(self, use: Use) -> bool:
        """Whether a line says this already: what was asked, shown and found."""
        return any(
            use.limits.items() <= line.limits.items()
            and use.feedback == line.feedback
            and use.verdict in ("", line.verdict)
            for line in self.lines
        )


@dataclass(frozen=True, slots=True)
class Holdout:
    """One dataset, and everything that has been judged on it.

    Parameters
    ----------
    uses : tuple of Counted
        From the earliest, of all periods.
    resets : tuple of Reset
        From the earliest.
    """

    uses: tuple[Counted, ...]
    resets: tuple[Reset, ...]

    @property
    def period(self) -> int:
        """The period that counts now: each reset begins one."""
        return max((reset.period for reset in self.resets), default=0)

    @property
    def current(self) -> tuple[Counted, ...]:
        """The uses that count now."""
        period = self.period
        return tuple(use for use in self.uses if use.first.period >= period)

    @property
    def passes(self) -> int:
        """How many of them passed."""
        return sum(use.passed for use in self.current)

    @property
    def share(self) -> float:
        """Which part of the level they have set aside; above 1 where branches used more than there was."""
        return math.fsum(use.share for use in self.current)

    @property
    def alpha(self) -> float:
        """The probability that any of them passed wrongly is at most this."""
        return math.fsum(use.alpha for use in self.current)

    def find(self, candidate: str, config: str, limits: Mapping[str, str]) -> Counted | None:
        """Return the use that this is a repetition of, or ``None`` where it is a new one."""
        return next(
            (
                use
                for use in self.uses
                if (use.first.candidate, use.first.config) == (candidate, config) and use.fits(limits)
            ),
            None,
        )


def holdout(entries: Iterable[Entry], dataset: str) -> Holdout:
    """Return what a ledger says of one dataset.

    Parameters
    ----------
    entries : iterable of Entry
        The ledger's; their order is nothing.
    dataset : str
        Digest.

    Raises
    ------
    ConfigurationError
        For a line whose level isn't the one that its own numbers give.
    """
    resets: list[Reset] = []
    same: dict[tuple[str, str], list[list[Use]]] = {}
    order: list[list[Use]] = []
    for entry in of_dataset(entries, dataset):
        if isinstance(entry, Reset):
            resets.append(entry)
            continue
        check_line(entry)
        known = same.setdefault((entry.candidate, entry.config), [])
        for lines in known:
            if Counted(tuple(lines)).fits(entry.limits):
                lines.append(entry)
                break
        else:
            known.append([entry])
            order.append(known[-1])
    return Holdout(tuple(Counted(tuple(lines)) for lines in order), tuple(resets))


def check_line(use: Use) -> None:
    """Refuse a line that somebody changed: its level follows from its other numbers.

    Raises
    ------
    ConfigurationError
        Names the line.
    """
    rule, budget = use.spending, use.budget
    possible = (
        rule in ("equal", "decreasing", "adaptive")
        and 0 < use.level < 0.5
        and 0 <= use.passes < use.number
        and use.period >= 0
        and (rule != "equal" if budget is None else budget >= 1)
    )
    if possible:
        told = alpha_in_force(use.level, number=use.number, passes=use.passes, budget=budget, spending=rule)
        possible = math.isclose(use.alpha, told, rel_tol=ROUNDING)
    if not possible:
        raise ConfigurationError(
            f"{LEDGER_NAME} line {use.line} was changed by hand: use {use.number}, with the rule "
            f"{rule[:20]!r} and a level of {use.level:g}, is not judged at {use.alpha:g}.",
            "Take the line from the last commit; git log -p shows who changed it.",
        )


def next_level(
    known: Holdout, *, level: float, budget: int | None, spending: Spending
) -> tuple[int, int, float] | str:
    """Return number, earlier passes and level of a new use, or why there is none.

    Parameters
    ----------
    known : Holdout
        What was judged so far.
    level : float
        The one-sided level that all uses share.
    budget, spending
        The rule that is asked for now.
    """
    number, passes = len(known.current) + 1, known.passes
    if budget is not None and number > budget:
        return f"{number - 1} of {budget} uses of this holdout are spent"
    if known.share + share(number, budget, spending) > 1 + ROUNDING:
        return (
            f"{number - 1} uses of this holdout have spent {known.share:.4g} of its level, and what is left "
            f"is less than use {number} needs"
        )
    alpha = alpha_in_force(level, number=number, passes=passes, budget=budget, spending=spending)
    if alpha < SMALLEST:
        return (
            f"after {passes} passes among {number - 1} uses of this holdout no level is left that an "
            f"interval could be trusted at ({alpha:.0e})"
        )
    return number, passes, alpha


def raised_level(known: Holdout, *, level: float) -> str:
    """Return which level the uses of a holdout share where a larger one is asked for; empty where none is.

    Parameters
    ----------
    known : Holdout
        What was judged so far.
    level : float
        The one-sided level that is asked for now.
    """
    levels = [line.level for use in known.current for line in use.lines]
    if not levels or level <= max(levels) * (1 + ROUNDING):
        return ""
    return f"this holdout has been used at {max(levels):g} since {known.current[0].first.date[:10]}"


def broken_promise(known: Holdout, *, budget: int | None, spending: Spending) -> str:
    """Return why ``"adaptive"`` can promise nothing after these uses; empty where it can.

    Its sum runs over all histories of pass and not pass, each with the weights of one rule.
    """
    if spending != "adaptive":
        return ""
    for line in (line for use in known.current for line in use.lines):
        if line.feedback != "binary":
            return f"use {line.number} of this holdout has shown numbers"
        if line.spending != spending or line.budget != budget:
            budgets = "no budget" if line.budget is None else f"a budget of {line.budget}"
            return f"use {line.number} of this holdout was spent by the rule {line.spending!r} with {budgets}"
    return ""
