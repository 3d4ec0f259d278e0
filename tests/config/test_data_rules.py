"""Rules are read the same from a marker, TOML and schema files; whatever makes no sense is said."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import datetime
import math

import pytest

from pytest_model_gate.config.tables import GateTable, read_table
from pytest_model_gate.data_rules import COMMON, KINDS, read_rules
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.spec import DataRule


def test_a_rule_has_the_defaults_of_its_kind():
    (rule,) = read_rules({"rule": "nulls", "column": "income", "at_most": "2%", "why": "it is the score"})
    assert rule == DataRule(
        rule="nulls", options={"column": "income", "at_most": 0.02}, severity="fail", why="it is the score"
    )


def test_values_are_read_as_what_they_are():
    fresh, balance, spread, unique = read_rules(
        [
            {"rule": "fresh", "column": "when", "within": "1.5 weeks", "ahead": "5 minutes"},
            {"rule": "balance", "column": "y", "shares": {0: 0.78, True: "22%"}, "tolerance": "5%"},
            {"rule": "range", "column": "day", "at_least": datetime.date(2026, 1, 31)},
            {"rule": "unique", "columns": "id", "tolerated": 3, "severity": "warn", "redact": True},
        ]
    )
    assert (fresh.options["within"], fresh.options["ahead"], fresh.options["zone"]) == (907_200, 300, "UTC")
    assert balance.options["shares"] == {"0": pytest.approx(0.78), "true": pytest.approx(0.22)}
    assert (balance.options["tolerance"], balance.options["on_unclear"]) == (0.05, "warn")
    assert spread.options["at_least"] == "2026-01-31"
    assert (unique.options["columns"], unique.options["tolerated"]) == (("id",), 3)
    assert (unique.severity, unique.redact) == ("warn", True)


def test_bounds_with_and_without_time_zones_are_left_to_the_column():
    for low, high in (
        ("2026-01-02T00:00:00+02:00", "2026-01-01T23:00:00"),
        ("2026-01-01", "2026-01-01T05:00"),
    ):
        read_rules({"rule": "range", "column": "x", "at_least": low, "at_most": high})
    with pytest.raises(ConfigurationError, match="no more than"):
        read_rules({"rule": "range", "column": "x", "at_least": "2026-01-02", "at_most": "2026-01-01T05:00"})


def test_shares_that_are_rounded_are_scaled():
    (rule,) = read_rules(
        {"rule": "balance", "column": "y", "tolerance": 0.1, "shares": dict.fromkeys("abc", 0.333)}
    )
    assert math.fsum(rule.options["shares"].values()) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    ("raw", "what", "remedy"),
    [
        ("nulls", "rules must be a list of tables, got 'nulls'.", "Write rules = [{ rule = 'nulls', column = 'income', at_most = 0.02 }]."),
        ([3], "rule 1 must be a table with the key 'rule', got 3.", f"Known: {', '.join(KINDS)}."),
        ([{"column": "x"}], "rule 1 must be a table with the key 'rule', got {'column': 'x'}.", f"Known: {', '.join(KINDS)}."),
        ([{"rule": "rows", "at_least": 1}, {"rule": "nuls"}], "rule 2 is of an unknown kind 'nuls'.", "Did you mean 'nulls'?"),
        ([{"rule": ["nulls"]}], "rule 1 is of an unknown kind ['nulls'].", "Did you mean 'nulls'?"),
        ([{"rule": "nulls", "colum": "x"}], "rule 1 (nulls) has an unknown key 'colum'.", "Did you mean 'column'?"),
        ([{"rule": "nulls", "at_most": 1}], "rule 1 (nulls) lacks column.", "column is the name of a column."),
        ([{"rule": "nulls", "column": "x", "at_most": 1.5}], "rule 1 (nulls): at_most must be a number of rows, a share such as 0.02, or a percentage such as '2%', got 1.5.", ""),
        ([{"rule": "nulls", "column": "x", "at_most": True}], "rule 1 (nulls): at_most must be a number of rows, a share such as 0.02, or a percentage such as '2%', got True.", ""),
        ([{"rule": "nulls", "column": "x", "severity": "loud"}], "rule 1 (nulls): severity must be 'fail' or 'warn', got 'loud'.", ""),
        ([{"rule": "range", "column": "x"}], "rule 1 (range) has no bound.", "Give it at_least, at_most or both."),
        ([{"rule": "range", "column": "x", "at_least": 3, "at_most": 2}], "rule 1 (range): at_least = 3 must be no more than at_most = 2.", "Swap or correct them."),
        ([{"rule": "range", "column": "x", "at_least": 3, "at_most": "2026-01-01"}], "rule 1 (range): at_least = 3 must be no more than at_most = '2026-01-01'.", "Swap or correct them."),
        ([{"rule": "range", "column": "x", "at_least": "soon"}], "rule 1 (range): at_least must be a number or an ISO date, got 'soon'.", ""),
        ([{"rule": "range", "column": "x", "at_least": math.nan}], "rule 1 (range): at_least must be a number or an ISO date, got nan.", ""),
        ([{"rule": "levels", "column": "x", "allowed": []}], "rule 1 (levels): allowed must be a list of texts, numbers, true or false, got [].", ""),
        ([{"rule": "fresh", "column": "x", "within": "a week"}], "rule 1 (fresh): within must be a duration such as '7 days' or '36 hours', got 'a week'.", ""),
        ([{"rule": "fresh", "column": "x", "within": "1 day", "zone": "Mars/Base"}], "rule 1 (fresh): zone must be a time zone such as 'Europe/Berlin', got 'Mars/Base'.", ""),
        ([{"rule": "balance", "column": "x", "tolerance": 0.1, "shares": {"a": 0.5, "b": 0.4}}], "rule 1 (balance): shares must be a table of shares that add up to 1, such as { 0 = 0.78, 1 = 0.22 }, got {'a': 0.5, 'b': 0.4}.", ""),
        ([{"rule": "compare", "left": "a", "operator": "~", "right": "b"}], "rule 1 (compare): operator must be one of '==', '!=', '<', '<=', '>', '>=', 'in', 'not in', 'has a value', 'is missing', got '~'.", ""),
        ([{"rule": "compare", "left": "a", "operator": "<"}], "rule 1 (compare) needs either right (a column) or value.", "Operators: '==', '!=', '<', '<=', '>', '>=', 'in', 'not in', 'has a value', 'is missing'."),
        ([{"rule": "compare", "left": "a", "operator": "in", "value": 3}], "rule 1 (compare) needs a list as value with the operator 'in'.", "Operators: '==', '!=', '<', '<=', '>', '>=', 'in', 'not in', 'has a value', 'is missing'."),
        ([{"rule": "compare", "left": "a", "operator": "is missing", "value": 3}], "rule 1 (compare) takes no value with the operator 'is missing'.", "Operators: '==', '!=', '<', '<=', '>', '>=', 'in', 'not in', 'has a value', 'is missing'."),
        ([{"rule": "compare", "left": "a", "operator": "is missing", "when": {"left": "b"}}], "rule 1 (compare): when must be a table such as { left = 'status', operator = '==', value = 'closed' }, or a list of them, got {'left': 'b'}.", ""),
        ([{"rule": "conflicting_labels", "columns": "a", "without": "b"}], "rule 1 (conflicting_labels) has both columns and without.", "Keep one of them."),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(raw, what, remedy):
    with pytest.raises(ConfigurationError) as error:
        read_rules(raw)
    assert (error.value.what, error.value.remedy) == (what, remedy)


def test_a_gate_says_where_the_rule_stands():
    table = read_table(GateTable, {"rules": ({"rule": "rows", "at_least": 5},)}, "marker")
    assert table == {"rules": (DataRule(rule="rows", options={"at_least": 5, "at_most": None}),)}
    with pytest.raises(ConfigurationError) as error:
        read_table(GateTable, {"rules": [{"rule": "row", "at_least": 5}]}, "pyproject.toml: [gates.credit]")
    assert str(error.value) == (
        "pyproject.toml: [gates.credit]: rules: rule 1 is of an unknown kind 'row' (Did you mean 'rows'?)."
    )


def test_every_key_says_what_it_must_be():
    keys = [key for kind in KINDS.values() for key in kind.values()] + list(COMMON.values())
    assert all(key.must for key in keys)
    # What is written into a message as a default can be written into a file, too.
    for kind in KINDS.values():
        for name, key in kind.items():
            if key.default is not None and not key.required and name != "ahead":
                assert key.read(key.default) == key.default
