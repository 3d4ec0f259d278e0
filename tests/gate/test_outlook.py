"""What is said of a gate before anything is opened: only what the pinned rows and a saved pilot tell."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from pytest_model_gate.data.lock import DatasetPin, Lock, write_lock
from pytest_model_gate.data.spreads import NAME, Spread, save_spreads
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.outlook import Outlook
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.spec import GateSpec, SliceSpec, Tolerance
from pytest_model_gate.stats.planning import rows_without_discordance

REGISTRY = build_registry()


@pytest.fixture
def said(tmp_path):
    """Return what is said of a gate on so many pinned rows."""

    def said(*, rows: int = 2_000, pinned: str = "data/holdout.parquet", **keys) -> str:
        pin = DatasetPin(
            source=pinned,
            digest="sha256:" + "0" * 64,
            rows=rows,
            columns=(("y", "int64"),),
            created=datetime.date(2030, 1, 31),
        )
        write_lock(tmp_path / "model-gate.lock", Lock(datasets=(pin,)))
        given = {
            "name": "credit",
            "candidate": "a.skops",
            "production": "b.skops",
            "dataset": "data/holdout.parquet",
            "target": "y",
            "metrics": ("accuracy", "roc_auc"),
            "root": str(tmp_path),
        } | keys
        return Outlook().of(checked(GateSpec(**given), REGISTRY), REGISTRY)

    return said


def within(**tolerances: float | str) -> dict[str, Tolerance]:
    return {name: Tolerance.parse(value) for name, value in tolerances.items()}


HARDLY = "gate credit can hardly pass unless the candidate is better: "
END = " See model-gate plan."


def test_a_share_of_right_rows_has_a_least_number_of_rows(said) -> None:
    needed = rows_without_discordance(0.001, 0.05)
    assert needed == 2_703

    text = f"{HARDLY}accuracy within 0.001 takes at least 2,800 rows, and 2,000 are pinned.{END}"
    assert said(max_regression=within(accuracy=0.001)) == text
    assert said(max_regression=within(accuracy=0.001), rows=needed) == ""
    assert said(max_regression=within(accuracy=0.001), rows=needed - 1) != ""


def test_a_percentage_is_at_most_that_of_the_best_value(said) -> None:
    assert said(max_regression=within(accuracy="0.1%")).startswith(
        f"{HARDLY}accuracy within 0.1% takes at least"
    )
    assert said(max_regression=within(accuracy="1%")) == ""


def test_a_level_that_is_shared_by_many_uses_takes_more_rows(said) -> None:
    keys = {"max_regression": within(accuracy=0.002)}
    assert said(**keys) == ""
    assert said(**keys, holdout_budget=20).startswith(
        f"{HARDLY}accuracy within 0.002 takes at least 4,000 rows"
    )


@pytest.mark.parametrize(
    "keys",
    [
        {"production": "none", "baseline": "prior"},
        {"on_inconclusive": "warn"},
        {"groups": "customer"},
        {"sample_weight": "w"},
        {"strata": "region"},
        {"metrics": ("roc_auc",), "max_regression": within(roc_auc=0.0001)},
        {"dataset": "elsewhere.parquet"},
    ],
)
def test_what_is_not_certain_is_not_said(said, keys) -> None:
    assert said(**{"max_regression": within(accuracy=0.0001)} | keys) == ""


def test_the_pin_is_found_by_the_name_that_the_dataset_has(said, tmp_path) -> None:
    keys = {"max_regression": within(accuracy=0.001)}
    assert said(**keys, dataset="./data/../data/holdout.parquet") != ""
    assert said(**keys, dataset=str(tmp_path / "data" / "holdout.parquet")) != ""


def test_without_a_lock_or_with_a_broken_one_nothing_is_said(said, tmp_path) -> None:
    spec = checked(
        GateSpec(
            name="credit", candidate="a", production="b", dataset="d.csv", target="y", metrics=("accuracy",),
            root=str(tmp_path), max_regression=within(accuracy=0.0001),
        ),
        REGISTRY,
    )  # fmt: skip
    assert Outlook().of(spec, REGISTRY) == ""
    (tmp_path / "model-gate.lock").write_text("<<<<<<< HEAD\n")
    assert Outlook().of(spec, REGISTRY) == ""


# -- with a pilot --------------------------------------------------------------------------------------


@pytest.fixture
def pilot(tmp_path):
    """Save spreads of the gate."""

    def pilot(*lines: tuple[str, str, int, float, float]) -> None:
        spreads = [
            Spread(gate="credit", metric=m, slice=s, rows=n, all_rows=1_000, spread=spread, value=value)
            for m, s, n, spread, value in lines
        ]
        save_spreads(tmp_path / NAME, spreads, gates=["credit"])

    return pilot


def test_a_saved_pilot_tells_how_often_an_equal_candidate_passes(said, pilot) -> None:
    pilot(("roc_auc", "all", 1_000, 0.25, 0.9))

    text = (
        f"{HARDLY}roc_auc within 0.005 takes about 16,000 rows, and 2,000 are pinned: a candidate as good as "
        f"production passes 23 of 100 times ({NAME}).{END}"
    )
    assert said(max_regression=within(roc_auc=0.005)) == text
    assert said(max_regression=within(roc_auc=0.012)).startswith(
        "gate credit may well not pass: roc_auc within 0.012 takes about 2,700 rows, and 2,000 are pinned: "
    )
    assert said(max_regression=within(roc_auc=0.02)) == ""
    # 1 % of production's value, which the pilot knows.
    assert "roc_auc within 1% takes about 4,800 rows" in said(max_regression=within(roc_auc="1%"))


def test_the_worst_line_is_said_and_the_others_are_counted(said, pilot) -> None:
    pilot(
        ("accuracy", "all", 1_000, 0.2, 0.9),
        ("roc_auc", "all", 1_000, 0.25, 0.9),
        ("roc_auc", "region=north", 100, 0.3, 0.9),
        ("roc_auc", "age=25..45", 500, 0.3, 0.9),  # a slice that the gate has no more
        ("log_loss", "all", 1_000, 9.0, 0.3),  # a metric that the gate has no more
    )

    found = said(
        slices=(SliceSpec(by="region", max_regression=within(roc_auc=0.02)),),
        max_regression=within(roc_auc=0.01, accuracy=0.05),
    )

    assert found == (
        f"{HARDLY}roc_auc on region=north within 0.02 takes about 1,400 rows, and 200 are pinned: a "
        f"candidate as good as production passes 24 of 100 times ({NAME}); 1 more line is like that.{END}"
    )


def test_slices_that_may_be_inconclusive_are_left_out(said, pilot) -> None:
    pilot(("roc_auc", "region=north x", 100, 0.3, 0.9))

    loud, quiet = (SliceSpec(by="region", on_inconclusive=what) for what in (None, "warn"))
    tolerances = within(roc_auc=0.02)
    assert said(slices=(loud,), max_regression=tolerances) != ""
    assert said(slices=(quiet,), max_regression=tolerances) == ""


def test_a_pilot_without_any_disagreement_still_needs_the_least_rows(said, pilot) -> None:
    pilot(("accuracy", "all", 1_000, 0.0, 0.9), ("accuracy", "region=north", 100, 0.0, 0.9))

    found = said(slices=(SliceSpec(by="region"),), max_regression=within(accuracy=0.01))
    assert found.startswith(
        f"{HARDLY}accuracy on region=north within 0.01 takes about 270 rows, and 200 are pinned"
    )


def test_a_pilot_that_cannot_be_read_is_said_and_changes_nothing(said, tmp_path) -> None:
    (tmp_path / NAME).write_text("<<<<<<< HEAD\n")

    assert said() == (
        f"{NAME} cannot be read: Invalid statement (at line 1, column 1). "
        "Run `model-gate plan --save` again, or delete the file: no verdict needs it."
    )


def test_names_from_files_are_made_harmless(said, pilot) -> None:
    pilot(("roc_auc", "region=\x1b[32mpass", 100, 0.3, 0.9))

    assert "\x1b" not in said(slices=(SliceSpec(by="region"),), max_regression=within(roc_auc=0.01))


def test_files_are_read_once_for_all_gates(said, tmp_path, pilot) -> None:
    pilot(("roc_auc", "all", 1_000, 0.25, 0.9))
    said()
    spec = checked(
        GateSpec(
            name="credit", candidate="a", production="b", dataset="data/holdout.parquet", target="y",
            metrics=("roc_auc",), root=str(tmp_path), max_regression=within(roc_auc=0.005),
        ),
        REGISTRY,
    )  # fmt: skip
    outlook = Outlook()
    first = outlook.of(spec, REGISTRY)
    (tmp_path / NAME).unlink()
    Path(tmp_path / "model-gate.lock").unlink()

    assert first == outlook.of(spec, REGISTRY) != ""
