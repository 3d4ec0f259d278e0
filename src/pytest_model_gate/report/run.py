"""What one run of gates left: the value that every report is rendered from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..results import GateRecord, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """One test that is a gate and was judged.

    Parameters
    ----------
    test : str
        Node id.
    gate : str
        The gate's name.
    records : tuple of GateRecord
        One for the whole gate, or one for each assertion.
    outcome : {"passed", "failed"}
        Of the test itself.
    attempts : int
        How often the test ran; the gate was judged once.
    """

    test: str
    gate: str
    records: tuple[GateRecord, ...]
    outcome: str
    attempts: int = 1

    @property
    def failing(self) -> tuple[GateRecord, ...]:
        """The records that are no pass, whatever became of the test."""
        return tuple(record for record in self.records if record.verdict is not Verdict.PASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotJudged:
    """A gate without a verdict.

    Parameters
    ----------
    gate, test : str
        Which. ``test`` is empty for a gate that no test of this run has.
    reason : str
        Why.
    fails : bool
        Whether that fails the run: a skip by a mark and a selection by the user do not.
    """

    gate: str
    test: str
    reason: str
    fails: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of pytest, as far as gates are concerned.

    Parameters
    ----------
    tested : tuple of Tested
        In the order of node ids.
    not_judged : tuple of NotJudged
        In the order of node ids.
    problems : tuple of str
        What else keeps this run from being trusted: a worker died, a report could not be written.
    complete : bool
        Whether the run came to its end and every gate was judged.
    advise : bool
        Whether nothing was allowed to fail.
    """

    tested: tuple[Tested, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    problems: tuple[str, ...] = ()
    complete: bool = True
    advise: bool = False

    @property
    def passed(self) -> bool:
        """Whether every gate that was meant to be judged passed."""
        return not (
            self.problems
            or (not self.advise and any(test.failing for test in self.tested))
            or any(gate.fails for gate in self.not_judged)
        )

    def __bool__(self) -> bool:
        return bool(self.tested or self.not_judged or self.problems)

    def records(self) -> Iterator[GateRecord]:
        """Every different record once, in the order of the tests."""
        return iter(dict.fromkeys(record for test in self.tested for record in test.records))

    def objections(self) -> Iterator[str]:
        """Yield what speaks against believing this run as a whole, whatever its gates say."""
        if self.advise:
            yield "the run only advised (--gate-advise)"
        yield from self.problems
        for gate in self.not_judged:
            yield f"gate {gate.gate} was not judged: {gate.reason}"
        if not self.complete:
            yield "the run did not come to its end"
        for test in self.tested:
            if test.outcome != "passed" and not test.failing:
                yield f"{test.test} failed"
