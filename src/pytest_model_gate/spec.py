"""What a gate asks: the frozen values that describe one gate, before anything was looked at.

Standard library only. ``config/`` builds these from files, markers and the command line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from .errors import ConfigurationError

Role = Literal["candidate", "production", "baseline"]
ROLES: tuple[Role, ...] = ("candidate", "production", "baseline")

OnInconclusive = Literal["fail", "warn", "pass"]
#: Not "pass": what does not exist is never good, at most known.
OnUndefined = Literal["fail", "warn"]
Task = Literal["classification", "regression"]
#: How the uses of one holdout share one error rate (``stats.spending``), and how much a report tells.
Spending = Literal["equal", "decreasing", "adaptive"]
Feedback = Literal["full", "binary"]

#: How accusations are corrected for each other: for any dependence, or for the dependence that there is.
Correction = Literal["holm", "max-t"]
#: How slices that nobody named are found honestly, and what one does that is proven worse.
Search = Literal["split", "max-t"]
OnFound = Literal["warn", "fail"]

#: How far apart two samples of a column are (``stats.drift``).
DriftMethod = Literal["auc", "ks", "wasserstein", "tv", "cramer_v", "js", "psi"]

#: ``production = "none"``: a first release, judged by its baseline and floors only.
NO_MODEL = "none"

Scalar = str | int | float | bool

#: What stands between the columns of a crossing: ``"region x age_band"``.
CROSS = " x "
#: Ascending edges (ISO dates are text), or how many groups of equal size.
Bins = int | tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much worse than production a candidate may be.

    Parameters
    ----------
    value : float
        Not negative. In the metric's own unit, or a share of production's value.
    relative : bool
        Whether ``value`` is a share of production's value.
    default : bool
        Whether nobody chose it: reports say "default" beside it.
    """

    value: float
    relative: bool = False
    default: bool = False

    @classmethod
    def parse(cls, text: float | str | Tolerance) -> Tolerance:
        """Read ``0.005`` (absolute) or ``"1%"`` (relative to production).

        Examples
        --------
        >>> Tolerance.parse("1%")
        Tolerance(value=0.01, relative=True, default=False)
        >>> Tolerance.parse(0.005)
        Tolerance(value=0.005, relative=False, default=False)
        """
        if isinstance(text, Tolerance):
            return text
        relative = isinstance(text, str) and text.strip().endswith("%")
        try:
            if isinstance(text, bool):
                raise ValueError
            number = (
                float(text.strip().rstrip("%")) / 100 if isinstance(text, str) and relative else float(text)
            )
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number) or number < 0:
            raise ConfigurationError(
                f"max_regression must be a number >= 0 or a percentage such as '1%', got {text!r}.",
                "Write 0.005 for a step in the metric's own unit, or '1%' for a share of production's value.",
            )
        return cls(number, relative=relative)

    def absolute(self, production: float) -> float:
        """Return the tolerance in the metric's unit, given production's value."""
        return self.value * abs(production) if self.relative else self.value

    def __str__(self) -> str:
        return f"{self.value * 100:g}%" if self.relative else f"{self.value:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSpec:
    """One column, or several at once, that cut the rows into named subsets.

    Parameters
    ----------
    by : str or tuple of str
        ``"region"``: every distinct value (and "missing") becomes a slice. ``"region x age_band"``, or a
        tuple of up to three columns: every combination that occurs does.
    bins : Mapping[str, int | tuple]
        How columns of numbers or dates are cut: by ascending edges (numbers, or ISO dates), or into so many
        groups of equal size. A bin holds its lower edge and not its upper one.
    metrics : tuple of str
        Those that are judged on these slices. Empty: all of the gate's.
    max_regression : Mapping[str, Tolerance]
        Tolerance per metric on these slices; ``"*"`` is for all metrics. Empty: the gate's own.
    min_rows : int
        Slices with fewer rows are listed as not judged. 0: every slice is judged.
    min_per_class : int
        Slices with fewer rows of a class that a metric needs are listed as not judged.
    on_inconclusive : {"fail", "warn", "pass"}, optional
        What an inconclusive line on these slices does. ``None``: the gate's own.
    on_undefined : {"fail", "warn"}
        What a line does whose metric doesn't exist on the slice, for example for want of a class.
    """

    by: str | tuple[str, ...]
    bins: Mapping[str, Bins] = field(default_factory=lambda: MappingProxyType({}))
    metrics: tuple[str, ...] = ()
    max_regression: Mapping[str, Tolerance] = field(default_factory=lambda: MappingProxyType({}))
    min_rows: int = 0
    min_per_class: int = 0
    on_inconclusive: OnInconclusive | None = None
    on_undefined: OnUndefined = "fail"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns; a text is split at its crosses, a tuple is taken as it is.

        Examples
        --------
        >>> SliceSpec(by="region x age_band").columns, SliceSpec(by=("a x b",)).columns
        (('region', 'age_band'), ('a x b',))
        """
        if isinstance(self.by, str):
            return tuple(part.strip() for part in self.by.split(CROSS))
        return tuple(self.by)

    @property
    def title(self) -> str:
        """The columns as one text."""
        return CROSS.join(self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindSlices:
    """A search for the segments in which the candidate is worst, among the columns of the dataset.

    Parameters
    ----------
    columns : tuple of str
        Which columns. Empty: all that are suitable, up to 50.
    depth : int
        So many conditions at most make a segment: 1 to 3.
    min_rows : int
        Smaller segments are not looked at.
    top : int
        So many of the worst are tested and reported.
    method : {"split", "max-t"}
        Found on two thirds of the rows and tested on the others, or all segments tested on all rows at once.
    on_found : {"warn", "fail"}
        What a segment does that is proven worse than the tolerance.
    metrics : tuple of str
        Those that are searched in. Empty: all of the gate's.
    max_regression : Mapping[str, Tolerance]
        Tolerance per metric in a segment; ``"*"`` is for all metrics. Empty: the gate's own.
    """

    columns: tuple[str, ...] = ()
    depth: int = 2
    min_rows: int = 200
    top: int = 5
    method: Search = "split"
    on_found: OnFound = "warn"
    metrics: tuple[str, ...] = ()
    max_regression: Mapping[str, Tolerance] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """What of the holdout may have been seen in training, and what tells so.

    Parameters
    ----------
    train : str
        Dataset source of the training data.
    key : tuple of str
        Columns that name a row in both. Empty: rows are told by their features alone.
    groups : str
        Column that says which rows belong together (a customer, a patient). Empty: none.
    time : str
        Column that says when a row was. Empty: none.
    near : int or None
        Rows are nearly the same whose floats agree to so many significant digits. ``None``: not sought.
    columns, ignore : tuple of str
        Features by which rows are compared, and those that are left out. Empty: what the models read.
    tolerance : int or float
        How many rows of the holdout, or which share of them, may be found in training.
    single_feature : Mapping[str, float]
        ``roc_auc`` and ``r2`` above which one feature predicts the target by itself. Empty: not asked.
    severity : {"fail", "warn"}
        What a leak does.
    """

    train: str
    key: tuple[str, ...] = ()
    groups: str = ""
    time: str = ""
    near: int | None = 3
    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    tolerance: int | float = 0
    single_feature: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({"roc_auc": 0.99, "r2": 0.98})
    )
    severity: Literal["fail", "warn"] = "fail"

    def allowed(self, rows: int) -> int:
        """Return how many of so many rows may be found in training.

        Examples
        --------
        >>> Leakage(train="t.parquet", tolerance=0.001).allowed(5000)
        5
        """
        if isinstance(self.tolerance, int):
            return self.tolerance
        return math.floor(self.tolerance * rows + 1e-9)

    @property
    def tolerated(self) -> str:
        """The tolerance in words."""
        if isinstance(self.tolerance, int):
            return f"{self.tolerance:,} row{'s' * (self.tolerance != 1)}"
        return f"{self.tolerance * 100:g}% of the rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A comparison of the dataset with the data that the model knows.

    Parameters
    ----------
    reference : str
        Dataset source, for example the training data.
    columns, ignore : tuple of str
        Columns that are compared, and those that are not. Empty: all that both have.
    method : Mapping[str, str]
        How a column is compared; ``"*"`` is for all that the method suits. Empty: ``auc`` for numbers,
        ``tv`` for levels.
    threshold : Mapping[str, float]
        Effect beyond which a column has drifted; ``"*"`` is for all. Empty: the method's own.
    missing_threshold : float
        Change of the share of missing values beyond which a column has drifted.
    overall : bool
        Whether a classifier tries to tell the two apart by all features together.
    overall_threshold : float
        Area under its curve beyond which they have drifted.
    predictions : bool, optional
        Whether the candidate's predictions on both are compared, too. ``None``: where it can make them.
    blocks : str
        Column of whole blocks (weeks): rows of one block are not independent. Empty: rows are.
    on_drift : {"warn", "fail"}
        What drift does.
    on_new_levels : {"warn", "fail"}, optional
        What a value does that the reference does not have. ``None``: the same as drift.
    on_inconclusive : {"fail", "warn", "pass"}, optional
        What a comparison does that the data cannot decide. ``None``: the same as drift.
    """

    reference: str
    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    method: Mapping[str, DriftMethod] = field(default_factory=lambda: MappingProxyType({}))
    threshold: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    missing_threshold: float = 0.05
    overall: bool = True
    overall_threshold: float = 0.55
    predictions: bool | None = None
    blocks: str = ""
    on_drift: Literal["warn", "fail"] = "warn"
    on_new_levels: Literal["warn", "fail"] | None = None
    on_inconclusive: OnInconclusive | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftAsked:
    """What one assertion says about drift; what is ``None`` is as the gate says, or by default.

    Parameters
    ----------
    reference : str, optional
        Dataset source.
    columns, ignore : sequence of str, or str, optional
        What is compared, and what is not.
    threshold, method : value or mapping, optional
        For all columns or by column.
    blocks : str, optional
        Column of whole blocks.
    overall : bool, optional
        Whether a classifier tries to tell the two apart, too.
    """

    reference: str | None = None
    columns: Sequence[str] | str | None = None
    ignore: Sequence[str] | str | None = None
    threshold: float | Mapping[str, float] | None = None
    method: DriftMethod | Mapping[str, DriftMethod] | None = None
    blocks: str | None = None
    overall: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """What models promise beside good predictions, asked on a few rows.

    Parameters
    ----------
    determinism : bool
        Asked again, they say the same.
    row_independence : bool
        What they say about a row does not depend on the other rows, nor on their order.
    signature : bool
        The columns have the types, and the values, that they were trained on.
    tolerance : float
        Relative difference of two predictions that is rounding.
    severity : {"fail", "warn"}
        What a promise does that the candidate breaks.
    """

    determinism: bool = True
    row_independence: bool = True
    signature: bool = True
    tolerance: float = 1e-5
    severity: Literal["fail", "warn"] = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationLimit:
    """What one thing may cost.

    Parameters
    ----------
    max : float or None
        Seconds or bytes. ``None``: any.
    max_regression : float or None
        How much more than production, as a share of it. ``None``: any.
    """

    max: float | None = None
    max_regression: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What a model may cost where it serves.

    Parameters
    ----------
    latency_per_row, memory, artifact_size : OperationLimit, optional
        Seconds for a row within a batch, bytes that Python and numpy hold at most while a batch is predicted,
        bytes of the model's files. ``None``: not measured.
    batch : int
        Rows that are predicted together.
    severity : {"warn", "fail"}
        What a limit does that is not kept.
    """

    latency_per_row: OperationLimit | None = None
    memory: OperationLimit | None = None
    artifact_size: OperationLimit | None = None
    batch: int = 1000
    severity: Literal["fail", "warn"] = "warn"

    def limits(self) -> tuple[tuple[str, OperationLimit], ...]:
        """Return what is measured, by name."""
        named = (
            ("latency_per_row", self.latency_per_row),
            ("memory", self.memory),
            ("artifact_size", self.artifact_size),
        )
        return tuple((name, limit) for name, limit in named if limit is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A failing line that somebody answers for until a date.

    Parameters
    ----------
    gate, metric, slice : str
        Which line. ``slice`` is ``"all"`` or the name in the report: ``"region=north, age=25..45"``.
    question : {"regression", "baseline", "floor"}
        Against what: who answers for a regression has not answered for a floor.
    reason, owner : str
        Why, and who answers for it.
    expires : str
        Last day on which it counts, ISO ``YYYY-MM-DD``.
    """

    gate: str
    metric: str
    slice: str = "all"
    question: Literal["regression", "baseline", "floor"] = "regression"
    reason: str
    owner: str
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRule:
    """One rule that a dataset has to keep, beside those that pandera knows.

    Parameters
    ----------
    rule : str
        Which kind: ``"nulls"``, ``"balance"``, … (``data_rules.KINDS``).
    options : Mapping
        The keys of that kind.
    severity : {"fail", "warn"}
        Whether breaking it fails the gate, or is only said.
    why : str
        The reason for the rule, in the user's words.
    redact : bool
        Whether values of the data are left out of what is said; counts and row numbers remain.
    """

    rule: str
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    severity: Literal["fail", "warn"] = "fail"
    why: str = ""
    redact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSpec:
    """One named comparison: three roles, one dataset, metrics with tolerances.

    Parameters
    ----------
    name : str
        What reports, the lock file and the command line call this gate.
    candidate, production, baseline : str
        Model sources. ``production="none"`` is a first release; ``baseline=""`` means that none was named.
    candidates : tuple of str
        Several candidates on one holdout; ``candidate`` is then the first of them. Empty: one.
    dataset : str
        Dataset source.
    target : str
        Column with the truth.
    metrics : tuple of str
        Canonical metric names.
    decision : str
        The decision that the model drives, in the user's words.
    schema : str
        Import path of a pandera schema or model, or a YAML/JSON schema file. Empty: none.
    rules : tuple of DataRule
        What else the dataset has to keep.
    redact_examples : bool
        Whether findings show no values of the data; counts and row numbers remain.
    max_regression : Mapping[str, Tolerance]
        Per metric; ``"*"`` is for all metrics. A metric not named has the default tolerance.
    min_gain : Mapping[str, float]
        Minimum gain over the baseline per metric; ``"*"`` is for all. Empty: 0.0 for all.
    floors : Mapping[str, float]
        Worst value that is acceptable, per metric (a ceiling for losses).
    slices : tuple of SliceSpec
        How the rows are cut.
    find_slices : FindSlices, optional
        A search for slices that nobody named. ``None``: no search.
    leakage : Leakage, optional
        The training data, in which no row of the holdout may stand. ``None``: nobody looks.
    drift : Drift, optional
        The data that this dataset is compared with. ``None``: none.
    contracts : Contracts, optional
        What models promise beside good predictions. ``None``: all that can be asked.
    operations : Operations, optional
        What the candidate may cost where it serves. ``None``: nothing is measured.
    alpha : float
        One-sided level of every bound.
    correction : {"holm", "max-t"}
        How accusations on many lines are corrected for each other.
    seed : int
        Of the bootstrap, where a metric or a small sample needs one, of ``max-t`` and of the search.
    on_inconclusive : {"fail", "warn", "pass"}
        What an inconclusive line does.
    threshold : Mapping[str, float]
        Decision threshold per role for label metrics made from scores; never chosen on the holdout.
    pos_label : scalar, optional
        The positive class of a binary target. ``None``: 1 or True.
    task : {"classification", "regression"}, optional
        ``None``: told by the metrics.
    sample_weight, groups, strata, query, key, time : str
        Column names. Empty: none.
    drop_missing_target : bool
        Whether rows without a target are dropped (and counted) instead of being a finding.
    tracking_uri : str
        Where ``models:/`` and ``runs:/`` live. Empty: from the environment.
    trusted_sources : tuple of str
        Shell patterns of model sources that may run code when loaded.
    waivers : tuple of Waiver
        The waivers of this gate.
    holdout_budget : int, optional
        How many candidates may be judged on one holdout; turns the ledger on. ``None``: no end.
    spending : {"equal", "decreasing", "adaptive"}, optional
        How these uses share ``alpha``; turns the ledger on. ``None``: equally, where there is a budget.
    feedback : {"full", "binary"}
        Whether reports show numbers, or only pass and not pass.
    ledger : str
        Where uses are counted: ``"file"``, ``"mlflow"`` or ``"mlflow:EXPERIMENT"``.
    cache : bool
        Whether predictions are kept, and taken from there when the same model meets the same rows again.
    root : str
        Directory that relative paths start from.
    """

    name: str
    candidate: str
    production: str
    dataset: str
    target: str
    metrics: tuple[str, ...]
    baseline: str = ""
    candidates: tuple[str, ...] = ()
    decision: str = ""
    schema: str = ""
    rules: tuple[DataRule, ...] = ()
    redact_examples: bool = False
    max_regression: Mapping[str, Tolerance] = field(default_factory=lambda: MappingProxyType({}))
    min_gain: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    floors: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    slices: tuple[SliceSpec, ...] = ()
    find_slices: FindSlices | None = None
    leakage: Leakage | None = None
    drift: Drift | None = None
    contracts: Contracts | None = None
    operations: Operations | None = None
    alpha: float = 0.05
    correction: Correction = "holm"
    seed: int = 0
    on_inconclusive: OnInconclusive = "fail"
    threshold: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    pos_label: Scalar | None = None
    task: Task | None = None
    sample_weight: str = ""
    groups: str = ""
    strata: str = ""
    query: str = ""
    key: str = ""
    time: str = ""
    drop_missing_target: bool = False
    tracking_uri: str = ""
    trusted_sources: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    holdout_budget: int | None = None
    spending: Spending | None = None
    feedback: Feedback = "full"
    ledger: str = "file"
    cache: bool = False
    root: str = "."

    @property
    def counts_uses(self) -> bool:
        """Whether the uses of the holdout are counted in the ledger."""
        return self.holdout_budget is not None or self.spending is not None

    def source(self, role: Role) -> str:
        """Return the source of one role, as written."""
        return {"candidate": self.candidate, "production": self.production, "baseline": self.baseline}[role]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContext:
    """What a source may need to open itself, apart from its own text.

    Parameters
    ----------
    root : str
        Directory that relative paths start from.
    tracking_uri : str
        Where ``models:/`` and ``runs:/`` live. Empty: from the environment.
    trusted_sources : tuple of str
        Shell patterns of model sources that may run code when loaded.
    pinned_models : Mapping[str, str]
        Model source -> digest that ``model-gate.lock`` agrees to.
    key : str
        Column that joins a predictions file to the dataset. Empty: none.
    pinned_versions : Mapping[str, str]
        Dataset source -> the version that ``model-gate.lock`` agrees to. A source whose name can move (a
        branch, ``latest``) opens that version. Empty while pinning: then the name means what it means now.
    pinning : bool
        Whether the dataset is opened to be agreed to. Only then may a source ask what has to be kept
        somewhere to be read again: a database.
    scratch : str
        Directory for what a source would otherwise keep in the project while pinning. Empty: it is kept.
    recall : callable, optional
        Knows which models need not be loaded, because what they predict was kept. ``None``: none. Of our own
        sources of models only.
    """

    root: str = "."
    tracking_uri: str = ""
    trusted_sources: tuple[str, ...] = ()
    pinned_models: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    key: str = ""
    pinned_versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    pinning: bool = False
    scratch: str = ""
    recall: Callable[..., Any] | None = None
