"""``model-gate compare``: two columns of predictions in a file, judged in the shell."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from .adding import add_command

if TYPE_CHECKING:
    from ..results import Comparison
    from ..spec import Tolerance
    from .adding import Subparsers

DESCRIPTION = """\
Compare two models whose predictions stand in one file, row by row.

No gate, no pin and no configuration: the numbers, the interval and the verdict
that a gate would give for these columns.
"""

EXAMPLES = """\
examples:
  model-gate compare scores.csv --target bought --candidate new --production old \\
      --metric roc_auc --max-regression 0.005
  model-gate compare scores.parquet --target y --candidate new --production old \\
      --metric f1 --metric log_loss --threshold 0.5 --groups customer --json
  model-gate compare flowers.csv --target kind --classes setosa,virginica,other \\
      --candidate n1,n2,n3 --production o1,o2,o3 --metric log_loss

exit status:
  0  every metric passes
  1  the candidate regressed, or the data cannot tell
  2  it could not be compared
"""

#: Option -> keyword of ``compare``: columns beside target and predictions.
ROLES = {"weight": "sample_weight", "groups": "groups", "strata": "strata", "query": "query"}


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands,
        name,
        run,
        summary="compare two columns of predictions in a file",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("file", metavar="FILE", help=".csv, .parquet, .feather or .jsonl, one row per case")
    parser.add_argument("--target", required=True, metavar="COLUMN", help="what really happened")
    columns = "COLUMN[,COLUMN...]"
    parser.add_argument(
        "--candidate",
        required=True,
        metavar=columns,
        help="the candidate's predictions: labels, scores, numbers, or one probability per class",
    )
    parser.add_argument("--production", required=True, metavar=columns, help="production's predictions")
    parser.add_argument(
        "--metric", required=True, action="append", metavar="NAME", help="what to measure (repeatable)"
    )
    parser.add_argument(
        "--max-regression",
        action="append",
        default=[],
        metavar="[METRIC=]VALUE",
        help="how much worse the candidate may be: 0.005, or 1%% of production (repeatable; "
        "the metric's default otherwise)",
    )
    parser.add_argument(
        "--alpha", type=float, default=0.05, help="one-sided level of every bound (default: %(default)s)"
    )
    parser.add_argument("--weight", metavar="COLUMN", help="weight of each row")
    parser.add_argument("--groups", metavar="COLUMN", help="rows of one group are not independent")
    parser.add_argument("--strata", metavar="COLUMN", help="the sample was drawn with fixed sizes of these")
    parser.add_argument(
        "--query", metavar="COLUMN", help="which query a row belongs to, for ndcg and its kin"
    )
    parser.add_argument("--classes", metavar="LABEL,LABEL...", help="the order of the probability columns")
    parser.add_argument("--pos-label", metavar="LABEL", help="the positive class (default: 1 or True)")
    parser.add_argument(
        "--threshold", type=float, metavar="T", help="make labels of scores: positive from T on"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of metrics that are resampled (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one object per metric in a list")


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Compare, print, and say by the exit status whether the candidate passes."""
    from ..gate.columns import Columns, compare_columns
    from ..results import Verdict

    roles = {keyword: getattr(options, option) for option, keyword in ROLES.items()}
    found = compare_columns(
        options.file,
        Columns(
            target=options.target,
            candidate=options.candidate,
            production=options.production,
            roles={keyword: column for keyword, column in roles.items() if column is not None},
        ),
        options.metric,
        tolerances=_tolerances(options.max_regression),
        alpha=options.alpha,
        classes=None if options.classes is None else options.classes.split(","),
        pos_label=options.pos_label,
        threshold=options.threshold,
        seed=options.seed,
        progress=_progress if sys.stderr.isatty() else None,
    )
    print(_json(found) if options.json else "\n".join(map(repr, found)))
    return int(any(comparison.verdict is not Verdict.PASS for comparison in found))


def _progress(metric: str, done: int, of: int) -> None:
    """Tell a person at a terminal how far a metric is resampled; the line is gone when it is done."""
    text = f"{metric}: {done:,} of {of:,} resamples"
    print("\r" + (text if done < of else " " * len(text) + "\r"), end="", file=sys.stderr, flush=True)


def _tolerances(given: Sequence[str]) -> dict[str, Tolerance]:
    from ..spec import Tolerance

    found: dict[str, Tolerance] = {}
    for text in given:
        metric, equals, value = text.rpartition("=")
        name = metric.strip() if equals else "*"
        if name in found:
            raise ConfigurationError(f"--max-regression is given twice for {name!r}.", "Keep one.")
        found[name] = Tolerance.parse(value.strip())
    return found


def _json(found: Sequence[Comparison]) -> str:
    import json
    from dataclasses import asdict

    return json.dumps([asdict(comparison) for comparison in found], indent=2, allow_nan=False)
