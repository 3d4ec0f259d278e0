"""How records travel: one JSON string per test report, written and read here and nowhere else.

A report crosses the border of a process (pytest-xdist). A numpy number or a dataclass on it kills the
worker while it sends, and the run ends green without the test; text always arrives.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .collected import GateItem

#: The attribute of a test report that holds the text.
ATTRIBUTE = "model_gate"


def note_properties(gate: GateItem) -> None:
    """Tell JUnit and other readers of ``user_properties`` the verdict of this test's gate.

    So that no reader takes what was forgiven for what passed, a second property names these lines.

    What the test itself recorded is made fit to travel: a test of a model that says
    ``record_property("auc", np.float64(0.7))`` must not lose its verdict for that.
    """
    from ..policy import GRAVITY
    from ..report.terminal import forgiven
    from ..results import Verdict

    name = f"model_gate_{gate.name}"
    properties = gate.item.user_properties
    # The list outlives a re-run of the test.
    kept = [(key, _carried(value)) for key, value in properties if key not in (name, f"{name}_forgiven")]
    if gate.records:
        found = {record.verdict for record, _ in gate.records}
        kept.append((name, next((grave for grave in GRAVITY if grave in found), Verdict.PASS).value))
        told = forgiven(record for record, _ in gate.records)
        if told:
            kept.append((f"{name}_forgiven", told))
    properties[:] = kept


def _carried(value: object) -> object:
    """Return a value that execnet carries: itself, a numpy scalar's number, or its text."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    unpack = getattr(value, "item", None)
    if callable(unpack) and getattr(value, "ndim", None) == 0:
        return _carried(unpack())
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return str(value)


def attach(report: pytest.TestReport, call: pytest.CallInfo[None], gate: GateItem) -> None:
    """Put what the test found on its report, and refuse skips and expected failures of gates."""
    from ..report.escape import plain
    from .skipped import REMEDY, skip_reason, skipped_by_mark

    payload: dict[str, Any] = {"gate": gate.name}
    if report.skipped and skipped_by_mark(call) and not hasattr(report, "wasxfail"):
        payload["skipped"] = skip_reason(report)
    elif report.skipped or hasattr(report, "wasxfail"):
        expected = hasattr(report, "wasxfail")
        reason = str(report.wasxfail) if expected else skip_reason(report)
        did = "expects its own failure" if expected else "skipped itself"
        remedy = "Use a waiver, with an owner and a date." if expected else REMEDY
        payload["trouble"] = f"the test {did}: {reason}"
        if expected:
            del report.wasxfail
        if gate.advise:
            report.outcome = "skipped"
            if not isinstance(report.longrepr, tuple):
                report.longrepr = ("", 0, f"Skipped: {reason}")
        else:
            report.outcome = "failed"
            said = plain(f"{gate.name}: NOT JUDGED, {payload['trouble']}")
            report.longrepr = f"{said}\n  {remedy}"
    if call.when == "call":
        payload["records"] = [written for _, written in gate.records]
    setattr(report, ATTRIBUTE, json.dumps(payload, allow_nan=False))


def read(report: object) -> dict[str, Any] | None:
    """Return what :func:`attach` put on a report, or ``None`` where it is no gate's."""
    text = getattr(report, ATTRIBUTE, None)
    if not isinstance(text, str):
        return None
    found: dict[str, Any] = json.loads(text)
    return found
