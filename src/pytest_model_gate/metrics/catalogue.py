"""Every built-in metric by name, its aliases, and the one function that turns a name into a ``Metric``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache

from ..errors import ConfigurationError
from . import agreement, classwise, correlation, multiclass, probability, ranking, regression
from .metric import Metric

_BUILT_IN: dict[str, Callable[[], Metric]] = {
    "accuracy": agreement.accuracy,
    "balanced_accuracy": agreement.balanced_accuracy,
    "precision": lambda: classwise.precision("binary"),
    "precision_macro": lambda: classwise.precision("macro"),
    "precision_weighted": lambda: classwise.precision("weighted"),
    "precision_micro": lambda: classwise.precision("micro"),
    "recall": lambda: classwise.recall("binary"),
    "recall_macro": lambda: classwise.recall("macro"),
    "recall_weighted": lambda: classwise.recall("weighted"),
    "recall_micro": lambda: classwise.recall("micro"),
    "specificity": classwise.specificity,
    "matthews_corrcoef": agreement.matthews_corrcoef,
    "cohen_kappa": agreement.cohen_kappa,
    "roc_auc": ranking.roc_auc,
    "roc_auc_ovr": multiclass.roc_auc_ovr,
    "roc_auc_ovr_weighted": lambda: multiclass.roc_auc_ovr(weighted=True),
    "roc_auc_ovo": multiclass.roc_auc_ovo,
    "average_precision": ranking.average_precision,
    "average_precision_macro": multiclass.average_precision_macro,
    "log_loss": probability.log_loss,
    "brier_score": probability.brier_score,
    "mean_absolute_error": regression.mean_absolute_error,
    "mean_squared_error": regression.mean_squared_error,
    "root_mean_squared_error": regression.root_mean_squared_error,
    "mean_absolute_percentage_error": regression.mean_absolute_percentage_error,
    "r2": regression.r2,
    "spearman": correlation.spearman,
}

#: F-beta is a pattern, not a list; these are the ones that ``names()`` shows.
_SHOWN_F = ("f1", "f0.5", "f2")
_AVERAGES: tuple[classwise.Average, ...] = ("binary", "macro", "weighted", "micro")
_F = re.compile(r"f(?P<beta>\d+(?:\.\d+)?)(?:_score)?(?:_(?P<average>macro|weighted|micro))?")

ALIASES: dict[str, str] = {
    "acc": "accuracy",
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "bacc": "balanced_accuracy",
    "precision_score": "precision",
    "ppv": "precision",
    "recall_score": "recall",
    "sensitivity": "recall",
    "tpr": "recall",
    "tnr": "specificity",
    "mcc": "matthews_corrcoef",
    "matthews": "matthews_corrcoef",
    "kappa": "cohen_kappa",
    "cohen_kappa_score": "cohen_kappa",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "roc_auc_score": "roc_auc",
    "auc_ovr": "roc_auc_ovr",
    "auc_ovo": "roc_auc_ovo",
    "ap": "average_precision",
    "auprc": "average_precision",
    "pr_auc": "average_precision",
    "average_precision_score": "average_precision",
    "logloss": "log_loss",
    "cross_entropy": "log_loss",
    "brier": "brier_score",
    "brier_score_loss": "brier_score",
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "mape": "mean_absolute_percentage_error",
    "r2_score": "r2",
    "r_squared": "r2",
    "spearmanr": "spearman",
    "spearman_r": "spearman",
}


def names() -> tuple[str, ...]:
    """Return the names of the built-in metrics, without aliases; F-beta exists for every positive beta."""
    f_names = tuple(
        stem if average == "binary" else f"{stem}_{average}" for stem in _SHOWN_F for average in _AVERAGES
    )
    return tuple(sorted((*_BUILT_IN, *f_names)))


def resolve(name: str, extra: Iterable[Metric] = ()) -> Metric:
    """Return the metric of this name.

    Parameters
    ----------
    name : str
        A name of ``names()``, ``f<beta>`` with or without an average, an alias, a scikit-learn scorer or
        function name, with or without ``neg_`` (the sign of a metric never changes). Capitals, hyphens
        and spaces don't matter.
    extra : iterable of Metric
        Metrics that extensions registered. Their names are their own, spelled exactly so.

    Raises
    ------
    ConfigurationError
        For an unknown name, and for an extension that takes a name that is taken.

    Examples
    --------
    >>> resolve("neg_mean_absolute_error").name
    'mean_absolute_error'
    >>> resolve("F2-macro").name
    'f2_macro'
    """
    registered = _registered(extra)
    if name in registered:
        return registered[name]
    metric = _built_in(name)
    if metric is None:
        known = (*names(), *registered)
        near = get_close_matches(_plain(name), (*known, *ALIASES), n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known))}."
        raise ConfigurationError(f"There is no metric {name!r}.", hint)
    return metric


def _registered(extra: Iterable[Metric]) -> dict[str, Metric]:
    registered: dict[str, Metric] = {}
    for metric in extra:
        if _built_in(metric.name) is not None:
            raise ConfigurationError(
                f"An extension registers a metric {metric.name!r}, which is a built-in name or alias.",
                "Give the extension's metric a name of its own.",
            )
        if metric.name in registered:
            raise ConfigurationError(
                f"Two extensions register a metric {metric.name!r}.",
                "Give one of the two another name, or load only one of them.",
            )
        registered[metric.name] = metric
    return registered


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def _built_in(name: str) -> Metric | None:
    plain = _plain(name)
    metric = _exact(ALIASES.get(plain, plain))
    if metric is None and plain.startswith("neg_"):
        plain = plain.removeprefix("neg_")
        metric = _exact(ALIASES.get(plain, plain))
        if metric is not None and metric.higher_is_better:  # nobody negates those
            return None
    return metric


@cache
def _exact(name: str) -> Metric | None:
    """Build a metric once: equal names give the same object, so metrics can be keys."""
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    match = _F.fullmatch(name)
    if match is None:
        return None
    beta = float(match["beta"])
    if not 0 < beta < math.inf:
        raise ConfigurationError(
            f"{name} needs a finite beta above 0.",
            "Write f1, f2 (favours recall) or f0.5 (favours precision).",
        )
    average = next(a for a in _AVERAGES if a == (match["average"] or "binary"))
    metric = classwise.f_beta(beta, average)
    return metric if metric.name == name else _exact(metric.name)
