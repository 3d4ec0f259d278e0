"""One function per family of metrics and kind of sample: which one measures, as values and inference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..metrics.function import NotSmoothError
from ..metrics.metric import Metric
from ..metrics.rows import Predicted
from ..stats.flattered import Flattered
from ..stats.unknown import Unknown
from .areas import is_area
from .by_influence import one_influence, paired_influence
from .by_query import queries_one, queries_pair
from .calibrated import bins, distances
from .cells import counts_cells
from .crossfit import row_halves
from .found import Found, relative_weight
from .limits import not_judged
from .on_target import close, closer
from .plain import (
    one_area,
    one_mean,
    one_of_cells,
    one_proportion,
    paired_areas,
    paired_cells,
    paired_means,
    paired_proportions,
)
from .resampled import resampled_one, resampled_pair
from .sample import Sample

#: With fewer rows of a class the best threshold of the rows is too far from the best one.
MINIMUM_CHOSEN = 50

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
        if is_area(metric, sample):
            return paired_areas, one_area
        if counts_cells(metric, sample.truth):
            return paired_cells, one_of_cells
    return paired_influence, one_influence


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
    return replace(
        found, inference=Flattered(found.inference, -shift, sample.few_of_class(metric.name, MINIMUM_CHOSEN))
    )


def one_maximum(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """The same of one model."""
    own, labels = _at_best(metric, sample, candidate)
    found = methods(own, sample)[1](own, sample, labels, floor)
    shift = _flattery(metric, sample, candidate)
    return replace(
        found, inference=Flattered(found.inference, -shift, sample.few_of_class(metric.name, MINIMUM_CHOSEN))
    )


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


def _at_best(metric: Metric, sample: Sample, predicted: Predicted) -> tuple[Metric, Predicted]:
    assert metric.labelled_at_best is not None, "chosen for metrics that have it"
    return metric.labelled_at_best(sample.truth, predicted)


def _flattery(metric: Metric, sample: Sample, predicted: Predicted) -> float:
    """Return how much larger a value is at its best threshold than at those that other rows chose."""
    assert metric.apart is not None, "chosen for metrics that have it"
    apart = metric.apart(sample.truth, predicted, row_halves(metric, sample, predicted))
    return metric.value(sample.truth, predicted) - apart
