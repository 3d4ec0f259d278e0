"""``model-gate ledger``: what has been judged on each holdout, and a new beginning with a reason."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from .adding import add_command

if TYPE_CHECKING:
    from ..config.files import Project
    from ..data.ledger import Entry, Use
    from ..data.ledger_store import Ledger
    from ..gate.uses import Holdout
    from ..spec import SourceContext
    from .adding import Subparsers

DESCRIPTION = """\
Show how often each holdout was used, and how many uses are left.

Gates with the key holdout_budget (or spending) count the candidates that they
judge in model-gate.ledger.jsonl. Commit that file. It is looked for in this
folder and those above. Gates with the key ledger = "mlflow" count in MLflow.
"""

EXAMPLES = """\
examples:
  model-gate ledger                     every holdout
  model-gate ledger -v                  and every use
  model-gate ledger --reset data/holdout.parquet --reason "new labels, same rows"
  model-gate ledger --move-to mlflow    begin a ledger in MLflow with what the file has

A reset is written into the ledger and removes nothing. It does not make the
rows fresh: choose another holdout where you can.

exit status:
  0  the ledger was shown, or the reset was written
  2  it cannot be read or written, or knows no such dataset
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands,
        name,
        run,
        summary="show how often each holdout was used",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="list every use")
    parser.add_argument("--reset", metavar="DATASET", help="start the count of this dataset (or digest) anew")
    parser.add_argument("--reason", metavar="TEXT", help="why; it stays in the ledger")
    parser.add_argument(
        "--ledger",
        metavar="STORE",
        help="which: file, mlflow or mlflow:EXPERIMENT (default: those that the project's gates name)",
    )
    parser.add_argument(
        "--move-to", metavar="STORE", help="make the ledger mlflow:EXPERIMENT, and copy the file's lines"
    )
    parser.add_argument(
        "--tracking-uri",
        default="",
        metavar="URI",
        help="MLflow's server (default: the project's tracking_uri, then MLFLOW_TRACKING_URI)",
    )


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Show the ledger, or reset a dataset in it."""
    from ..data.ledger import LEDGER_NAME

    reason = (options.reason or "").strip()
    if bool(options.reset) != bool(reason):
        raise ConfigurationError(
            "A reset needs a dataset and a reason.",
            "Write model-gate ledger --reset DATASET --reason 'why'.",
        )
    if options.move_to:
        return _move(options)
    ledgers = _ledgers(options)
    if options.reset:
        return _reset(ledgers, options.reset, reason)
    if not ledgers:
        print(f"no use of a holdout was counted here: there is no {LEDGER_NAME} in this folder or above")
        return 0
    for ledger in ledgers:
        _show(ledger, verbose=options.verbose)
    return 0


def _ledgers(options: argparse.Namespace) -> list[Ledger]:
    """Return the ledger that is asked for, or those of the project; none where nothing was counted."""
    from ..data.ledger import LEDGER_NAME
    from ..data.ledger_store import FileLedger
    from ..gate.keeping import ledger_at

    project = _project()
    file = next((f for f in (place / LEDGER_NAME for place in _places()) if f.is_file()), None)
    gates = [{**project.defaults, **gate} for gate in project.gates.values()] or [dict(project.defaults)]
    named = dict.fromkeys(
        (gate["ledger"], str(gate.get("tracking_uri") or ""))
        for gate in gates
        if gate.get("ledger") not in (None, "file")
    )
    if options.ledger:
        named = {(_store(options.ledger), ""): None} if options.ledger != "file" else {}
    found = [ledger_at(store, _context(project, options, uri)) for store, uri in named]
    in_file = options.ledger == "file" or any(gate.get("ledger") in (None, "file") for gate in gates)
    if file is not None and (not named or (in_file and not options.ledger)):
        found.append(FileLedger(file))
    return found


def _places() -> list[Path]:
    here = Path.cwd()
    return [here, *here.parents]


def _project() -> Project:
    """Return the project that this folder is in, or an empty one."""
    from ..config.files import read_project

    for place in _places():
        project = read_project(place)
        if project.file:
            return project
    return read_project(Path.cwd())


def _context(project: Project, options: argparse.Namespace, uri: str) -> SourceContext:
    from ..spec import SourceContext

    default = str(project.defaults.get("tracking_uri") or "")
    return SourceContext(
        root=str(project.root), tracking_uri=options.tracking_uri or uri or default or _only_uri(project)
    )


def _only_uri(project: Project) -> str:
    """Return where all gates have their models, if they say one place."""
    said = {str(gate.get("tracking_uri") or "") for gate in project.gates.values()}
    return said.pop() if len(said) == 1 else ""


def _store(text: str) -> str:
    from ..config.tables import GateTable, read_table

    return str(read_table(GateTable, {"ledger": text}, "the command line")["ledger"])


def _show(ledger: Ledger, *, verbose: bool) -> None:
    from ..data.ledger_mlflow import MlflowLedger
    from ..data.ledger_store import FileLedger

    entries, _ = ledger.read()
    if isinstance(ledger, MlflowLedger):
        print(f"{ledger.name} on {ledger.where}: {len(entries)} entries, all there and as they were written")
    for line in _shown(entries, verbose=verbose):
        print(line)
    if isinstance(ledger, FileLedger) and (said := ledger.uncommitted()):
        print(said)


def _move(options: argparse.Namespace) -> int:
    """Make a ledger in MLflow, and have it know all that the file knows."""
    from ..data.ledger import LEDGER_NAME
    from ..data.ledger_mlflow import MlflowLedger, missing
    from ..data.ledger_store import FileLedger
    from ..gate.keeping import ledger_at

    project = _project()
    ledger = ledger_at(_store(options.move_to), _context(project, options, ""))
    if not isinstance(ledger, MlflowLedger):
        raise ConfigurationError(
            "A ledger moves to MLflow, not back into the file.",
            "Write model-gate ledger --move-to mlflow:EXPERIMENT.",
        )
    file = project.root / LEDGER_NAME
    lines = FileLedger(file).read()[0] if file.is_file() else []
    made = ledger.create()

    def decide(known: list[Entry]) -> tuple[int, list[Entry]]:
        more = missing(lines, known)
        return len(more), more

    copied = ledger.change(decide)
    print(f"{ledger.name} on {ledger.where} {'was made' if made else 'is there already'}")
    if lines:
        print(f"{copied} of {len(lines)} lines of {LEDGER_NAME} were copied: leave the file where it is")
    print(f'Write ledger = "{ledger.name}" beside holdout_budget.')
    return 0


def _reset(ledgers: Sequence[Ledger], dataset: str, reason: str) -> int:
    from ..data.ledger import LEDGER_NAME
    from ..data.ledger_store import FileLedger
    from ..gate.reset import reset
    from ..report.escape import plain

    if not ledgers:
        raise ConfigurationError(
            f"There is no {LEDGER_NAME} in this folder or above.", "Run it in the folder of the project."
        )
    if len(ledgers) > 1:
        raise ConfigurationError(
            f"The gates count in {len(ledgers)} ledgers: {', '.join(ledger.name for ledger in ledgers)}.",
            "Say which one with --ledger.",
        )
    (ledger,) = ledgers
    written = reset(ledger, dataset, reason, root=Path.cwd())
    print(
        f"{plain(written.source)} {_short(written.dataset)}: reset {written.period}, uses are counted from 1"
    )
    print(f"{ledger.name} was written{': commit it' if isinstance(ledger, FileLedger) else ''}.")
    return 0


def _shown(entries: Sequence[Entry], *, verbose: bool) -> Iterator[str]:
    from ..gate.reset import datasets
    from ..gate.uses import holdout
    from ..report.escape import plain

    for last in reversed(datasets(entries)):
        known = holdout(entries, last.dataset)
        rows = f"   {known.uses[-1].first.rows:,} rows" if known.uses else ""
        yield f"{plain(last.source)}   {_short(last.dataset)}{rows}"
        yield from _counted(known)
        yield from _shared(entries, last.dataset)
        for reset in known.resets:
            yield f"  reset    {plain(reset.date[:10])}: {plain(reset.reason)}"
        if verbose:
            yield from _listed(known)


def _counted(known: Holdout) -> Iterator[str]:
    from ..gate.uses import ROUNDING

    current = known.current
    if not current:
        yield "  uses     0 since the last reset" if known.resets else "  uses     0"
        return
    latest = max((line for use in current for line in use.lines), key=lambda line: line.date)
    count, budget = len(current), latest.budget
    left = "" if budget is None else f", {max(0, budget - count)} left"
    of = "" if budget is None else f" of {budget}"
    yield f"  uses     {count}{of} ({latest.spending}){left}; {known.passes} passed"
    over = known.share > 1 + ROUNDING
    more = ": branches have used more than there was" if over else ""
    yield f"  spent    alpha {known.alpha:.3g} of {latest.level:g}{more}"


def _shared(entries: Sequence[Entry], dataset: str) -> Iterator[str]:
    """Say with which other datasets it shares its rows, and so its uses."""
    from ..data.ledger import same_holdout
    from ..report.escape import plain

    sources = {entry.dataset: entry.source for entry in entries}
    for other, share in sorted(same_holdout(entries, dataset).items()):
        if other != dataset:
            name = f"{plain(sources.get(other, 'a dataset'))} {_short(other)}"
            yield f"  shares   {math.floor(share * 100)}% of rows with {name}: its uses count here"


def _listed(known: Holdout) -> Iterator[str]:
    from ..report.escape import plain

    rows = [("use", "date", "gate", "candidate", "alpha", "verdict")]
    rows += [
        (
            str(use.first.number),
            plain(use.first.date[:10]),
            plain(use.first.gate),
            plain(use.first.model),
            f"{use.first.alpha:.3g}",
            plain(_verdict(use.lines))
            + ("" if use.first.period >= known.period else ", before the last reset"),
        )
        for use in known.uses
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()


def _verdict(lines: Sequence[Use]) -> str:
    """Return what was found; several assertions, or a waiver, may have found several things."""
    return ", ".join(dict.fromkeys(line.verdict for line in lines if line.verdict)) or "(none arrived)"


def _short(digest: str) -> str:
    kind, _, value = digest.partition(":")
    return f"{kind}:{value[:12]}"
