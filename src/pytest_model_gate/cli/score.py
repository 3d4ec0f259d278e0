"""``model-gate score``: what one model says about one dataset, written to a file that gates read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .adding import add_command

if TYPE_CHECKING:
    from ..models.write_predictions import Written
    from ..spec import SourceContext
    from .adding import Subparsers

DESCRIPTION = """\
Score a model on a dataset and write its predictions to a Parquet file.

For models that need another environment, another machine or a GPU: score them
there, and let the gate read the file. It keeps the digests of the model and of
the data, and a gate on other data refuses it. No gate and no pytest is needed.
"""

EXAMPLES = """\
examples:
  model-gate score model.cbm data/holdout.parquet -o scores.parquet --key loan
  model-gate score models:/credit@challenger data/holdout.parquet -o scores.parquet \\
      --key loan
  model-gate score 'exec:./predict --fast' holdout.parquet -o scores.parquet \\
      --key loan --without default --want probability

exit status:
  0  the file was written
  2  it could not be
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands,
        name,
        run,
        summary="write what a model says about a dataset",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model source, as a gate names it")
    parser.add_argument("data", metavar="DATA", help="a dataset source, as a gate names it")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the .parquet file to write")
    parser.add_argument(
        "--key",
        default="",
        metavar="COLUMN",
        help="column that the gate joins by, with another value in every row (without it, no gate can)",
    )
    parser.add_argument(
        "--want",
        choices=("probability", "label", "value", "score"),
        help="what to ask for (default: the first of these that the model gives)",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="COLUMN",
        help="column that a model which names no columns of its own must not get: the target (repeatable)",
    )
    parser.add_argument(
        "--classes",
        default="",
        metavar="LABEL,LABEL...",
        help="the classes of the probabilities, for a model that names none (ONNX)",
    )
    parser.add_argument(
        "--trust",
        default="",
        metavar="DIGEST",
        help="let a model that runs code be loaded, if this is its digest (sha256:...)",
    )


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Score, write, and say how a gate names the file."""
    from ..gate.score_file import score_to_file

    written = score_to_file(
        options.model,
        options.data,
        options.output,
        key=options.key,
        want=options.want,
        without=options.without,
        classes=tuple(name.strip() for name in options.classes.split(",") if name.strip()),
        context=_context(),
        trusted_digest=options.trust,
        progress=_progress if sys.stderr.isatty() else None,
    )
    print(_text(written))
    return 0


def _context() -> SourceContext:
    """Return what the project says about models, as far as that can be read here."""
    from ..config.files import read_project
    from ..spec import SourceContext

    try:
        said = read_project(Path()).defaults
    except ModuleNotFoundError:
        # An environment with no more than the model needs: nothing is trusted there but by --trust and pins.
        print("note: [tool.model_gate] was not read: pydantic is not installed here", file=sys.stderr)
        return SourceContext()
    return SourceContext(
        tracking_uri=str(said.get("tracking_uri", "")),
        trusted_sources=tuple(said.get("trusted_sources", ())),
    )


def _text(written: Written) -> str:
    import json

    from ..report.escape import plain

    made = written.provenance
    lines = [
        f"written    {written.path}: {written.rows:,} rows",
        f"model      {made.model} {made.model_digest or '(no digest)'}",
        f"dataset    {made.dataset} {made.dataset_digest}",
        f"in a gate  {json.dumps(written.source, ensure_ascii=False)}"
        + (f" with key = {json.dumps(written.key, ensure_ascii=False)}" if written.key else ""),
    ]
    if not written.key:
        lines[-1] = "in a gate  not without a key: name a column with --key"
    return "\n".join(plain(line) for line in lines)


def _progress(what: str, done: int, of: int) -> None:
    """Tell a person at a terminal how far it is; the line is gone when it is done."""
    text = f"{what}: {done:,} of {of:,}"
    print("\r" + (text if done < of else " " * len(text) + "\r"), end="", file=sys.stderr, flush=True)
