"""Functions that break what intervals take for granted are refused, and columns go where they belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as peer

from pytest_model_gate import compare, make_metric
from pytest_model_gate.errors import ConfigurationError, EvaluationError
from pytest_model_gate.metrics.scorer import from_scorer, named_scorer

N = 240
RNG = np.random.default_rng(3)
Y = RNG.integers(0, 2, N)
LABELS = [np.where(RNG.random(N) < share, 1 - Y, Y) for share in (0.3, 0.1)]
NUMBERS = Y + RNG.normal(size=(3, N))
DESIGNS = ({}, {"groups": np.arange(N) // 4}, {"sample_weight": 0.5 + RNG.random(N)})


def share_right(y_true, y_pred, **keywords):
    return float(np.mean(y_true == y_pred))


def positives_found(y_true, y_pred, sample_weight=None):
    return float(np.mean(y_pred[y_true == 1] == 1))


def absolute(y_true, y_pred, sample_weight=None):
    return float(np.mean(np.abs(y_true - y_pred)))


@pytest.mark.parametrize("function", [share_right, positives_found])
@pytest.mark.parametrize(
    "design", [{}, {"groups": np.arange(N) // 4}, {"sample_weight": 0.5 + RNG.random(N)}]
)
@pytest.mark.parametrize("smooth", [True, False])
def test_weights_that_a_function_of_labels_does_not_use_are_refused(function, design, smooth):
    metric = make_metric(function, needs="label", higher_is_better=True, smooth=smooth, resamples=50)
    with pytest.raises(EvaluationError) as caught:
        compare(Y, *LABELS, metric=metric, max_regression=0.3, **design)
    assert caught.value.what.startswith(f"{function.__name__} takes sample_weight, but does not use it: ")
    assert caught.value.what.endswith(" when rows count as often as their weights say.")
    assert caught.value.remedy == (
        "Let every row count by its weight, or let the function take neither sample_weight nor **kwargs."
    )


def test_weights_that_a_function_of_numbers_does_not_use_are_refused():
    metric = make_metric(absolute, needs="value", higher_is_better=False, resamples=50)
    with pytest.raises(EvaluationError, match="absolute takes sample_weight, but does not use it: "):
        compare(*NUMBERS, metric=metric, max_regression=0.3)


@pytest.mark.parametrize("needs", ["label", "value"])
def test_a_function_that_does_not_repeat_itself_is_refused(needs):
    rng = np.random.default_rng(0)

    def moody(y_true, y_pred, sample_weight=None):
        return float(np.average(np.abs(y_true - y_pred), weights=sample_weight) + rng.normal())

    metric = make_metric(moody, needs=needs, higher_is_better=False, resamples=50)
    rows = (Y, *LABELS) if needs == "label" else NUMBERS
    said = r"moody says .* of some rows, and .* when it is asked again\."
    with pytest.raises(EvaluationError, match=said) as caught:
        compare(*rows, metric=metric, max_regression=0.3)
    assert caught.value.remedy == "Let it depend on its arguments alone, and leave these as they are."


@pytest.mark.parametrize("function", [peer.median_absolute_error, peer.r2_score, peer.d2_pinball_score])
def test_functions_whose_weights_are_counts_are_taken(function):
    better = function is not peer.median_absolute_error
    metric = make_metric(function, needs="value", higher_is_better=better, resamples=50)
    assert "bootstrap" in compare(*NUMBERS, metric=metric, max_regression=0.5).interval.method


CLASSES = ["low", "mid", "high"]


@pytest.mark.parametrize("scorer", ["neg_log_loss", "roc_auc_ovr"])
def test_columns_go_to_scorers_in_the_order_of_sorted_labels(scorer):
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, 90)
    columns = rng.dirichlet([1, 1, 1], size=(2, 90))
    columns[:, np.arange(90), truth] += 0.4
    columns /= columns.sum(axis=2, keepdims=True)
    name = scorer.removeprefix("neg_")
    found, built_in = (
        compare(np.array(CLASSES)[truth], *columns, metric=metric, max_regression=0.9, classes=CLASSES)
        for metric in (replace(named_scorer(f"sklearn:{scorer}"), resamples=50), name)
    )
    assert (found.candidate, found.production) == pytest.approx((built_in.candidate, built_in.production))


@pytest.mark.parametrize("positive", ["no", "yes"])
@pytest.mark.parametrize(
    ("function", "keywords", "of"),
    [
        (peer.average_precision_score, {"pos_label": "no"}, "no"),
        (peer.average_precision_score, {"pos_label": "yes"}, "yes"),
        (peer.brier_score_loss, {"pos_label": "no"}, "no"),
        (peer.log_loss, {"labels": ["no", "yes"]}, "yes"),
    ],
)
def test_a_scorer_that_names_labels_gets_the_scores_of_the_class_it_means(positive, function, keywords, of):
    truth = np.where(Y == 1, "yes", "no")
    of_yes = 1 / (1 + np.exp(-(NUMBERS[:2] - 0.5)))
    given = of_yes if positive == "yes" else 1 - of_yes
    scorer = peer.make_scorer(function, response_method="predict_proba", **keywords)
    found = compare(
        truth,
        *given,
        metric=replace(from_scorer(scorer), resamples=50),
        max_regression=0.9,
        pos_label=positive,
    )
    right = [function(truth, each if of == "yes" else 1 - each, **keywords) for each in of_yes]
    assert (found.candidate, found.production) == pytest.approx(right)


def test_the_largest_error_of_a_scorer_is_not_judged():
    with pytest.raises(ConfigurationError) as caught:
        named_scorer("sklearn:neg_max_error")
    assert str(caught.value) == (
        "sklearn:neg_max_error has no honest interval: rows that were not drawn may hold larger ones.\n"
        "  Name max_error, which is shown and not judged."
    )


def test_a_gain_that_hangs_on_one_row_is_not_judged():
    def largest(y_true, y_pred):
        return float(np.max(np.abs(y_true - y_pred)))

    y = np.zeros(N)
    found = compare(
        y, NUMBERS[0], y, metric=make_metric(largest, needs="value", higher_is_better=False, resamples=200)
    )
    assert found.verdict.value == "inconclusive"
    assert found.reason.startswith(f"a few of {N} rows carry nearly all of the spread: ")


@pytest.mark.parametrize("design", DESIGNS[1:])
def test_a_function_that_no_row_changes_is_not_judged(design):
    def constant(y_true, y_pred, sample_weight=None):
        return 0.5

    metric = make_metric(constant, needs="label", higher_is_better=True)
    found = compare(Y, *LABELS, metric=metric, max_regression=0.1, **design)
    assert found.verdict.value == "inconclusive"
    assert found.reason.endswith(" that all say the same show no spread")
