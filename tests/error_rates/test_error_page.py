"""The page of the error rates says what its results say, of every metric that is simulated."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from grid import SIMULATED, SIZES
from grid_figure import figure
from grid_page import FIGURE, PAGE, SUMMARY, TITLES, tables, written
from layouts import NAMES
from summary import Rate, Row

ROWS = [Row.from_dict(each) for each in json.loads(SUMMARY.read_text(encoding="utf-8"))]


def row(**keys: object) -> Row:
    rate = Rate(rate=0.05, error=0.01, place="somewhere")
    plain = {
        "metric": "accuracy",
        "layout": "plain",
        "n": 50,
        "places": 2,
        "holdouts": 800,
        "wrong_pass": rate,
        "wrong_accusation": rate,
        "pass_mean": 0.04,
        "accusation_mean": 0.04,
        "coverage": 0.9,
        "withheld": 0.0,
        "exceeding": (),
    }
    return Row(**{**plain, **keys})  # type: ignore[arg-type]


def test_the_tables_are_those_of_the_results() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert written(page, ROWS) == page


def test_every_simulated_metric_has_results_for_every_layout_of_its_populations() -> None:
    assert {found.metric for found in ROWS} == SIMULATED
    assert {found.layout for found in ROWS} == set(NAMES)
    assert {found.n for found in ROWS} == set(SIZES)


def test_what_exceeds_is_marked_and_listed() -> None:
    bad = row(exceeding=("floor of numbers (tail t5): pass 9.0%",))

    assert "| `accuracy` | 5.0 / 5.0 ! |" in tables([bad])
    assert "- `accuracy`, 50 rows, plain sample: floor of numbers (tail t5): pass 9.0%" in tables([bad])
    assert "1 of 4 rates:" in tables([bad])
    assert "!" not in tables([row()])
    assert "\nNone." in tables([row()])
    assert "| `accuracy` | none |" in tables([row(withheld=1.0, coverage=None)])


def test_the_figure_is_a_picture_of_its_numbers() -> None:
    found = figure(
        {("plain", 50, "pass"): [0.0, 0.02, 0.05], ("plain", 50, "accusation"): [0.03]},
        [("plain", "P")],
        [50],
    )
    root = ElementTree.fromstring(found)
    circles = [each for each in root.iter() if each.tag.endswith("circle") and each.get("r") == "3.5"]

    assert len(circles) == 2
    worst, other = (float(each.get("cy", "nan")) for each in circles)
    assert worst < other  # further up is a larger rate
    assert ElementTree.fromstring(FIGURE.read_text(encoding="utf-8")).tag.endswith("svg")
    assert list(TITLES) == list(NAMES)


@pytest.mark.parametrize("name", ["wrong_pass", "wrong_accusation"])
def test_a_summary_can_be_read_again(name: str) -> None:
    found = row()

    assert Row.from_dict(json.loads(json.dumps(found.as_dict()))) == found
    assert getattr(found, name).rate == 0.05
