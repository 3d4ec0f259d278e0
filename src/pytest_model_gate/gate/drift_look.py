"""Whether the dataset of a gate has drifted from the data that its models know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..data.drift.column import Column
from ..errors import ConfigurationError, EvaluationError, ModelGateError
from ..hooks import DatasetProtocol, ModelProtocol
from ..metrics.rows import Predicted, Truth
from ..models.scoring import score
from ..redact import redact
from ..results import Check, DriftRecord
from ..spec import Drift, DriftAsked, GateSpec
from ..wording import shorten
from .drift import compare_datasets
from .drift_check import NAME, drift_check
from .drift_column import THRESHOLDS, per_column
from .inputs import Failed, Inputs, attempt
from .roles import encode_predictions
from .rows import Judged

Progress = Callable[[str, int, int], None]

#: What is asked of a model, by task, as in scoring.
_WANTS = {"classification": ("probability", "score", "label"), "regression": ("value",)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Drifted:
    """The check, and its record where anything could be compared."""

    check: Check
    record: DriftRecord | None = None


def look_for_drift(
    inputs: Inputs, drift: Drift, scored: Judged | None, progress: Progress | None = None
) -> Drifted | None:
    """Compare the dataset of a gate with a reference.

    Parameters
    ----------
    inputs : Inputs
        What the gate opens.
    drift : Drift
        What is compared, and how.
    scored : Judged or None
        The scored rows: then the candidate's predictions are compared, too.
    progress : callable, optional
        ``progress(what, done, of)``.

    Returns
    -------
    Drifted or None
        ``None`` where the dataset itself could not be opened, which another check says.
    """
    dataset = inputs.dataset
    if isinstance(dataset, Failed):
        return None
    reference, pinned = inputs.beside(NAME, drift.reference)
    if isinstance(reference, Failed):
        return Drifted(check=reference.check)
    if pinned.fails:
        return Drifted(check=pinned)
    spec = inputs.spec

    def compare() -> DriftRecord:
        if reference.digest == dataset.digest:
            raise EvaluationError(
                f"The reference {redact(drift.reference)} has the very content of the dataset: "
                "nothing could have moved.",
                "Name the data that the model was trained on.",
            )
        pairs, why = _predictions(inputs, drift, reference, scored)
        found = compare_datasets(
            reference,
            dataset,
            drift,
            alpha=spec.alpha,
            seed=spec.seed,
            target=spec.target,
            levels=(spec.target,) if spec.task != "regression" else (),
            left_out=_left_out(spec),
            predictions=pairs,
            progress=progress,
        )
        found = replace(found, pin=pinned.summary)
        return found if not why else replace(found, not_compared=(*found.not_compared, ("prediction", why)))

    found = attempt(NAME, drift.reference, compare)
    if isinstance(found, Failed):
        return Drifted(check=found.check)
    return Drifted(check=drift_check(found), record=found)


def asked_drift(spec: GateSpec, wanted: DriftAsked) -> Drift:
    """Return what an assertion asks: the gate's own comparison, with what the assertion says instead.

    Raises
    ------
    ConfigurationError
        If there is no reference, or an unknown method.
    """
    own, reference = spec.drift, wanted.reference
    if reference is None and own is None:
        raise ConfigurationError(
            f"gate {spec.name!r} does not say what its data are compared with.",
            'Name it: assert_no_drift("data/train.parquet"), or give the gate drift = "data/train.parquet".',
        )
    base = own if own is not None else Drift(reference=reference or "")
    asked = replace(
        base,
        reference=reference if reference is not None else base.reference,
        columns=base.columns if wanted.columns is None else several(wanted.columns),
        ignore=base.ignore if wanted.ignore is None else several(wanted.ignore),
        threshold=base.threshold if wanted.threshold is None else per_column(wanted.threshold),
        method=base.method if wanted.method is None else per_column(wanted.method),
        blocks=base.blocks if wanted.blocks is None else wanted.blocks,
        overall=base.overall if wanted.overall is None else wanted.overall,
        # Predictions are no data; the whole gate compares them.
        predictions=False,
        on_drift="fail",
        on_new_levels=base.on_new_levels or "fail",
        on_inconclusive=base.on_inconclusive or "fail",
    )
    unknown = [name for name in asked.method.values() if name not in THRESHOLDS]
    if unknown:
        raise ConfigurationError(f"method {unknown[0]!r} is unknown.", f"Known: {', '.join(THRESHOLDS)}.")
    wrong = [value for value in asked.threshold.values() if not _is_size(value)]
    if wrong:
        raise ConfigurationError(f"threshold must be a number >= 0, got {wrong[0]!r}.", "Write 0.05.")
    return asked


def several(names: Sequence[str] | str) -> tuple[str, ...]:
    """Return names, also where one stands alone."""
    return (names,) if isinstance(names, str) else tuple(names)


def _is_size(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


def _left_out(spec: GateSpec) -> dict[str, str]:
    """Return the columns that say nothing about what a row is like, and why."""
    roles = {
        spec.time: "the gate's time: later data are later",
        spec.key: "the gate's key: it names rows",
        spec.query: "the gate's query: it names groups of rows",
        spec.groups: "the gate's groups: it names groups of rows",
        spec.sample_weight: "the gate's weights",
    }
    return {name: why for name, why in roles.items() if name}


def _predictions(
    inputs: Inputs, drift: Drift, reference: DatasetProtocol, scored: Judged | None
) -> tuple[list[tuple[Column, Column]], str]:
    """Return what the candidate says about both, or why that cannot be compared."""
    model = inputs.models["candidate"] if scored is not None and drift.predictions is not False else None
    if scored is None or model is None or isinstance(model, Failed):
        return [], ""
    spec = inputs.spec
    said = scored.predicted["candidate"]
    if drift.blocks and scored.dropped:
        return [], "rows were dropped, so that blocks do not fit them"
    if model.kind == "predictions":
        return [], "predictions that were made elsewhere are of the dataset only"
    try:
        there = _said_of(reference, model, spec, scored.sample.truth)
    except ModelGateError as error:
        if drift.predictions:
            raise
        return [], f"the candidate cannot score the reference: {error.what.rstrip('.')}"
    here = _columns(said, scored.sample.truth, bool(drift.blocks))
    known = _columns(there, scored.sample.truth, bool(drift.blocks))
    return [(known[name], here[name]) for name in here if name in known], ""


def _said_of(reference: DatasetProtocol, model: ModelProtocol, spec: GateSpec, truth: Truth) -> Predicted:
    names = [name for name, _ in reference.columns]
    if model.columns is None:
        own = (spec.target, spec.sample_weight, spec.key, spec.query)
        columns = [name for name in names if name not in own]
    else:
        columns = list(model.columns)
        lacking = [name for name in columns if name not in names]
        if lacking:
            raise EvaluationError(
                f"the reference has no column '{shorten(lacking[0])}'.",
                "Name data that have all features of the candidate.",
            )
    batches = reference.batches(columns)
    scored = score(model, batches, _WANTS[spec.task or "classification"], role="candidate")
    return encode_predictions(
        scored, model, truth, threshold=spec.threshold.get("candidate"), role="candidate"
    )


def _columns(said: Predicted, truth: Truth, keep_rows: bool) -> dict[str, Column]:
    """Return predictions as columns: numbers where there are any, else the labels."""
    found: dict[str, np.ndarray] = {}
    classes = truth.classes or ()
    if said.value is not None:
        found["prediction"] = said.value
    elif said.probability is not None and said.probability.ndim == 2:
        found = {
            f"prediction[{shorten(str(label))}]": said.probability[:, place]
            for place, label in enumerate(classes)
        }
    elif said.probability is not None:
        found["prediction"] = said.probability
    elif said.score is not None:
        found["prediction"] = said.score
    elif said.labels is not None:
        found["prediction"] = np.array([str(label) for label in classes], dtype=object)[said.labels]
    columns = {}
    for name, values in found.items():
        columns[name] = Column(name, keep_rows)
        series = pd.Series(values, name=name)
        columns[name].add(series.astype("category") if values.dtype == object else series)
    return columns
