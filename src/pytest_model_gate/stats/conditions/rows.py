"""How many rows a condition takes, so that with a given reliability none of its answers is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ...errors import ConfigurationError
from .answer import Mode
from .bounds import Mistake, binomial, chernoff, hoeffding, split
from .grammar import Clause, Condition

#: What developers learn between two steps: nothing; pass or fail; fail only, as the first pass ends the set.
Adaptivity = Literal["none", "full", "firstChange"]
ADAPTIVITIES: tuple[Adaptivity, ...] = ("none", "full", "firstChange")

#: The tolerance with which changed predictions are counted where only an expectation of them is known, in
#: units of the clause's own (the paper's choice).
_COARSER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseRows:
    """What one clause takes.

    Parameters
    ----------
    clause : str
        As written.
    needs_labels : bool
        Whether these rows need the truth.
    delta : float
        How likely its wrong answer may be.
    rows : int
        What it takes: the least of the bounds that hold.
    method : str
        Which one that is.
    separate, hoeffding, chernoff : int
        By a bound for each variable with the tolerance split at best, by one bound for the sum, and by
        Chernoff's bound for the worst rows.
    binomial : int or None
        By the exact tail, for one variable.
    tolerances : tuple of float
        How the tolerance is split over the variables.
    """

    clause: str
    needs_labels: bool
    delta: float
    rows: int
    method: str
    separate: int
    hoeffding: int
    chernoff: int
    binomial: int | None
    tolerances: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a condition takes.

    Parameters
    ----------
    labelled, unlabelled : int
        Rows with and without the truth; labelled rows may serve as unlabelled ones too.
    paper : int
        Rows of the paper's basic estimator, every one with a label.
    fresh : int
        Labelled rows of all steps together, were a new set taken for each.
    changed : float or None
        Share of rows on which the models are taken to differ at most.
    expected : float or None
        The share of changed predictions has to be measured below this, else the answer is unknown. ``None``
        where a clause sees to that, or nothing was expected.
    labels : int or None
        Of the labelled rows, those that a step really has to label: rows where the predictions differ.
        ``None`` where right and wrong count also on other rows.
    log_delta : float
        Natural logarithm of how likely one answer may be wrong.
    clauses : tuple of ClauseRows
        Each clause, in order.
    """

    labelled: int
    unlabelled: int
    paper: int
    fresh: int
    changed: float | None
    expected: float | None
    labels: int | None
    log_delta: float
    clauses: tuple[ClauseRows, ...]


def demand(
    condition: Condition,
    *,
    reliability: float,
    mode: Mode = "fp-free",
    adaptivity: Adaptivity = "none",
    steps: int = 1,
    discordance: float | None = None,
) -> Demand:
    """Return how many rows a condition takes.

    Parameters
    ----------
    condition : Condition
        What has to hold.
    reliability : float
        How likely no step at all ends with the mistake of the mode: 0.9999.
    mode : {"fp-free", "fn-free"}
        ``fp-free``: what is accepted holds in truth. ``fn-free``: what holds in truth is accepted.
    adaptivity : {"none", "full", "firstChange"}
        What is told after each step.
    steps : int
        How many models are judged on the same rows.
    discordance : float, optional
        Share of changed predictions that is expected at most. It is checked on rows without labels, so that
        it may be wrong without a wrong answer.

    Raises
    ------
    ConfigurationError
        If a clause could never be decided, whatever is measured.
    """
    log_delta = log_delta_of(reliability, adaptivity, steps)
    mistakes = [_mistake(clause, mode) for clause in condition.clauses]
    guard = _guard(condition, discordance)
    changed = _changed(condition, guard)
    most = 1.0 if changed is None else changed
    found = _all_rows(condition, mistakes, mode, log_delta, most)
    of_guard = () if guard is None else (_clause_rows(guard, _mistake(guard, "fp-free"), log_delta, 1.0),)
    labelled = _most_rows(found, labels=True)
    one = (
        found
        if adaptivity != "full"
        else _all_rows(condition, mistakes, mode, log_delta_of(reliability, "none", steps), most)
    )
    return Demand(
        labelled=labelled,
        unlabelled=_most_rows((*found, *of_guard), labels=False),
        paper=basic_rows(condition, log_delta),
        fresh=steps * _most_rows(one, labels=True),
        changed=changed,
        expected=None if guard is None else discordance,
        labels=_labels(mistakes, labelled, changed),
        log_delta=log_delta,
        clauses=(*found, *of_guard),
    )


def _all_rows(
    condition: Condition, mistakes: Sequence[Mistake], mode: Mode, log_delta: float, most: float
) -> tuple[ClauseRows, ...]:
    deltas = _deltas(mistakes, mode, log_delta, most)
    return tuple(
        _clause_rows(clause, mistake, part, most)
        for clause, mistake, part in zip(condition.clauses, mistakes, deltas, strict=True)
    )


def _most_rows(found: Sequence[ClauseRows], *, labels: bool) -> int:
    return max((part.rows for part in found if part.needs_labels is labels), default=0)


def log_delta_of(reliability: float, adaptivity: Adaptivity, steps: int) -> float:
    """Return the logarithm of how likely one answer may be wrong.

    Without feedback there are as many answers as steps. With pass or fail after each step there are as many
    as histories, fewer than ``2 ** steps``. Where the first pass ends the set, the only history that goes on
    is "not yet".

    Examples
    --------
    >>> import math
    >>> round(math.exp(log_delta_of(0.9999, "none", 32)) * 32, 10)
    0.0001
    """
    if not 0.5 <= reliability < 1:
        raise ConfigurationError(
            f"The reliability must be at least 0.5 and below 1, got {reliability:g}.",
            "It is how likely all answers are right: 0.999 for example.",
        )
    if steps < 1:
        raise ConfigurationError(
            f"At least 1 step is needed, got {steps}.", "A step is one model that is judged on these rows."
        )
    histories = steps * math.log(2) if adaptivity == "full" and steps > 1 else math.log(steps)
    return math.log1p(-reliability) - histories


def basic_rows(condition: Condition, log_delta: float) -> int:
    """Return the rows of the paper's basic estimator: Hoeffding for each variable, a union over all clauses.

    Examples
    --------
    >>> from .grammar import parse
    >>> basic_rows(parse("n > 0.8 +/- 0.05"), log_delta_of(0.9999, "full", 32))
    6279
    """
    part = log_delta - math.log(len(condition.clauses))
    return max(
        math.ceil(split([abs(float(w)) for w in clause.weights if w], float(clause.tolerance), part)[0])
        for clause in condition.clauses
    )


def _mistake(clause: Clause, mode: Mode) -> Mistake:
    mistake = Mistake.of(clause, mode)
    if not mistake.possible:
        wanted = "true" if mode == "fp-free" else "false"
        raise ConfigurationError(
            f"'{clause}' decides nothing: no rows could ever make it {wanted}.",
            "The left side, the constant and the tolerance have to leave room for both answers.",
        )
    return mistake


def _guard(condition: Condition, discordance: float | None) -> Clause | None:
    """Return the clause that checks an expected share of changed predictions, at a tolerance of its own.

    Not where the condition itself limits them, and not where nothing gains by it.
    """
    labelled = [clause for clause in condition.clauses if clause.needs_labels]
    if discordance is None or _changed(condition, None) is not None or not labelled:
        return None
    if not 0 <= discordance < 1:
        raise ConfigurationError(
            f"The discordance must be at least 0 and below 1, got {discordance:g}.",
            "It is the share of rows on which the two models differ, 0.1 for example.",
        )
    tolerance = _COARSER * min(clause.tolerance for clause in labelled)
    limit = Fraction(str(discordance)) + tolerance
    zero, one = Fraction(0), Fraction(1)
    return None if limit >= 1 else Clause((zero, zero, one), "<", limit, tolerance)


def _changed(condition: Condition, guard: Clause | None) -> float | None:
    """Return the share of changed predictions beyond which a clause about them alone is false.

    It may be taken for known when the other clauses are planned. ``fp-free``: where more predictions change,
    accepting is a mistake of that clause, which is guarded by itself. ``fn-free``: rejecting is a mistake
    only where all clauses hold.
    """
    clauses = condition.clauses if guard is None else (*condition.clauses, guard)
    limits = [
        clause.constant / clause.weights[2]
        for clause in clauses
        if not clause.needs_labels and (clause.compares == "<") is (clause.weights[2] > 0)
    ]
    return float(min(limits)) if limits else None


def _deltas(mistakes: Sequence[Mistake], mode: Mode, log_delta: float, most: float) -> list[float]:
    """Return how likely each clause may be wrong.

    ``fp-free``: a condition that does not hold has a clause that does not, and it alone has to be answered
    wrongly to be accepted; so each has the whole. ``fn-free``: any clause can reject what holds, so they
    share it, such that all take as many rows.
    """
    if mode == "fp-free" or len(mistakes) == 1:
        return [log_delta] * len(mistakes)
    rates = [1 / chernoff(mistake, -1e6, most_changed=most) * 1e6 for mistake in mistakes]
    low, high = -log_delta / max(rates), (-log_delta + math.log(len(rates))) / min(rates)
    for _ in range(200):
        middle = (low + high) / 2
        if sum(math.exp(-middle * rate - log_delta) for rate in rates) > 1:
            low = middle
        else:
            high = middle
    return [-high * rate for rate in rates]


def _clause_rows(clause: Clause, mistake: Mistake, log_delta: float, most: float) -> ClauseRows:
    tolerance, values = float(mistake.tolerance), mistake.values
    separate, tolerances = split([float(weight) for weight in mistake.used], tolerance, log_delta)
    together = hoeffding(float(max(values) - min(values)), tolerance, log_delta)
    worst = chernoff(mistake, log_delta, most_changed=most if clause.needs_labels else 1.0)
    exact = binomial(mistake, log_delta, most=math.ceil(worst))
    bounds = {"exact binomial": exact, "chernoff": math.ceil(worst), "hoeffding": math.ceil(together)}
    method, rows = min(
        ((name, count) for name, count in bounds.items() if count is not None), key=lambda item: item[1]
    )
    return ClauseRows(
        clause=str(clause),
        needs_labels=clause.needs_labels,
        delta=math.exp(log_delta),
        rows=rows,
        method=method,
        separate=math.ceil(separate),
        hoeffding=math.ceil(together),
        chernoff=math.ceil(worst),
        binomial=exact,
        tolerances=tolerances,
    )


def _labels(mistakes: Sequence[Mistake], labelled: int, changed: float | None) -> int | None:
    """Return how many rows a step has to label, where only rows with changed predictions count."""
    if changed is None or any(
        mistake.difference is None for mistake in mistakes if mistake.weights[0] or mistake.weights[1]
    ):
        return None
    return math.ceil(labelled * changed)
