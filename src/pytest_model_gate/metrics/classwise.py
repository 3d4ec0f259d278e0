"""Metrics of one class against the rest, and their averages: precision, recall, specificity, NPV, F-beta.

Which classes an average covers: those that are in the truth or in the predictions of these rows, as
scikit-learn does without ``labels=``. Where a class that counts has no value of its own (recall of a class
that is only predicted, precision of a class that is never predicted), scikit-learn puts in 0 and warns;
here the average is undefined. A class that an average weighs with 0 doesn't count. The F of a class that is
only true or only predicted is 0 and counts. The plain F of a target without positives is undefined, because
it would be 0 whatever a model says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .agreement import accuracy
from .checked import MORE_ROWS, label_list, undefined
from .confusion import Cells, cell_metric, right_rows
from .levels import Floats, Ints
from .metric import Metric
from .rows import Mask, Predicted, Truth

Average = Literal["binary", "macro", "weighted", "micro"]

_ROWS_OF, _PREDICTED_AS = "rows of class", "rows predicted as"


@dataclass(frozen=True, kw_only=True)
class _Rates:
    """A rate of each class, ``top / bottom``, and how a row of each kind moves the two.

    A row of true class r and predicted class c adds ``hit`` to the top of class r if r = c, ``by_true`` to
    the bottom of class r, and ``by_predicted`` to the bottom of class c. ``alone`` is the mass without which
    the rate of one class alone says nothing, and ``needs`` its name.
    """

    top: Floats
    bottom: Floats
    hit: float
    by_true: float
    by_predicted: float
    alone: Floats
    needs: str

    @property
    def values(self) -> Floats:
        return self.top / np.where(self.bottom > 0, self.bottom, 1.0)

    def influence(self, share: Floats) -> Floats:
        """Return the derivative of ``sum(share * values)`` by cell, the shares held fixed."""
        scaled = share / np.where(self.bottom > 0, self.bottom, 1.0)
        lost = scaled * self.values
        hits: Floats = np.eye(lost.shape[-1]) * (self.hit * scaled)[..., None, :]
        return hits - (self.by_true * lost)[..., :, None] - (self.by_predicted * lost)[..., None, :]


Rates = Callable[[Cells], _Rates]


def precision(average: Average) -> Metric:
    """Return the share of right ones among the rows predicted as a class."""
    return _metric("precision", average, _precision)


def recall(average: Average) -> Metric:
    """Return the share of right ones among the rows of a class."""
    if average == "binary":
        return _proportion("recall", 1, instead="recall_macro or recall_weighted")
    if average == "weighted":  # the sum of (true share) * (right / true) is the share of right ones
        return accuracy("recall_weighted")
    return _metric("recall", average, _recall)


def specificity() -> Metric:
    """Return the recall of the negative class."""
    return _proportion("specificity", 0, instead="recall_macro, which averages over all classes")


def negative_predictive_value() -> Metric:
    """Return the precision of the negative class."""
    name = "negative_predictive_value"
    value, influence = _of_one(name, 0, _precision)
    instead = "precision_macro, which averages over all classes"
    values = _values_of_one(0, _precision)
    return cell_metric(name=name, value=value, influence=influence, instead=instead, values=values)


def f_beta(beta: float, average: Average) -> Metric:
    """Return the weighted harmonic mean of precision and recall; ``beta`` > 1 favours recall."""
    c = beta * beta

    def rates(cells: Cells) -> _Rates:
        return _Rates(
            top=(1 + c) * cells.right,
            bottom=cells.predicted + c * cells.true,
            hit=1 + c,
            by_true=c,
            by_predicted=1.0,
            alone=cells.true,
            needs=_ROWS_OF,
        )

    return _metric(f_name(beta), average, rates)


def f_name(beta: float) -> str:
    """Write the name of an F-beta.

    Examples
    --------
    >>> f_name(1.0), f_name(0.5)
    ('f1', 'f0.5')
    """
    return f"f{beta!r}".removesuffix(".0")


def _precision(cells: Cells) -> _Rates:
    return _Rates(
        top=cells.right,
        bottom=cells.predicted,
        hit=1.0,
        by_true=0.0,
        by_predicted=1.0,
        alone=cells.predicted,
        needs=_PREDICTED_AS,
    )


def _recall(cells: Cells) -> _Rates:
    return _Rates(
        top=cells.right,
        bottom=cells.true,
        hit=1.0,
        by_true=1.0,
        by_predicted=0.0,
        alone=cells.true,
        needs=_ROWS_OF,
    )


def _metric(stem: str, average: Average, rates: Rates) -> Metric:
    if average == "micro":  # each row counts once for its true and once for its predicted class
        return accuracy(f"{stem}_micro")
    if average == "binary":
        value, influence = _of_one(stem, 1, rates)
        instead = f"{stem}_macro or {stem}_weighted"
        return cell_metric(
            name=stem, value=value, influence=influence, instead=instead, values=_values_of_one(1, rates)
        )
    name = f"{stem}_{average}"
    value, influence = _of_all(name, rates, weighted=average == "weighted")
    return cell_metric(name=name, value=value, influence=influence)


def _proportion(name: str, code: int, *, instead: str) -> Metric:
    def hits(truth: Truth, predicted: Predicted) -> tuple[Mask, Mask]:
        return right_rows(truth, predicted), np.asarray(truth.values == code)

    value, influence = _of_one(name, code, _recall)
    return cell_metric(
        name=name, value=value, influence=influence, family="proportion", hits=hits, instead=instead
    )


Functions = tuple[Callable[[Cells], float], Callable[[Cells], Floats]]


def _of_one(name: str, code: int, rates: Rates) -> Functions:
    def value(cells: Cells) -> float:
        rate = rates(cells)
        if rate.alone[code] == 0:
            raise _empty(name, cells, rate, np.array([code]))
        return float(rate.top[code] / rate.bottom[code])

    def influence(shares: Cells) -> Floats:
        only = np.zeros(shares.matrix.shape[-1])
        only[code] = 1.0
        return rates(shares).influence(only)

    return value, influence


def _values_of_one(code: int, rates: Rates) -> Callable[[Cells], Floats]:
    def values(cells: Cells) -> Floats:
        rate = rates(cells)
        return np.where(rate.alone[..., code] == 0, np.nan, rate.top[..., code] / rate.bottom[..., code])

    return values


def _of_all(name: str, rates: Rates, *, weighted: bool) -> Functions:
    def share(cells: Cells) -> Floats:
        if weighted:
            return cells.true / cells.total
        present = (cells.true > 0) | (cells.predicted > 0)
        return present / np.count_nonzero(present)

    def value(cells: Cells) -> float:
        rate, shares = rates(cells), share(cells)
        empty = np.flatnonzero((shares > 0) & (rate.bottom == 0))
        if len(empty):
            raise _empty(name, cells, rate, empty)
        return float(np.sum(shares * rate.values))

    def influence(shares: Cells) -> Floats:
        rate, weights = rates(shares), share(shares)
        table = rate.influence(weights)
        if weighted:  # the weights of the classes are themselves shares of the rows
            table += rate.values[:, None] - np.sum(weights * rate.values)
        return table

    return value, influence


def _empty(name: str, cells: Cells, rate: _Rates, codes: Ints) -> Exception:
    """Return the error for classes that count and whose rate is 0/0."""
    remedy = MORE_ROWS
    if rate.needs == _PREDICTED_AS:
        other = "specificity" if name == "negative_predictive_value" else "recall or F"
        remedy = f"The model never predicts this here: check its threshold and classes, or use {other}."
    return undefined(
        name, f"{rate.needs} {label_list(cells.classes, codes)}", f"{cells.rows} have none", remedy
    )
