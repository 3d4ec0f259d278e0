"""Records to render."""

from __future__ import annotations

from pytest_model_gate.report.run import NotJudged, Run, Tested
from pytest_model_gate.results import (
    Check,
    DatasetRecord,
    Finding,
    GateRecord,
    Interval,
    Line,
    RoleRecord,
    SmallSlice,
    Verdict,
)


def line(**changes) -> Line:
    """Return a line that passes, with these changes."""
    low, high = changes.pop("low", -0.0038), changes.pop("high", -0.0014)
    values = {
        "question": "regression",
        "metric": "roc_auc",
        "slice": "all",
        "n": 30_000,
        "reference": 0.92131,
        "candidate": 0.91872,
        "gain": -0.00259,
        "interval": Interval(low=low, high=high, level=0.9, method="delong"),
        "standard_error": 0.00073,
        "required": -0.005,
        "tolerance": "0.005",
        "verdict": Verdict.PASS,
        "reason": "not worse than production by more than the tolerance",
        "warning": "worse, within tolerance",
    }
    return Line(**{**values, **changes})


REGRESSED = line(
    slice="region=north",
    n=7_000,
    reference=0.905,
    candidate=0.879,
    gain=-0.026,
    low=-0.0391,
    high=-0.0129,
    verdict=Verdict.REGRESSED,
    reason="worse than production by more than the tolerance: 0.026 worse, 0.005 allowed",
    remedy="Do not ship this candidate.",
    warning="",
)

INCONCLUSIVE = line(
    slice="region=islands",
    n=412,
    reference=0.911,
    candidate=0.912,
    gain=0.001,
    low=-0.021,
    high=0.023,
    verdict=Verdict.INCONCLUSIVE,
    reason="412 rows resolve 0.027; about 12,000 needed",
    remedy="Judge more rows.",
    warning="",
)

DIGEST = "sha256:" + "ab12" * 16


def record(**changes) -> GateRecord:
    """Return a record of a gate that regressed, with these changes."""
    values = {
        "gate": "credit",
        "decision": "approve or decline a loan application",
        "verdict": Verdict.REGRESSED,
        "reason": "roc_auc on region=north: worse than production by more than the tolerance (and 1 more)",
        "alpha": 0.05,
        "roles": (
            RoleRecord(
                role="candidate",
                source="models:/credit@challenger",
                resolved="models:/credit/12",
                digest=DIGEST,
                kind="sklearn",
            ),
            RoleRecord(role="baseline", source="prior", resolved="prior", digest="", kind="built in"),
        ),
        "dataset": DatasetRecord(
            source="data/holdout.parquet",
            resolved="data/holdout.parquet",
            digest=DIGEST,
            pin="pinned",
            rows=30_000,
            rows_used=29_999,
            dropped=(("missing target", 1),),
        ),
        "checks": (
            Check(name="pin", verdict=Verdict.PASS, summary="pinned"),
            Check(name="schema", verdict=Verdict.PASS, summary="ok, 14 columns"),
        ),
        "lines": (line(), REGRESSED, INCONCLUSIVE),
        "small_slices": (SmallSlice(slice="carrier=OO", n=22, min_rows=500),),
        "versions": (("numpy", "2.4.6"),),
    }
    return GateRecord(**{**values, **changes})


INVALID = record(
    verdict=Verdict.INVALID,
    reason="schema: 2 problems",
    lines=(),
    small_slices=(),
    checks=(
        Check(
            name="schema",
            verdict=Verdict.INVALID,
            summary="2 problems",
            findings=(
                Finding(
                    subject="age",
                    problem="must be >= 0.",
                    remedy="Repair the column.",
                    count=1_234,
                    examples=("-5", "-7"),
                ),
                Finding(subject="income", problem="is missing."),
            ),
        ),
    ),
)


def judged(*records: GateRecord, test: str = "test_a.py::test_a", outcome: str = "failed", **more) -> Tested:
    """Return a test that found these records."""
    return Tested(test=test, gate=records[0].gate, records=records, outcome=outcome, **more)


FULL = Run(
    tested=(judged(record()), judged(INVALID, test="test_b.py::test_b", attempts=2)),
    not_judged=(NotJudged(gate="churn", test="", reason="no collected test has it", fails=False),),
    problems=("worker gw0 died",),
    complete=False,
)
