"""Conditions over n, o and d: what can be written, what it means, and what measured rows say to it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.stats.conditions.answer import Answer, Counts, accepts, answer
from pytest_model_gate.stats.conditions.grammar import Clause, Condition, parse

EXAMPLE = "Write for example 'n - o > 0.02 +/- 0.01 /\\ d < 0.1 +/- 0.01'."


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("n > 0.8 +/- 0.05", "n > 0.8 +/- 0.05"),
        ("n-o>0.02+/-0.01", "n - o > 0.02 +/- 0.01"),
        (
            "n - 1.1 * o > 0.01 +/- 0.01 /\\ d < 0.1 +/- 0.01",
            "n - 1.1 * o > 0.01 +/- 0.01 /\\ d < 0.1 +/- 0.01",
        ),
        ("n - o * 1.1 > -0.01 ± .01", "n - 1.1 * o > -0.01 +/- 0.01"),
        ("d < 0.1 +/- 0.01 and n > 1. +/- 0.1", "d < 0.1 +/- 0.01 /\\ n > 1 +/- 0.1"),
        ("-o + n - 2 * d * 0.5 > +0.1 +/- 0.1", "n - o - d > 0.1 +/- 0.1"),
        ("n + n - o > 0.1 +/- 0.1", "2 * n - o > 0.1 +/- 0.1"),
    ],
)
def test_what_can_be_written(text: str, read: str) -> None:
    assert str(parse(text)) == read
    assert parse(read) == parse(text)


def test_numbers_are_exact() -> None:
    (clause,) = parse("n - 1.1 * o > 0.01 +/- 0.005").clauses

    assert clause.weights == (1, Fraction(-11, 10), 0)
    assert (clause.constant, clause.tolerance) == (Fraction(1, 100), Fraction(1, 200))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "each clause needs one > or <, and one tolerance behind +/-"),
        ("n > 0.1", "each clause needs one > or <, and one tolerance behind +/-"),
        ("n > 0.1 +/- 0.1 /\\", "each clause needs one > or <, and one tolerance behind +/-"),
        ("0.1 < n < 0.2 +/- 0.1", "each clause needs one > or <, and one tolerance behind +/-"),
        ("n +/- 0.1 > 0.2", "the tolerance +/- stands behind the constant"),
        ("f1 > 0.8 +/- 0.05", "there is no variable 'f1', only n, o and d"),
        ("n > 0.8 +/- 0.05 or d < 0.1 +/- 0.1", "there is no variable 'or', only n, o and d"),
        ("n / o > 1 +/- 0.1", "'/ o > 1 +/- 0.1' is no part of the language"),
        ("(n - o) > 0.1 +/- 1", "'(n - o) > 0.1 +/- 1' is no part of the language"),
        ("n * o > 0.1 +/- 0.1", "'n * o' is no variable and no variable times a number"),
        ("n o > 0.1 +/- 0.1", "'n o' is no variable and no variable times a number"),
        ("n - > 0.1 +/- 0.1", "'' is no variable and no variable times a number"),
        ("n - 0.1 > 0.1 +/- 0.1", "'0.1' is no variable and no variable times a number"),
        ("n > o +/- 0.1", "one number is needed behind >, got 'o'"),
        ("n > 0.1 +/-", "one number is needed behind +/-, got 'nothing'"),
        ("n > 0.1 +/- 0", "a tolerance has to be above 0: no number of rows knows a value exactly"),
        ("n - n > 0.1 +/- 0.1", "the left side is 0 whatever is measured"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text)

    assert str(caught.value) == f"The condition '{text}' cannot be read: {why}.\n  {EXAMPLE}"


@settings(deadline=None, derandomize=True)
@given(
    clauses=st.lists(
        st.builds(
            Clause,
            st.tuples(*[st.decimals(-3, 3, places=3).map(Fraction)] * 3).filter(any),
            st.sampled_from(["<", ">"]),
            st.decimals(-3, 3, places=3).map(Fraction),
            st.decimals("0.001", 3, places=3).map(Fraction),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_what_is_printed_reads_the_same(clauses: list[Clause]) -> None:
    condition = Condition(tuple(clauses))

    assert parse(str(condition)) == condition


# -- three answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        (88, Answer.FALSE),
        (89, Answer.UNKNOWN),  # exactly constant minus tolerance
        (90, Answer.UNKNOWN),
        (91, Answer.UNKNOWN),  # exactly constant plus tolerance
        (92, Answer.TRUE),
    ],
)
def test_a_clause_has_three_answers_and_the_ends_are_unknown(right: int, expected: Answer) -> None:
    counts = Counts(rows=100, new=right, old=0, changed=0)

    assert answer(parse("n > 0.9 +/- 0.01"), counts) is expected
    assert answer(parse("-n < -0.9 +/- 0.01"), counts) is expected
    opposite = {Answer.TRUE: Answer.FALSE, Answer.FALSE: Answer.TRUE}.get(expected, expected)
    assert answer(parse("n < 0.9 +/- 0.01"), counts) is opposite


@pytest.mark.parametrize(
    ("new", "changed", "expected"),
    [
        (95, 5, Answer.TRUE),
        (95, 10, Answer.UNKNOWN),
        (90, 5, Answer.UNKNOWN),
        (90, 10, Answer.UNKNOWN),
        (85, 5, Answer.FALSE),
        (85, 10, Answer.FALSE),  # one false clause is enough
        (95, 15, Answer.FALSE),
    ],
)
def test_all_clauses_have_to_hold(new: int, changed: int, expected: Answer) -> None:
    counts = Counts(rows=100, new=new, old=80, changed=changed)

    assert answer(parse("n > 0.9 +/- 0.02 /\\ d < 0.1 +/- 0.02"), counts) is expected


def test_changed_predictions_may_be_counted_on_other_rows() -> None:
    counts = Counts(rows=100, new=90, old=90, changed=50, changed_of=1_000)

    assert answer(parse("d < 0.1 +/- 0.02"), counts) is Answer.TRUE


def test_too_few_rows_and_too_many_changes_leave_it_unknown() -> None:
    condition, counts = parse("n > 0.5 +/- 0.1"), Counts(rows=100, new=100, old=90, changed=10)

    assert answer(condition, counts, rows_needed=100) is Answer.TRUE
    assert answer(condition, counts, rows_needed=101) is Answer.UNKNOWN
    assert answer(condition, counts, changed_below=0.11) is Answer.TRUE
    assert answer(condition, counts, changed_below=0.1) is Answer.UNKNOWN
    assert answer(condition, Counts(rows=0, new=0, old=0, changed=0)) is Answer.UNKNOWN


def test_a_mode_decides_what_unknown_counts_as() -> None:
    assert [accepts(found, "fp-free") for found in Answer] == [True, False, False]
    assert [accepts(found, "fn-free") for found in Answer] == [True, False, True]
