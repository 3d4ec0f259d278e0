"""A gate on a dataset that has versions: it pins what the name means now, and judges by what was pinned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pytest_model_gate.data.lock import read_lock
from pytest_model_gate.data.sources.builtin import model_gate_dataset
from pytest_model_gate.gate.evaluate import Evaluation
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.spec import GateSpec, SourceContext

ROWS = 240


def rows(version: int) -> pd.DataFrame:
    """Return what a dataset holds in one of its versions: others have other targets, and more rows."""
    rng = np.random.default_rng(7)
    n = ROWS + 10 * (version - 1)
    score = rng.normal(size=n)
    y = (score + np.random.default_rng(version).normal(size=n) > 0).astype("int64")
    return pd.DataFrame({"id": np.arange(n), "y": y, "region": np.where(score > 0, "nörd", "south")})


def table(version: int) -> pa.Table:
    return pa.Table.from_pandas(rows(version), preserve_index=False)


class VersionedGate:
    """A project with predictions, whose dataset is a source with versions."""

    def __init__(self, root: Path, dataset: str) -> None:
        self.root = root
        score = np.random.default_rng(7).normal(size=ROWS)
        pd.DataFrame({"id": np.arange(ROWS), "good": 1 / (1 + np.exp(-score))}).to_parquet(
            root / "scores.parquet"
        )
        self._registry = build_registry()
        spec = GateSpec(
            name="credit",
            candidate="predictions:scores.parquet#good",
            production="none",
            baseline="prior",
            dataset=dataset,
            target="y",
            metrics=("roc_auc",),
            key="id",
            root=str(root),
        )
        self.spec = checked(spec, self._registry)

    def pin(self):
        """Pin what the source means now, and judge."""
        return Evaluation(self.spec, self._registry, pin=True).record()

    def judge(self):
        """Judge by what is pinned."""
        return Evaluation(self.spec, self._registry, pin=False).record()

    @property
    def pinned(self):
        """The only pin in the lock file."""
        (found,) = read_lock(self.root / "model-gate.lock").datasets
        return found

    def open(self, source, **context):
        return opened(self.root, source, **context)


def opened(root: Path, source: str, **context):
    """Open a source as a gate would, with ``root`` as the project."""
    return model_gate_dataset(source, SourceContext(root=str(root), **context))


def everything(dataset, columns=None) -> pd.DataFrame:
    return pd.concat(list(dataset.batches(columns)), ignore_index=True)


def findings(record) -> list[str]:
    """Return what the checks of a record found, with what to do next."""
    return [f"{finding.problem}\n  {finding.remedy}" for check in record.checks for finding in check.findings]


def still_version_1(gate: VersionedGate, write_version_2) -> None:
    """Pin version 1, write version 2, and expect the gate to judge exactly what was pinned."""
    first = gate.pin()
    assert first.dataset.rows == ROWS
    assert first.dataset.pin == "pinned now"
    write_version_2()
    second = gate.judge()
    assert findings(second) == findings(first)
    assert second.dataset.pin == "pinned"
    assert (second.dataset.digest, second.dataset.resolved) == (first.dataset.digest, first.dataset.resolved)
    assert [(line.metric, line.candidate) for line in second.lines] == [
        (line.metric, line.candidate) for line in first.lines
    ]
    assert second.verdict is first.verdict
