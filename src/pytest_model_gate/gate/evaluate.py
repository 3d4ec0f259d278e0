"""Evaluate one gate: a ``GateSpec`` in, a ``GateRecord`` out. Prints nothing; trouble becomes a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pluggy

from ..errors import ConfigurationError, EvaluationError, ModelGateError, UndefinedMetricError
from ..metrics.catalogue import resolve
from ..metrics.metric import Metric
from ..models.baseline import BASELINES
from ..policy import gate_verdict
from ..redact import redact
from ..results import Check, GateRecord, LeakageRecord, Line, Operation, Question
from ..spec import DriftAsked, GateSpec, Role, Tolerance
from ..stats.maxt import Scores
from .assertions import asserted
from .drift_look import Drifted, asked_drift, look_for_drift, several
from .fingerprint import policy_digest
from .hidden import hidden
from .inputs import Failed, Inputs, attempt, failed_check
from .leakage import Leaks
from .leakage_effects import effects
from .leakage_look import look, not_asked
from .lines import ALL, Ask, plan, required_gain
from .measure import Measured, equal_everywhere, measure_floor, measure_pair
from .names import checked, metrics_of
from .notes import below_zero, notes, one_model, versions
from .operations import operations
from .pilot import plans
from .planned import Planned, Wish, level
from .registry import build_registry, extra_metrics
from .reuse import Reuse, counted, told
from .reuse_keys import own_metric, whole_only
from .role_model import RoleModel
from .rows import Judged, collect, features_of, wants_of
from .search import Searched, search
from .together import Judgement, Together
from .waivers import waive

if TYPE_CHECKING:
    import pandas as pd


def evaluate(
    spec: GateSpec, *, registry: pluggy.PluginManager | None = None, pin: bool = False
) -> GateRecord:
    """Evaluate a whole gate.

    Parameters
    ----------
    spec : GateSpec
        What is asked.
    registry : pluggy.PluginManager, optional
        Sources and metrics; the built-in and installed ones by default.
    pin : bool
        Whether to pin the dataset as it is now instead of comparing it with its pin.

    Returns
    -------
    GateRecord
        What was found. Trouble with data, models or servers is in the record, not raised.

    Raises
    ------
    ConfigurationError
        If the gate itself makes no sense (an unknown metric, nothing to compare with).
    """
    from .candidates import evaluation_of

    registry = build_registry() if registry is None else registry
    return evaluation_of(checked(spec, registry), registry, pin=pin).record()


class Evaluation:
    """One gate of one run: opened, scored and measured once, however often it is asked.

    Parameters
    ----------
    spec : GateSpec
        A gate that went through :func:`~pytest_model_gate.gate.names.checked`.
    registry : pluggy.PluginManager
        Sources and metrics.
    pin : bool
        Whether to pin the dataset as it is now.
    today : date, optional
        For the dates of pins and waivers.
    progress : callable, optional
        ``progress(what, done, of)`` is told of what takes long.
    inputs : Inputs, optional
        What is looked at, where several candidates share it; opened here by default.
    collecting, looking : callable
        Score the rows, and look for leaks: as ``rows.collect`` and ``leakage_look.look`` do.
    """

    def __init__(
        self,
        spec: GateSpec,
        registry: pluggy.PluginManager,
        *,
        pin: bool = False,
        today: date | None = None,
        progress: Callable[[str, int, int], None] | None = None,
        inputs: Inputs | None = None,
        collecting: Callable[..., Judged] = collect,
        looking: Callable[..., Leaks | None] = look,
    ) -> None:
        self.spec = spec
        self.alpha = spec.alpha
        self._registry = registry
        self._today = today or date.today()
        self._progress = progress
        self._inputs = inputs or Inputs(spec, registry, pin=pin, today=self._today)
        self._collecting, self._looking = collecting, looking
        self._metrics: dict[str, Metric] = metrics_of(spec, registry)
        self._measured: dict[tuple[object, ...], Measured | ModelGateError] = {}

    # -- what can be asked ------------------------------------------------------------------------

    def record(self) -> GateRecord:
        """Judge the whole gate; asked twice, it answers the same."""
        return self._whole

    def pinned(self) -> GateRecord:
        """Judge only whether the dataset is the pinned one."""
        return self._record("pinned", checks=(self._inputs.pin,), only_checks=True)

    def schema(self) -> GateRecord:
        """Judge only whether the pinned dataset keeps its schema and its rules."""
        kept = [check for check in (self._inputs.schema, self._inputs.rules) if check is not None]
        if not kept:
            error = EvaluationError(
                f"gate {self.spec.name!r} has no schema and no rules to check.",
                'Give it schema = "package.module:Name", schema = "schema.yaml" or rules = [...].',
            )
            kept = [failed_check("schema", self.spec.dataset, error)]
        return self._record("schema", checks=(self._inputs.pin, *kept), only_checks=True)

    def leakage(self) -> GateRecord:
        """Judge only whether the holdout was seen in training."""
        checks = [self._inputs.pin]
        if self.spec.leakage is None:
            checks.append(not_asked(self.spec))
        elif self._leaks is not None:
            checks.append(self._leaks.check)
        return self._record("leakage", checks=checks, only_checks=True)

    def no_drift(self, wanted: DriftAsked) -> GateRecord:
        """Judge only whether the dataset is as a reference, column by column."""
        checks = [self._inputs.pin]
        asked = f"no_drift({', '.join(several(wanted.columns or ()))})"
        try:
            drift = asked_drift(self.spec, wanted)
        except ConfigurationError as error:
            check = failed_check("drift", self.spec.dataset, error)
            return self._record(asked, checks=(*checks, check), only_checks=True)
        found = look_for_drift(self._inputs, drift, None, self._progress)
        if found is None:
            return self._record(asked, checks=checks, only_checks=True)
        record = self._record(asked, checks=(*checks, found.check), only_checks=True)
        return replace(record, drift=found.record)

    def no_regression(
        self, metric: str | None = None, max_regression: float | str | Tolerance | None = None
    ) -> GateRecord:
        """Judge only whether the candidate is no worse than production, on all rows and every slice.

        Parameters
        ----------
        metric : str, optional
            One metric; all of the gate's by default.
        max_regression : float or str, optional
            Tolerance for all rows and slices in place of the gate's.
        """
        tolerance = None if max_regression is None else Tolerance.parse(max_regression)
        return self._asserted("no_regression", "regression", metric, tolerance)

    def beats_baseline(self, metric: str | None = None, by: float | None = None) -> GateRecord:
        """Judge only whether the candidate is better than the baseline (by a minimum gain)."""
        return self._asserted("beats_baseline", "baseline", metric, by)

    def at_least(self, metric: str, value: float) -> GateRecord:
        """Judge only whether the candidate is as good as a fixed value (at most it, for losses)."""
        return self._asserted("at_least", "floor", metric, value)

    def model(self, role: Role) -> RoleModel:
        """Return a loaded model.

        Raises
        ------
        ModelGateError
            If the gate has no such model, or it cannot be loaded.
        """
        found = self._inputs.models.get(role)
        if found is None:
            source = self.spec.source(role)
            raise ConfigurationError(
                f"gate {self.spec.name!r} has no {role} model to load: {role} = {source or 'none'!r}.",
                "A built-in baseline is computed from the judged rows; name a model source to have one.",
            )
        if isinstance(found, Failed):
            raise _error(found.check)
        return RoleModel.of(role, found, self.spec.task or "classification")

    def frame(self) -> pd.DataFrame:
        """Return the pinned dataset, all columns.

        Raises
        ------
        ModelGateError
            If it cannot be opened, isn't the pinned one or breaks its schema.
        """
        import pandas as pd

        for check in self._data_checks():
            if check.fails:
                raise _error(hidden(check) if self.spec.redact_examples else check)
        dataset = self._inputs.dataset
        if isinstance(dataset, Failed):
            raise _error(dataset.check)
        return pd.concat(list(dataset.batches()), ignore_index=True)

    def pilot(self, wish: Wish) -> list[Planned]:
        """Plan how many rows the gate's tolerances take, from how far the gains are spread on these.

        Nothing is judged, so this is no use of the holdout.

        Raises
        ------
        ModelGateError
            If the rows cannot be scored.
        """
        judged = self._judged
        if isinstance(judged, tuple):
            raise _error(next(check for check in judged if check.fails))
        alpha = level(self.spec, wish)
        return plans(self._asks[0], judged, self._metrics, self._measure, alpha=alpha, wish=wish)

    # -- what a comparison of several candidates asks ---------------------------------------------

    @property
    def inputs(self) -> Inputs:
        """What is looked at."""
        return self._inputs

    def metric(self, name: str) -> Metric:
        """Return one of the gate's metrics."""
        return self._metrics[name]

    @property
    def judged(self) -> Judged | None:
        """The rows that may be judged; ``None`` where something fails before."""
        return None if isinstance(self._judged, tuple) else self._judged

    def parts(self, sure: float) -> list[Scores | None] | None:
        """Return how the lines that may pass wrongly are spread over the rows, in the order of the questions.

        ``None`` for a line whose metric does not tell; ``None`` for all where slices are judged, too: those
        of one column have no row in common, so two candidates may err on rows that don't hang together.

        Parameters
        ----------
        sure : float
            What the chance is at most that any line is left out that may pass wrongly: lines after the first
            are, which pass beyond doubt (a baseline that every candidate beats by far).
        """
        asks = [ask for ask in self._asks[0] if self._metrics[ask.metric].family != "value"]
        if any(ask.slice != ALL for ask in asks):
            return None
        together, found = self._together(search=False), list[Scores | None]()
        for ask in asks:
            try:
                measured = self._measure(ask)
            except ModelGateError:
                found.append(None)
                continue
            # What production itself says can never pass wrongly.
            if measured.identical and ask.question == "regression":
                continue
            low, _ = measured.inference.bounds(sure / len(asks))
            if found and not measured.caution and low > required_gain(ask, measured):
                continue
            found.append(together.parts(ask, measured))
        return found

    # -- how it is answered -----------------------------------------------------------------------

    @cached_property
    def _whole(self) -> GateRecord:
        judged = self._judged
        if isinstance(judged, tuple):
            return self._record("gate", checks=judged)

        def judge_all(alpha: float) -> GateRecord:
            found = self._together().judge(self._asks[0], alpha)
            lines, waivers = self._waived([*found.lines, *found.found])
            checks = (*self._passed_checks, *self._search_checks, *((waivers,) if waivers else ()))
            return self._record("gate", checks=checks, lines=lines, found=found)

        return self._answer("gate", self._asks[0], judge_all)

    def _asserted(
        self, name: str, question: Question, metric: str | None, limit: Tolerance | float | None
    ) -> GateRecord:
        asked, judged = f"{name}({metric or ''})", self._judged
        if isinstance(judged, tuple):
            return self._record(asked, checks=judged)
        try:
            whole_only(self.spec, f"assert_{name}")
            found = None if metric is None else resolve(metric, extra_metrics(self._registry))
            if found is not None:
                own_metric(self.spec, f"assert_{name}", found.name)
                self._metrics.setdefault(found.name, found)
                metric = found.name
                asked = f"{name}({metric})"
            asks = asserted(
                self.spec,
                self._metrics,
                self._asks[0],
                question=question,
                metric=metric,
                limit=limit,
                n=judged.sample.n,
                roles=judged.predicted,
            )
        except ModelGateError as error:
            check = failed_check("assertion", name, error)
            return self._record(asked, checks=(*self._passed_checks, check))
        # The whole family is judged together, so that an accusation is corrected for all of it.
        own = {ask.topic for ask in asks}
        family = [*asks, *(ask for ask in self._asks[0] if ask.topic not in own)]

        def judge_own(alpha: float) -> GateRecord:
            # No regression on all rows and every slice: that is asked of slices that nobody named too.
            everywhere = question == "regression" and limit is None
            found = self._together(search=everywhere or self._search_fails).judge(family, alpha)
            lines, checks = found.lines[: len(asks)], self._passed_checks
            if not everywhere:
                return self._record(asked, checks=checks, lines=lines, found=replace(found, search=None))
            of_segments = [line for line in found.found if metric in (None, line.metric)]
            checks = (*checks, *self._search_checks)
            return self._record(asked, checks=checks, lines=[*lines, *of_segments], found=found)

        return self._answer(asked, asks, judge_own)

    def _answer(self, asked: str, asks: Sequence[Ask], judged: Callable[[float], GateRecord]) -> GateRecord:
        """Judge at the level in force; where uses of the holdout are counted, the ledger says which."""
        if self._reuse is None:
            return told(self.spec, judged(self.alpha))
        found = counted(self._reuse, asks, judged)
        if isinstance(found, Failed):
            return self._record(asked, checks=(*self._passed_checks, found.check))
        return found

    @cached_property
    def _reuse(self) -> Reuse | None:
        judged, inputs = self._judged, self._inputs
        if not self.spec.counts_uses:
            return None
        assert isinstance(judged, Judged), "unreachable: asked only where rows were scored"
        assert not isinstance(inputs.dataset, Failed), "unreachable: its rows were scored"
        candidate = inputs.models["candidate"]
        assert not isinstance(candidate, Failed), "unreachable: it has scored rows"
        features = [model.columns for model in inputs.models.values() if not isinstance(model, Failed)]
        return Reuse.of(self.spec, inputs.dataset, judged, model=candidate.resolved, features=features)

    def _waived(self, lines: Sequence[Line]) -> tuple[list[Line], Check | None]:
        return waive(lines, self.spec.waivers, self._today, self._asks[1])

    def _data_checks(self) -> tuple[Check, ...]:
        """Return the checks on the data alone; a schema is checked even where the pin fails."""
        inputs = self._inputs
        if isinstance(inputs.dataset, Failed):
            return (inputs.dataset.check,)
        return (inputs.pin, *(check for check in (inputs.schema, inputs.rules) if check is not None))

    @cached_property
    def _opening_checks(self) -> tuple[Check, ...]:
        """Everything that can fail before a row is scored, all of it, not only the first."""
        failed_models = tuple(
            model.check for model in self._inputs.models.values() if isinstance(model, Failed)
        )
        return (*self._data_checks(), *failed_models)

    @cached_property
    def _judged(self) -> Judged | tuple[Check, ...]:
        """The rows that may be judged, or the checks among which one fails."""
        found = self._scored
        more = self._more_checks
        if not isinstance(found, tuple):
            if not any(check.fails for check in more):
                return found
            found = (*self._opening_checks, *found.checks)
        return (*found, *more)

    @property
    def _more_checks(self) -> tuple[Check, ...]:
        """What is looked for beside the metrics: leaks, drift, and what the models cost."""
        found = (self._leaks, self._drifted)
        costs = () if self._costs is None else (self._costs[0],)
        return (*(item.check for item in found if item is not None), *costs)

    @cached_property
    def _costs(self) -> tuple[Check, tuple[Operation, ...]] | None:
        """What the models cost where they serve; ``None`` where nobody asked, or no row could be scored."""
        asked, scored, inputs = self.spec.operations, self._scored, self._inputs
        if asked is None or isinstance(scored, tuple):
            return None
        assert not isinstance(inputs.dataset, Failed), "unreachable: its rows were scored"
        dataset = inputs.dataset
        models = {role: model for role, model in inputs.models.items() if not isinstance(model, Failed)}

        def measured() -> tuple[Check, tuple[Operation, ...]]:
            features, wants = features_of(self.spec, dataset, models), wants_of(self.spec)
            return operations(self.spec, asked, models, features, dataset, wants, inputs.context)

        found = attempt("operations", self.spec.candidate, measured)
        return (found.check, ()) if isinstance(found, Failed) else found

    @cached_property
    def _leaks(self) -> Leaks | None:
        """What of the rows was seen in training; ``None`` where nobody said what that was."""
        return self._looking(self._inputs, self._progress)

    @cached_property
    def _drifted(self) -> Drifted | None:
        """How far the rows are from the data that the models know; ``None`` where nobody named these."""
        if self.spec.drift is None:
            return None
        scored = self._scored
        judged = scored if isinstance(scored, Judged) else None
        return look_for_drift(self._inputs, self.spec.drift, judged, self._progress)

    def _leakage_record(self, *, judged: bool) -> LeakageRecord | None:
        """Return what was found, with the metrics with and without it where they may be told."""
        found = self._leaks
        if found is None or found.record is None or not found.rows:
            return None if found is None else found.record
        untold = self.spec.feedback == "binary" or (self.spec.counts_uses and not judged)
        scored = self._scored
        if untold or isinstance(scored, tuple):
            # Numbers of rows that were not judged would be a use of the holdout that nobody counts.
            return found.record
        metrics = {name: self._metrics[name] for name in self.spec.metrics}
        return replace(found.record, effects=effects(scored, metrics, found.rows))

    @cached_property
    def _scored(self) -> Judged | tuple[Check, ...]:
        """The scored rows, or the checks among which one fails."""
        checks = self._opening_checks
        if any(check.fails for check in checks):
            return checks
        inputs = self._inputs
        assert not isinstance(inputs.dataset, Failed), "unreachable: a failed dataset is a failed check"
        dataset = inputs.dataset
        models = {role: model for role, model in inputs.models.items() if not isinstance(model, Failed)}
        found = attempt(
            "scoring",
            self.spec.dataset,
            lambda: self._collecting(self.spec, dataset, models, self._metrics, memory=inputs.memory),
        )
        if isinstance(found, Failed):
            return (*checks, found.check)
        if any(check.fails for check in found.checks):
            return (*checks, *found.checks)
        return found

    @property
    def _passed_checks(self) -> tuple[Check, ...]:
        judged = self._judged
        more = self._more_checks
        return (*self._opening_checks, *(judged.checks if isinstance(judged, Judged) else ()), *more)

    @cached_property
    def _asks(self) -> tuple[list[Ask], Any]:
        judged = self._judged
        assert isinstance(judged, Judged), "unreachable: asked only where rows were scored"
        metrics = {name: self._metrics[name] for name in self.spec.metrics}
        if self._beyond_baseline and not set(metrics) <= self._beyond_baseline:
            # Not asked in what it cannot have, which a note says; where it has none of them, it is asked.
            asked = {name: 0.0 for name in metrics if name not in self._beyond_baseline}
            spec = replace(self.spec, min_gain=MappingProxyType(asked))
        else:
            spec = self.spec
        return plan(
            spec,
            metrics,
            judged.slices,
            n=judged.sample.n,
            has_production="production" in judged.predicted,
        )

    @cached_property
    def _beyond_baseline(self) -> frozenset[str]:
        """The metrics that a built-in baseline doesn't have, where nobody said in which to beat it."""
        judged = self._judged
        if isinstance(judged, tuple) or self.spec.min_gain or self.spec.baseline not in BASELINES:
            return frozenset()
        found = set()
        for name in self.spec.metrics:
            try:
                self._metrics[name].value(judged.sample.truth, judged.predicted["baseline"])
            except UndefinedMetricError:
                found.add(name)
            except ModelGateError:
                continue
        return frozenset(found)

    def _together(self, *, search: bool = True) -> Together:
        judged, searched = self._judged, self._searched if search else None
        assert isinstance(judged, Judged), "unreachable: judged only where rows were scored"
        return Together(
            spec=self.spec,
            metrics=self._metrics,
            judged=judged,
            measure=self._measure,
            search=None if isinstance(searched, Failed) else searched,
        )

    @cached_property
    def _searched(self) -> Searched | Failed | None:
        """The search for slices that nobody named; ``None`` where there is none, or no production."""
        judged, dataset = self._judged, self._inputs.dataset
        assert isinstance(judged, Judged), "unreachable: searched only where rows were scored"
        assert not isinstance(dataset, Failed), "unreachable: its rows were scored"
        if self.spec.find_slices is None or "production" not in judged.predicted:
            return None
        metrics = {name: self._metrics[name] for name in self.spec.metrics}
        return attempt("find_slices", self.spec.dataset, lambda: search(self.spec, dataset, judged, metrics))

    @property
    def _search_fails(self) -> bool:
        """Whether a segment that is found accuses as the lines do: then all of them are one family."""
        return self.spec.find_slices is not None and self.spec.find_slices.on_found == "fail"

    @property
    def _search_checks(self) -> tuple[Check, ...]:
        return (self._searched.check,) if isinstance(self._searched, Failed) else ()

    def _measure(self, ask: Ask) -> Measured:
        judged = self._judged
        assert isinstance(judged, Judged), "unreachable: measured only where rows were scored"
        key = ask.measured_as
        if key not in self._measured:
            try:
                self._measured[key] = self._measure_now(ask, judged)
            except ModelGateError as error:
                self._measured[key] = error
        found = self._measured[key]
        if isinstance(found, ModelGateError):
            raise found
        return found

    @cached_property
    def _one_model(self) -> bool:
        """Whether candidate and production are one model, by what they are or by all that they say."""
        judged = self._judged
        assert isinstance(judged, Judged), "unreachable: measured only where rows were scored"
        said = judged.predicted
        return one_model(self._inputs.models) is not None or equal_everywhere(
            judged.sample, said["candidate"], said["production"]
        )

    def _measure_now(self, ask: Ask, judged: Judged) -> Measured:
        metric = self._metrics[ask.metric]
        sample, predicted = judged.on(ask.where)
        if self._progress is not None and metric.may_resample:
            # Only then: another sample would count its classes anew for every metric.
            sample = sample.telling(
                partial(self._progress, f"{self.spec.name}: {ask.metric} on {ask.slice}, resamples")
            )
        if ask.question == "floor":
            return measure_floor(metric, sample, predicted["candidate"], ask.number)
        if ask.question == "regression":
            return measure_pair(
                metric,
                sample,
                predicted["candidate"],
                predicted["production"],
                relative=ask.relative,
                one_model=self._one_model,
            )
        try:
            metric.value(sample.truth, predicted["baseline"])
        except UndefinedMetricError as error:
            # Else the sentence would blame the candidate, and its remedy would not help.
            raise UndefinedMetricError(
                f"the baseline {self.spec.baseline!r} has no {metric.name} to beat: {error.what}",
                f"Remove {metric.name} from min_gain, or name a model as the baseline."
                if metric.name in self.spec.min_gain
                else "Name in min_gain the metrics to beat it in, for example min_gain = { roc_auc = 0.0 }.",
            ) from None
        return measure_pair(metric, sample, predicted["candidate"], predicted["baseline"])

    def _record(
        self,
        asked: str,
        *,
        checks: Sequence[Check],
        lines: Sequence[Line] = (),
        found: Judgement | None = None,
        only_checks: bool = False,
    ) -> GateRecord:
        verdict, reason = gate_verdict(checks, lines, only_checks=only_checks)
        judged = self.__dict__.get("_judged")
        scored = judged if isinstance(judged, Judged) else None
        inputs = self._inputs
        return GateRecord(
            gate=self.spec.name,
            decision=self.spec.decision,
            verdict=verdict,
            reason=reason,
            alpha=self.alpha,
            asked=asked,
            # A question about the data alone must not load models.
            roles=() if only_checks else inputs.role_records(scored.answers if scored else {}),
            unopened="" if only_checks else inputs.unopened,
            dataset=inputs.dataset_record(
                rows_used=scored.sample.n if scored else 0, dropped=scored.dropped if scored else ()
            ),
            checks=tuple(map(hidden, checks)) if self.spec.redact_examples else tuple(checks),
            lines=tuple(lines),
            small_slices=tuple(self._asks[1]) if scored else (),
            bins=tuple(dict.fromkeys(bins for cut in scored.cuts for bins in cut.bins)) if scored else (),
            notes=()
            if only_checks
            else (
                *notes(self.spec, inputs.models),
                *(scored.notes if scored else ()),
                *self._said_of_cache,
                # With "binary" no number may be told, nor that it is below 0.
                *(below_zero(lines, self._metrics) if self.spec.feedback == "full" else ()),
                *(
                    f"the baseline {self.spec.baseline!r} has no {name}, so it is not compared in it"
                    for name in self.spec.metrics
                    if name in self._beyond_baseline
                ),
            ),
            versions=versions(),
            correction=found.correction if found is not None else self.spec.correction,
            search=found.search if found is not None else None,
            policy=policy_digest(self.spec),
            tracking_uri=redact(self.spec.tracking_uri),
            leakage=None if only_checks and asked != "leakage" else self._leakage_record(judged=bool(lines)),
            drift=None if only_checks or self._drifted is None else self._drifted.record,
            operations=() if only_checks or self._costs is None else self._costs[1],
        )

    @property
    def _said_of_cache(self) -> tuple[str, ...]:
        """What a reader should know about kept predictions, where the gate asks for them."""
        inputs = self._inputs
        # What is wrong with its settings is the check of the model that was opened with it.
        memory = attempt("cache", self.spec.dataset, lambda: inputs.memory)
        if memory is None or isinstance(memory, Failed):
            return ()
        return memory.said(
            {role: model for role, model in inputs.models.items() if not isinstance(model, Failed)}
        )


def _error(check: Check) -> ModelGateError:
    finding = next((finding for finding in check.findings if finding.severity == "fail"), None)
    text = finding.problem if finding else check.summary
    return EvaluationError(f"{check.name}: {text}", finding.remedy if finding else "")
