"""Names: canonical ones, aliases, scikit-learn's, F-beta, extensions."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import get_scorer_names

from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.metrics.catalogue import ALIASES, names, resolve


def test_the_names():
    assert names() == (
        "accuracy", "average_precision", "average_precision_macro", "average_precision_micro",
        "average_precision_weighted", "balanced_accuracy", "brier_score", "calibration_intercept_error",
        "calibration_slope_error", "cohen_kappa", "cohen_kappa_linear", "cohen_kappa_quadratic",
        "expected_calibration_error@15", "explained_variance", "f0.5", "f0.5_macro", "f0.5_micro",
        "f0.5_weighted", "f1", "f1_macro", "f1_micro", "f1_weighted", "f2", "f2_macro", "f2_micro",
        "f2_weighted", "gini", "ks_statistic", "log_loss", "matthews_corrcoef", "max_error",
        "mean_absolute_error", "mean_absolute_percentage_error", "mean_average_precision",
        "mean_average_precision@10", "mean_gamma_deviance", "mean_pinball_loss@0.5",
        "mean_poisson_deviance", "mean_reciprocal_rank", "mean_reciprocal_rank@10", "mean_squared_error",
        "mean_squared_log_error", "mean_tweedie_deviance@1.5", "ndcg", "ndcg@10",
        "negative_predictive_value", "pearson", "precision", "precision_macro", "precision_micro",
        "precision_weighted", "quantile_coverage_error@0.9", "r2", "recall", "recall_macro", "recall_micro",
        "recall_weighted", "roc_auc", "roc_auc_ovo", "roc_auc_ovr", "roc_auc_ovr_weighted",
        "root_mean_squared_error", "root_mean_squared_log_error", "spearman", "specificity",
        "top_k_accuracy@2",
    )  # fmt: skip


@pytest.mark.parametrize("name", names())
def test_a_metric_is_called_as_it_is_asked_for(name):
    assert resolve(name).name == name
    assert resolve(name) is resolve(name.upper().replace("_", "-"))


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_aliases_lead_to_canonical_names(alias, name):
    assert resolve(alias) is resolve(name)
    assert name in names()
    assert alias not in names()


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("neg_log_loss", "log_loss"),
        ("neg_brier_score", "brier_score"),
        ("neg_root_mean_squared_error", "root_mean_squared_error"),
        ("neg-MAE", "mean_absolute_error"),
        ("f1_score", "f1"),
        ("F1", "f1"),
        ("f1.0", "f1"),
        ("f2.50_macro", "f2.5_macro"),
        ("f0.5_score_weighted", "f0.5_weighted"),
        ("R2", "r2"),
        (" Balanced Accuracy ", "balanced_accuracy"),
    ],
)
def test_other_spellings(asked, name):
    assert resolve(asked).name == name
    assert resolve(asked) is resolve(name)


def test_every_scikit_learn_scorer_that_we_have_is_found_under_its_own_name():
    found = set()
    for scorer in get_scorer_names():
        try:
            found.add(resolve(scorer).name)
        except ConfigurationError:
            continue
    missing = {name for name in names() if name not in found and not name.startswith(("f0.5", "f2"))}
    assert missing == {
        "average_precision_macro", "average_precision_micro", "average_precision_weighted",
        "calibration_intercept_error", "calibration_slope_error", "cohen_kappa", "cohen_kappa_linear",
        "cohen_kappa_quadratic", "expected_calibration_error@15", "gini", "ks_statistic",
        "mean_average_precision", "mean_average_precision@10", "mean_pinball_loss@0.5",
        "mean_reciprocal_rank", "mean_reciprocal_rank@10", "mean_tweedie_deviance@1.5", "ndcg", "ndcg@10",
        "negative_predictive_value", "pearson", "quantile_coverage_error@0.9", "spearman", "specificity",
    }  # fmt: skip


def test_signs_do_not_change():
    assert not resolve("neg_log_loss").higher_is_better
    assert resolve("roc_auc").higher_is_better
    with pytest.raises(ConfigurationError, match="There is no metric 'neg_accuracy'"):
        resolve("neg_accuracy")


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("acuracy", "Did you mean 'accuracy'?"),
        ("roc_auc_ovo_weighted", "Did you mean 'roc_auc_ovr_weighted'?"),
        ("maee", "Did you mean 'mae'?"),
        ("zzz", f"Known: {', '.join(names())}."),
    ],
)
def test_an_unknown_name_suggests_the_nearest(asked, hint):
    with pytest.raises(ConfigurationError) as caught:
        resolve(asked)
    assert str(caught.value) == f"There is no metric {asked!r}.\n  {hint}"


@pytest.mark.parametrize("asked", ["f0", "f0.0_macro", "f" + "9" * 400])
def test_beta_is_a_finite_number_above_zero(asked):
    with pytest.raises(ConfigurationError) as caught:
        resolve(asked)
    assert str(caught.value) == (
        f"{asked} needs a finite beta above 0.\n  Write f1, f2 (favours recall) or f0.5 (favours precision)."
    )


def own(name):
    return dataclasses.replace(resolve("mae"), name=name)


def test_an_extension_adds_a_metric():
    cost = own("cost")
    assert resolve("cost", [cost]) is cost
    assert resolve("mae", [cost]) is resolve("mean_absolute_error")
    with pytest.raises(ConfigurationError, match=r"Did you mean 'cost'\?"):
        resolve("costt", [cost])


@pytest.mark.parametrize("taken", ["mae", "mean_absolute_error", "MAE", "f3", "neg_mean_absolute_error"])
def test_an_extension_does_not_take_a_name_that_is_taken(taken):
    with pytest.raises(ConfigurationError) as caught:
        resolve("accuracy", [own(taken)])
    assert str(caught.value) == (
        f"An extension registers a metric {taken!r}, which is a built-in name or alias.\n"
        "  Give the extension's metric a name of its own."
    )


def test_two_extensions_do_not_share_a_name():
    with pytest.raises(ConfigurationError) as caught:
        resolve("accuracy", [own("cost"), own("cost")])
    assert str(caught.value) == (
        "Two extensions register a metric 'cost'.\n"
        "  Give one of the two another name, or load only one of them."
    )


@given(st.text())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_text_is_a_metric_or_a_clean_error(name):
    try:
        metric = resolve(name)
    except ConfigurationError as error:
        assert error.remedy  # noqa: PT017
    else:
        assert metric is resolve(metric.name)


def test_directions_and_defaults():
    down = {name for name in names() if not resolve(name).higher_is_better}
    assert down == {
        "brier_score", "calibration_intercept_error", "calibration_slope_error",
        "expected_calibration_error@15", "log_loss", "max_error", "mean_absolute_error",
        "mean_absolute_percentage_error", "mean_gamma_deviance", "mean_pinball_loss@0.5",
        "mean_poisson_deviance", "mean_squared_error", "mean_squared_log_error",
        "mean_tweedie_deviance@1.5", "quantile_coverage_error@0.9", "root_mean_squared_error",
        "root_mean_squared_log_error",
    }  # fmt: skip
    crossing = {name for name in names() if resolve(name).crosses_zero}
    assert crossing == {
        "calibration_intercept_error", "calibration_slope_error", "cohen_kappa", "cohen_kappa_linear",
        "cohen_kappa_quadratic", "expected_calibration_error@15", "explained_variance", "matthews_corrcoef",
        "pearson", "quantile_coverage_error@0.9", "r2", "spearman",
    }  # fmt: skip
    assert {resolve(name).default_tolerance.relative for name in crossing} == {False}


def test_where_a_hundredth_is_too_small_a_step():
    special = {name: str(resolve(name).default_tolerance) for name in names() if resolve(name).usual}
    assert special == {
        "calibration_intercept_error": "0.05",
        "calibration_slope_error": "0.05",
        "expected_calibration_error@15": "0.02",
        "ks_statistic": "0.02",
        "mean_squared_error": "2%",
    }
    assert all(resolve(name).default_tolerance.default for name in names())


@pytest.mark.parametrize(
    ("name", "right"),
    [("FPR", "specificity"), ("fnr", "recall"), ("error-rate", "accuracy"), ("fdr", "precision")],
)
def test_a_share_of_wrong_rows_is_not_taken_for_that_of_another_class(name, right):
    with pytest.raises(ConfigurationError) as caught:
        resolve(name)
    assert (
        caught.value.remedy == f"It is 1 - {right}: write {right!r}, which falls as far as the other rises."
    )
