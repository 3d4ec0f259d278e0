"""Every built-in metric by name, its aliases, and the one function that turns a name into a ``Metric``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache

from ..errors import ConfigurationError
from . import (
    agreement,
    calibration,
    classwise,
    correlation,
    deviance,
    multiclass,
    probability,
    queries,
    ranking,
    regression,
    reliability,
    separation,
    shares,
)
from .metric import Metric
from .parametrised import Parametrised

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
    "negative_predictive_value": classwise.negative_predictive_value,
    "matthews_corrcoef": agreement.matthews_corrcoef,
    "cohen_kappa": agreement.cohen_kappa,
    "cohen_kappa_linear": lambda: agreement.cohen_kappa("cohen_kappa_linear", power=1),
    "cohen_kappa_quadratic": lambda: agreement.cohen_kappa("cohen_kappa_quadratic", power=2),
    "roc_auc": ranking.roc_auc,
    "gini": ranking.gini,
    "ks_statistic": separation.ks_statistic,
    "roc_auc_ovr": multiclass.roc_auc_ovr,
    "roc_auc_ovr_weighted": lambda: multiclass.roc_auc_ovr(weighted=True),
    "roc_auc_ovo": multiclass.roc_auc_ovo,
    "average_precision": ranking.average_precision,
    "average_precision_macro": multiclass.average_precision,
    "average_precision_weighted": lambda: multiclass.average_precision(weighted=True),
    "average_precision_micro": multiclass.average_precision_micro,
    "log_loss": probability.log_loss,
    "brier_score": probability.brier_score,
    "calibration_slope_error": calibration.calibration_slope_error,
    "calibration_intercept_error": calibration.calibration_intercept_error,
    "max_error": regression.max_error,
    "mean_absolute_error": regression.mean_absolute_error,
    "mean_squared_error": regression.mean_squared_error,
    "root_mean_squared_error": regression.root_mean_squared_error,
    "mean_absolute_percentage_error": regression.mean_absolute_percentage_error,
    "mean_squared_log_error": deviance.mean_squared_log_error,
    "root_mean_squared_log_error": regression.root_mean_squared_log_error,
    "mean_poisson_deviance": deviance.mean_poisson_deviance,
    "mean_gamma_deviance": deviance.mean_gamma_deviance,
    "r2": regression.r2,
    "explained_variance": regression.explained_variance,
    "pearson": correlation.pearson,
    "spearman": correlation.spearman,
}

#: Written ``stem@parameter``: one metric for each value of a number.
_PARAMETRISED: dict[str, Parametrised] = {
    **{
        stem: Parametrised(
            make=make,
            kind=int,
            parameter="k",
            range="a whole number from 1 on",
            allowed=lambda k: k >= 1,
            shown=10,
            alone="none",
        )
        for stem, make in (
            ("ndcg", queries.ndcg),
            ("mean_average_precision", queries.mean_average_precision),
            ("mean_reciprocal_rank", queries.mean_reciprocal_rank),
        )
    },
    "expected_calibration_error": Parametrised(
        make=reliability.expected_calibration_error,
        kind=int,
        parameter="number of bins",
        range="a whole number from 5 to 100",
        allowed=lambda bins: 5 <= bins <= 100,
        shown=15,
        alone=15,
    ),
    "top_k_accuracy": Parametrised(
        make=shares.top_k_accuracy,
        kind=int,
        parameter="k",
        range="a whole number from 1 on",
        allowed=lambda k: k >= 1,
        shown=2,
        alone=2,
    ),
    "mean_pinball_loss": Parametrised(
        make=regression.mean_pinball_loss,
        kind=float,
        parameter="alpha",
        range="a number between 0 and 1",
        allowed=lambda alpha: 0 < alpha < 1,
        shown=0.5,
        alone=0.5,
    ),
    "mean_tweedie_deviance": Parametrised(
        make=deviance.mean_tweedie_deviance,
        kind=float,
        parameter="power",
        range="a number of at most 0 or at least 1",
        allowed=lambda power: power <= 0 or power >= 1,
        shown=1.5,
    ),
    "quantile_coverage_error": Parametrised(
        make=shares.quantile_coverage_error,
        kind=float,
        parameter="q",
        range="a number between 0 and 1",
        allowed=lambda q: 0 < q < 1,
        shown=0.9,
    ),
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
    "npv": "negative_predictive_value",
    "mcc": "matthews_corrcoef",
    "matthews": "matthews_corrcoef",
    "kappa": "cohen_kappa",
    "cohen_kappa_score": "cohen_kappa",
    "linear_kappa": "cohen_kappa_linear",
    "quadratic_kappa": "cohen_kappa_quadratic",
    "qwk": "cohen_kappa_quadratic",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "roc_auc_score": "roc_auc",
    "gini_coefficient": "gini",
    "ks": "ks_statistic",
    "ks_2samp": "ks_statistic",
    "accuracy_ratio": "gini",
    "auc_ovr": "roc_auc_ovr",
    "auc_ovo": "roc_auc_ovo",
    "ap": "average_precision",
    "auprc": "average_precision",
    "pr_auc": "average_precision",
    "average_precision_score": "average_precision",
    "logloss": "log_loss",
    "cross_entropy": "log_loss",
    "ece": "expected_calibration_error@15",
    "ndcg_score": "ndcg",
    "map": "mean_average_precision",
    "mrr": "mean_reciprocal_rank",
    "brier": "brier_score",
    "brier_score_loss": "brier_score",
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "mape": "mean_absolute_percentage_error",
    "r2_score": "r2",
    "r_squared": "r2",
    "explained_variance_score": "explained_variance",
    "msle": "mean_squared_log_error",
    "rmsle": "root_mean_squared_log_error",
    "poisson_deviance": "mean_poisson_deviance",
    "gamma_deviance": "mean_gamma_deviance",
    "pearsonr": "pearson",
    "pearson_r": "pearson",
    "spearmanr": "spearman",
    "spearman_r": "spearman",
    "pinball_loss": "mean_pinball_loss@0.5",
    "quantile_loss": "mean_pinball_loss@0.5",
    "top_k_accuracy_score": "top_k_accuracy@2",
}


#: Shares of wrong rows. A guess by spelling would name a share of right rows of the other class.
_COMPLEMENTS = {
    "fpr": "specificity",
    "false_positive_rate": "specificity",
    "fnr": "recall",
    "false_negative_rate": "recall",
    "miss_rate": "recall",
    "fdr": "precision",
    "false_discovery_rate": "precision",
    "error_rate": "accuracy",
    "zero_one_loss": "accuracy",
}


def names() -> tuple[str, ...]:
    """Return the names of the built-in metrics, without aliases.

    F-beta exists for every positive beta, and what is shown as ``stem@parameter`` for other parameters, too.
    """
    f_names = tuple(
        stem if average == "binary" else f"{stem}_{average}" for stem in _SHOWN_F for average in _AVERAGES
    )
    parametrised = (family.example(stem) for stem, family in _PARAMETRISED.items())
    alone = (stem for stem, family in _PARAMETRISED.items() if family.alone == "none")
    return tuple(sorted((*_BUILT_IN, *f_names, *parametrised, *alone)))


def resolve(name: str, extra: Iterable[Metric] = ()) -> Metric:
    """Return the metric of this name.

    Parameters
    ----------
    name : str
        A name of ``names()``, ``f<beta>`` with or without an average, ``stem@parameter``, an alias, a
        scikit-learn scorer or function name, with or without ``neg_`` (the sign of a metric never
        changes). Capitals, hyphens and spaces don't matter.
    extra : iterable of Metric
        Metrics that extensions registered. Their names are their own, spelled exactly so.

    Raises
    ------
    ConfigurationError
        For an unknown name, a parameter out of its range, and an extension that takes a name that is taken.

    Examples
    --------
    >>> resolve("neg_mean_absolute_error").name
    'mean_absolute_error'
    >>> resolve("F2-macro").name
    'f2_macro'
    >>> resolve("top_k_accuracy@05").name
    'top_k_accuracy@5'
    """
    registered = _registered(extra)
    if name in registered:
        return registered[name]
    metric = _built_in(name)
    if metric is None:
        raise ConfigurationError(f"There is no metric {name!r}.", _hint(_plain(name), registered))
    return metric


def _hint(plain: str, registered: Iterable[str]) -> str:
    """Return what a name may have been meant to be."""
    stem, at, parameter = plain.partition("@")
    if at and _built_in(stem) is not None and stem not in _PARAMETRISED:
        return f"{stem} takes no parameter: write {stem!r}."
    if at and (near := get_close_matches(stem, _PARAMETRISED, n=1)):
        return f"Did you mean '{near[0]}@{parameter}'?"
    if plain in _COMPLEMENTS:
        right = _COMPLEMENTS[plain]
        return f"It is 1 - {right}: write {right!r}, which falls as far as the other rises."
    known = (*names(), *registered)
    near = get_close_matches(plain, (*known, *ALIASES), n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known))}."


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
    stem, at, parameter = name.lower().partition("@")  # a hyphen of a parameter is a minus
    return re.sub(r"[\s-]+", "_", stem.strip()) + at + parameter.strip()


def _unaliased(plain: str) -> str:
    """Return the canonical name; the alias of a stem takes any parameter."""
    stem, at, parameter = plain.partition("@")
    found = ALIASES.get(stem, stem)
    return found.partition("@")[0] + at + parameter if at else found


def _built_in(name: str) -> Metric | None:
    plain = _plain(name)
    metric = _exact(_unaliased(plain))
    if metric is None and plain.startswith("neg_"):
        metric = _exact(_unaliased(plain.removeprefix("neg_")))
        if metric is not None and metric.higher_is_better:  # nobody negates those
            return None
    return metric


@cache
def _exact(name: str) -> Metric | None:
    """Build a metric once: equal names give the same object, so metrics can be keys."""
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    stem, at, parameter = name.partition("@")
    if stem in _PARAMETRISED:
        found = _PARAMETRISED[stem].metric(stem, parameter if at else None)
        return found if found.name == name else _exact(found.name)
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
