"""An average over classes that counts one of which no row was drawn, because a model predicts it."""

import numpy as np
import pytest

from pytest_model_gate import compare
from pytest_model_gate.gate.cells import imaginary_one, imaginary_pair, of_cells
from pytest_model_gate.gate.measure import Sample, measure_floor
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design

CLASSES = ("bird", "cat", "dog")


def labels(*counts):
    return np.repeat(CLASSES, counts)


def judged(metric, truth, candidate, production):
    return compare(truth, candidate, production, metric=metric, max_regression=0.3, classes=CLASSES)


@pytest.mark.parametrize("metric", ["f1_macro", "f0.5_macro", "f2_macro", "precision_macro"])
def test_one_wrong_dog_among_no_dogs_decides_nothing(metric):
    truth = labels(30, 30, 0)
    wrong = truth.copy()
    wrong[0] = "dog"
    reason = (
        f"{metric} counts 'dog', because a model predicts it, and these 60 rows have none of it: "
        "at least 1 is needed"
    )
    for candidate, production in ((wrong, truth), (truth, wrong)):
        found = judged(metric, truth, candidate, production)
        assert (found.verdict.value, found.reason) == ("inconclusive", reason)
    floor = measure_floor(
        resolve(metric),
        Sample(truth=Truth(values=np.repeat([0, 1], 30), classes=CLASSES), design=Design(n=60)),
        Predicted(labels=np.searchsorted(CLASSES, wrong)),
        0.1,
    )
    assert floor.caution == reason


def test_it_is_decided_where_nobody_predicts_it_or_one_row_has_it():
    truth = labels(300, 300, 0)
    wrong = truth.copy()
    wrong[0] = "cat"
    assert judged("f1_macro", truth, wrong, truth).verdict.value == "pass"
    truth, wrong = labels(300, 299, 1), labels(300, 299, 1)
    wrong[0] = "dog"
    assert judged("f1_macro", truth, wrong, truth).reason != judged("f1_macro", wrong, truth, truth).reason
    assert "have none of it" not in judged("f1_macro", truth, wrong, truth).reason


@pytest.mark.parametrize("metric", ["accuracy", "f1_weighted", "cohen_kappa", "matthews_corrcoef"])
def test_what_weighs_classes_by_their_rows_is_judged(metric):
    truth = labels(300, 300, 0)
    wrong = truth.copy()
    wrong[0] = "dog"
    assert judged(metric, truth, wrong, truth).verdict.value == "pass"


def mass(*rows):
    return np.array(rows, dtype=float)


def test_a_rare_class_has_an_imaginary_row_that_is_taken_for_it():
    """Common classes are mostly taken for each other: without that row nobody takes a 0 for a 2."""
    rare = mass([90, 10, 0], [10, 90, 0], [0, 1, 4])
    found = of_cells(resolve("precision_macro"), rare)
    cells = set(zip(found.true, found.named, strict=True))
    assert {(0, 1), (1, 0), (2, 1)} < cells
    assert any(named == 2 for _, named in cells)
    assert len(imaginary_one(found)) == 3 + len(cells)
    # Recall doesn't care what a row is taken for, and two classes have one wrong label each.
    assert len(of_cells(resolve("recall_macro"), rare).true) == 3
    assert len(of_cells(resolve("f1_macro"), mass([90, 10], [1, 4])).true) == 2


def test_models_that_swap_negate_the_imaginary_rows():
    first = of_cells(resolve("precision_macro"), mass([90, 10, 0], [10, 90, 0], [0, 1, 4]))
    second = of_cells(resolve("precision_macro"), mass([95, 5, 0], [5, 95, 0], [1, 0, 4]))
    one, other = imaginary_pair(first, second, 1.0), imaginary_pair(second, first, 1.0)
    assert np.allclose(np.sort(one), np.sort(-other), atol=1e-12)
