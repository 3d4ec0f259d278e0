"""The judged rows: one pass over the dataset scores the models and keeps the columns that a gate needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..data import table
from ..errors import EvaluationError, InvalidError
from ..hooks import DatasetProtocol, ModelProtocol
from ..metrics.metric import Metric
from ..metrics.rows import Ints, Mask, Predicted, Rows, Truth
from ..models.baseline import BASELINES, baseline
from ..models.columns import check_columns
from ..models.contract import notes
from ..models.endpoints import KIND as ENDPOINT
from ..models.identity import digest_of_answers
from ..models.known import KnownModel, unknown
from ..models.repeat import part
from ..models.scoring import Scored, join, score
from ..results import Check, Finding, Verdict
from ..spec import Contracts, GateSpec, Role
from ..stats.bootstrap import Resampling
from ..stats.design import Design
from ..wording import plural
from .arrays import weights
from .at_a_time import AtATime, runs
from .by_query import design_of, query_notes
from .contracts import Sampled, contract, looked_up, sample_size
from .encode import require_positive
from .lines import ALL, SliceRows
from .memory import Memory
from .roles import encode_classes, encode_predictions, findings
from .sample import Sample
from .slices import Cut, check_crossings, cut, slice_rows

#: What is asked of a model, by task; a classifier that gives probabilities is asked for nothing else.
_WANTS = {"classification": ("probability", "score", "label"), "regression": ("value",)}


#: The same rows of everything.
Part = tuple[Sample, Mapping[str, Predicted]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """The rows that are judged, encoded once, with what every role says about them.

    Parameters
    ----------
    sample : Sample
        Truth and design.
    predicted : mapping
        Role -> predictions.
    slices : tuple of SliceRows
        The slices that exist, in the order of the gate's ``slices``.
    cuts : tuple of Cut
        Which rows they have.
    dropped : tuple of (str, int)
        Why rows were left out, and how many.
    checks : tuple of Check
        On the target and on each role's predictions. Where one fails, the other fields are not to be used.
    notes : tuple of str
        What a reader should know.
    answers : mapping
        Role -> digest of what it said, for models that have no content of their own.
    """

    sample: Sample
    predicted: Mapping[str, Predicted]
    slices: tuple[SliceRows, ...] = ()
    cuts: tuple[Cut, ...] = ()
    dropped: tuple[tuple[str, int], ...] = ()
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    _last: dict[str, tuple[object, Any]] = field(default_factory=dict)

    def on(self, name: str) -> Part:
        """Return truth and predictions on all rows, or those of candidate and production on one slice.

        Questions come slice by slice, so only the last slice is kept, its neighbours that are measured with
        it, and all rows in the order of the last cut: its slices are windows of these, which cost no copy.
        """
        if name == ALL:
            return self.sample, self.predicted
        rows = self._places[name]
        each = self.cuts[rows.cut]
        if self._last.get("cut", (None,))[0] is not each:
            # The baseline is compared on all rows only.
            said = {role: said for role, said in self.predicted.items() if role != "baseline"}
            self._last["cut"] = each, _part((self.sample, said), each.order)
        if self._last.get("slice", (None,))[0] is not rows:
            self._last["slice"] = rows, self._slice(rows)
        part: Part = self._last["slice"][1]
        return part

    def _slice(self, rows: SliceRows) -> Part:
        """Return one slice of the last cut, with its place where it is measured together with others."""
        each, (sample, predicted) = self.cuts[rows.cut], self._last["cut"][1]
        run = self._runs[rows.cut].get(rows.level)
        if run is None:
            return _part((sample, predicted), each.window(rows.level))
        if self._last.get("run", (None,))[0] is not run:
            windows = [each.window(level) for level in run]
            among, said = _part((sample, predicted), slice(windows[0].start, windows[-1].stop))
            sizes = [window.stop - window.start for window in windows]
            self._last["run"] = run, AtATime.of(among, said, sizes)
        together: AtATime = self._last["run"][1]
        return together.part(rows.level - run.start)

    def rows_of(self, name: str) -> Ints | None:
        """Return which rows a slice has, ascending; ``None``: all."""
        if name == ALL:
            return None
        rows = self._places[name]
        each = self.cuts[rows.cut]
        return each.order[each.window(rows.level)]

    @cached_property
    def _runs(self) -> tuple[Mapping[int, range], ...]:
        """Which slices of each cut are measured at a time, by their position."""
        found = []
        for position in range(len(self.cuts)):
            own = sorted((rows for rows in self.slices if rows.cut == position), key=lambda rows: rows.level)
            wanted = [rows.n >= max(2, rows.spec.min_rows) and not rows.lacking for rows in own]
            neighbours = runs([rows.n for rows in own], wanted)
            found.append({level: run for run in neighbours for level in run})
        return tuple(found)

    @cached_property
    def _places(self) -> dict[str, SliceRows]:
        return {item.name: item for item in self.slices}


def _part(whole: Part, rows: Rows) -> Part:
    sample, predicted = whole
    return sample.subset(rows), {role: said.subset(rows) for role, said in predicted.items()}


def collect(
    spec: GateSpec,
    dataset: DatasetProtocol,
    models: Mapping[Role, ModelProtocol],
    metrics: Mapping[str, Metric],
    *,
    memory: Memory | None = None,
) -> Judged:
    """Score every model on every row, batch by batch, and encode what the metrics need.

    Features are dropped with their batch; the target, the predictions and the gate's own columns stay. Where
    all is known that the models say, no feature is read at all.

    Raises
    ------
    ModelGateError
        If the dataset lacks a column, has no rows, or a model cannot score it.
    """
    own = _own_columns(spec)
    check_crossings(spec.slices, [name for name, _ in dataset.columns])
    features = {role: _features(role, spec, dataset, model) for role, model in models.items()}
    kept: list[pd.DataFrame] = []
    wants = _WANTS[spec.task or "classification"]
    asked, sampled = spec.contracts or Contracts(), Sampled(sample_size(dataset.rows))
    read = sorted({name for role in models if not looked_up(models[role]) for name in features[role]})
    promised = "" if memory is None else memory.promised(asked, read, sampled.size)
    known = {
        role: model.kept.findings
        for role, model in models.items()
        if isinstance(model, KnownModel) and model.kept.promised == promised
    }
    # Rows are chosen by all that any model reads, whatever is known of the others.
    open_roles = [role for role in models if role not in known]
    asking = [role for role in open_roles if not looked_up(models[role])]
    needed = models if asking else open_roles
    columns = list(dict.fromkeys([*own, *(name for role in needed for name in features[role])]))
    parts: dict[Role, list[Scored]] = {role: [] for role in models}
    done = 0
    dropped: Counter[str] = Counter()
    for batch in dataset.batches(columns):
        frame = judged_rows(spec, batch, dropped)
        kept.append(frame[own])
        said: dict[int, Scored] = {}
        for role, model in models.items():
            if id(model) not in said:  # one model in two roles is scored once
                said[id(model)] = (
                    part(model.scored, slice(done, done + len(frame)))
                    if isinstance(model, KnownModel)
                    else score(model, [frame[features[role]]], wants, role=role)
                )
            parts[role].append(said[id(model)])
        done += len(frame)
        if asking:
            sampled.add(frame[read], {role: parts[role][-1] for role in models})
        elif read:
            sampled.seen += len(frame)
    if any(isinstance(model, KnownModel) and model.scored.rows != done for model in models.values()):
        # Unreachable while a key tells which rows are judged; if it ever doesn't, nothing known is used.
        return collect(spec, dataset, {role: unknown(model) for role, model in models.items()}, metrics)
    rows = kept[0] if len(kept) == 1 else pd.concat(kept, ignore_index=True)
    if not len(rows):
        raise EvaluationError(
            f"The dataset has no rows to judge{_because(dropped)}.",
            "Check how the dataset was made.",
        )
    said_in_all: dict[Role, Scored] = {
        role: model.scored if isinstance(model, KnownModel) else join(parts[role], role=role)
        for role, model in models.items()
    }
    scored = {role: _as_scores(found, models[role], metrics) for role, found in said_in_all.items()}
    answers: dict[str, str] = {
        role: _digest(scored[role]) for role, model in models.items() if model.kind == ENDPOINT
    }
    judged = _encode(spec, rows, scored, models, metrics, tuple(dropped.items()))
    judged = replace(judged, answers=answers)
    if any(check.fails for check in judged.checks):
        return judged

    def keep(role: Role, findings: Sequence[Finding]) -> None:
        if memory is not None:
            memory.keep(models[role], said_in_all[role], promised, findings)

    kept_promises = contract(asked, models, dataset, features, sampled, wants, known=known, kept=keep)
    return judged if kept_promises is None else replace(judged, checks=(*judged.checks, kept_promises))


def _digest(said: Scored) -> str:
    forms = {"label": said.labels, "probability": said.probability, "score": said.score, "value": said.value}
    return digest_of_answers(forms)


def _as_scores(scored: Scored, model: ModelProtocol, metrics: Mapping[str, Metric]) -> Scored:
    """Take one column of numbers that can be no probabilities for scores, where no metric asks for more.

    Such a column doesn't say what it holds, and ranking metrics take any scale.
    """
    column = scored.probability
    if model.classes is not None or column is None or column.ndim != 1:
        return scored
    if any(metric.needs != "score" for metric in metrics.values()) or ((column >= 0) & (column <= 1)).all():
        return scored
    return replace(scored, probability=None, score=column)


def judged_rows(spec: GateSpec, batch: pd.DataFrame, dropped: Counter[str]) -> pd.DataFrame:
    """Return the rows of a batch that count, and note how many do not, and why."""
    reasons: dict[str, Mask] = {}
    if spec.drop_missing_target:
        reasons["no target"] = table.missing(batch[spec.target])
    if spec.sample_weight:
        # Whatever is no number is a finding later; a weight of 0 says that the row does not count.
        reasons["weight 0"] = np.asarray(batch[spec.sample_weight].eq(0).fillna(False), dtype=bool)
    kept = np.ones(len(batch), dtype=bool)
    for reason, mask in reasons.items():
        count = int((mask & kept).sum())
        if count:
            dropped[reason] += count
            kept &= ~mask
    return batch if kept.all() else batch[kept]


def _because(dropped: Mapping[str, int]) -> str:
    said = ", ".join(f"{plural(count, 'row')}: {reason}" for reason, count in dropped.items())
    return f" ({said})" if said else ""


def _own_columns(spec: GateSpec) -> list[str]:
    named = [spec.target, spec.sample_weight, spec.groups, spec.strata, spec.query, spec.time]
    named += [name for item in spec.slices for name in item.columns]
    return list(dict.fromkeys(name for name in named if name))


def features_of(
    spec: GateSpec, dataset: DatasetProtocol, models: Mapping[Role, ModelProtocol]
) -> dict[Role, list[str]]:
    """Return the columns that each model is given."""
    return {role: _features(role, spec, dataset, model) for role, model in models.items()}


def wants_of(spec: GateSpec) -> tuple[str, ...]:
    """Return what models are asked for."""
    return _WANTS[spec.task or "classification"]


def _features(role: str, spec: GateSpec, dataset: DatasetProtocol, model: ModelProtocol) -> list[str]:
    """Return the columns that a model is given.

    A model that doesn't name its columns gets all but the target, the weights, the key and the query, which
    no model may learn from. Slices, groups and times are features of many models, so they stay.
    """
    names = [name for name, _ in dataset.columns]
    if model.columns is None:
        return [name for name in names if name not in (spec.target, spec.sample_weight, spec.key, spec.query)]
    check_columns(model.columns, names, role)
    if spec.target in model.columns:
        raise InvalidError(
            f"The {role} asks for the column '{spec.target}', which is the target: it would read the answer.",
            "Train it without that column.",
        )
    return list(model.columns)


def _encode(
    spec: GateSpec,
    rows: pd.DataFrame,
    scored: Mapping[Role, Scored],
    models: Mapping[Role, ModelProtocol],
    metrics: Mapping[str, Metric],
    dropped: tuple[tuple[str, int], ...],
) -> Judged:
    problems = _column_findings(spec, rows)
    if problems:
        check = Check(
            name="target" if problems[0].subject == spec.target else "columns",
            verdict=Verdict.INVALID,
            summary=problems[0].problem,
            findings=tuple(problems),
        )
        return _refused((check,), dropped)
    truth, said = _truth(spec, rows, models)
    if said is not None and len(said) < 2:
        raise EvaluationError(
            f"Every row of the target '{spec.target}' has the class {said[0]!r}.",
            "A holdout needs rows of every class: choose one that has them.",
        )
    checks = []
    for role in scored:
        problems = findings(role, scored[role], models[role], truth, said, rows=len(rows))
        if problems:
            summary = f"{problems[0].subject} {problems[0].problem}"
            checks.append(
                Check(name=role, verdict=Verdict.INVALID, summary=summary, findings=tuple(problems))
            )
    if checks:
        return _refused(tuple(checks), dropped)
    if truth.classes is not None:
        _check_positive(spec, truth.classes, scored, metrics)
    predicted: dict[str, Predicted] = {
        role: encode_predictions(
            scored[role], models[role], truth, threshold=spec.threshold.get(role), role=role
        )
        for role in scored
    }
    if spec.baseline in BASELINES:
        constant = baseline(
            spec.baseline,
            target=truth.values,
            classes=truth.classes,
            time=np.asarray(rows[spec.time]) if spec.time else None,
            weight=truth.weight,
        )
        predicted["baseline"] = Predicted(
            labels=constant.labels, probability=constant.probability, value=constant.value
        )
    if spec.groups and rows[spec.groups].nunique() < 2:
        raise EvaluationError(
            f"All rows are one group of '{spec.groups}': nothing tells how far groups differ.",
            "Name a column with many groups, or leave groups out.",
        )
    design = design_of(
        len(rows),
        truth.queries,
        table.codes(rows[spec.groups], "groups") if spec.groups else None,
        table.codes(rows[spec.strata], "strata") if spec.strata else None,
    )
    cuts = tuple(cut(item, rows) for item in spec.slices)
    said_of_queries: tuple[str, ...] = ()
    if any(metric.by_query for metric in metrics.values()):
        said_of_queries = query_notes(truth, {each.spec.title: each.codes for each in cuts})
    return Judged(
        sample=Sample(truth=truth, design=design, resampling=Resampling(seed=spec.seed)),
        predicted=predicted,
        slices=slice_rows(cuts, truth, {name: metrics[name] for name in spec.metrics}),
        cuts=cuts,
        dropped=dropped,
        checks=tuple(
            Check(name="target", verdict=Verdict.PASS, summary=summary) for summary in (_balance(truth),)
        ),
        notes=(
            *(note for role in scored for note in notes(role, scored[role])),
            *_order_of_classes(truth, metrics),
            *said_of_queries,
            *dict.fromkeys(note for each in cuts for note in each.notes),
        ),
    )


def _order_of_classes(truth: Truth, metrics: Mapping[str, Metric]) -> Iterator[str]:
    """Say in which order classes are taken where it counts and only the alphabet tells it."""
    classes = truth.classes or ()
    if len(classes) > 2 and any(isinstance(label, str) for label in classes):
        shown = ", ".join(repr(label) for label in classes)
        for metric in metrics.values():
            if metric.ordered_classes:
                yield f"{metric.name} takes the classes in the order of the alphabet: {shown}"


def _column_findings(spec: GateSpec, rows: pd.DataFrame) -> list[Finding]:
    """Return what keeps the gate's own columns from being used; slices may have missing values."""
    purposes = {"target": spec.target, "sample_weight": spec.sample_weight}
    purposes |= {"groups": spec.groups, "strata": spec.strata, "query": spec.query}
    if spec.baseline == "last_value":
        purposes["time"] = spec.time
    found = (table.missing_finding(rows[name], purpose) for purpose, name in purposes.items() if name)
    return [finding for finding in found if finding is not None]


def _truth(
    spec: GateSpec, rows: pd.DataFrame, models: Mapping[Role, ModelProtocol]
) -> tuple[Truth, tuple[object, ...] | None]:
    """Return the encoded target, and the labels that occur in the data."""
    weight = None
    if spec.sample_weight:
        column = f"Column '{spec.sample_weight}' (sample_weight)"
        weight = weights(table.numbers(rows[spec.sample_weight], "sample_weight"), len(rows), column)
        weight = None if weight is None else weight / weight.mean()
    queries = table.codes(rows[spec.query], "query") if spec.query else None
    if spec.task == "regression":
        values = table.numbers(rows[spec.target], "target")
        return Truth(values=values, weight=weight, queries=queries), None
    labels = table.labels(rows[spec.target])
    codes, classes, said = encode_classes(
        labels, [model.classes for model in models.values()], pos_label=spec.pos_label
    )
    return Truth(values=codes, classes=classes, weight=weight, queries=queries), said


def _check_positive(
    spec: GateSpec, classes: tuple[object, ...], scored: Mapping[Role, Scored], metrics: Mapping[str, Metric]
) -> None:
    """Refuse to guess which of two classes is the positive one."""
    for role, said in scored.items():
        if any(array is not None and array.ndim == 1 for array in (said.probability, said.score)):
            require_positive(classes, spec.pos_label, f"one column of scores (of the {role})")
    for name, metric in metrics.items():
        if metric.binary_only:
            require_positive(classes, spec.pos_label, name)


def _balance(truth: Truth) -> str:
    if truth.classes is None:
        return f"mean {truth.values.mean():.4g}"
    counts = np.bincount(truth.values, minlength=len(truth.classes))
    if len(truth.classes) == 2:
        return f"{counts[1] / truth.n:.3f} positive ({truth.classes[1]})"
    return f"{len(truth.classes)} classes, rarest {counts.min() / truth.n:.3f}"


def _refused(checks: tuple[Check, ...], dropped: tuple[tuple[str, int], ...]) -> Judged:
    nothing = Truth(values=np.empty(0))
    return Judged(
        sample=Sample(truth=nothing, design=Design(n=0)), predicted={}, checks=checks, dropped=dropped
    )
