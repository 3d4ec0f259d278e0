"""Metrics that are the distance of a share of rows from its target, measured for two models and for one."""

from __future__ import annotations

import numpy as np

from ..metrics.metric import Metric
from ..metrics.rows import Floats, Mask, Predicted, Truth
from ..stats.closeness import Close, Closer, close_of_counts, closer_of_counts, side, signed
from ..stats.influence import from_influence
from .sample import Sample

#: One imaginary row of each kind on which only one model is right, and half a right and half a wrong one of
#: one model, as for other shares in a sample that is not plain.
_PSEUDO_PAIR, _PSEUDO_ONE = 2.0, 0.5


def closer(
    metric: Metric, sample: Sample, candidate: Predicted, reference: Predicted
) -> tuple[float, float, Closer]:
    """Return both distances, and the inference on how much closer the candidate is."""
    truth, (target, first) = sample.truth, _asked(metric, sample, candidate)
    _, second = _asked(metric, sample, reference)
    values = metric.value(truth, candidate), metric.value(truth, reference)
    if sample.simple:
        both = int(np.count_nonzero(first & second))
        only = int(np.count_nonzero(first)) - both, int(np.count_nonzero(second)) - both
        return *values, closer_of_counts(both, *only, sample.n - both - sum(only), target)
    (one, of_one), (other, of_other) = _share(truth, first), _share(truth, second)
    shares, psi = (one, other), (of_one, of_other)
    difference = from_influence(shares[0] - shares[1], psi[0] - psi[1], sample.design, pseudo=_PSEUDO_PAIR)
    total = from_influence(sum(shares) - 2 * target, psi[0] + psi[1], sample.design, pseudo=_PSEUDO_PAIR)
    sides = (
        side(share - target, from_influence(share, each, sample.design, pseudo=_PSEUDO_ONE).standard_error)
        for share, each in zip(shares, psi, strict=True)
    )
    return *values, Closer(values[1] - values[0], signed(difference), signed(total), *sides)


def close(metric: Metric, sample: Sample, candidate: Predicted, ceiling: float) -> tuple[float, Close]:
    """Return a distance, and the inference on how far below a ceiling it is."""
    truth, (target, hits) = sample.truth, _asked(metric, sample, candidate)
    value = metric.value(truth, candidate)
    if sample.simple:
        return value, close_of_counts(int(np.count_nonzero(hits)), sample.n, target, ceiling)
    share, psi = _share(truth, hits)
    deviation = from_influence(share - target, psi, sample.design, pseudo=_PSEUDO_ONE)
    return value, Close(ceiling - value, ceiling, signed(deviation))


def _share(truth: Truth, hits: Mask) -> tuple[float, Floats]:
    """Return a share of rows, and its influence."""
    psi: Floats = hits.astype(np.float64)
    share = truth.mean(psi)
    psi -= share
    return share, truth.weigh(psi)


def _asked(metric: Metric, sample: Sample, predicted: Predicted) -> tuple[float, Mask]:
    assert metric.target is not None, "chosen for metrics that have a target"
    assert metric.hits is not None, "chosen for metrics that have hits"
    return metric.target, metric.hits(sample.truth, predicted)[0]
