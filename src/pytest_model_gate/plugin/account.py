"""The side of a run that reports: which gates were collected, which verdicts arrived, and what follows.

Imported at every start of pytest, so standard library and pytest only. It lives in the process that
prints: plain pytest, or the controller of pytest-xdist, which collects nothing itself and is told
everything by test reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..report.run import Run

JSON = ".json"
#: Runs that only ask what there is.
_ASKING = ("collectonly", "setuponly", "setupplan", "showfixtures", "show_fixtures_per_test")
FAILED = "the test failed before its gate was judged"


class Seen:
    """What is known of one test that is a gate."""

    def __init__(self, gate: str) -> None:
        self.gate = gate
        self.fate = "selected"
        self.started = False
        self.records: list[str] = []
        self.skipped = ""
        self.trouble = ""
        self.failed = False
        self.attempts = 1


class Account:
    """Read the reports, compare them with what was collected, and decide whether the run may be green."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.seen: dict[str, Seen] = {}
        self.unreported: set[str] | None = None  # of all tests, where xdist tells them
        self.problems: list[str] = []
        self.remarks: list[str] = []
        self.interrupted = False
        self.lost = False  # a worker, or this process, broke: what it had to say is gone
        self.run: Run | None = None

    # -- what arrives -----------------------------------------------------------------------------

    def expect(self, collected: str) -> None:
        """Take note of gates that were collected, as ``GateSession.collected`` tells them."""
        import json

        for nodeid, gate, fate in json.loads(collected):
            self.seen.setdefault(nodeid, Seen(gate)).fate = fate

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Read what a test has to say, at each of its phases."""
        if self.unreported is not None:
            self.unreported.discard(report.nodeid)
        if hasattr(report, "context"):  # a subtest: the test itself reports later, with everything
            return
        known = self.seen.get(report.nodeid)
        if hasattr(report, "model_gate"):
            from .transport import read

            payload = read(report)
            if payload is not None:
                known = self.seen.setdefault(report.nodeid, Seen(payload["gate"]))
                self._note(known, report, payload)
        if known is not None and report.failed:
            known.failed = True
            if report.when not in ("setup", "call", "teardown"):  # xdist makes a report for a crashed test
                known.trouble = str(report.longrepr)

    def _note(self, known: Seen, report: pytest.TestReport, payload: dict[str, Any]) -> None:
        known.started = True
        known.attempts += str(report.outcome) == "rerun"  # what pytest-rerunfailures makes of a failure
        known.skipped = payload.get("skipped", known.skipped)
        known.trouble = payload.get("trouble", known.trouble)
        # A test may report more than once: it is run again, or on every worker (--dist=each).
        known.records = list(dict.fromkeys([*known.records, *payload.get("records", ())]))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that could not be collected may hold gates."""
        self.interrupted = self.interrupted or report.failed

    def pytest_keyboard_interrupt(self) -> None:
        """The run ends early."""
        self.interrupted = True

    def pytest_internalerror(self) -> None:
        """Somewhere the run broke; xdist goes on without the worker, and ends green."""
        self.lost = True
        self.problems.append("pytest broke with an internal error (INTERNALERROR above): results are missing")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Remember all tests that must report."""
        if self.unreported is None:
            self.unreported = set(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """Read what a worker leaves behind, or take note of its death."""
        output = getattr(node, "workeroutput", None) or {}
        if "model_gate" in output:
            self.expect(output["model_gate"])
        if error:
            self.lost = True
            self.problems.append(f"worker {node.gateway.id} died: {error}")

    # -- what follows -----------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Settle it, write the reports, and turn a green run red where a verdict is missing."""
        options = self.config.option
        if any(getattr(options, name, False) for name in _ASKING):
            return
        from .session import session_key

        collecting = self.config.stash.get(session_key, None)
        if collecting is not None:
            self.expect(collecting.collected())
        if not self.seen and not self.config.getoption("gate_report"):
            from ..config.declared import speaks_of_gates

            if not speaks_of_gates(self.config.rootpath):
                return
        from .outputs import settle, tell, write_reports

        early = session.exitstatus not in (
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        )
        self.run = tell(self, write_reports(self, settle(self, interrupted=self.interrupted or early)))
        # Only from a status that says "all is well": any other one says more than ours would.
        if session.exitstatus == pytest.ExitCode.OK and not self.run.passed and not self.run.advise:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the report."""
        if self.run is not None:
            from .outputs import show

            show(self, self.run, terminalreporter)
