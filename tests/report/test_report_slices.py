"""Many slices, long names, slices that are not judged: the report stays readable and says it all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_records import INCONCLUSIVE, REGRESSED, judged, line, record

from pytest_model_gate.report.run import Run
from pytest_model_gate.report.table import WORST
from pytest_model_gate.report.terminal import LISTED, forgiven, render
from pytest_model_gate.results import Bins, SmallSlice, Verdict

REASON = "roc_auc needs both classes; these 20 rows have none of class 1."
UNDEFINED = replace(
    line(warning=""),
    slice="region=isle",
    n=20,
    reference=None,
    candidate=None,
    gain=None,
    interval=None,
    standard_error=None,
    verdict=Verdict.ERROR,
    reason=REASON,
    remedy="Set min_rows.",
    undefined=True,
)


def shown(*, verbosity=0, width=100, **changes):
    changes = {"small_slices": (), **changes}
    return list(render(Run(tested=(judged(record(**changes)),)), verbosity=verbosity, width=width))


def texts(**changes):
    return [part.text for part in shown(**changes)]


def test_of_300_failing_slices_the_worst_are_shown():
    failing = [
        replace(REGRESSED, slice=f"store={number:03}", gain=-0.026 - 0.001 * (number % 100))
        for number in range(200)
    ]
    failing += [replace(INCONCLUSIVE, slice=f"store={number:03}") for number in range(200, 300)]
    lines = (line(warning=""), *failing, *(line(slice=f"ok={n}", warning="") for n in range(50)))
    found = texts(lines=lines)

    rows = [text for text in found if text.startswith("roc_auc")]
    assert len(rows) == 1 + WORST
    assert rows[0].split()[1] == "all"
    worst = {f"store={number:03}" for number in range(200) if number % 100 >= 100 - WORST // 2}
    assert {row.split()[1] for row in rows[1:]} == worst
    assert "  and 270 more lines on slices: 170 REGRESSED, 100 INCONCLUSIVE (-v shows them)" in found
    assert "  and 50 lines on slices pass (-v shows them)" in found
    assert len(found) < 60
    assert sum("store=" in text for text in texts(lines=lines, verbosity=1)) == 300


def test_what_fails_is_shown_before_what_is_forgiven():
    forgiven_lines = [
        replace(INCONCLUSIVE, slice=f"a={number}", on_inconclusive="warn") for number in range(40)
    ]
    found = texts(lines=(line(warning=""), *forgiven_lines, replace(INCONCLUSIVE, slice="b=1")))
    assert any(text.startswith("roc_auc   b=1 ") for text in found)
    assert "  and 11 more lines on slices: 11 inconclusive, does not fail (-v shows them)" in found


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("region=north, age=25..45", ["region=north, age=25..45 "]),
        (
            "region=the far and windy north, age=25..45",
            ["region=the far and windy north, ", "    age=25..45"],
        ),
        (
            "x=" + "0123456789" * 5 + ", y=1",
            ["x=01234567890123456789012345678 ", "    901234567890123456789,", "    y=1"],
        ),
    ],
)
def test_long_names_go_on_in_the_next_line(name, rows):
    found = texts(lines=(replace(REGRESSED, slice=name), line(slice="b=1")))
    heading = next(number for number, text in enumerate(found) if text.startswith("metric "))
    start = found[heading].index("slice")
    block = found[heading + 1 : heading + 1 + len(rows)]
    assert block[0][start:].startswith(rows[0])
    assert [text[start - 2 :] for text in block[1:]] == rows[1:]
    assert found[heading + 1 + len(rows)].startswith("roc_auc   b=1 ")
    # The columns stay where they are, and at most a third of the terminal is the name's.
    assert found[heading].index("against") <= start + 33 + 2


def test_very_long_names_are_shortened_and_stay_different():
    names = [f"note={'x' * 400}{number}{'y' * 400}" for number in range(2)]
    found = texts(lines=tuple(replace(REGRESSED, slice=name) for name in names))
    heading = next(number for number, text in enumerate(found) if text.startswith("metric "))
    start = found[heading].index("slice")
    blocks = [
        [text[start:].split("  production")[0].strip() for text in found[begin : begin + 3]]
        for begin in (heading + 1, heading + 4)
    ]
    assert blocks[0][0] == "note=xxxxxxxxxxxxxxxxxxxxxxx..."
    assert blocks[0][1] == "...yyyyyyyyyyyyyyyyyyyyyyyyyyyy"
    assert blocks[0][:2] == blocks[1][:2]
    assert blocks[0][2] != blocks[1][2]


def test_a_wide_terminal_has_room_for_names():
    name = "region=the far and windy north, age=25..45"
    assert any(
        f"{name}  production" in text for text in texts(lines=(replace(REGRESSED, slice=name),), width=160)
    )


def test_an_undefined_line_says_why_whether_it_fails_or_not():
    (failing,) = (part for part in shown(lines=(UNDEFINED,)) if part.text.startswith("roc_auc"))
    assert failing.text.endswith(f"  ERROR: {REASON}")
    assert failing.tone == "bad"

    allowed = replace(UNDEFINED, on_undefined="warn")
    (known,) = (part for part in shown(lines=(allowed,)) if part.text.startswith("roc_auc"))
    assert known.text.endswith(f"  undefined, does not fail: {REASON}")
    assert known.tone == "warn"
    passed = {"verdict": Verdict.PASS, "reason": "1 line judged"}
    short = texts(lines=(line(warning=""), allowed), verbosity=-1, **passed)
    assert short[0] == "credit: pass  1 line judged, 1 undefined, allowed"
    assert not any("next (" in text for text in texts(lines=(allowed,), **passed))


def test_what_is_forgiven_is_one_line_for_junit():
    allowed = replace(UNDEFINED, on_undefined="warn")
    waived = replace(REGRESSED, waiver="waived by ann")
    assert forgiven([record(lines=(line(), REGRESSED, allowed)), record(lines=(allowed, waived))]) == (
        f"roc_auc on region=isle: undefined, does not fail: {REASON}; "
        "roc_auc on region=north: regressed, waived by ann"
    )
    many = [replace(allowed, slice=f"s={number}") for number in range(LISTED + 5)]
    assert forgiven([record(lines=tuple(many))]).endswith("; and 5 more")
    assert forgiven([record(lines=(line(), REGRESSED))]) == ""


def test_slices_that_are_not_judged():
    lacking = "10 of class 1, min_per_class = 30"
    small = (
        SmallSlice(slice="region=isle", n=20, min_rows=100),
        SmallSlice(slice="region=north", n=1200, min_rows=100, lacking=lacking),
    )
    found = texts(small_slices=small)
    assert "  not judged: region=isle 20 rows < 100" in found
    assert f"  not judged: region=north 1,200 rows, {lacking}" in found

    many = tuple(SmallSlice(slice=f"s={number}", n=3, min_rows=100) for number in range(LISTED + 700))
    found = texts(small_slices=many)
    assert sum("not judged: " in text for text in found) == LISTED
    assert "  and 700 more slices are not judged, 2,100 rows (-v shows them)" in found
    assert sum("not judged: " in text for text in texts(small_slices=many, verbosity=1)) == len(many)


def test_slices_with_the_rows_of_others():
    also = replace(REGRESSED, also=("region=north, city=Oslo",))
    lines = (also, replace(also, metric="log_loss"))
    assert [text for text in texts(lines=lines) if "same rows" in text] == [
        "  same rows: region=north, city=Oslo is region=north"
    ]
    many = (replace(REGRESSED, also=tuple(f"s={number}" for number in range(LISTED + 3))),)
    assert "  and 3 more slices with the rows of another one (-v shows them)" in texts(lines=many)


def test_edges_are_among_the_details():
    bins = (
        Bins(column="age", edges=("31", "44.125"), groups=4),
        Bins(column="day", edges=("2024-01-01", "2025-01-01")),
    )
    found = texts(bins=bins, verbosity=1)
    assert "  bins        age: 31, 44.125 (4 groups of equal size were asked for)" in found
    assert "  bins        day: 2024-01-01, 2025-01-01" in found
    assert not any("44.125" in text for text in texts(bins=bins))
