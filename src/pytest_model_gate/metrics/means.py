"""Metrics that are the mean of one loss per row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .checked import checked
from .levels import Floats
from .metric import Metric, OfParts
from .rows import Needs, Predicted, Truth


def mean_metric(
    name: str,
    needs: Needs,
    losses: Callable[[Truth, Predicted], Floats],
    *,
    most: float = float("inf"),
) -> Metric:
    """Return the metric whose value is the (weighted) mean of ``losses``.

    Parameters
    ----------
    losses : callable
        ``losses(truth, predicted) -> ndarray of shape (n,)``, freshly made and not yet weighted. The loss of
        a row depends on nothing but this row.
    most : float
        Greatest possible value.
    """

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        per_row = losses(truth, predicted)
        per_row -= truth.mean(per_row)
        return truth.weigh(per_row)

    def of_parts(truth: Truth, predicted: Predicted) -> OfParts:
        assert truth.starts is not None, "asked only of parts"
        per_row = losses(truth, predicted)
        sizes = np.diff(truth.starts, append=truth.n)
        return OfParts(values=np.add.reduceat(per_row, truth.starts) / sizes, influence=per_row)

    return checked(
        Metric(
            name=name,
            task="regression" if needs == "value" else "classification",
            needs=needs,
            higher_is_better=False,
            value=lambda truth, predicted: truth.mean(losses(truth, predicted)),
            influence=influence,
            family="mean",
            losses=losses,
            of_parts=of_parts,
            bounds=(0.0, most),
        )
    )
