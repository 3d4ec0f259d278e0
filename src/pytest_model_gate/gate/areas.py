"""Areas under the ROC curve of two classes, in the unit of their metric."""

from __future__ import annotations

import math
from dataclasses import replace

from ..metrics.metric import Metric
from ..metrics.rows import Predicted
from ..stats.auc import Auc, PairedAuc, paired_auc
from ..stats.inference import Inference
from ..stats.scaled import Scaled
from .found import relative_weight
from .sample import Sample


def is_area(metric: Metric, sample: Sample) -> bool:
    """Whether a metric is an area of the two classes of these rows."""
    return metric.family == "auc" and metric.higher_is_better and len(sample.class_sizes) == 2


def in_unit(metric: Metric, inference: PairedAuc | Auc) -> Inference:
    """Return the inference on areas in the unit of their metric."""
    _, unit = scale(metric)
    return inference if unit == 1 else Scaled(inference, unit)


def one_model_area(metric: Metric, sample: Sample, value: float, floor: float) -> Auc:
    """Return one area against a floor."""
    low, unit = scale(metric)
    negatives, positives = sample.class_sizes
    return Auc((value - low) / unit, positives, negatives, (floor - low) / unit)


def two_model_areas(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> PairedAuc:
    """Return the inference on two areas on the same rows, whatever the metric makes of an area."""
    truth, (low, unit) = sample.truth, scale(metric)
    first, second = metric.value(truth, candidate), metric.value(truth, reference)
    of_candidate, of_reference = metric.influence(truth, candidate), metric.influence(truth, reference)
    if unit != 1:
        of_candidate, of_reference = of_candidate / unit, of_reference / unit
    paired = paired_auc(
        (first - low) / unit,
        (second - low) / unit,
        of_candidate,
        of_reference,
        truth.positives,
        weight=relative_weight(metric, second, relative),
    )
    negatives, positives = sample.class_sizes
    return replace(paired, positives=positives, negatives=negatives)


def scale(metric: Metric) -> tuple[float, float]:
    """Return what an area of 0 is in the metric's unit, and how much an area of 1 is more."""
    low, high = metric.bounds
    return (low, high - low) if math.isfinite(high - low) else (0.0, 1.0)
