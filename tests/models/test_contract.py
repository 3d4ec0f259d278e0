"""What predictions must be: every way to break it is a finding with the numbers in it."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_model_gate.models.contract import (
    check_classes,
    check_labels,
    check_predictions,
    notes,
)
from pytest_model_gate.models.scoring import Scored
from pytest_model_gate.results import Finding

GOOD = np.array([[0.2, 0.8], [0.6, 0.4], [1.0, 0.0]])


def findings(rows=3, model_classes=(0, 1), data_classes=(0, 1), **scored):
    return check_predictions(
        "candidate",
        Scored(**{"rows": rows, **scored}),
        rows=3,
        model_classes=model_classes,
        data_classes=data_classes,
    )


def test_good_predictions_have_no_findings():
    assert findings(probability=GOOD) == []
    assert findings(probability=GOOD[:, 1]) == []
    assert findings(probability=GOOD.astype(np.float32)) == []
    assert findings(labels=np.array([0, 1, 1]), model_classes=None) == []
    assert findings(value=np.array([1.0, 2, 3]), model_classes=None, data_classes=None) == []


@pytest.mark.parametrize(
    ("scored", "finding"),
    [
        (
            {"rows": 2, "probability": GOOD[:2]},
            Finding(
                subject="candidate",
                problem="gave 2 predictions for 3 rows",
                remedy="A model returns one prediction per row, in the order of the rows.",
            ),
        ),
        (
            {"probability": np.array([[0.2, 0.8], [np.nan, np.nan], [np.inf, 0]])},
            Finding(
                subject="candidate",
                problem="gave a probability that is not a finite number in 2 of 3 rows",
                remedy="Find out which inputs it cannot handle (missing values, zeros under a logarithm).",
                count=2,
            ),
        ),
        (
            {"probability": np.array([0.1, 1.5, -0.25])},
            Finding(
                subject="candidate",
                problem="gave probabilities outside [0, 1] (from -0.25 to 1.5) in 2 of 3 rows",
                remedy="Return probabilities, or, if these are scores, gate metrics that need scores only.",
                count=2,
            ),
        ),
        (
            {"probability": np.array([[0.2, 0.8], [0.2, 0.2], [0.5, 0.5]])},
            Finding(
                subject="candidate",
                problem="gave probabilities that do not add up to 1 in 1 of 3 rows",
                remedy="Normalise them, or check which columns are the classes.",
                count=1,
            ),
        ),
        (
            {"probability": np.full((3, 3), 1 / 3)},
            Finding(
                subject="candidate",
                problem="gave probabilities of 3 classes where there are 2: 0, 1",
                remedy="The columns of its probabilities must be the classes of the target.",
            ),
        ),
        (
            {"score": np.array([1.0, np.nan, 0])},
            Finding(
                subject="candidate",
                problem="gave a score that is not a finite number in 1 of 3 rows",
                remedy="Find out which inputs it cannot handle (missing values, zeros under a logarithm).",
                count=1,
            ),
        ),
        (
            {"value": np.array([1.0, np.inf, 0])},
            Finding(
                subject="candidate",
                problem="gave a value that is not a finite number in 1 of 3 rows",
                remedy="Find out which inputs it cannot handle (missing values, zeros under a logarithm).",
                count=1,
            ),
        ),
    ],
)
def test_broken_predictions(scored, finding):
    assert findings(**scored) == [finding]


def test_all_problems_are_listed():
    found = findings(
        rows=4, model_classes=(0, 2), score=np.array([np.nan] * 3), probability=np.array([2.0] * 3)
    )
    assert len(found) == 4


def test_the_shape_of_probabilities_is_held_to_the_models_own_classes():
    (found,) = findings(probability=np.full((3, 1), 1.0))
    assert found.problem == "gave probabilities of 1 class where there are 2: 0, 1"


@pytest.mark.parametrize("model", [(0, 1), (False, True), (0.0, 1.0), (np.int64(0), np.int64(1))])
@pytest.mark.parametrize("target", [(0, 1), (False, True), (0.0, 1.0)])
def test_labels_are_compared_by_value(model, target):
    assert check_classes("candidate", model, target) == []


def test_a_class_that_the_data_lacks_is_allowed():
    assert check_classes("candidate", ("a", "b", "c"), ("a", "c")) == []


@pytest.mark.parametrize(
    ("model", "target", "problem", "remedy"),
    [
        (
            (0, 1),
            ("0", "1"),
            "has classes of another type than the target: the model has 0, 1, the data has '0', '1'",
            "Give the target the type that the model was trained with; 1 and '1' are two labels.",
        ),
        (
            ("a", "b"),
            ("a", "b", "c"),
            "does not know 1 label of the target: the model has 'a', 'b', the data has 'a', 'b', 'c'",
            "Train it on data with every class, or gate it on the classes that it knows.",
        ),
        (
            (0, 1),
            ("no", "yes"),
            "does not know 2 labels of the target: the model has 0, 1, the data has 'no', 'yes'",
            "Train it on data with every class, or gate it on the classes that it knows.",
        ),
    ],
)
def test_classes_that_do_not_cover_the_labels(model, target, problem, remedy):
    assert check_classes("production", model, target) == [
        Finding(subject="production", problem=problem, remedy=remedy)
    ]


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (np.array(["0", "1"]), "predicts '0', '1', which the target does not have: it has 0, 1"),
        (np.array([0, 1, 2]), "predicts 2, which the target does not have: it has 0, 1"),
        (np.array([0, None, 1], dtype=object), "predicts None, which the target does not have: it has 0, 1"),
    ],
)
def test_labels_that_the_target_does_not_have(labels, problem):
    (found,) = check_labels("candidate", labels, (0, 1))
    assert found.problem == problem
    assert (
        found.remedy
        == "Give the target the labels that the model was trained with; 1 and '1' are two labels."
    )


def test_labels_that_fit():
    assert check_labels("candidate", np.array([True, False]), (0, 1)) == []
    assert check_labels("candidate", None, (0, 1)) == []


def test_a_constant_prediction_is_worth_a_note():
    note = ["the candidate predicts the same for every row"]
    assert notes("candidate", Scored(rows=3, value=np.array([2.0, 2, 2]))) == note
    assert notes("candidate", Scored(rows=3, probability=np.tile([0.3, 0.7], (3, 1)))) == note
    assert notes("candidate", Scored(rows=3, labels=np.array(["a", "a", "a"], dtype=object))) == note
    assert notes("candidate", Scored(rows=3, probability=GOOD)) == []
    exact = Scored(rows=3, probability=np.array([0.0, 1.0, 1.0]))
    assert notes("candidate", exact) == [
        "all probabilities of the candidate are exactly 0 or 1: are they labels?"
    ]
    assert notes("candidate", Scored(rows=1, value=np.array([2.0]))) == []
    assert notes("candidate", Scored(rows=0)) == []
