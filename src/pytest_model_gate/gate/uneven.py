"""Weights too unequal for the few rows that tell: what was not drawn may count for more than all that was.

Where a metric counts labels, a gain hangs on the rows on which the models differ, and their weights are a
sample of all weights. A sum of ``m`` such weights is as skewed as ``E[w^3] / E[w^2]^1.5 / sqrt(m)``, however
mild the weights that were drawn look.
"""

from __future__ import annotations

import numpy as np

from ..metrics.metric import Metric
from ..metrics.rows import Floats, Predicted
from ..stats.design import Mask
from .sample import Sample

#: So skewed may the sum of the weights of the rows be that tell. Measured for accuracy at its margin, with
#: log-normal weights (sigma 1 to 2): up to 31 % pass without this limit, at most 6 % with it.
MOST_SKEW = 0.7

#: With weights no more uneven than this (1: all equal) intervals hold for any number of rows.
EVEN = 1.5


def uneven_pair(metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted) -> str:
    """Return why the weights leave a comparison undecided. Empty: they don't."""
    found = _right(metric, sample, candidate)
    other = _right(metric, sample, reference)
    if sample.truth.weight is None or found is None or other is None:
        return ""
    (first, within), (second, _) = found, other
    if metric.family != "proportion" and candidate.labels is not None and reference.labels is not None:
        apart = candidate.labels != reference.labels  # two wrong labels may count differently
    else:
        apart = first != second
    return _uneven(
        sample.truth.weight[within], int(np.count_nonzero(apart & within)), "tell the models apart"
    )


def uneven_one(metric: Metric, sample: Sample, candidate: Predicted) -> str:
    """Return why the weights leave a floor undecided. Empty: they don't."""
    found = _right(metric, sample, candidate)
    if sample.truth.weight is None or found is None:
        return ""
    right, within = found
    of_right, of_all = int(np.count_nonzero(right & within)), int(np.count_nonzero(within))
    few, what = min((of_right, "are right"), (of_all - of_right, "are wrong"))
    return _uneven(sample.truth.weight[within], few, what)


def _right(metric: Metric, sample: Sample, predicted: Predicted) -> tuple[Mask, Mask] | None:
    """Return the rows that count as right and those that count at all; ``None`` for other kinds of metric."""
    truth = sample.truth
    if truth.weight is None:
        return None
    if metric.family == "proportion" and metric.hits is not None:
        return metric.hits(truth, predicted)
    if metric.family == "cells" and truth.classes is not None and predicted.labels is not None:
        return predicted.labels == truth.values, np.ones(truth.n, dtype=np.bool_)
    return None


def _uneven(weight: Floats, rows: int, what: str) -> str:
    if not len(weight):
        return ""
    skew = float((weight**3).mean() / (weight**2).mean() ** 1.5)
    needed = int(np.ceil((skew / MOST_SKEW) ** 2))
    if skew <= EVEN or rows >= needed:
        return ""
    return (
        f"{rows:,} rows {what}, and the weights are so unequal that one that was not drawn may count for "
        f"more than these: at least {needed:,} are needed"
    )
