"""One function per family of metrics and kind of sample: values and inference, as computed.

Plain random samples have the score and exact methods of their family. Weighted, grouped and stratified
rows use influence values with Student's t for every family, because the other methods count rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import UndefinedMetricError
from ..metrics.metric import Metric
from ..metrics.rows import Floats, Predicted, Truth
from ..stats.auc import Auc, PairedAuc, paired_auc
from ..stats.clopper_pearson import Proportion
from ..stats.inference import Inference, normal_quantile
from ..stats.influence import from_cells, from_influence
from ..stats.mean import mean_of_rows
from ..stats.student import Student
from ..stats.tango import PairedProportions
from .cells import imaginary_rows, joint_cells, label_mass
from .sample import Sample

#: The level at which an interval without any spread gets its width.
_READ_AT = 0.05


@dataclass(frozen=True, slots=True)
class Found:
    """The two values (where there is one model, the second is the floor), and the inference on the gain."""

    candidate: float
    reference: float
    inference: Inference
    paired: PairedProportions | None = None


# -- plain random samples: two models ----------------------------------------------------------------


def paired_proportions(metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted) -> Found:
    """Tango's score interval of two shares of right rows."""
    assert metric.hits is not None, "chosen for metrics that have hits"
    of_candidate, within = metric.hits(sample.truth, candidate)
    of_reference, _ = metric.hits(sample.truth, reference)
    n = _within(metric, within)
    if n < len(within):
        of_candidate, of_reference = of_candidate & within, of_reference & within
    both = int(np.count_nonzero(of_candidate & of_reference))
    right, other = int(np.count_nonzero(of_candidate)), int(np.count_nonzero(of_reference))
    only = (right - both, other - both)
    paired = PairedProportions(*(only if metric.higher_is_better else only[::-1]), n)
    return Found(right / n, other / n, paired, paired)


def paired_cells(metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted) -> Found:
    """Influence of confusion cells, with the half-pseudo-row rule."""
    truth = sample.truth
    assert truth.classes is not None, "chosen for classes"
    assert candidate.labels is not None, "chosen for labels"
    assert reference.labels is not None, "chosen for labels"
    k = len(truth.classes)
    joint = joint_cells(truth.values, candidate.labels, reference.labels, k)
    values = metric.value(truth, candidate), metric.value(truth, reference)
    first = _of_cells(metric, label_mass(joint.true, joint.candidate, joint.rows, k))
    second = _of_cells(metric, label_mass(joint.true, joint.reference, joint.rows, k))
    psi = first.influence[joint.true, joint.candidate] - second.influence[joint.true, joint.reference]
    gain = metric.sign * (values[0] - values[1])
    return Found(*values, from_cells(gain, joint.rows, psi, pseudo=_pseudo_pair(first, second)))


def paired_areas(metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted) -> Found:
    """DeLong's interval of two areas, MOVER near 1 and in small classes."""
    first, second, paired = _areas(metric, sample, candidate, reference)
    return Found(first, second, paired)


def paired_means(metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted) -> Found:
    """The paired t interval of two mean losses, corrected for skewness."""
    assert metric.losses is not None, "chosen for metrics that have losses"
    first = metric.losses(sample.truth, candidate)
    second = metric.losses(sample.truth, reference)
    gains = first - second if metric.higher_is_better else second - first
    return Found(float(first.mean()), float(second.mean()), mean_of_rows(gains))


# -- plain random samples: one model and a floor -------------------------------------------------------


def one_proportion(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """Exact bounds of one share of right rows."""
    assert metric.hits is not None, "chosen for metrics that have hits"
    hits, within = metric.hits(sample.truth, candidate)
    n = _within(metric, within)
    right = int(np.count_nonzero(hits & within))
    exact = Proportion(right, n, floor) if metric.higher_is_better else Proportion(n - right, n, 1 - floor)
    return Found(right / n, floor, exact)


def one_of_cells(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """Influence of one model's confusion cells, with the half-pseudo-row rule."""
    truth = sample.truth
    assert truth.classes is not None, "chosen for classes"
    assert candidate.labels is not None, "chosen for labels"
    k = len(truth.classes)
    mass = label_mass(truth.values, candidate.labels, None, k)
    value, of_cells = metric.value(truth, candidate), _of_cells(metric, mass)
    gain = metric.sign * (value - floor)
    inference = from_cells(gain, mass.ravel(), of_cells.influence.ravel(), pseudo=_pseudo_one(of_cells))
    return Found(value, floor, inference)


def one_area(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """Newcombe's score bounds of one area."""
    value = metric.value(sample.truth, candidate)
    negatives, positives = (int(size) for size in sample.class_sizes)
    if metric.higher_is_better:
        return Found(value, floor, Auc(value, positives, negatives, floor))
    return Found(value, floor, Auc(1 - value, positives, negatives, 1 - floor))


def one_mean(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """The t interval of one mean loss, corrected for skewness."""
    assert metric.losses is not None, "chosen for metrics that have losses"
    losses = metric.losses(sample.truth, candidate)
    return Found(float(losses.mean()), floor, mean_of_rows(metric.sign * losses, metric.sign * floor))


# -- any sample ----------------------------------------------------------------------------------------


def paired_influence(metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted) -> Found:
    """Influence values and Student's t."""
    truth = sample.truth
    first, second = metric.value(truth, candidate), metric.value(truth, reference)
    psi = metric.influence(truth, candidate) - metric.influence(truth, reference)
    inference = from_influence(
        metric.sign * (first - second),
        psi,
        sample.design,
        pseudo=_pseudo_rows(metric, sample, candidate, reference, first - second),
        df=_ranked_df(metric, sample),
    )
    if metric.family == "auc" and len(sample.class_sizes) == 2:
        # Weighted areas near 1 are as hard as others: no narrower than MOVER at the effective sizes.
        area = _areas(metric, sample, candidate, reference)[2]
        if not area.trusts_delong:
            inference = replace(inference, standard_error=max(inference.standard_error, area.standard_error))
    return Found(first, second, _with_width(metric, sample, inference))


def one_influence(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """Influence values of one model and Student's t."""
    truth = sample.truth
    value = metric.value(truth, candidate)
    inference = from_influence(
        metric.sign * (value - floor),
        metric.influence(truth, candidate),
        sample.design,
        pseudo=_pseudo_rows(metric, sample, candidate, None, value),
        df=_ranked_df(metric, sample),
    )
    if metric.family == "auc" and len(sample.class_sizes) == 2:
        negatives, positives = (max(1.0, size) for size in sample.class_sizes)
        area = Auc(value, positives, negatives, floor)
        inference = replace(inference, standard_error=max(inference.standard_error, area.standard_error))
    return Found(value, floor, _with_width(metric, sample, inference))


# -- which one ----------------------------------------------------------------------------------------

Pair = Callable[[Metric, Sample, Predicted, Predicted], Found]
One = Callable[[Metric, Sample, Predicted, float], Found]


def methods(metric: Metric, sample: Sample) -> tuple[Pair, One]:
    """Return how two models, and how one model and a floor, are measured on this sample."""
    if sample.simple:
        if metric.family == "proportion" and metric.hits is not None:
            return paired_proportions, one_proportion
        if metric.family == "mean" and metric.losses is not None:
            return paired_means, one_mean
        if metric.family == "auc" and len(sample.class_sizes) == 2:
            return paired_areas, one_area
        if _counts_cells(metric, sample.truth):
            return paired_cells, one_of_cells
    return paired_influence, one_influence


# -- parts --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _OfCells:
    """The influence of a row in each cell, and of a right and a wrong imaginary row of each class."""

    influence: Floats
    right: Floats
    wrong: Floats


def _of_cells(metric: Metric, mass: Floats) -> _OfCells:
    assert metric.cell_influence is not None, "chosen for metrics that have it"
    influence = metric.cell_influence(mass)
    present, wrong = imaginary_rows(mass)
    return _OfCells(influence, influence[present, present], influence[present, wrong])


def _pseudo_pair(first: _OfCells, second: _OfCells) -> float:
    """Return half the squared influence of the rows on which only one model is right, two per class."""
    only_second = first.wrong - second.right
    only_first = first.right - second.wrong
    return float((only_second * only_second + only_first * only_first).sum()) / 2


def _pseudo_one(found: _OfCells) -> float:
    """Return half the squared influence of a right and a wrong row of each class."""
    return float((found.right * found.right + found.wrong * found.wrong).sum()) / 2


def _pseudo_rows(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted | None, gain: float
) -> float:
    """Return what rows that were not drawn add to the sum of squares, in any sample."""
    truth = sample.truth
    if metric.family == "proportion" and metric.hits is not None:
        # One row of each kind on which only one model is right (Bonett and Price), or one right and one
        # wrong row of a single model; a row counts more where only some rows are within.
        within = metric.hits(truth, candidate)[1]
        share = float(np.average(within, weights=truth.weight))
        ends = (1 - gain, 1 + gain) if reference is not None else (1 - gain, gain)
        return float(sum(end * end for end in ends)) / share**2
    if not _counts_cells(metric, truth):
        return 0.0
    assert truth.classes is not None, "unreachable: cells are counted for classes"
    k = len(truth.classes)
    found = []
    for predicted in (candidate, reference):
        if predicted is not None:
            assert predicted.labels is not None, "unreachable: the metric was computed from labels"
            mass = label_mass(truth.values, predicted.labels, truth.weight, k)
            found.append(_of_cells(metric, mass))
    return _pseudo_pair(*found) if len(found) == 2 else _pseudo_one(found[0])


def _areas(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted
) -> tuple[float, float, PairedAuc]:
    truth = sample.truth
    first, second = metric.value(truth, candidate), metric.value(truth, reference)
    psi = metric.influence(truth, candidate), metric.influence(truth, reference)
    if metric.higher_is_better:
        areas = (first, second)
    else:
        areas, psi = (second, first), psi[::-1]
    paired = paired_auc(*areas, *psi, truth.values == 1)
    if truth.weight is not None:
        negatives, positives = (max(1.0, size) for size in sample.class_sizes)
        paired = replace(paired, positives=positives, negatives=negatives)
    return first, second, paired


def _with_width(metric: Metric, sample: Sample, inference: Student) -> Student:
    """Return an inference that has a width, also where no row shows any spread.

    Two models that are both perfect, or wrong on the same rows, differ by nothing on these rows; on others
    they may. As with proportions, nothing was seen in so many rows.
    """
    reach = metric.bounds[1] - metric.bounds[0]
    if inference.standard_error > 0 or not np.isfinite(reach):
        return inference
    z = normal_quantile(_READ_AT)
    rows = min((size for size in sample.class_sizes if size > 0), default=sample.effective)
    return replace(inference, standard_error=float(reach * z / (rows + z * z)))


def _ranked_df(metric: Metric, sample: Sample) -> int | None:
    """Return the degrees of freedom of a ranking metric: those of its smallest class."""
    if metric.family != "ranking" or not sample.class_sizes:
        return None
    return max(1, int(min(size for size in sample.class_sizes if size > 0)) - 1)


def _counts_cells(metric: Metric, truth: Truth) -> bool:
    return metric.family == "cells" and metric.cell_influence is not None and truth.classes is not None


def _within(metric: Metric, within: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    n = int(np.count_nonzero(within))
    if n == 0:
        raise UndefinedMetricError(
            f"{metric.name} has no row that counts for it.",
            "Check how the rows were selected; where this is a slice, raise its min_rows.",
        )
    return n
