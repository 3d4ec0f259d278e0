"""Metrics that have a value but no influence: the gain by the bootstrap, rows in the order of content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..metrics.metric import Metric
from ..metrics.rows import Floats, Predicted, Truth
from ..stats.bootstrap import RESAMPLES, RESAMPLES_IF_SLOW, Bootstrap, Statistic, bootstrap, one_by_one
from ..stats.bootstrap_order import by_content
from ..stats.design import Design
from .sample import Sample

#: Of more kinds of rows (joint confusion cells) the rows themselves are drawn.
_MOST_KINDS = 1_000


def resampled_pair(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, gain: float, weight: float
) -> Bootstrap:
    """Return the inference on a gain, of which a share of the reference's value may be tolerated.

    Parameters
    ----------
    gain : float
        Oriented difference of the two values.
    weight : float
        Of the reference in what is bounded; 1 for a fixed tolerance.
    """
    truth = sample.truth
    order = by_content(_shared(truth), columns(metric, candidate), columns(metric, reference), sample.design)
    rows, copies = _kinds(metric, sample, order.order, candidate, reference)
    ordered = truth.subset(rows)
    first = _statistic(metric, ordered, candidate.subset(rows))
    second = _statistic(metric, ordered, reference.subset(rows))
    # What a relative tolerance adds is taken off again: the gain stays the gain.
    shift = metric.sign * (1 - weight) * metric.value(truth, reference) if weight != 1 else 0.0

    def gains(multiplicities: Floats) -> Floats:
        found = first(multiplicities) - weight * second(multiplicities)
        return metric.sign * found - shift

    return bootstrap(
        gain,
        gains,
        order.design if copies is None else Design(n=len(rows)),
        resampling=sample.resampling,
        resamples=_resamples(metric, copies),
        copies=copies,
        symmetric=order.symmetric and weight == 1,
    )


def resampled_one(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Bootstrap:
    """Return the inference on how far one model is on the right side of a floor."""
    order = by_content(_shared(sample.truth), columns(metric, candidate), (), sample.design)
    rows, copies = _kinds(metric, sample, order.order, candidate)
    value = _statistic(metric, sample.truth.subset(rows), candidate.subset(rows))
    return bootstrap(
        metric.sign * (metric.value(sample.truth, candidate) - floor),
        lambda multiplicities: metric.sign * (value(multiplicities) - floor),
        order.design if copies is None else Design(n=len(rows)),
        resampling=sample.resampling,
        resamples=_resamples(metric, copies),
        copies=copies,
    )


def columns(metric: Metric, predicted: Predicted) -> Sequence[npt.NDArray[Any]]:
    """Return the columns that the metric reads of a model's predictions."""
    form = predicted.form(metric.needs)
    if form is None:
        return ()
    return (form,) if form.ndim == 1 else tuple(form.T)


def _resamples(metric: Metric, copies: Floats | None) -> int:
    fast = metric.resampler is not None or copies is not None
    return metric.resamples or (RESAMPLES if fast else RESAMPLES_IF_SLOW)


def _kinds(
    metric: Metric, sample: Sample, rows: npt.NDArray[np.intp], *models: Predicted
) -> tuple[npt.NDArray[np.intp], Floats | None]:
    """Return one row of each kind, and how many there are, where labels make few kinds of rows.

    Else all rows, and ``None``. The rows come in the order of their content, so equal ones lie together.
    """
    if metric.needs != "label" or metric.resampler is not None or not sample.simple:
        return rows, None
    new = np.zeros(len(rows), dtype=np.bool_)
    new[0] = True
    for column in (sample.truth.values, *(each for model in models for each in columns(metric, model))):
        ordered = column[rows]
        new[1:] |= ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    if len(starts) > _MOST_KINDS:
        return rows, None
    return rows[starts], np.diff(np.append(starts, len(rows))).astype(np.float64)


def _statistic(metric: Metric, truth: Truth, predicted: Predicted) -> Statistic:
    """Return the metric as a function of multiplicities."""
    if metric.resampler is not None:
        of_weights = metric.resampler(truth, predicted)
        own = truth.weight
        return of_weights if own is None else lambda multiplicities: of_weights(multiplicities * own)

    def value(multiplicity: Floats) -> float:
        drawn = multiplicity > 0
        weight = multiplicity if truth.weight is None else multiplicity * truth.weight
        return metric.value(replace(truth, weight=weight).subset(drawn), predicted.subset(drawn))

    return one_by_one(value)


def _shared(truth: Truth) -> list[npt.NDArray[Any]]:
    return [truth.values] if truth.weight is None else [truth.values, truth.weight]
