"""One function per family of metrics and kind of sample: values and inference, as computed.

Plain random samples have the score and exact methods of their family. Weighted, grouped and stratified
rows use influence values with Student's t for every family, because the other methods count rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import UndefinedMetricError
from ..metrics.function import NotSmoothError
from ..metrics.metric import Metric
from ..metrics.rows import Floats, Predicted, Truth
from ..stats import average_precision
from ..stats.auc import Auc, PairedAuc, paired_auc
from ..stats.clopper_pearson import Proportion
from ..stats.flattered import Flattered
from ..stats.inference import Inference, normal_quantile
from ..stats.influence import design_effect, from_influence, tilted_too
from ..stats.mean import mean_of_rows
from ..stats.relative import RelativeProportions
from ..stats.scaled import Scaled
from ..stats.student import Student
from ..stats.tails import MINIMUM_KNOWN, MINIMUM_KNOWN_CLASSES, MINIMUM_KNOWN_NUMBERS
from ..stats.tango import PairedProportions
from ..stats.tilted import tilted
from ..stats.unknown import Unknown
from ..stats.wider import Wider
from .by_query import queries_one, queries_pair
from .calibrated import bins, distances
from .cells import imaginary_one, imaginary_pair, joint_cells, label_mass, of_cells
from .crossfit import row_halves
from .limits import not_judged
from .on_target import close, closer
from .resampled import resampled_one, resampled_pair
from .sample import Sample

#: The level at which an interval without any spread gets its width.
_READ_AT = 0.05

#: With fewer rows of a class the best threshold of the rows is too far from the best one.
MINIMUM_CHOSEN = 50

#: The one ranking metric whose spread under two normal classes is known here.
AVERAGE_PRECISION = "average_precision"

#: How close to the end of its range a value is perfect, as a share of the range: closer than any count shows.
_AT_BOUND = 1e-12


@dataclass(frozen=True, slots=True)
class Found:
    """The two values (where there is one model, the second is the floor), and the inference on the gain."""

    candidate: float
    reference: float
    inference: Inference
    paired: PairedProportions | None = None


# -- plain random samples: two models ----------------------------------------------------------------


def paired_proportions(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
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
    inference: Inference = paired
    if relative:
        better = metric.higher_is_better
        inference = RelativeProportions(
            paired, other if better else n - other, relative if better else -relative
        )
    return Found(right / n, other / n, inference, paired)


def paired_cells(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """The tilted score interval of confusion cells, with half an imaginary row of each kind."""
    truth = sample.truth
    assert truth.classes is not None, "chosen for classes"
    assert candidate.labels is not None, "chosen for labels"
    assert reference.labels is not None, "chosen for labels"
    k = len(truth.classes)
    joint = joint_cells(truth.values, candidate.labels, reference.labels, k)
    values = metric.value(truth, candidate), metric.value(truth, reference)
    first = of_cells(metric, label_mass(joint.true, joint.candidate, joint.rows, k))
    second = of_cells(metric, label_mass(joint.true, joint.reference, joint.rows, k))
    weight = relative_weight(metric, values[1], relative)
    psi = (
        first.influence[joint.true, joint.candidate] - weight * second.influence[joint.true, joint.reference]
    )
    gain = metric.sign * (values[0] - values[1])
    imaginary = imaginary_pair(first, second, weight)
    return Found(*values, tilted(gain, metric.sign * psi, joint.rows, metric.sign * imaginary))


def paired_areas(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """DeLong's interval of two areas, MOVER near 1 and in small classes."""
    values = metric.value(sample.truth, candidate), metric.value(sample.truth, reference)
    paired = _areas(metric, sample, candidate, reference, relative)
    return Found(*values, _in_unit(metric, paired))


def paired_means(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """The paired t interval of two mean losses and, for fewer rows, the tilted score."""
    assert metric.losses is not None, "chosen for metrics that have losses"
    first = metric.losses(sample.truth, candidate)
    second = metric.losses(sample.truth, reference)
    values = float(first.mean()), float(second.mean())
    weight = relative_weight(metric, values[1], relative)
    # What a relative tolerance adds to each row is taken off the mean again: the gain stays the gain.
    weighted = second if weight == 1 else weight * second
    gains = first - weighted if metric.higher_is_better else weighted - first
    shift = relative * abs(values[1])
    inference = mean_of_rows(gains, shift, size=max(map(abs, values)), needed=_known(metric))
    return Found(*values, tilted_too(inference, gains, sample.design))


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
    """The same of one model."""
    truth = sample.truth
    assert truth.classes is not None, "chosen for classes"
    assert candidate.labels is not None, "chosen for labels"
    k = len(truth.classes)
    mass = label_mass(truth.values, candidate.labels, None, k)
    value, found = metric.value(truth, candidate), of_cells(metric, mass)
    gain = metric.sign * (value - floor)
    psi, imaginary = metric.sign * found.influence.ravel(), metric.sign * imaginary_one(found)
    score = tilted(gain, psi, mass.ravel(), imaginary)
    # Near the ends of its range the score test accuses a perfect model's few mistakes; there the t interval,
    # which passes too easily elsewhere, is the wider one.
    plain = Student(gain, score.standard_error, score.units - 1, "t")
    return Found(value, floor, Wider(score, _with_width(metric, sample, plain, value)))


def one_area(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """Newcombe's score bounds of one area."""
    value = metric.value(sample.truth, candidate)
    return Found(value, floor, _in_unit(metric, _area(metric, sample, value, floor)))


def one_mean(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """The same of one model."""
    assert metric.losses is not None, "chosen for metrics that have losses"
    losses = metric.losses(sample.truth, candidate)
    value, gains = float(losses.mean()), metric.sign * losses
    inference = mean_of_rows(gains, metric.sign * floor, size=value, needed=_known(metric))
    return Found(value, floor, tilted_too(inference, gains, sample.design))


# -- any sample ----------------------------------------------------------------------------------------


def paired_influence(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Influence values: Student's t and, for fewer units, the tilted score."""
    truth = sample.truth
    first, second = metric.value(truth, candidate), metric.value(truth, reference)
    weight = relative_weight(metric, second, relative)
    psi, other = metric.influence(truth, candidate), metric.influence(truth, reference)
    psi = psi - (other if weight == 1 else weight * other)
    if not metric.higher_is_better:
        np.negative(psi, out=psi)
    imaginary = _imaginary(metric, sample, candidate, reference, weight)
    inference = from_influence(
        metric.sign * (first - second),
        psi,
        sample.design,
        imaginary=imaginary,
        df=_ranked_df(metric, sample),
        kinds=None if truth.classes is None else truth.values,
        needed=_known(metric),
    )
    if _is_area(metric, sample):
        # Weighted areas near 1 are as hard as others: no narrower than MOVER at the effective sizes.
        area = _areas(metric, sample, candidate, reference, relative)
        if not area.trusts_delong:
            least = _in_unit(metric, area).standard_error
            inference = replace(inference, standard_error=max(inference.standard_error, least))
    inference = _with_width(metric, sample, inference, first, second)
    found = tilted_too(inference, psi, sample.design, imaginary=imaginary)
    if metric.name == AVERAGE_PRECISION and _hard_to_rank(sample, first, second):
        rho = average_precision.correlation(psi + weight * other, other)
        rows = sample.effective / design_effect(psi, sample.design)
        one, two = _precision(sample, first, rows), _precision(sample, second, rows)
        found = Wider(found, average_precision.PairedPrecision(one, two, rho, weight))
    return Found(first, second, found)


def one_influence(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """The same of one model."""
    truth = sample.truth
    value = metric.value(truth, candidate)
    psi = metric.sign * metric.influence(truth, candidate)
    imaginary = _imaginary(metric, sample, candidate, None)
    inference = from_influence(
        metric.sign * (value - floor),
        psi,
        sample.design,
        imaginary=imaginary,
        df=_ranked_df(metric, sample),
        kinds=None if truth.classes is None else truth.values,
        needed=_known(metric),
    )
    if _is_area(metric, sample):
        least = _in_unit(metric, _area(metric, sample, value, floor)).standard_error
        inference = replace(inference, standard_error=max(inference.standard_error, least))
    inference = _with_width(metric, sample, inference, value)
    found = tilted_too(inference, psi, sample.design, imaginary=imaginary)
    if metric.name == AVERAGE_PRECISION and _hard_to_rank(sample, value):
        rows = sample.effective / design_effect(psi, sample.design)
        found = Wider(found, _precision(sample, value, rows, floor))
    return Found(value, floor, found)


# -- no interval ---------------------------------------------------------------------------------------


def paired_values(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Two values that are shown and not judged."""
    del relative  # a share of nothing that is judged
    values = metric.value(sample.truth, candidate), metric.value(sample.truth, reference)
    return Found(*values, Unknown(metric.sign * (values[0] - values[1]), not_judged(metric)))


def one_value(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """One value that is shown and not judged."""
    value = metric.value(sample.truth, candidate)
    return Found(value, floor, Unknown(metric.sign * (value - floor), not_judged(metric)))


def paired_resamples(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Bootstrap, for metrics that have no influence."""
    first, second = metric.value(sample.truth, candidate), metric.value(sample.truth, reference)
    gain, weight = metric.sign * (first - second), relative_weight(metric, second, relative)
    return Found(first, second, resampled_pair(metric, sample, candidate, reference, gain, weight))


def one_resampled(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """Bootstrap of one model."""
    value = metric.value(sample.truth, candidate)
    return Found(value, floor, resampled_one(metric, sample, candidate, floor))


def paired_derived(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Influence of a function of labels where it has a derivative, the bootstrap elsewhere."""
    own = _with_derivative(metric, sample)
    try:
        return methods(own, sample)[0](own, sample, candidate, reference, relative)
    except NotSmoothError:
        return paired_resamples(metric, sample, candidate, reference, relative)


def one_derived(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """The same of one model."""
    own = _with_derivative(metric, sample)
    try:
        return methods(own, sample)[1](own, sample, candidate, floor)
    except NotSmoothError:
        return one_resampled(metric, sample, candidate, floor)


def _with_derivative(metric: Metric, sample: Sample) -> Metric:
    assert metric.labelled is not None, "chosen for metrics that have it"
    assert sample.truth.classes is not None, "chosen for classes"
    return replace(metric, cell_influence=metric.labelled(sample.truth.classes), labelled=None)


def paired_queries(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Paired t over the queries."""
    weight = relative_weight(metric, metric.value(sample.truth, reference), relative)
    first, second, inference = queries_pair(metric, sample, candidate, reference, weight)
    return Found(first, second, inference)


def one_of_queries(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """T interval of one model over the queries."""
    value, inference = queries_one(metric, sample, candidate, floor)
    return Found(value, floor, inference)


def paired_distances(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Bounds of the difference of two distances, projected from those of the deviations."""
    assert not relative, "refused: such a distance can be 0"
    return Found(*distances(metric, sample, candidate, reference))


def one_distance(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """Bounds of one distance from a ceiling."""
    return Found(*distances(metric, sample, candidate, floor))


def paired_bins(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Influence in bins, with an allowance for the bias of the estimates."""
    assert not relative, "refused: what is estimated without its noise can be 0 or negative"
    return Found(*bins(metric, sample, candidate, reference))


def one_binned(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """Influence in bins of one model, with an allowance for the bias of the estimate."""
    return Found(*bins(metric, sample, candidate, floor))


def paired_maxima(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Values at the best thresholds, which flatter: with bounds that hold at those of other rows, too."""
    own, first = _at_best(metric, sample, candidate)
    _, second = _at_best(metric, sample, reference)
    found = methods(own, sample)[0](own, sample, first, second, relative)
    weight = relative_weight(metric, found.reference, relative)
    shift = _flattery(metric, sample, candidate) - weight * _flattery(metric, sample, reference)
    return replace(found, inference=Flattered(found.inference, -shift, _few(metric, sample)))


def one_maximum(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """The same of one model."""
    own, labels = _at_best(metric, sample, candidate)
    found = methods(own, sample)[1](own, sample, labels, floor)
    shift = _flattery(metric, sample, candidate)
    return replace(found, inference=Flattered(found.inference, -shift, _few(metric, sample)))


def paired_closeness(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """Distances of two shares from their target."""
    assert not relative, "refused: such a distance can be 0"
    return Found(*closer(metric, sample, candidate, reference))


def one_closeness(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """Distance of one share from its target."""
    value, inference = close(metric, sample, candidate, floor)
    return Found(value, floor, inference)


# -- which one ----------------------------------------------------------------------------------------

Pair = Callable[[Metric, Sample, Predicted, Predicted, float], Found]
One = Callable[[Metric, Sample, Predicted, float], Found]


def methods(metric: Metric, sample: Sample) -> tuple[Pair, One]:
    """Return how two models, and how one model and a floor, are measured on this sample."""
    if metric.family == "value":
        return paired_values, one_value
    if metric.family == "maximum" and metric.labelled_at_best is not None and metric.apart is not None:
        return paired_maxima, one_maximum
    if metric.family == "closeness" and metric.hits is not None and metric.target is not None:
        return paired_closeness, one_closeness
    if metric.family == "resampled":
        return paired_resamples, one_resampled
    if metric.labelled is not None and sample.truth.classes is not None:
        return paired_derived, one_derived
    if metric.family == "distance" and metric.deviation is not None:
        return paired_distances, one_distance
    if metric.family == "binned" and metric.binned is not None:
        return paired_bins, one_binned
    if metric.family == "query" and metric.by_query is not None:
        return paired_queries, one_of_queries
    if sample.simple:
        if metric.family == "proportion" and metric.hits is not None:
            return paired_proportions, one_proportion
        if metric.family == "mean" and metric.losses is not None:
            return paired_means, one_mean
        if _is_area(metric, sample):
            return paired_areas, one_area
        if _counts_cells(metric, sample.truth):
            return paired_cells, one_of_cells
    return paired_influence, one_influence


# -- parts --------------------------------------------------------------------------------------------


def relative_weight(metric: Metric, reference: float, relative: float) -> float:
    """Return the weight of the reference where ``relative`` of its value is tolerated.

    The gain plus the tolerance is ``sign * (candidate - weight * reference)``: a relative tolerance is an
    estimate itself, and this contrast has the noise of both (Fieller's argument, without a division).
    """
    return 1.0 - metric.sign * math.copysign(relative, reference)


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
    if not _counts_cells(metric, truth):
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


def _at_best(metric: Metric, sample: Sample, predicted: Predicted) -> tuple[Metric, Predicted]:
    assert metric.labelled_at_best is not None, "chosen for metrics that have it"
    return metric.labelled_at_best(sample.truth, predicted)


def _flattery(metric: Metric, sample: Sample, predicted: Predicted) -> float:
    """Return how much larger a value is at its best threshold than at those that other rows chose."""
    assert metric.apart is not None, "chosen for metrics that have it"
    apart = metric.apart(sample.truth, predicted, row_halves(metric, sample, predicted))
    return metric.value(sample.truth, predicted) - apart


def _few(metric: Metric, sample: Sample) -> str:
    least = min(sample.class_sizes)
    if least >= MINIMUM_CHOSEN:
        return ""
    code = sample.class_sizes.index(least)
    size = int(np.count_nonzero(sample.truth.values == code))
    return (
        f"{size:,} rows of class {(sample.truth.classes or ())[code]!r} are too few for an interval of "
        f"{metric.name}, at least {MINIMUM_CHOSEN} are needed"
    )


def _is_area(metric: Metric, sample: Sample) -> bool:
    return metric.family == "auc" and metric.higher_is_better and len(sample.class_sizes) == 2


def _scale(metric: Metric) -> tuple[float, float]:
    """Return what an area of 0 is in the metric's unit, and how much an area of 1 is more."""
    low, high = metric.bounds
    return (low, high - low) if math.isfinite(high - low) else (0.0, 1.0)


def _in_unit(metric: Metric, inference: PairedAuc | Auc) -> Inference:
    _, unit = _scale(metric)
    return inference if unit == 1 else Scaled(inference, unit)


def _area(metric: Metric, sample: Sample, value: float, floor: float) -> Auc:
    low, unit = _scale(metric)
    negatives, positives = sample.class_sizes
    return Auc((value - low) / unit, positives, negatives, (floor - low) / unit)


def _areas(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> PairedAuc:
    """Return the inference on two areas, whatever the metric makes of an area."""
    truth, (low, unit) = sample.truth, _scale(metric)
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


def _with_width(metric: Metric, sample: Sample, inference: Student, *values: float) -> Student:
    """Return an inference that has a width, also where every model is perfect.

    Perfect models show no spread on these rows; on others they may. As with proportions, nothing was seen
    to go wrong in so many rows.
    """
    reach = metric.bounds[1] - metric.bounds[0]
    if not all(
        min(abs(value - end) for end in metric.bounds) <= _AT_BOUND * reach < math.inf for value in values
    ):
        return inference
    z = normal_quantile(_READ_AT)
    rows = min((size for size in sample.class_sizes if size > 0), default=sample.effective)
    return replace(inference, standard_error=max(inference.standard_error, reach * z / (rows + z * z)))


def _hard_to_rank(sample: Sample, *values: float) -> bool:
    """Whether rows that are ranked badly are so rare that a sample may show none."""
    return min(sample.class_sizes) < average_precision.ENOUGH_ROWS or max(values) > average_precision.NEAR_ONE


def _precision(sample: Sample, value: float, rows: float, floor: float = 0.0) -> average_precision.Precision:
    prevalence = float(np.average(sample.truth.values == 1, weights=sample.truth.weight))
    return average_precision.Precision(value, prevalence, rows, floor)


def _known(metric: Metric) -> float:
    """Return the degrees of freedom that the tails of the rows have to leave a variance with."""
    if metric.family not in ("mean", "smooth"):
        return MINIMUM_KNOWN
    return MINIMUM_KNOWN_NUMBERS if metric.task == "regression" else MINIMUM_KNOWN_CLASSES


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
