"""Tolerances and floors that make no sense for a metric, and metrics that can have none."""

from __future__ import annotations

from ..errors import ConfigurationError
from ..metrics.metric import Metric
from ..spec import Tolerance


def refuse_meaningless(metric: Metric, tolerance: Tolerance) -> None:
    """Refuse a share of a metric that crosses 0, and a tolerance that lets everything pass.

    Raises
    ------
    ConfigurationError
        If there is nothing that the share could be of, or no candidate could ever exceed the tolerance.
    """
    if tolerance.relative and metric.crosses_zero:
        raise ConfigurationError(
            f"A percentage of {metric.name} means nothing, because {metric.name} can be 0 or negative.",
            "Give max_regression in the metric's own unit, for example 0.01.",
        )
    low, high = metric.bounds
    # A loss may more than double; what is good can lose no more than all of it.
    most = (1.0 if metric.higher_is_better else float("inf")) if tolerance.relative else high - low
    if tolerance.value < most:
        return
    meant = not tolerance.relative and tolerance.value < 100
    raise ConfigurationError(
        f"max_regression = {tolerance} lets every candidate pass: {metric.name} lies between "
        f"{low:g} and {high:g}.",
        f"Did you mean '{tolerance.value:g}%'?"
        if meant
        else "Give a step in the metric's own unit, for example 0.01.",
    )


def not_judged(metric: Metric) -> str:
    """Return why a metric without an interval is shown and not judged."""
    return f"{metric.name} has no honest interval: it is shown, and not judged"


def refuse_unjudged(metric: Metric, asked: str) -> None:
    """Refuse to hold a metric to a limit that nothing could be proven about.

    Parameters
    ----------
    metric : Metric
        The metric.
    asked : str
        What asks for it, as the beginning of a sentence: "gate 'credit': max_regression".

    Raises
    ------
    ConfigurationError
        If the metric has no interval.
    """
    if metric.family == "value":
        raise ConfigurationError(
            f"{asked} names {metric.name!r}, which has no honest interval, so that no limit can be judged.",
            f"Leave it out: {metric.name} is shown as it is. Set limits for a metric with an interval, such "
            "as mean_absolute_error.",
        )


def refuse_impossible(metric: Metric, floor: float) -> None:
    """Refuse a floor that no model, or every model, is on the right side of.

    Raises
    ------
    ConfigurationError
        If the floor is not strictly between the metric's bounds.
    """
    low, high = metric.bounds
    if low < floor < high:
        return
    percent = 1 < floor <= 100 and high == 1
    raise ConfigurationError(
        f"The floor {floor:g} of {metric.name} must be between {low:g} and {high:g}.",
        f"Did you mean {floor / 100:g}?" if percent else "Give a value that a model can have.",
    )
