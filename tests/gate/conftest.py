"""A small credit-like task: a dataset, two good models and their predictions, in a directory of its own."""

import sys
from dataclasses import replace

import pytest
from gate_rows import make_frame

from pytest_model_gate.gate.evaluate import Evaluation
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.spec import GateSpec


class Project:
    """A directory with a dataset and predictions, and the gate on them."""

    def __init__(self, root):
        self.root = root
        self.frame = make_frame()
        self.write(self.frame)
        self.spec = GateSpec(
            name="credit",
            candidate="predictions:scores.parquet#cand",
            production="predictions:scores.parquet#prod",
            baseline="prior",
            dataset="data.parquet",
            target="y",
            metrics=("roc_auc", "log_loss"),
            key="id",
            root=str(root),
        )
        self.registry = build_registry()

    def write(self, frame):
        frame[["id", "x", "z", "y", "region"]].to_parquet(self.root / "data.parquet")
        self.write_scores(frame)

    def write_scores(self, frame):
        frame[["id", "cand", "prod", "bad"]].to_parquet(self.root / "scores.parquet")

    def module(self, name, text):
        (self.root / f"{name}.py").write_text(text)
        sys.modules.pop(name, None)

    def evaluation(self, *, pin=True, **keys):
        spec = checked(replace(self.spec, **keys), self.registry)
        return Evaluation(spec, self.registry, pin=pin)

    def record(self, *, pin=True, **keys):
        return self.evaluation(pin=pin, **keys).record()


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)
