"""``model-gate schema``: what is inferred holds for its own data, and is never written over anything."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_model_gate.cli import main
from pytest_model_gate.gate.schemas import check_schema, infer_schema
from pytest_model_gate.results import Verdict

ROWS = 400


@pytest.fixture
def loans(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    row = np.arange(ROWS)
    frame = pd.DataFrame(
        {
            "id": row,
            "income": np.where(row % 40 == 0, np.nan, row * 0.5),
            "region": np.where(row % 3 == 0, "north", "on"),
            "note": [f"text {i % 150}" for i in range(ROWS)],
            "default": (row % 4 == 0).astype(int),
            "when": pd.date_range("2026-01-01", periods=ROWS, freq="h"),
            "größe: x": 1e-7 * row,
            "leer": pd.Series([None] * ROWS, dtype="float64"),
            "tags": [["a"]] * ROWS,
        }
    )
    frame.to_parquet("loans.parquet")
    return frame


@pytest.mark.parametrize("text", ["a\nb", "\n", "a\n", "a\r\nb", "\x85", "a\u2028b"])
def test_names_and_levels_with_line_breaks_are_written_in_one_line(tmp_path, monkeypatch, capsys, text):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({text: [text, "other"] * 50}).to_parquet("lines.parquet")
    assert main(["schema", "infer", "lines.parquet", "-o", "lines.yaml"]) == 0
    columns = yaml.safe_load((tmp_path / "lines.yaml").read_text(encoding="utf-8"))["columns"]
    assert columns == {text: {"dtype": "str", "nullable": False, "checks": {"isin": sorted([text, "other"])}}}
    assert main(["schema", "check", "lines.yaml", "lines.parquet"]) == 0
    assert capsys.readouterr().err == ""


INFERRED = """\
# Inferred from loans.parquet (400 rows, sha256:DIGEST).
# These are facts about those rows. Review them: which of them are rules for the next rows?
schema_type: dataframe
columns:
  id:
    # every row has another value; a key moves on, so it has no range
    dtype: int64
    nullable: false
    unique: true
  income:
    # 10 of 400 rows (2.50%) have no value
    dtype: float64
    nullable: true
    checks:
      in_range: {min_value: 0.5, max_value: 199.5}
  region:
    dtype: str
    nullable: false
    checks:
      isin: [north, 'on']
  note:
    # 150 different values: left open
    dtype: str
    nullable: false
  default:
    dtype: int64
    nullable: false
    checks:
      isin: [0, 1]
  when:
    # from 2026-01-01 00:00:00 to 2026-01-17 15:00:00; dates move on, so there is no range: a rule 'fresh' says how old they may be
    dtype: datetime64[us]
    nullable: false
  'größe: x':
    dtype: float64
    nullable: false
    checks:
      in_range: {min_value: 0.0, max_value: 3.99e-05}
  leer:
    # no row has a value: nothing is known
    nullable: true
  tags:
    # values of type ndarray: pandera has no name for that type, so it is left open
    nullable: false
rules:
  # there were 400 rows; half as many are asked for
  - {rule: rows, at_least: 200}
  # 2.5% had no value, and up to a fifth more may
  - {rule: nulls, column: income, at_most: 0.03}
  # the classes of 400 rows; so many of the rows may have another class
  - {rule: balance, column: default, shares: {'0': 0.75, '1': 0.25}, tolerance: 0.05}
"""


@pytest.mark.skipif(pd.__version__ < "3", reason="pandas 2 has another name for text and keeps nanoseconds")
def test_what_is_inferred(loans, capsys):
    assert main(["schema", "infer", "loans.parquet", "--target", "default"]) == 0
    printed = capsys.readouterr().out
    digest = printed.partition("sha256:")[2].partition(")")[0]
    assert printed == INFERRED.replace("DIGEST", digest)
    assert main(["schema", "infer", "loans.parquet", "--target", "default"]) == 0
    assert capsys.readouterr().out == printed


def test_its_own_data_keep_it_and_broken_ones_do_not(loans, capsys):
    assert main(["schema", "infer", "loans.parquet", "--target", "default", "-o", "schema.yaml"]) == 0
    assert capsys.readouterr().out == "schema.yaml was written: review it, and commit it.\n"
    assert main(["schema", "check", "schema.yaml", "loans.parquet"]) == 0
    assert capsys.readouterr().out == "  schema      ok, 9 columns\n  rules       ok, 3 rules\n"

    broken = loans.assign(income=np.where(loans["id"] % 2 == 0, np.nan, loans["income"]), region="nord")
    broken.loc[3, "id"] = 2
    broken.to_parquet("broken.parquet")
    assert main(["schema", "check", "schema.yaml", "broken.parquet"]) == 1
    said = capsys.readouterr().out
    assert "  INVALID schema: 2 problems: id, region\n" in said
    assert (
        "Column 'region' must be one of 'north', 'on'; all 400 rows break it. (e.g. 'nord'; rows 0, 1, 2)"
        in said
    )
    assert "  INVALID rules: 1 of 3 rules broken: income\n" in said
    assert "200 of 400 rows (50.0%) have none, and at most 3% may. (rows 0, 2, 4)" in said

    assert main(["schema", "check", "schema.yaml", "broken.parquet", "--redact"]) == 1
    said = capsys.readouterr().out
    assert "Column 'region' must be one of 'north', 'on'; all 400 rows break it. (rows 0, 1, 2)" in said
    assert "nord'" not in said


def test_a_schema_in_python_is_checked_too(loans, tmp_path, capsys):
    (tmp_path / "loan_schemas_of_a_test.py").write_text(
        "import pandera.pandas as pa\nclass Loans(pa.DataFrameModel):\n    default: int = pa.Field(isin=[0])\n"
    )
    assert main(["schema", "check", "loan_schemas_of_a_test:Loans", "loans.parquet"]) == 1
    assert "Column 'default' must be one of 0; 100 of 400 rows (25.0%) break it." in capsys.readouterr().out


def test_warnings_are_printed_and_pass(loans, tmp_path, capsys):
    (tmp_path / "s.yaml").write_text("rules:\n- {rule: rows, at_least: 500, severity: warn}\n")
    assert main(["schema", "check", "s.yaml", "loans.parquet"]) == 0
    assert capsys.readouterr().out == (
        "  schema      ok, 9 columns\n"
        "  rules       ok, 1 rule; 1 warning\n"
        "  WARNING rules: 1 warning\n"
        "    dataset: The number of rows must be at least 500; there are 400.\n"
        "      next: Check how the dataset was made, or correct the rule.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["infer", "nowhere.csv"], "nowhere.csv does not exist.\n  Relative paths start from <root>."),
        (["infer", "loans.parquet", "-o", "schema.json"], "-o schema.json: a schema is written as YAML.\n  Name a file that ends in .yaml."),
        (["infer", "loans.parquet", "-o", "there.yaml"], "there.yaml exists, and is not overwritten.\n  Name another file, or add --overwrite."),
        (["infer", "loans.parquet", "-o", "no/folder.yaml"], "no/folder.yaml cannot be written: No such file or directory.\n  Name another file."),
        (["infer", "loans.parquet", "--target", "defualt"], "The dataset has no column 'defualt'.\n  Did you mean 'default'?"),
        (["infer", "empty.csv"], "The dataset has no rows, so nothing can be inferred from it.\n  Name reference data."),
        (["check", "there.yaml", "loans.parquet"], "The schema file there.yaml: rule 1 (nulls) lacks column.\n  column is the name of a column."),
        (["check", "absent.yaml", "loans.parquet"], "The schema file absent.yaml does not exist.\n  Relative paths start from <root>."),
    ],
)  # fmt: skip
def test_what_cannot_be_done(loans, tmp_path, capsys, arguments, said):
    (tmp_path / "there.yaml").write_text("rules:\n- {rule: nulls}\n")
    (tmp_path / "empty.csv").write_text("a,b\n")
    assert main(["schema", *arguments]) == 2
    error = capsys.readouterr().err.replace(tmp_path.as_posix(), "<root>")
    assert error == f"model-gate: error: {said}\n"
    assert (tmp_path / "there.yaml").read_text() == "rules:\n- {rule: nulls}\n"


def test_a_file_is_replaced_when_told(loans, tmp_path, capsys):
    (tmp_path / "there.yaml").write_text("old")
    assert main(["schema", "infer", "loans.parquet", "-o", "there.yaml", "--overwrite"]) == 0
    assert (tmp_path / "there.yaml").read_text(encoding="utf-8").startswith("# Inferred from loans.parquet")


# ------------------------------------------------------------------------- for any data whatsoever

n = st.shared(st.integers(1, 130), key="rows")
text = st.text(max_size=12)


def column(values, dtype=None):
    return n.flatmap(lambda rows: st.lists(values, min_size=rows, max_size=rows)).map(
        lambda found: pd.Series(found, dtype=dtype)
    )


COLUMNS = [
    column(st.integers(-(2**63), 2**63 - 1), "int64"),
    column(st.integers(0, 2**64 - 1), "uint64"),
    column(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), "Int64"),
    column(st.floats(width=32), "float32"),
    column(st.one_of(st.none(), st.floats(allow_nan=True)), "float64"),
    column(st.sampled_from([None, 1.0, 2.0]), "float64"),
    column(st.booleans(), "bool"),
    column(st.sampled_from([True, False, None]), object),
    column(st.sampled_from([True, None]), "boolean"),
    column(text.filter(lambda value: value.isascii() or value.isprintable())),
    column(st.one_of(st.none(), text.filter(str.isprintable))),
    column(
        st.sampled_from(
            ["yes", "no", "on", "1", "1e5", "null", "~", "a: b", "#", "", " x ", "2020-01-01", "'", "\n"]
        )
    ),
    column(st.sampled_from(["a", "b", None]), "category"),
    column(st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1))),
    column(st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2030, 1, 1)), "datetime64[ns, UTC]"),
    column(st.dates(), object),
    column(st.decimals(-1000, 1000, places=2), object),
    column(st.none(), object),
    column(st.lists(st.integers(0, 3), max_size=2), object),
    column(st.timedeltas(datetime.timedelta(0), datetime.timedelta(days=1000)), "timedelta64[us]"),
]
names = st.lists(text.filter(lambda name: name.isprintable() and name), min_size=1, max_size=4, unique=True)


@st.composite
def frames(draw):
    return pd.DataFrame({name: draw(st.one_of(*COLUMNS)) for name in draw(names)})


@settings(
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(frames(), st.randoms(use_true_random=False))
def test_any_data_keep_the_schema_that_is_inferred_from_them(tmp_path, frame, random):
    frame.to_parquet(tmp_path / "any.parquet")
    target = random.choice(list(frame.columns))
    inferred = infer_schema("any.parquet", root=str(tmp_path), target=target)
    (tmp_path / "any.yaml").write_text(inferred, encoding="utf-8", newline="\n")
    assert list(yaml.safe_load(inferred)["columns"]) == list(frame.columns)
    for check in check_schema("any.yaml", "any.parquet", root=str(tmp_path)):
        assert check.verdict is Verdict.PASS, check
    # The order of the rows is no fact about them.
    frame.sample(frac=1, random_state=1).reset_index(drop=True).to_parquet(tmp_path / "any.parquet")
    turned = infer_schema("any.parquet", root=str(tmp_path), target=target)
    assert turned.splitlines()[1:] == inferred.splitlines()[1:]


def test_huge_numbers_and_decimals(tmp_path):
    frame = pd.DataFrame({"d": [decimal.Decimal("1.10"), decimal.Decimal(10) ** 25], "y": ["a", "a"]})
    frame.to_parquet(tmp_path / "d.parquet")
    inferred = yaml.safe_load(infer_schema("d.parquet", root=str(tmp_path), target="y"))
    assert inferred["columns"]["d"] == {"nullable": False}
    assert inferred["rules"][-1]["shares"] == {"a": 1.0}
