"""Arrays that a user passes, validated and encoded: what comes out of here is trusted by everything below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, EvaluationError, InvalidError
from ..metrics.metric import Metric
from ..metrics.queries import UNGROUPED
from ..metrics.rows import Floats, Predicted, Truth
from ..stats.design import Design
from .by_query import design_of
from .encode import encode_target, numbers, plain_classes, require_positive, units
from .predictions import labelled, scored
from .sample import Sample


def validated(
    y_true: Any,
    candidate: Any,
    production: Any,
    *,
    metric: Metric,
    sample_weight: Any = None,
    groups: Any = None,
    strata: Any = None,
    query: Any = None,
    classes: Sequence[Any] | None = None,
    pos_label: Any = 1,
) -> tuple[Sample, Predicted, Predicted]:
    """Return clean rows and the predictions of two models on them.

    Parameters are those of :func:`~pytest_model_gate.gate.compare.compare`.

    Raises
    ------
    InvalidError
        For lengths that differ, missing or impossible values, labels outside the classes.
    EvaluationError
        For no rows, and for predictions of another kind than the metric needs.
    ConfigurationError
        If the positive class or the classes are not what the data hold.
    """
    given = {"y_true": y_true, "candidate": candidate, "production": production}
    optional = {"sample_weight": sample_weight, "groups": groups, "strata": strata, "query": query}
    given |= {name: values for name, values in optional.items() if values is not None}
    n = _common_length(given)
    _refuse_other_order(given)
    predictions = {"candidate": candidate, "production": production}
    if metric.task == "regression":
        values, _ = encode_target(y_true, task="regression", classes=None, what="y_true")
        truth = Truth(values=values)
        first, second = (Predicted(value=numbers(each, role)) for role, each in predictions.items())
    else:
        truth, first, second = _classified(y_true, predictions, metric, classes, pos_label)
    if query is not None:
        truth = replace(truth, queries=units(query, "query"))
    elif metric.by_query is not None:
        raise ConfigurationError(
            UNGROUPED.format(metric.name),
            "Pass query=... (in the shell --query), which holds the query of each row.",
        )
    return _sampled(truth, n, sample_weight, groups, strata, first, second)


def weights(values: Any, n: int, what: str = "sample_weight") -> Floats | None:
    """Return weights with mean 1; ``None`` where all are equal, because then they say nothing.

    Raises
    ------
    InvalidError
        For negative, missing or infinite weights, and where all are 0.
    """
    found = numbers(values, what)
    negative = int(np.count_nonzero(found < 0))
    if negative:
        raise InvalidError(
            f"{what} must not be negative, but {negative:,} of {n:,} weights are.",
            "Give rows that do not count the weight 0.",
        )
    total = float(found.sum())
    if not 0 < total < math.inf:
        raise InvalidError(
            f"{what} must have a positive, finite sum, got {total:g}.", "Give some rows a weight."
        )
    return None if found.min() == found.max() else found


def _common_length(given: dict[str, Any]) -> int:
    lengths: dict[str, int] = {}
    for name, values in given.items():
        if isinstance(values, str | bytes | dict) or not hasattr(values, "__len__"):
            raise InvalidError(
                f"{name} must be an array, list or Series, got {type(values).__name__}.",
                "Pass one value per row.",
            )
        lengths[name] = len(values)
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise InvalidError(f"All arrays must have one length, got {listed}.", "Pass one value per row.")
    n = lengths["y_true"]
    if n == 0:
        raise EvaluationError("There are no rows: nothing can be compared.", "Pass at least two rows.")
    return n


def _refuse_other_order(given: dict[str, Any]) -> None:
    """Refuse pandas objects that hold the same rows in another order: they are not aligned silently."""
    import pandas as pd

    indexes = {name: v.index for name, v in given.items() if isinstance(v, pd.Series | pd.DataFrame)}
    if not indexes:
        return
    (first, reference), *others = indexes.items()
    for name, index in others:
        if not index.equals(reference) and index.sort_values().equals(reference.sort_values()):
            raise InvalidError(
                f"{first} and {name} hold the same index in different orders; rows are compared by position.",
                f"Align them first: {name} = {name}.loc[{first}.index].",
            )


def _classified(
    y_true: Any,
    predictions: dict[str, Any],
    metric: Metric,
    classes: Sequence[Any] | None,
    pos_label: Any,
) -> tuple[Truth, Predicted, Predicted]:
    columns = None if classes is None else plain_classes(classes)
    if columns is None:
        columns = occurring(y_true, predictions if metric.needs == "label" else {})
    # The default positive label is a guess that only labels 1 and True confirm.
    named = pos_label if pos_label in columns else None
    if named is None and pos_label != 1 and len(columns) == 2:
        named = pos_label  # refused below, with both classes in the message
    codes, ordered = encode_target(
        y_true, task="classification", classes=columns, pos_label=named, what="y_true"
    )
    assert ordered is not None, "unreachable: classification has classes"
    if metric.binary_only:
        require_positive(ordered, named, metric.name)
    truth = Truth(values=codes, classes=ordered)
    first, second = (
        labelled(values, role, metric, ordered)
        if metric.needs == "label"
        else scored(values, role, metric, columns, ordered, named)
        for role, values in predictions.items()
    )
    return truth, first, second


def occurring(y_true: Any, predictions: dict[str, Any]) -> tuple[Any, ...]:
    """Return the labels of the truth and of label predictions, sorted."""
    found: dict[Any, None] = {}
    _, of_truth = encode_target(y_true, task="classification", classes=None, what="y_true")
    found.update(dict.fromkeys(of_truth or ()))
    return tuple(found) if not predictions else _with_predicted(found, predictions)


def _with_predicted(found: dict[Any, None], predictions: dict[str, Any]) -> tuple[Any, ...]:
    numeric_only = all(isinstance(label, float) and label != int(label) for label in found)
    for role, values in predictions.items():
        if np.ndim(values) == 1:
            _, labels = encode_target(values, task="classification", classes=None, what=role)
            for label in labels or ():
                # Fractions among predictions are scores, which are refused later, and no classes.
                if numeric_only or not (isinstance(label, float) and label != int(label)):
                    found.setdefault(label)
    try:
        return tuple(sorted(found))
    except TypeError:
        return tuple(found)


def _sampled(
    truth: Truth,
    n: int,
    sample_weight: Any,
    groups: Any,
    strata: Any,
    first: Predicted,
    second: Predicted,
) -> tuple[Sample, Predicted, Predicted]:
    """Return rows with weights and design; rows of weight 0 do not count and are left out."""
    weight = None if sample_weight is None else weights(sample_weight, n)
    asked = design_of(
        n,
        truth.queries,
        None if groups is None else units(groups, "groups"),
        None if strata is None else units(strata, "strata"),
    )
    design = Design(n=n, groups=_grouped(asked.groups), strata=_several(asked.strata))
    if weight is None:
        return Sample(truth=truth, design=design), first, second
    sample = Sample(truth=replace(truth, weight=weight), design=design)
    counts = weight > 0
    if not counts.all():
        return sample.subset(counts), first.subset(counts), second.subset(counts)
    weight = weight / weight.mean()
    return Sample(truth=replace(truth, weight=weight), design=design), first, second


def _grouped(codes: npt.NDArray[np.intp] | None) -> npt.NDArray[np.intp] | None:
    """Return group codes, or ``None`` where every row is a group of its own: such rows are independent."""
    return None if codes is None or int(codes.max()) + 1 == len(codes) else codes


def _several(codes: npt.NDArray[np.intp] | None) -> npt.NDArray[np.intp] | None:
    """Return stratum codes, or ``None`` where there is one stratum only."""
    return None if codes is None or codes.max() == 0 else codes
