"""Shares of rows that no confusion matrix tells: rows whose class is among the k most probable ones."""

from __future__ import annotations

import numpy as np

from .checked import checked, undefined
from .levels import Floats
from .metric import Metric
from .rows import Mask, Predicted, Truth


def top_k_accuracy(name: str, k: float | None) -> Metric:
    """Return the share of rows whose class is among the k most probable ones.

    Of equally probable classes the later one counts as more probable, and of two classes the first one, as
    in scikit-learn. With as many places as classes every row is right, which says nothing: undefined.
    """
    assert k is not None, "the stem alone stands for a number"
    places = int(k)

    def right(truth: Truth, predicted: Predicted) -> Mask:
        classes = len(truth.classes or ())
        if places >= classes:
            found = f"this target has {classes:,}"
            remedy = "Use a smaller k." if classes > 2 else "Use accuracy."
            raise undefined(name, f"more than {places:,} classes", found, remedy)
        return _among_first(truth, predicted, places)

    def hits(truth: Truth, predicted: Predicted) -> tuple[Mask, Mask]:
        return right(truth, predicted), np.ones(truth.n, dtype=np.bool_)

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        psi = right(truth, predicted).astype(np.float64)
        psi -= truth.mean(psi)
        return truth.weigh(psi)

    return checked(
        Metric(
            name=name,
            task="classification",
            needs="probability",
            higher_is_better=True,
            value=lambda truth, predicted: truth.mean(right(truth, predicted).astype(np.float64)),
            influence=influence,
            family="proportion",
            hits=hits,
            bounds=(0.0, 1.0),
        )
    )


def _among_first(truth: Truth, predicted: Predicted, places: int) -> Mask:
    p = predicted.probability
    assert p is not None, "checked before"
    if p.ndim == 1 or p.shape[1] == 2:
        positive = p > 0.5 if p.ndim == 1 else p[:, 1] > p[:, 0]
        same: Mask = np.equal(positive, truth.values)
        return same
    own = p.ravel().take(np.arange(truth.n) * p.shape[1] + truth.values)
    before = np.zeros(truth.n, dtype=np.intp)
    for code in range(p.shape[1]):  # one column at a time: no table of comparisons is kept
        before += p[:, code] > own
        before += (p[:, code] == own) & (truth.values < code)
    first: Mask = before < places
    return first
