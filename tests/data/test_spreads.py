"""The file of spreads: written in one way, read back, merged cautiously, and refused where it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_model_gate.data.spreads import NAME, Spread, read_spreads, save_spreads
from pytest_model_gate.errors import ConfigurationError, UnavailableError

ONE = Spread(
    gate="credit", metric="roc_auc", slice="all", rows=2_000, all_rows=2_000, spread=0.1834567, value=0.9
)
SLICE = Spread(
    gate="credit", metric="roc_auc", slice='region="no\\rth"', rows=500, all_rows=2_000, spread=0.2, value=0.8
)
OTHER = Spread(gate="a", metric="mae", slice="all", rows=10, all_rows=10, spread=1234567.0, value=-0.5)

TEXT = """\
# Written by `model-gate plan --save`: how far gains were spread in a pilot. Commit it. No verdict needs it.
version = 1

[[spreads]]
gate = "credit"
metric = "roc_auc"
slice = "all"
rows = 2000
all_rows = 2000
spread = 0.183
value = 0.9
"""


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / NAME


def test_it_is_written_in_one_way(path) -> None:
    save_spreads(path, [ONE], gates=["credit"])
    assert path.read_text(encoding="utf-8") == TEXT

    save_spreads(path, [ONE], gates=["credit"])
    assert path.read_text(encoding="utf-8") == TEXT


def test_it_is_read_back_sorted_with_three_digits(path) -> None:
    save_spreads(path, [SLICE, ONE, OTHER], gates=["credit", "a"])

    assert [(spread.gate, spread.slice, spread.spread) for spread in read_spreads(path)] == [
        ("a", "all", 1_230_000.0),
        ("credit", "all", 0.183),
        ("credit", 'region="no\\rth"', 0.2),
    ]
    assert read_spreads(path)[0].value == -0.5


def test_saving_a_gate_replaces_what_was_known_of_it_alone(path) -> None:
    save_spreads(path, [SLICE, ONE, OTHER], gates=["credit", "a"])
    save_spreads(path, [ONE], gates=["credit"])

    assert [spread.line for spread in read_spreads(path)] == [OTHER.line, ONE.line]


def test_where_there_is_no_file_nothing_is_known(path) -> None:
    assert read_spreads(path) == ()


def test_of_two_tables_of_one_line_the_larger_spread_counts(path) -> None:
    table = TEXT.partition("\n\n")[2]
    path.write_text(TEXT + "\n" + table.replace("0.183", "0.25") + "\n" + table.replace("0.183", "0.1"))

    (found,) = read_spreads(path)
    assert found.spread == 0.25


REMEDY = "\n  Run `model-gate plan --save` again, or delete the file: no verdict needs it."


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<<<<<<< HEAD\n" + TEXT, "cannot be read: Invalid statement (at line 1, column 1)."),
        ("", "has version None; 1 was needed."),
        (TEXT.replace("version = 1", "version = 2"), "has version 2; 1 was needed."),
        (
            TEXT.replace("value = 0.9\n", ""),
            "has a table of spreads with other keys than gate, metric, slice, rows, all_rows, spread, value.",
        ),
        (TEXT.replace("rows = 2000", 'rows = "many"', 1), "has 'many' as rows."),
        (TEXT.replace("spread = 0.183", "spread = true"), "has True as spread."),
        (TEXT.replace("0.183", "-1.0"), "has impossible numbers for roc_auc of gate credit."),
        (TEXT.replace("0.183", "nan"), "has impossible numbers for roc_auc of gate credit."),
        (
            TEXT.replace("all_rows = 2000", "all_rows = 1"),
            "has impossible numbers for roc_auc of gate credit.",
        ),
    ],
)
def test_a_damaged_file_is_said(path, text: str, problem: str) -> None:
    path.write_text(text)

    with pytest.raises(ConfigurationError) as caught:
        read_spreads(path)
    assert str(caught.value) == f"{NAME} {problem}{REMEDY}"


def test_a_folder_that_is_not_there_is_said(tmp_path) -> None:
    path = tmp_path / "nowhere" / NAME

    with pytest.raises(UnavailableError) as caught:
        save_spreads(path, [ONE], gates=["credit"])
    assert str(caught.value) == (
        f"{path.as_posix()} cannot be written: No such file or directory.\n"
        "  Check the folder and its permissions."
    )
