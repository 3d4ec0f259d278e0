"""What a gate found of a model, as a tracker is told it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_model_gate.results import DatasetRecord, GateRecord, Interval, Line, RoleRecord, Verdict


def line_of(metric: str) -> Line:
    """Return a line on all rows that passes."""
    return Line(
        question="regression", metric=metric, slice="all", n=9, reference=0.5, candidate=0.6, gain=0.1,
        interval=Interval(low=0.05, high=0.15, level=0.9, method="t"), standard_error=0.03, required=-0.01,
        tolerance="0.01", verdict=Verdict.PASS, reason="",
    )  # fmt: skip


def record_of(
    kind: str, candidate: tuple[str, str], production: tuple[str, str], line: Line, **more: Any
) -> GateRecord:
    """Return a record of two models, each a source and what it resolved to; ``more`` replaces fields."""
    values = {
        "gate": "credit",
        "decision": "",
        "verdict": Verdict.PASS,
        "reason": "1 line judged",
        "alpha": 0.05,
        "roles": (
            RoleRecord(
                role="candidate", source=candidate[0], resolved=candidate[1], digest="sha256:c", kind=kind
            ),
            RoleRecord(
                role="production", source=production[0], resolved=production[1], digest="sha256:b", kind=kind
            ),
        ),
        "dataset": DatasetRecord(
            source="h.parquet", resolved="h.parquet", digest="sha256:d", pin="pinned", rows=9, rows_used=9
        ),
        "lines": (line, replace(line, slice="region=north", gain=0.2)),
        "policy": "sha256:p",
    }
    return GateRecord(**{**values, **more})
