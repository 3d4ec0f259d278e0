"""A metric is a value: its name, its direction, what it needs, its value and its influence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..errors import UndefinedMetricError
from ..spec import Task, Tolerance
from .rows import Floats, Ints, Mask, Needs, Predicted, Truth

#: Which family of intervals suits the metric; ``stats/`` offers one method with guards for each.
#:
#: ``proportion``  a share of right rows, maybe within one class (Tango's score interval)
#: ``cells``       a smooth function of confusion cells (influence + half-pseudo-row variance)
#: ``auc``         the two-class ROC-AUC, or linear in it between its ``bounds`` (DeLong, MOVER near 1)
#: ``ranking``     other functions of the order of the scores (influence)
#: ``mean``        a mean of per-row losses (paired t)
#: ``maximum``     the largest value of all thresholds (influence at it, cross-fitted bounds)
#: ``closeness``   the distance of a share of rows from its target (Tango's bounds, at both sides of the kink)
#: ``query``       a mean of one value per query (paired t over the queries)
#: ``distance``    how far an estimate is from what is right (projected bounds)
#: ``binned``      a sum of absolute deviations in bins (influence + allowance for bias)
#: ``smooth``      anything else that has an influence function (influence + t)
#: ``resampled``   a value under weights that has no influence function (bootstrap)
#: ``value``       a value that no honest interval exists for: shown, never judged
Family = Literal[
    "proportion",
    "cells",
    "auc",
    "ranking",
    "mean",
    "maximum",
    "closeness",
    "query",
    "distance",
    "binned",
    "smooth",
    "resampled",
    "value",
]


def _no_influence(truth: Truth, predicted: Predicted) -> Floats:
    del truth, predicted
    raise UndefinedMetricError(
        "This metric has no influence function, which is needed here.",
        "Use a metric that has one: all but those of the families resampled and value do.",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class OfParts:
    """What a metric says of each of several parts of the rows.

    Parameters
    ----------
    values : ndarray, shape (parts,)
        Its value on each.
    influence : ndarray
        Of each row on the value of its part, shape (n,); for ``family="mean"`` the losses instead, and for
        confusion cells that of each cell, shape (parts, K, K).
    flattery : ndarray, shape (parts,), or None
        By how much each value flatters, where the metric tells.
    """

    values: Floats
    influence: Floats
    flattery: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A named quantity that says how good predictions are.

    Parameters
    ----------
    name : str
        As scikit-learn calls it, without ``neg_``; never sign-flipped.
    task : {"classification", "regression"}
        What it measures.
    needs : {"label", "score", "probability", "value"}
        What a model must be able to say.
    higher_is_better : bool
        Direction.
    value : callable
        ``value(truth, predicted) -> float``. Raises ``UndefinedMetricError`` where it does not exist.
    influence : callable
        ``influence(truth, predicted) -> ndarray of shape (n,)``: one number per row, (weighted) mean
        zero, so that the variance of the value is the variance of their mean. Not asked of ``"resampled"``
        and ``"value"``.
    family : str
        Which family of intervals suits it.
    hits : callable or None
        For ``family="proportion"``: ``hits(truth, predicted) -> (right, within)``, two boolean arrays of
        shape (n,): the value is the share of ``right`` among ``within``. For ``family="closeness"`` all
        rows are within, and the value is the distance of the share from ``target``.
    labelled_at_best : callable or None
        For ``family="maximum"``: ``labelled_at_best(truth, predicted) -> (metric, labels)``: the metric of
        labels that this one is at its best threshold, and the labels there.
    apart : callable or None
        For ``family="maximum"``: ``apart(truth, predicted, halves) -> float``: the value at thresholds that
        one half of the rows has chosen, measured on the other; ``halves`` is ``None`` for a plain sample.
    flattery : callable or None
        ``flattery(truth, predicted) -> float``: by how much the value of so many rows is larger than the true
        value, on average. ``None``: it is not, or too little to tell.
    target : float or None
        For ``family="closeness"``: the share that is right.
    losses : callable or None
        For ``family="mean"``: ``losses(truth, predicted) -> ndarray of shape (n,)``, whose (weighted)
        mean is the value.
    by_query : callable or None
        For ``family="query"``: ``by_query(truth, predicted) -> (values, counted)``, two arrays of shape
        (Q,) in the order of ``truth.queries``: the value is the (weighted) mean of the values that count.
        Rows must then have queries.
    deviation : callable or None
        For ``family="distance"``: ``deviation(truth, predicted) -> (deviation, influence)``, a signed number
        whose absolute value is the value, and what each row adds to it, weighted and mean zero.
    binned : callable or None
        For ``family="binned"``: ``binned(truth, predicted) -> (bin, residual, deviation, noise)``: of each
        row its bin and its weighted residual, of each bin the sum of these divided by n, and the standard
        error that the value takes it to have.
    cell_influence : callable or None
        For metrics that only see the confusion matrix: ``cell_influence(confusion) -> ndarray of shape
        (K, K)``, where ``confusion[r, c]`` counts (or weighs) the rows of true class r and predicted
        class c, on any scale. A row of cell (r, c) has the influence ``table[r, c]``, times its weight;
        that also tells the influence of rows that are not in the sample. Raises
        ``UndefinedMetricError`` as ``value`` does.
    of_parts : callable or None
        ``of_parts(truth, predicted) -> OfParts``: the same of many slices at once, without weights, where
        ``truth.starts`` says where each begins; each has rows of every class. It is an offer: what it says
        of a part is what the other functions say of it alone. May return what is not finite.
    cells_of_parts : callable or None
        ``cells_of_parts(confusions) -> OfParts``: the same of a stack of confusion matrices, NaN where one of
        them has no value.
    labelled : callable or None
        Of a metric of confusion cells that depends on what the classes are called:
        ``labelled(classes) -> cell_influence``.
    resampler : callable or None
        For resampling, where it is faster than ``value``: ``resampler(truth, predicted)`` does
        once what all resamples share and returns a function of row weights of shape (b, n), zeros included
        and on any scale, to b values; NaN where the metric does not exist. ``truth.weight`` is in the
        weights already.
    resamples : int or None
        How often rows are drawn again for it. ``None``: as the bootstrap chooses.
    crosses_zero : bool
        Whether a ratio of two values means nothing (MCC, kappa, R2, Spearman): the default tolerance is
        then 0.01, and 1 % of production's value otherwise.
    usual : Tolerance or None
        The default tolerance where a hundredth is a smaller step than usual holdouts can tell.
    binary_only : bool
        Whether it is defined for two classes only.
    ordered_classes : bool
        Whether the order of the classes counts: reports then say which it is where labels are texts.
    bounds : tuple of float
        Least and greatest possible value.
    """

    name: str
    task: Task
    needs: Needs
    higher_is_better: bool
    value: Callable[[Truth, Predicted], float]
    influence: Callable[[Truth, Predicted], Floats] = _no_influence
    family: Family = "smooth"
    hits: Callable[[Truth, Predicted], tuple[Mask, Mask]] | None = None
    labelled_at_best: Callable[[Truth, Predicted], tuple[Metric, Predicted]] | None = None
    apart: Callable[[Truth, Predicted, Sequence[Mask] | None], float] | None = None
    flattery: Callable[[Truth, Predicted], float] | None = None
    target: float | None = None
    losses: Callable[[Truth, Predicted], Floats] | None = None
    by_query: Callable[[Truth, Predicted], tuple[Floats, Mask]] | None = None
    deviation: Callable[[Truth, Predicted], tuple[float, Floats]] | None = None
    binned: Callable[[Truth, Predicted], tuple[Ints, Floats, Floats, Floats]] | None = None
    cell_influence: Callable[[Floats], Floats] | None = None
    of_parts: Callable[[Truth, Predicted], OfParts] | None = None
    cells_of_parts: Callable[[Floats], OfParts] | None = None
    labelled: Callable[[tuple[Any, ...]], Callable[[Floats], Floats]] | None = None
    resampler: Callable[[Truth, Predicted], Callable[[Floats], Floats]] | None = None
    resamples: int | None = None
    crosses_zero: bool = False
    usual: Tolerance | None = None
    binary_only: bool = False
    ordered_classes: bool = False
    bounds: tuple[float, float] = (float("-inf"), float("inf"))

    @property
    def sign(self) -> int:
        """1 where larger is better, -1 for losses: ``gain = sign * (candidate - production)``."""
        return 1 if self.higher_is_better else -1

    @property
    def may_resample(self) -> bool:
        """Whether its interval may take a bootstrap."""
        return self.family == "resampled" or self.resampler is not None

    @property
    def default_tolerance(self) -> Tolerance:
        """What ``max_regression`` is where nobody chose it."""
        if self.usual is not None:
            return replace(self.usual, default=True)
        if self.crosses_zero:
            return Tolerance(0.01, default=True)
        return Tolerance(0.01, relative=True, default=True)

    def __repr__(self) -> str:
        direction = "higher" if self.higher_is_better else "lower"
        return f"Metric({self.name!r}, needs {self.needs}, {direction} is better)"
