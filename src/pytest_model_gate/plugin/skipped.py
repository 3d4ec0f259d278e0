"""Skips and expected failures of gates: which of them are said, and which fail."""

from __future__ import annotations

import pytest

from .session import MARK

REMEDY = (
    "A gate that did not run is never a pass. Provide what is missing, or choose by a mark, "
    "@pytest.mark.skip or skipif with a reason: then it is listed as not judged."
)


def skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why a test was skipped."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(text).removeprefix("Skipped: ")


def skipped_by_mark(call: pytest.CallInfo[None]) -> bool:
    """Whether a skip came from a mark, and not from code that gave up on the way.

    Only pytest itself raises for a mark, so the exception comes out of its module.
    """
    if call.excinfo is None or call.when != "setup":
        return False
    last = call.excinfo.traceback[-1].frame
    return bool(last.f_globals.get("__name__") == "_pytest.skipping")


def explain_skipped_module(report: pytest.CollectReport, collector: pytest.Module) -> None:
    """Turn the skip of a module that holds gates into a collection error."""
    try:
        source = collector.path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    if f"mark.{MARK}" in source:
        reason = skip_reason(report)
        report.outcome = "failed"
        report.longrepr = f"{collector.path.name} holds model gates and skips itself: {reason}\n  {REMEDY}"
