"""A gate that judges the model, and is not in the report, keeps the alias where it is."""

from __future__ import annotations

import pluggy
import pytest

from pytest_model_gate.cli.collection import Collected
from pytest_model_gate.cli.promote import _same_policy
from pytest_model_gate.errors import InvalidError
from pytest_model_gate.gate.promotion import Promotion
from pytest_model_gate.spec import GateSpec

WANTED = Promotion(
    model="credit",
    version="2",
    alias="champion",
    expected="1",
    digest="sha256:" + "0" * 64,
    gates=("credit",),
    datasets=(),
    policies=(),
    tracking_uri="",
    waived=(),
)


def spec(candidate: str, production: str, candidates: tuple[str, ...] = ()) -> GateSpec:
    return GateSpec(
        name="more",
        candidate=candidate,
        production=production,
        baseline="prior",
        dataset="holdout.parquet",
        target="default",
        metrics=("roc_auc",),
        candidates=candidates,
    )


@pytest.mark.parametrize(
    "other",
    [
        spec("models:/credit@challenger", "none"),
        spec("models:/credit/3", "production.skops"),
        spec("a.skops", "none", ("a.skops", "models:/credit@challenger")),
        # What a pipeline hands over as --gate-candidate is not in the file: production says what is judged.
        spec("candidate.skops", "models:/credit@champion"),
        spec("mlflow-search:credit?order_by=metrics.val_auc DESC", "models:/credit@champion"),
    ],
)
def test_a_gate_of_the_model_is_missing(other: GateSpec) -> None:
    with pytest.raises(InvalidError) as caught:
        _same_policy(WANTED, [Collected(other, pluggy.PluginManager("model_gate"))])
    assert str(caught.value) == (
        "Nothing is promoted: gate more judges credit too, and is not in the report.\n"
        "  Run all gates of the model into one report."
    )


@pytest.mark.parametrize(
    "other",
    [
        spec("models:/credit-cards@challenger", "models:/credit-cards@champion"),
        spec("models:/credit_eu/3", "none"),
        spec("candidate.skops", "production.skops"),
    ],
)
def test_a_gate_of_another_model_is_none_of_it(other: GateSpec) -> None:
    _same_policy(WANTED, [Collected(other, pluggy.PluginManager("model_gate"))])
