"""``model-gate ledger``: what has been judged on each holdout, and a new beginning with a reason."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..data.ledger import Entry, Use
    from ..gate.uses import Holdout

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
Show how often each holdout was used, and how many uses are left.

Gates with the key holdout_budget (or spending) count the candidates that they
judge in model-gate.ledger.jsonl. Commit that file. It is looked for in this
folder and those above.
"""

EXAMPLES = """\
examples:
  model-gate ledger                     every holdout
  model-gate ledger -v                  and every use
  model-gate ledger --reset data/holdout.parquet --reason "new labels, same rows"

A reset is written into the ledger and removes nothing. It does not make the
rows fresh: choose another holdout where you can.

exit status:
  0  the ledger was shown, or the reset was written
  2  it cannot be read or written, or knows no such dataset
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = commands.add_parser(
        name,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        help="show how often each holdout was used",
        description=DESCRIPTION,
        epilog=EXAMPLES,
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="list every use")
    parser.add_argument("--reset", metavar="DATASET", help="start the count of this dataset (or digest) anew")
    parser.add_argument("--reason", metavar="TEXT", help="why; it stays in the ledger")
    parser.set_defaults(run=run, takes_pytest_arguments=False)


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Show the ledger, or reset a dataset in it."""
    from ..data.ledger import LEDGER_NAME
    from ..data.ledger_commit import check_complete, uncommitted
    from ..data.ledger_file import held

    reason = (options.reason or "").strip()
    if bool(options.reset) != bool(reason):
        raise ConfigurationError(
            "A reset needs a dataset and a reason.",
            "Write model-gate ledger --reset DATASET --reason 'why'.",
        )
    here = Path.cwd()
    places = (place / LEDGER_NAME for place in (here, *here.parents))
    path = next((place for place in places if place.is_file()), None)
    if options.reset:
        return _reset(path, options.reset, reason)
    if path is None:
        print(f"no use of a holdout was counted here: there is no {LEDGER_NAME} in this folder or above")
        return 0
    with held(path) as file:  # else a line that a run just writes might be seen in part
        entries, content = file.entries(), file.content()
    check_complete(content, path)
    for line in _shown(entries, verbose=options.verbose):
        print(line)
    if said := uncommitted(content, path):
        print(said)
    return 0


def _reset(path: Path | None, dataset: str, reason: str) -> int:
    from ..data.ledger import LEDGER_NAME
    from ..gate.reset import reset
    from ..report.escape import plain

    if path is None:
        raise ConfigurationError(
            f"There is no {LEDGER_NAME} in this folder or above.", "Run it in the folder of the project."
        )
    written = reset(path, dataset, reason)
    print(
        f"{plain(written.source)} {_short(written.dataset)}: reset {written.period}, uses are counted from 1"
    )
    print(f"{LEDGER_NAME} was written: commit it.")
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
