"""What is found for many slices at a time is what is found for each of them by itself."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.gate import at_a_time
from pytest_model_gate.gate.lines import judge, plan
from pytest_model_gate.gate.measure import measure_pair
from pytest_model_gate.gate.of_slices import ask_all
from pytest_model_gate.gate.rows import Judged
from pytest_model_gate.gate.sample import Sample
from pytest_model_gate.gate.slices import cut, slice_rows
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.spec import GateSpec, SliceSpec, Tolerance
from pytest_model_gate.stats.design import Design

OF_CLASSES = (
    "accuracy",
    "f1",
    "roc_auc",
    "gini",
    "average_precision",
    "log_loss",
    "brier_score",
    "recall",
    "precision",
)
OF_THREE = ("accuracy", "f1_macro", "log_loss", "brier_score", "roc_auc_ovr")
OF_NUMBERS = ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2")


STEP = Tolerance(0.02)


@dataclasses.dataclass(frozen=True)
class Case:
    """How rows are drawn."""

    seed: int
    sizes: tuple[int, ...]
    positive: float = 0.3
    apart: float = 1.5
    digits: int | None = None
    weighted: bool = False
    grouped: bool = False
    alike: bool = False
    shuffled: bool = True
    min_rows: int = 0
    tolerance: Tolerance = STEP
    numbers: bool = False
    columns: int = 1


def rows(case):
    """Return the judged rows of a case, and what is asked about them."""
    rng = np.random.default_rng(case.seed)
    n = sum(case.sizes)
    codes = np.repeat(np.arange(len(case.sizes)), case.sizes)
    if case.shuffled:
        rng.shuffle(codes)
    frame = pd.DataFrame({"slice": [f"{code:02d}" for code in codes]})
    noise = rng.normal(size=(3, n))
    if case.numbers:
        values, names, classes = noise[0] * 3 + codes, OF_NUMBERS, None
        said = [Predicted(value=values + noise[1]), Predicted(value=values + noise[2])]
    else:
        values, names, classes = (rng.random(n) < case.positive).astype(np.intp), OF_CLASSES, ("no", "yes")
        said = []
        for own in noise[1:]:
            p = 1 / (1 + np.exp(-case.apart * (2 * values - 1) - 0.8 * noise[0] - 0.6 * own))
            p = p if case.digits is None else np.round(p, case.digits)
            said.append(Predicted(labels=(p >= 0.5).astype(np.intp), probability=p))
        if case.columns == 2:
            said = [
                Predicted(
                    labels=one.labels, probability=np.column_stack((1 - one.probability, one.probability))
                )
                for one in said
            ]
        if case.columns == 3:
            values, names, classes = rng.integers(0, 3, n), OF_THREE, ("a", "b", "c")
            found = [rng.dirichlet(np.ones(3), n) + np.eye(3)[values] * case.apart for _ in range(2)]
            found = [p / p.sum(axis=1, keepdims=True) for p in found]
            said = [Predicted(labels=p.argmax(axis=1), probability=p) for p in found]
    if case.alike:
        said[1] = said[0]
    weight = rng.exponential(size=n) + 0.1 if case.weighted else None
    truth = Truth(values=values, classes=classes, weight=None if weight is None else weight / weight.mean())
    design = Design(n=n, groups=np.arange(n) // 3 if case.grouped else None)
    metrics = {name: resolve(name) for name in names}
    spec = GateSpec(
        name="credit",
        candidate="c.skops",
        production="p.skops",
        dataset="data.parquet",
        target="y",
        metrics=names,
        max_regression={"*": case.tolerance},
        slices=(SliceSpec(by="slice", min_rows=case.min_rows),),
        root=".",
    )
    cuts = tuple(cut(item, frame) for item in spec.slices)
    judged = Judged(
        sample=Sample(truth=truth, design=design),
        predicted={"candidate": said[0], "production": said[1]},
        slices=slice_rows(cuts, truth, metrics),
        cuts=cuts,
    )
    return judged, metrics, plan(spec, metrics, judged.slices, n=n, has_production=True)[0]


def lines(case, *, alone):
    """Return the lines of a case, and the metrics that answered for several slices at a time."""
    judged, metrics, asks = rows(case)
    places = []

    def measured(ask):
        sample, said = judged.on(ask.where)
        if alone:
            sample = dataclasses.replace(sample, place=None)
        elif sample.place is not None:
            places.append((sample.place, metrics[ask.metric], ask.relative))
        return measure_pair(
            metrics[ask.metric], sample, said["candidate"], said["production"], relative=ask.relative
        )

    found = judge(asks, metrics, measured, alpha=0.05)
    answered = set()
    for place, metric, relative in places:
        every = ask_all(metric, place.among.sample)
        roles = "candidate", "production"
        if every is not None and place.among.answer(metric, roles, relative, every) is not None:
            answered.add(metric.name)
    return found, answered


def assert_same(one, other):
    for first, second in zip(one, other, strict=True):
        for field in dataclasses.fields(first):
            a, b = getattr(first, field.name), getattr(second, field.name)
            where = f"{first.metric} on {first.slice}: {field.name} {a!r} {b!r}"
            if field.name == "interval" and a is not None:
                assert (a.method, a.level) == (b.method, b.level), where
                assert [a.low, a.high] == pytest.approx([b.low, b.high], rel=1e-11, abs=1e-12), where
            elif isinstance(a, float) and isinstance(b, float):
                assert math.isclose(a, b, rel_tol=1e-11, abs_tol=1e-12), where
            else:
                assert a == b, where


CASES = {
    "plain": Case(1, (200, 150, 400, 90)),
    "many": Case(2, (60,) * 30),
    "ties": Case(3, (120, 80, 300), digits=1),
    "all tied": Case(4, (50, 60, 70), digits=0),
    "good models": Case(5, (100, 200, 300), apart=4.0),
    "perfect models": Case(6, (100, 200, 300), apart=40.0),
    "few positives": Case(7, (300, 250, 600), positive=0.05),
    "one model": Case(8, (100, 200, 300), alike=True),
    "a share": Case(9, (100, 200, 300), tolerance=Tolerance(0.05, relative=True)),
    "in order": Case(10, (100, 200, 300), shuffled=False),
    "not tilted": Case(11, (2_100, 2_050, 1_900)),
    "two columns": Case(14, (100, 200, 300), columns=2),
    "three classes": Case(15, (100, 200, 300), columns=3),
    "numbers": Case(12, (100, 200, 300), numbers=True),
    "a share of numbers": Case(13, (100, 200, 300), numbers=True, tolerance=Tolerance(0.05, relative=True)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_slices_are_measured_at_a_time_as_alone(case):
    together, answered = lines(case, alone=False)
    by_itself, _ = lines(case, alone=True)
    assert_same(together, by_itself)
    if case.numbers:
        assert answered == {"mean_absolute_error", "mean_squared_error"}
    elif case.columns == 3:
        assert answered == {"log_loss", "brier_score"}
    else:
        assert answered >= set(OF_CLASSES) - {"accuracy", "recall", "gini"}, "else nothing was compared"


ALONE = {
    "weights": Case(21, (100, 200, 300), weighted=True),
    "groups": Case(22, (99, 201, 300), grouped=True),
}


@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE)
def test_what_one_pass_does_not_cover_is_measured_alone(case):
    together, answered = lines(case, alone=False)
    assert_same(together, lines(case, alone=True)[0])
    assert not answered


def test_a_slice_without_a_class_speaks_for_itself_alone():
    case = Case(23, (3, 4, 2, 100, 2, 1), positive=0.2)
    together, _ = lines(case, alone=False)
    assert_same(together, lines(case, alone=True)[0])
    assert any(line.undefined for line in together)
    assert any(line.interval is not None and line.slice != "all" for line in together)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.builds(
        Case,
        seed=st.integers(0, 10_000),
        sizes=st.lists(st.integers(1, 120), min_size=2, max_size=8).map(tuple),
        positive=st.sampled_from([0.02, 0.2, 0.5, 0.97]),
        apart=st.sampled_from([0.0, 1.0, 3.0]),
        digits=st.sampled_from([None, None, 2, 1]),
        weighted=st.sampled_from([False, False, False, True]),
        grouped=st.sampled_from([False, False, False, True]),
        min_rows=st.sampled_from([0, 20]),
        tolerance=st.sampled_from([Tolerance(0.02), Tolerance(0.1, relative=True)]),
        numbers=st.sampled_from([False, False, True]),
        columns=st.sampled_from([1, 1, 2, 3]),
    )
)
def test_any_slices_are_measured_at_a_time_as_alone(case):
    if sum(case.sizes) < 2:
        return
    assert_same(lines(case, alone=False)[0], lines(case, alone=True)[0])


def test_no_more_are_measured_at_a_time_than_fit(monkeypatch):
    monkeypatch.setattr(at_a_time, "MOST_ROWS", 250)
    case = Case(31, (100, 100, 100, 300, 40, 50, 60, 10))
    judged, _, _ = rows(case)
    found = [judged.on(name)[0].place for name in (f"slice={code:02d}" for code in range(8))]
    assert [place and (place.position, place.among.sample.n) for place in found] == [
        (0, 200),
        (1, 200),
        None,
        None,
        (0, 160),
        (1, 160),
        (2, 160),
        (3, 160),
    ]
    assert_same(lines(case, alone=False)[0], lines(case, alone=True)[0])
