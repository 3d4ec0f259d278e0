"""The pages about statistics: every printed method is explained, and every figure shows what its data say."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from pytest_model_gate import compare_unpaired, make_metric
from pytest_model_gate.errors import UndefinedMetricError
from pytest_model_gate.gate.measure import Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import names, resolve
from pytest_model_gate.metrics.metric import Metric
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.stats.anytime import BettingSequence, asymptotic_sequence
from pytest_model_gate.stats.design import Design

ROOT = Path(__file__).resolve().parents[2]
EXPLANATION = ROOT / "docs" / "explanation"
OVERVIEW = EXPLANATION / "statistics.md"
PAGES = sorted((EXPLANATION / "statistics").glob("*.md"))
FIGURES = EXPLANATION / "figures"
DATA = sorted(FIGURES.glob("*.json"))

IMAGE = re.compile(r"!\[(?P<words>[^\]]*)\]\((?P<file>[^)]+)\)")
SVG = "{http://www.w3.org/2000/svg}"


def tool(name: str) -> Any:
    """Return a module of ``tools/``."""
    if name not in sys.modules:
        found = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        sys.modules[name] = module
        found.loader.exec_module(module)
    return sys.modules[name]


# -- figures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", DATA, ids=lambda path: path.stem)
def test_a_figure_is_what_its_data_say(data: Path) -> None:
    drawn = tool("figure_svg").drawn(data.stem, json.loads(data.read_text(encoding="utf-8")))

    assert data.with_suffix(".svg").read_text(encoding="utf-8") == drawn, "run: python tools/figures.py"


@pytest.mark.parametrize("data", DATA, ids=lambda path: path.stem)
def test_a_figure_can_be_read_by_everybody(data: Path) -> None:
    text = data.with_suffix(".svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    title, words = root.find(f"{SVG}title"), root.find(f"{SVG}desc")

    assert title is not None
    assert words is not None
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {words.attrib['id']}"
    assert len(words.text or "") > len(title.text or "") > 20
    assert "prefers-color-scheme: dark" in text
    assert re.findall(r"https?://[^\"]+|url\(|@import|<script", text) == ["http://www.w3.org/2000/svg"]


def series(chart: dict[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    for panel in chart["panels"]:
        for line in panel["series"]:
            yield f"{panel['title']}: {line['name']}", np.array(line["points"])


#: Figures that take no random numbers, and simulations of less than a second.
COMPUTED = {
    "figure_exact": ("shares", "floors", "queries", "many-lines", "planning", "reuse", "two-samples"),
    "figure_numbers": ("relative-tolerances", "any-time"),
}


@pytest.mark.parametrize(("module", "name"), [(m, name) for m in COMPUTED for name in COMPUTED[m]])
def test_a_figure_shows_what_the_methods_do_today(module: str, name: str) -> None:
    for part in ("figure_parts", "figure_classes", module):
        made = tool(part)
    computed = made.EXACT if module == "figure_exact" else made.OF_NUMBERS
    found = dict(series(computed[name]()))
    shown = dict(series(json.loads((FIGURES / f"{name}.json").read_text(encoding="utf-8"))))

    assert found.keys() == shown.keys()
    for line, points in shown.items():
        # What is seeded differs by a few samples at most, also with other versions of numpy.
        remedy = f"{line}: run python tools/figures.py --compute {name}, and read its page again"
        assert found[line] == pytest.approx(points, rel=1e-3, abs=2e-3), remedy


def test_the_figures_of_the_grid_show_its_summary() -> None:
    tool("figure_parts")
    shown = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FIGURES.glob("grid-*.json")}

    assert tool("figure_grid").of_grid() == shown, "run: python tools/figures.py --compute grid"


def test_every_figure_has_a_page() -> None:
    used = {(page.parent / image["file"]).resolve() for page in PAGES for image in images(page)}

    assert {path.with_suffix(".svg") for path in DATA} <= used
    assert all(path.exists() for path in used)


# -- pages -------------------------------------------------------------------------------------------------


def images(page: Path) -> list[re.Match[str]]:
    return list(IMAGE.finditer(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_says_what_its_methods_are(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert f"](statistics/{page.name}" in OVERVIEW.read_text(encoding="utf-8")
    assert "\n## In words\n" in text
    assert "\n```text\n" in text, "no formula"
    assert images(page), "no figure"
    assert all(len(image["words"]) > 20 for image in images(page))
    for row in ("source", "assumes", "cost"):
        assert re.search(rf"^\| {row} \|", text, flags=re.M), f"no {row}"
    for row in ("guard", "fails"):
        assert re.search(rf"^\| {row} \||^\| {row} ", text, flags=re.M), f"no {row}"


# -- methods -----------------------------------------------------------------------------------------------


def explained() -> dict[str, Path]:
    """Return the methods of the overview's table, and the first page that each is said to be explained on."""
    text = OVERVIEW.read_text(encoding="utf-8")
    table = re.search(r"^\| printed \|.*\n(?:\|.*\n)+", text, flags=re.M)
    assert table
    found = {}
    for row in table[0].splitlines()[2:]:
        cells = row.strip("|").split("|")
        page = re.search(r"\]\(([^)#]+)", cells[1])
        assert page
        for method in re.findall(r"`([^`]+)`", cells[0]):
            found[plain(method)] = EXPLANATION / page[1]
    return found


def plain(method: str) -> str:
    """Return a method's name without the numbers in it."""
    return re.sub(r"[\d,]*\d", "0", method)


def parts(method: str) -> list[str]:
    """Return what a combined method is made of, outermost first."""
    both = re.fullmatch(r"(welch(?: \(.+?\))?) and (mover \(.+\))", method)
    if both:
        return [*parts(both[1]), *parts(both[2])]
    combined = re.fullmatch(r"(mover|welch) \((.+)\)", method)
    if not combined:
        return [method]
    known, inner = explained(), combined[2]
    if inner in known:
        return [combined[1], inner]
    for comma in re.finditer(", ", inner):
        pair = [inner[: comma.start()], inner[comma.end() :]]
        if all(each in known for each in pair):
            return [combined[1], *pair]
    return [combined[1], inner]


def drawn(metric: Metric, n: int, apart: float) -> tuple[Truth, list[Predicted]]:
    rng = np.random.default_rng(0)
    queries = np.arange(n) // 4
    if metric.task == "regression":
        # Relevances of queries and targets of deviances are at least 0.
        y = np.round(rng.gamma(2.0, size=n)) + (0.0 if metric.by_query else 1.0)
        said = [Predicted(value=np.abs(y + 0.3 * rng.normal(size=n)) + 0.1) for _ in range(2)]
        return Truth(values=y, queries=queries if metric.by_query else None), said
    y = (np.arange(n) % 2).astype(np.intp)
    said = []
    for _ in range(2):
        p = 1 / (1 + np.exp(-(apart * (2 * y - 1) + rng.normal(size=n))))
        said.append(Predicted(labels=(p > 0.5).astype(np.intp), probability=p))
    return Truth(values=y, classes=(0, 1)), said


def designs(n: int) -> Iterator[tuple[Design, np.ndarray | None]]:
    unit = np.arange(n) // 4
    yield Design(n=n), None
    yield Design(n=n), 1.0 + unit % 2
    yield Design(n=n, groups=unit), None
    yield Design(n=n, strata=unit % 2), None
    yield Design(n=n, groups=unit // 4), None


@cache
def printed() -> frozenset[str]:
    """Return the names of all methods that comparisons over metrics, designs and questions are made by."""
    found = set()
    own = [
        make_metric(
            lambda y, p: float(np.mean(np.abs(y - p))), needs="value", higher_is_better=False, name="gap"
        ),
        make_metric(
            lambda y, p, sample_weight=None: float(np.average(y == p, weights=sample_weight)),
            needs="label",
            higher_is_better=True,
            name="hits",
        ),
    ]
    families = set()
    for metric in [*map(resolve, names()), *own]:
        # Large samples once for each family: what depends on the size does not depend on the metric.
        large = [] if metric in own or metric.family in families else [(6_000, 0.8)]
        families.add(metric.family)
        for n, apart in ((400, 0.8), (400, 3.0), (60, 0.8), *large):
            truth, (first, second) = drawn(metric, n, apart)
            for design, weight in designs(n):
                values = Truth(
                    values=truth.values, classes=truth.classes, queries=truth.queries, weight=weight
                )
                sample = Sample(truth=values, design=design)
                relative = 0.0 if metric.crosses_zero else 0.01
                low, high = max(metric.bounds[0], 0.0), min(metric.bounds[1], 2.0)
                try:
                    found.add(measure_pair(metric, sample, first, second).inference.method)
                    found.add(measure_pair(metric, sample, first, second, relative=relative).inference.method)
                    found.add(measure_floor(metric, sample, first, (low + high) / 3).inference.method)
                except UndefinedMetricError:
                    continue
                except Exception as error:  # a function without weights on weighted rows
                    if metric not in own:
                        raise AssertionError(metric.name) from error
    return frozenset(map(plain, found))


def unpaired() -> Iterator[str]:
    for name in names():
        metric = resolve(name)
        if metric.family == "value":
            continue
        truth, (first, second) = drawn(metric, 400, 0.8)
        said = [
            {"label": p.labels, "score": p.ranking, "probability": p.probability, "value": p.value}[
                metric.needs
            ]
            for p in (first, second)
        ]
        query = None if truth.queries is None else (truth.queries, truth.queries)
        for tolerance in (0.01,) if metric.crosses_zero else (0.01, "1%"):
            try:
                found = compare_unpaired(
                    truth.values,
                    said[0],
                    truth.values,
                    said[1],
                    metric=metric,
                    max_regression=tolerance,
                    query=query,
                )
            except UndefinedMetricError:  # of more than two classes
                continue
            yield plain(found.interval.method)


def test_every_method_that_is_printed_is_explained() -> None:
    sequences = [asymptotic_sequence(np.arange(200.0), 100), BettingSequence(np.ones(9), -1, 2, 10)]
    shown = {*printed(), *unpaired(), *(plain(each.method) for each in sequences)}
    made_of = {part for method in shown for part in parts(method)}
    table = {part for method in explained() for part in parts(method)}

    assert made_of - table == set(), "write these into the table of docs/explanation/statistics.md"
    assert table - made_of == set(), "no comparison prints these any more"


@pytest.mark.parametrize("method", explained())
def test_a_method_stands_on_its_page(method: str) -> None:
    page = explained()[method]
    text = plain(page.read_text(encoding="utf-8"))

    assert f"`{method}`" in text, page.name
