"""Whole reports, line by line, at each verbosity; and what may not be in them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_records import FULL, INCONCLUSIVE, INVALID, REGRESSED, judged, line, record

from pytest_model_gate.report.combine import combine
from pytest_model_gate.report.escape import plain
from pytest_model_gate.report.run import NotJudged, Run
from pytest_model_gate.report.terminal import FOLD_ABOVE, SENTENCES, failure_text, render
from pytest_model_gate.results import Check, Finding, RoleRecord, SmallSlice, Verdict

DEFAULT = """\
credit: REGRESSED   approve or decline a loan application
  candidate   models:/credit@challenger -> models:/credit/12   sha256:ab12ab12ab12
  baseline    prior
  dataset     data/holdout.parquet                             30,000 rows, 29,999 judged   sha256:ab12ab12ab12   pinned
  dropped     1 row: missing target
  schema      ok, 14 columns
metric    slice           against       reference    candidate     gain        90% interval    allowed  verdict
roc_auc   all             production       0.9213       0.9187  -0.0026  [-0.0038, -0.0014]    -0.0050  pass (worse, within tolerance)
roc_auc   region=north    production       0.9050       0.8790  -0.0260  [-0.0391, -0.0129]    -0.0050  REGRESSED
roc_auc   region=islands  production       0.9110       0.9120   0.0010   [-0.0210, 0.0230]    -0.0050  INCONCLUSIVE: 412 rows resolve 0.027; about 12,000 needed
  next (REGRESSED): Do not ship this candidate.
  next (INCONCLUSIVE): Judge more rows.
  not judged: carrier=OO 22 rows < 500
credit: INVALID   approve or decline a loan application
  candidate   models:/credit@challenger -> models:/credit/12   sha256:ab12ab12ab12
  baseline    prior
  dataset     data/holdout.parquet                             30,000 rows, 29,999 judged   sha256:ab12ab12ab12   pinned
  dropped     1 row: missing target
  INVALID schema: 2 problems
    age: must be >= 0. (1,234; e.g. -5, -7)
      next: Repair the column.
    income: is missing.
  test_b.py::test_b ran 2 times; the gate was judged once, and its first verdict stands
churn: not judged: no collected test has it
PROBLEM: worker gw0 died
model gates: FAILED (credit REGRESSED, credit INVALID)"""  # noqa: E501

QUIET = """\
credit: REGRESSED  roc_auc on region=north: worse than production by more than the tolerance (and 1 more)
credit: INVALID  schema: 2 problems
  test_b.py::test_b ran 2 times; the gate was judged once, and its first verdict stands
churn: not judged: no collected test has it
PROBLEM: worker gw0 died
model gates: FAILED (credit REGRESSED, credit INVALID)"""


def text(run: Run, verbosity: int = 0) -> str:
    return "\n".join(item.text for item in render(run, verbosity=verbosity))


def test_the_default_report():
    assert text(FULL) == DEFAULT


def test_the_quiet_report():
    assert text(FULL, -1) == text(FULL, -2) == QUIET


def test_the_verbose_report():
    found = text(FULL, 1)
    assert "sha256:" + "ab12" * 16 + "   sklearn" in found
    for word in ("method", "delong", "std. error", "0.000730", "  versions    numpy 2.4.6"):
        assert word in found
    assert "  test        test_a.py::test_a" in found.splitlines()


def test_nothing_but_ascii_of_our_own():
    assert text(FULL, 1).isascii()


def test_a_failure_says_what_the_report_says():
    assert failure_text(record()) == (
        "credit: REGRESSED  roc_auc on region=north: worse than production by more than the tolerance "
        "(and 1 more)\n"
        "  REGRESSED roc_auc on region=north (7,000 rows), against production 0.9050: candidate 0.8790, "
        "gain -0.0260, 90% interval [-0.0391, -0.0129], allowed -0.0050\n"
        "    worse than production by more than the tolerance: 0.026 worse, 0.005 allowed\n"
        "  INCONCLUSIVE roc_auc on region=islands (412 rows), against production 0.9110: candidate 0.9120, "
        "gain 0.0010, 90% interval [-0.0210, 0.0230], allowed -0.0050\n"
        "    412 rows resolve 0.027; about 12,000 needed\n"
        "  next (REGRESSED): Do not ship this candidate.\n"
        "  next (INCONCLUSIVE): Judge more rows."
    )
    assert failure_text(INVALID) == (
        "credit: INVALID  schema: 2 problems\n"
        "  INVALID schema: 2 problems\n"
        "    age: must be >= 0. (1,234; e.g. -5, -7)\n"
        "      next: Repair the column.\n"
        "    income: is missing."
    )


def test_a_failure_without_a_failing_part_gives_its_reason():
    nothing = record(
        verdict=Verdict.ERROR,
        reason="nothing was judged",
        lines=(),
        checks=(),
        asked="no_regression(roc_auc)",
    )
    assert failure_text(nothing) == "credit (no_regression(roc_auc)): ERROR  nothing was judged"


def test_one_next_step_of_several_lines_is_said_once():
    lines = (REGRESSED, replace(REGRESSED, slice="region=south"), INCONCLUSIVE)
    found = failure_text(record(lines=lines)).splitlines()
    assert [item.strip() for item in found if "next" in item] == [
        "next (REGRESSED x 2): Do not ship this candidate.",
        "next (INCONCLUSIVE): Judge more rows.",
    ]


def test_a_failing_test_says_a_few_lines_and_counts_the_others():
    lines = tuple(replace(REGRESSED, slice=f"s={number:02}") for number in range(SENTENCES + 3))
    found = failure_text(record(lines=lines)).splitlines()
    assert sum("against production" in item for item in found) == SENTENCES
    assert found[-2:] == [
        "  and 3 more lines, in the report",
        f"  next (REGRESSED x {SENTENCES + 3}): Do not ship this candidate.",
    ]


def test_lines_that_do_not_fail_say_why_not():
    warned = line(
        verdict=Verdict.INCONCLUSIVE, reason="5 rows resolve 0.5", on_inconclusive="warn", warning=""
    )
    waived = line(
        slice="b=1",
        verdict=Verdict.REGRESSED,
        reason="r",
        waiver="waived by ann until 2030-01-31: known",
        warning="",
    )
    found = text(
        Run(tested=(judged(record(verdict=Verdict.PASS, lines=(warned, waived)), outcome="passed"),))
    )
    assert "  inconclusive, does not fail: 5 rows resolve 0.5\n" in found
    assert "  regressed, waived by ann until 2030-01-31: known\n" in found
    assert "next:" not in found
    assert found.endswith("model gates: passed (credit)")


def test_a_line_without_numbers():
    lost = line(
        reference=None,
        candidate=None,
        gain=None,
        interval=None,
        standard_error=None,
        verdict=Verdict.ERROR,
        reason="roc_auc has no value: one class only.",
        remedy="Judge rows of both classes.",
        warning="",
        tolerance="1% default",
    )
    found = text(Run(tested=(judged(record(verdict=Verdict.ERROR, lines=(lost,))),)), 1)
    row = next(item for item in found.splitlines() if item.startswith("roc_auc"))
    assert row.split() == [
        "roc_auc",
        "all",
        "production",
        *["-"] * 4,
        "1%",
        "default",
        "ERROR:",
        *lost.reason.split(),
        "-",
        "-",
        "30,000",
    ]
    assert "  next (ERROR): Judge rows of both classes." in found
    said = failure_text(record(verdict=Verdict.ERROR, lines=(lost,)))
    assert "  ERROR roc_auc on all (30,000 rows), against production\n    roc_auc has no value" in said


@pytest.mark.parametrize(
    ("tolerance", "shown"), [("0.005", ""), ("1%", " (1%)"), ("1% default", " (1% default)")]
)
def test_a_tolerance_that_is_not_the_number_is_said(tolerance, shown):
    found = text(Run(tested=(judged(record(lines=(line(tolerance=tolerance),))),)))
    assert f"-0.0050{shown}  pass" in found


def test_a_long_table_is_folded_and_counted():
    lines = [line(slice=f"s={number:02}", warning="") for number in range(FOLD_ABOVE + 5)]
    lines += [line(), REGRESSED, INCONCLUSIVE, line(slice="w=1")]
    run = Run(tested=(judged(record(lines=tuple(lines))),))
    folded = text(run)
    assert f"  and {FOLD_ABOVE + 5} lines on slices pass (-v shows them)" in folded.splitlines()
    assert "s=00" not in folded
    for kept in ("all ", "region=north", "region=islands", "w=1"):
        assert kept in folded
    assert "s=00" in text(run, 1)
    assert "lines on slices pass" not in text(run, 1)


def test_a_test_that_passed_changes_no_verdict():
    found = text(Run(tested=(judged(record(), outcome="passed"),)))
    assert found.endswith("model gates: FAILED (credit REGRESSED)")


def test_one_line_holds_the_cautions_of_a_gate_that_passes():
    allowed = replace(INCONCLUSIVE, on_inconclusive="warn")
    passed = record(
        verdict=Verdict.PASS, reason="2 lines judged", lines=(line(), allowed), notes=("same model",)
    )
    assert text(Run(tested=(judged(passed, outcome="passed"),)), -1).splitlines()[:2] == [
        "credit: pass  2 lines judged, 1 inconclusive, allowed, 1 worse, within tolerance, "
        "1 small slices not judged",
        "  NOTE: same model",
    ]


def test_advice():
    run = Run(tested=(judged(record(), outcome="passed"),), advise=True)
    assert text(run).splitlines()[0] == "ADVICE ONLY: --gate-advise lets no gate fail this run"
    assert text(run).splitlines()[-1] == "model gates: ADVICE ONLY (credit REGRESSED)"
    assert run.passed


def test_a_run_without_gates_says_nothing():
    assert text(Run()) == ""


@pytest.mark.parametrize(
    ("gates", "last"),
    [
        ([("a", "skipped (no GPU)", False)], "model gates: 1 not judged"),
        ([("a", "never ran", True)], "model gates: FAILED (a NOT JUDGED)"),
    ],
)
def test_gates_without_a_verdict(gates, last):
    not_judged = tuple(NotJudged(gate=g, test="t", reason=why, fails=fails) for g, why, fails in gates)
    found = text(Run(not_judged=not_judged)).splitlines()
    assert found[0] == f"a (t): not judged: {gates[0][1]}"
    assert found[-1] == last


def test_assertions_of_one_gate_are_one_block():
    pinned = record(asked="pinned", verdict=Verdict.PASS, reason="pinned", roles=(), lines=())
    asked = record(asked="no_regression(roc_auc)", lines=(REGRESSED,))
    (block,) = combine([pinned, asked])
    assert block.parts == (pinned, asked)
    assert (block.record.verdict, block.record.asked) == (Verdict.REGRESSED, "pinned, no_regression(roc_auc)")
    assert block.record.roles == asked.roles
    assert block.record.lines == (REGRESSED,)
    assert "  asked       pinned, no_regression(roc_auc)" in text(Run(tested=(judged(pinned, asked),)))


OTHER = RoleRecord(role="candidate", source="x", resolved="x", digest="", kind="x")


@pytest.mark.parametrize(
    "changes", [{"gate": "churn"}, {"alpha": 0.01}, {"roles": (OTHER,)}, {"dataset": None}], ids=str
)
def test_what_is_of_another_gate_or_other_data_is_a_block_of_its_own(changes):
    assert len(combine([record(), record(asked="pinned", **changes)])) == 2


def test_two_answers_to_one_question_are_two_blocks():
    assert len(combine([record(), record(lines=())])) == 2


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_gravest_verdict_is_that_of_the_block(order):
    parts = [
        record(asked="pinned", verdict=Verdict.PASS, reason="p"),
        record(asked="schema", verdict=Verdict.INVALID, reason="s"),
        record(asked="gate", verdict=Verdict.INCONCLUSIVE, reason="g"),
    ]
    (block,) = combine([parts[number] for number in order])
    assert (block.record.verdict, block.record.reason) == (Verdict.INVALID, "s")


EVIL = "x\x1b[2J\x1b[32mmodel gates: passed\r\n\u202e\u2066\u200b\ud800\x9b\ttail"


def poisoned():
    """A record that holds the evil text wherever a record holds text of others."""
    finding = Finding(subject=EVIL, problem=EVIL, remedy=EVIL, examples=(EVIL,))
    return record(
        gate=EVIL,
        decision=EVIL,
        reason=EVIL,
        asked=EVIL,
        notes=(EVIL,),
        versions=((EVIL, EVIL),),
        roles=(RoleRecord(role=EVIL, source=EVIL, resolved=EVIL + "y", digest=EVIL, kind=EVIL),),
        checks=(Check(name=EVIL, verdict=Verdict.INVALID, summary=EVIL, findings=(finding,)),),
        lines=(
            line(metric=EVIL, slice=EVIL, tolerance=EVIL + "%", warning=EVIL),
            line(metric=EVIL, slice="b", verdict=Verdict.REGRESSED, reason=EVIL, remedy=EVIL, waiver=""),
            line(metric=EVIL, slice="c", verdict=Verdict.REGRESSED, reason=EVIL, waiver=EVIL),
            line(metric=EVIL, slice="d", verdict=Verdict.INCONCLUSIVE, reason=EVIL, on_inconclusive="warn"),
        ),
        small_slices=(SmallSlice(slice=EVIL, n=1, min_rows=2),),
    )


@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_text_of_others_cannot_act_on_the_terminal(verbosity):
    run = Run(
        tested=(judged(poisoned(), test=EVIL, attempts=2),),
        not_judged=(NotJudged(gate=EVIL, test=EVIL, reason=EVIL, fails=True),),
        problems=(EVIL,),
    )
    for item in render(run, verbosity=verbosity):
        assert item.text.isprintable()
    assert all(part.isprintable() for part in failure_text(poisoned()).split("\n"))


@given(st.text())
@settings(deadline=None, derandomize=True)
def test_escaped_text_is_printable_and_readable(value):
    escaped = plain(value)
    assert escaped.isprintable()
    escaped.encode("utf-8")
    if value.isprintable():
        assert escaped == value
