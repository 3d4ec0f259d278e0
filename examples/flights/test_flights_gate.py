"""The gate that stands between a trained candidate and the passengers."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.model_gate("flights")  # [tool.model_gate.gates.flights] in pyproject.toml


def test_candidate_may_ship():
    """The marker alone runs the whole gate."""


def test_candidate_ranks_flights_much_better_than_chance(model_gate):
    model_gate.assert_schema()
    model_gate.assert_beats_baseline("roc_auc", by=0.2)


def test_evening_is_riskier_than_morning(candidate_model, pinned_dataset):
    """Delays pile up over the day: the same flights, moved to the evening, must be riskier."""
    flights = pinned_dataset.sample(2_000, random_state=0)
    morning, evening = (
        candidate_model.predict_proba(flights.assign(hour=hour))[:, 1].mean() for hour in (7, 19)
    )
    assert evening > 2 * morning
