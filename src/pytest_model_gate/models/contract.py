"""What predictions must be before they are judged: findings, so that a report can list them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..results import Finding
from ..wording import plural, some_values
from .scoring import Scored

#: float32 probabilities of many classes add up to 1 only this closely.
_SUM_TOLERANCE = 1e-3


def check_predictions(
    role: str,
    scored: Scored,
    *,
    rows: int,
    model_classes: Sequence[Any] | None = None,
    data_classes: Sequence[Any] | None = None,
) -> list[Finding]:
    """Return everything that keeps a model's predictions from being judged.

    Parameters
    ----------
    role : str
        Whose predictions; the findings' subject.
    scored : Scored
        The predictions.
    rows : int
        How many rows were judged.
    model_classes, data_classes : sequence, optional
        The labels that the model has, in its order, and those of the target. ``None``: regression, or
        the model does not say.
    """
    findings = check_length(role, scored.rows, rows)
    for what, array in (("score", scored.score), ("value", scored.value)):
        findings += check_finite(role, what, array)
    findings += check_probability(role, scored.probability, model_classes or data_classes)
    if data_classes is not None:
        findings += check_classes(role, model_classes, data_classes)
        if model_classes is None and scored.probability is None:
            findings += check_labels(role, scored.labels, data_classes)
    return findings


def check_length(role: str, got: int, rows: int) -> list[Finding]:
    """Return a finding where there is not one prediction per row."""
    if got == rows:
        return []
    return [
        Finding(
            subject=role,
            problem=f"gave {plural(got, 'prediction')} for {plural(rows, 'row')}",
            remedy="A model returns one prediction per row, in the order of the rows.",
        )
    ]


def check_finite(role: str, what: str, array: npt.NDArray[Any] | None) -> list[Finding]:
    """Return a finding where predictions are NaN or infinite."""
    if array is None or array.dtype.kind != "f":
        return []
    good = np.isfinite(array)
    bad = int((~(good if good.ndim == 1 else good.all(axis=1))).sum())
    if not bad:
        return []
    return [
        Finding(
            subject=role,
            problem=f"gave a {what} that is not a finite number in {bad:,} of {plural(len(array), 'row')}",
            remedy="Find out which inputs it cannot handle (missing values, zeros under a logarithm).",
            count=bad,
        )
    ]


def check_probability(
    role: str, probability: npt.NDArray[np.float64] | None, classes: Sequence[Any] | None
) -> list[Finding]:
    """Return a finding where probabilities are none: shape, NaN, range, sum."""
    if probability is None:
        return []
    columns = 2 if probability.ndim == 1 else probability.shape[1]
    if classes is not None and columns != len(classes):
        return [
            Finding(
                subject=role,
                problem=f"gave probabilities of {plural(columns, 'class').replace('classs', 'classes')} "
                f"where there are {len(classes)}: {some_values(classes)}",
                remedy="The columns of its probabilities must be the classes of the target.",
            )
        ]
    findings = check_finite(role, "probability", probability)
    if findings:
        return findings
    outside = (probability < 0) | (probability > 1)
    bad = int((outside if outside.ndim == 1 else outside.any(axis=1)).sum())
    if bad:
        low, high = float(probability.min()), float(probability.max())
        return [
            Finding(
                subject=role,
                problem=f"gave probabilities outside [0, 1] (from {low:.10g} to {high:.10g}) in {bad:,} of "
                f"{plural(len(probability), 'row')}",
                remedy="Return probabilities, or, if these are scores, gate metrics that need scores only.",
                count=bad,
            )
        ]
    if probability.ndim == 2:
        off = np.abs(probability.sum(axis=1) - 1) > _SUM_TOLERANCE
        if off.any():
            return [
                Finding(
                    subject=role,
                    problem=f"gave probabilities that do not add up to 1 in {int(off.sum()):,} of "
                    f"{plural(len(off), 'row')}",
                    remedy="Normalise them, or check which columns are the classes.",
                    count=int(off.sum()),
                )
            ]
    return []


def check_classes(
    role: str, model_classes: Sequence[Any] | None, data_classes: Sequence[Any]
) -> list[Finding]:
    """Return a finding where the model's classes don't cover the labels of the data.

    Labels are compared by value: ``True``, ``1`` and ``1.0`` are one label, ``1`` and ``"1"`` are two.
    """
    if model_classes is None:
        return []
    missing = [label for label in data_classes if label not in set(model_classes)]
    if not missing:
        return []
    lists = f"the model has {some_values(model_classes)}, the data has {some_values(data_classes)}"
    if {str(label) for label in missing} <= {str(label) for label in model_classes}:
        return [
            Finding(
                subject=role,
                problem=f"has classes of another type than the target: {lists}",
                remedy="Give the target the type that the model was trained with; 1 and '1' are two labels.",
            )
        ]
    return [
        Finding(
            subject=role,
            problem=f"does not know {plural(len(missing), 'label')} of the target: {lists}",
            remedy="Train it on data with every class, or gate it on the classes that it knows.",
        )
    ]


def check_labels(role: str, labels: npt.NDArray[Any] | None, data_classes: Sequence[Any]) -> list[Finding]:
    """Return a finding where predicted labels are none of the target's."""
    if labels is None:
        return []
    found = [item.item() if isinstance(item, np.generic) else item for item in _distinct(labels)]
    strange = [label for label in found if label not in set(data_classes)]
    if not strange:
        return []
    return [
        Finding(
            subject=role,
            problem=f"predicts {some_values(strange)}, which the target does not have: "
            f"it has {some_values(data_classes)}",
            remedy="Give the target the labels that the model was trained with; 1 and '1' are two labels.",
            count=len(strange),
        )
    ]


def notes(role: str, scored: Scored) -> list[str]:
    """Return what a reader should know about predictions that are allowed."""
    forms = (scored.probability, scored.score, scored.value, scored.labels)
    said = [array for array in forms if array is not None and len(array) > 1]
    if not said:
        return []
    if bool((said[0] == said[0][:1]).all()):
        return [f"the {role} predicts the same for every row"]
    if said[0] is scored.probability and bool(np.isin(said[0], (0.0, 1.0)).all()):
        return [f"all probabilities of the {role} are exactly 0 or 1: are they labels?"]
    return []


def _distinct(labels: npt.NDArray[Any]) -> list[Any]:
    if labels.dtype == object:
        return list(dict.fromkeys(labels.tolist()))
    return list(np.unique(labels))
