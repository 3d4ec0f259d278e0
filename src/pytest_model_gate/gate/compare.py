"""The public ``compare``: arrays of two models' predictions in, one judged ``Comparison`` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..metrics.metric import Metric
from ..results import Comparison
from ..spec import Tolerance
from ..stats.bootstrap import Resampling
from .arrays import validated
from .compared import compared, seeded, understood
from .measure import measure_pair


def compare(
    y_true: Any,
    candidate: Any,
    production: Any,
    *,
    metric: str | Metric,
    max_regression: float | str | Tolerance = 0.0,
    alpha: float = 0.05,
    sample_weight: Any = None,
    groups: Any = None,
    strata: Any = None,
    query: Any = None,
    classes: Sequence[Any] | None = None,
    pos_label: Any = 1,
    seed: int = 0,
    bootstrap: bool = False,
) -> Comparison:
    """Compare the predictions of two models on the same rows.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        Labels or numbers.
    candidate, production : array-like, shape (n,) or (n, K)
        What the two models say: labels, scores of the positive class, one probability per class, or
        numbers, as the metric needs. Rows are compared by position. Equal numbers on every row pass; equal
        labels are judged by their interval, and pass with enough rows for the tolerance: with
        ``max_regression=0`` never, unless both arguments are one object.
    metric : str or Metric
        For example ``"roc_auc"`` or ``"mae"``.
    max_regression : float or str
        How much worse the candidate may be: in the metric's unit, or ``"1%"`` of production's value.
    alpha : float
        One-sided level; the interval is the two-sided one at ``1 - 2 * alpha``.
    sample_weight : array-like, shape (n,), optional
        Rows of weight 0 do not count.
    groups : array-like, shape (n,), optional
        Rows of one group (a customer, a day) are not independent.
    strata : array-like, shape (n,), optional
        The sample has a fixed number of rows (or groups) in each stratum.
    query : array-like, shape (n,), optional
        Rows of one query are ranked against each other, by ``ndcg`` and its like. They are not independent
        either: where there are no ``groups``, the queries are the groups.
    classes : sequence, optional
        All labels, in the order of probability columns. By default those that occur, sorted.
    pos_label : scalar
        The positive one of two classes.
    seed : int
        Of the bootstrap, where the metric or the size of the sample needs one: the method then names it.
    bootstrap : bool
        Whether to resample a metric that has a method of its own: a second opinion, never better guarded.

    Returns
    -------
    Comparison
        Values, gain, interval and verdict; ``difference`` is candidate minus production.

    Raises
    ------
    InvalidError
        If the arrays break their contract (lengths, missing or impossible values).
    EvaluationError
        If the metric cannot be evaluated on them.
    ConfigurationError
        If the question makes no sense.

    Examples
    --------
    >>> right = [1, 0, 1, 1, 0, 0, 1, 0] * 50
    >>> compare(right, right, right, metric="accuracy", max_regression=0.01).verdict.value
    'pass'
    """
    return compared_arrays(
        y_true,
        candidate,
        production,
        metric=metric,
        max_regression=max_regression,
        alpha=alpha,
        resampling=seeded(seed),
        sample_weight=sample_weight,
        groups=groups,
        strata=strata,
        query=query,
        classes=classes,
        pos_label=pos_label,
        bootstrap=bootstrap,
    )


def compared_arrays(
    y_true: Any,
    candidate: Any,
    production: Any,
    *,
    metric: str | Metric,
    max_regression: float | str | Tolerance,
    alpha: float,
    resampling: Resampling,
    bootstrap: bool = False,
    **about: Any,
) -> Comparison:
    """Do what :func:`compare` does; ``about`` are its arrays and labels beside the predictions."""
    asked, tolerance = understood(metric, max_regression, alpha)
    if bootstrap:
        asked = replace(asked, family="resampled", labelled=None)
    sample, first, second = validated(y_true, candidate, production, metric=asked, **about)
    sample = replace(sample, resampling=resampling)
    relative = tolerance.value if tolerance.relative else 0.0
    one = candidate is production
    measured = measure_pair(asked, sample, first, second, relative=relative, one_model=one)
    return compared(asked, measured, tolerance, alpha)
