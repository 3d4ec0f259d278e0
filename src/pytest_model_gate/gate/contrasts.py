"""What every row adds to one question: the candidate's influence minus that of what it is judged against."""

from __future__ import annotations

import numpy as np

from ..errors import EvaluationError
from ..metrics.metric import Metric
from ..metrics.rows import Floats, Predicted
from .sample import Sample

#: Families whose metrics have no influence function: they are resampled, or never judged.
_WITHOUT = ("resampled", "value")

#: Families with a kink: near it an estimate is not normal, and influence is the least of its error.
_KINKED = ("maximum", "closeness", "distance", "binned")


def has_influence(metric: Metric) -> bool:
    """Whether a metric tells how much each row moves it, and so how it is spread together with others."""
    return metric.family not in (*_WITHOUT, *_KINKED)


def contrast(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted | None, weight: float = 1.0
) -> Floats | None:
    """Return one number per row, mean zero, oriented so that larger is better for the candidate.

    Parameters
    ----------
    metric : Metric
        What is measured.
    sample : Sample
        The rows.
    candidate : Predicted
        On these rows.
    reference : Predicted or None
        The other model; ``None`` where the candidate is judged against a fixed value.
    weight : float
        Of the other model, below or above 1 where a share of its value is tolerated.

    Returns
    -------
    ndarray, shape (n,), or None
        ``None`` where the metric has no influence on these rows.
    """
    if not has_influence(metric):
        return None
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(metric.influence(sample.truth, candidate), dtype=np.float64)
            if reference is not None:
                found = found - weight * metric.influence(sample.truth, reference)
    except EvaluationError:
        return None
    return metric.sign * found if np.isfinite(found.sum()) else None
