"""Ranking metrics of many classes: each class against the rest, or each against each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .checked import checked, label_list, undefined
from .levels import Floats, Ints, Levels, middle
from .metric import Metric
from .ranking import (
    Ranks,
    auc,
    auc_influence,
    average_precision_influence,
    average_precision_of,
    complement,
    own_hits,
)
from .rows import Predicted, Truth


@dataclass(frozen=True, kw_only=True, eq=False)
class _Result:
    """Value and influence together: one sort per class serves both, and is not kept."""

    value: float
    influence: Floats
    flattery: float = 0.0


Work = Callable[[Truth, Predicted], _Result]


def roc_auc_ovr(*, weighted: bool = False) -> Metric:
    """Return the mean ROC-AUC of each class against the rest, plain or weighted by the classes' shares."""
    name = "roc_auc_ovr_weighted" if weighted else "roc_auc_ovr"
    return _metric(name, _one_vs_rest(auc, auc_influence, weighted=weighted))


def average_precision(*, weighted: bool = False) -> Metric:
    """Return the mean average precision of each class against the rest, plain or weighted by their shares."""
    name = "average_precision_weighted" if weighted else "average_precision_macro"
    work = _one_vs_rest(average_precision_of, average_precision_influence, own_hits, weighted=weighted)
    return _metric(name, work, flatters=True)


def average_precision_micro() -> Metric:
    """Return the average precision of all pairs of a row and a class, ranked together."""
    return _metric("average_precision_micro", _pairs, flatters=True)


def roc_auc_ovo() -> Metric:
    """Return the mean ROC-AUC over all ordered pairs of classes (Hand and Till), by the first's score."""
    return _metric("roc_auc_ovo", _one_vs_one)


def _metric(name: str, work: Work, *, flatters: bool = False) -> Metric:
    def result(truth: Truth, predicted: Predicted) -> _Result:
        absent = np.flatnonzero(np.bincount(truth.values, minlength=len(truth.classes or ())) == 0)
        if len(absent):
            found = f"these {truth.n:,} rows have none of {label_list(truth.classes, absent)}"
            raise undefined(name, "rows of every class", found)
        return predicted.shared(work, truth)

    return checked(
        Metric(
            name=name,
            task="classification",
            needs="probability",
            higher_is_better=True,
            value=lambda truth, predicted: result(truth, predicted).value,
            influence=lambda truth, predicted: result(truth, predicted).influence,
            flattery=(lambda truth, predicted: result(truth, predicted).flattery) if flatters else None,
            family="ranking",
            bounds=(0.0, 1.0),
        )
    )


def _column(predicted: Predicted, code: int) -> Floats:
    """Return what ranks the rows by one class."""
    p = predicted.probability
    assert p is not None, "checked before"
    if p.ndim == 1:  # -p ranks exactly as 1 - p should, which can make new ties
        return p if code == 1 else -p
    return np.ascontiguousarray(p[:, code])


def _one_vs_rest(
    value: Callable[[Ranks], float],
    influence: Callable[[Ranks, Ints], Floats],
    flattery: Callable[[Ranks, Ints], float] | None = None,
    *,
    weighted: bool,
) -> Work:
    def work(truth: Truth, predicted: Predicted) -> _Result:
        k = len(truth.classes or ())
        mass = np.bincount(truth.values, weights=truth.weight, minlength=k)
        share = mass / mass.sum() if weighted else np.full(k, 1 / k)
        values, flattered = np.empty(k), np.zeros(k)
        psi = np.zeros(truth.n)
        for code in range(k):
            rows = np.flatnonzero(truth.values == code)
            ranks = Ranks.of(Levels.of(_column(predicted, code)), truth, rows)
            values[code] = value(ranks)
            psi += share[code] * influence(ranks, rows)
            if flattery is not None:
                flattered[code] = flattery(ranks, rows)
        mean = float(np.sum(share * values))
        if weighted:  # the shares themselves move with the rows
            psi += (values - mean)[truth.values]
        return _finished(mean, truth.weigh(psi), float(np.sum(share * flattered)))

    return work


def _one_vs_one(truth: Truth, predicted: Predicted) -> _Result:
    """Work out all pairs with one sort per class.

    For the score of class a, every other class b has the same opponents: the rows of a. So one pass gives
    the share of a that each other row loses to. In return, a row of a beats the mean over b of the shares
    of b below it: the other rows below it, each weighing 1 / (rows of its class).
    """
    k, n = len(truth.classes or ()), truth.n
    mass = np.bincount(truth.values, weights=truth.weight, minlength=k)
    in_class = (1 / mass)[truth.values]
    if truth.weight is not None:
        in_class *= truth.weight  # each class adds up to 1
    areas = np.empty(k)
    psi = np.zeros(n)
    for code in range(k):
        rows = np.flatnonzero(truth.values == code)
        others = complement(rows, n)
        levels = Levels.of(_column(predicted, code))
        own, rest = levels.mass(in_class, rows), levels.mass(in_class, others)
        beaten = (middle(rest) / (k - 1))[levels.level[rows]]
        areas[code] = np.sum(in_class[rows] * beaten)
        psi[rows] += (beaten - areas[code]) * (n / mass[code] / k)
        lost = 1 - middle(own)[levels.level[others]]
        codes = truth.values[others]
        pair = np.bincount(codes, weights=in_class[others] * lost, minlength=k)
        psi[others] += (lost - pair[codes]) * (n / mass / (k * (k - 1)))[codes]
    return _finished(float(np.mean(areas)), truth.weigh(psi))


def _pairs(truth: Truth, predicted: Predicted) -> _Result:
    """Rank all pairs of a row and a class; a row brings one positive pair, and moves all of its pairs."""
    p, k = predicted.probability, len(truth.classes or ())
    assert p is not None, "checked before"
    pairs = np.column_stack((1 - p, p)) if p.ndim == 1 else p
    own = np.arange(truth.n) * k + truth.values
    weight = None if truth.weight is None else np.repeat(truth.weight, k)
    as_truth = Truth(values=np.broadcast_to(np.intp(0), truth.n * k), weight=weight)
    ranks = Ranks.of(Levels.of(pairs.ravel()), as_truth, own)
    by_pair = average_precision_influence(ranks, own)
    psi = truth.weigh(by_pair.reshape(truth.n, k).mean(axis=1))
    return _finished(average_precision_of(ranks), psi, own_hits(ranks, own))


def _finished(value: float, influence: Floats, flattery: float = 0.0) -> _Result:
    influence.flags.writeable = False  # it is kept, and handed to whoever asks
    return _Result(value=value, influence=influence, flattery=flattery)
