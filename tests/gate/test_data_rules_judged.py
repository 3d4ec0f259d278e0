"""Every rule says in one sentence what it found, whatever the batches, the order and the types are."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import datetime
import decimal
import math
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data.sources.memory import FrameDataset
from pytest_model_gate.data_rules import read_rules
from pytest_model_gate.errors import InvalidError
from pytest_model_gate.gate.registry import build_registry, open_dataset
from pytest_model_gate.gate.rules import Own, check_rules
from pytest_model_gate.results import Check, Finding, Verdict
from pytest_model_gate.spec import SourceContext

NOW = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)
FIX = "Correct the data where it is made, or the rule if it is wrong."
REGISTRY = build_registry()


def judged(frame, *rules, own=None, root=".", now=NOW):
    opening = partial(open_dataset, REGISTRY, context=SourceContext(root=str(root)))
    return check_rules(read_rules(list(rules)), frame, opening, own=own, now=now)


def problem(frame, **rule):
    """Return the one sentence that a broken rule says, or "" where it holds."""
    found = judged(frame, rule)
    assert len(found.findings) <= 1
    if not found.findings:
        assert (found.verdict, found.summary) == (Verdict.PASS, "ok, 1 rule")
        return ""
    return found.findings[0].problem


def of(**columns):
    return pd.DataFrame(columns)


# ------------------------------------------------------------------------------ what each rule says


def test_a_finding_has_everything_that_a_reader_and_a_program_need():
    frame = of(income=[1.0, None, 3.0, None], region=["a", "b", "x", "x"])
    found = judged(
        frame,
        {"rule": "nulls", "column": "income", "at_most": "10%", "why": "the score is worthless without it."},
        {"rule": "levels", "column": "region", "allowed": ["a", "b"], "severity": "warn"},
        {"rule": "rows", "at_least": 3},
    )
    assert found == Check(
        name="rules",
        verdict=Verdict.INVALID,
        summary="1 of 3 rules broken: income",
        findings=(
            Finding(
                subject="income",
                problem="Column 'income' must have a value in every row; 2 of 4 rows (50.0%) have none, and at most 10% may. Why: the score is worthless without it.",
                remedy=FIX,
                count=2,
                rule="nulls",
                share=0.5,
                rows=(1, 3),
            ),
            Finding(
                subject="region",
                problem="Column 'region' must be one of 'a', 'b'; 2 of 4 rows (50.0%) break it: 1 new level.",
                remedy=FIX,
                count=2,
                examples=("'x' in 2 rows",),
                rule="levels",
                share=0.5,
                rows=(2, 3),
                severity="warn",
            ),
        ),
    )


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"rule": "nulls", "column": "n"}, "Column 'n' must have a value in every row; 1 of 5 rows (20.0%) has none."),
        ({"rule": "nulls", "column": "n", "at_most": 1}, ""),
        ({"rule": "nulls", "column": "n", "at_most": 0.2}, ""),
        ({"rule": "nulls", "column": "none", "at_most": 1.0}, ""),
        ({"rule": "nulls", "column": "none", "at_most": 0.9}, "Column 'none' must have a value in every row; all 5 rows have none, and at most 90% may."),
        ({"rule": "range", "column": "n", "at_least": 2, "at_most": 3}, "Column 'n' must be between 2 and 3; 2 of 5 rows (40.0%) break it."),
        ({"rule": "range", "column": "n", "at_least": 2, "tolerated": "20%"}, ""),
        ({"rule": "range", "column": "when", "at_least": "2026-11-21"}, "Column 'when' must be at least 2026-11-21; 1 of 5 rows (20.0%) breaks it."),
        ({"rule": "range", "column": "when", "at_most": "2026-11-21T00:00:00+01:00"}, "Column 'when' must be at most 2026-11-21T00:00:00+01:00; 4 of 5 rows (80.0%) break it."),
        ({"rule": "range", "column": "none", "at_least": 3}, ""),
        ({"rule": "range", "column": "t", "at_least": 3}, "Column 't' must hold numbers or dates for the rule 'range', got text."),
        ({"rule": "levels", "column": "t", "allowed": ["a", "b", "c"]}, ""),
        ({"rule": "levels", "column": "t", "allowed": ["a"], "tolerated": 1}, "Column 't' must be one of 'a'; 2 of 5 rows (40.0%) break it, and at most 1 may: 2 new levels."),
        ({"rule": "levels", "column": "n", "allowed": [1, 2, 3.0]}, "Column 'n' must be one of 1, 2, 3.0; 1 of 5 rows (20.0%) breaks it: 1 new level."),
        ({"rule": "levels", "column": "n", "allowed": ["1", "2", "3", "4"]}, "Column 'n' must be one of '1', '2', '3', '4'; 4 of 5 rows (80.0%) break it: 4 new levels."),
        ({"rule": "levels", "column": "flag", "allowed": [True]}, "Column 'flag' must be one of True; 2 of 5 rows (40.0%) break it: 1 new level."),
        ({"rule": "levels", "column": "flag", "allowed": [1, 0]}, "Column 'flag' must be one of 1, 0; all 5 rows break it: 2 new levels."),
        ({"rule": "unique", "columns": "t"}, "Column 't' must be unique; 3 of 5 rows (60.0%) repeat each other."),
        ({"rule": "unique", "columns": ["t", "n"]}, ""),
        ({"rule": "unique", "columns": ["t", "flag"]}, "Columns t, flag must be unique together; 2 of 5 rows (40.0%) repeat each other."),
        ({"rule": "rows", "at_least": 6}, "The number of rows must be at least 6; there are 5."),
        ({"rule": "rows", "at_least": 1, "at_most": 4}, "The number of rows must be between 1 and 4; there are 5."),
        ({"rule": "fresh", "column": "when", "within": "1 day"}, ""),
        ({"rule": "fresh", "column": "when", "within": "6 hours"}, "Column 'when' must have a row of the last 6 hours; the newest one is 12 hours old."),
        ({"rule": "fresh", "column": "none", "within": "1 day"}, "Column 'none' must be fresh; no row has a date."),
        ({"rule": "fresh", "column": "n", "within": "1 day"}, "Column 'n' must hold dates or text for the rule 'fresh', got numbers."),
        ({"rule": "fresh", "column": "t", "within": "1 day"}, "Column 't' must hold dates for the rule 'fresh', and all 5 rows of a batch hold none."),
        ({"rule": "duplicates"}, ""),
        ({"rule": "duplicates", "columns": ["t", "flag"]}, "The columns t, flag of a row must not occur twice; 1 of 5 rows (20.0%) repeats an earlier one."),
        ({"rule": "duplicates", "columns": ["t", "flag"], "at_most": 1}, ""),
        ({"rule": "conflicting_labels", "target": "flag", "columns": "t"}, "Column 'flag' must be the same where all features are; 3 of 5 rows (60.0%) have several: 1 group of equal rows."),
        ({"rule": "conflicting_labels"}, "The rule 'conflicting_labels' needs to know the target."),
        ({"rule": "compare", "left": "n", "operator": "<", "right": "m"}, "Column 'n' must be < 'm'; 2 of 5 rows (40.0%) break it."),
        ({"rule": "compare", "left": "n", "operator": "<", "right": "m", "when": {"left": "t", "operator": "==", "value": "c"}}, "Column 'n' must be < 'm' where 't' == 'c'; 1 of 5 rows (20.0%) breaks it."),
        ({"rule": "compare", "left": "n", "operator": "has a value", "when": [{"left": "t", "operator": "in", "value": ["a", "c"]}, {"left": "flag", "operator": "!=", "value": True}]}, "Column 'n' must have a value where 't' in 'a', 'c' and 'flag' != True; 1 of 5 rows (20.0%) breaks it."),
        ({"rule": "compare", "left": "t", "operator": "not in", "value": ["b", "c"], "tolerated": 2}, ""),
        ({"rule": "compare", "left": "none", "operator": "is missing"}, ""),
        ({"rule": "compare", "left": "none", "operator": "<", "right": "n"}, ""),
        ({"rule": "compare", "left": "t", "operator": "<", "right": "n"}, "Column 't' holds text, and the rule 'compare' compares it with numbers."),
        ({"rule": "compare", "left": "when", "operator": ">=", "value": "2026-11-20"}, ""),
        ({"rule": "compare", "left": "when", "operator": ">=", "value": "soon"}, "Column 'when' holds dates, and 'soon' is none."),
        ({"rule": "mean", "column": "n", "at_least": 2, "at_most": 3}, ""),
        ({"rule": "mean", "column": "n", "at_most": 2}, "Column 'n' must have a mean of at most 2; it is 2.5."),
        ({"rule": "mean", "column": "t", "at_most": 2}, "Column 't' must hold numbers for the rule 'mean', got text."),
        ({"rule": "mean", "column": "none", "at_most": 2}, "Column 'none' must have a mean of at most 2; no row has a value."),
        ({"rule": "quantile", "column": "n", "q": "50%", "at_least": 3, "at_most": 4}, "Column 'n' must have a 50% quantile from 3 to 4; it is 2.5."),
        ({"rule": "nulls", "column": "N"}, "Column 'N' must be there for the rule 'nulls'; the dataset has none of that name."),
    ],
)  # fmt: skip
def test_what_each_rule_says(rule, said):
    frame = of(
        n=[1.0, 2.0, 3.0, 4.0, None],
        m=[2.0, 3.0, 3.0, 1.0, 5.0],
        t=["a", "a", "b", "c", "a"],
        flag=[True, False, True, True, False],
        none=[None] * 5,
        when=pd.to_datetime(["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"]),
    )
    assert problem(frame, **rule) == said


def test_a_misspelt_column_suggests_the_nearest():
    (found,) = judged(of(income=[1]), {"rule": "nulls", "column": "incme"}).findings
    assert found.remedy == "Did you mean 'income'?"


def test_new_levels_are_listed_by_how_often_they_come():
    frame = of(region=["a"] * 3 + ["z"] * 2 + ["y"] * 5 + [f"v{i}" for i in range(9)])
    (found,) = judged(frame, {"rule": "levels", "column": "region", "allowed": ["a"]}).findings
    assert (
        found.problem == "Column 'region' must be one of 'a'; 16 of 19 rows (84.2%) break it: 11 new levels."
    )
    assert found.examples == (
        "'y' in 5 rows",
        "'z' in 2 rows",
        "'v0' in 1 row",
        "'v1' in 1 row",
        "'v2' in 1 row",
    )
    assert found.rows == (3, 4, 5)


# --------------------------------------------------------------------------------- class balance


def balance(counts, shares, tolerance, **keys):
    frame = of(y=[label for label, n in counts.items() for _ in range(n)])
    return judged(frame, {"rule": "balance", "column": "y", "shares": shares, "tolerance": tolerance, **keys})


def test_a_balance_that_is_proven_passes():
    assert balance({0: 7790, 1: 2210}, {"0": 0.78, "1": 0.22}, 0.05).findings == ()


def test_a_balance_that_is_broken_says_by_how_much():
    found = balance({0: 7000, 1: 3000}, {"0": 0.78, "1": 0.22}, 0.05)
    assert found.verdict is Verdict.INVALID
    (finding,) = found.findings
    assert finding.problem == (
        "Column 'y' must have the shares 0: 78%, 1: 22% within 5%; they are 0: 70%, 1: 30% in 10,000 rows: "
        "8% of the rows would have to have another class, at least 7.1% (95%). "
        "Exact binomial p = 3.3e-77 for exactly these shares."
    )


@pytest.mark.parametrize(("keys", "verdict"), [({}, Verdict.PASS), ({"on_unclear": "fail"}, Verdict.INVALID)])
def test_a_balance_that_cannot_be_told_is_said(keys, verdict):
    found = balance({"no": 80, "yes": 20}, {"no": 0.75, "yes": 0.25}, 0.05, **keys)
    assert found.verdict is verdict
    (finding,) = found.findings
    assert finding.severity == ("fail" if keys else "warn")
    assert finding.problem == (
        "Column 'y' must have the shares no: 75%, yes: 25% within 5%; they are no: 80%, yes: 20% in 100 rows: "
        "5% of the rows would have to have another class, and 0% to 12.3% are possible (95%): these rows cannot "
        "tell. Exact binomial p = 0.3 for exactly these shares."
    )
    assert (
        finding.remedy == "Take more rows or a wider tolerance, or let the doubt fail: on_unclear = 'fail'."
    )


def test_a_target_of_one_class():
    (finding,) = balance({1.0: 300}, {"0": 0.5, "1": 0.5}, 0.1).findings
    assert "every row has the class '1': 50% of the rows would have to have another class" in finding.problem


def test_a_class_that_nobody_agreed_to():
    (finding,) = balance({"a": 400, "b": 400, "odd": 200}, {"a": 0.5, "b": 0.5}, 0.1).findings
    assert "they are a: 40%, b: 40%, odd: 20% in 1,000 rows: 20% of the rows" in finding.problem
    (finding,) = balance({"a": 400, "odd": 600}, {"a": 0.5, "b": 0.5}, 0.1, redact=True).findings
    assert "they are a: 40%, b: 0%, (another class): 60% in 1,000 rows" in finding.problem
    assert "odd" not in finding.problem


def test_a_target_without_any_class_and_one_that_is_no_class():
    frame = of(y=[None, None], x=np.linspace(0, 1, 2))
    rule = {"rule": "balance", "column": "y", "shares": {"a": 1.0}, "tolerance": 0.1}
    assert problem(frame, **rule) == "Column 'y' must have the shares a: 100% within 10%; no row has a class."
    wide = of(y=np.linspace(0, 1, 5000))
    assert problem(wide, **rule) == (
        "Column 'y' must hold classes for the rule 'balance', and has more than 1,000 different values."
    )


# ----------------------------------------------------------------------------------------- time


@pytest.mark.parametrize(
    ("values", "keys", "said"),
    [
        (["2026-11-24T11:00:00", "2026-11-20T00:00:00"], {}, ""),
        (["2026-11-24T13:30:00"], {}, "Column 'when' must not lie in the future; the only row does."),
        (["2026-11-24T12:30:00"], {"zone": "Europe/Berlin"}, ""),
        (["2026-11-24T12:04:00"], {"ahead": "5 minutes"}, ""),
        (["2026-11-24T13:30:00+02:00", "2026-11-24T01:00:00Z"], {}, ""),
        (["2026-11-24T08:30:00-05:00"], {}, "Column 'when' must not lie in the future; the only row does."),
        (["2200-01-01T00:00:00", "2020-01-01T00:00:00"], {}, "Column 'when' must not lie in the future; 1 of 2 rows (50.0%) does."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["text", "timestamps"])
def test_freshness_knows_time_zones(values, keys, said, kind):
    series = pd.Series(values)
    if kind == "timestamps":
        aware = values[0].endswith("Z") or "+" in values[0] or values[0].count("-") > 2
        series = pd.to_datetime(series, utc=True, format="ISO8601") if aware else pd.to_datetime(series)
    assert problem(of(when=series), rule="fresh", column="when", within="1 day", **keys) == said


def test_freshness_of_dates():
    frame = of(when=[datetime.date(2026, 11, 20), None, datetime.date(2026, 11, 23)])
    assert problem(frame, rule="fresh", column="when", within="2 days") == ""
    assert problem(frame, rule="fresh", column="when", within="1 day") == (
        "Column 'when' must have a row of the last 1 day; the newest one is 1.5 days old."
    )


# ------------------------------------------------------------------------------- types of columns


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([1, 2, 2**53 + 1]),
        pd.Series([1, 2, 2**63 + 5], dtype="uint64"),
        pd.Series([1, 2, None, 2**53 + 1], dtype="Int64"),
        pd.Series([1, 2, 10**30], dtype=object),
        pd.Series([decimal.Decimal(1), None, decimal.Decimal(10**20)]),
        pd.Series([1.0, None, 1e300]),
        pd.Series([1.0, None, math.inf], dtype="double[pyarrow]"),
        pd.Series(pd.Categorical([1, None, 2**53 + 1])),
    ],
    ids=lambda series: str(series.dtype),
)
def test_ranges_of_every_kind_of_number(series):
    frame = series.to_frame("x")
    largest = len(series) - 1
    (found,) = judged(frame, {"rule": "range", "column": "x", "at_most": 2**53}).findings
    assert (found.count, found.rows) == (1, (largest,))
    (found,) = judged(frame, {"rule": "range", "column": "x", "at_most": 2**53 + 0.0}).findings
    assert (found.count, found.rows) == (1, (largest,))
    (found,) = judged(frame, {"rule": "compare", "left": "x", "operator": "<", "value": 2.5}).findings
    assert (found.count, found.rows) == (1, (largest,))


def test_signed_and_unsigned_columns_are_compared_exactly():
    frame = of(a=pd.Series([-1, 2**53 + 1], dtype="int64"), b=pd.Series([2**63, 2**53], dtype="uint64"))
    (found,) = judged(frame, {"rule": "compare", "left": "a", "operator": "<=", "right": "b"}).findings
    assert found.rows == (1,)


def test_naive_and_aware_dates_are_compared_in_utc():
    naive = pd.Series(pd.to_datetime(["2026-01-01 00:00", "2026-01-01 02:00"]))
    aware = pd.Series(pd.to_datetime(["2026-01-01 01:30", "2026-01-01 01:30"])).dt.tz_localize(
        "Europe/Berlin"
    )
    (found,) = judged(
        of(a=naive, b=aware), {"rule": "compare", "left": "a", "operator": "<=", "right": "b"}
    ).findings
    assert found.rows == (1,)


def test_categories_are_compared_as_what_they_are():
    frame = of(c=pd.Categorical(["a", None, "b"]), t=["a", "b", "a"])
    (found,) = judged(frame, {"rule": "compare", "left": "c", "operator": "==", "right": "t"}).findings
    assert (found.rows, found.examples) == ((2,), ("'b' and 'a'",))
    (found,) = judged(frame, {"rule": "levels", "column": "c", "allowed": ["a"]}).findings
    assert found.rows == (2,)


def test_nested_columns():
    frame = of(tags=[["a"], ["a"], np.array(["b"])], s=[{"k": 1, "l": 2}, {"l": 2, "k": 1}, None])
    assert (
        problem(frame, rule="duplicates")
        == "A row must not occur twice; 1 of 3 rows (33.3%) repeats an earlier one."
    )
    assert problem(frame, rule="unique", columns="s") == (
        "Column 's' must be unique; 2 of 3 rows (66.7%) repeat each other."
    )
    assert problem(frame, rule="range", column="tags", at_least=0) == (
        "Column 'tags' must hold numbers or dates for the rule 'range', got values of type list, ndarray."
    )


def test_equal_texts_of_different_types_are_no_duplicates():
    frame = of(x=pd.Series([1, "1", "True", True, "a", "a"], dtype=object))
    (found,) = judged(frame, {"rule": "duplicates"}).findings
    assert found.rows == (5,)


def test_infinite_numbers_have_no_mean_and_no_quantile():
    frame = of(x=[1.0, math.inf, -math.inf])
    for rule in ({"rule": "mean"}, {"rule": "quantile", "q": 0.5}):
        assert problem(frame, column="x", at_least=0, **rule).endswith("; some values are infinite.")


def test_conflicting_labels_need_features_that_are_there():
    frame = of(y=[0, 1], ident=[1, 2])
    rule = {"rule": "conflicting_labels", "target": "y"}
    assert problem(frame, **rule, without="ident") == (
        "The rule 'conflicting_labels' has no feature to compare rows by."
    )
    assert problem(frame, **rule, without="idnet") == (
        "Column 'idnet' is left out by the rule 'conflicting_labels', and the dataset has none of that name."
    )


@pytest.mark.parametrize(
    "dtype", ["datetime64[s]", "datetime64[ns]", "timestamp[us][pyarrow]", "date32[pyarrow]"]
)
def test_freshness_of_every_kind_of_timestamp(dtype):
    series = pd.Series(pd.to_datetime(["2026-11-20", None, "2026-11-24"])).astype(dtype)
    assert problem(of(when=series), rule="fresh", column="when", within="1 day") == ""
    assert problem(of(when=series), rule="range", column="when", at_least="2026-11-21") == (
        "Column 'when' must be at least 2026-11-21; 1 of 3 rows (33.3%) breaks it."
    )


@pytest.mark.parametrize("dtype", ["str", "string", "string[pyarrow]", object, "category"])
def test_every_kind_of_text(dtype):
    frame = of(t=pd.Series(["a", None, "b", "a"], dtype=dtype), y=[0, 1, 0, 1])
    rules = [
        {"rule": "levels", "column": "t", "allowed": ["a"]},
        {"rule": "nulls", "column": "t"},
        {"rule": "unique", "columns": "t"},
        {"rule": "duplicates", "columns": "t"},
        {"rule": "conflicting_labels", "target": "y"},
        {"rule": "compare", "left": "t", "operator": "==", "value": "a"},
        {"rule": "fresh", "column": "t", "within": "1 day"},
    ]
    found = judged(frame, *rules).findings
    assert [finding.rows for finding in found] == [(2,), (1,), (0, 3), (3,), (0, 3), (2,), ()]


def test_names_in_other_scripts_and_with_control_characters():
    frame = pd.DataFrame({"größe 尺寸": [1.0, None], "a\x1b[31m": [1, 1]})
    assert problem(frame, rule="nulls", column="größe 尺寸") == (
        "Column 'größe 尺寸' must have a value in every row; 1 of 2 rows (50.0%) has none."
    )
    assert problem(frame, rule="unique", columns="a\x1b[31m") == (
        "Column 'a\\x1b[31m' must be unique; all 2 rows repeat each other."
    )


def test_two_columns_of_one_name():
    with pytest.raises(InvalidError) as error:
        judged(pd.DataFrame([[1, 2]], columns=["a", "a"]), {"rule": "rows", "at_least": 1})
    assert str(error.value) == (
        "The frame has more than one column named 'a'.\n  Rename or remove the duplicates: a gate names columns."
    )


def test_no_rows_are_no_pass():
    found = judged(of(x=[1]).iloc[:0], {"rule": "nulls", "column": "x"})
    assert (found.verdict, found.summary) == (Verdict.INVALID, "no rows")
    assert found.findings[0].problem == "The dataset has no rows, so no rule about values could be checked."


def test_a_rule_that_cannot_run_is_no_pass_and_hides_no_other():
    class Odd:
        def __str__(self):
            raise RuntimeError("inside\nsecret")

    frame = of(x=[Odd(), Odd()], y=[1, None])
    rules = [
        {"rule": "levels", "column": "x", "allowed": ["a"]},
        {"rule": "nulls", "column": "y", "severity": "warn"},
    ]
    found = judged(frame, *rules)
    assert (found.verdict, found.summary) == (Verdict.ERROR, "1 of 2 rules not checked: x")
    assert [finding.rule for finding in found.findings] == ["levels", "nulls"]
    assert found.findings[0].problem == ("The rule 'levels' could not be checked: RuntimeError: inside.")
    assert judged(frame, {**rules[0], "severity": "warn"}).verdict is Verdict.PASS


# ------------------------------------------------------------------- redaction, references, the gate's own


def test_redacted_rules_show_no_value_and_keep_the_rows():
    frame = of(name=["Ada", "Bob", "Ada"], when=pd.to_datetime(["2020-01-01"] * 3))
    rules = [
        {"rule": "unique", "columns": "name"},
        {"rule": "levels", "column": "name", "allowed": ["Bob"]},
        {"rule": "fresh", "column": "when", "within": "1 day"},
        {"rule": "compare", "left": "name", "operator": "!=", "value": "Ada"},
    ]
    for found in (
        judged(frame, *rules, own=Own(redact=True)),
        judged(frame, *({**rule, "redact": True} for rule in rules)),
    ):
        assert [finding.examples for finding in found.findings] == [()] * 4
        assert [finding.rows for finding in found.findings] == [(0, 2), (0, 2), (), (0, 2)]
        assert [finding.count for finding in found.findings] == [2, 2, None, 2]
    assert judged(frame, rules[0]).findings[0].examples == ("'Ada'",)


def test_references(tmp_path):
    (tmp_path / "countries.csv").write_text("code,name\nDE,Germany\nFR,France\n", encoding="utf-8")
    frame = of(country=["DE", "FR", None, "XX", "DE"])
    rule = {"rule": "refers", "column": "country", "to": "countries.csv", "key": "code"}
    (found,) = judged(frame, rule, root=tmp_path).findings
    digest = found.problem.partition("(sha256:")[2].partition(")")[0]
    assert found.problem == (
        f"Column 'country' must refer to a 'code' of countries.csv (sha256:{digest}); 1 of 5 rows (20.0%) breaks it."
    )
    assert (found.examples, found.rows) == (("'XX'",), (3,))
    passed = judged(frame.iloc[:3], rule, root=tmp_path)
    assert passed.verdict is Verdict.PASS
    assert passed.summary.startswith("ok, 1 rule; refers to ")
    assert passed.summary.endswith(f"countries.csv (sha256:{digest})")


@pytest.mark.parametrize(
    ("rule", "said", "remedy"),
    [
        ({"to": "nowhere.csv"}, "The rule 'refers' could not be checked: nowhere.csv does not exist.", "Relative paths start from <root>."),
        ({"to": "countries.csv"}, "The rule 'refers' could not be checked: countries.csv has no column 'country'.", "Its columns: code, name."),
        ({"to": "countries.csv", "key": "name", "column": "n"}, "Column 'n' holds whole numbers, and what it refers to holds text.", "Give both columns one type."),
    ],
)  # fmt: skip
def test_references_that_cannot_be_followed(tmp_path, rule, said, remedy):
    (tmp_path / "countries.csv").write_text("code,name\nDE,Germany\n", encoding="utf-8")
    found = judged(of(country=["DE"], n=[3]), {"rule": "refers", "column": "country", **rule}, root=tmp_path)
    assert found.verdict is (Verdict.INVALID if "holds" in said else Verdict.ERROR)
    (finding,) = found.findings
    assert (finding.problem, finding.remedy.replace(tmp_path.as_posix(), "<root>")) == (said, remedy)


def test_the_gates_own_columns_are_no_features():
    frame = of(id=[1, 2, 3], x=[5, 5, 6], y=[0, 1, 1])
    rule = {"rule": "conflicting_labels"}
    assert judged(frame, rule, own=Own(target="y")).findings == ()
    (found,) = judged(frame, rule, own=Own(target="y", apart=("id",))).findings
    assert (found.count, found.rows) == (2, (0, 1))
    assert problem(frame, rule="conflicting_labels", target="y", without="id") != ""


# ------------------------------------------------------------------- batches and order do not matter

RULES = (
    {"rule": "nulls", "column": "x", "at_most": 0.1},
    {"rule": "range", "column": "x", "at_least": 0, "at_most": 2},
    {"rule": "levels", "column": "t", "allowed": ["a", "b"]},
    {"rule": "unique", "columns": ["x", "t"]},
    {"rule": "balance", "column": "y", "shares": {"0": 0.5, "1": 0.5}, "tolerance": 0.01},
    {"rule": "duplicates", "at_most": 1},
    {"rule": "conflicting_labels", "target": "y"},
    {"rule": "compare", "left": "x", "operator": ">", "right": "z"},
    {"rule": "mean", "column": "z", "at_least": 100},
    {"rule": "quantile", "column": "z", "q": 0.3, "at_least": 100},
)

rows = st.lists(
    st.tuples(
        st.one_of(st.none(), st.sampled_from([-1.0, 0.0, -0.0, 1.0, 2.0, 3.0])),
        st.sampled_from(["a", "b", "c", "ß", ""]),
        st.integers(0, 1),
        st.floats(-5, 5, allow_subnormal=False),
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(rows, st.integers(1, 9), st.randoms(use_true_random=False))
def test_batches_and_order_change_no_digit(rows, size, random):
    frame = pd.DataFrame(rows, columns=["x", "t", "y", "z"]).astype({"x": "float64", "z": "float64"})
    whole = judged(frame, *RULES)
    bytes_per_row = frame.memory_usage(index=False).sum() / len(frame)
    columns = tuple((name, str(frame[name].dtype)) for name in frame.columns)
    dataset = FrameDataset("f", "f", "sha256:0", frame, columns, batch_bytes=int(bytes_per_row * size + 1))
    assert len(list(dataset.batches())) >= len(frame) // (size + 1)
    assert judged(dataset, *RULES) == whole
    order = list(range(len(frame)))
    random.shuffle(order)
    turned = judged(frame.iloc[order].reset_index(drop=True), *RULES)
    assert [(f.problem, f.count, f.severity) for f in turned.findings] == [
        (f.problem, f.count, f.severity) for f in whole.findings
    ]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(rows)
def test_repeats_are_those_of_python(rows):
    frame = pd.DataFrame(rows, columns=["x", "t", "y", "z"]).astype({"x": "float64", "z": "float64"})
    # -0.0 and 0.0 are equal, and so is one missing value to another.
    seen = [(None if x is None else x + 0.0, t, y, z + 0.0) for x, t, y, z in rows]
    again = len(seen) - len(set(seen))
    found = judged(frame, {"rule": "duplicates"}).findings
    assert (found[0].count if found else 0) == again
    labels: dict[object, set[int]] = {}
    for x, t, y, z in seen:
        labels.setdefault((x, t, z), set()).add(y)
    conflicting = sum(len(labels[x, t, z]) > 1 for x, t, _, z in seen)
    found = judged(frame, {"rule": "conflicting_labels", "target": "y"}).findings
    assert (found[0].count if found else 0) == conflicting
