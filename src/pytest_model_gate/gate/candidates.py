"""Several candidates on one holdout: scored in one pass, judged at a level that they share, and ranked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pluggy

from ..errors import ConfigurationError, ModelGateError
from ..hooks import DatasetProtocol, ModelProtocol
from ..metrics.metric import Metric
from ..redact import redact
from ..results import GateRecord, Leaderboard, Line, Standing, Verdict
from ..spec import DriftAsked, GateSpec, Role, Tolerance
from ..stats.design import Floats
from ..stats.maxt import Scores, correlation
from ..stats.simultaneous import simultaneous_level
from ..wording import plural
from .evaluate import Evaluation
from .inputs import Failed, Inputs, failed_check
from .leakage import Leaks
from .leakage_look import look
from .lines import ALL
from .measure import measure_pair
from .memory import Memory
from .planned import Planned, Wish
from .role_model import RoleModel
from .rows import Judged, collect

if TYPE_CHECKING:
    import pandas as pd

#: Above so many numbers the correlations would take more memory than they are worth.
_MOST_NUMBERS = 100_000_000

#: This part of the level pays for leaving out lines that pass beyond doubt.
_FOR_CERTAINTY = 0.002

_ABOUT = re.compile(r"\bthe (candidate(?: \d+)?)\b")

#: Against what a candidate is ranked: the first of these that the gate asks.
_RANKED = ("regression", "baseline", "floor")


def evaluation_of(spec: GateSpec, registry: pluggy.PluginManager, **options: Any) -> Evaluation | Contest:
    """Return the evaluation of a gate, of one candidate or of several; options as of ``Evaluation``."""
    return (Contest if spec.candidates else Evaluation)(spec, registry, **options)


class Contest:
    """One gate with several candidates: the best that passes decides.

    It answers what :class:`~pytest_model_gate.gate.evaluate.Evaluation` answers. Parts of a gate cannot be
    asked: each might be passed by another candidate.
    """

    def __init__(
        self,
        spec: GateSpec,
        registry: pluggy.PluginManager,
        *,
        pin: bool = False,
        today: date | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.spec = spec
        self._registry = registry
        self._today = today or date.today()
        self._progress = progress
        self._inputs = Inputs(spec, registry, pin=pin, today=self._today)
        self._leaks: dict[object, Leaks | None] = {}

    # -- what can be asked ------------------------------------------------------------------------

    def record(self) -> GateRecord:
        """Judge every candidate, and answer for the best that passes; asked twice, it answers the same."""
        return self._whole

    def pinned(self) -> GateRecord:
        """Judge only whether the dataset is the pinned one."""
        return self._entrants[0].pinned()

    def schema(self) -> GateRecord:
        """Judge only whether the pinned dataset keeps its schema and its rules."""
        return self._entrants[0].schema()

    def leakage(self) -> GateRecord:
        """Judge only whether the holdout was seen in training."""
        return self._entrants[0].leakage()

    def no_drift(self, wanted: DriftAsked) -> GateRecord:
        """Judge only whether the dataset is as a reference, column by column."""
        return self._entrants[0].no_drift(wanted)

    def no_regression(
        self,
        metric: str | None = None,
        max_regression: float | str | Tolerance | None = None,  # noqa: ARG002
    ) -> GateRecord:
        """Refuse: a part of the gate."""
        return self._refused("no_regression", metric)

    def beats_baseline(self, metric: str | None = None, by: float | None = None) -> GateRecord:  # noqa: ARG002
        """Refuse: a part of the gate."""
        return self._refused("beats_baseline", metric)

    def at_least(self, metric: str, value: float) -> GateRecord:  # noqa: ARG002
        """Refuse: a part of the gate."""
        return self._refused("at_least", metric)

    def model(self, role: Role) -> RoleModel:
        """Return a loaded model; the candidate is the one that decides, so the gate is judged first."""
        return (self._entrants[self._decides] if role == "candidate" else self._entrants[0]).model(role)

    def frame(self) -> pd.DataFrame:
        """Return the pinned dataset, all columns."""
        return self._entrants[0].frame()

    def pilot(self, wish: Wish) -> list[Planned]:
        """Plan the rows for the first candidate, at an equal share of the level: then it passes among all."""
        alpha = self.spec.alpha / len(self.spec.candidates)
        spec = replace(self.spec, candidates=(), alpha=alpha)
        return Evaluation(spec, self._registry, inputs=self._inputs.of_candidate(spec.candidate)).pilot(wish)

    # -- how it is answered -----------------------------------------------------------------------

    @cached_property
    def _entrants(self) -> tuple[Evaluation, ...]:
        return tuple(
            Evaluation(
                replace(self.spec, candidate=source, candidates=()),
                self._registry,
                today=self._today,
                progress=self._progress,
                inputs=self._inputs.of_candidate(source),
                collecting=partial(self._collect, place),
                looking=self._look,
            )
            for place, source in enumerate(self.spec.candidates)
        )

    def _look(self, inputs: Inputs, progress: Callable[[str, int, int], None] | None) -> Leaks | None:
        """Look for leaks once for all candidates that read the same columns."""
        models = [model for model in inputs.models.values() if not isinstance(model, Failed)]
        key = tuple(model.columns for model in models)
        if key not in self._leaks:
            self._leaks[key] = look(inputs, progress)
        return self._leaks[key]

    def _collect(
        self,
        place: int,
        spec: GateSpec,
        dataset: DatasetProtocol,
        models: Mapping[Role, ModelProtocol],
        metrics: Mapping[str, Metric],
        *,
        memory: Memory | None = None,
    ) -> Judged:
        """Score all candidates in one pass; where one cannot be judged, each is scored by itself."""
        if self._passed is None:
            self._passed = self._one_pass(dataset, models, metrics, memory)
        found = self._passed.get(place)
        return collect(spec, dataset, models, metrics, memory=memory) if found is None else found

    _passed: dict[int, Judged] | None = None

    def _one_pass(
        self,
        dataset: DatasetProtocol,
        models: Mapping[Role, ModelProtocol],
        metrics: Mapping[str, Metric],
        memory: Memory | None,
    ) -> dict[int, Judged]:
        together: dict[Any, ModelProtocol] = {}
        names: dict[int, str] = {}
        for place, entrant in enumerate(self._entrants):
            candidate = entrant.inputs.models["candidate"]
            if not isinstance(candidate, Failed):
                names[place] = f"candidate {place + 1}" if names else "candidate"
                together[names[place]] = candidate
        # Classes that only one candidate knows would become classes of all.
        if len({frozenset(map(repr, model.classes or ())) for model in together.values()}) > 1:
            return {}
        together |= {role: model for role, model in models.items() if role != "candidate"}
        threshold = dict(self.spec.threshold)
        if "candidate" in threshold:
            threshold |= dict.fromkeys(names.values(), threshold["candidate"])
        spec = replace(self.spec, threshold=MappingProxyType(threshold))
        try:
            found = collect(spec, dataset, together, metrics, memory=memory)
        except Exception:  # noqa: BLE001 - whose fault it is, is told when each is scored by itself
            return {}
        if any(check.fails or check.findings for check in found.checks):
            return {}
        others = {role: said for role, said in found.predicted.items() if role not in names.values()}
        return {
            place: replace(
                found,
                predicted={"candidate": found.predicted[name], **others},
                notes=_notes_of(name, found.notes),
                answers={**found.answers, "candidate": found.answers.get(name, "")},
                _last={},
            )
            for place, name in names.items()
        }

    @cached_property
    def _level(self) -> tuple[float, str]:
        """The level of each candidate, and how it was found."""
        alpha = self.spec.alpha
        judged = [entrant for entrant in self._entrants if entrant.judged is not None]
        if self.spec.counts_uses or len(judged) < 2:
            return alpha, "ledger" if self.spec.counts_uses else "bonferroni"
        share, sure = alpha / len(judged), alpha * _FOR_CERTAINTY
        parts = [entrant.parts(sure / len(judged)) for entrant in judged]
        if all(found is None or None in found for found in parts):
            return share, "bonferroni"
        level = simultaneous_level(_correlations(parts), alpha - sure)
        return level, "max-t" if level > share else "bonferroni"

    @cached_property
    def _records(self) -> tuple[GateRecord, ...]:
        level, _ = self._level
        found: dict[int, GateRecord] = {}
        # Where uses are counted, later ones may get less: the order is that of what the models are.
        for place in sorted(range(len(self._entrants)), key=self._identity):
            self._entrants[place].alpha = level
            found[place] = self._entrants[place].record()
        return tuple(found[place] for place in range(len(found)))

    def _identity(self, place: int) -> tuple[str, str]:
        model = self._entrants[place].inputs.models["candidate"]
        return (
            ("", self.spec.candidates[place]) if isinstance(model, Failed) else (model.digest, model.resolved)
        )

    @cached_property
    def _lines(self) -> tuple[Line | None, ...]:
        """The line of each candidate by which they are ranked."""
        return tuple(_ranked_by(record) for record in self._records)

    @cached_property
    def _order(self) -> tuple[int, ...]:
        """The candidates from the best; what has no gain comes last."""

        def key(place: int) -> tuple[bool, float, tuple[str, str]]:
            line = self._lines[place]
            gain = None if line is None else line.gain
            return gain is None, -(gain or 0.0), self._identity(place)

        return tuple(sorted(range(len(self._records)), key=key))

    @cached_property
    def _decides(self) -> int:
        """The best that passes, else the best."""
        passing = [place for place in self._order if self._records[place].verdict is Verdict.PASS]
        return (passing or self._order)[0]

    @cached_property
    def _whole(self) -> GateRecord:
        record = self._records[self._decides]
        board = self._board()
        count, passing = len(self._records), sum(each.verdict is Verdict.PASS for each in self._records)
        if passing:
            of = "the only one" if passing == 1 else f"the best of {passing}"
            reason = (
                f"{board.winner} is {of} of {plural(count, 'candidate')} that pass{'es' * (passing == 1)}: "
            )
        else:
            name = board.standings[0].resolved or board.standings[0].source
            reason = f"none of {plural(count, 'candidate')} passes; the best, {name}: "
        unjudged = [each for each in board.standings if each.rank is None]
        said = tuple(f"{each.source} could not be ranked: {each.reason}" for each in unjudged if passing)
        return replace(record, reason=reason + record.reason, leaderboard=board, notes=(*said, *record.notes))

    def _board(self) -> Leaderboard:
        _, correction = self._level
        decides = self._records[self._decides]
        first = self._lines[self._order[0]]
        at = self.spec.alpha / max(1, len(self._records) - 1)
        standings = []
        for rank, place in enumerate(self._order, start=1):
            record, line, entrant = self._records[place], self._lines[place], self._entrants[place]
            model = entrant.inputs.models["candidate"]
            loaded = None if isinstance(model, Failed) else model
            standings.append(
                Standing(
                    rank=None if line is None or line.gain is None else rank,
                    source=redact(entrant.spec.candidate),
                    resolved="" if loaded is None else redact(loaded.resolved),
                    digest="" if loaded is None else loaded.digest,
                    verdict=record.verdict,
                    reason=record.reason,
                    line=line,
                    behind=self._behind(place, at),
                    holdout=record.holdout,
                    unopened=record.unopened,
                )
            )
        model = self._entrants[self._decides].inputs.models["candidate"]
        return Leaderboard(
            metric="" if first is None else first.metric,
            winner=redact(model.resolved)
            if decides.verdict is Verdict.PASS and not isinstance(model, Failed)
            else "",
            alpha=self.spec.alpha,
            level=max(record.alpha for record in self._records),
            correction=correction,  # type: ignore[arg-type]
            told_apart_at=at,
            standings=tuple(standings),
        )

    def _behind(self, place: int, alpha: float) -> bool:
        """Whether the first is proven better.

        Whoever is the best in truth is called worse only by one of the comparisons of the others with it:
        they share ``alpha`` (Hsu's multiple comparisons with the best, in Bonferroni's form).
        """
        best = self._order[0]
        line = self._lines[place]
        one, other = self._entrants[best].judged, self._entrants[place].judged
        if place == best or line is None or line.interval is None or one is None or other is None:
            return False
        if one.sample.truth.classes != other.sample.truth.classes:
            return False
        try:
            metric = self._entrants[best].metric(line.metric)
            found = measure_pair(metric, one.sample, one.predicted["candidate"], other.predicted["candidate"])
            return not found.caution and not found.identical and found.inference.bounds(alpha)[0] > 0
        except ModelGateError:
            return False

    def _refused(self, name: str, metric: str | None) -> GateRecord:
        error = ConfigurationError(
            f"assert_{name} asks for a part of gate {self.spec.name!r}, which has several candidates: each "
            "part might be passed by another one.",
            "Use assert_passes, or no assertion at all.",
        )
        record = self._entrants[0].pinned()
        check = failed_check("assertion", name, error)
        asked = f"{name}({metric or ''})"
        return replace(
            record, verdict=check.verdict, reason=error.what, asked=asked, checks=(*record.checks, check)
        )


def _notes_of(name: str, notes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the notes without those about other candidates."""
    found = []
    for note in notes:
        about = _ABOUT.search(note)
        if about is None or about[1] == name:
            found.append(note if about is None else _ABOUT.sub("the candidate", note))
    return tuple(found)


def _ranked_by(record: GateRecord) -> Line | None:
    """Return the first line that has an interval, on all rows: against production where there is one."""
    for question in _RANKED:
        lines = [line for line in record.lines if line.question == question and line.slice == ALL]
        if lines:
            return next((line for line in lines if line.interval is not None or line.gain is None), lines[0])
    return None


def _correlations(parts: list[list[Scores | None] | None]) -> Floats:
    """Return for any two candidates the smallest correlation of two of their lines; NaN where unknown."""
    count = len(parts)
    found = np.full((count, count), np.nan)
    known = [place for place in range(count) if parts[place] and None not in (parts[place] or ())]
    lines = [(place, each) for place in known for each in parts[place] or () if each is not None]
    if len(known) < 2 or sum(len(each.values) for _, each in lines) > _MOST_NUMBERS:
        return found
    matrix = correlation([each for _, each in lines])
    owner = np.array([place for place, _ in lines])
    for one in known:
        for other in known:
            found[one, other] = matrix[np.ix_(owner == one, owner == other)].min()
    return found
