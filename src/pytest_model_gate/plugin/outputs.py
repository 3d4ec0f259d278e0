"""What a run leaves behind: the account of its gates, the files that were asked for, the terminal report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import pytest

from ..config.declared import declared_gates, speaks_of_gates
from ..errors import ModelGateError
from ..report import json as json_report
from ..report.escape import plain
from ..report.run import NotJudged, Run, Tested
from ..report.terminal import WIDTH, Text, render
from ..wire import loads
from .account import FAILED, JSON

if TYPE_CHECKING:
    from .account import Account, Seen

#: How many tests a line names at most.
MANY = 10

#: How each tone looks; pytest drops it where there are no colours.
TONES: dict[str, dict[str, bool]] = {
    "good": {"green": True},
    "bad": {"red": True},
    "warn": {"yellow": True},
    "": {},
}


def check_options(config: pytest.Config) -> None:
    """Refuse options that cannot work.

    Raises
    ------
    pytest.UsageError
        In words, before any test runs.
    """
    if config.getoption("gate_pin") and config.getoption("dist", "no") != "no":
        raise pytest.UsageError(
            "--gate-pin writes one file, model-gate.lock, and several workers would write it at once: "
            "add -n0, or run model-gate pin."
        )
    for option in ("--gate-pin", "--gate-advise"):
        if config.getoption("gate_promote") and config.getoption(option.replace("-", "_").lstrip("_")):
            raise pytest.UsageError(
                f"--gate-promote moves an alias to what passed, and {option} lets pass what nobody agreed "
                "to: give one of the two."
            )
    if config.getoption("gate_log"):
        from .telling import check_tracker

        try:
            check_tracker(config, config.getoption("gate_log"))
        except ModelGateError as error:
            raise pytest.UsageError(f"--gate-log: {error}") from None
    for text in config.getoption("gate_report"):
        suffix = Path(text).suffix
        if suffix == JSON:
            continue
        try:
            known = _rendered(config, suffix, Run()) is not None
        except ModelGateError as error:
            raise pytest.UsageError(f"--gate-report {text}: {error}") from None
        if not known:
            raise pytest.UsageError(
                f"--gate-report {text}: no report format has the suffix {suffix!r}. Known: {JSON}, and what "
                "extensions render with the hook model_gate_report."
            )


def settle(account: Account, *, interrupted: bool) -> Run:
    """Return what the run found; every gate that was collected is either judged or listed with a reason."""
    tested, not_judged = [], []
    for nodeid, seen in sorted(account.seen.items()):
        try:
            records = tuple(map(loads, seen.records))
        except ValueError as error:
            records, seen.trouble = (), f"its record cannot be read: {error}"
        if records:
            tested.append(
                Tested(
                    test=nodeid,
                    gate=seen.gate,
                    records=records,
                    outcome="failed" if seen.failed else "passed",
                    attempts=seen.attempts,
                )
            )
        else:
            not_judged.append(_not_judged(nodeid, seen))
    problems = list(account.problems) if account.seen else []
    if account.lost and account.unreported:
        lost = sorted(account.unreported)
        more = f" and {len(lost) - MANY} more" if len(lost) > MANY else ""
        problems.append(f"collected, but never reported: {', '.join(lost[:MANY])}{more}")
    named = {seen.gate for seen in account.seen.values()}
    # Where the configuration itself is wrong, that was said, and no test was asked which gate it has.
    if speaks_of_gates(account.config.rootpath) and not (interrupted and _invalid(account.config.rootpath)):
        not_judged += [
            NotJudged(gate=gate, test="", reason="no collected test has it", fails=False)
            for gate in declared_gates(account.config.rootpath)
            if gate not in named
        ]
    return Run(
        tested=tuple(tested),
        not_judged=tuple(not_judged),
        problems=tuple(dict.fromkeys(problems)),
        complete=not (interrupted or not_judged or problems),
        advise=bool(account.config.getoption("gate_advise")),
    )


def _invalid(root: Path) -> bool:
    """Whether the configuration of the gates is refused."""
    from ..config.files import read_project

    try:
        read_project(root)
    except ModelGateError:
        return True
    return False


def _not_judged(nodeid: str, seen: Seen) -> NotJudged:
    if seen.fate == "refused":
        reason, fails = "refused, see the errors above", True
    elif seen.fate == "deselected":
        reason, fails = "deselected", False
    elif seen.skipped:
        reason, fails = f"skipped ({seen.skipped})", False
    elif seen.trouble:
        reason, fails = seen.trouble, True
    elif seen.failed:
        reason, fails = FAILED, True
    elif seen.started:
        reason, fails = "the test started, and no verdict arrived", True
    else:
        reason, fails = "the run ended before this test", True
    return NotJudged(gate=seen.gate, test=nodeid, reason=reason, fails=fails)


def write_reports(account: Account, run: Run) -> Run:
    """Write the files that were asked for; one that cannot be written is a problem of the run."""
    config = account.config
    problems: list[str] = []
    for text in config.getoption("gate_report"):
        path = config.invocation_params.dir / text
        try:
            if not run.complete and _was_complete(path):
                account.remarks.append(f"{text}: a complete report was replaced by this incomplete one")
            rendered = _rendered(config, path.suffix, run)
            if rendered is None:
                problems.append(f"{text}: nothing renders {path.suffix!r} any more")
                continue
            json_report.write(path, rendered)
        except Exception as error:  # noqa: BLE001 - an extension may raise anything, and here nothing may raise
            told = str(error) if isinstance(error, (OSError, ModelGateError)) else repr(error)
            problems.append(f"{text}: the report could not be written: {told}")
        else:
            account.remarks.append(f"gate report: {text}")
    return replace(run, problems=(*run.problems, *problems)) if problems else run


def _uncommitted(account: Account, run: Run) -> list[str]:
    """Say once that uses were counted which no commit has."""
    counted = any(
        record.holdout is not None or any(check.name == "holdout" for check in record.checks)
        for record in run.records()
    )
    if not counted:
        return []
    from ..data.ledger import LEDGER_NAME
    from ..data.ledger_commit import uncommitted

    path = account.config.rootpath / LEDGER_NAME
    try:
        said = uncommitted(path.read_bytes(), path)
    except (OSError, ModelGateError):  # the gate has said what is wrong with it
        return []
    return [said] if said else []


def tell(account: Account, run: Run) -> Run:
    """Write verdicts to a tracker and move an alias, where that was asked for; what fails is said.

    A tracker that is down changes no verdict. An alias that was to move and did not is a problem of the run.
    """
    config = account.config
    tracker, alias = config.getoption("gate_log"), config.getoption("gate_promote")
    if not tracker and not alias:
        return run
    from .telling import log_run, promote_run

    if tracker:
        logged = log_run(config, run, tracker)
        account.remarks += [f"logged: {text}" for text in logged.done]
        account.remarks += [f"NOT LOGGED: {text}" for text in logged.failed]
        if logged.again:
            account.remarks.append(_kept(config, run, tracker))
    if not alias:
        return run
    try:
        account.remarks.append(promote_run(config, run, alias))
    except ModelGateError as error:
        return replace(run, problems=(*run.problems, f"{error.what} {error.remedy}"))
    return run


def _kept(config: pytest.Config, run: Run, tracker: str) -> str:
    """Return how to log later; the report is written where nobody asked for one."""
    given = [text for text in config.getoption("gate_report") if Path(text).suffix == JSON]
    path = given[0] if given else "model-gate-report.json"
    if not given:
        json_report.write(config.invocation_params.dir / path, json_report.dumps(run))
    return f"nothing is lost: model-gate log {path} --tracker {tracker}"


def _rendered(config: pytest.Config, suffix: str, run: Run) -> str | None:
    """Return a run in one format, ``None`` where nobody has that format."""
    if suffix == JSON:
        return json_report.dumps(run)
    from ..gate.registry import build_registry

    groups = config.hook.pytest_model_gate_plugins(config=config)
    registry = build_registry([plugin for group in groups for plugin in group or ()])
    found: str | None = registry.hook.model_gate_report(suffix=suffix, records=tuple(run.records()))
    return found


def _was_complete(path: Path) -> bool:
    if path.suffix != JSON or not path.is_file():
        return False
    try:
        return json_report.read(path).complete
    except ModelGateError:
        return False


def show(account: Account, run: Run, reporter: pytest.TerminalReporter) -> None:
    """Print the report of the gates."""
    verbosity = account.config.get_verbosity()
    lines = list(render(run, verbosity=verbosity, width=get_terminal_size((WIDTH, 0)).columns))
    lines += [Text(plain(remark)) for remark in account.remarks]
    lines += [Text(plain(said), "warn") for said in _uncommitted(account, run)]
    if not lines:
        return
    if verbosity >= 0:
        reporter.write_sep("=", "model gates")
    for line in lines:
        reporter.write_line(line.text, **TONES[line.tone])
