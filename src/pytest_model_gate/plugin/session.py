"""The side of a run that collects and runs tests: plain pytest, or each worker of pytest-xdist.

Imported at every start of pytest, so standard library and pytest only.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from .account import Account

if TYPE_CHECKING:
    from .collected import GateItem, Gates

MARK = "model_gate"
SESSION, ACCOUNT = "model_gate.session", "model_gate.account"
SOURCES = ("candidate", "production", "baseline", "dataset")

session_key = pytest.StashKey["GateSession"]()
account_key = pytest.StashKey[Account]()
#: On every item that is a gate.
gate_key = pytest.StashKey["GateItem"]()
#: On every marked item whose gate makes no sense.
refused_key = pytest.StashKey[bool]()


def start(config: pytest.Config) -> None:
    """Register what this process of the run needs."""
    config.stash[session_key] = session = GateSession(config)
    config.pluginmanager.register(session, SESSION)
    if not hasattr(config, "workerinput"):  # one process reports: the controller of xdist, or the only one
        config.stash[account_key] = account = Account(config)
        config.pluginmanager.register(account, ACCOUNT)
        if any(config.getoption(name) for name in ("gate_report", "gate_pin", "gate_log", "gate_promote")):
            from .outputs import check_options

            check_options(config)


def stop(config: pytest.Config) -> None:
    """Unregister it."""
    if session_key in config.stash:
        _unregister(config, config.stash[session_key])
        del config.stash[session_key]
    if account_key in config.stash:
        _unregister(config, config.stash[account_key])
        del config.stash[account_key]


def _unregister(config: pytest.Config, plugin: object) -> None:
    if config.pluginmanager.is_registered(plugin):  # not where somebody blocked it with -p no:NAME
        config.pluginmanager.unregister(plugin)


class GateSession:
    """Find the gates among the tests, judge them, and put what was found on the reports."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        # Not keyed by item: an item's hash is its node id, and xdist changes that for --dist=loadgroup.
        self._items: list[GateItem] = []
        self._errors: dict[str, str] = {}  # text -> what to print as its place
        self._gates: Gates | None = None
        self._doubts: list[str] = []

    @property
    def gates(self) -> Gates:
        """Project, registry and evaluations: heavy, so made when the first marked test is met."""
        if self._gates is None:
            from .collected import Gates

            self._gates = Gates(self.config)
        return self._gates

    def __iter__(self) -> Iterator[GateItem]:
        """Iterate over the gates that are going to run."""
        return (gate for gate in self._items if gate.fate == "selected")

    # -- collection -------------------------------------------------------------------------------

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Read the marks of a test.

        Every kind of item comes through here, with the marks of its parameters. What is wrong is said
        when all are collected, because an exception here would be an internal error of pytest.
        """
        if item.get_closest_marker(MARK) is None:
            return
        from ..errors import ModelGateError

        try:
            gate = self.gates.collect(item)
        except ModelGateError as error:
            item.stash[refused_key] = True
            self._errors.setdefault(str(error), item.nodeid)
        else:
            item.stash[gate_key] = gate
            self._items.append(gate)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Refuse a module that skips itself although it holds gates: they would be gone without a word."""
        report = yield
        if report.skipped and isinstance(collector, pytest.Module):
            from .skipped import explain_skipped_module

            explain_skipped_module(report, collector)
        return report

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember what the user, or a plugin, chose not to run."""
        for item in items:
            if gate_key in item.stash:
                item.stash[gate_key].fate = "deselected"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Check what only all gates together tell, and say everything that is wrong as collection errors.

        A failed collection report is the one way that reads the same alone, under xdist and with
        ``--collect-only``: a usage error raised here would be an internal error in a worker of xdist.
        """
        for item in session.items:
            # A mark that a conftest adds while it modifies the collected tests comes after they were read.
            if gate_key not in item.stash and refused_key not in item.stash:
                self.pytest_itemcollected(item)
        if self._items or self._speaks_of_gates():
            self._check(session)
        for text, where in self._errors.items():
            report = pytest.CollectReport(nodeid=where, outcome="failed", longrepr=text, result=[])
            self.config.hook.pytest_collectreport(report=report)
        # A test must not run without its gate, and xdist does run tests after a collection error.
        session.items[:] = [item for item in session.items if refused_key not in item.stash]

    def _speaks_of_gates(self) -> bool:
        from ..config.declared import speaks_of_gates

        return self._overridden() or speaks_of_gates(self.config.rootpath)

    def _overridden(self) -> bool:
        """Whether the command line names a source, which must not go unused."""
        return any(self.config.getoption(f"gate_{key}") for key in SOURCES)

    def _check(self, session: pytest.Session) -> None:
        from ..errors import ModelGateError

        for gate in self:
            try:
                gate.check()
            except ModelGateError as error:
                gate.refuse()
                self._errors.setdefault(str(error), gate.item.nodeid)
        running = list(self)
        if running and not hasattr(self.config, "workerinput"):  # a worker prints nothing
            self._doubts = self.gates.doubts(running)
        whole = not (self._errors or session.testsfailed or self._narrowed())
        if not (self._items or whole or self._overridden()):
            return  # a part of the tests, without a gate: what the project declares is not even read
        try:
            self.gates.check_together(self._items, whole=whole)
        except ModelGateError as error:
            self._errors[str(error)] = "model gates"
            for gate in self:
                gate.refuse()

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say which gates can hardly pass with the rows that are pinned, before any is judged.

        Lines of the report and no warnings: ``-W error`` must not make errors of them.
        """
        return self._doubts

    def _narrowed(self) -> bool:
        """Whether the user asked for a part of the tests only."""
        config, source = self.config, self.config.args_source
        options = ("keyword", "markexpr", "lf", "stepwise", "deselect", "ignore", "ignore_glob")
        return (
            any(gate.fate == "deselected" for gate in self._items)
            or any(config.getoption(option, None) for option in options)
            or source is config.ArgsSource.ARGS
            or (
                source is config.ArgsSource.INVOCATION_DIR and config.invocation_params.dir != config.rootpath
            )
        )

    # -- running ----------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Forget an earlier attempt of the same test; its evaluation stays, and so does its verdict."""
        if gate_key in item.stash:
            item.stash[gate_key].start_again()

    # The innermost wrapper: what is judged here is captured and timed like the body of the test.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Judge the whole gate when the body has passed without asking anything of it."""
        result = yield
        if gate_key in item.stash:
            item.stash[gate_key].finish()
        elif item.get_closest_marker(MARK) is not None:
            pytest.fail(
                f"{item.name}: NOT JUDGED, the mark {MARK} was added while the test ran.\n"
                "  Mark it before: as a decorator, with pytestmark, or in pytest_collection_modifyitems.",
                pytrace=False,
            )
        return result

    # The outermost wrapper: it has the last word on what a gate that did not run counts as.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the records on the report, as text: nothing else crosses the border of a process."""
        if gate_key not in item.stash:
            return (yield)
        from .transport import attach, note_properties

        gate = item.stash[gate_key]
        note_properties(gate)
        report = yield
        attach(report, call, gate)
        return report

    # -- what the controller of xdist has to know -------------------------------------------------

    def collected(self) -> str:
        """Return all gates of this run as one JSON string: ``[node id, gate, fate]`` each."""
        import json

        return json.dumps([[gate.item.nodeid, gate.name, gate.fate] for gate in self._items])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Tell the controller which tests are gates; a worker that dies has said it by its set-up reports."""
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output["model_gate"] = self.collected()
