"""``model-gate drift``: what has moved between two tables, in the shell."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from .adding import add_command

if TYPE_CHECKING:
    from ..results import DriftRecord
    from ..spec import DriftMethod
    from .adding import Subparsers

DESCRIPTION = """\
Compare a table with a reference, column by column and as a whole.

Every column has an effect with an interval and a threshold: it has drifted where
the whole interval is beyond the threshold, and it passes where none of it is.
"""

EXAMPLES = """\
examples:
  model-gate drift data/train.parquet data/holdout.parquet
  model-gate drift train.csv new.csv --columns age,region --threshold 0.1
  model-gate drift train.csv new.csv --method ks --method region=psi --json
  model-gate drift 2013.parquet 2023.parquet --blocks week --ignore date

exit status:
  0  no drift beyond the thresholds, and no new levels
  1  a column has drifted or has new levels, or the data cannot tell
  2  the tables could not be compared
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands,
        name,
        run,
        summary="compare a table with a reference",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("reference", metavar="REFERENCE", help="dataset source: what the model knows")
    parser.add_argument("current", metavar="CURRENT", help="dataset source: what it meets now")
    parser.add_argument("--columns", metavar="NAME,NAME...", help="only these columns")
    parser.add_argument("--ignore", metavar="NAME,NAME...", help="not these columns")
    parser.add_argument("--target", default="", metavar="COLUMN", help="a class: its numbers are levels")
    parser.add_argument(
        "--method",
        action="append",
        default=[],
        metavar="[COLUMN=]NAME",
        help="auc, ks, wasserstein, tv, cramer_v, js or psi (repeatable)",
    )
    parser.add_argument(
        "--threshold",
        action="append",
        default=[],
        metavar="[COLUMN=]VALUE",
        help="effect that is still no drift (repeatable; the method's own otherwise)",
    )
    parser.add_argument("--blocks", default="", metavar="COLUMN", help="whole blocks, for example weeks")
    parser.add_argument("--no-overall", action="store_true", help="train no classifier on the whole rows")
    parser.add_argument(
        "--alpha", type=float, default=0.05, help="one-sided level of every bound (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn (default: %(default)s)")
    parser.add_argument("--all", action="store_true", help="print all columns, also those that pass")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Compare, print, and say by the exit status whether anything has moved."""
    from ..gate.drift_sources import drift

    found = drift(
        options.reference,
        options.current,
        columns=_names(options.columns),
        ignore=_names(options.ignore),
        method=_methods(options.method),
        threshold=_thresholds(options.threshold),
        overall=not options.no_overall,
        blocks=options.blocks,
        target=options.target,
        alpha=options.alpha,
        seed=options.seed,
        progress=_progress if sys.stderr.isatty() else None,
    )
    print(_json(found) if options.json else _text(found, every=options.all))
    return int(moved(found))


def moved(record: DriftRecord) -> bool:
    """Whether anything but a pass was found."""
    overall = record.overall is not None and record.overall.verdict != "pass"
    return overall or any(column.verdict != "pass" or column.new_levels_count for column in record.columns)


def _text(record: DriftRecord, *, every: bool) -> str:
    from ..report.drift import drift

    return "\n".join(line.text for line in drift(record, verbosity=int(every))).replace(
        "(-v shows them)", "(--all shows them)"
    )


def _json(record: DriftRecord) -> str:
    import json

    from ..wire import to_plain

    return json.dumps(to_plain(record), indent=2, allow_nan=False, ensure_ascii=False)


def _progress(what: str, done: int, of: int) -> None:
    """Tell a person at a terminal how far it is; the line is gone when it is done."""
    text = f"{what}: {done:,} of {of:,}"
    print("\r" + (text if done < of else " " * len(text) + "\r"), end="", file=sys.stderr, flush=True)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name for name in (text or "").split(",") if name)


def _methods(given: Sequence[str]) -> dict[str, DriftMethod]:
    # Which methods there are is said where they are known.
    return dict(_by_column("--method", given))  # type: ignore[arg-type]


def _thresholds(given: Sequence[str]) -> dict[str, float]:
    found = {}
    for column, text in _by_column("--threshold", given):
        try:
            found[column] = float(text)
        except ValueError:
            raise ConfigurationError(
                f"--threshold must be a number, got {text!r}.", "Write --threshold 0.05."
            ) from None
    return found


def _by_column(option: str, given: Sequence[str]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for text in given:
        column, equals, value = text.rpartition("=")
        name = column.strip() if equals else "*"
        if name in found:
            raise ConfigurationError(f"{option} is given twice for {name!r}.", "Keep one.")
        found[name] = value.strip()
    return list(found.items())
