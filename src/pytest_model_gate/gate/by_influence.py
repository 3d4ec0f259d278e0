"""Any sample of a metric with influence: weighted, grouped and stratified rows, rankings, smooth functions.

The score and exact methods of plain samples count rows, and rows of a group don't count in full. Their guards
are carried over: imaginary rows, MOVER near the ends of a range, the smallest class's degrees of freedom.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..metrics.metric import Metric
from ..metrics.rows import Floats, Predicted
from ..stats import average_precision
from ..stats.design import Codes
from ..stats.flattered import Flattered
from ..stats.group_skew import FEW_GROUPS
from ..stats.influence import design_effect, from_influence, tilted_too
from ..stats.student import Student
from ..stats.tails import MINIMUM_KNOWN, MINIMUM_KNOWN_IN_FEW_GROUPS
from ..stats.wider import Wider
from .areas import in_unit, is_area, one_model_area, two_model_areas
from .cells import counts_cells, imaginary_one, imaginary_pair, label_mass, of_cells
from .found import Found, needed_df, relative_weight, with_width
from .sample import Sample

#: The one ranking metric whose spread under two normal classes is known here.
AVERAGE_PRECISION = "average_precision"

#: What bounds of an average precision allow for, in the name of their method.
OWN_HITS = "own hits left out"


def paired_influence(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Influence values: Student's t and, for fewer units, the tilted score."""
    truth = sample.truth
    first, second = metric.value(truth, candidate), metric.value(truth, reference)
    weight = relative_weight(metric, second, relative)
    # numpy writes a difference into the memory of what nothing else refers to: a new array would cost more.
    if weight == 1:
        psi = metric.influence(truth, candidate) - metric.influence(truth, reference)
    else:
        psi = metric.influence(truth, candidate) - weight * metric.influence(truth, reference)
    if not metric.higher_is_better:
        np.negative(psi, out=psi)
    imaginary = _imaginary(metric, sample, candidate, reference, weight)
    kinds = _kinds(metric, sample, candidate, reference)
    inference = _student(metric, sample, metric.sign * (first - second), psi, imaginary, kinds)
    if is_area(metric, sample):
        # Weighted areas near 1 are as hard as others: no narrower than MOVER at the effective sizes.
        area = two_model_areas(metric, sample, candidate, reference, relative)
        if not area.trusts_delong:
            least = in_unit(metric, area).standard_error
            inference = replace(inference, standard_error=max(inference.standard_error, least))
    inference = with_width(metric, sample, inference, first, second)
    found = tilted_too(inference, psi, sample.design, imaginary=imaginary)
    effect = design_effect(psi, sample.design) if metric.name == AVERAGE_PRECISION else 1.0
    if metric.name == AVERAGE_PRECISION and hard_to_rank(sample, effect, first, second):
        other = metric.influence(truth, reference)
        rho = average_precision.correlation(psi + weight * other, other)
        rows = sample.effective / effect
        one, two = precision(sample, first, rows), precision(sample, second, rows)
        found = Wider(found, average_precision.PairedPrecision(one, two, rho, weight))
    if metric.flattery is not None:
        flattery = metric.flattery(truth, candidate) - weight * metric.flattery(truth, reference)
        found = Flattered(found, -metric.sign * flattery, how=OWN_HITS)
    return Found(first, second, found)


def one_influence(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """The same of one model."""
    truth = sample.truth
    value = metric.value(truth, candidate)
    psi = metric.sign * metric.influence(truth, candidate)
    imaginary = _imaginary(metric, sample, candidate, None)
    kinds = _kinds(metric, sample, candidate)
    inference = _student(metric, sample, metric.sign * (value - floor), psi, imaginary, kinds)
    if is_area(metric, sample):
        least = in_unit(metric, one_model_area(metric, sample, value, floor)).standard_error
        inference = replace(inference, standard_error=max(inference.standard_error, least))
    inference = with_width(metric, sample, inference, value)
    found = tilted_too(inference, psi, sample.design, imaginary=imaginary)
    effect = design_effect(psi, sample.design) if metric.name == AVERAGE_PRECISION else 1.0
    if metric.name == AVERAGE_PRECISION and hard_to_rank(sample, effect, value):
        rows = sample.effective / effect
        found = Wider(found, precision(sample, value, rows, floor))
    if metric.flattery is not None:
        found = Flattered(found, -metric.sign * metric.flattery(truth, candidate), how=OWN_HITS)
    return Found(value, floor, found)


def _student(
    metric: Metric, sample: Sample, gain: float, psi: Floats, imaginary: Floats, kinds: Codes | None
) -> Student:
    """Return Student's interval of an estimate from its influence, as this metric and this sample need it."""
    return from_influence(
        gain,
        psi,
        sample.design,
        imaginary=imaginary,
        df=ranked_df(metric, sample),
        kinds=kinds,
        needed=_needed(metric, sample),
    )


def _kinds(metric: Metric, sample: Sample, *models: Predicted) -> Codes | None:
    """Return what kind of row each is, by what moves the metric: its class and, in few groups, its labels.

    Where labels are counted, the wrong ones carry the spread, and one of few groups may hold them all.
    """
    truth = sample.truth
    if truth.classes is None:
        return None
    kinds = truth.values
    if not _in_few_groups(sample):
        return kinds
    if metric.family == "proportion" and metric.hits is not None:
        for model in models:
            kinds = 2 * kinds + metric.hits(truth, model)[0]
    elif counts_cells(metric, truth):
        for model in models:
            assert model.labels is not None, "unreachable: the metric was computed from labels"
            kinds = len(truth.classes) * kinds + model.labels
    else:
        return kinds
    return np.asarray(np.unique(kinds, return_inverse=True)[1])


def _needed(metric: Metric, sample: Sample) -> float:
    """Return the degrees of freedom that the tails of the rows have to leave a variance with."""
    needed = needed_df(metric)
    averaged = metric.family == "ranking" and len(sample.class_sizes) > 2
    if _in_few_groups(sample) and (averaged or needed > MINIMUM_KNOWN):
        return MINIMUM_KNOWN_IN_FEW_GROUPS
    return needed


def _in_few_groups(sample: Sample) -> bool:
    return sample.design.groups is not None and sample.design.units < FEW_GROUPS


def _imaginary(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted | None, weight: float = 1.0
) -> Floats:
    """Return the influence of rows that were not drawn, half a row of each, in any sample."""
    truth = sample.truth
    if metric.family == "proportion" and metric.hits is not None:
        # One row of each kind on which only one model is right (Bonett and Price), or half a right and
        # half a wrong row of one model. A row counts for more where only some rows are within.
        hits, within = metric.hits(truth, candidate)
        share = float(np.average(within, weights=truth.weight))
        if reference is not None:
            return np.array([1.0, 1.0, -1.0, -1.0]) / share
        right = float(np.average(hits & within, weights=truth.weight)) / share
        return metric.sign * np.array([1 - right, -right]) / share
    if not counts_cells(metric, truth):
        return np.empty(0)
    assert truth.classes is not None, "unreachable: cells are counted for classes"
    k = len(truth.classes)
    found = []
    for predicted in (candidate, reference):
        if predicted is not None:
            assert predicted.labels is not None, "unreachable: the metric was computed from labels"
            mass = label_mass(truth.values, predicted.labels, truth.weight, k)
            found.append(of_cells(metric, mass))
    if len(found) == 2:
        return metric.sign * imaginary_pair(found[0], found[1], weight)
    return metric.sign * imaginary_one(found[0])


def hard_to_rank(sample: Sample, effect: float, *values: float) -> bool:
    """Whether rows that are ranked badly are so rare that a sample may show none.

    Rows of groups count as the independent rows that they say as much as: ``effect`` rows as one.
    """
    rarest = min(sample.class_sizes) / effect
    return rarest < average_precision.ENOUGH_ROWS or max(values) > average_precision.NEAR_ONE


def precision(sample: Sample, value: float, rows: float, floor: float = 0.0) -> average_precision.Precision:
    """Return one average precision that is hard to rank, as said by so many independent rows."""
    if sample.truth.weight is None:
        prevalence = sample.class_sizes[1] / sample.n
    else:
        prevalence = float(np.average(sample.truth.values == 1, weights=sample.truth.weight))
    return average_precision.Precision(value, prevalence, rows, floor)


def ranked_df(metric: Metric, sample: Sample) -> int | None:
    """Return the degrees of freedom of a ranking metric: those of its smallest class."""
    if metric.family != "ranking" or not sample.class_sizes:
        return None
    return max(1, int(min(size for size in sample.class_sizes if size > 0)) - 1)
