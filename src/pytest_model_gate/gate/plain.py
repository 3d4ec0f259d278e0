"""Plain random samples: the score and exact methods of each family, for two models or one and a floor."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import UndefinedMetricError
from ..metrics.metric import Metric
from ..metrics.rows import Predicted
from ..stats.clopper_pearson import Proportion
from ..stats.inference import Inference
from ..stats.influence import tilted_too
from ..stats.mean import mean_of_rows
from ..stats.relative import RelativeProportions
from ..stats.student import Student
from ..stats.tango import PairedProportions
from ..stats.tilted import tilted
from ..stats.wider import Wider
from .areas import in_unit, one_model_area, two_model_areas
from .cells import imaginary_one, imaginary_pair, joint_cells, label_mass, of_cells
from .found import Found, needed_df, relative_weight, with_width
from .sample import Sample


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
    paired = two_model_areas(metric, sample, candidate, reference, relative)
    return Found(*values, in_unit(metric, paired))


def paired_means(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted, relative: float
) -> Found:
    """The paired t interval of two mean losses and, for fewer rows, the tilted score."""
    assert metric.losses is not None, "chosen for metrics that have losses"
    losses = [metric.losses(sample.truth, each) for each in (candidate, reference)]
    values = float(losses[0].mean()), float(losses[1].mean())
    weight = relative_weight(metric, values[1], relative)
    if weight != 1:
        # What a relative tolerance adds to each row is taken off the mean again: the gain stays the gain.
        losses[1] = weight * losses[1]
    # Taken from the list: numpy writes a difference into the memory of what nothing else refers to.
    better = metric.higher_is_better
    gains = losses.pop(0) - losses.pop() if better else losses.pop() - losses.pop()
    shift = relative * abs(values[1])
    inference = mean_of_rows(gains, shift, size=max(map(abs, values)), needed=needed_df(metric))
    return Found(*values, tilted_too(inference, gains, sample.design))


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
    return Found(value, floor, Wider(score, with_width(metric, sample, plain, value)))


def one_area(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """Newcombe's score bounds of one area."""
    value = metric.value(sample.truth, candidate)
    return Found(value, floor, in_unit(metric, one_model_area(metric, sample, value, floor)))


def one_mean(metric: Metric, sample: Sample, candidate: Predicted, floor: float) -> Found:
    """The same of one model."""
    assert metric.losses is not None, "chosen for metrics that have losses"
    losses = metric.losses(sample.truth, candidate)
    value, gains = float(losses.mean()), metric.sign * losses
    inference = mean_of_rows(gains, metric.sign * floor, size=value, needed=needed_df(metric))
    return Found(value, floor, tilted_too(inference, gains, sample.design))


def _within(metric: Metric, within: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    n = int(np.count_nonzero(within))
    if n == 0:
        raise UndefinedMetricError(
            f"{metric.name} has no row that counts for it.",
            "Check how the rows were selected; where this is a slice, raise its min_rows.",
        )
    return n
