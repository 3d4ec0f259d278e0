"""A schema check says every broken rule in words, with exact counts, and never passes by accident."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import json
import sys
import warnings

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from pytest_model_gate.data.schemas.schema import validate
from pytest_model_gate.data.sources.local import find
from pytest_model_gate.data.sources.parquet import ParquetDataset
from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    ModelGateError,
    UnavailableError,
)
from pytest_model_gate.results import Check, Finding, Verdict
from pytest_model_gate.spec import SourceContext

FIX = "Correct the data where it is made, or the schema if the rule is wrong."


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Validate a frame (or a dataset) against a schema object that a module of the project holds."""

    def run(schema, data):
        module = type(sys)("schema_of_a_test")
        module.Holdout = schema
        monkeypatch.setitem(sys.modules, "schema_of_a_test", module)
        return validate("schema_of_a_test:Holdout", data, SourceContext(root=str(tmp_path)))

    return run


def of(**columns):
    return pa.DataFrameSchema(columns)


GOOD = pd.DataFrame({"age": [41, 37, 29, 55], "region": ["north", "south", "north", "east"]})


def test_good_data_pass(check):
    schema = of(age=pa.Column(int, pa.Check.in_range(0, 120)), region=pa.Column(str))
    assert check(schema, GOOD) == Check(name="schema", verdict=Verdict.PASS, summary="ok, 2 columns")


def test_a_model_is_a_schema(check):
    class Holdout(pa.DataFrameModel):
        age: int = pa.Field(ge=30)
        region: str = pa.Field(isin=["north", "south", "east"])

    found = check(Holdout, GOOD)
    assert (found.verdict, found.summary) == (Verdict.INVALID, "1 problem: age")
    assert found.findings == (
        Finding(
            subject="age",
            problem="Column 'age' must be at least 30; 1 of 4 rows (25.0%) breaks it.",
            remedy=FIX,
            count=1,
            examples=("29",),
            rule="greater_than_or_equal_to",
            share=0.25,
            rows=(2,),
        ),
    )


@pytest.mark.parametrize(
    ("schema", "problem", "count", "examples"),
    [
        (of(income=pa.Column(float)), "Column 'income' must be there; the dataset has none of that name.", None, ()),
        (of(age=pa.Column(str)), "Column 'age' must have the type string, got int64.", None, ()),
        (of(region=pa.Column(float)), "Column 'region' must have the type float64, got TEXT.", None, ()),
        (of(region=pa.Column("category")), "Column 'region' must have the type category, got TEXT.", None, ()),
        (of(age=pa.Column(unique=True)), "Column 'age' must be unique; 2 of 5 rows (40.0%) repeat each other.", 2, ("29.0",)),
        (of(age=pa.Column(float)), "Column 'age' must have a value in every row; 1 of 5 rows (20.0%) has none.", 1, ()),
        (of(region=pa.Column()), "Column 'region' must have a value in every row; 2 of 5 rows (40.0%) have none.", 2, ()),
        (of(age=pa.Column(float, pa.Check.gt(29), nullable=True)), "Column 'age' must be more than 29; 2 of 5 rows (40.0%) break it.", 2, ("29.0",)),
        (of(age=pa.Column(float, pa.Check.lt(41), nullable=True)), "Column 'age' must be less than 41; 1 of 5 rows (20.0%) breaks it.", 1, ("41.0",)),
        (of(age=pa.Column(float, pa.Check.le(30), nullable=True)), "Column 'age' must be at most 30; 2 of 5 rows (40.0%) break it.", 2, ("41.0", "37.0")),
        (of(age=pa.Column(float, pa.Check.in_range(29, 40, include_min=False), nullable=True)), "Column 'age' must be more than 29 and at most 40; 3 of 5 rows (60.0%) break it.", 3, ("41.0", "29.0")),
        (of(age=pa.Column(float, pa.Check.eq(29), nullable=True)), "Column 'age' must be 29; 2 of 5 rows (40.0%) break it.", 2, ("41.0", "37.0")),
        (of(age=pa.Column(float, pa.Check.ne(29), nullable=True)), "Column 'age' must not be 29; 2 of 5 rows (40.0%) break it.", 2, ("29.0",)),
        (of(region=pa.Column(str, pa.Check.isin(["south", "east"]), nullable=True)), "Column 'region' must be one of 'east', 'south'; 2 of 5 rows (40.0%) break it.", 2, ("'north'",)),
        (of(region=pa.Column(str, pa.Check.notin(["south"]), nullable=True)), "Column 'region' must be none of 'south'; 1 of 5 rows (20.0%) breaks it.", 1, ("'south'",)),
        (of(region=pa.Column(str, pa.Check.str_matches("^n"), nullable=True)), "Column 'region' must match '^n' from the start; 1 of 5 rows (20.0%) breaks it.", 1, ("'south'",)),
        (of(region=pa.Column(str, pa.Check.str_contains("rt"), nullable=True)), "Column 'region' must contain 'rt'; 1 of 5 rows (20.0%) breaks it.", 1, ("'south'",)),
        (of(region=pa.Column(str, pa.Check.str_startswith("n"), nullable=True)), "Column 'region' must start with 'n'; 1 of 5 rows (20.0%) breaks it.", 1, ("'south'",)),
        (of(region=pa.Column(str, pa.Check.str_endswith("rth"), nullable=True)), "Column 'region' must end with 'rth'; 1 of 5 rows (20.0%) breaks it.", 1, ("'south'",)),
        (of(region=pa.Column(str, pa.Check.str_length(6, 9), nullable=True)), "Column 'region' must have 6 to 9 characters; 3 of 5 rows (60.0%) break it.", 3, ("'north'", "'south'")),
        (of(region=pa.Column(str, pa.Check.str_length(max_value=2), nullable=True)), "Column 'region' must have at most 2 characters; 3 of 5 rows (60.0%) break it.", 3, ("'north'", "'south'")),
        (of(age=pa.Column(float, pa.Check(lambda s: s.mean() < 0, name="mean below zero"), nullable=True)), "Column 'age' must pass the check 'mean below zero'.", None, ()),
        (of(age=pa.Column(float, pa.Check(lambda x: x > 30, element_wise=True, description="adults only"), nullable=True)), "Column 'age' must pass the check 'adults only'; 2 of 5 rows (40.0%) break it.", 2, ("29.0",)),
        (of(**{"^x_": pa.Column(float, regex=True)}), "A column must match '^x_', and none does.", None, ()),
        (pa.DataFrameSchema(unique=["region"]), "Column region must be unique; 4 of 5 rows (80.0%) repeat each other.", 4, ()),
        (pa.DataFrameSchema(unique=["age"], report_duplicates="exclude_first"), "Column age must be unique; 1 of 5 rows (20.0%) repeats another one.", 1, ()),
        (pa.DataFrameSchema(checks=pa.Check(lambda df: df["age"] > 30, name="adults")), "Every row must pass the check 'adults'; 2 of 5 rows (40.0%) break it.", 2, ()),
        (pa.DataFrameSchema({"age": pa.Column(nullable=True)}, strict=True), "Column 'region' is not in the schema, which allows no others (strict).", None, ()),
        (pa.DataFrameSchema({"region": pa.Column(nullable=True), "age": pa.Column(nullable=True)}, ordered=True), "Column 'age' is not where the schema's order has it.", None, ()),
    ],
)  # fmt: skip
def test_each_broken_rule_has_its_own_sentence(check, schema, problem, count, examples):
    frame = pd.DataFrame({"age": [41, 37, 29, 29, None], "region": ["north", "south", "north", None, None]})
    if "got int64" in problem:
        frame["age"] = frame["age"].fillna(0).astype("int64")
    text = "string" if str(frame["region"].dtype) == "str" else "object"
    found = check(schema, frame)
    assert found.verdict is Verdict.INVALID
    expected = (problem.replace("TEXT", text), count, examples)
    assert expected in [(finding.problem, finding.count, finding.examples) for finding in found.findings]


def test_what_cannot_be_coerced(check):
    schema = of(region=pa.Column(int, pa.Check.gt(0), coerce=True))
    (found,) = check(schema, GOOD).findings
    assert found.problem == "Column 'region' must be readable as int64; all 4 rows break it."
    assert found.examples == ("'north'", "'south'", "'east'")


def test_a_missing_column_suggests_the_nearest(check):
    (found,) = check(of(regoin=pa.Column(str)), GOOD).findings
    assert found.remedy == "Did you mean 'region'?"
    (found,) = check(of(income=pa.Column(str)), GOOD).findings
    assert found.remedy == "The dataset has: age, region."


def test_all_failures_come_in_one_go(check):
    schema = pa.DataFrameSchema(
        {
            "age": pa.Column(int, [pa.Check.gt(30), pa.Check.lt(50)]),
            "region": pa.Column(str, pa.Check.isin(["north"])),
            "income": pa.Column(float),
        }
    )
    found = check(schema, GOOD)
    assert (found.verdict, found.summary) == (Verdict.INVALID, "4 problems: age, region, income")
    assert [finding.problem for finding in found.findings] == [
        "Column 'age' must be more than 30; 1 of 4 rows (25.0%) breaks it.",
        "Column 'age' must be less than 50; 1 of 4 rows (25.0%) breaks it.",
        "Column 'region' must be one of 'north'; 2 of 4 rows (50.0%) break it.",
        "Column 'income' must be there; the dataset has none of that name.",
    ]


@pytest.mark.parametrize("limit", [None, 1, 2])
def test_pandera_limits_lose_no_count(check, limit):
    frame = pd.DataFrame({"x": np.arange(20_000)})
    schema = of(x=pa.Column(int, pa.Check.lt(100, n_failure_cases=limit)))
    (found,) = check(schema, frame).findings
    assert found.problem == "Column 'x' must be less than 100; 19,900 of 20,000 rows (99.5%) break it."
    assert (found.count, found.examples) == (19_900, ("100", "101", "102"))


def test_two_checks_without_a_name_are_two_findings(check):
    schema = of(age=pa.Column(int, [pa.Check(lambda s: s > 30), pa.Check(lambda s: s > 40)]))
    assert [finding.count for finding in check(schema, GOOD).findings] == [1, 2]


def test_every_set_of_unique_columns_is_looked_at(check):
    frame = pd.DataFrame({"a": [1, 1, 2], "b": [1, 1, 2], "c": [1, 2, 2]})
    schema = pa.DataFrameSchema(unique=[["a", "b"], ["c"]])
    assert [finding.problem for finding in check(schema, frame).findings] == [
        "Columns a, b must be unique together; 2 of 3 rows (66.7%) repeat each other.",
        "Column c must be unique; 2 of 3 rows (66.7%) repeat each other.",
    ]


def test_values_cannot_break_out_of_a_finding(check):
    frame = pd.DataFrame({"x": ["\x1b[2J" + "z" * 100, "a\nb"]})
    (found,) = check(of(x=pa.Column(str, pa.Check.isin(["ok"]))), frame).findings
    assert found.examples == ("'\\x1b[2J" + "z" * 30 + "...'", "'a\\nb'")


def test_categories(check):
    frame = pd.DataFrame({"c": pd.Categorical(["a", "b"])})
    assert check(of(c=pa.Column("category")), frame).verdict is Verdict.PASS
    (found,) = check(of(c=pa.Column(pd.CategoricalDtype(["a", "x"]))), frame).findings
    assert found.problem == "Column 'c' must have the categories 'a', 'x', got 'a', 'b'."


def test_a_check_that_fails_itself_is_no_pass_and_no_blame(check):
    schema = of(age=pa.Column(int, pa.Check(lambda s: s.no_such_thing, name="typo")))
    found = check(schema, GOOD)
    assert (found.verdict, found.summary) == (Verdict.ERROR, "1 problem: age")
    assert found.findings[0].problem.startswith(
        "Column 'age' must pass the check 'typo', but the check itself failed: AttributeError("
    )
    assert found.findings[0].remedy == "Correct the check in the schema."
    both = check(pa.DataFrameSchema({**schema.columns, "income": pa.Column(float)}), GOOD)
    assert both.verdict is Verdict.INVALID


def test_a_check_on_numbers_that_meets_text_is_one_finding(check):
    (found,) = check(of(region=pa.Column(int, pa.Check.gt(3))), GOOD).findings
    assert "must have the type int64" in found.problem


def test_checks_that_only_warn_warn(check):
    schema = of(age=pa.Column(int, pa.Check.gt(30, raise_warning=True)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = check(schema, GOOD)
    assert found == Check(
        name="schema",
        verdict=Verdict.PASS,
        summary="ok, 2 columns; 1 warning",
        findings=(
            Finding(
                subject="age",
                problem="Column 'age' must be more than 30; 1 of 4 rows (25.0%) breaks it.",
                remedy=FIX,
                count=1,
                examples=("29",),
                rule="greater_than",
                share=0.25,
                rows=(2,),
                severity="warn",
            ),
        ),
    )


def test_a_warning_is_not_lost_where_the_schema_fails(check):
    schema = of(age=pa.Column(int, [pa.Check.gt(30, raise_warning=True), pa.Check.lt(50)]))
    found = check(schema, GOOD)
    assert (found.verdict, found.summary) == (Verdict.INVALID, "1 problem: age")
    assert [(finding.rule, finding.severity) for finding in found.findings] == [
        ("greater_than", "warn"),
        ("less_than", "fail"),
    ]


def test_a_warning_check_that_cannot_run_fails_nothing_and_is_said(check):
    schema = of(age=pa.Column(int, pa.Check(lambda s: s.no_such_thing, name="typo", raise_warning=True)))
    found = check(schema, GOOD)
    assert (found.verdict, found.summary) == (Verdict.PASS, "ok, 2 columns; 1 warning")


def test_ten_broken_columns_of_thousands_of_rows_lose_nothing(check):
    rows = 30_000
    frame = pd.DataFrame({f"c{i}": np.arange(rows) + i for i in range(10)})
    for i in range(10):
        frame[f"t{i}"] = pd.Series(
            [None if row % 3 == 0 else f"v{row % 7}" for row in range(rows)], dtype="str"
        )
    schema = pa.DataFrameSchema(
        {
            **{f"c{i}": pa.Column(int, [pa.Check.lt(100 + i), pa.Check.ge(5 + i)]) for i in range(10)},
            **{f"t{i}": pa.Column(str, pa.Check.isin(["v0", "v1"])) for i in range(10)},
            "absent": pa.Column(int),
        },
        unique=["t0"],
    )
    found = check(schema, frame)
    assert len(found.findings) == 10 * 2 + 10 * 2 + 1 + 1
    assert {(f.rule, f.count, f.rows) for f in found.findings if f.subject.startswith("c")} == {
        ("less_than", rows - 100, (100, 101, 102)),
        ("greater_than_or_equal_to", 5, (0, 1, 2)),
    }
    others = sum(1 for row in range(rows) if row % 3 and row % 7 > 1)
    assert {(f.rule, f.count, f.rows) for f in found.findings if f.subject[1:].isdigit() and f.subject[0] == "t" and f.rule != "unique"} == {
        ("series_contains_nulls", rows // 3, (0, 3, 6)),
        ("isin", others, (2, 4, 5)),
    }  # fmt: skip


def test_a_frame_with_two_columns_of_one_name(check):
    frame = pd.DataFrame([[1, 2]], columns=["age", "age"])
    with pytest.raises(InvalidError) as error:
        check(of(age=pa.Column(int)), frame)
    assert str(error.value) == (
        "The frame has more than one column named 'age'.\n"
        "  Rename or remove the duplicates: a gate names columns."
    )


def test_the_warnings_of_ones_own_checks_are_ones_own(check):
    def loud(series):
        warnings.warn("look", UserWarning, stacklevel=1)
        return series > 0

    with pytest.warns(UserWarning, match="look"):
        check(of(age=pa.Column(int, pa.Check(loud))), GOOD)


# ------------------------------------------------------------- what must not make a failure disappear


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (pa.DataFrameSchema({"age": pa.Column(int, pa.Check.gt(30))}, drop_invalid_rows=True),
         "Column 'age' must be more than 30; 1 of 4 rows (25.0%) breaks it."),
        (pa.DataFrameSchema({"age": pa.Column(int, pa.Check.gt(30), drop_invalid_rows=True)}),
         "Column 'age' must be more than 30; 1 of 4 rows (25.0%) breaks it."),
        (pa.DataFrameSchema({"income": pa.Column(float, default=0.0)}, add_missing_columns=True),
         "Column 'income' must be there; the dataset has none of that name."),
    ],
)  # fmt: skip
def test_repairs_are_switched_off(check, schema, problem):
    assert [finding.problem for finding in check(schema, GOOD).findings] == [problem]
    # The user's own schema is as it was.
    assert schema.drop_invalid_rows or schema.add_missing_columns or schema.columns["age"].drop_invalid_rows


def test_defaults_hide_no_missing_value(check):
    frame = pd.DataFrame({"x": [1.0, None]})
    (found,) = check(of(x=pa.Column(float, default=0.0)), frame).findings
    assert found.problem == "Column 'x' must have a value in every row; 1 of 2 rows (50.0%) has none."


def test_the_environment_cannot_switch_the_check_off(check):
    from pandera.config import ValidationDepth, config_context

    schema = of(age=pa.Column(int, pa.Check.gt(30)))
    with config_context(validation_enabled=False):
        assert check(schema, GOOD).verdict is Verdict.INVALID
    with config_context(validation_depth=ValidationDepth.SCHEMA_ONLY):
        assert check(schema, GOOD).verdict is Verdict.INVALID


def test_no_rows_are_no_pass(check):
    found = check(of(age=pa.Column(int)), GOOD.iloc[:0])
    assert (found.verdict, found.summary) == (Verdict.INVALID, "no rows")
    assert found.findings[0].problem == "The dataset has no rows, so no rule about values could be checked."


def test_coercion_is_said_and_changes_nothing(check):
    frame = pd.DataFrame({"x": ["1", "2"], "y": [1, 2]})
    before = frame.copy(deep=True)
    found = check(of(x=pa.Column(int, coerce=True), y=pa.Column(float, coerce=True)), frame)
    assert found.verdict is Verdict.PASS
    assert found.summary == (
        f"ok, 2 columns; checked on a copy with x as int64 (from {frame['x'].dtype}), "
        "y as float64 (from int64), which models do not get"
    )
    pd.testing.assert_frame_equal(frame, before)


def test_parsers_work_on_a_copy(check):
    def shift(frame):
        frame.loc[:, "age"] = 0
        return frame

    frame = GOOD.copy(deep=True)
    found = check(
        pa.DataFrameSchema({"age": pa.Column(int, pa.Check.eq(0))}, parsers=pa.Parser(shift)), frame
    )
    assert found.summary == (
        "ok, 2 columns; checked on a copy with the schema's parsers applied, which models do not get"
    )
    pd.testing.assert_frame_equal(frame, GOOD)


def test_columns_that_a_schema_filters_out_stay(check):
    frame = GOOD.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = check(pa.DataFrameSchema({"age": pa.Column(int)}, strict="filter"), frame)
    assert found.verdict is Verdict.PASS
    pd.testing.assert_frame_equal(frame, GOOD)


# ------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize(
    "schema",
    [
        of(x=pa.Column(int, pa.Check.lt(90)), t=pa.Column(str, pa.Check.isin(["a", "b"]), nullable=True)),
        of(x=pa.Column(int, unique=True), t=pa.Column(str)),
        of(x=pa.Column(int, pa.Check(lambda s: s.sum() == 0)), t=pa.Column(int), gone=pa.Column(int)),
        pa.DataFrameSchema({"x": pa.Column()}, strict=True, unique=["t"]),
    ],
)
def test_batches_and_the_whole_find_the_same(check, tmp_path, schema):
    frame = pd.DataFrame({"x": [*range(99), 5], "t": ["a", "b", "c", None] * 25})
    frame.to_parquet(tmp_path / "x.parquet")
    dataset = ParquetDataset(find("x.parquet", str(tmp_path)), batch_bytes=70 * 7)
    assert len(list(dataset.batches())) > 5
    whole = check(schema, frame)
    assert whole.findings
    assert check(schema, dataset) == whole


def test_a_dataset_is_read_in_batches_where_rules_are_about_single_values(check, tmp_path, monkeypatch):
    frame = pd.DataFrame({"x": range(100)})
    frame.to_parquet(tmp_path / "x.parquet")
    dataset = ParquetDataset(find("x.parquet", str(tmp_path)), batch_bytes=8 * 10)
    seen = []
    real = pa.DataFrameSchema.validate

    def watched(schema, check_obj, **kwargs):
        seen.append(len(check_obj))
        return real(schema, check_obj, **kwargs)

    monkeypatch.setattr(pa.DataFrameSchema, "validate", watched)
    assert check(of(x=pa.Column(int, pa.Check.ge(0))), dataset).verdict is Verdict.PASS
    assert seen == [10] * 10
    seen.clear()
    assert check(of(x=pa.Column(int, unique=True)), dataset).verdict is Verdict.PASS
    assert seen == [100]


# ------------------------------------------------------------------------------ where schemas come from

YAML = """\
columns:
  age:
    dtype: int64
    checks:
      in_range: {min_value: 30, max_value: 120}
  region:
    dtype: str
strict: true
"""


def old_pandera():
    """Whether this release of pandera needs more packages to read a file."""
    try:
        import pandera.io.pandas_io  # noqa: F401
    except ImportError:
        return True
    return False


needs_io = pytest.mark.skipif(old_pandera(), reason="this release of pandera needs more packages for files")


@needs_io
@pytest.mark.parametrize("name", ["schema.yaml", "schema.yml", "schemas/schema.json"])
def test_schema_files(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    schema = of(age=pa.Column(int, pa.Check.in_range(30, 120)), region=pa.Column(str))
    if name.endswith("yaml"):
        path.write_text(YAML, encoding="utf-8")
    elif name.endswith("yml"):
        schema.to_yaml(path)
    else:
        schema.to_json(path)
    found = validate(name, GOOD, SourceContext(root=str(tmp_path)))
    assert [f.problem for f in found.findings] == [
        "Column 'age' must be between 30 and 120; 1 of 4 rows (25.0%) breaks it."
    ]


@needs_io
def test_everything_that_pandera_writes_is_known(tmp_path):
    schema = pa.DataFrameSchema(
        {"age": pa.Column(int, [pa.Check.ge(0), pa.Check.isin([41, 37, 29, 55])], unique=True, title="t", description="d")},
        strict="filter", name="n", title="t", description="d", unique=["age"], coerce=True, ordered=True,
        metadata={"owner": "me"},
    )  # fmt: skip
    for name, write in [("s.yaml", schema.to_yaml), ("s.json", schema.to_json)]:
        write(tmp_path / name, minimal=False)
        assert validate(name, GOOD, SourceContext(root=str(tmp_path))).verdict is Verdict.PASS


WRITE = "Correct it, or write it again with pandera: schema.to_yaml(path) or schema.to_json(path)."


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.yaml", "columns: [", f"The schema file s.yaml is not YAML: expected the node content, but found '<stream end>' (line 1).\n  {WRITE}"),
        ("s.json", '{"columns": ', f"The schema file s.json is not JSON: Expecting value (line 1, column 13).\n  {WRITE}"),
        ("s.yaml", "", f"The schema file s.yaml holds NoneType where a table with 'columns' was needed.\n  {WRITE}"),
        ("s.yaml", "- a", f"The schema file s.yaml holds list where a table with 'columns' was needed.\n  {WRITE}"),
        ("s.yaml", "strict: true", f"The schema file s.yaml has no columns, no checks and no rules, so it would accept anything.\n  {WRITE}"),
        ("s.yaml", "column: {a: {dtype: int}}", "The schema file s.yaml has an unknown key 'column'.\n  Did you mean 'columns'?"),
        ("s.yaml", "columns: {a: {nulable: true}}", "The schema file s.yaml has an unknown key 'nulable' for column 'a'.\n  Did you mean 'nullable'?"),
        ("s.yaml", "columns: !!python/object:os.system {}", "The schema file s.yaml is not YAML: could not determine a constructor for the tag "),
    ],
)  # fmt: skip
def test_broken_schema_files(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        validate(name, GOOD, SourceContext(root=str(tmp_path)))
    assert str(error.value).startswith(message)


@needs_io
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("columns: {a: {dtype: integr}}", "TypeError: "),
        ("columns: {a: {checks: {no_such_check: 3}}}", "AttributeError: "),
        ("columns: 3", "AttributeError: "),
    ],
)
def test_schema_files_that_pandera_refuses(tmp_path, content, said):
    (tmp_path / "s.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        validate("s.yaml", GOOD, SourceContext(root=str(tmp_path)))
    assert error.value.what.startswith(f"The schema file s.yaml does not describe a schema: {said}")
    assert error.value.remedy == WRITE


@pytest.mark.skipif(not old_pandera(), reason="this release of pandera reads files by itself")
def test_an_old_pandera_says_what_it_needs(tmp_path):
    (tmp_path / "s.yaml").write_text(YAML, encoding="utf-8")
    with pytest.raises(UnavailableError) as error:
        validate("s.yaml", GOOD, SourceContext(root=str(tmp_path)))
    assert error.value.what.startswith(
        "The schema file s.yaml cannot be read: this release of pandera needs more packages (ModuleNotFoundError: "
    )
    assert error.value.remedy == (
        "Run: pip install 'pandera[io]', or upgrade pandera, or name a Python one (package.module:Name)."
    )


@pytest.mark.parametrize(
    ("schema", "kind", "message"),
    [
        ("holdout.yaml", UnavailableError, "The schema file holdout.yaml does not exist.\n  Did you mean 'holdouts.yaml'?"),
        ("x/holdout.yaml", UnavailableError, "The schema file x/holdout.yaml does not exist.\n  Relative paths start from <root>."),
        ("nowhere_x.schemas:Holdout", UnavailableError, "'nowhere_x.schemas:Holdout' cannot be loaded: there is no module 'nowhere_x'.\n  Modules are looked for on sys.path and in <root>."),
        ("credit", ConfigurationError, "'credit' does not name a Python object.\n  Write package.module:Name, for example credit.schemas:Holdout."),
        ("json:dumps", ConfigurationError, "The schema 'json:dumps' is an object of type function, not a DataFrameSchema or DataFrameModel of pandera.pandas.\n  Name one, for example credit.schemas:Holdout."),
        ("json:JSONDecoder", ConfigurationError, "The schema 'json:JSONDecoder' is the class JSONDecoder, not a DataFrameSchema or DataFrameModel of pandera.pandas.\n  Name one, for example credit.schemas:Holdout."),
    ],
)  # fmt: skip
def test_schemas_that_are_not_there(tmp_path, schema, kind, message):
    (tmp_path / "holdouts.yaml").write_text(json.dumps({}), encoding="utf-8")
    with pytest.raises(ModelGateError) as error:
        validate(schema, GOOD, SourceContext(root=str(tmp_path)))
    assert (type(error.value), str(error.value).replace(tmp_path.as_posix(), "<root>")) == (kind, message)


def test_a_module_with_the_old_import_of_pandera(tmp_path):
    # Deprecated, and said so by a warning: not a reason to fail under -W error.
    (tmp_path / "old_style_schemas.py").write_text(
        "import pandera as pa\nHoldout = pa.DataFrameSchema({'age': pa.Column(int)})\n"
        "class Model(pa.DataFrameModel):\n    age: int\n",
        encoding="utf-8",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("Holdout", "Model"):
            found = validate(f"old_style_schemas:{name}", GOOD, SourceContext(root=str(tmp_path)))
            assert found.verdict is Verdict.PASS
    del sys.modules["old_style_schemas"]


def test_a_model_that_is_wrong(check):
    class Holdout(pa.DataFrameModel):
        age: "no such type"  # noqa: F722

    with pytest.raises(ConfigurationError) as error:
        check(Holdout, GOOD)
    assert error.value.what.startswith("The schema 'schema_of_a_test:Holdout' is not valid: ")


def test_when_pandera_itself_fails(check):
    def broken(frame):
        raise RuntimeError("inside\nrow 1: secret")

    with pytest.raises(EvaluationError) as error:
        check(pa.DataFrameSchema(parsers=pa.Parser(broken)), GOOD)
    assert str(error.value) == (
        "The schema 'schema_of_a_test:Holdout' could not be checked: pandera failed with RuntimeError: inside.\n"
        "  Validate a few rows with the schema by hand to see the whole traceback."
    )
