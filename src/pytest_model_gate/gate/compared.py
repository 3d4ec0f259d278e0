"""What the functions for arrays share: how a question is understood, and how the answer is judged."""

from __future__ import annotations

from ..errors import ConfigurationError
from ..metrics.catalogue import resolve
from ..metrics.metric import Metric
from ..policy import decide
from ..results import Comparison, Interval
from ..spec import Tolerance
from ..stats.bootstrap import Resampling
from .canonical import canonical
from .limits import not_judged, refuse_meaningless
from .lines import ALL, Ask
from .measure import Measured
from .registry import as_metric
from .words import words


def understood(
    metric: str | Metric, max_regression: float | str | Tolerance, alpha: float
) -> tuple[Metric, Tolerance]:
    """Return the metric and the tolerance that are meant.

    Raises
    ------
    ConfigurationError
        If the question makes no sense.
    """
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha < 0.5:
        raise ConfigurationError(f"alpha must be between 0 and 0.5, got {alpha!r}.", "Usual is alpha = 0.05.")
    asked = resolve(metric) if isinstance(metric, str) else as_metric(metric)
    if asked.family == "value":
        raise ConfigurationError(
            f"There is nothing to compare: {not_judged(asked)}.",
            "Compare a metric that has an interval, such as mean_absolute_error; a gate shows this one.",
        )
    tolerance = Tolerance.parse(max_regression)
    refuse_meaningless(asked, tolerance)
    return asked, tolerance


def seeded(seed: int) -> Resampling:
    """Return the resampling of a seed.

    Raises
    ------
    ConfigurationError
        If it is none.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigurationError(
            f"seed must be a whole number of at least 0, got {seed!r}.", "Usual is seed = 0."
        )
    return Resampling(seed=seed)


def compared(metric: Metric, measured: Measured, tolerance: Tolerance, alpha: float) -> Comparison:
    """Return the judged comparison."""
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
        alike=measured.alike,
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
