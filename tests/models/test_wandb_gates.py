"""A gate on what W&B holds, in runs of pytest: the best run as the candidate, and how it is counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from systems.wandb_standin import Collection, Run, wandb_standin

__all__ = ["wandb_standin"]

pytestmark = pytest.mark.wandb_standin

_ROWS = np.random.default_rng(4).normal(size=(400, 2))
ROWS = pd.DataFrame(_ROWS, columns=["a", "b"])
LABEL = pd.Series((_ROWS @ [1.0, 0.5] + np.random.default_rng(5).normal(size=400) > 0).astype(int))


def run(root: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:rerunfailures", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout


@pytest.fixture
def project(tmp_path, wandb_standin):
    """A project whose candidate is the best run, and whose production is what an alias means."""
    root = tmp_path / "project"
    root.mkdir()
    ROWS.assign(label=LABEL).to_parquet(root / "holdout.parquet")
    (root / "pyproject.toml").write_text(
        "[tool.model_gate]\nholdout_budget = 5\n[tool.model_gate.gates.credit]\n"
        'candidate = "wandb-search:team/credit?order=-summary.val_auc"\n'
        'production = "wandb:team/credit/scorer:champion"\nbaseline = "prior"\ndataset = "holdout.parquet"\n'
        'target = "label"\nmetrics = ["roc_auc"]\nmax_regression = 0.5\n'
    )
    (root / "test_credit.py").write_text(
        'import pytest\n\n\n@pytest.mark.model_gate("credit")\ndef test_ships():\n    pass\n'
    )
    return root


def trained(server, name: str, auc: float, rows: int, *aliases: str) -> None:
    server.runs[name] = Run(f'{{"val_auc": {auc}}}')
    model = LogisticRegression().fit(ROWS[:rows], LABEL[:rows])
    held = server.collections.setdefault("scorer", Collection("model"))
    held.add({"model.skops": skops.io.dumps(model)}, *aliases, run=name)


def test_the_best_run_is_judged_counted_and_told(project, wandb_standin):
    trained(wandb_standin, "r1", 0.7, 20, "champion")
    trained(wandb_standin, "r2", 0.8, 200)
    run(project, "--gate-pin")
    (project / "model-gate.ledger.jsonl").unlink()
    said = run(project, "--gate-log", "wandb")
    assert "-> wandb:team/credit/r2#scorer:v1 (best of 2 runs by summary.val_auc)" in said
    assert (
        "NOTE: candidate is the best of 2 runs by summary.val_auc: the metric that chose it is optimistic"
        in said
    )
    assert "use 1 of 5 of this holdout" in said
    assert "logged: pass -> artifact team/credit/scorer:v1 and run team/credit/r2" in said
    assert json.loads(wandb_standin.runs["r2"].summary)["model_gate/verdict"] == "pass"
    # A better run is another candidate, and so another use.
    trained(wandb_standin, "r3", 0.9, 400)
    said = run(project)
    assert "-> wandb:team/credit/r3#scorer:v2 (best of 3 runs by summary.val_auc)" in said
    assert "use 2 of 5 of this holdout" in said
