"""``model_gate.assert_no_drift`` and the key ``drift`` in a run of pytest."""

from __future__ import annotations

import pytest
from gate_projects import CREDIT, section

ASKING = """
import pytest

@pytest.mark.model_gate("credit")
def test_a(model_gate):
    model_gate.assert_no_drift({})
"""


@pytest.fixture
def reference(project):
    """Training data: half of the holdout's rows from the south, and a region that the holdout lacks."""
    lines = ["id,y,region"] + [f"{n},{n % 2},{'south' if n % 2 else 'north'}" for n in range(600)]
    (project.path / "train.csv").write_text("\n".join([*lines, "600,1,moon"]) + "\n")
    project.gates(CREDIT)


def test_an_assertion_fails_with_a_short_table(project, reference):
    project.write(test_gates=ASKING.format('"train.csv", columns=["region"], overall=False'))
    result = project.run()
    failure = [line for line in section(result, "FAILURES") if not line.startswith("__")]
    summary = "drift: 1 column against train.csv: 1 drifted"
    assert failure[0] == f"credit (no_drift(region)): INVALID  {summary}"
    assert failure[1] == f"  INVALID {summary}"
    assert failure[2].startswith("  reference   train.csv   601 rows   sha256:")
    assert failure[3].split()[:4] == ["column", "kind", "measure", "effect"]
    assert failure[4].split()[:3] == ["region", "category", "tv"]
    assert failure[4].endswith("DRIFTED")
    assert failure[5] == "    gone: moon"
    assert result.ret == 1


def test_an_assertion_passes(project, reference):
    project.write(test_gates=ASKING.format('"train.csv", columns="region", threshold=0.5, overall=False'))
    result = project.run()
    assert result.ret == 0


def test_an_assertion_without_a_reference_says_what_to_write(project, reference):
    project.write(test_gates=ASKING.format(""))
    failure = section(project.run(), "FAILURES")
    assert failure[-1].strip() == (
        'next: Name it: assert_no_drift("data/train.parquet"), or give the gate drift = "data/train.parquet".'
    )


def test_a_gate_that_names_a_reference_warns(project, reference):
    project.gates(CREDIT + '\ndrift = { reference = "train.csv", ignore = "y", overall = false }\n')
    project.write(test_gates='import pytest\n\n@pytest.mark.model_gate("credit")\ndef test_a():\n    pass\n')
    result = project.run()
    assert result.ret == 0
    said = section(result, "model gates")
    assert "  WARNING drift: 1 warning" in said
    assert any(line.split()[:3] == ["region", "category", "tv"] for line in said)


def test_an_unknown_key_is_refused(project, reference):
    project.gates(CREDIT + '\ndrift = { reference = "train.csv", on_drfit = "fail" }\n')
    project.write(test_gates='import pytest\n\n@pytest.mark.model_gate("credit")\ndef test_a():\n    pass\n')
    result = project.run()
    said = " ".join(" ".join(result.outlines + result.errlines).split())
    assert "unknown key 'drift.on_drfit'. Did you mean 'on_drift'?" in said
    assert result.ret != 0
