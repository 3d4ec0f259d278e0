"""``model-gate compare``: columns of a file in, sentences or JSON and an exit status out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate import compare
from pytest_model_gate.cli import main

BASE = ("scores.csv", "--target", "bought", "--candidate", "new", "--production", "old")


@pytest.fixture(autouse=True)
def scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 800
    y = (rng.random(n) < 0.3).astype(int)
    shared = y + rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "bought": y,
            "word": np.where(y == 1, "yes", "no"),
            "new": 1 / (1 + np.exp(-(shared + 0.1 * rng.normal(size=n)))),
            "old": 1 / (1 + np.exp(-(shared + 0.2 * rng.normal(size=n)))),
            "bad": rng.random(n),
            "customer": np.arange(n) // 4,
        }
    )
    frame["rest"] = 1 - frame["new"]
    monkeypatch.chdir(tmp_path)
    frame.to_csv("scores.csv", index=False)
    return pd.read_csv("scores.csv")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["compare", *arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_it_says_what_compare_says(capsys, scores):
    status, out, _ = run(capsys, *BASE, "--metric", "roc_auc", "--max-regression", "0.01")
    same = compare(scores.bought, scores.new, scores.old, metric="roc_auc", max_regression=0.01)
    assert (status, out) == (0, f"{same!r}\n")


def test_columns_beside_the_predictions(capsys, scores):
    _, out, _ = run(
        capsys,
        *BASE,
        "--metric",
        "log_loss",
        "--groups",
        "customer",
        "--weight",
        "customer",
        "--alpha",
        "0.1",
    )
    same = compare(
        scores.bought,
        scores.new,
        scores.old,
        metric="log_loss",
        max_regression="1%",
        alpha=0.1,
        groups=scores.customer,
        sample_weight=scores.customer,
    )
    assert out == f"{same!r}\n"


def test_json_holds_the_same_numbers(capsys, scores):
    status, out, _ = run(capsys, *BASE, "--metric", "roc_auc", "--metric", "brier_score", "--json")
    assert status == 0
    first, second = json.loads(out)
    same = compare(scores.bought, scores.new, scores.old, metric="brier_score", max_regression="1%")
    assert first["metric"] == "roc_auc"
    assert second["interval"] == {
        "low": same.interval.low,
        "high": same.interval.high,
        "level": 0.9,
        "method": same.interval.method,
    }


def test_a_candidate_that_is_worse_or_undecided_does_not_pass(capsys):
    worse = ("scores.csv", "--target", "bought", "--candidate", "bad", "--production", "old")
    status, out, _ = run(capsys, *worse, "--metric", "roc_auc")
    assert (status, "REGRESSED" in out) == (1, True)
    status, out, _ = run(capsys, *BASE, "--metric", "roc_auc", "--max-regression", "0")
    assert status in (0, 1)
    status, out, _ = run(
        capsys, *BASE, "--metric", "accuracy", "--threshold", "0.5", "--max-regression", "0.00001"
    )
    assert (status, "INCONCLUSIVE" in out) == (1, True)


def test_a_threshold_makes_labels_of_scores(capsys, scores):
    words = ("scores.csv", "--target", "word", "--candidate", "new", "--production", "old")
    _, out, _ = run(capsys, *words, "--metric", "f1", "--pos-label", "yes", "--threshold", "0.4")
    same = compare(
        scores.bought,
        (scores.new >= 0.4).astype(int),
        (scores.old >= 0.4).astype(int),
        metric="f1",
        max_regression="1%",
    )
    assert out == f"{same!r}\n"
    status, _, err = run(capsys, *BASE, "--metric", "f1")
    assert status == 2
    assert "Scores are no labels" in err


def test_one_probability_per_class(capsys):
    _, out, _ = run(
        capsys,
        "scores.csv",
        *("--target", "word", "--classes", "no,yes", "--candidate", "rest,new", "--production", "rest,new"),
        *("--metric", "log_loss"),
    )
    assert "both models give the same predictions on every row" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--metric", "roc_acu"), "There is no metric 'roc_acu'.\n  Did you mean 'roc_auc'?"),
        (
            ("--metric", "roc_auc", "--max-regression", "f1=1%"),
            "max_regression names 'f1', which is none of the metrics.",
        ),
        (("--metric", "roc_auc", "--max-regression", "x"), "max_regression must be a number >= 0"),
        (
            ("--metric", "roc_auc", "--max-regression", "1%", "--max-regression", "2%"),
            "--max-regression is given twice for '*'.",
        ),
        (("--metric", "roc_auc", "--metric", "auc"), "A metric is asked for twice: roc_auc, roc_auc."),
        (
            ("--metric", "roc_auc", "--groups", "custmer"),
            "scores.csv has no column 'custmer'.\n  Did you mean",
        ),
        (("--metric", "roc_auc", "--alpha", "0.7"), "alpha must be between 0 and 0.5, got 0.7."),
        (("--metric", "roc_auc", "--pos-label", "maybe"), "pos_label = 'maybe' is none of the classes"),
    ],
)
def test_wrong_arguments_are_sentences(capsys, arguments, message):
    status, out, err = run(capsys, *BASE, *arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_metrics_of_scikit_learn_by_name(capsys):
    status, out, _ = run(capsys, *BASE, "--metric", "sklearn:jaccard", "--threshold", "0.5")
    assert status in (0, 1)
    assert out.startswith("sklearn:jaccard on all (800 rows): ")


def test_a_file_that_is_not_there(capsys):
    status, _, err = run(capsys, "score.csv", *BASE[1:], "--metric", "roc_auc")
    assert (status, err) == (
        2,
        "model-gate: error: score.csv does not exist.\n  Did you mean 'scores.csv'?\n",
    )
