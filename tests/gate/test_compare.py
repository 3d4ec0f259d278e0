"""The public ``compare``: what it accepts, what it refuses and with which words, and what must not matter."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    ModelGateError,
    UndefinedMetricError,
)
from pytest_model_gate.gate.compare import compare
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.results import Comparison, Verdict
from pytest_model_gate.wire import to_plain
from pytest_model_gate.wording import roughly

RNG = np.random.default_rng(0)
N = 400
Y = (RNG.random(N) < 0.3).astype(int)
A = np.clip(0.3 + 0.3 * (Y - 0.3) + 0.2 * RNG.normal(size=N), 0.01, 0.99)
B = np.clip(A + 0.05 * RNG.normal(size=N), 0.01, 0.99)
LABELS = {"accuracy", "f1", "matthews_corrcoef", "recall"}
METRICS = (
    "accuracy",
    "f1",
    "recall",
    "matthews_corrcoef",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier_score",
)


def predictions(metric: str, *scores: Any) -> list[Any]:
    return [(score > 0.4).astype(int) if metric in LABELS else score for score in scores]


def test_a_comparison_says_everything_in_plain_scalars() -> None:
    found = compare(Y, B, A, metric="roc_auc", max_regression="1%")

    assert found.metric == "roc_auc"
    assert found.slice == "all"
    assert found.n == N
    assert found.difference == found.gain == pytest.approx(found.candidate - found.production, abs=1e-12)
    assert found.tolerance == pytest.approx(0.01 * found.production, abs=1e-12)
    assert (found.interval.level, found.interval.method) == (0.9, "delong")
    assert to_plain(found)  # refuses everything but plain scalars
    kinds = {type(value) for value in asdict(found).values()}
    assert kinds <= {str, int, float, Verdict, dict, type(None)}


def test_losses_are_never_sign_flipped() -> None:
    found = compare(Y, B, A, metric="log_loss", max_regression=0.5)

    assert found.candidate > found.production > 0
    assert found.difference == -found.gain > 0
    assert found.verdict is Verdict.PASS


def test_verdicts() -> None:
    noise = np.where(np.arange(N) % 4 == 0, 1 - Y, Y)

    worse = compare(Y, noise, Y, metric="accuracy", max_regression=0.01)
    assert worse.verdict is Verdict.REGRESSED
    assert worse.reason == "worse than production by more than the tolerance: 0.25 worse, 0.01 allowed"
    within = compare(Y, noise, Y, metric="accuracy", max_regression=0.4)
    assert within.verdict is Verdict.PASS
    assert within.reason == ("not worse than production by more than the tolerance (worse, within tolerance)")
    same = compare(Y, noise, noise, metric="accuracy")
    assert same.verdict is Verdict.PASS
    assert same.gain == 0
    assert same.reason == "both models give the same predictions on every row"


def test_what_the_data_cannot_tell_says_what_they_could() -> None:
    found = compare(Y, *predictions("accuracy", B, A), metric="accuracy", max_regression=0.001)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.minimum_detectable is not None
    assert found.rows_needed is not None
    assert found.reason == (
        f"400 rows resolve {found.minimum_detectable:.2g}; about {roughly(found.rows_needed)} needed"
    )
    nothing = compare(Y, *predictions("accuracy", B, A), metric="accuracy")
    assert nothing.rows_needed is None
    assert (
        nothing.reason == "the data cannot tell: only a candidate that is better can prove a tolerance of 0"
    )


def test_a_caution_is_the_reason() -> None:
    found = compare(Y, B, A, metric="roc_auc", max_regression=0.5, groups=np.arange(N) % 3)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "3 groups are too few to tell how groups differ, at least 5 are needed"
    assert found.minimum_detectable is None
    assert found.rows_needed is None


# -- forms of the same data ----------------------------------------------------------------------------

NAMED = np.where(Y == 1, "bad", "good")


@pytest.mark.parametrize(
    ("convert", "extra"),
    [
        pytest.param(list, {}, id="list"),
        pytest.param(lambda v: v.astype(bool), {}, id="bool"),
        pytest.param(lambda v: v.astype(float), {}, id="float"),
        pytest.param(lambda v: v.astype(np.int8), {}, id="int8"),
        pytest.param(lambda v: v.reshape(-1, 1), {}, id="one column"),
        pytest.param(lambda v: pd.Series(v, dtype="Int64"), {}, id="nullable integer"),
        pytest.param(lambda v: pd.Series(v.astype(bool), dtype="boolean"), {}, id="nullable boolean"),
        pytest.param(lambda v: pd.Series(v).astype("category"), {}, id="categorical"),
        pytest.param(lambda v: np.where(v == 1, "bad", "good"), {"pos_label": "bad"}, id="text"),
        pytest.param(
            lambda v: pd.Series(np.where(v == 1, "bad", "good"), dtype="string"),
            {"pos_label": "bad"},
            id="string",
        ),
        pytest.param(
            lambda v: pd.Series(np.where(v == 1, "bad", "good"), dtype="category"),
            {"pos_label": "bad", "classes": ["good", "bad"]},
            id="categorical text",
        ),
        pytest.param(lambda v: np.where(v == 1, -7, 10**9), {"pos_label": -7}, id="far integers"),
        pytest.param(lambda v: v.astype(object), {}, id="object"),
    ],
)
def test_labels_are_compared_by_value(convert: Any, extra: dict[str, Any]) -> None:
    expected = compare(Y, *predictions("f1", B, A), metric="f1", max_regression=0.05)

    found = compare(
        convert(Y),
        *(convert(each) for each in predictions("f1", B, A)),
        metric="f1",
        max_regression=0.05,
        **extra,
    )

    assert found == expected


def test_types_of_truth_and_predictions_may_differ() -> None:
    labels = predictions("accuracy", B, A)

    assert compare(Y.astype(bool), *labels, metric="accuracy") == compare(Y, *labels, metric="accuracy")


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_columns_follow_the_classes(metric: str) -> None:
    expected = compare(Y, B, A, metric=metric)
    two = [np.column_stack([1 - score, score]) for score in (B, A)]
    swapped = [score[:, ::-1] for score in two]
    frames = [pd.DataFrame(score, columns=["good", "bad"]) for score in two]

    assert compare(Y, *two, metric=metric).gain == pytest.approx(expected.gain, abs=1e-11)
    for found in (
        compare(NAMED, *swapped, metric=metric, pos_label="bad"),  # sorted: bad, good
        compare(NAMED, *two, metric=metric, classes=["good", "bad"], pos_label="bad"),
        compare(NAMED, *frames, metric=metric, pos_label="bad"),  # by name
        compare(NAMED, *frames, metric=metric, classes=["good", "bad"], pos_label="bad"),
    ):
        assert found.gain == pytest.approx(expected.gain, abs=1e-11)
        assert found.interval.low == pytest.approx(expected.interval.low, abs=1e-11)


def test_which_class_is_positive_does_not_matter_to_symmetric_metrics() -> None:
    labels = [np.where(each == 1, "bad", "good") for each in predictions("accuracy", B, A)]

    assert (
        compare(NAMED, *labels, metric="accuracy").gain
        == compare(Y, *predictions("accuracy", B, A), metric="accuracy").gain
    )


def test_many_classes() -> None:
    y = np.arange(N) % 3
    rng = np.random.default_rng(5)
    scores = [np.exp(np.eye(3)[y] + rng.normal(size=(N, 3))) for _ in range(2)]
    scores = [score / score.sum(axis=1, keepdims=True) for score in scores]

    found = compare(y, *scores, metric="roc_auc_ovr", max_regression=0.2)
    assert found.verdict is Verdict.PASS
    # A class that no row of the sample has must be named.
    part = y < 2
    with pytest.raises(InvalidError) as caught:
        compare(y[part], scores[0][part], scores[1][part], metric="log_loss")
    assert str(caught.value) == (
        "candidate must have one column for each of the 2 classes, got 3.\n"
        "  Name all classes in the order of the columns: classes=[…]."
    )
    named = compare(y[part], scores[0][part], scores[1][part], metric="log_loss", classes=[0, 1, 2])
    assert math.isfinite(named.gain)


def test_regression_takes_any_numbers() -> None:
    y = [1, 2, 3, 4.5]
    series = pd.Series([1, 2, 4, 4], dtype="Int64")

    found = compare(y, series, np.array([1, 1, 4, 5], dtype=np.float32), metric="mae", max_regression=1)

    assert (found.candidate, found.production) == (0.375, 0.625)
    assert found.gain == 0.25


def test_weights_that_are_all_equal_say_nothing() -> None:
    assert compare(Y, B, A, metric="roc_auc", sample_weight=np.full(N, 7.0)) == compare(
        Y, B, A, metric="roc_auc"
    )


def test_rows_of_weight_zero_do_not_count() -> None:
    weight = np.where(np.arange(N) < 300, 1.0 + np.arange(N) % 2, 0.0)

    found = compare(Y, B, A, metric="roc_auc", sample_weight=weight, groups=np.arange(N) // 4)

    part = slice(0, 300)
    assert found == compare(
        Y[part], B[part], A[part], metric="roc_auc", sample_weight=weight[part], groups=np.arange(300) // 4
    )


def test_rows_that_are_groups_of_their_own_are_independent() -> None:
    assert compare(Y, B, A, metric="roc_auc", groups=np.arange(N), strata=["all"] * N) == compare(
        Y, B, A, metric="roc_auc"
    )


# -- what is refused, and with which words -------------------------------------------------------------

TWO = np.column_stack([1 - A, A])


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: compare(Y, B[:-1], A, metric="roc_auc"),
            InvalidError,
            "All arrays must have one length, got y_true 400, candidate 399, production 400.\n"
            "  Pass one value per row.",
        ),
        (
            lambda: compare(Y, B, A, metric="roc_auc", groups=[1, 2]),
            InvalidError,
            "All arrays must have one length, got y_true 400, candidate 400, production 400, groups 2.\n"
            "  Pass one value per row.",
        ),
        (
            lambda: compare([], [], [], metric="accuracy"),
            EvaluationError,
            "There are no rows: nothing can be compared.\n  Pass at least two rows.",
        ),
        (
            lambda: compare(Y, "model.skops", A, metric="accuracy"),
            InvalidError,
            "candidate must be an array, list or Series, got str.\n  Pass one value per row.",
        ),
        (
            lambda: compare(Y, np.where(Y == 1, np.nan, B), A, metric="roc_auc"),
            InvalidError,
            f"candidate must be finite numbers, but {Y.sum()} of 400 are missing or infinite.\n"
            "  Repair these rows or leave them out.",
        ),
        (
            lambda: compare(pd.Series(Y).where(Y == 0), B, A, metric="roc_auc"),
            InvalidError,
            f"y_true must have no missing values, but {Y.sum()} of 400 are missing.\n"
            "  Repair these rows or leave them out.",
        ),
        (
            lambda: compare(Y, pd.Series(Y, dtype="Int64").where(Y == 0), Y, metric="accuracy"),
            InvalidError,
            f"candidate must have no missing values, but {Y.sum()} of 400 are missing.\n"
            "  Repair these rows or leave them out.",
        ),
        (
            lambda: compare(Y, B, A, metric="accuracy"),
            InvalidError,
            "candidate must be among the classes of the target 0, 1, but 400 of 400 rows hold other "
            "numbers.\n"
            "  Scores are no labels: compare them with a threshold first, or use a metric of scores.",
        ),
        (
            lambda: compare(Y, TWO, TWO, metric="accuracy"),
            EvaluationError,
            "accuracy needs one label per row; candidate has shape (400, 2).\n"
            "  Turn probabilities into labels first: classes[probabilities.argmax(axis=1)].",
        ),
        (
            lambda: compare(Y, Y, A, metric="roc_auc"),
            EvaluationError,
            "roc_auc needs scores; candidate holds labels.\n"
            "  Pass predict_proba's output, or use a metric of labels such as accuracy.",
        ),
        (
            lambda: compare(Y, A > 0.5, A, metric="log_loss"),
            EvaluationError,
            "log_loss needs probabilities; candidate holds labels.\n"
            "  Pass predict_proba's output, or use a metric of labels such as accuracy.",
        ),
        (
            lambda: compare(Y, 2 * A, A, metric="brier_score"),
            InvalidError,
            f"candidate must hold probabilities between 0 and 1, but {(2 * A > 1).sum()} of 400 are "
            "outside.\n"
            "  Turn scores into probabilities, or use a metric of scores such as roc_auc.",
        ),
        (
            lambda: compare(Y, TWO * 0.9, TWO, metric="log_loss"),
            InvalidError,
            "The probabilities in a row of candidate must sum to 1; 400 of 400 do not.\n"
            "  Pass all classes, and normalise the rows.",
        ),
        (
            lambda: compare(Y, pd.DataFrame(TWO, columns=["a", "b"]), TWO, metric="log_loss"),
            InvalidError,
            "The columns of candidate must be the classes 0, 1, got 'a', 'b'.\n"
            "  Name the columns after the classes, or pass the bare values.",
        ),
        (
            lambda: compare(Y, Y, Y, metric="accuracy", classes=[1, 2]),
            InvalidError,
            f"y_true must be among the classes 2, 1, but {(Y == 0).sum()} of 400 rows hold 0.\n"
            "  Labels are compared by value: 1 and True are the same, 1 and '1' are not.",
        ),
        (
            lambda: compare(Y, Y.astype(str), Y, metric="accuracy", classes=[0, 1]),
            InvalidError,
            "candidate must be among the classes of the target 0, 1, but 400 of 400 rows hold '0', '1'.\n"
            "  Labels are compared by value: 1 and True are the same, 1 and '1' are not.",
        ),
        (
            lambda: compare(Y, Y, Y, metric="accuracy", classes=[0, 1, True]),
            ConfigurationError,
            "classes names a label twice: 0, 1, True. 1, 1.0 and True are the same label.\n"
            "  Name each class once.",
        ),
        (
            lambda: compare(NAMED, B, A, metric="roc_auc"),
            ConfigurationError,
            "roc_auc needs to know the positive class, and neither of 'bad', 'good' is 1 or True.\n"
            "  Set pos_label = 'good' or 'bad'.",
        ),
        (
            lambda: compare(NAMED, B, A, metric="log_loss"),
            ConfigurationError,
            "log_loss of one column of scores needs to know the positive class, and neither of 'bad', 'good' "
            "is 1 or True.\n  Set pos_label = 'good' or 'bad'.",
        ),
        (
            lambda: compare(NAMED, B, A, metric="roc_auc", pos_label="ugly"),
            ConfigurationError,
            "pos_label = 'ugly' is none of the classes 'bad', 'good'.\n  Set pos_label = 'good' or 'bad'.",
        ),
        (
            lambda: compare(np.arange(N) % 3, A, A, metric="log_loss"),
            EvaluationError,
            "log_loss needs a column for each of the 3 classes; candidate has only one.\n"
            "  Pass an array of shape (n, 3), columns in the order of classes.",
        ),
        (
            lambda: compare(Y, B, A, metric="roc_auc", sample_weight=-A),
            InvalidError,
            "sample_weight must not be negative, but 400 of 400 weights are.\n"
            "  Give rows that do not count the weight 0.",
        ),
        (
            lambda: compare(Y, B, A, metric="roc_auc", sample_weight=0 * A),
            InvalidError,
            "sample_weight must have a positive, finite sum, got 0.\n  Give some rows a weight.",
        ),
        (
            lambda: compare(Y, B, A, metric="roc_auc", sample_weight=[math.nan] + [1.0] * (N - 1)),
            InvalidError,
            "sample_weight must be finite numbers, but 1 of 400 are missing or infinite.\n"
            "  Repair these rows or leave them out.",
        ),
        (
            lambda: compare(Y, B, A, metric="roc_auc", groups=[None] + [1] * (N - 1)),
            InvalidError,
            "groups must have no missing values, but 1 of 400 are missing.\n"
            "  Repair these rows or leave them out.",
        ),
        (
            lambda: compare(NAMED, B, A, metric="mae"),
            InvalidError,
            "y_true must be numbers, got text or objects.\n  Convert y_true first.",
        ),
        (
            lambda: compare([1.5, math.inf, 2.0], [1, 2, 3], [1, 2, 3], metric="mae"),
            InvalidError,
            "y_true must be finite numbers, but 1 of 3 are missing or infinite.\n"
            "  Repair these rows or leave them out.",
        ),
        (
            lambda: compare(["a", 1, "a", 1], ["a", 1, 1, "a"], ["a", 1, 1, "a"], metric="accuracy"),
            InvalidError,
            "y_true must hold labels of one type, got int and str.\n  Convert the labels to one type.",
        ),
        (
            lambda: compare(pd.Series(Y), pd.Series(B)[::-1], A, metric="roc_auc"),
            InvalidError,
            "y_true and candidate hold the same index in different orders; rows are compared by position.\n"
            "  Align them first: candidate = candidate.loc[y_true.index].",
        ),
        (
            lambda: compare(Y, Y, Y, metric="mcc", max_regression="1%"),
            ConfigurationError,
            "A percentage of matthews_corrcoef means nothing, because matthews_corrcoef can be 0 or "
            "negative.\n"
            "  Give max_regression in the metric's own unit, for example 0.01.",
        ),
        (
            lambda: compare(Y, Y, Y, metric="accuracy", alpha=0.5),
            ConfigurationError,
            "alpha must be between 0 and 0.5, got 0.5.\n  Usual is alpha = 0.05.",
        ),
        (
            lambda: compare(Y, Y, Y, metric="accuracy", max_regression=-1),
            ConfigurationError,
            "max_regression must be a number >= 0 or a percentage such as '1%', got -1.\n"
            "  Write 0.005 for a step in the metric's own unit, or '1%' for a share of production's value.",
        ),
    ],
)
def test_refusals(call: Any, kind: type[ModelGateError], message: str) -> None:
    with pytest.raises(ModelGateError) as caught:
        call()

    assert str(caught.value) == message
    assert type(caught.value) is kind


def test_one_class_only_is_undefined() -> None:
    with pytest.raises(UndefinedMetricError):
        compare(np.zeros(N, dtype=int), B, A, metric="roc_auc")


# -- what must not matter ------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.sampled_from(METRICS), st.integers(0, 10**6), st.booleans(), st.booleans())
def test_the_order_of_rows_changes_no_digit(metric: str, seed: int, weighted: bool, grouped: bool) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(N)
    extra: dict[str, Any] = {}
    if weighted:
        extra["sample_weight"] = 0.1 + rng.random(N)
    if grouped:
        extra["groups"] = np.arange(N) // 4
    # From nearly the same model to a very different one.
    near = np.clip(A + 10 ** rng.uniform(-9, -1) * rng.normal(size=N), 0.01, 0.99)
    first, second = predictions(metric, near, A)

    found = compare(Y, first, second, metric=metric, max_regression=0.01, **extra)
    permuted = compare(
        Y[order],
        first[order],
        second[order],
        metric=metric,
        max_regression=0.01,
        **{name: values[order] for name, values in extra.items()},
    )

    assert permuted == found


@pytest.mark.parametrize("metric", METRICS)
def test_swapping_the_models_mirrors_the_interval(metric: str) -> None:
    first, second = predictions(metric, B, A)

    one = compare(Y, first, second, metric=metric)
    other = compare(Y, second, first, metric=metric)

    assert (other.candidate, other.production) == (one.production, one.candidate)
    assert (other.difference, other.gain) == (-one.difference, -one.gain)
    assert (other.interval.low, other.interval.high) == (-one.interval.high, -one.interval.low)
    assert other.standard_error == one.standard_error


@pytest.mark.parametrize("metric", METRICS)
def test_identical_predictions_pass(metric: str) -> None:
    first, second = predictions(metric, A, A.copy())

    found = compare(Y, first, second, metric=metric)
    itself = compare(Y, first, first, metric=metric)

    # Equal labels of two models show only that they agree on nearly all rows, and not that they are equal.
    assert found.verdict is (Verdict.INCONCLUSIVE if metric in LABELS else Verdict.PASS)
    assert itself.verdict is Verdict.PASS
    if metric in LABELS:
        assert found.reason == (
            "the data cannot tell: only a candidate that is better can prove a tolerance of 0 "
            "(predictions identical on all rows)"
        )
        enough = compare(Y, first, second, metric=metric, max_regression=0.1)
        assert enough.verdict is Verdict.PASS
        assert enough.reason == (
            "not worse than production by more than the tolerance (predictions identical on all rows)"
        )
    assert found.gain == found.difference == itself.gain == 0
    assert found.interval.low <= 0 <= found.interval.high


@pytest.mark.parametrize("metric", METRICS)
def test_every_row_twice_with_half_the_weight_is_the_same_value(metric: str) -> None:
    weight = 1.0 + np.arange(N) % 3
    first, second = predictions(metric, B, A)
    twice = [np.concatenate([each, each]) for each in (Y, first, second, weight / 2)]

    one = compare(Y, first, second, metric=metric, sample_weight=weight)
    two = compare(*twice[:3], metric=metric, sample_weight=twice[3])

    assert (two.candidate, two.production) == pytest.approx((one.candidate, one.production), abs=1e-11)
    # Grouped by what they are copies of, the pairs say no more than the rows did.
    pairs = compare(*twice[:3], metric=metric, sample_weight=twice[3], groups=np.tile(np.arange(N), 2))
    alone = compare(Y, first, second, metric=metric, sample_weight=weight)
    assert pairs.standard_error == pytest.approx(alone.standard_error, rel=0.01)


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision"])
def test_a_monotone_transform_of_the_scores_changes_nothing(metric: str) -> None:
    assert compare(Y, np.exp(3 * B), np.log(A), metric=metric) == compare(Y, B, A, metric=metric)


values = st.sampled_from([0.0, 0.05, 0.5, 0.5000000001, 1.0])
rows = st.lists(
    st.tuples(st.integers(0, 1), values, values, st.sampled_from([1e-9, 0.5, 1.0, 1e9]), st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(
    rows,
    st.sampled_from((*METRICS, "mae", "rmse", "r2", "spearman")),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_hard_rows_give_an_interval_around_the_gain_or_one_of_our_errors(
    hard: list[tuple[int, float, float, float, int]],
    metric: str,
    weighted: bool,
    grouped: bool,
    relative: bool,
) -> None:
    y, first, second, weight, group = (np.array(column) for column in zip(*hard, strict=True))
    if resolve(metric).needs == "label":
        first, second = (first >= 0.5).astype(int), (second >= 0.5).astype(int)
    extra: dict[str, Any] = {}
    if weighted:
        extra["sample_weight"] = weight
    if grouped:
        extra["groups"] = group
    tolerance = "5%" if relative and not resolve(metric).crosses_zero else 0.05
    try:
        found = compare(y, first, second, metric=metric, max_regression=tolerance, classes=None, **extra)
    except ModelGateError as error:
        complete = bool(error.what and error.remedy)
        assert complete  # whether it is refused depends on the rows
        return

    assert _finite(found)
    assert found.interval.low <= found.gain <= found.interval.high
    assert found.standard_error >= 0
    assert found.rows_needed is None or found.rows_needed >= 1


def _finite(found: Comparison) -> bool:
    numbers = (found.candidate, found.production, found.gain, found.interval.low, found.interval.high)
    return all(math.isfinite(number) for number in numbers)
