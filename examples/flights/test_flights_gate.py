"""The gate that stands between a trained candidate and the passengers."""

from __future__ import annotations

import pytest


@pytest.mark.model_gate("flights")
def test_candidate_may_ship():
    """The marker alone runs the whole gate of pyproject.toml, and its verdict is the test's."""


@pytest.mark.model_gate("flights")
def test_candidate_ranks_flights_better_than_chance(model_gate):
    model_gate.assert_schema()
    model_gate.assert_beats_baseline("roc_auc", by=0.05)
