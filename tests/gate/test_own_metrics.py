"""Functions and scorers as metrics: the same numbers as the built-in ones, and what each wrong one prints."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as peer

from pytest_model_gate import GateSpec, compare, evaluate, make_metric
from pytest_model_gate.errors import ConfigurationError, EvaluationError
from pytest_model_gate.gate.families import methods
from pytest_model_gate.gate.registry import as_metric, build_registry
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.function import NotSmoothError
from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.metrics.rows import Predicted, Truth

N = 600


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.random(N) < 0.3).astype(int)
    shared = y + rng.normal(size=N)
    return y, shared + 0.3 * rng.normal(size=N), shared + 0.3 * rng.normal(size=N)


def labels(seed: int = 0) -> tuple[np.ndarray, ...]:
    y, one, other = rows(seed)
    return y, (one > 0.6).astype(int), (other > 0.6).astype(int)


def of(function, **keywords) -> Metric:
    keywords = {"needs": "label", "higher_is_better": True, "bounds": (0, 1), "name": "own", **keywords}
    return make_metric(function, **keywords)


def weighed(function, **fixed):
    return lambda y, p, sample_weight=None: function(y, p, sample_weight=sample_weight, **fixed)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("f1", weighed(peer.f1_score)),
        ("precision", weighed(peer.precision_score)),
        ("matthews_corrcoef", weighed(peer.matthews_corrcoef)),
        ("balanced_accuracy", weighed(peer.balanced_accuracy_score)),
    ],
)
@pytest.mark.parametrize("design", ["plain", "weights", "groups", "relative"])
def test_a_smooth_function_of_labels_gets_the_interval_of_the_built_in_metric(name, function, design):
    rng = np.random.default_rng(1)
    keywords = {
        "weights": {"sample_weight": rng.random(N) + 0.5},
        "groups": {"groups": np.arange(N) // 5},
        "relative": {"max_regression": 0.01 if name == "matthews_corrcoef" else "2%"},
    }.get(design, {})
    crosses = name == "matthews_corrcoef"
    ours = compare(*labels(), metric=name, **keywords)
    own = compare(*labels(), metric=of(function, crosses_zero=crosses, bounds=(-1, 1)), **keywords)
    assert own.interval.method == ours.interval.method
    assert (own.candidate, own.production) == pytest.approx((ours.candidate, ours.production), rel=1e-11)
    assert (own.interval.low, own.interval.high) == pytest.approx(
        (ours.interval.low, ours.interval.high), abs=2e-7
    )


def test_labels_of_many_classes_are_the_targets_own():
    rng = np.random.default_rng(2)
    y = rng.choice(["ant", "bee", "cat"], size=N)
    one, other = (np.where(rng.random(N) < 0.7, y, "bee") for _ in range(2))
    seen = set()

    def jaccard(y_true, y_pred, sample_weight=None):
        seen.update(np.unique(y_true))
        return peer.jaccard_score(y_true, y_pred, average="macro", sample_weight=sample_weight)

    found = compare(y, one, other, metric=of(jaccard))
    assert seen == {"ant", "bee", "cat"}
    assert found.interval.method == "tilted score"
    assert found.candidate == pytest.approx(peer.jaccard_score(y, one, average="macro"))


def test_the_derivative_is_the_influence_of_every_cell():
    confusion = np.array([[50.0, 7.0, 0.0], [3.0, 30.0, 9.0], [1.0, 4.0, 11.0]])
    builtin = resolve("f1_macro")
    assert builtin.cell_influence is not None
    own = of(weighed(peer.f1_score, average="macro"))
    assert own.labelled is not None
    assert own.labelled((0, 1, 2))(confusion) == pytest.approx(builtin.cell_influence(confusion), abs=1e-5)


def test_rare_cells_are_no_kinks():
    confusion = np.array([[999_000.0, 990.0], [9.0, 1.0]])
    own, builtin = of(weighed(peer.f1_score)), resolve("f1")
    assert own.labelled is not None
    assert builtin.cell_influence is not None
    expected = builtin.cell_influence(confusion)
    assert own.labelled((0, 1))(confusion) == pytest.approx(expected, rel=1e-3, abs=1e-6)


def kinked(y_true, y_pred, sample_weight=None):
    share = np.average(y_true == y_pred, weights=sample_weight)
    return abs(share - 0.75)


def test_a_kink_at_the_estimate_is_resampled():
    y = np.arange(N) % 2
    wrong = np.arange(N) < N // 4
    at_kink = np.where(wrong, 1 - y, y)
    own = of(kinked)
    assert own.labelled is not None
    with pytest.raises(NotSmoothError, match="own has a kink or a jump here"):
        own.labelled((0, 1))(np.array([[225.0, 75.0], [75.0, 225.0]]))
    found = compare(y, at_kink, y, metric=own, max_regression=0.3)
    assert found.interval.method == "percentile and t bootstrap (1,999 resamples, seed 0)"
    away = compare(y, y, np.where(np.arange(N) < 50, 1 - y, y), metric=own, max_regression=0.3)
    assert away.interval.method == "tilted score"


def unweighed_auc(y_true, y_pred):
    return peer.roc_auc_score(y_true, y_pred)


@pytest.mark.parametrize("weights", [True, False])
def test_functions_of_scores_are_resampled_and_near_the_closed_form(weights):
    function = peer.roc_auc_score if weights else unweighed_auc
    found = compare(*rows(), metric=of(function, needs="score", resamples=500))
    delong = compare(*rows(), metric="roc_auc")
    assert found.candidate == pytest.approx(delong.candidate)
    assert found.interval.method == "percentile and t bootstrap (500 resamples, seed 0)"
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (delong.interval.low, delong.interval.high), abs=0.25 * delong.standard_error * 2
    )


@pytest.mark.parametrize("groups", [None, np.arange(N) // 4])
def test_a_function_without_weights_says_the_same_as_with_them(groups):
    def plain(y, p):
        return np.mean(np.abs(y - p))

    def weighing(y, p, sample_weight=None):
        return np.average(np.abs(y - p), weights=sample_weight)

    bounds = {"needs": "value", "higher_is_better": False, "bounds": (0, math.inf), "resamples": 200}
    one = compare(*rows(), metric=of(plain, **bounds), groups=groups)
    other = compare(*rows(), metric=of(weighing, **bounds), groups=groups)
    assert one.interval.low == pytest.approx(other.interval.low, abs=1e-12)
    assert one.interval.high == pytest.approx(other.interval.high, abs=1e-12)


def test_permuting_and_swapping_changes_no_digit():
    y, one, other = rows()
    own = of(unweighed_auc, needs="score", resamples=200)
    found = compare(y, one, other, metric=own)
    order = np.random.default_rng(9).permutation(N)
    assert compare(y[order], one[order], other[order], metric=own) == found
    back = compare(y, other, one, metric=own)
    assert (back.interval.low, back.interval.high) == (-found.interval.high, -found.interval.low)


def test_scorers_are_metrics():
    y, one, other = labels()
    scorer = peer.make_scorer(peer.fbeta_score, beta=3)
    found = compare(y, one, other, metric=scorer)
    assert found.metric == "fbeta_score"
    assert found.candidate == pytest.approx(peer.fbeta_score(y, one, beta=3))
    assert found.interval == compare(
        y, one, other, metric="f3"
    ).interval or found.interval.low == pytest.approx(
        compare(y, one, other, metric="f3").interval.low, abs=1e-7
    )
    # A loss is never sign-flipped.
    loss = as_metric(peer.get_scorer("neg_median_absolute_error"))
    assert (loss.name, loss.needs, loss.higher_is_better, loss.task) == (
        "median_absolute_error",
        "value",
        False,
        "regression",
    )
    assert as_metric(peer.get_scorer("roc_auc_ovr")).needs == "probability"
    assert as_metric(peer.get_scorer("top_k_accuracy")).needs == "score"


def test_a_scorer_that_names_its_positive_class_gets_the_labels():
    y, one, other = (np.where(each == 1, "bad", "good") for each in labels())
    named = peer.make_scorer(peer.f1_score, pos_label="bad")
    found = compare(y, one, other, metric=named, pos_label="bad")
    assert found.candidate == pytest.approx(peer.f1_score(y, one, pos_label="bad"))


def cost(y_true, y_pred, sample_weight=None):
    lost = np.where(y_true > y_pred, 5.0, 1.0) * (y_true != y_pred)
    return np.average(lost, weights=sample_weight)


OWN = make_metric(cost, needs="label", higher_is_better=False, bounds=(0, 5))
PLAIN = cost
NOTHING = 3


def gate(tmp_path, *metrics: str, **more) -> GateSpec:
    y, one, other = rows()
    one, other = (1 / (1 + np.exp(-2 * (score - 0.5))) for score in (one, other))
    lines = "\n".join(f"{i},{a},{b},{c}" for i, (a, b, c) in enumerate(zip(y, one, other, strict=True)))
    (tmp_path / "rows.csv").write_text(f"id,y,new,old\n{lines}\n")
    return GateSpec(
        name="own",
        candidate="predictions:rows.csv#new",
        production="predictions:rows.csv#old",
        dataset="rows.csv",
        target="y",
        key="id",
        metrics=metrics,
        root=str(tmp_path),
        **more,
    )


def test_a_gate_names_functions_and_scorers(tmp_path):
    here = f"python:{__name__}:OWN"
    found = evaluate(gate(tmp_path, here, "sklearn:jaccard", "sklearn:neg_brier_score", "roc_auc"), pin=True)
    assert [(line.metric, line.interval and line.interval.method) for line in found.lines] == [
        ("cost", "tilted score"),
        ("sklearn:jaccard", "tilted score"),
        ("sklearn:neg_brier_score", "percentile and t bootstrap (1,999 resamples, seed 0)"),
        ("roc_auc", "delong"),
    ]
    assert "scikit-learn" in dict(found.versions)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sklearn:jacard", "scikit-learn has no scorer 'jacard'.\n  Did you mean 'jaccard'?"),
        ("sklearn:rand_score", "rand_score compares clusterings, which no gate judges."),
        (
            f"python:{__name__}:PLAIN",
            ":PLAIN is a function: nothing says what it needs and whether larger is better.",
        ),
        (f"python:{__name__}:NOTHING", f"python:{__name__}:NOTHING is no metric, got int."),
        (f"python:{__name__}:OWNN", "has no 'OWNN'.\n  Did you mean 'OWN'?"),
    ],
)
def test_what_is_no_metric_is_said(tmp_path, name, message):
    with pytest.raises((ConfigurationError, EvaluationError)) as caught:
        evaluate(gate(tmp_path, name), pin=True)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("function", "needs", "message"),
    [
        (
            lambda y, p, sample_weight=None: np.sum(
                np.abs(y - p) * (1 if sample_weight is None else sample_weight)
            ),
            "value",
            "own changes with the number of rows:",
        ),
        (lambda y, p: float(len(y)), "value", "own changes with the number of rows: 1200 instead of 600"),
        (lambda y, p: "much", "value", "own must return a number, got str."),
        (lambda y, p: 1 / 0, "value", "own failed with ZeroDivisionError: division by zero."),
        (lambda y, p: math.nan, "value", "own returns NaN on these 600 rows."),
    ],
)
def test_functions_that_do_not_work_are_said(function, needs, message):
    with pytest.raises(EvaluationError) as caught:
        compare(*rows(), metric=of(function, needs=needs, bounds=(0, math.inf)))
    assert message in str(caught.value)


def test_weights_need_a_function_that_weighs():
    own = of(lambda y, p: np.mean(y == p))
    for design in ({"sample_weight": np.arange(1, N + 1)}, {"strata": np.arange(N) % 7 // 3}):
        with pytest.raises(
            EvaluationError, match="own takes no sample_weight, and these rows have weights or"
        ):
            compare(*labels(), metric=own, **design)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"function": 3}, "A metric is made of a function, got int."),
        ({"needs": "labels"}, "needs must be 'label', 'score', 'probability' or 'value', got 'labels'."),
        ({"bounds": (1, 0)}, "bounds must be the least and the greatest value, got (1, 0)."),
        ({"name": ""}, "The function has no name."),
    ],
)
def test_wrong_arguments_of_make_metric(keywords, message):
    asked = {"function": lambda y, p: 0.0, **keywords}
    with pytest.raises(ConfigurationError) as caught:
        of(asked.pop("function"), **asked)
    assert message in str(caught.value)


def test_a_gate_does_not_import_the_scorers_of_scikit_learn_for_its_own_metrics():
    truth = Truth(values=np.array([0, 1, 1, 0]), classes=(0, 1))
    predicted = Predicted(labels=np.array([0, 1, 0, 0]))
    assert OWN.value(truth, predicted) == 1.25
    assert methods(OWN, _sample(truth))[0].__name__ == "paired_derived"
    assert build_registry().has_plugin("sklearn:jaccard") is False


def _sample(truth: Truth):
    from pytest_model_gate.gate.sample import Sample
    from pytest_model_gate.stats.design import Design

    return Sample(truth=truth, design=Design(n=truth.n))
