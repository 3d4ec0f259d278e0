"""Drawn data, and the same metrics by other people's code: scikit-learn, scipy, and plain definitions."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import permutations

import numpy as np
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as peer

from pytest_model_gate.metrics.catalogue import names, resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

CLASSES = ("a", "b", "c", "d", "e")
#: F-beta is one formula; a few betas stand for it.
OF_F = ("f0.3", "f1", "f1_macro", "f1_micro", "f2_weighted", "f7.25_macro")
#: What takes a parameter is one formula, too: some other parameters than the one that is shown.
OF_PARAMETERS = (
    "top_k_accuracy@1",
    "mean_pinball_loss@0.9",
    "quantile_coverage_error@0.3",
    *(f"mean_tweedie_deviance@{power}" for power in ("-0.5", "0", "1", "2", "3")),
)
#: Families whose metrics have tests of their own: they need queries, or take noise off their value.
ELSEWHERE = ("query", "distance", "binned")
ALL = (
    *(name for name in names() if not re.match(r"f\d", name) and resolve(name).family not in ELSEWHERE),
    *OF_F,
    *OF_PARAMETERS,
)
#: What has an influence, and so an interval.
JUDGED = tuple(name for name in ALL if resolve(name).family != "value")
#: Targets and predictions of these have to be positive, or at least not negative.
POSITIVE = tuple(name for name in ALL if re.search("deviance|_log_error", name) and not name.endswith("@0"))
QUIET = {"zero_division": 0}


@st.composite
def weights(draw, n):
    """No weights, or quarters with mean 1."""
    if draw(st.booleans()):
        return None
    w = np.array(draw(st.lists(st.integers(1, 16), min_size=n, max_size=n))) / 4
    return w / w.mean()


@st.composite
def classified(draw, k=None, min_size=2):
    """A truth of k classes with a model's labels and probabilities: many ties, zeros and ones."""
    k = k or draw(st.sampled_from([2, 3, 5]))
    n = draw(st.integers(min_size, 30))
    codes = st.lists(st.integers(0, k - 1), min_size=n, max_size=n)
    truth = Truth(values=np.array(draw(codes), dtype=np.intp), classes=CLASSES[:k], weight=draw(weights(n)))
    labels = np.array(draw(codes), dtype=np.intp)
    if k == 2:
        share = st.one_of(st.integers(0, 8).map(lambda i: i / 8), st.floats(0, 1))
        probability = np.array(draw(st.lists(share, min_size=n, max_size=n)))
    else:
        row = st.lists(st.integers(0, 4), min_size=k, max_size=k).filter(any)
        raw = np.array(draw(st.lists(row, min_size=n, max_size=n)), dtype=np.float64)
        probability = raw / raw.sum(axis=1, keepdims=True)
    return truth, Predicted(labels=labels, probability=probability)


@st.composite
def measured(draw, name="", min_size=2):
    """A numeric truth with a model's values: eighths, so that there are ties; mostly in its range."""
    n = draw(st.integers(min_size, 30))
    least = draw(st.sampled_from([0, 1, 1])) if name in POSITIVE else -40
    numbers = st.lists(st.integers(least, 40), min_size=n, max_size=n)
    y, hat = (np.array(draw(numbers), dtype=np.float64) / 8 for _ in range(2))
    return Truth(values=y, weight=draw(weights(n))), Predicted(value=hat)


def columns(predicted):
    """One column per class to rank by; -p instead of 1 - p, which makes ties of tiny numbers."""
    p = predicted.probability
    return np.column_stack((-p, p)) if p.ndim == 1 else p


def by_peer(name: str, truth: Truth, predicted: Predicted, weight) -> float:
    """Return the metric by other people's code, with these weights."""
    return _peer(name)(truth, predicted, weight)


def _peer(name: str) -> Callable[..., float]:
    match = re.fullmatch(r"(precision|recall|f[\d.]+)(?:_(\w+))?", name)
    if match is None:
        stem, at, parameter = name.partition("@")
        return OF_STEM[stem](float(parameter)) if at else PEERS[name]
    stem, options = match[1], {"average": match[2] or "binary", **QUIET}
    if stem[0] == "f":
        return _labels(peer.fbeta_score, beta=float(stem[1:]), **options)
    return _labels({"precision": peer.precision_score, "recall": peer.recall_score}[stem], **options)


def _labels(function, **options):
    return lambda t, p, w: function(t.values, p.labels, sample_weight=w, **options)


def _values(function):
    return lambda t, p, w: function(t.values, p.value, sample_weight=w)


def _score(function):
    return lambda t, p, w: function(t.values, p.probability, sample_weight=w)


def _brier(t, p, w):
    if p.probability.ndim == 1:
        return peer.brier_score_loss(t.values, p.probability, sample_weight=w, pos_label=1)
    return peer.brier_score_loss(t.values, p.probability, sample_weight=w, labels=range(len(t.classes)))


def _ovr(average):
    def value(t, p, w):
        score = p.probability
        return peer.roc_auc_score(t.values, score, multi_class="ovr", average=average, sample_weight=w)

    return value


def one_vs_one(t, p, w):
    """Hand and Till by pairs; scikit-learn has it without weights only."""
    score, pairs = columns(p), []
    for a, b in permutations(range(len(t.classes)), 2):
        rows = (t.values == a) | (t.values == b)
        within = None if w is None else w[rows]
        pairs.append(peer.roc_auc_score(t.values[rows] == a, score[rows, a], sample_weight=within))
    return float(np.mean(pairs))


def _average_precisions(t, p, w):
    score = columns(p)
    return float(
        np.mean(
            [
                peer.average_precision_score(t.values == k, score[:, k], sample_weight=w)
                for k in range(len(t.classes))
            ]
        )
    )


def spearman(t, p, w):
    """Correlation of shares of rows below (half of the ties), by all pairs; scipy's where unweighted."""
    if w is None:
        return float(stats.spearmanr(t.values, p.value).statistic)
    x, y = (((v[None, :] < v[:, None]) + 0.5 * (v[None, :] == v[:, None])) @ w for v in (t.values, p.value))
    x, y = (r - np.average(r, weights=w) for r in (x, y))
    return float(np.sum(w * x * y) / np.sqrt(np.sum(w * x * x) * np.sum(w * y * y)))


def ks(t, p, w):
    """The largest distance of two distribution functions; scipy's where unweighted."""
    score, y = p.probability, t.values
    if w is None:
        return float(stats.ks_2samp(score[y == 1], score[y == 0]).statistic)
    below = score[None, :] <= score[:, None]
    rates = [(below * w)[:, y == code].sum(axis=1) / w[y == code].sum() for code in (0, 1)]
    return float(np.max(np.abs(rates[0] - rates[1])))


def pearson(t, p, w):
    """Correlation from the moments; scipy's where unweighted."""
    if w is None:
        return float(stats.pearsonr(t.values, p.value).statistic)
    x, y = (v - np.average(v, weights=w) for v in (t.values, p.value))
    return float(np.sum(w * x * y) / np.sqrt(np.sum(w * x * x) * np.sum(w * y * y)))


def _kappa(weights):
    """Cohen's weighted kappa with all classes of the target, also those that are nowhere in these rows."""

    def value(t, p, w):
        labels = range(len(t.classes))
        return peer.cohen_kappa_score(t.values, p.labels, labels=labels, weights=weights, sample_weight=w)

    return value


def _average_precision_of(average):
    def value(t, p, w):
        one_hot = np.eye(len(t.classes), dtype=int)[t.values]
        score = columns(p)
        if average == "micro" and p.probability.ndim == 1:  # ranks both columns together: no -p here
            score = np.column_stack((1 - p.probability, p.probability))
        return peer.average_precision_score(one_hot, score, average=average, sample_weight=w)

    return value


PEERS: dict[str, Callable[..., float]] = {
    "accuracy": _labels(peer.accuracy_score),
    "balanced_accuracy": _labels(peer.balanced_accuracy_score),
    "specificity": _labels(peer.recall_score, pos_label=0, **QUIET),
    "matthews_corrcoef": _labels(peer.matthews_corrcoef),
    "negative_predictive_value": _labels(peer.precision_score, pos_label=0, **QUIET),
    "cohen_kappa": _labels(peer.cohen_kappa_score),
    "cohen_kappa_linear": _kappa("linear"),
    "cohen_kappa_quadratic": _kappa("quadratic"),
    "roc_auc": _score(peer.roc_auc_score),
    "ks_statistic": ks,
    "gini": lambda t, p, w: 2 * _score(peer.roc_auc_score)(t, p, w) - 1,
    "average_precision": _score(peer.average_precision_score),
    "average_precision_macro": _average_precisions,
    "average_precision_weighted": _average_precision_of("weighted"),
    "average_precision_micro": _average_precision_of("micro"),
    "roc_auc_ovr": _ovr("macro"),
    "roc_auc_ovr_weighted": _ovr("weighted"),
    "roc_auc_ovo": one_vs_one,
    "log_loss": lambda t, p, w: peer.log_loss(
        t.values, p.probability, sample_weight=w, labels=range(len(t.classes))
    ),
    "brier_score": _brier,
    "mean_absolute_error": _values(peer.mean_absolute_error),
    "mean_squared_error": _values(peer.mean_squared_error),
    "root_mean_squared_error": _values(peer.root_mean_squared_error),
    "mean_absolute_percentage_error": _values(peer.mean_absolute_percentage_error),
    "max_error": lambda t, p, w: peer.max_error(t.values, p.value),
    "mean_squared_log_error": _values(peer.mean_squared_log_error),
    "root_mean_squared_log_error": _values(peer.root_mean_squared_log_error),
    "mean_poisson_deviance": _values(peer.mean_poisson_deviance),
    "mean_gamma_deviance": _values(peer.mean_gamma_deviance),
    "explained_variance": _values(peer.explained_variance_score),
    "pearson": pearson,
    "r2": _values(peer.r2_score),
    "spearman": spearman,
}


def _top_k(k):
    def value(t, p, w):
        labels = range(len(t.classes))
        return peer.top_k_accuracy_score(t.values, p.probability, k=int(k), labels=labels, sample_weight=w)

    return value


#: Peers of metrics with a parameter.
OF_STEM: dict[str, Callable[[float], Callable[..., float]]] = {
    "top_k_accuracy": _top_k,
    "quantile_coverage_error": lambda q: lambda t, p, w: abs(np.average(t.values <= p.value, weights=w) - q),
    "mean_pinball_loss": lambda alpha: _values(partial(peer.mean_pinball_loss, alpha=alpha)),
    "mean_tweedie_deviance": lambda power: _values(partial(peer.mean_tweedie_deviance, power=power)),
}


def exists(name: str, truth: Truth, predicted: Predicted) -> bool:
    """Return whether the metric has a value on these rows, said once more from the definitions."""
    y = truth.values
    if truth.classes is None:
        varies = [len(set(v.tolist())) > 1 for v in (y, predicted.value)]
        conditions = {
            "r2": varies[0],
            "explained_variance": varies[0],
            "pearson": all(varies),
            "spearman": all(varies),
            "mean_absolute_percentage_error": np.all(y != 0),
        }
        return conditions.get(name, True) and in_range(name, truth, predicted)
    if name.startswith("top_k_accuracy@"):
        return int(name.partition("@")[2]) < len(truth.classes)
    k, true, hat = len(truth.classes), set(y.tolist()), set(predicted.labels.tolist())
    stem, _, average = name.partition("_")
    if re.fullmatch(r"f[\d.]+", stem):
        return average != "" or 1 in true
    return {
        "precision": 1 in hat,
        "precision_macro": true <= hat,
        "precision_weighted": true <= hat,
        "recall": 1 in true,
        "recall_macro": hat <= true,
        "specificity": 0 in true,
        "negative_predictive_value": 0 in hat,
        "balanced_accuracy": hat <= true and len(true) > 1,
        "matthews_corrcoef": len(true) > 1 and len(hat) > 1,
        "cohen_kappa": len(true) > 1,
        "cohen_kappa_linear": len(true) > 1,
        "cohen_kappa_quadratic": len(true) > 1,
        "roc_auc": len(true) == 2,
        "gini": len(true) == 2,
        "ks_statistic": len(true) == 2,
        "average_precision": 1 in true,
        "average_precision_macro": len(true) == k,
        "average_precision_weighted": len(true) == k,
        "average_precision_micro": len(true) == k,
        "roc_auc_ovr": len(true) == k,
        "roc_auc_ovr_weighted": len(true) == k,
        "roc_auc_ovo": len(true) == k,
    }.get(name, True)


def in_range(name: str, truth: Truth, predicted: Predicted) -> bool:
    """Return whether targets and predictions are where scikit-learn's function takes them."""
    y, p = truth.values.min(), predicted.value.min()
    if name.endswith("_log_error"):
        return y > -1 and p > -1
    power = {"mean_poisson_deviance": 1.0, "mean_gamma_deviance": 2.0}.get(name)
    if name.startswith("mean_tweedie_deviance@"):
        power = float(name.partition("@")[2])
    if not power:
        return True
    return p > 0 and (power < 1 or (y >= 0 if power < 2 else y > 0))
