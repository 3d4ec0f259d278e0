"""What the stand-in is good for: a client that asks for something else than the one that was tested fails."""

from __future__ import annotations

import pytest

from pytest_model_gate.errors import EvaluationError
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.spec import SourceContext
from systems.wandb_standin import Run, wandb_standin

__all__ = ["wandb_standin"]

pytestmark = pytest.mark.wandb_standin


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("historyKeys", "historyKeys futureField", "Cannot query field 'futureField' on type 'Run'"),
        ("historyKeys", "historyKeys(deep: true)", "Unknown argument 'deep' on field 'Run.historyKeys'"),
        ("on Run {", "on FutureRun {", "Unknown type 'FutureRun'"),
    ],
)
@pytest.mark.parametrize("source", ["wandb:team/credit/r1", "wandb-search:team/credit?order=-summary.auc"])
def test_a_client_that_asks_for_more(wandb_standin, monkeypatch, source, before, after, message):
    """As after an update of the client: its own shipped query, with one change."""
    import wandb.apis.public.runs as shipped

    wandb_standin.runs["r1"] = Run('{"auc": 0.9}')
    assert before in shipped.RUN_FRAGMENT
    monkeypatch.setattr(shipped, "RUN_FRAGMENT", shipped.RUN_FRAGMENT.replace(before, after))
    lazy = shipped.LIGHTWEIGHT_RUN_FRAGMENT.replace(before, after).replace("user {", f"{after} user {{", 1)
    monkeypatch.setattr(shipped, "LIGHTWEIGHT_RUN_FRAGMENT", lazy)
    with pytest.raises(EvaluationError) as error:
        model_gate_model(source, SourceContext())
    assert message in str(error.value)
