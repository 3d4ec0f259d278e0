"""Finding the worst segments: scores as a slow search computes them, and parts that share nothing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.data.features import Feature, feature
from pytest_model_gate.gate.discovery import discover, in_every_metric, worth
from pytest_model_gate.gate.division import divide
from pytest_model_gate.gate.sample import Sample
from pytest_model_gate.gate.segment_sums import Rows
from pytest_model_gate.gate.segments import Condition, Segment
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.design import Design


def columns(n: int, rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "hour": rng.integers(0, 24, n),
            "carrier": rng.choice(list("ABCD"), n, p=[0.5, 0.3, 0.15, 0.05]),
            "price": np.where(rng.random(n) < 0.1, np.nan, rng.gamma(2, 10, n)),
        }
    )


def features(frame: pd.DataFrame) -> list[Feature]:
    found = [feature(frame[name], min_rows=20) for name in frame]
    assert all(isinstance(each, Feature) for each in found)
    return found  # type: ignore[return-value]


def slow_score(part: np.ndarray, weight: np.ndarray, inside: np.ndarray) -> float:
    """Return the score of one segment, one sum after the other."""

    def spread(rows: np.ndarray) -> float:
        return float((part[rows] ** 2).sum() - part[rows].sum() ** 2 / weight[rows].sum())

    def variance(rows: np.ndarray) -> float:
        n = int(rows.sum())
        own = (spread(rows) + 50 * spread(np.ones(len(part), bool)) / len(part)) / (n + 50)
        return own * n / float(weight[rows].sum()) ** 2

    mean = part[inside].sum() / weight[inside].sum()
    rest = part[~inside].sum() / weight[~inside].sum()
    own, other = variance(inside), variance(~inside)
    return min(-mean / math.sqrt(own), (rest - mean) / math.sqrt(own + other))


def coarse_conditions(each: Feature) -> list[Condition]:
    starts, ordered = [*each.coarse, len(each.edges)], len(each.edges)
    bins = range(len(each.coarse))
    spans = [(low, high) for low in bins for high in bins if low <= high < low + len(bins) - 1]
    found = [Condition(each, starts[low], starts[high + 1] - 1) for low, high in spans]
    return found + [Condition(each, code, code) for code in range(ordered, each.size)]


def slow_cost(condition: Condition) -> float:
    """Return the log of how many conditions of this kind there are, times how many kinds."""

    def kind(each: Condition) -> str:
        last = len(each.feature.edges) - 1
        if each.low > last:
            return "level"
        return "one end" if each.low == 0 or each.high == last else "two ends"

    kinds = [kind(each) for each in coarse_conditions(condition.feature)]
    return math.log(len(set(kinds)) * kinds.count(kind(condition)))


@pytest.mark.parametrize("weighted", [False, True])
def test_nothing_is_worse_than_what_was_found_on_the_coarse_bins(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    n = 1500
    made = features(columns(n, rng))
    weight = rng.uniform(0.5, 1.5, n) if weighted else np.ones(n)
    part = weight * rng.normal(0.1, 1, n)
    part[(made[0].codes >= 18) & (made[1].codes == 1)] -= 1.5
    index = np.arange(n)
    rows = Rows(index=index, parts={"m": part}, weight=weight if weighted else None, least=30)
    best, count = -math.inf, 0
    for depth in (1, 2):
        for chosen in itertools.combinations(made, depth):
            for conditions in itertools.product(*map(coarse_conditions, chosen)):
                inside = Segment(conditions).holds(index)
                if 30 <= inside.sum() <= n - 30:
                    count += 1
                    z = slow_score(part, weight, inside)
                    best = max(best, worth(z, math.log(3) + sum(map(slow_cost, conditions))))
    found = discover(made, rows, depth=2, wanted=3)
    top = found.worst[0]
    assert found.searched == count
    # The ends are moved among the fine bins, so what is found may be worse than any of the coarse ones.
    assert top.score >= best - 1e-9
    assert top.segment.name == "carrier = B and hour >= 18"
    again = slow_score(part, weight, top.segment.holds(index))
    assert top.score == pytest.approx(worth(again, top.cost))
    assert top.cost == pytest.approx(math.log(3) + sum(map(slow_cost, top.segment.conditions)))
    assert [each.score for each in in_every_metric(top, rows)] == [pytest.approx(top.score)]


def test_a_third_condition_is_found() -> None:
    rng = np.random.default_rng(1)
    n = 20_000
    frame = columns(n, rng)
    made = features(frame)
    part = rng.normal(0.05, 1, n)
    part[(frame.hour >= 12) & (frame.carrier == "A") & (frame.price > 20)] -= 1.0
    rows = Rows(index=np.arange(n), parts={"m": part}, least=100)
    top = discover(made, rows, depth=3, wanted=1).worst[0].segment
    assert [condition.feature.name for condition in top.conditions] == ["carrier", "hour", "price"]
    assert top.name.startswith("carrier = A and hour >= 12 and price >= ")


def test_where_all_rows_are_worse_alike_there_is_no_worst() -> None:
    rng = np.random.default_rng(2)
    n = 5000
    made = features(columns(n, rng))
    rows = Rows(index=np.arange(n), parts={"m": rng.normal(-1.0, 1, n)}, least=100)
    scores = [item.score for item in discover(made, rows, depth=2, wanted=5).worst]
    # 70 standard errors below the tolerance, and none that stands out among thousands.
    assert max(scores) < 4


def test_rows_of_the_rarest_class_are_needed_where_a_ranking_needs_them() -> None:
    rng = np.random.default_rng(3)
    n = 4000
    made = features(columns(n, rng))
    part = rng.normal(0, 1, n)
    part[made[1].codes == 3] -= 3  # carrier D
    minor = rng.random(n) < 0.02
    rows = Rows(index=np.arange(n), parts={"m": part}, least=50, minor=minor, least_minor=20)
    for item in discover(made, rows, depth=2, wanted=5).worst:
        assert item.segment.holds(np.arange(n))[minor].sum() >= 20
    assert (
        "carrier = D"
        in discover(made, Rows(index=np.arange(n), parts={"m": part}, least=50), depth=1, wanted=1)
        .worst[0]
        .segment.name
    )


# -- division ------------------------------------------------------------------------------------------


def divided(n: int, seed: int = 0, **design: object) -> tuple[Sample, list[np.ndarray], list[Predicted]]:
    rng = np.random.default_rng(seed)
    truth = Truth(values=(rng.random(n) < 0.1).astype(np.intp), classes=(0, 1))
    said = [Predicted(labels=rng.integers(0, 2, n), probability=rng.random(n)) for _ in range(2)]
    sample = Sample(truth=truth, design=Design(n=n, **design))  # type: ignore[arg-type]
    return sample, [rng.integers(0, 5, n).astype(np.uint8)], said


def test_two_thirds_find_and_the_others_test_in_every_class() -> None:
    sample, codes, said = divided(1001)
    found = divide(sample, codes, said, seed=0)
    assert sorted([*found.finding, *found.testing]) == list(range(1001))
    assert sorted(found.order) == list(range(1001))
    for each in (0, 1):
        find, test = (
            int((sample.truth.values[part] == each).sum()) for part in (found.finding, found.testing)
        )
        assert abs(find - 2 * test) <= 2


def test_no_group_finds_and_tests_and_every_stratum_is_divided() -> None:
    groups = np.repeat(np.arange(240), 5)
    strata = np.repeat(np.arange(4), 300)
    sample, codes, said = divided(1200, groups=groups, strata=strata)
    found = divide(sample, codes, said, seed=0)
    assert not set(groups[found.finding]) & set(groups[found.testing])
    assert [int((strata[found.testing] == each).sum()) for each in range(4)] == [100] * 4


def test_queries_stay_together() -> None:
    sample, codes, said = divided(600)
    queries = np.arange(600) // 6
    truth = Truth(values=sample.truth.values, classes=(0, 1), queries=queries)
    found = divide(Sample(truth=truth, design=sample.design), codes, said, seed=0)
    assert not set(queries[found.finding]) & set(queries[found.testing])


@pytest.mark.parametrize("design", ["rows", "groups", "groups in strata"])
def test_the_part_of_a_row_is_told_by_its_content(design: str) -> None:
    n = 900
    given: dict[str, np.ndarray] = {}
    if design != "rows":
        given["groups"] = np.arange(n) // 3
    if design == "groups in strata":
        given["strata"] = np.arange(n) // 300
    sample, codes, said = divided(n, **given)
    first = divide(sample, codes, said, seed=0)
    order = np.random.default_rng(9).permutation(n)
    renumbered = {name: pd.factorize(values[order])[0].astype(np.intp) for name, values in given.items()}
    moved = Sample(truth=sample.truth.subset(order), design=Design(n=n, **renumbered))
    again = divide(moved, [codes[0][order]], [each.subset(order) for each in said], seed=0)
    assert order[again.order].tolist() == first.order.tolist()
    assert order[again.finding].tolist() == first.finding.tolist()
    other = divide(sample, codes, said, seed=1)
    assert set(other.finding) != set(first.finding)


# -- words ---------------------------------------------------------------------------------------------


def test_segments_in_words_and_as_slices() -> None:
    codes = np.zeros(1, dtype=np.uint8)
    hour = Feature(name="hour", codes=codes, edges=("0", "6", "18"), exact=True, coarse=(0, 1, 2))
    price = Feature(name="unit price", codes=codes, edges=("0.5", "10", "99.9"), levels=("(missing)",))
    when = Feature(name="when", codes=codes, edges=("2024-01-01", "2024-02-01", "2024-03-01"), dates=True)
    carrier = Feature(name="carrier", codes=codes, levels=("AA", "VX", "(other)", "(missing)"))
    crossed = Feature(name="a x b", codes=codes, levels=("1", "2"))

    def said(*conditions: tuple[Feature, int, int]) -> tuple[str, str]:
        segment = Segment.of(*(Condition(*each) for each in conditions))
        return segment.name, segment.table({})

    assert said((hour, 1, 1)) == ("hour = 6", '{ by = "hour", bins = { hour = [6, 18] } }')
    assert said((hour, 0, 1)) == ("hour <= 6", '{ by = "hour", bins = { hour = [0, 18] } }')
    assert said((hour, 1, 2)) == ("hour >= 6", '{ by = "hour", bins = { hour = [0, 6] } }')
    assert said((hour, 0, 0)) == ("hour = 0", '{ by = "hour", bins = { hour = [0, 6] } }')
    assert said((price, 1, 1)) == (
        "10 <= unit price < 99.9",
        '{ by = "unit price", bins = { "unit price" = [10, 99.9] } }',
    )
    assert said((price, 0, 1))[0] == "unit price < 99.9"
    assert said((price, 3, 3)) == ("unit price is missing", '{ by = "unit price" }')
    assert said((when, 1, 2)) == (
        "when >= 2024-02-01",
        '{ by = "when", bins = { when = ["2024-01-01", "2024-02-01"] } }',
    )
    assert said((hour, 1, 2), (carrier, 1, 1)) == (
        "carrier = VX and hour >= 6",
        '{ by = ["carrier", "hour"], bins = { hour = [0, 6] } }',
    )
    assert said((carrier, 2, 2)) == ("carrier is a rare value", "")
    assert said((carrier, 3, 3)) == ("carrier is missing", '{ by = "carrier" }')
    assert said((crossed, 0, 0)) == ("a x b = 1", '{ by = ["a x b"] }')
