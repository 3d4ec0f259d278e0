"""The key find_slices: true, a list, a table or false; and what is said of anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_model_gate.config.files import read_project
from pytest_model_gate.config.resolve import resolve
from pytest_model_gate.config.tables import GateTable, read_table
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.spec import FindSlices, GateSpec, Tolerance

GATE = """
[gates.credit]
candidate = "a"
production = "b"
dataset = "d.parquet"
target = "y"
metrics = ["roc_auc"]
"""


def spec(tmp_path: Path, *, defaults: str = "", gate: str = "", **mark: Any) -> GateSpec:
    (tmp_path / "model_gate.toml").write_text(f"{defaults}\n{GATE}{gate}\n")
    return resolve(read_project(tmp_path), name="credit", mark=mark, default_name="test")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("true", FindSlices()),
        ('["age", "region"]', FindSlices(columns=("age", "region"))),
        ('"age"', FindSlices(columns=("age",))),
        ("{ depth = 3, top = 9 }", FindSlices(depth=3, top=9)),
        (
            '{ metrics = "auc", on_found = "fail", max_regression = "2%", method = "max-t", min_rows = 50 }',
            FindSlices(
                metrics=("auc",),
                on_found="fail",
                max_regression={"*": Tolerance(0.02, relative=True)},
                method="max-t",
                min_rows=50,
            ),
        ),
        ("false", None),
    ],
)
def test_what_can_be_written(tmp_path: Path, written: str, found: FindSlices | None) -> None:
    assert spec(tmp_path, gate=f"find_slices = {written}").find_slices == found


def test_a_gate_can_leave_out_what_the_project_turns_on(tmp_path: Path) -> None:
    on = "find_slices = true"
    assert spec(tmp_path, defaults=on).find_slices == FindSlices()
    assert spec(tmp_path, defaults=on, gate="find_slices = false").find_slices is None
    assert spec(tmp_path, defaults=on, find_slices=False).find_slices is None
    assert spec(tmp_path, find_slices=("age",)).find_slices == FindSlices(columns=("age",))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"find_slices": 3}, "find_slices: must be true, false, a list of columns or a table, got 3."),
        ({"find_slices": []}, "find_slices.columns: must not be empty, got []."),
        ({"find_slices": {"dept": 3}}, "unknown key 'find_slices.dept'.\n  Did you mean 'depth'?"),
        ({"find_slices": {"depth": 4}}, "find_slices.depth: must be less than or equal to 3, got 4."),
        (
            {"find_slices": {"min_rows": 5}},
            "find_slices.min_rows: must be greater than or equal to 20, got 5.",
        ),
        ({"find_slices": {"method": "cv"}}, "find_slices.method: must be 'split' or 'max-t', got 'cv'."),
        (
            {"find_slices": {"on_found": "stop"}},
            "find_slices.on_found: must be 'warn' or 'fail', got 'stop'.",
        ),
        (
            {"find_slices": {"max_regression": -1}},
            "find_slices.max_regression: max_regression must be a number >= 0 or a percentage such as '1%', "
            "got -1.",
        ),
        ({"correction": "bonferroni"}, "correction: must be 'holm' or 'max-t', got 'bonferroni'."),
    ],
)
def test_what_makes_no_sense_is_said(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_table(GateTable, keys, "gate credit")
    assert str(caught.value).rstrip() == f"gate credit: {message}"


def test_the_correction_of_accusations(tmp_path: Path) -> None:
    assert spec(tmp_path).correction == "holm"
    assert spec(tmp_path, gate='correction = "max-t"').correction == "max-t"
