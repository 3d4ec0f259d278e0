"""The profile of a dataset: the same in any batches, and nothing in it that is text of a row."""
# ruff: noqa: E501 - one case stays on one line

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.data.profile import ColumnProfile, profile


class Rows:
    """A dataset in batches of one's choice."""

    source = resolved = digest = "rows"

    def __init__(self, frame: pd.DataFrame, size: int) -> None:
        self.frame, self.size, self.rows = frame, size, len(frame)
        self.columns = tuple((name, str(kind)) for name, kind in frame.dtypes.items())

    def batches(self, columns=None):
        frame = self.frame if columns is None else self.frame[list(columns)]
        for start in range(0, max(1, len(frame)), self.size):
            yield frame.iloc[start : start + self.size]


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        ([1, 2, 6], {"missing": 0, "low": 1, "high": 6, "mean": 3.0}),
        ([1.5, None, 2.5], {"missing": 1, "low": 1.5, "high": 2.5, "mean": 2.0}),
        ([2.0, math.inf], {"missing": 0, "low": 2.0, "high": math.inf}),
        ([1e308, 1e308], {"missing": 0, "low": 1e308, "high": 1e308}),
        ([None, None], {"missing": 2}),
        ([True, False, True, True], {"missing": 0, "mean": 0.75}),
        (["Ann", "Bob", None, "Ann"], {"missing": 1, "distinct": 2}),
        (pd.Categorical(["a", "b", "a"], categories=["c", "b", "a"]), {"missing": 0, "distinct": 2}),
        (pd.to_datetime(["2024-02-01", None, "2023-01-31"]), {"missing": 1, "low": "2023-01-31T00:00:00", "high": "2024-02-01T00:00:00"}),
        (pd.to_datetime(["2024-02-01T12:00+02:00"], utc=True), {"missing": 0, "low": "2024-02-01T10:00:00+00:00", "high": "2024-02-01T10:00:00+00:00"}),
        ([[1, 2], [3]], {"missing": 0}),
        (np.array([2**63 + 1, 5], dtype="uint64"), {"missing": 0, "low": 5, "high": 2**63 + 1, "mean": 4.61169e18}),
        ([str(i) for i in range(1_001)], {"missing": 0}),
        ([], {"missing": 0}),
    ],
)  # fmt: skip
def test_what_is_known_of_a_column(values: object, facts: dict[str, object]) -> None:
    for size in (1, 2, 10_000):
        (found,) = profile(Rows(pd.DataFrame({"x": values}), size))
        assert dict(found.facts()) == facts
        assert found.name == "x"


@settings(deadline=None, derandomize=True, max_examples=50)
@given(numbers=st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=1, max_size=40), size=st.integers(1, 50))
def test_batches_change_nothing(numbers: list[float | None], size: int) -> None:
    frame = pd.DataFrame({"x": pd.Series(numbers, dtype="float64")})
    (whole,), (cut,) = profile(Rows(frame, 10**6)), profile(Rows(frame, size))
    there = [value for value in numbers if value is not None]
    assert (cut.missing, cut.low, cut.high) == (whole.missing, whole.low, whole.high)
    if there:
        assert cut.mean == pytest.approx(math.fsum(there) / len(there), rel=1e-5, abs=1e-9)
    else:
        assert cut == ColumnProfile(name="x", missing=len(numbers))
