"""How often a search accuses wrongly, and how often it finds what is there: seeded, small, one-sided."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.data.features import Feature, feature
from pytest_model_gate.gate.lines import judge
from pytest_model_gate.gate.sample import Sample
from pytest_model_gate.gate.search_all import AllAtOnce
from pytest_model_gate.gate.search_split import Split
from pytest_model_gate.gate.suspects import Compared
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.results import SliceSearch
from pytest_model_gate.spec import FindSlices, GateSpec, Tolerance
from pytest_model_gate.stats.design import Design
from pytest_model_gate.stats.maxt import max_t, scores

MAE = "mean_absolute_error"


def columns(n: int, rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "hour": rng.integers(0, 24, n),
            "carrier": rng.choice(list("ABCDEF"), n, p=[0.35, 0.25, 0.15, 0.1, 0.1, 0.05]),
            "age": rng.integers(18, 80, n),
            "price": rng.gamma(2, 10, n),
        }
    )


def search(
    frame: pd.DataFrame, candidate: np.ndarray, production: np.ndarray, *, tolerance: float, **keys: Any
) -> Split | AllAtOnce:
    """Return a search over regressors whose absolute errors these are."""
    spec = FindSlices(**{"min_rows": 100, **keys})
    gate = GateSpec(
        name="gate",
        candidate="",
        production="",
        dataset="",
        target="",
        metrics=(MAE,),
        max_regression={"*": Tolerance(tolerance)},
        find_slices=spec,
    )
    found = [feature(frame[name], min_rows=spec.min_rows) for name in frame]
    n = len(frame)
    kind = Split if spec.method == "split" else AllAtOnce
    return kind(
        spec=spec,
        gate=gate,
        metrics={MAE: resolve(MAE)},
        features=[each for each in found if isinstance(each, Feature)],
        skipped=(),
        whole=Compared(
            sample=Sample(truth=Truth(values=np.zeros(n)), design=Design(n=n)),
            candidate=Predicted(value=candidate),
            production=Predicted(value=production),
        ),
    )


def judged(made: Split | AllAtOnce) -> SliceSearch:
    by_ask = {suspect.ask: suspect for suspect in made.suspects}

    def measure(ask: Any) -> Any:
        return made.whole.on(by_ask[ask].rows).measured(made.metrics[MAE])

    def correct(asked: Any, p: Any) -> Any:
        if min(p) >= 0.05:
            return p  # nothing to correct
        parts = []
        for ask, measured in asked:
            rows = np.sort(by_ask[ask].rows)
            contrast = made.whole.on(rows).contrast(made.metrics[MAE], measured.reference)
            parts.append(scores(contrast, made.whole.sample.design, rows))
        return max_t(p, parts, draws=1000)

    keys = {"correct": correct} if isinstance(made, AllAtOnce) else {}
    lines = judge(list(by_ask), made.metrics, measure, alpha=0.05, **keys)
    return made.report(list(zip(made.suspects, lines, strict=True)), 0.05)


def errors(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the absolute errors of two equally good models that agree in part."""
    common, one, other = np.abs(rng.normal(size=(3, n)))
    return 0.7 * common + 0.3 * one, 0.7 * common + 0.3 * other


@pytest.mark.parametrize("method", ["split", "max-t"])
def test_the_error_rate_where_every_segment_is_exactly_at_the_tolerance(method: str) -> None:
    runs, alpha = (100 if method == "split" else 50), 0.05
    keys: dict[str, Any] = {"method": method} | ({"depth": 1} if method == "max-t" else {})
    wrong = naive = 0
    for run in range(runs):
        rng = np.random.default_rng([1, run])
        frame = columns(1500, rng)
        candidate, production = errors(1500, rng)
        made = search(frame, candidate + 0.05, production, tolerance=0.05, **keys)
        wrong += judged(made).proven > 0
        if isinstance(made, Split):
            # The negative control: the same segments, tested on the rows that found them.
            first = [suspect.segment.rows(made.division.finding) for suspect in made.suspects]
            p = [made.whole.on(rows).measured(made.metrics[MAE]).p_below(-0.05) for rows in first]
            naive += bool(p) and min(p) < alpha / len(p)
    allowed = alpha * runs + 4 * np.sqrt(alpha * (1 - alpha) * runs)
    assert wrong <= allowed
    if method == "split":
        assert naive > 3 * allowed


def test_a_planted_segment_is_found_as_often_as_the_report_promises() -> None:
    """5 % of the rows, worse by as much as the search says that it finds in four of five cases."""
    runs, found = 25, 0
    for run in range(runs):
        rng = np.random.default_rng([2, run])
        frame = columns(6000, rng)
        candidate, production = errors(6000, rng)
        promise = judged(search(frame, candidate, production, tolerance=0.02))
        ((_, size),) = promise.detectable
        assert promise.detectable_share == 0.05
        inside = ((frame.carrier == "C") & (frame.hour >= 16)).to_numpy()  # 0.15 * 8 / 24 = 0.05
        report = judged(search(frame, candidate + size * inside, production, tolerance=0.02))
        named = [item.line.slice for item in report.found if item.proven]
        found += any("carrier = C" in name and "hour" in name for name in named)
    assert found >= 0.8 * runs - 2 * np.sqrt(0.8 * 0.2 * runs)
