"""A dataset in pieces is the dataset: neither the cuts nor the order of the pieces change a digit."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_every_metric import NAMES, any_rows, measured

from pytest_model_gate.gate.measure import Measured
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.spec import SliceSpec, Tolerance


@st.composite
def shards(draw: st.DrawFn, n: int) -> list[np.ndarray]:
    """Draw pieces of n rows, some of them maybe empty, in any order."""
    cuts = sorted(draw(st.lists(st.integers(0, n), max_size=5)))
    return draw(st.permutations(np.split(np.arange(n), cuts)))


@pytest.mark.parametrize("name", [name for name in NAMES if not resolve(name).may_resample])
def test_merged_shards_have_the_interval_of_the_whole(name):
    metric = resolve(name)

    @settings(deadline=None, derandomize=True, max_examples=10)
    @given(rows=any_rows(metric), data=st.data())
    def holds(rows, data):
        whole = measured(metric, rows)
        merged = measured(metric, rows.take(np.concatenate(data.draw(shards(rows.sample.n)))))
        if not isinstance(whole, Measured):
            assert merged == whole
            return
        assert isinstance(merged, Measured)
        assert (merged.candidate, merged.reference) == (whole.candidate, whole.reference)
        assert merged.inference.bounds(0.05) == whole.inference.bounds(0.05)
        assert (merged.caution, merged.identical) == (whole.caution, whole.identical)

    holds()


def test_a_folder_of_files_is_judged_as_one_file(project):
    """Read for real: what a batch ends with, and which one comes first, is nothing."""
    keys = {
        "slices": (SliceSpec(by="region", min_rows=100), SliceSpec(by="z", bins={"z": 3})),
        "metrics": ("roc_auc", "log_loss", "accuracy", "average_precision", "ks_statistic", "ece"),
        "max_regression": {"*": Tolerance(0.02)},
    }
    whole = project.record(**keys)
    columns = ["id", "x", "z", "y", "region"]

    @settings(deadline=None, derandomize=True, max_examples=8)
    @given(parts=shards(len(project.frame)))
    def holds(parts):
        folder = project.root / "parts"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for number, rows in enumerate(part for part in parts if len(part)):
            project.frame.iloc[rows][columns].to_parquet(folder / f"{number}.parquet")
        record = project.record(dataset="parts", **keys)
        assert record.lines == whole.lines
        assert record.verdict is whole.verdict

    holds()
