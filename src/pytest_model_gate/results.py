"""What a gate found: frozen values of plain scalars and tuples. Standard library only.

No arrays, no data frames, no exceptions, no models in here: these values cross process borders as
one JSON string (``wire.py``), and every report, exit status and JUnit file is read off them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

#: Written into every record; a reader refuses a version that it doesn't know.
SCHEMA_VERSION = 1


class Verdict(StrEnum):
    """The five answers of a gate; only ``PASS`` lets a candidate ship."""

    PASS = "pass"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"
    ERROR = "error"


#: What a line asks: worse than production? better than the baseline? good enough by itself?
Question = Literal["regression", "baseline", "floor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A two-sided interval whose ends are one-sided bounds.

    Parameters
    ----------
    low, high : float
        The ends.
    level : float
        Two-sided level: ``1 - 2 * alpha``.
    method : str
        What it was computed with, for example ``"tango"`` or ``"delong"``.
    """

    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One metric of two models on the same rows, and the verdict on it.

    Parameters
    ----------
    metric, slice : str
        What was measured, and on which rows.
    n : int
        Rows.
    candidate, production : float
        The two values, in the metric's own unit and sign.
    difference : float
        Candidate minus production.
    gain : float
        The difference, oriented so that larger is better.
    interval : Interval
        Of the gain.
    standard_error : float
        Of the gain.
    tolerance : float
        How much worse than production is allowed, in the metric's unit.
    verdict : Verdict
        By the rules of ``policy``.
    reason : str
        One sentence.
    minimum_detectable : float or None
        The regression that this many rows detect with 80 % power.
    rows_needed : int or None
        Rows with which a candidate equal to production passes with 80 % power.
    """

    metric: str
    slice: str
    n: int
    candidate: float
    production: float
    difference: float
    gain: float
    interval: Interval
    standard_error: float
    tolerance: float
    verdict: Verdict
    reason: str
    minimum_detectable: float | None
    rows_needed: int | None

    def __repr__(self) -> str:
        i = self.interval
        return (
            f"{self.metric} on {self.slice} ({self.n:,} rows): {self.verdict.value.upper()}, "
            f"candidate {self.candidate:.4g}, production {self.production:.4g}, gain {self.gain:.4g} "
            f"with {i.level:.0%} interval [{i.low:.4g}, {i.high:.4g}] ({i.method}), "
            f"allowed {-self.tolerance + 0.0:.4g}: {self.reason}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One judged line of a record: a question about one metric on one slice.

    Parameters
    ----------
    question : {"regression", "baseline", "floor"}
        Against production, against the baseline, or against a fixed value.
    metric, slice : str
        What was measured, and on which rows.
    n : int
        Rows.
    reference : float or None
        Production's or the baseline's value, or the floor.
    candidate : float or None
        The candidate's value. ``None`` where it does not exist (see ``reason``).
    gain : float or None
        Candidate against reference, oriented so that larger is better.
    interval : Interval or None
        Of the gain.
    standard_error : float or None
        Of the gain.
    required : float
        The lower end of the interval has to be above this: minus the tolerance, or the minimum gain.
    tolerance : str
        The tolerance as a user would write it, with "default" where nobody chose it.
    verdict : Verdict
        By the rules of ``policy``.
    reason, remedy : str
        Why, and what to do next.
    warning : str
        Said beside a verdict that passes ("worse, within tolerance").
    minimum_detectable : float or None
        The regression that this many rows detect with 80 % power.
    rows_needed : int or None
        Rows with which a candidate equal to the reference passes with 80 % power.
    on_inconclusive : {"fail", "warn", "pass"}
        What an inconclusive verdict does to the gate.
    waiver : str
        Who waived this line, why and until when. Empty: nobody.
    undefined : bool
        Whether the verdict is ``error`` because the metric doesn't exist on these rows (``reason`` says why).
    on_undefined : {"fail", "warn"}
        What that does to the gate.
    also : tuple of str
        Other slices that have exactly these rows: this line is theirs, too.
    """

    question: Question
    metric: str
    slice: str
    n: int
    reference: float | None
    candidate: float | None
    gain: float | None
    interval: Interval | None
    standard_error: float | None
    required: float
    tolerance: str
    verdict: Verdict
    reason: str
    remedy: str = ""
    warning: str = ""
    minimum_detectable: float | None = None
    rows_needed: int | None = None
    on_inconclusive: Literal["fail", "warn", "pass"] = "fail"
    waiver: str = ""
    undefined: bool = False
    on_undefined: Literal["fail", "warn"] = "fail"
    also: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether this line keeps the candidate from shipping."""
        if self.verdict is Verdict.PASS or self.waiver:
            return False
        if self.undefined:
            return self.on_undefined == "fail"
        return not (self.verdict is Verdict.INCONCLUSIVE and self.on_inconclusive != "fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem that a check found.

    Parameters
    ----------
    subject : str
        What it is about: a column, a file, a role.
    problem : str
        One sentence: what was needed, what came.
    remedy : str
        What to do next.
    count : int or None
        How many rows (or things) are affected.
    examples : tuple of str
        A few offending values, shortened.
    rule : str
        Name of the rule that is broken, for programs. Empty: it has none.
    share : float or None
        ``count`` as a share of all rows.
    rows : tuple of int
        The first few rows that are affected, counted from 0.
    severity : {"fail", "warn"}
        Whether it keeps the candidate from shipping, or is only said.
    """

    subject: str
    problem: str
    remedy: str = ""
    count: int | None = None
    examples: tuple[str, ...] = ()
    rule: str = ""
    share: float | None = None
    rows: tuple[int, ...] = ()
    severity: Literal["fail", "warn"] = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Anything else than a metric that passes or fails: pin, schema, contract.

    Parameters
    ----------
    name : str
        ``"pin"``, ``"schema"``, ``"target"``, ``"model"``, …
    verdict : Verdict
        ``PASS``, ``INVALID`` or ``ERROR``.
    summary : str
        A few words for the header of a report.
    findings : tuple of Finding
        The problems; where it passed, only those that warn.
    """

    name: str
    verdict: Verdict
    summary: str
    findings: tuple[Finding, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether this check keeps the candidate from shipping."""
        return self.verdict is not Verdict.PASS

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that are only said."""
        return tuple(finding for finding in self.findings if finding.severity == "warn")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRecord:
    """Which model one role was.

    Parameters
    ----------
    role : str
        ``"candidate"``, ``"production"`` or ``"baseline"``.
    source : str
        As written, with secrets removed.
    resolved : str
        The exact version that it meant.
    digest : str
        ``"sha256:<hex>"`` of its content. Empty where there is none (a built-in baseline).
    kind : str
        What loaded it: ``"sklearn"``, ``"xgboost"``, ``"predictions"``, ``"built in"``, …
    """

    role: str
    source: str
    resolved: str
    digest: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRecord:
    """Which rows were used.

    Parameters
    ----------
    source, resolved, digest : str
        As written, the exact version, and ``"sha256:<hex>"`` over all of its content.
    pin : str
        ``"pinned"``, ``"changed"``, ``"unpinned"``, ``"pinned now"`` or ``"pinned now, changed"``.
    rows, rows_used : int
        In the dataset, and judged.
    dropped : tuple of (str, int)
        Why rows were left out, and how many.
    columns : tuple of (str, str)
        Names and types.
    version : str
        Which version the source meant, where it has versions of its own. Empty: none.
    """

    source: str
    resolved: str
    digest: str
    pin: str
    rows: int
    rows_used: int
    dropped: tuple[tuple[str, int], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallSlice:
    """A slice with fewer rows than the user asked for, in all or of a class: listed, not judged."""

    slice: str
    n: int
    min_rows: int
    lacking: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Where a column was cut for slices.

    Parameters
    ----------
    column : str
        Which one.
    edges : tuple of str
        Exactly as they cut; names of slices may round them.
    groups : int or None
        How many groups of equal size were asked for; ``None`` where the edges were given.
    """

    column: str
    edges: tuple[str, ...]
    groups: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutUse:
    """Which of the uses of a holdout a judgement was, as its ledger counts them.

    Parameters
    ----------
    number : int
        From 1.
    budget : int or None
        How many there are; ``None``: no end.
    spending : {"equal", "decreasing", "adaptive"}
        How they share the level.
    passes : int
        How many of the earlier ones had passed.
    level : float
        The one-sided level that all of them share; the record's ``alpha`` is what this one got.
    period : int
        How often the count had been reset.
    """

    number: int
    budget: int | None
    spending: Literal["equal", "decreasing", "adaptive"]
    passes: int
    level: float
    period: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSlice:
    """A segment that nobody named, in which the candidate does worse, and what testing it said.

    Parameters
    ----------
    n : int
        Judged rows that it has.
    share : float
        Of all judged rows.
    line : Line
        The test: ``regressed`` is proven, ``pass`` clears the segment, ``inconclusive`` leaves a suspicion.
    loss_share : float or None
        Its part of the loss on the tested rows; ``None`` where there is no loss as a whole.
    elsewhere : float or None
        The gain on the tested rows outside of it; ``None`` where it doesn't exist.
    table : str
        An entry of ``slices`` that judges it from now on. Empty: it cannot be written as one.
    """

    n: int
    share: float
    line: Line
    loss_share: float | None = None
    elsewhere: float | None = None
    table: str = ""

    @property
    def proven(self) -> bool:
        """Whether the candidate is worse than the tolerance here."""
        return self.line.verdict is Verdict.REGRESSED


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSearch:
    """A search for slices that nobody named.

    Parameters
    ----------
    method : {"split", "max-t"}
        Found on two thirds of the rows and tested on the others, or all tested at once.
    columns : tuple of str
        Those that were searched.
    skipped : tuple of (str, str)
        Columns that were not, and why.
    depth, min_rows : int
        Conditions that make a segment at most, and rows that it needs at least.
    metrics : tuple of str
        In which it was searched.
    searched : int
        Segments that were looked at.
    rows, tested_rows : int
        Rows that were looked at, and rows that were tested on.
    on_found : {"warn", "fail"}
        What a proven segment does.
    seed : int
        Of the division, or of the draws.
    found : tuple of FoundSlice
        The worst ones, the proven ones first.
    detectable_share : float or None
        Share of the rows for which ``detectable`` holds.
    detectable : tuple of (str, float)
        Per metric: the regression of such a segment that is proven in about four of five cases.
    """

    method: Literal["split", "max-t"]
    columns: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    depth: int
    min_rows: int
    metrics: tuple[str, ...]
    searched: int
    rows: int
    tested_rows: int
    on_found: Literal["warn", "fail"]
    seed: int
    found: tuple[FoundSlice, ...] = ()
    detectable_share: float | None = None
    detectable: tuple[tuple[str, float], ...] = ()

    @property
    def proven(self) -> int:
        """How many segments are proven worse than the tolerance."""
        return sum(found.proven for found in self.found)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRecord:
    """Everything that one gate found; the verdict of the whole gate is read off it.

    Parameters
    ----------
    gate, decision : str
        Name, and the decision that the model drives.
    verdict : Verdict
        Of the whole gate: the gravest of what fails, or ``PASS``.
    reason : str
        One sentence.
    alpha : float
        One-sided level of every bound.
    asked : str
        ``"gate"`` for the whole gate, or the assertion that was made: ``"no_regression(roc_auc)"``.
    roles : tuple of RoleRecord
        Those that were resolved.
    dataset : DatasetRecord or None
        ``None`` where it could not be opened.
    checks : tuple of Check
        In the order in which they ran.
    lines : tuple of Line
        In the order of questions, metrics and slices.
    small_slices : tuple of SmallSlice
        Slices under their ``min_rows`` or ``min_per_class``.
    bins : tuple of Bins
        Where columns were cut for slices.
    notes : tuple of str
        What a reader should know: "candidate and production are the same model", …
    versions : tuple of (str, str)
        Libraries that took part.
    holdout : HoldoutUse or None
        ``None`` where uses of the holdout are not counted, or nothing was judged.
    correction : str
        How accusations were corrected for each other: ``"holm"`` or ``"max-t"``, and for which lines not.
    search : SliceSearch or None
        The search for slices that nobody named. ``None``: there was none.
    schema_version : int
        Of this structure.
    """

    gate: str
    decision: str
    verdict: Verdict
    reason: str
    alpha: float
    asked: str = "gate"
    roles: tuple[RoleRecord, ...] = ()
    dataset: DatasetRecord | None = None
    checks: tuple[Check, ...] = ()
    lines: tuple[Line, ...] = ()
    small_slices: tuple[SmallSlice, ...] = ()
    bins: tuple[Bins, ...] = ()
    notes: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    holdout: HoldoutUse | None = None
    correction: str = "holm"
    search: SliceSearch | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def warnings(self) -> int:
        """How many lines pass, but with something to say; segments that were found and findings are, too."""
        said = sum(
            1 for line in self.lines if not line.fails and (line.verdict is not Verdict.PASS or line.warning)
        )
        found = self.search is not None and self.search.on_found == "warn" and self.search.proven
        return said + int(found) + sum(len(check.warnings) for check in self.checks)
