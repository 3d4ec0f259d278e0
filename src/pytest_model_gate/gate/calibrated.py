"""Metrics with a kink where a model is right: how far two models, or a model and a ceiling, are from it."""

from __future__ import annotations

import math

import numpy as np

from ..metrics.metric import Metric
from ..metrics.rows import Predicted
from ..stats.bins import Allowing, Side, from_bins
from ..stats.distances import Distances, Estimate
from ..stats.variance import variance_of_mean
from .sample import Sample

#: With fewer rows of a class, or fewer groups, the logistic fit is too far from normal.
MINIMUM_FITTED = 20
MINIMUM_FITTED_GROUPS = 50


def distances(
    metric: Metric, sample: Sample, candidate: Predicted, other: Predicted | float
) -> tuple[float, float, Distances]:
    """Return how far two models (or one model and a ceiling) are away, and the inference on the gain."""
    assert metric.deviation is not None, "chosen for metrics that have it"
    first, psi = metric.deviation(sample.truth, candidate)
    spread = variance_of_mean(psi, sample.design)
    error = math.sqrt(spread.variance)
    caution = (
        spread.caution or _few_groups(metric, sample) or sample.few_of_class(metric.name, MINIMUM_FITTED)
    )
    if isinstance(other, float):
        # A ceiling is a deviation that is known.
        found = Distances(
            Estimate(first, error), Estimate(other, 0.0), error, error, spread.df, caution=caution
        )
        return abs(first), other, found
    second, reference = metric.deviation(sample.truth, other)

    def error_of(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return math.sqrt(variance_of_mean(values, sample.design).variance)

    found = Distances(
        Estimate(first, error),
        Estimate(second, error_of(reference)),
        error_of(psi - reference),
        error_of(psi + reference),
        spread.df,
        caution=caution,
    )
    return abs(first), abs(second), found


def bins(
    metric: Metric, sample: Sample, candidate: Predicted, other: Predicted | float
) -> tuple[float, float, Allowing]:
    """Return the binned errors of two models (or of one and a ceiling), and the inference on the gain."""
    assert metric.binned is not None, "chosen for metrics that have it"
    first, side = metric.value(sample.truth, candidate), _side(metric, sample, candidate)
    if isinstance(other, float):
        return first, other, from_bins(other - first, side, None, sample.design)
    second = metric.value(sample.truth, other)
    return first, second, from_bins(second - first, side, _side(metric, sample, other), sample.design)


def _side(metric: Metric, sample: Sample, predicted: Predicted) -> Side:
    assert metric.binned is not None, "chosen for metrics that have it"
    of_row, residual, deviation, noise = metric.binned(sample.truth, predicted)
    return Side(bin=of_row, residual=residual, deviation=deviation, noise=noise)


def _few_groups(metric: Metric, sample: Sample) -> str:
    groups = sample.design.units
    if sample.design.groups is None or groups >= MINIMUM_FITTED_GROUPS:
        return ""
    return (
        f"{groups} groups are too few for an interval of {metric.name}, "
        f"at least {MINIMUM_FITTED_GROUPS} are needed"
    )
