"""What a gate found: frozen values of plain scalars and tuples. Standard library only.

No arrays, no data frames, no exceptions, no models in here: these values cross process borders as
one JSON string (``wire.py``), and every report, exit status and JUnit file is read off them.
"""

from __future__ import annotations

from collections.abc import Mapping
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
            f"{self.metric} on {self.slice} ({self.n:,} row{'s' * (self.n != 1)}): "
            f"{self.verdict.value.upper()}, "
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
    from_cache : bool
        Whether it was not scored now: these bytes said of these rows before what was judged.
    """

    role: str
    source: str
    resolved: str
    digest: str
    kind: str
    from_cache: bool = False


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
class LeakCount:
    """How many rows of the holdout one way of comparing finds in the training data.

    Parameters
    ----------
    kind : {"exact", "labelled", "near", "key", "groups", "time"}
        By all columns compared, by these and the target, by rounded columns but not exactly, by key, by
        group, and not after the end of training.
    rows : int
        Rows of the holdout, each counted once.
    share : float
        Of all rows that were looked at.
    distinct : int or None
        Distinct rows, keys or groups among them.
    training_rows : int or None
        Rows of the training data that they are. ``None``: not counted.
    chance : float or None
        So many nearly equal rows would be there by chance, were all columns independent.
    fails : bool
        Whether it is more than is tolerated.
    """

    kind: Literal["exact", "labelled", "near", "key", "groups", "time"]
    rows: int
    share: float
    distinct: int | None = None
    training_rows: int | None = None
    chance: float | None = None
    fails: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakEffect:
    """One metric on rows without those that stand in the training data: a value, no judgement.

    Parameters
    ----------
    without : str
        ``""``: all rows. ``"exact"``, ``"near"``, ``"key"``, ``"groups"``, ``"time"``: without these.
        ``"any"``: without all of them.
    metric : str
        What was measured.
    rows : int
        Rows that are left.
    candidate, production, gain : float or None
        ``None`` where it does not exist on these rows, or there is no production model.
    """

    without: str
    metric: str
    rows: int
    candidate: float | None
    production: float | None = None
    gain: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureStrength:
    """How well one feature predicts the target by itself.

    Parameters
    ----------
    feature : str
        The column.
    label : str
        The class that it tells from the others. Empty for numbers.
    statistic : {"roc_auc", "r2"}
        What was measured, levels and bins scored by other rows.
    value, low, threshold : float
        The value, its one-sided lower bound, and what the bound must not exceed.
    rows : int
        On how many.
    """

    feature: str
    label: str
    statistic: Literal["roc_auc", "r2"]
    value: float
    low: float
    threshold: float
    rows: int

    @property
    def proven(self) -> bool:
        """Whether it predicts the target too well to be true."""
        return self.low > self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageRecord:
    """What of the holdout was seen in training.

    Parameters
    ----------
    source, resolved, digest, version : str
        The training data: as written, the exact version, ``"sha256:<hex>"`` over all of it, and which
        version its source meant (empty: it has none).
    pin : str
        ``"pinned"``, ``"not pinned"``, ``"changed"``, ``"pinned now"`` or ``"pinned now, changed"``.
    training_rows, rows : int
        Rows of the training data, and of the holdout that were looked at.
    columns : tuple of str
        By which rows were compared.
    not_compared : tuple of (str, str)
        Features that were not, and why.
    near : int or None
        To so many digits floats of nearly equal rows agree. ``None``: not sought.
    tolerance : str
        How much was allowed.
    counts : tuple of LeakCount
        What was found, zeros included.
    features : tuple of FeatureStrength
        Those that predict best, and all that predict too well.
    effects : tuple of LeakEffect
        Metrics with and without what was found. Empty where nothing was found, or nothing was scored.
    """

    source: str
    resolved: str
    digest: str
    pin: str
    training_rows: int
    rows: int
    version: str = ""
    columns: tuple[str, ...] = ()
    not_compared: tuple[tuple[str, str], ...] = ()
    near: int | None = None
    tolerance: str = ""
    counts: tuple[LeakCount, ...] = ()
    features: tuple[FeatureStrength, ...] = ()
    effects: tuple[LeakEffect, ...] = ()

    @property
    def leaked(self) -> int:
        """The most rows that one way of comparing finds."""
        return max((count.rows for count in self.counts), default=0)


#: Beyond the threshold for sure, within it for sure, or neither; "error": it could not be compared.
DriftVerdict = Literal["drifted", "pass", "inconclusive", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftColumn:
    """One column of the current data beside the reference's.

    Parameters
    ----------
    column : str
        Which one; ``"prediction"`` (of a class: ``"prediction[late]"``) is what the candidate says.
    part : {"feature", "target", "prediction"}
        What it is to the model.
    kind : {"number", "time", "duration", "text length", "category", "nothing"}
        What was compared; ``"nothing"``: a side has no value.
    reference_rows, current_rows : int
        Values that were compared.
    method : str
        What measures the effect: ``"auc"``, ``"ks"``, ``"wasserstein"``, ``"tv"``, ``"cramer_v"``, ``"js"``,
        ``"psi"``. Empty: nothing was compared.
    effect, low, high : float or None
        The effect and its one-sided bounds.
    threshold : float or None
        Beyond which the column has drifted.
    p, p_adjusted : float or None
        Against "nothing has moved", alone and among all columns (Benjamini-Hochberg): a by-product.
    raw : float or None
        The effect as other software prints it, with what chance makes of it.
    psi, psi_null, psi_null_q95 : float or None
        Population stability index, its mean and its 95 % quantile where nothing has moved.
    new_levels : tuple of str
        Values that the reference does not have; the most frequent ones.
    new_levels_count, new_levels_rows : int
        How many there are, and in how many rows.
    vanished_levels : tuple of str
        Values that the current data do not have; the most frequent ones.
    vanished_levels_count : int
        How many there are.
    reference_missing, current_missing : float
        Shares of rows without a value.
    missing_low, missing_high : float or None
        One-sided bounds of the change of that share.
    verdict : {"drifted", "pass", "inconclusive", "error"}
        New levels alone do not make a column drifted.
    reason : str
        Why.
    """

    column: str
    part: Literal["feature", "target", "prediction"] = "feature"
    kind: str = "nothing"
    reference_rows: int = 0
    current_rows: int = 0
    method: str = ""
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    raw: float | None = None
    psi: float | None = None
    psi_null: float | None = None
    psi_null_q95: float | None = None
    new_levels: tuple[str, ...] = ()
    new_levels_count: int = 0
    new_levels_rows: int = 0
    vanished_levels: tuple[str, ...] = ()
    vanished_levels_count: int = 0
    reference_missing: float = 0.0
    current_missing: float = 0.0
    missing_low: float | None = None
    missing_high: float | None = None
    verdict: DriftVerdict
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftOverall:
    """How well a classifier tells the current data from the reference by all features together.

    Parameters
    ----------
    area, low, high, threshold : float
        Area under its curve on rows that it did not learn from, its one-sided bounds, and the limit.
    p : float
        Against one half.
    columns : int
        Features that it had.
    reference_rows, current_rows : int
        Rows that were drawn for it; there may be more.
    verdict, reason : str
        As of a column.
    """

    area: float
    low: float
    high: float
    threshold: float
    p: float
    columns: int
    reference_rows: int
    current_rows: int
    verdict: DriftVerdict
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRecord:
    """The dataset beside the data that the model knows.

    Parameters
    ----------
    source, resolved, digest, version : str
        Of the reference: as written, the exact version, ``"sha256:<hex>"`` over all of its content, and
        which version its source meant (empty: it has none).
    pin : str
        ``"pinned"``, ``"not pinned"``, ``"pinned now"`` or ``"pinned now, changed"``. Empty: nobody looked.
    reference_rows, current_rows : int
        Rows of the two.
    columns : tuple of DriftColumn
        In the order of the dataset.
    overall : DriftOverall or None
        ``None``: not asked, or nothing to tell apart by.
    not_compared : tuple of (str, str)
        Columns that were not, and why.
    alpha : float
        One-sided level of every bound.
    seed : int
        Of everything that is drawn.
    blocks : str
        The column of whole blocks. Empty: single rows were compared.
    on_drift, on_new_levels, on_inconclusive : str
        What each does to the gate.
    """

    source: str
    resolved: str
    digest: str
    reference_rows: int
    current_rows: int
    version: str = ""
    pin: str = ""
    columns: tuple[DriftColumn, ...] = ()
    overall: DriftOverall | None = None
    not_compared: tuple[tuple[str, str], ...] = ()
    alpha: float = 0.05
    seed: int = 0
    blocks: str = ""
    on_drift: Literal["warn", "fail"] = "warn"
    on_new_levels: Literal["warn", "fail"] = "warn"
    on_inconclusive: Literal["fail", "warn", "pass"] = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One of several candidates of a gate, and how it did.

    Parameters
    ----------
    rank : int or None
        By its gain, from 1. ``None``: it has none, and ``reason`` says why.
    source, resolved, digest : str
        As written, the exact version, and ``"sha256:<hex>"`` of its content. The last two are empty where
        it could not be loaded.
    verdict : Verdict
        Of the whole gate, had it been the only candidate, at the level that all candidates share.
    reason : str
        One sentence.
    line : Line or None
        The line that it is ranked by, with its simultaneous interval.
    behind : bool
        Whether the candidate of the first rank is proven better. ``False``: the two cannot be told apart,
        or it is the first.
    holdout : HoldoutUse or None
        Which use of the holdout it was, where uses are counted.
    unopened : str
        Where it could not be loaded: the exact version if that is known, else the source. Empty: it could.
    """

    rank: int | None
    source: str
    resolved: str
    digest: str
    verdict: Verdict
    reason: str
    line: Line | None = None
    behind: bool = False
    holdout: HoldoutUse | None = None
    unopened: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """Several candidates on one holdout.

    Parameters
    ----------
    metric : str
        Whose gain ranks them.
    winner : str
        What the best candidate that passes resolved to. Empty: none passes.
    alpha : float
        What the chance that any candidate passes wrongly is at most.
    level : float
        One-sided level at which each was judged; with a ledger the largest of theirs.
    correction : {"max-t", "bonferroni", "ledger"}
        How the level is shared: by how the candidates hang together, equally, or as uses of the holdout.
    told_apart_at : float
        One-sided level at which the first is compared with each of the others.
    standings : tuple of Standing
        From the best; those without a gain last.
    """

    metric: str
    winner: str
    alpha: float
    level: float
    correction: Literal["max-t", "bonferroni", "ledger"]
    told_apart_at: float
    standings: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one thing costs where a model serves.

    Parameters
    ----------
    name : str
        ``"latency_per_row"``, ``"memory"`` or ``"artifact_size"``.
    unit : str
        ``"seconds"`` or ``"bytes"``.
    candidate, production : float or None
        Of times the medians. ``None``: not measured.
    ratio, low, high : float or None
        Candidate by production, of times the median of all rounds with its one-sided bounds.
    most, max_regression : float or None
        What is allowed, at most and more than production as a share of it.
    rows, rounds : int
        Rows of a batch, and how often it was predicted. 0: it was not timed.
    verdict, reason : str
        As of a line; only advice, unless the gate says otherwise.
    """

    name: str
    unit: str
    candidate: float | None = None
    production: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    most: float | None = None
    max_regression: float | None = None
    rows: int = 0
    rounds: int = 0
    verdict: Verdict
    reason: str


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
    leakage : LeakageRecord or None
        What of the holdout was seen in training. ``None``: nobody looked.
    drift : DriftRecord or None
        The dataset beside the data that the model knows. ``None``: nobody compared them.
    leaderboard : Leaderboard or None
        All candidates, where there were several; the other fields are those of the one that decides: the
        best that passes, else the best. ``None``: there was one.
    operations : tuple of Operation
        What the candidate costs where it serves, as far as somebody asked.
    policy : str
        ``"sha256:<hex>"`` of what the gate asks: metrics, limits, slices, level, schema, rules. Two records
        with equal ones were judged by the same rules.
    tracking_uri : str
        Where the gate's ``models:/`` and ``runs:/`` live, secrets removed. Empty: what the environment says.
    unopened : str
        The candidate where it could not be loaded: its exact version if that is known, else its source.
        Empty: it could be, or nobody asked for it.
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
    leakage: LeakageRecord | None = None
    drift: DriftRecord | None = None
    leaderboard: Leaderboard | None = None
    operations: tuple[Operation, ...] = ()
    policy: str = ""
    tracking_uri: str = ""
    unopened: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def warnings(self) -> int:
        """How many lines pass, but with something to say; segments that were found and findings are, too."""
        said = sum(
            1 for line in self.lines if not line.fails and (line.verdict is not Verdict.PASS or line.warning)
        )
        found = self.search is not None and self.search.on_found == "warn" and self.search.proven
        return said + int(found) + sum(len(check.warnings) for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerEntry:
    """What a tracker is told of one candidate.

    Parameters
    ----------
    candidate : str
        The exact version: ``"models:/credit/12"``.
    digest : str
        Of its content.
    verdict : str
        The gravest of all gates that judged it in this run.
    tags : Mapping[str, str]
        What a deployment can ask for: per gate verdict, data, policy, production.
    metrics : Mapping[str, float]
        Values, gains and bounds on all rows; slices stand in the files.
    files : Mapping[str, str]
        Path -> text.
    """

    candidate: str
    digest: str
    verdict: str
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    files: Mapping[str, str]
