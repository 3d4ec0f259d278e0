"""Where a metric has no value, the error says what is missing and what to do; nothing is 0 by default."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_model_gate.errors import EvaluationError, InvalidError, UndefinedMetricError
from pytest_model_gate.metrics.catalogue import names, resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

SLICE = "\n  Check how the rows were selected; where this is a slice, raise its min_rows."
RANGE = "\n  Use a metric that takes every number, such as mean_absolute_error."
NEVER = "\n  The model never predicts this here: check its threshold and classes, or use recall or F."


def classes(values, labels=("no", "yes")):
    return Truth(values=np.array(values), classes=labels)


def labels(*codes):
    return Predicted(labels=np.array(codes), probability=np.linspace(0, 1, len(codes)))


ABC = ("a", "b", "c")
THIRDS = Predicted(labels=np.array([0, 1, 0]), probability=np.full((3, 3), 1 / 3))

UNDEFINED = [
    ("roc_auc", classes([0] * 412), labels(*[0] * 412),
     "roc_auc needs both classes; these 412 rows have none of class 'yes'." + SLICE),
    ("roc_auc", classes([1, 1]), labels(0, 1),
     "roc_auc needs both classes; these 2 rows have none of class 'no'." + SLICE),
    ("ks_statistic", classes([0, 0]), labels(0, 1),
     "ks_statistic needs both classes; these 2 rows have none of class 'yes'." + SLICE),
    ("gini", classes([1, 1]), labels(0, 1),
     "gini needs both classes; these 2 rows have none of class 'no'." + SLICE),
    ("average_precision", classes([0, 0]), labels(0, 1),
     "average_precision needs positives; these 2 rows have none of class 'yes'." + SLICE),
    ("precision", classes([0, 1], (0, np.int64(1))), labels(0, 0),
     "precision needs rows predicted as 1; these 2 rows have none." + NEVER),
    ("recall", classes([0, 0]), labels(0, 1),
     "recall needs rows of class 'yes'; these 2 rows have none." + SLICE),
    ("specificity", classes([1, 1]), labels(0, 1),
     "specificity needs rows of class 'no'; these 2 rows have none." + SLICE),
    ("f1", classes([0, 0]), labels(0, 1), "f1 needs rows of class 'yes'; these 2 rows have none." + SLICE),
    ("recall_macro", classes([0, 0, 2], ABC), THIRDS,
     "recall_macro needs rows of class 'b'; these 3 rows have none." + SLICE),
    ("precision_macro", classes([0, 1, 2], ABC), THIRDS,
     "precision_macro needs rows predicted as 'c'; these 3 rows have none." + NEVER),
    ("precision_weighted", classes([0, 1, 2], ABC), THIRDS,
     "precision_weighted needs rows predicted as 'c'; these 3 rows have none." + NEVER),
    ("balanced_accuracy", classes([0, 0]), labels(0, 0),
     "balanced_accuracy needs at least two classes in the target; these 2 rows hold only 'no'." + SLICE),
    ("balanced_accuracy", classes([0, 0, 2], ABC), THIRDS,
     "balanced_accuracy needs rows of every class that is predicted; these 3 rows have none of 'b'." + SLICE),
    ("matthews_corrcoef", classes([1, 1]), labels(0, 1),
     "matthews_corrcoef needs at least two classes in the target; these 2 rows hold only 'yes'." + SLICE),
    ("matthews_corrcoef", classes([0, 1]), labels(1, 1),
     "matthews_corrcoef needs at least two classes in the predictions; the model predicts 'yes' on all of "
     "these 2 rows."
     "\n  Use a metric that exists for constant predictions, such as balanced_accuracy or log_loss."),
    ("cohen_kappa", classes([0, 0]), labels(0, 1),
     "cohen_kappa needs at least two classes in the target; these 2 rows hold only 'no'." + SLICE),
    ("roc_auc_ovr", classes([0, 0, 0], ABC), THIRDS,
     "roc_auc_ovr needs rows of every class; these 3 rows have none of 'b', 'c'." + SLICE),
    ("roc_auc_ovo", classes([0] * 9, tuple("abcdefghi")), Predicted(probability=np.full((9, 9), 1 / 9)),
     "roc_auc_ovo needs rows of every class; these 9 rows have none of 'b', 'c', 'd', 'e', 'f' and 3 more."
     + SLICE),
    ("r2", Truth(values=np.full(1000, 0.1)), Predicted(value=np.arange(1000.0)),
     "r2 needs targets that differ; all 1,000 are 0.1." + SLICE),
    ("r2", Truth(values=np.array([0, 1e-200])), Predicted(value=np.zeros(2)),
     "r2 needs targets that differ; they differ too little for a variance." + SLICE),
    ("spearman", Truth(values=np.ones(2)), Predicted(value=np.arange(2.0)),
     "spearman needs targets that differ; all 2 are equal." + SLICE),
    ("spearman", Truth(values=np.arange(2.0)), Predicted(value=np.ones(2)),
     "spearman needs predictions that differ; all 2 are equal."
     "\n  Use mean_absolute_error, which exists for them."),
    ("mean_absolute_percentage_error", Truth(values=np.array([0.0, 1.0, -0.0])), Predicted(value=np.ones(3)),
     "mean_absolute_percentage_error needs targets other than 0; 2 of 3 rows have the target 0."
     "\n  Use mean_absolute_error, or leave these rows out of the dataset."),
    ("negative_predictive_value", classes([0, 1]), labels(1, 1),
     "negative_predictive_value needs rows predicted as 'no'; these 2 rows have none."
     "\n  The model never predicts this here: check its threshold and classes, or use specificity."),
    ("cohen_kappa_quadratic", classes([0, 0]), labels(0, 1),
     "cohen_kappa_quadratic needs at least two classes in the target; these 2 rows hold only 'no'." + SLICE),
    ("average_precision_weighted", classes([0, 0, 0], ABC), THIRDS,
     "average_precision_weighted needs rows of every class; these 3 rows have none of 'b', 'c'." + SLICE),
    ("average_precision_micro", classes([0, 0, 0], ABC), THIRDS,
     "average_precision_micro needs rows of every class; these 3 rows have none of 'b', 'c'." + SLICE),
    ("top_k_accuracy@5", classes([0, 1, 2], ABC), THIRDS,
     "top_k_accuracy@5 needs more than 5 classes; this target has 3.\n  Use a smaller k."),
    ("top_k_accuracy@2", classes([0, 1]), labels(0, 1),
     "top_k_accuracy@2 needs more than 2 classes; this target has 2.\n  Use accuracy."),
    ("explained_variance", Truth(values=np.full(1000, 0.1)), Predicted(value=np.arange(1000.0)),
     "explained_variance needs targets that differ; all 1,000 are 0.1." + SLICE),
    ("pearson", Truth(values=np.full(3, 0.1)), Predicted(value=np.arange(3.0)),
     "pearson needs targets that differ; all 3 are equal." + SLICE),
    ("pearson", Truth(values=np.arange(3.0)), Predicted(value=np.full(3, 0.1)),
     "pearson needs predictions that differ; all 3 are equal."
     "\n  Use mean_absolute_error, which exists for them."),
    ("pearson", Truth(values=np.arange(2.0)), Predicted(value=np.array([0, 1e-200])),
     "pearson needs predictions that differ; they differ too little for a variance."
     "\n  Use mean_absolute_error, which exists for them."),
    ("mean_poisson_deviance", Truth(values=np.array([0.0, -2.0, -1.0])), Predicted(value=np.ones(3)),
     "mean_poisson_deviance needs targets of at least 0; 2 of 3 rows are not, the least is -2." + RANGE),
    ("mean_gamma_deviance", Truth(values=np.array([0.0, 2.0])), Predicted(value=np.ones(2)),
     "mean_gamma_deviance needs targets above 0; 1 of 2 rows are not, the least is 0." + RANGE),
    ("mean_tweedie_deviance@2.5", Truth(values=np.array([0.0, 2.0])), Predicted(value=np.ones(2)),
     "mean_tweedie_deviance@2.5 needs targets above 0; 1 of 2 rows are not, the least is 0." + RANGE),
    ("root_mean_squared_log_error", Truth(values=np.array([-1.0, 2.0])), Predicted(value=np.ones(2)),
     "root_mean_squared_log_error needs targets above -1; 1 of 2 rows are not, the least is -1." + RANGE),
    ("mean_squared_error", Truth(values=np.array([1e300, 1.0])), Predicted(value=np.array([-1e300, 1.0])),
     "mean_squared_error is too large or too small for a number on these 2 rows."
     "\n  Look for absurd values in the target and in the predictions, or rescale the target."),
    ("accuracy", Truth(values=np.array([1.0, 2.0])), labels(0, 1),
     "accuracy needs a target of classes; this target is numeric."
     "\n  Use a regression metric such as mean_absolute_error, or declare the task."),
    ("r2", classes([0, 1]), Predicted(value=np.ones(2)),
     "r2 needs a numeric target; this target holds classes."
     "\n  Use a classification metric such as accuracy, or declare the task."),
    ("accuracy", classes([0, 0], ("only",)), labels(0, 0),
     "accuracy needs at least two classes; this target has 1 class.\n  Check the target column."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "truth", "predicted", "text"), UNDEFINED)
def test_what_is_missing_is_said(name, truth, predicted, text):
    for function in (resolve(name).value, resolve(name).influence):
        with pytest.raises(UndefinedMetricError) as caught:
            function(truth, predicted)
        assert str(caught.value) == text


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("precision", "precision_macro or precision_weighted"),
        ("recall", "recall_macro or recall_weighted"),
        ("f1", "f1_macro or f1_weighted"),
        ("f0.5", "f0.5_macro or f0.5_weighted"),
        ("specificity", "recall_macro, which averages over all classes"),
        ("roc_auc", "roc_auc_ovr or roc_auc_ovo"),
        ("average_precision", "average_precision_macro"),
        ("gini", "roc_auc_ovr or roc_auc_ovo"),
        ("ks_statistic", "roc_auc_ovr or cohen_kappa"),
        ("negative_predictive_value", "precision_macro, which averages over all classes"),
    ],
)
def test_metrics_of_two_classes_name_what_to_use_for_more(name, instead):
    with pytest.raises(UndefinedMetricError) as caught:
        resolve(name).value(classes([0, 1, 2], ABC), THIRDS)
    assert str(caught.value) == (
        f"{name} needs two classes; this target has 3 ('a', 'b', 'c').\n  Use {instead}."
    )
    for other in instead.split(",")[0].split(" or "):
        assert not resolve(other).binary_only


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize(("n", "found"), [(0, "there are none"), (1, "there is 1")])
def test_two_rows_are_the_least(name, n, found):
    metric = resolve(name)
    regression = metric.task == "regression"
    truth = Truth(values=np.ones(n)) if regression else classes(np.ones(n, dtype=np.intp))
    predicted = Predicted(labels=np.ones(n, dtype=np.intp), probability=np.ones(n), value=np.ones(n))
    with pytest.raises(UndefinedMetricError) as caught:
        metric.value(truth, predicted)
    assert str(caught.value) == f"{name} needs at least 2 rows; {found}." + SLICE


@pytest.mark.parametrize(
    ("name", "words", "remedy"),
    [
        ("accuracy", "labels", "Use a model with predict, or set a threshold for its scores."),
        ("roc_auc", "scores or probabilities", "Use a model with predict_proba or decision_function."),
        ("log_loss", "probabilities", "Use a model with predict_proba, or a metric of labels or scores."),
        ("r2", "values", "Use a model that predicts numbers."),
    ],
)
def test_a_model_that_cannot_say_it(name, words, remedy):
    truth = Truth(values=np.array([0.0, 1.0])) if name == "r2" else classes([0, 1])
    with pytest.raises(EvaluationError) as caught:
        resolve(name).value(truth, Predicted())
    assert str(caught.value) == f"{name} needs {words}, which this model did not give.\n  {remedy}"


OUTPUT = (
    "\n  Give the model an output that cannot leave this range (a log link, a clipped value), "
    "or use mean_absolute_error."
)
INVALID = [
    ("accuracy", classes([0, 1, 1]), labels(0, 1),
     "accuracy needs one prediction per row; there are 2 predictions for 3 rows."
     "\n  Check the model's output and the key that joins predictions to rows."),
    ("accuracy", classes([0, 1]), labels(0, 2),
     "The model predicts a label (code 2) that is none of the target's 2 classes."
     "\n  Compare the model's classes with the classes of the target."),
    ("log_loss", classes([0, 1, 2], ABC), Predicted(probability=np.full((3, 2), 0.5)),
     "log_loss needs one probability per class; there are 2 columns for 3 classes."
     "\n  Compare the model's classes with the classes of the target."),
    ("log_loss", classes([0, 1]), Predicted(probability=np.array([np.nan, 0.5])),
     "log_loss needs numbers; 1 of 2 in the predictions are missing or infinite."
     "\n  Give every row a finite number, or drop the rows that have none."),
    ("roc_auc", classes([0, 1]), Predicted(probability=np.array([np.nan, 0.5])),
     "1 of 2 values that should be ranked are missing (NaN)."
     "\n  Give every row a number: look for missing values in the target and in the predictions."),
    ("r2", Truth(values=np.array([np.nan, 0, 1])), Predicted(value=np.ones(3)),
     "r2 needs numbers; 1 of 3 in the target are missing or infinite."
     "\n  Give every row a finite number, or drop the rows that have none."),
    ("mean_poisson_deviance", Truth(values=np.ones(3)), Predicted(value=np.array([0.0, -0.5, 1])),
     "mean_poisson_deviance needs predictions above 0; 2 of 3 rows are not, the least is -0.5." + OUTPUT),
    ("mean_tweedie_deviance@-1", Truth(values=-np.ones(3)), Predicted(value=np.array([0.0, 2, 1])),
     "mean_tweedie_deviance@-1 needs predictions above 0; 1 of 3 rows are not, the least is 0." + OUTPUT),
    ("mean_squared_log_error", Truth(values=np.ones(3)), Predicted(value=np.array([-1.0, 2, 1])),
     "mean_squared_log_error needs predictions above -1; 1 of 3 rows are not, the least is -1." + OUTPUT),
    ("mean_gamma_deviance", Truth(values=np.ones(3)), Predicted(value=np.array([np.nan, 2, 1])),
     "mean_gamma_deviance needs numbers; 1 of 3 in the predictions are missing or infinite."
     "\n  Give every row a finite number, or drop the rows that have none."),
    ("quantile_coverage_error@0.9", Truth(values=np.arange(3.0)), Predicted(value=np.array([np.nan, 2, 1])),
     "quantile_coverage_error@0.9 needs numbers; 1 of 3 in the predictions are missing."
     "\n  Give every row a number, or drop the rows that have none."),
    ("pearson", Truth(values=np.arange(3.0)), Predicted(value=np.array([np.nan, 2, 1])),
     "pearson needs numbers; 1 of 3 in the predictions are missing or infinite."
     "\n  Give every row a finite number, or drop the rows that have none."),
    ("mean_absolute_error", Truth(values=np.array([np.nan, np.inf, 1])), Predicted(value=np.ones(3)),
     "mean_absolute_error needs numbers; 2 of 3 in the target are missing or infinite."
     "\n  Give every row a finite number, or drop the rows that have none."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "truth", "predicted", "text"), INVALID)
def test_predictions_that_break_their_contract_are_invalid(name, truth, predicted, text):
    with pytest.raises(InvalidError) as caught:
        resolve(name).value(truth, predicted)
    assert str(caught.value) == text


def test_a_table_by_cell_is_refused_where_the_value_is():
    with pytest.raises(UndefinedMetricError) as caught:
        resolve("precision").cell_influence(np.array([[3, 0], [2, 0]]))
    assert str(caught.value) == "precision needs rows predicted as class 1; these rows have none." + NEVER
