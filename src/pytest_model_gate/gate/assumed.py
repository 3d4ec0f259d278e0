"""Plans without any data: what is assumed of two equal models tells how far their difference is spread."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from ..errors import ConfigurationError
from ..metrics.catalogue import resolve
from ..metrics.metric import Metric
from ..stats.binormal import BinormalPair
from ..stats.planning import rows_without_discordance
from ..stats.prospect import Normal, Prospect
from ..stats.tango_power import PairedProspect
from .planned import Planned, Wish, work_out

#: Shares of right rows that see only a part of the rows: of which class.
_WITHIN = {"recall": True, "specificity": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is assumed; which of these a metric takes, :func:`taken` tells.

    Parameters
    ----------
    discordance : float or None
        For shares of right rows: the share of the rows that count on which only one of the two models is
        right. For other functions of the confusion matrix: the share of rows on which they differ.
    auc, correlation : float or None
        Area of both models, and the correlation of their scores within a class.
    prevalence : float or None
        Share of positive rows.
    precision, recall : float or None
        Of both models.
    sd : float or None
        Standard deviation, over the rows, of the difference of the two models' losses; or, for a metric that
        is no mean, the standard error of a pilot times the root of its rows.
    deff : float
        Design effect: how many rows of the groups say as much as one independent row.
    """

    discordance: float | None = None
    auc: float | None = None
    correlation: float | None = None
    prevalence: float | None = None
    precision: float | None = None
    recall: float | None = None
    sd: float | None = None
    deff: float = 1.0

    @property
    def given(self) -> tuple[str, ...]:
        """Those that were given."""
        return tuple(
            field.name
            for field in fields(self)
            if field.name != "deff" and getattr(self, field.name) is not None
        )


@dataclass(frozen=True, slots=True)
class _Assumed:
    """What so many rows can tell, and how that was worked out."""

    at: Callable[[int], Prospect]
    method: str


def taken(metric: Metric) -> tuple[str, ...]:
    """Return the assumptions that a metric takes; ``sd`` alone serves every metric in their place."""
    if metric.family == "proportion":
        return ("discordance", "prevalence") if metric.name in _WITHIN else ("discordance",)
    if metric.family == "auc":
        return "auc", "prevalence", "correlation"
    if metric.family == "cells" and metric.cell_influence is not None and _of_two_classes(metric):
        return "precision", "recall", "prevalence", "discordance"
    return ("sd",)


def plan_assumed(
    name: str, assumptions: Assumptions, *, margin: float | None, rows: int | None, wish: Wish
) -> Planned:
    """Return a plan from assumptions.

    Parameters
    ----------
    name : str
        A built-in metric.
    assumptions : Assumptions
        What is assumed.
    margin : float or None
        The tolerance, in the metric's unit.
    rows : int or None
        Rows that there are.
    wish : Wish
        Power, level and gain.

    Raises
    ------
    ConfigurationError
        For what the metric doesn't take, lacks, or what cannot be.
    """
    metric, alpha = resolve(name), 0.05 if wish.alpha is None else wish.alpha
    if metric.family == "value":
        raise ConfigurationError(
            f"{metric.name} is a value only: it has no interval that could be planned.",
            "Plan a metric that is judged, such as mean_absolute_error.",
        )
    _check(metric, assumptions, margin, rows)
    assumed = _assumed(metric, assumptions)
    error = _standard_error(assumed.at(rows)) if rows is not None else None
    return work_out(
        assumed.at,
        metric=metric.name,
        slice="all",
        rows=rows,
        margin=margin,
        tolerance="" if margin is None else f"{margin:g}",
        alpha=alpha,
        wish=wish,
        standard_error=error,
        bounds=metric.bounds,
        design_effect=None if assumptions.deff == 1 else assumptions.deff,
        method=assumed.method,
    )


def least_rows(name: str, margin: float, alpha: float, assumptions: Assumptions) -> int | None:
    """Return the rows without which a share of right rows never passes, whatever is assumed of the models."""
    metric = resolve(name)
    if metric.family != "proportion" or assumptions.sd is not None or assumptions.deff != 1:
        return None
    counted = rows_without_discordance(margin, alpha)
    return None if counted is None else math.ceil(counted / _within(metric, assumptions))


# -- families ------------------------------------------------------------------------------------------


def _assumed(metric: Metric, assumptions: Assumptions) -> _Assumed:
    deff = assumptions.deff
    if assumptions.sd is not None:
        spread = assumptions.sd * math.sqrt(deff)
        return _Assumed(lambda rows: Normal(spread / math.sqrt(rows)), "normal")
    if metric.family == "proportion":
        return _proportion(metric, assumptions)
    if metric.family == "auc":
        return _area(assumptions)
    return _cells(metric, assumptions)


def _proportion(metric: Metric, assumptions: Assumptions) -> _Assumed:
    discordance, deff, within = assumptions.discordance, assumptions.deff, _within(metric, assumptions)
    assert discordance is not None, "checked before"

    def counted(rows: int) -> int:
        return max(1, math.floor(rows * within + 1e-9))

    if deff == 1:
        return _Assumed(lambda rows: PairedProspect(counted(rows), discordance), "exact (Tango)")

    def grouped(rows: int) -> Prospect:
        # With groups, influence values take the place of the score test, with their two imaginary rows.
        n = counted(rows)
        return Normal(math.sqrt(deff * discordance / n + 2 * (deff / n) ** 2))

    return _Assumed(grouped, "normal")


def _area(assumptions: Assumptions) -> _Assumed:
    auc, correlation, prevalence = assumptions.auc, assumptions.correlation, assumptions.prevalence
    assert auc is not None, "checked before"
    assert correlation is not None, "checked before"
    assert prevalence is not None, "checked before"
    pair, deff = BinormalPair(auc, correlation, prevalence), assumptions.deff
    return _Assumed(lambda rows: pair.at(max(2, math.floor(rows / deff))), "binormal (DeLong, MOVER)")


def _cells(metric: Metric, assumptions: Assumptions) -> _Assumed:
    """Functions of a confusion matrix of two classes, as influence values with the half-pseudo-row rule.

    Rows on which two equal models differ lie where models err: among the positives and the negatives in
    proportion to the wrong rows there.
    """
    confusion, half = _confusion(assumptions), (assumptions.discordance or 0.0) / 2
    assert metric.cell_influence is not None, "checked before"
    influence = metric.cell_influence(confusion)
    wrong = confusion[1, 0] + confusion[0, 1]
    flips = [half * confusion[k, 1 - k] / wrong if wrong else half * confusion[k].sum() for k in (0, 1)]
    for k, share in enumerate(flips):
        most = float(min(confusion[k, 0], confusion[k, 1]))
        if share > most + 1e-12:
            kind = "positive" if k else "negative"
            raise ConfigurationError(
                f"Two models of this precision and recall cannot differ on {2 * half:g} of all rows: too few "
                f"{kind} rows are wrong.",
                "Give a smaller --discordance.",
            )
    step = [influence[k, k] - influence[k, 1 - k] for k in (0, 1)]
    spread2 = float(sum(2 * share * difference**2 for share, difference in zip(flips, step, strict=True)))
    # Half a row of each kind on which only one model is right, as in a gate.
    pseudo, deff = float(sum(difference**2 for difference in step)), assumptions.deff

    def at(rows: int) -> Normal:
        n = max(2, rows)
        return Normal(math.sqrt((deff * n * spread2 + deff**2 * pseudo) / n / (n - 1)))

    return _Assumed(at, "normal")


def _confusion(assumptions: Assumptions) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the shares of the four cells: true class down, predicted class across."""
    precision, recall, prevalence = assumptions.precision, assumptions.recall, assumptions.prevalence
    assert precision is not None, "checked before"
    assert recall is not None, "checked before"
    assert prevalence is not None, "checked before"
    hits = prevalence * recall
    alarms = hits / precision - hits
    if alarms > 1 - prevalence:
        raise ConfigurationError(
            f"A precision of {precision:g} with a recall of {recall:g} takes more negative rows than a "
            f"prevalence of {prevalence:g} leaves.",
            "Give a larger --precision, or a smaller --prevalence or --recall.",
        )
    return np.array([[1 - prevalence - alarms, alarms], [prevalence - hits, hits]])


# -- parts ---------------------------------------------------------------------------------------------


def _of_two_classes(metric: Metric) -> bool:
    return metric.binary_only or metric.name in ("balanced_accuracy", "matthews_corrcoef", "cohen_kappa")


def _within(metric: Metric, assumptions: Assumptions) -> float:
    """Return the share of the rows that count for a metric."""
    if metric.name not in _WITHIN or assumptions.prevalence is None:
        return 1.0
    return assumptions.prevalence if _WITHIN[metric.name] else 1 - assumptions.prevalence


def _standard_error(prospect: Prospect) -> float | None:
    if isinstance(prospect, Normal):
        return prospect.standard_error
    return math.sqrt(prospect.discordance / prospect.n) if isinstance(prospect, PairedProspect) else None


#: What each assumption may be: above, at most, and in words.
_RANGES: dict[str, tuple[float, float, str]] = {
    "discordance": (-1e-300, 1.0, "at least 0 and at most 1"),
    "auc": (0.0, 1.0, "above 0 and below 1"),
    "correlation": (-1.0 - 1e-12, 1.0, "at least -1 and at most 1"),
    "prevalence": (0.0, 1.0, "above 0 and below 1"),
    "precision": (0.0, 1.0, "above 0 and at most 1"),
    "recall": (0.0, 1.0, "above 0 and at most 1"),
    "sd": (0.0, math.inf, "a number above 0"),
}


def _check(metric: Metric, assumptions: Assumptions, margin: float | None, rows: int | None) -> None:
    wanted = ("sd",) if assumptions.sd is not None else taken(metric)
    listed = ", ".join(f"--{key}" for key in taken(metric))
    only = "--sd alone" if taken(metric) == ("sd",) else f"{listed}, or --sd alone"
    for key in assumptions.given:
        if key not in wanted:
            raise ConfigurationError(f"{metric.name} takes no --{key}.", f"It takes {only}.")
    for key in wanted:
        value = getattr(assumptions, key)
        if value is None:
            raise ConfigurationError(
                f"{metric.name} takes {listed}, and --{key} is missing.",
                "Give what you assume, or --sd, the standard error of a pilot times the root of its rows.",
            )
        low, high, words = _RANGES[key]
        open_end = "below" in words and value >= high
        if not low < value <= high or open_end or not math.isfinite(value):
            raise ConfigurationError(f"--{key} must be {words}, got {value:g}.")
    if not (1 <= assumptions.deff < math.inf):
        raise ConfigurationError(
            f"--deff must be at least 1, got {assumptions.deff:g}.",
            "It is how many rows of your groups say as much as one independent row.",
        )
    if margin is None and rows is None:
        raise ConfigurationError(
            "Neither --margin nor --rows was given.",
            "Give --margin to be told the rows that it takes, or --rows to be told what they detect.",
        )
    if rows is not None and rows < 2:
        raise ConfigurationError(f"--rows must be at least 2, got {rows}.")
    low, high = metric.bounds
    if margin is not None and not (0 <= margin < high - low):
        raise ConfigurationError(
            f"--margin must be at least 0 and below {high - low:g}, the range of {metric.name}, "
            f"got {margin:g}.",
            "Give it in the metric's own unit: 0.01 is one point of accuracy.",
        )
