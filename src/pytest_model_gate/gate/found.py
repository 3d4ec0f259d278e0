"""What measuring finds, and what families share: the weight of a reference, and what a width needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..metrics.metric import Metric
from ..stats.inference import Inference, normal_quantile
from ..stats.reach import READ_AT
from ..stats.student import Student
from ..stats.tails import MINIMUM_KNOWN, MINIMUM_KNOWN_CLASSES, MINIMUM_KNOWN_NUMBERS
from ..stats.tango import PairedProportions
from .sample import Sample

#: How close to the end of its range a value is perfect, as a share of the range: closer than any count shows.
_AT_BOUND = 1e-12


@dataclass(frozen=True, slots=True)
class Found:
    """The two values (where there is one model, the second is the floor), and the inference on the gain."""

    candidate: float
    reference: float
    inference: Inference
    paired: PairedProportions | None = None


def relative_weight(metric: Metric, reference: float, relative: float) -> float:
    """Return the weight of the reference where ``relative`` of its value is tolerated.

    The gain plus the tolerance is ``sign * (candidate - weight * reference)``: a relative tolerance is an
    estimate itself, and this contrast has the noise of both (Fieller's argument, without a division).
    """
    return 1.0 - metric.sign * math.copysign(relative, reference)


def needed_df(metric: Metric) -> float:
    """Return the degrees of freedom that the tails of the rows have to leave a variance with."""
    if metric.family not in ("mean", "smooth"):
        return MINIMUM_KNOWN
    return MINIMUM_KNOWN_NUMBERS if metric.task == "regression" else MINIMUM_KNOWN_CLASSES


def with_width(metric: Metric, sample: Sample, inference: Student, *values: float) -> Student:
    """Return an inference that has a width, also where every model is perfect.

    Perfect models show no spread on these rows; on others they may. As with proportions, nothing was seen
    to go wrong in so many rows.
    """
    reach = metric.bounds[1] - metric.bounds[0]
    if not all(
        min(abs(value - end) for end in metric.bounds) <= _AT_BOUND * reach < math.inf for value in values
    ):
        return inference
    z = normal_quantile(READ_AT)
    rows = min((size for size in sample.class_sizes if size > 0), default=sample.effective)
    return replace(inference, standard_error=max(inference.standard_error, reach * z / (rows + z * z)))
