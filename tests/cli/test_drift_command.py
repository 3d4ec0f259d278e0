"""``model-gate drift``: what it prints, and its exit status."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.cli import main

HEADING = ["column", "kind", "measure", "effect", "90%", "interval"]
HEADING += ["threshold", "PSI", "missing", "drift"]


@pytest.fixture
def tables(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for name, moved in (("train", 0.0), ("same", 0.0), ("new", 1.0)):
        frame = pd.DataFrame({"age": rng.normal(moved, 1, 2_000), "kind": rng.choice(list("abc"), 2_000)})
        if moved:
            frame.loc[:9, "kind"] = "z"
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    monkeypatch.chdir(tmp_path)


def test_what_has_moved_is_printed_and_is_status_1(tables, capsys):
    assert main(["drift", "train.csv", "new.csv"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("  reference   train.csv   2,000 rows   sha256:")
    assert lines[1].endswith(" of a classifier with 2 features, threshold 0.55: DRIFTED")
    assert lines[2].split() == HEADING
    assert lines[3].split()[:3] == ["age", "number", "auc"]
    assert lines[3].endswith("DRIFTED")
    assert lines[4].split()[:3] == ["kind", "category", "tv"]
    assert lines[5] == "    new in 10 rows: z"
    assert len(lines) == 6


def test_what_has_not_moved_is_status_0(tables, capsys):
    assert main(["drift", "train.csv", "same.csv", "--no-overall"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  no drift beyond the thresholds in 2 columns (--all shows them)"
    ]


def test_a_new_level_alone_is_status_1(tables):
    assert main(["drift", "train.csv", "new.csv", "--columns", "kind", "--no-overall"]) == 1
    assert main(["drift", "new.csv", "train.csv", "--columns", "kind", "--no-overall"]) == 0


def test_json_has_everything(tables, capsys):
    arguments = ["--method", "ks", "--method", "kind=psi", "--threshold", "age=0.9", "--no-overall", "--json"]
    assert main(["drift", "train.csv", "same.csv", *arguments]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(item["column"], item["method"]) for item in said["columns"]] == [("age", "ks"), ("kind", "psi")]
    assert said["columns"][0]["threshold"] == 0.9
    assert said["reference_rows"] == 2_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["news.csv"], "news.csv does not exist.\n  Did you mean 'new.csv'?"),
        (
            ["new.csv", "--columns", "ago"],
            "new.csv has no column 'ago'.\n  Did you mean 'age'? Its columns: age, kind.",
        ),
        (["new.csv", "--method", "kss"], "method 'kss' is unknown.\n  Did you mean 'ks'?"),
        (
            ["new.csv", "--threshold", "x"],
            "--threshold must be a number, got 'x'.\n  Write --threshold 0.05.",
        ),
        (["new.csv", "--method", "ks", "--method", "js"], "--method is given twice for '*'.\n  Keep one."),
        (["new.csv", "--alpha", "0.7"], "alpha must be between 0 and 0.5, got 0.7.\n  Write 0.05."),
    ],
)
def test_what_cannot_be_compared_is_status_2(tables, capsys, arguments, message):
    assert main(["drift", "train.csv", *arguments]) == 2
    assert capsys.readouterr().err == f"model-gate: error: {message}\n"
