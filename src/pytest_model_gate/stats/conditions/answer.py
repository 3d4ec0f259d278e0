"""What a condition says about measured rows: true, false, or unknown, and what a mode makes of that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from .grammar import Clause, Condition

#: What an unknown answer counts as: ``fp-free`` rejects it, ``fn-free`` accepts it.
Mode = Literal["fp-free", "fn-free"]
MODES: tuple[Mode, ...] = ("fp-free", "fn-free")


class Answer(StrEnum):
    """The three answers."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was measured, as counts.

    Parameters
    ----------
    rows : int
        Rows with a label.
    new, old : int
        Rows that the new and the old model have right.
    changed : int
        Rows on which their predictions differ.
    changed_of : int, optional
        Of how many rows, where more of them have no label; ``rows`` by default.
    """

    rows: int
    new: int
    old: int
    changed: int
    changed_of: int | None = None

    @property
    def shares(self) -> tuple[Fraction, Fraction, Fraction]:
        """The estimates of ``n``, ``o`` and ``d``."""
        of = self.rows if self.changed_of is None else self.changed_of
        return Fraction(self.new, self.rows), Fraction(self.old, self.rows), Fraction(self.changed, of)


def answer(
    condition: Condition, counts: Counts, *, rows_needed: int = 0, changed_below: float | None = None
) -> Answer:
    """Return what the condition says about these rows.

    An estimate that lies beyond the tolerance on the right side makes a clause true, one beyond it on the
    wrong side false. Anything between, the two ends included, is unknown.

    Parameters
    ----------
    condition : Condition
        Clauses that all have to hold: one false clause makes it false, all true ones make it true.
    counts : Counts
        What was measured.
    rows_needed : int
        With fewer rows nothing is promised, so the answer is unknown.
    changed_below : float, optional
        The share of changed predictions that the rows were planned for. Where it is not measured below this,
        nothing is promised either.
    """
    if counts.rows < max(1, rows_needed):
        return Answer.UNKNOWN
    if changed_below is not None and counts.shares[2] >= Fraction(str(changed_below)):
        return Answer.UNKNOWN
    found = {_of_clause(clause, counts) for clause in condition.clauses}
    if Answer.FALSE in found:
        return Answer.FALSE
    return Answer.UNKNOWN if Answer.UNKNOWN in found else Answer.TRUE


def accepts(found: Answer, mode: Mode) -> bool:
    """Return whether a mode accepts: unknown is rejected by ``fp-free`` and accepted by ``fn-free``."""
    return found is Answer.TRUE if mode == "fp-free" else found is not Answer.FALSE


def _of_clause(clause: Clause, counts: Counts) -> Answer:
    estimate = sum(
        (weight * share for weight, share in zip(clause.weights, counts.shares, strict=True)), Fraction(0)
    )
    distance = estimate - clause.constant if clause.compares == ">" else clause.constant - estimate
    if distance > clause.tolerance:
        return Answer.TRUE
    return Answer.FALSE if distance < -clause.tolerance else Answer.UNKNOWN
