"""A run as one JSON document, and back; written so that a reader never sees half of it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..results import SCHEMA_VERSION, GateRecord
from ..wire import from_plain, to_plain
from .run import NotJudged, Run, Tested


def dumps(run: Run) -> str:
    """Return a run as JSON: verdicts, all records, which test found which, and what was not judged."""
    records = list(run.records())
    numbers = {record: number for number, record in enumerate(records)}
    document = {
        "schema_version": SCHEMA_VERSION,
        "complete": run.complete,
        "passed": run.passed,
        "advise": run.advise,
        "records": [to_plain(record) for record in records],
        "tests": [
            {
                "test": test.test,
                "gate": test.gate,
                "outcome": test.outcome,
                "attempts": test.attempts,
                "records": [numbers[record] for record in test.records],
            }
            for test in run.tested
        ],
        "not_judged": [to_plain(gate) for gate in run.not_judged],
        "problems": list(run.problems),
    }
    return json.dumps(document, allow_nan=False, ensure_ascii=False, indent=2) + "\n"


def loads(text: str) -> Run:
    """Return the run that :func:`dumps` wrote.

    Raises
    ------
    ValueError
        If the text is no such document, or one of another schema version.
    """
    document = json.loads(text)
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise ValueError(f"a report of schema version {SCHEMA_VERSION} was needed, got {version!r}")
    try:
        records = [from_plain(GateRecord, record) for record in document["records"]]
        return Run(
            tested=tuple(_tested(test, records) for test in document["tests"]),
            not_judged=tuple(from_plain(NotJudged, gate) for gate in document["not_judged"]),
            problems=tuple(map(str, document["problems"])),
            complete=bool(document["complete"]),
            advise=bool(document["advise"]),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not a report: {error}") from None


def _tested(test: dict[str, Any], records: list[GateRecord]) -> Tested:
    return Tested(
        test=test["test"],
        gate=test["gate"],
        records=tuple(records[number] for number in test["records"]),
        outcome=test["outcome"],
        attempts=test["attempts"],
    )


def read(path: Path) -> Run:
    """Read a report that was written.

    Raises
    ------
    ConfigurationError
        If it isn't there, or is no report.
    """
    try:
        return loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise ConfigurationError(
            f"{path}: cannot be read as a report of model gates: {told}.",
            "Reports are written by pytest --gate-report FILE.json.",
        ) from None


def write(path: Path, text: str) -> None:
    """Write a report in one step: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        # A lone surrogate is not UTF-8, and as a backslash escape it is what JSON says for it.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
        # mkstemp makes files that only their owner can read; reports are for others too.
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
