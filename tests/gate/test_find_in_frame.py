"""``find_slices`` on a frame finds what a gate finds on the same rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate import Verdict, find_slices
from pytest_model_gate.errors import ConfigurationError, EvaluationError, InvalidError
from pytest_model_gate.spec import FindSlices, Tolerance

KEYS = {"columns": ("region", "z"), "min_rows": 100, "top": 3}


@pytest.fixture
def frame(project):
    """Predictions that are bad where z is above 1."""
    frame = project.frame
    spoilt = np.where(frame["z"] > 1, 1 - frame["cand"], frame["cand"])
    return frame.assign(cand=spoilt)


def found_in(frame, **changes):
    given = {"metric": "log_loss", "max_regression": 0.02, **KEYS, **changes}
    return find_slices(frame, frame["y"], frame["cand"], frame["prod"], **given)


@pytest.mark.parametrize("method", ["split", "max-t"])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_what_a_gate_finds(project, frame, method, weighted):
    frame = frame.assign(w=np.where(frame["id"] % 5 == 0, 0.0, 1.0 + frame["id"] % 3))
    frame[["id", "x", "z", "y", "region", "w"]].to_parquet(project.root / "data.parquet")
    project.write_scores(frame)
    record = project.record(
        metrics=("log_loss",),
        baseline="",
        max_regression={"*": Tolerance(0.02)},
        find_slices=FindSlices(method=method, **KEYS),
        sample_weight="w" if weighted else "",
    )
    weight = {"sample_weight": frame["w"]} if weighted else {}
    # Rows belong together by position, whatever their index says.
    found = found_in(frame.set_index(frame["id"] + 7), method=method, **weight)
    if method == "max-t":
        assert found == record.search
    # A gate divides its rows by all that its models say, also by their labels.
    assert [each.line.slice for each in record.search.found if each.proven][:1] == [found.found[0].line.slice]
    worst = found.found[0]
    assert worst.proven
    assert worst.line.slice.startswith("z >= ")
    assert worst.line.verdict is Verdict.REGRESSED


def test_nothing_is_found_where_nothing_is(project):
    found = found_in(project.frame)
    assert not any(each.proven for each in found.found)
    assert found.columns == ("region", "z")
    assert found.detectable


def test_all_columns_where_none_are_named(frame):
    found = found_in(frame[["x", "z", "region", "y", "cand", "prod"]].assign(one=1), columns=())
    assert found.found[0].line.slice.startswith("z >= ")
    assert "one" in dict(found.skipped)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        (
            {"depth": 4},
            ConfigurationError,
            "depth of find_slices must be 1 to 3, got 4.\n  Leave depth out: usual is 2.",
        ),
        (
            {"method": "best"},
            ConfigurationError,
            "method must be 'split' or 'max-t', got 'best'.\n  Leave it out for 'split'.",
        ),
        (
            {"columns": ("regoin",)},
            ConfigurationError,
            "find_slices names the column 'regoin', which the dataset does not have.\n"
            "  Did you mean 'region'?",
        ),
        (
            {"columns": ("one",)},
            EvaluationError,
            "find_slices found no column to search by (one: every row has the same value).\n"
            "  Name columns with levels or numbers in find_slices, or leave find_slices out.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(frame, changes, kind, message):
    with pytest.raises(kind) as caught:
        found_in(frame.assign(one=1), **changes)
    assert str(caught.value) == message


def test_a_frame_that_is_none(frame):
    y, one, other = frame["y"], frame["cand"], frame["prod"]
    for wrong, message in (
        (
            frame.to_numpy(),
            "find_slices needs a pandas DataFrame, got ndarray.\n  Pass pandas.DataFrame(columns by name).",
        ),
        (
            frame[:10],
            "frame has 10 rows, and y_true has 2,000.\n  Rows belong together by position.",
        ),
        (
            pd.concat([frame, frame], axis=1),
            "The columns of frame need different names that are text.\n  Rename them.",
        ),
        (
            frame.rename(columns={"x": 3}),
            "The columns of frame need different names that are text.\n  Rename them.",
        ),
    ):
        with pytest.raises(InvalidError) as caught:
            find_slices(wrong, y, one, other, metric="log_loss")
        assert str(caught.value) == message


def test_a_metric_without_influence(frame):
    with pytest.raises(EvaluationError, match="find_slices needs a metric with an influence function"):
        found_in(frame, metric="ks_statistic", columns=("z",))
