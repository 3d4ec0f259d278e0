"""Means and spreads that are worked out block by block, in any order of the rows and with any weights."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_model_gate.blocks import BLOCK, blocks
from pytest_model_gate.metrics.catalogue import resolve
from pytest_model_gate.metrics.rows import Predicted, Truth

N = 2 * BLOCK + 77


@pytest.fixture(scope="module")
def rng() -> np.random.Generator:
    return np.random.default_rng(20261124)


@pytest.mark.parametrize("n", [0, 1, BLOCK, BLOCK + 1, N])
def test_blocks_cover_every_row_once(n: int) -> None:
    rows = np.concatenate([np.arange(n)[each] for each in blocks(n)] or [np.arange(0)])
    assert np.array_equal(rows, np.arange(n))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("order", ["as drawn", "ascending", "descending"])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_spread_is_that_of_the_whole(
    rng: np.random.Generator, weighted: bool, order: str, shift: float
) -> None:
    values = rng.standard_t(3, size=N) + shift
    if order != "as drawn":
        values = np.sort(values)[:: 1 if order == "ascending" else -1]
    weight = rng.gamma(4.0, size=N) / 4 if weighted else None
    truth = Truth(values=np.ascontiguousarray(values), weight=weight)
    long = values.astype(np.longdouble)
    mean = np.average(long, weights=weight)
    square = np.average((long - mean) ** 2, weights=weight)
    found = truth.spread
    assert found[0] == pytest.approx(float(mean), rel=1e-13, abs=1e-13)
    assert found[1] == pytest.approx(float(square), rel=1e-12)
    assert truth.mean_by_block(lambda rows: values[rows]) == pytest.approx(float(mean), rel=1e-13, abs=1e-13)


def test_equal_values_have_no_variance_in_any_number_of_blocks() -> None:
    assert Truth(values=np.full(N, 0.1)).variance == 0.0
    assert Truth(values=np.full(N, 0.1), weight=np.full(N, 1 / 3)).variance == 0.0
    assert Truth(values=np.where(np.arange(N) == N - 1, 0.1 + 1e-9, 0.1)).variance > 0


@pytest.mark.parametrize("name", ["r2", "explained_variance", "root_mean_squared_error", "pearson"])
@pytest.mark.parametrize("weighted", [False, True])
def test_influence_of_many_blocks_is_the_derivative_by_a_row(
    rng: np.random.Generator, name: str, weighted: bool
) -> None:
    """One row more, of whatever block: the value moves by its influence over n."""
    y = rng.gamma(2.0, size=N)
    p = y + rng.normal(size=N)
    weight = rng.gamma(4.0, size=N) if weighted else np.ones(N)
    weight /= weight.mean()
    metric = resolve(name)

    def at(step: float, row: int) -> float:
        moved = weight.copy()
        moved[row] *= 1 + step
        return metric.value(Truth(values=y, weight=moved), Predicted(value=p))

    psi = metric.influence(Truth(values=y, weight=weight if weighted else None), Predicted(value=p))
    for row in (0, BLOCK - 1, BLOCK, N - 1):
        slope = (at(0.5, row) - at(-0.5, row)) * N
        assert slope == pytest.approx(psi[row], rel=2e-3, abs=1e-4)


def test_what_is_kept_is_never_written_into() -> None:
    """A difference may take the memory of an influence that nobody holds, and of no other."""
    y = np.random.default_rng(3).gamma(2.0, size=N)
    p = y + 1.0
    truth, predicted = Truth(values=y), Predicted(value=p)
    for name in ("pearson", "root_mean_squared_log_error"):
        kept = resolve(name).influence(truth, predicted)
        assert not kept.flags.writeable
        held = resolve("r2").influence(truth, predicted)
        before = held.copy()
        assert (held - kept).base is None
        assert np.array_equal(held, before)
