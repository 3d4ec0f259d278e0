"""What a search for slices says in the terminal: whole texts."""

from __future__ import annotations

from dataclasses import replace

from pytest_model_gate.report.combine import combine
from pytest_model_gate.report.segments import segments
from pytest_model_gate.report.terminal import block
from pytest_model_gate.results import (
    FoundSlice,
    GateRecord,
    Interval,
    Line,
    SliceSearch,
    Verdict,
)


def line(
    verdict: Verdict, gain: float, low: float, high: float, where: str = "carrier = VX and hour >= 18"
) -> Line:
    return Line(
        question="regression",
        metric="roc_auc",
        slice=where,
        n=137,
        reference=0.81,
        candidate=0.81 + gain,
        gain=gain,
        interval=Interval(low=low, high=high, level=0.9, method="delong"),
        standard_error=0.02,
        required=-0.01,
        tolerance="0.01",
        verdict=verdict,
        reason="why",
        on_inconclusive="pass",
    )


PROVEN = FoundSlice(
    n=412,
    share=0.0412,
    line=line(Verdict.REGRESSED, -0.07, -0.11, -0.03),
    loss_share=0.61,
    elsewhere=-0.0012,
    table='{ by = ["carrier", "hour"], bins = { hour = [0, 18] }, min_rows = 200 }',
)
SUSPECT = FoundSlice(
    n=300, share=0.03, line=line(Verdict.INCONCLUSIVE, -0.02, -0.06, 0.02, "age < 25"), elsewhere=0.001
)
GONE = FoundSlice(n=300, share=0.03, line=line(Verdict.PASS, 0.02, -0.005, 0.04, "age >= 70"))
SEARCH = SliceSearch(
    method="split",
    columns=("age", "carrier", "hour"),
    skipped=(("note", "9,000 values, none in 200 rows: free text or identifiers"),),
    depth=2,
    min_rows=200,
    metrics=("roc_auc",),
    searched=1234,
    rows=6667,
    tested_rows=3333,
    on_found="warn",
    seed=0,
    detectable_share=0.05,
    detectable=(("roc_auc", 0.0512),),
)

DETECTABLE = (
    "    a segment with 5% of the rows that lost 0.051 (roc_auc) would be proven worse in four of five cases"
)


def said(search: SliceSearch, verbosity: int = 0) -> list[str]:
    return [text.text for text in segments(search, verbosity=verbosity)]


def test_a_proven_segment_and_what_to_do_about_it() -> None:
    search = replace(SEARCH, found=(PROVEN, SUSPECT, GONE))
    assert said(search) == [
        "  segments    1,234 in 3 columns searched on 6,667 rows, the 3 worst tested on the other 3,333: "
        "1 is proven worse",
        "    REGRESSED roc_auc where carrier = VX and hour >= 18: 412 rows (4.1%)",
        "      0.8100 -> 0.7400 on the 137 tested, gain -0.0700, 90% interval [-0.1100, -0.0300], "
        "allowed -0.0100",
        "      these rows make up 61% of the loss; the gain elsewhere is -0.0012",
        '      to judge it from now on: slices = [{ by = ["carrier", "hour"], bins = { hour = [0, 18] }, '
        "min_rows = 200 }]",
        "    suspected, not proven: roc_auc where age < 25: 300 rows (3.0%), gain -0.0200 [-0.0600, 0.0200] "
        "on the 137 tested",
        "    1 looked worse on the rows that were searched, and does not on the others",
    ]
    tones = [text.tone for text in segments(search)]
    assert tones[:4] == ["warn"] * 4
    assert [text.tone for text in segments(replace(search, on_found="fail"))][1:4] == ["bad"] * 3


def test_nothing_proven_says_what_could_have_been_found() -> None:
    assert said(replace(SEARCH, found=(SUSPECT,)))[0] == (
        "  segments    1,234 in 3 columns searched on 6,667 rows, the worst tested on the other 3,333: "
        "none is proven worse"
    )
    assert said(SEARCH) == [
        "  segments    1,234 in 3 columns searched on 6,667 rows: none looks worse than tolerated",
        DETECTABLE,
    ]


def test_all_details() -> None:
    assert said(replace(SEARCH, found=(PROVEN,)), 1)[-3:] == [
        DETECTABLE,
        "    columns: age, carrier, hour",
        "    not searched: note: 9,000 values, none in 200 rows: free text or identifiers",
    ]


def test_few_suspicions_are_listed_and_the_others_counted() -> None:
    many = replace(SEARCH, found=(SUSPECT,) * 5)
    assert said(many)[4] == "    and 2 more suspected, not proven (-v shows them)"
    assert len([text for text in said(many, 1) if "suspected" in text]) == 5


def test_other_words_for_the_part_in_the_loss() -> None:
    def part(**keys: float | None) -> str:
        return said(replace(SEARCH, found=(replace(PROVEN, **keys),)))[3].strip()

    assert part(loss_share=1.4, elsewhere=0.002) == (
        "these rows make up more than the whole loss; the gain elsewhere is 0.0020"
    )
    assert part(loss_share=None, elsewhere=0.003) == (
        "all rows together lose nothing; the gain elsewhere is 0.0030"
    )
    assert part(elsewhere=None) == "these rows make up 61% of the loss"


def test_what_was_found_by_all_rows_is_said_to_be() -> None:
    search = replace(SEARCH, method="max-t", rows=10000, tested_rows=10000, found=(SUSPECT,))
    assert said(search)[:2] == [
        "  segments    1,234 in 3 columns, all tested at once on 10,000 rows: none is proven worse",
        "    suspected, not proven: roc_auc where age < 25: 300 rows (3.0%), gain -0.0200 [-0.0600, 0.0200] "
        "on the rows that it was found by",
    ]


def test_a_segment_that_could_not_be_tested_says_why() -> None:
    untested = replace(
        GONE, line=replace(GONE.line, verdict=Verdict.ERROR, gain=None, interval=None, reason="no positives")
    )
    assert said(replace(SEARCH, found=(untested,)))[1] == (
        "    not tested: roc_auc where age >= 70: 300 rows (3.0%): no positives"
    )


def test_values_of_the_data_cannot_write_to_the_terminal() -> None:
    evil = replace(
        PROVEN, line=replace(PROVEN.line, slice="carrier = \x1b[31mVX"), table='{ by = "\x1b[31m" }'
    )
    assert not any("\x1b" in text for text in said(replace(SEARCH, found=(evil,)), 1))


def record(**keys: object) -> GateRecord:
    given = {
        "gate": "credit",
        "decision": "",
        "verdict": Verdict.PASS,
        "reason": "1 line judged",
        "alpha": 0.05,
    }
    return GateRecord(**{**given, **keys})  # type: ignore[arg-type]


def test_the_search_is_part_of_its_gate() -> None:
    shown = [text.text for text in block(record(search=replace(SEARCH, found=(PROVEN,))))]
    assert "    REGRESSED roc_auc where carrier = VX and hour >= 18: 412 rows (4.1%)" in shown
    short = [text.text for text in block(record(search=SEARCH, correction="max-t, Holm for x"), verbosity=1)]
    assert "  correction  max-t, Holm for x" in short


def test_records_of_one_gate_keep_the_search() -> None:
    one = record(asked="no_regression()", search=SEARCH, correction="max-t, Holm for x")
    other = record(asked="at_least(roc_auc)", correction="max-t")
    merged = combine([other, one])[0].record
    assert merged.search == SEARCH
    assert merged.correction == "max-t, Holm for x"
