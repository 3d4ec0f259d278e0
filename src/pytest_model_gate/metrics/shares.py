"""Shares of rows that no confusion matrix tells: classes among the most probable ones, covered targets."""

from __future__ import annotations

import numpy as np

from ..errors import InvalidError
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
            value=lambda truth, predicted: truth.mean(right(truth, predicted)),
            influence=influence,
            family="proportion",
            hits=hits,
            bounds=(0.0, 1.0),
        )
    )


def quantile_coverage_error(name: str, q: float | None) -> Metric:
    """Return how far the share of targets at or below the predicted q-quantile is from q.

    The distance and not the share is what can be better or worse: too many are as wrong as too few.
    """
    assert q is not None, "it has no stem alone"
    target = float(q)

    def covered(truth: Truth, predicted: Predicted) -> Mask:
        assert predicted.value is not None, "checked before"
        for what, numbers in (("target", truth.values), ("predictions", predicted.value)):
            if np.isnan(numbers.min()):  # a comparison would hide it
                missing = int(np.count_nonzero(np.isnan(numbers)))
                raise InvalidError(
                    f"{name} needs numbers; {missing:,} of {truth.n:,} in the {what} are missing.",
                    "Give every row a number, or drop the rows that have none.",
                )
        below: Mask = np.less_equal(truth.values, predicted.value)
        return below

    def hits(truth: Truth, predicted: Predicted) -> tuple[Mask, Mask]:
        return predicted.shared(covered, truth), np.ones(truth.n, dtype=np.bool_)

    def deviation(truth: Truth, predicted: Predicted) -> float:
        return truth.mean(predicted.shared(covered, truth)) - target

    def influence(truth: Truth, predicted: Predicted) -> Floats:
        psi = predicted.shared(covered, truth).astype(np.float64)
        psi -= truth.mean(psi)
        psi *= np.sign(deviation(truth, predicted))  # at the kink there is none: 0
        return truth.weigh(psi)

    return checked(
        Metric(
            name=name,
            task="regression",
            needs="value",
            higher_is_better=False,
            value=lambda truth, predicted: abs(deviation(truth, predicted)),
            influence=influence,
            family="closeness",
            hits=hits,
            target=target,
            crosses_zero=True,
            bounds=(0.0, max(target, 1 - target)),
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
