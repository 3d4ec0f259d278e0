"""Weighted kappas count how many classes apart labels are: a report says where the alphabet orders them."""

import numpy as np

from pytest_model_gate import compare
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import SliceSpec

NOTE = "cohen_kappa_quadratic takes the classes in the order of the alphabet: 'high', 'low', 'medium'"


def write(project, names):
    """Write a target of three ordered classes and two models that are mostly one class off or right."""
    rng = np.random.default_rng(4)
    frame, n = project.frame, len(project.frame)
    truth = rng.integers(0, 3, n)
    off = [np.where(rng.random(n) < 0.2, rng.choice([-1, 1], n), 0) for _ in range(2)]
    labels = np.array(names, dtype=object)
    frame["y"] = labels[truth]
    for role, step in zip(("cand", "prod"), off, strict=True):
        frame[role] = labels[np.clip(truth + step, 0, 2)]
    frame["bad"] = 0.5
    project.write(frame)


def test_texts_are_ordered_by_the_alphabet_and_a_note_says_so(project):
    write(project, ["low", "medium", "high"])

    record = project.record(metrics=("qwk", "accuracy"), baseline="")

    assert NOTE in record.notes
    assert sum("alphabet" in note for note in record.notes) == 1


def test_numbers_are_ordered_by_size_and_nothing_need_be_said(project):
    write(project, [1, 2, 10])

    record = project.record(metrics=("cohen_kappa_linear",), baseline="", slices=(SliceSpec(by="region"),))

    assert not any("alphabet" in note for note in record.notes)
    assert {line.verdict for line in record.lines} <= {Verdict.PASS, Verdict.INCONCLUSIVE}


def test_compare_takes_the_order_that_it_is_told():
    rng = np.random.default_rng(0)
    order = ("low", "medium", "high")
    codes = rng.integers(0, 3, 400)
    near, far = (np.where(rng.random(400) < 0.1, (codes + step) % 3, codes) for step in (1, 2))
    truth, first, second = (np.array(order)[each] for each in (codes, near, far))

    told = compare(truth, first, second, metric="qwk", classes=order)
    as_numbers = compare(codes, near, far, metric="qwk")
    alphabetical = compare(truth, first, second, metric="qwk")

    assert told.candidate == as_numbers.candidate
    assert told.candidate != alphabetical.candidate
