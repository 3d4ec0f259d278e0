"""Random halves of the rows for cross-fitting, the same ones however the rows come; groups stay together."""

from __future__ import annotations

import numpy as np

from ..metrics.metric import Metric
from ..metrics.rows import Mask, Predicted
from ..metrics.separation import SEED, halvings
from ..stats.bootstrap_order import by_content
from .resampled import columns
from .sample import Sample


def row_halves(metric: Metric, sample: Sample, predicted: Predicted) -> list[Mask] | None:
    """Return halves of the rows as one model sees them; ``None`` where any rows can change places."""
    if sample.simple:
        return None
    truth = sample.truth
    shared = [truth.values] if truth.weight is None else [truth.values, truth.weight]
    ordered = by_content([*shared, *columns(metric, predicted)], (), (), sample.design)
    groups = ordered.design.groups
    units = np.arange(sample.n) if groups is None else groups
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(halvings(sample.n)):
        half = np.empty(sample.n, dtype=np.bool_)
        half[ordered.order] = rng.integers(0, 2, int(units[-1]) + 1, dtype=np.int8)[units] == 1
        found.append(half)
    return found
