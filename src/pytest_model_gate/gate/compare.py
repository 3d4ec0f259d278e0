"""The public ``compare``: arrays of two models' predictions in, one judged ``Comparison`` out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ConfigurationError
from ..metrics.catalogue import resolve
from ..metrics.metric import Metric
from ..policy import decide
from ..results import Comparison, Interval
from ..spec import Tolerance
from .arrays import validated
from .canonical import canonical
from .limits import refuse_meaningless
from .lines import ALL, Ask
from .measure import Measured, measure_pair
from .words import words


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
    classes: Sequence[Any] | None = None,
    pos_label: Any = 1,
) -> Comparison:
    """Compare the predictions of two models on the same rows.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        Labels or numbers.
    candidate, production : array-like, shape (n,) or (n, K)
        What the two models say: labels, scores of the positive class, one probability per class, or
        numbers, as the metric needs. Rows are compared by position.
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
    classes : sequence, optional
        All labels, in the order of probability columns. By default those that occur, sorted.
    pos_label : scalar
        The positive one of two classes.

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
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha < 0.5:
        raise ConfigurationError(f"alpha must be between 0 and 0.5, got {alpha!r}.", "Usual is alpha = 0.05.")
    asked = resolve(metric) if isinstance(metric, str) else metric
    tolerance = Tolerance.parse(max_regression)
    refuse_meaningless(asked, tolerance)
    sample, first, second = validated(
        y_true,
        candidate,
        production,
        metric=asked,
        sample_weight=sample_weight,
        groups=groups,
        strata=strata,
        classes=classes,
        pos_label=pos_label,
    )
    relative = tolerance.value if tolerance.relative else 0.0
    measured = measure_pair(asked, sample, first, second, relative=relative)
    return _compared(asked, measured, tolerance, alpha)


def _compared(metric: Metric, measured: Measured, tolerance: Tolerance, alpha: float) -> Comparison:
    allowed = canonical(tolerance.absolute(measured.reference))
    inference = measured.inference
    low, high = inference.bounds(alpha)
    decision = decide(
        question="regression",
        low=low,
        high=high,
        required=-allowed,
        alpha=alpha,
        p_regressed=measured.p_below(-allowed),
        identical=measured.identical,
        caution=measured.caution,
    )
    detectable = measured.minimum_detectable(alpha)
    needed = measured.rows_needed(allowed, alpha)
    ask = Ask(
        question="regression",
        metric=metric.name,
        slice=ALL,
        n=measured.n,
        limit=tolerance,
        on_inconclusive="fail",
    )
    reason, _ = words(
        ask, decision, measured, metric, required=-allowed, detectable=detectable, needed=needed
    )
    return Comparison(
        metric=metric.name,
        slice=ALL,
        n=measured.n,
        candidate=measured.candidate,
        production=measured.reference,
        difference=metric.sign * inference.gain + 0.0,
        gain=inference.gain,
        interval=Interval(low=low, high=high, level=canonical(1 - 2 * alpha), method=inference.method),
        standard_error=inference.standard_error,
        tolerance=allowed,
        verdict=decision.verdict,
        reason=reason,
        minimum_detectable=detectable,
        rows_needed=needed,
    )
